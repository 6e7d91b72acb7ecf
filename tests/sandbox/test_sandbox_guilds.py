"""Guilds, roles, members, channels and direct messages: what the bot may do there and what it hears."""

import discord
import pytest

from sandbox import Permission


def role_path(guild, member, role):
    return f"/guilds/{guild.id}/members/{member.id}/roles/{role.id}"


async def test_a_role_below_the_bots_own_is_given_and_taken(bot, guild):
    bob, role = guild.add_member("Bob"), guild.add_role("Buyer")
    assert (await bot.call("PUT", role_path(guild, bob, role)))[0] == 204
    assert (await bot.call("PUT", role_path(guild, bob, role)))[0] == 204
    assert bob.role_names == ["Buyer"]
    assert (await bot.call("DELETE", role_path(guild, bob, role)))[0] == 204
    assert bob.roles == []


async def test_roles_above_managed_or_without_the_permission_are_not_the_bots_to_give(bot, guild):
    bob, role = guild.add_member("Bob"), guild.add_role("Buyer")
    above, managed = guild.add_role("Boss", above_bot=True), guild.add_managed_role("Booster")
    for each in (above, managed, guild.bot_role):
        assert (await bot.call("PUT", role_path(guild, bob, each)))[1]["code"] == 50013
        assert (await bot.call("DELETE", role_path(guild, bob, each)))[1]["code"] == 50013
    guild.set_permissions(guild.bot_role, ("view_channel",))
    assert (await bot.call("PUT", role_path(guild, bob, role)))[1]["code"] == 50013
    assert bob.roles == []


async def test_a_role_moved_above_the_bot_is_out_of_its_reach(bot, guild):
    bob, role = guild.add_member("Bob"), guild.add_role("Buyer")
    guild.move_role(role, guild.bot_role.position)
    assert (await bot.call("PUT", role_path(guild, bob, role)))[1]["code"] == 50013


async def test_unknown_things_are_named_by_their_codes(bot, guild, sandbox):
    bob, role, stranger = guild.add_member("Bob"), guild.add_role("Buyer"), sandbox.add_user("Stranger")
    gone = guild.add_channel("gone")
    gone.delete()
    base = f"/guilds/{guild.id}/members"
    for path, code in (
        (f"/guilds/1/members/{bob.id}", 10004),
        (f"{base}/{stranger.id}", 10007),
        (f"{base}/1", 10013),
        ("/users/1", 10013),
        (f"/channels/{gone.id}", 10003),
        (f"/channels/{guild.channel('general').id}/messages/1", 10008),
    ):
        assert (await bot.call("GET", path))[1]["code"] == code, path
    assert (await bot.call("PUT", f"{base}/{bob.id}/roles/1"))[1]["code"] == 10011
    assert (await bot.call("PUT", role_path(guild, bob, guild.everyone)))[1]["code"] == 50028
    guild.remove_role(role)
    assert (await bot.call("PUT", role_path(guild, bob, role)))[1]["code"] == 10011
    status, body = await bot.call("GET", "/channels/abc")
    assert (status, body["code"]) == (400, 50035)


async def test_a_guild_without_the_bot_is_closed_to_it(bot, guild):
    guild.remove_bot()
    assert (await bot.call("GET", f"/guilds/{guild.id}"))[1]["code"] == 50001
    assert (await bot.call("GET", f"/channels/{guild.channel('general').id}"))[1]["code"] == 50001
    assert (await bot.call("GET", "/users/@me/guilds"))[1] == []


async def test_the_bot_leaves(bot, guild):
    assert (await bot.call("DELETE", f"/users/@me/guilds/{guild.id}"))[0] == 204
    assert not guild.bot_present


async def test_a_channel_takes_the_bots_messages_only_as_its_permissions_say(bot, guild):
    channel = guild.channel("general")
    path, words = f"/channels/{channel.id}/messages", {"content": "x"}
    everything = {"content": "x", "embeds": [{"title": "T"}]}
    channel.set_permissions(guild.bot_role, deny=("embed_links",))
    assert (await bot.call("POST", path, words))[0] == 200
    assert (await bot.call("POST", path, everything))[1]["code"] == 50013
    channel.set_permissions(guild.bot_role, deny=("send_messages",))
    assert (await bot.call("POST", path, words))[1]["code"] == 50013
    channel.set_permissions(guild.bot_role, deny=("view_channel",))
    assert (await bot.call("POST", path, words))[1]["code"] == 50001
    guild.set_permissions(guild.bot_role, ("administrator",))
    assert (await bot.call("POST", path, everything))[0] == 200


async def test_overwrites_of_everyone_of_roles_and_of_a_member_apply_in_this_order(guild):
    hidden, role = guild.add_channel("staff"), guild.add_role("Staff")
    sue, bob = guild.add_member("Sue", roles=["Staff"]), guild.add_member("Bob")
    hidden.set_permissions(guild.everyone, deny=("view_channel",))
    assert not sue.can_see(hidden)
    hidden.set_permissions(role, allow=("view_channel",))
    assert (sue.can_see(hidden), bob.can_see(hidden)) == (True, False)
    hidden.set_permissions(sue, deny=("view_channel",))
    assert (sue.can_see(hidden), guild.owner.can_see(hidden)) == (False, True)
    assert not sue.permissions & Permission.MANAGE_ROLES


