"""Connecting: what is registered when, and how each trouble is told apart."""

import pytest
from discord_shop import Shop, connected, services

from bot.client import Trouble, build_client, classify
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
        *("Licenses", "approvals", "claim", "license", "licenses", "product", "staff", "transfer")
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


def _client(world):
    return build_client(services(world), world.store, members_intent=True, public_api_url="", clock=world.clock)
