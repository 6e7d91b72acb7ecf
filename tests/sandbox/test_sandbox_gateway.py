"""The gateway: how a session begins, survives and ends; intents; and Discord in trouble."""

import asyncio
import json
import zlib

import aiohttp
import discord
import pytest

from sandbox import Intent, Sandbox

PING = {"name": "ping", "description": "Ping"}


async def closing(bot, *payloads):
    """Send payloads on a fresh connection; give the code it is closed with."""
    async with bot.session.ws_connect(f"{bot.sandbox.gateway_url}?v=10&encoding=json") as socket:
        hello = await socket.receive_json()
        assert hello["op"] == 10
        for payload in payloads:
            await socket.send_str(payload if isinstance(payload, str) else json.dumps(payload))
        async for _ in socket:
            pass
        return socket.close_code


async def test_each_fault_of_a_client_closes_with_its_code(bot, sandbox):
    good = {"op": 2, "d": {"token": sandbox.token, "intents": 1}}
    for payloads, code in (
        (["{"], 4002),
        ([{"op": 1, "d": "x" * 5000}], 4002),
        ([{"op": 77}], 4001),
        ([{"op": 8, "d": {}}], 4003),
        ([{"op": 2, "d": {"token": "wrong", "intents": 1}}], 4004),
        ([good, good], 4005),
        ([{"op": 2, "d": {"token": sandbox.token, "intents": -1}}], 4013),
        ([{"op": 2, "d": {"token": sandbox.token, "intents": 1 << 8}}], 4014),
    ):
        assert await closing(bot, *payloads) == code


@pytest.mark.usefixtures("address")
async def test_a_wrong_token_is_a_login_failure():
    client = discord.Client(intents=discord.Intents.none())
    with pytest.raises(discord.LoginFailure):
        await client.login("wrong")
    await client.close()


async def test_an_intent_that_is_not_granted_refuses_the_client_until_it_is(sandbox, start):
    sandbox.privileged_intents = 0
    with pytest.raises(discord.PrivilegedIntentsRequired):
        await start()
    sandbox.privileged_intents = Intent.GUILD_MEMBERS
    await start()
    assert sandbox.bot_connected


async def test_a_dropped_connection_is_resumed_and_misses_nothing(sandbox, guild, start):
    client = await start()
    await sandbox.drop_gateway(resume=True)
    assert not sandbox.bot_connected
    guild.add_role("Meanwhile")
    await sandbox.wait_for_bot()
    await sandbox.wait_until(lambda: "RESUMED" in client.events)
    assert client.events.count("READY") == 1
    assert [role.name for role in client.get_guild(guild.id).roles if role.name == "Meanwhile"]


async def test_a_session_that_was_forgotten_is_begun_anew(sandbox, start):
    client = await start()
    await sandbox.drop_gateway(resume=False)
    await sandbox.wait_for_bot()
    await sandbox.wait_until(lambda: client.events.count("READY") == 2)
    assert "RESUMED" not in client.events


async def test_a_token_that_was_reset_ends_the_session_and_every_request(sandbox, bot, start):
    client, old = await start(), sandbox.token
    sandbox.reset_token("new-token")
    await sandbox.wait_for_no_bot()
    assert (await bot.call("GET", "/users/@me", token=old))[0] == 401
    assert (await bot.call("GET", "/users/@me"))[0] == 200
    assert client.is_closed()


async def test_without_the_members_intent_nobody_hears_of_members_but_of_the_bot_itself(bot, guild):
    await bot.connect(intents=int(Intent.GUILDS))
    bob = guild.add_member("Bob")
    bob.add_role(guild.add_role("Buyer"))
    await bot.hear("GUILD_ROLE_CREATE")
    guild.member("KeyPort").add_role(guild.role("Buyer"))
    assert (await bot.hear("GUILD_MEMBER_UPDATE"))["user"]["id"] == str(bot.sandbox.application_id)
    assert not [each for each in bot.heard if each["t"] and each["t"].startswith("GUILD_MEMBER")]


async def test_without_the_content_intent_messages_come_empty_unless_they_name_the_bot(bot, guild):
    await bot.connect(intents=int(Intent.GUILD_MESSAGES))
    guild.owner.say("private")
    assert (await bot.hear("MESSAGE_CREATE"))["content"] == ""
    guild.owner.say(f"<@{bot.sandbox.application_id}> hi")
    assert (await bot.hear("MESSAGE_CREATE"))["content"].endswith("hi")


