"""Connecting: what is registered when, and how each trouble is told apart."""

import asyncio
from types import SimpleNamespace

import aiohttp
import discord
import pytest
from discord_shop import Shop, connected, services

from bot.api import DiscordState
from bot.api.health import Health
from bot.client import KeyPortClient, Trouble, build_client, classify
from bot.supervisor import Supervisor
from licensing.ports import Unavailable
from sandbox import Sandbox


def _syncs(sandbox: Sandbox) -> int:
    return sum(request.method == "PUT" and request.path.endswith("/commands") for request in sandbox.requests)


async def test_commands_are_registered_only_when_they_changed(shop: Shop):
    assert _syncs(shop.sandbox) == 1

    await shop.restart_bot()
    assert _syncs(shop.sandbox) == 1

    await shop.stop_bot()
    await shop.world.store.write(lambda tx: tx.ledger.save_fact("discord.commands", "an older version"))
    await shop.start_bot()
    assert _syncs(shop.sandbox) == 2


async def test_commands_that_discord_lost_are_registered_again(shop: Shop):
    await shop.stop_bot()
    shop.sandbox.hub.registry.overwrite(None, [])

    await shop.start_bot()

    assert {command["name"] for command in shop.sandbox.commands()} == {
        *(
            "Licenses",
            "approvals",
            "blacklist",
            "bulk",
            "claim",
            "license",
            "licenses",
            "product",
            "staff",
            "transfer",
            "why",
        )
    }


@pytest.mark.usefixtures("sandbox")
async def test_a_refused_token_is_told_apart(world):
    client = _client(world)

    with pytest.raises(Exception) as raised:  # noqa: PT011 - its kind is the question
        await client.start("MTEwMDAwMDAwMDAwMDAwMDAwMA.wrong.token")
    await client.close()

    assert classify(raised.value) is Trouble.TOKEN_REFUSED


async def test_a_missing_intent_is_told_apart_and_the_bot_works_without_it(sandbox: Sandbox, world):
    sandbox.add_guild("Shop")
    sandbox.privileged_intents = 0
    client = _client(world)

    with pytest.raises(Exception) as raised:  # noqa: PT011 - its kind is the question
        await client.start(sandbox.token)
    await client.close()
    assert classify(raised.value) is Trouble.INTENT_MISSING

    client, task = await connected(sandbox, world, members_intent=False)
    await client.close()
    await task


async def test_discord_being_away_is_told_apart(sandbox: Sandbox, world):
    await sandbox.stop()
    client = _client(world)

    with pytest.raises(Exception) as raised:  # noqa: PT011 - its kind is the question
        await client.start(sandbox.token)
    await client.close()

    assert classify(raised.value) is Trouble.UNREACHABLE


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (TypeError("a bug"), Trouble.FAULT),
        (RuntimeError("a bug"), Trouble.FAULT),
        (discord.HTTPException(SimpleNamespace(status=400, reason="Bad Request"), "no"), Trouble.FAULT),
        (discord.HTTPException(SimpleNamespace(status=429, reason="Slow down"), "no"), Trouble.UNREACHABLE),
        (discord.HTTPException(SimpleNamespace(status=401, reason="Unauthorized"), "no"), Trouble.TOKEN_REFUSED),
        (discord.DiscordServerError(SimpleNamespace(status=502, reason="Bad Gateway"), ""), Trouble.UNREACHABLE),
        (discord.GatewayNotFound(), Trouble.UNREACHABLE),
        (aiohttp.ServerDisconnectedError(), Trouble.UNREACHABLE),
        (ConnectionResetError(), Trouble.UNREACHABLE),
        (TimeoutError(), Trouble.UNREACHABLE),
        (Unavailable(), Trouble.STORE_UNAVAILABLE),
    ],
    ids=lambda it: getattr(it, "name", type(it).__name__),
)
def test_a_fault_of_our_own_is_never_told_as_discord_being_away(error: Exception, trouble: Trouble):
    assert classify(error) is trouble


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TypeError("a bug"), (DiscordState.FAULT, "fault of its own")),
        (Unavailable(), (DiscordState.CONNECTING, "database cannot be reached")),
    ],
    ids=["a bug", "the store is away"],
)
async def test_each_trouble_is_told_by_its_own_line_and_a_fault_with_its_traceback(
    sandbox: Sandbox, world, caplog, error: Exception, expected: tuple[DiscordState, str]
):
    state, line = expected

    async def broken(_client: KeyPortClient) -> None:
        raise error

    async def store_is_read() -> None: ...

    health = Health(version="", read_store=store_is_read)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KeyPortClient, "setup_hook", broken)
        supervisor = Supervisor(
            lambda _: _client(world),
            token=sandbox.token,
            health=health,
            members_intent=True,
            chance=lambda: 1.0,
        )
        task = asyncio.create_task(supervisor.run())
        await sandbox.wait_until(lambda: any(line in record.getMessage() for record in caplog.records))
        task.cancel()
        await asyncio.wait({task})

    [told] = [record for record in caplog.records if record.name == "bot.supervisor" and record.levelname == "ERROR"]
    assert (told.exc_info is not None) is (state is DiscordState.FAULT)
    assert health.discord is state
    caplog.clear()


def _client(world):
    return build_client(services(world), world.store, members_intent=True, public_api_url="", clock=world.clock)