async def test_others_messages_are_not_the_bots_to_edit_nor_without_permission_to_delete(bot, guild):
    said = guild.add_member("Bob").say("hello")
    path = f"/channels/{guild.channel('general').id}/messages/{said.message.id}"
    assert (await bot.call("PATCH", path, {"content": "x"}))[1]["code"] == 50005
    assert (await bot.call("DELETE", path))[1]["code"] == 50013
    guild.set_permissions(guild.bot_role, ("view_channel", "manage_messages"))
    assert (await bot.call("DELETE", path))[0] == 204
    assert guild.channel("general").messages == []


async def test_direct_messages_arrive_unless_they_are_closed_or_no_guild_is_shared(bot, guild):
    bob = guild.add_member("Bob")
    _, channel = await bot.call("POST", "/users/@me/channels", {"recipient_id": str(bob.id)})
    path = f"/channels/{channel['id']}/messages"
    assert (await bot.call("POST", path, {"content": "hi"}))[0] == 200
    bob.close_dms()
    status, body = await bot.call("POST", path, {"content": "closed"})
    assert (status, body["code"]) == (403, 50007)
    bob.open_dms()
    assert (await bot.call("POST", path, {"content": "open"}))[0] == 200
    bob.leave()
    assert (await bot.call("POST", path, {"content": "gone"}))[1]["code"] == 50007
    assert [each.text for each in bob.dms] == ["hi", "open"]
    assert (await bot.call("POST", "/users/@me/channels", {"recipient_id": "1"}))[1]["code"] == 10013


async def test_the_member_list_needs_the_privileged_intent(bot, guild, sandbox):
    bob = guild.add_member("Bob")
    base = f"/guilds/{guild.id}/members"
    assert len((await bot.call("GET", f"{base}?limit=10"))[1]) == 3
    assert [each["user"]["id"] for each in (await bot.call("GET", f"{base}/search?query=bo"))[1]] == [str(bob.id)]
    sandbox.privileged_intents = 0
    assert (await bot.call("GET", f"{base}?limit=10"))[1]["code"] == 50001
    assert (await bot.call("GET", f"{base}/{bob.id}"))[0] == 200


async def test_bans_are_read_with_the_permission_for_them(bot, guild):
    bob = guild.add_member("Bob")
    bob.ban(reason="fraud")
    path = f"/guilds/{guild.id}/bans"
    assert (await bot.call("GET", path))[1]["code"] == 50013
    guild.set_permissions(guild.bot_role, ("ban_members",))
    assert (await bot.call("GET", path))[1][0]["reason"] == "fraud"
    assert (await bot.call("GET", f"{path}/{guild.owner.id}"))[1]["code"] == 10026


async def test_a_client_hears_who_comes_goes_and_changes(sandbox, guild, start):
    client = await start()
    bob, role = guild.add_member("Bob"), guild.add_role("Buyer")
    bob.add_role(role)
    await sandbox.wait_until(lambda: "GUILD_MEMBER_UPDATE" in client.events)
    assert [each.name for each in client.get_guild(guild.id).get_member(bob.id).roles] == ["@everyone", "Buyer"]
    bob.leave()
    bob.rejoin()
    assert bob.roles == []
    bob.ban()
    bob.unban()
    await sandbox.wait_until(lambda: "GUILD_BAN_REMOVE" in client.events)
    assert client.events.count("GUILD_MEMBER_REMOVE") == 2
    assert client.events.count("GUILD_MEMBER_ADD") == 2


async def test_a_client_is_told_of_a_new_guild_of_its_removal_and_of_a_guild_that_falls_out(sandbox, start):
    client = await start()
    guild = sandbox.add_guild("New")
    await sandbox.wait_until(lambda: "GUILD_CREATE" in client.events)
    guild.fall_out()
    guild.come_back()
    guild.remove_bot()
    await sandbox.wait_until(lambda: client.events.count("GUILD_DELETE") == 2)
    assert client.get_guild(guild.id) is None
    guild.add_bot()
    await sandbox.wait_until(lambda: client.get_guild(guild.id) is not None)


async def test_a_client_that_connects_while_a_guild_is_away_knows_of_the_guild_and_no_more(sandbox, guild, start):
    guild.fall_out()
    client = await start()
    seen = client.get_guild(guild.id)
    assert (seen.unavailable, seen.name) == (True, "")
    guild.come_back()
    await sandbox.wait_until(lambda: client.get_guild(guild.id).name == guild.name)


async def test_roles_and_nicknames_change_through_a_client(guild, start):
    client = await start()
    bob, role = guild.add_member("Bob"), guild.add_role("Buyer")
    guild.set_permissions(guild.bot_role, ("manage_roles", "manage_nicknames"))
    member = await client.get_guild(guild.id).fetch_member(bob.id)
    await member.add_roles(role, reason="claimed")
    await member.edit(nick="Bobby", roles=[])
    assert (bob.record.nick, bob.roles) == ("Bobby", [])
    with pytest.raises(discord.Forbidden):
        await (await client.get_guild(guild.id).fetch_member(guild.owner.id)).edit(nick="x")


async def test_the_reason_for_the_audit_log_is_recorded(sandbox, guild, start):
    client = await start()
    bob, role = guild.add_member("Bob"), guild.add_role("Buyer")
    member = await client.get_guild(guild.id).fetch_member(bob.id)
    await member.add_roles(discord.Object(role.id), reason="claimed: ABCD")
    assert sandbox.requests[-1].reason == "claimed: ABCD"
    assert (sandbox.requests[-1].method, sandbox.requests[-1].status) == ("PUT", 204)