async def test_members_are_sent_in_chunks_on_request(guild, start):
    for number in range(3):
        guild.add_member(f"Member {number}")
    client = await start()
    found = await client.get_guild(guild.id).chunk()
    assert len(found) == 5
    named = await client.get_guild(guild.id).query_members("member", limit=2)
    assert len(named) == 2


async def test_compressed_transport_is_understood(bot, sandbox):
    url = f"{sandbox.gateway_url}?v=10&encoding=json&compress=zlib-stream"
    async with bot.session.ws_connect(url) as socket:
        frame = await socket.receive()
        assert frame.type is aiohttp.WSMsgType.BINARY
        assert b'"op": 10' in zlib.decompressobj().decompress(frame.data)


async def test_during_an_outage_nothing_answers_and_afterwards_everything_does(sandbox, guild, start):
    client = await start()
    async with sandbox.outage():
        with pytest.raises(discord.DiscordServerError):
            await client.fetch_user(guild.owner.id)
        await sandbox.wait_for_no_bot()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.http.ws_connect(sandbox.gateway_url)
    assert (await client.fetch_user(guild.owner.id)).id == guild.owner.id


async def test_requests_are_slowed_down_with_429_and_go_through_in_the_end(sandbox, guild, start):
    client = await start()
    sandbox.rate_limit(2, retry_after=0.01, path_prefix="/users/")
    await client.fetch_user(guild.owner.id)
    assert [each.status for each in sandbox.requests if each.path.startswith("/users/1")] == [429, 429, 200]


async def test_the_limit_on_messages_per_channel_bites_when_it_is_switched_on(bot, sandbox, guild):
    sandbox.limit_channel_messages(2, 60)
    path = f"/channels/{guild.channel('general').id}/messages"
    told = [await bot.call("POST", path, {"content": "x"}) for _ in range(3)]
    assert [status for status, _ in told] == [200, 200, 429]
    assert 0 < told[2][1]["retry_after"] <= 60
    sandbox.limit_channel_messages(None)
    assert (await bot.call("POST", path, {"content": "x"}))[0] == 200


async def test_what_is_not_imitated_answers_404_and_is_recorded(bot, sandbox):
    status, body = await bot.call("GET", "/stickers/1")
    assert (status, body) == (404, {"message": "404: Not Found", "code": 0})
    assert sandbox.unknown_requests == ["GET /api/v10/stickers/1"]


async def test_a_wrong_token_is_unauthorized(bot):
    status, body = await bot.call("GET", "/users/@me", token="wrong")
    assert (status, body) == (401, {"message": "401: Unauthorized", "code": 0})


async def test_ids_are_the_same_in_every_run():
    first, second = Sandbox(), Sandbox()
    assert first.application_id == second.application_id
    assert first.add_guild("A").id == second.add_guild("A").id


async def test_a_sandbox_stops_with_a_client_still_connected(start, sandbox):
    await start()
    await asyncio.wait_for(sandbox.stop(), 5)


async def test_a_session_that_is_unknown_or_too_far_behind_cannot_be_resumed(bot, sandbox, guild):
    await bot.connect()
    session = sandbox.hub.gateway.live[0]
    for _ in range(session.history.maxlen + 1):
        guild.come_back()
    for session_id, sequence in ((session.id, 0), (session.id, session.sequence + 1), ("unknown", 0)):
        async with bot.session.ws_connect(f"{sandbox.gateway_url}?v=10&encoding=json") as socket:
            await socket.receive_json()
            resume = {"token": sandbox.token, "session_id": session_id, "seq": sequence}
            await socket.send_json({"op": 6, "d": resume})
            assert (await socket.receive_json()) == {"op": 9, "d": False}


async def test_a_bot_hears_nothing_from_a_channel_it_does_not_see(bot, guild):
    await bot.connect(intents=int(Intent.GUILD_MESSAGES))
    hidden = guild.add_channel("hidden")
    hidden.set_permissions(guild.bot_role, deny=("view_channel",))
    guild.owner.at(hidden).say("unheard")
    guild.owner.say("heard")
    assert (await bot.hear("MESSAGE_CREATE"))["channel_id"] == str(guild.channel("general").id)


async def test_after_an_outage_the_bot_comes_back_and_works(sandbox, guild, start):
    client = await start()
    sandbox.outage().start()
    await sandbox.wait_for_no_bot()
    sandbox.outage().stop()
    await sandbox.wait_for_bot()
    guild.add_role("After")
    await sandbox.wait_until(lambda: [role for role in client.get_guild(guild.id).roles if role.name == "After"])
