"""The API serves whatever Discord does, and the bot comes back by itself; told in /readyz and in one log line."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import discord
import pytest
from discord_shop import discord_at
from pydantic import SecretStr

from bot import app
from bot.api import DiscordState
from bot.client import Endpoints
from bot.config import Api, Config, Database, Discord
from bot.house import House
from bot.workers import running
from sandbox import Sandbox


class Running:
    """The API of one house, and the bot connecting beside it."""

    def __init__(self, house: House, base_url: str) -> None:
        self.house = house
        self._base_url = base_url

    async def readyz(self) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(f"{self._base_url}/readyz") as answer:
            return answer.status, (await answer.json())["discord"]

    async def becomes(self, state: DiscordState) -> None:
        async with asyncio.timeout(20):
            while self.house.health.discord is not state:
                await asyncio.sleep(0.01)
        assert await self.readyz() == (200, state)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox, discord_at(sandbox):
        sandbox.add_guild("Shop")
        yield sandbox


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with app.opened(Config(database=Database(url=f"sqlite:///{tmp_path}/keyport.db"))) as house:
        yield house


@pytest.fixture
async def served(house: House) -> AsyncIterator[Running]:
    async with app.serving(house, Api(port=0)) as (host, port):
        yield Running(house, f"http://{host}:{port}")


def connecting(sandbox: Sandbox, house: House, *, token: str | None = None) -> AbstractAsyncContextManager[None]:
    config = Config(discord=Discord(token=SecretStr(token or sandbox.token)))
    endpoints = Endpoints(rest=sandbox.rest_base, gateway=sandbox.gateway_url, cdn=sandbox.cdn_base)
    work = app.connect_discord(house, config, public_api_url="http://localhost", endpoints=endpoints)
    return running(work, name="Discord")


def told(caplog: pytest.LogCaptureFixture, words: str) -> int:
    found = [record for record in caplog.records if record.name == "bot.supervisor" and words in record.getMessage()]
    return len(found)


async def test_the_bot_connects_and_says_so(sandbox: Sandbox, served: Running) -> None:
    assert await served.readyz() == (200, "off")
    async with connecting(sandbox, served.house):
        await served.becomes(DiscordState.CONNECTED)


async def test_an_outage_of_discord_at_the_start_is_told_once_and_the_bot_connects_when_it_ends(
    sandbox: Sandbox, served: Running, caplog: pytest.LogCaptureFixture
) -> None:
    outage = sandbox.outage()
    outage.start()
    async with connecting(sandbox, served.house):
        await served.becomes(DiscordState.UNREACHABLE)
        outage.stop()
        await served.becomes(DiscordState.CONNECTED)
    assert told(caplog, "cannot be reached") == 1


@pytest.mark.parametrize("resume", [True, False])
async def test_a_lost_connection_is_told_once_when_lost_and_once_when_back(
    sandbox: Sandbox, served: Running, caplog: pytest.LogCaptureFixture, resume: bool
) -> None:
    async with connecting(sandbox, served.house):
        await served.becomes(DiscordState.CONNECTED)
        for losses in (1, 2):
            await sandbox.drop_gateway(resume=resume)
            async with asyncio.timeout(20):
                while told(caplog, "Connected to Discord again.") < losses:
                    await asyncio.sleep(0.01)
            assert told(caplog, "The connection to Discord was lost") == losses
        await served.becomes(DiscordState.CONNECTED)
    lines = [record.getMessage() for record in caplog.records if record.name == "bot.supervisor"]
    assert lines[0] == "Connected to Discord."
    assert len(lines) == 5


async def test_a_wrong_token_is_told_with_what_to_do_and_the_api_goes_on(
    sandbox: Sandbox, served: Running, caplog: pytest.LogCaptureFixture
) -> None:
    async with connecting(sandbox, served.house, token="MTEwMDAwMDAwMDAwMDAwMDAwMA.wrong.token-that-is-not-right"):
        await served.becomes(DiscordState.TOKEN_REFUSED)
    assert told(caplog, "copy it anew from the Developer Portal") == 1
    assert "token-that-is-not-right" not in caplog.text


async def test_a_missing_intent_is_told_and_the_bot_goes_on_without_it(
    sandbox: Sandbox, served: Running, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.privileged_intents = 0
    async with connecting(sandbox, served.house):
        await served.becomes(DiscordState.CONNECTED)
    assert told(caplog, "Server Members intent") == 1


async def test_commands_work_after_the_bot_was_built_anew(sandbox: Sandbox, served: Running) -> None:
    guild = sandbox.add_guild("Second shop")
    outage = sandbox.outage()
    outage.start()
    async with connecting(sandbox, served.house):
        await served.becomes(DiscordState.UNREACHABLE)
        outage.stop()
        await served.becomes(DiscordState.CONNECTED)
        reply = await guild.owner.slash("product create", name="Pro")
        assert "Pro" in reply.text


@pytest.fixture(autouse=True)
def _without_the_five_seconds_that_discord_py_waits_before_it_identifies_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def at_once(*_shard: object, **_settings: object) -> None:
        """Identify."""

    monkeypatch.setattr(discord.Client, "before_identify_hook", at_once)


@pytest.fixture(autouse=True)
def quiet_discord(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="bot.supervisor")
