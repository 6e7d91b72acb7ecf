"""The operator's commands beside a running bot: seen by the very next validation, told and acted upon in Discord."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from discord_shop import discord_at
from pydantic import SecretStr

from bot import app
from bot.api import DiscordState
from bot.client import Endpoints
from bot.config import Api, Config, Database, Discord
from bot.house import House
from bot.workers import running
from licensing.choices import ActorKind
from licensing.events import Action
from sandbox import Guild, Sandbox

ROOT = Path(__file__).parents[2]


class Hand:
    """The command line, called as processes of their own on the database of a running bot."""

    def __init__(self, folder: Path) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("KEYPORT_")}
        self._environ = own | {"KEYPORT_DATABASE__URL": f"sqlite:///{folder}/keyport.db"}

    async def __call__(self, *typed: str, answers: str = "") -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *typed, cwd=ROOT, env=self._environ, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate(answers.encode())
        assert process.returncode == 0, err.decode()
        return out.decode().strip()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox, discord_at(sandbox):
        yield sandbox


@pytest.fixture
def guild(sandbox: Sandbox) -> Guild:
    return sandbox.add_guild("Shop")


@asynccontextmanager
async def connected(sandbox: Sandbox, folder: Path) -> AsyncIterator[House]:
    """Run a bot that has connected, as `keyport run` does."""
    config = Config(
        database=Database(url=f"sqlite:///{folder}/keyport.db"), discord=Discord(token=SecretStr(sandbox.token))
    )
    endpoints = Endpoints(rest=sandbox.rest_base, gateway=sandbox.gateway_url, cdn=sandbox.cdn_base)
    async with app.opened(config) as house:
        connection = app.connect_discord(house, config, public_api_url="http://localhost", endpoints=endpoints)
        async with running(connection, name="Discord"):
            await sandbox.wait_until(lambda: house.health.discord is DiscordState.CONNECTED)
            yield house


@pytest.fixture
async def base_url(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[str]:
    """The API beside a connected bot."""
    async with connected(sandbox, tmp_path) as house, app.serving(house, Api(port=0)) as bound:
        yield app.web_address(*bound)


async def test_a_license_s_whole_life_by_command_line_beside_a_running_bot(
    sandbox: Sandbox, guild: Guild, base_url: str, tmp_path: Path
) -> None:
    holders, bob, keyport = guild.add_role("Holder"), guild.add_member("Bob"), Hand(tmp_path)
    created = await guild.owner.slash("product create", name="Editor", role=holders)
    await created.wait_for(lambda it: it.content.startswith("kp_live_"))
    api_key = created.content

    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {api_key}"}) as session:

        async def status(key: str) -> str:
            answer = await session.post(f"{base_url}/api/v1/validate", json={"license_key": key})
            return (await answer.json())["status"]

        key = await keyport("license", "issue", "Editor", "--member", str(bob.id))
        assert await status(key) == "active"
        await bob.wait_for_dm(key)
        await sandbox.wait_until(lambda: bob.role_names == ["Holder"])

        for typed, answers, seen in (
            (("suspend", "1"), "", "suspended"),
            (("reinstate", "1"), "", "active"),
            (("revoke", key, "--reason", "chargeback"), "y\n", "revoked"),
        ):
            await keyport("license", *typed, answers=answers)
            assert await status(key) == seen
        await bob.wait_for_dm("chargeback")
        await sandbox.wait_until(lambda: bob.role_names == [])

        await keyport("license", "restore", "1", answers="y\n1\n")
        assert await status(key) == "active"


async def test_what_the_operator_does_while_no_bot_runs_is_made_good_when_one_comes(
    sandbox: Sandbox, guild: Guild, tmp_path: Path
) -> None:
    bob, keyport = guild.add_member("Bob"), Hand(tmp_path)
    async with connected(sandbox, tmp_path):
        created = await guild.owner.slash("product create", name="Editor")
        await created.wait_for(lambda it: it.content.startswith("kp_live_"))
    key = await keyport("license", "issue", "Editor", "--member", str(bob.id))
    async with connected(sandbox, tmp_path) as house:
        await bob.wait_for_dm(key)
        events = await house.store.read(lambda tx: tx.ledger.after(0, limit=100))
    by = [event.actor_kind for event in events if event.action is Action.LICENSE_CREATED]
    assert by == [ActorKind.OPERATOR]
