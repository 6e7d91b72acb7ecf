"""Registering commands: each of Discord's rules for definitions bites; and who is offered a command."""

import pytest

from sandbox import DriverError

PING = {"name": "ping", "description": "Ping"}


def option(**settings):
    return {"name": "a", "description": "A", "type": 3, **settings}


def command(*options, **settings):
    return {**PING, "options": list(options), **settings}


CHOICE = {"name": "One", "value": "1"}
BAD = [
    ({**PING, "name": "Ping"}, "name"),
    ({**PING, "name": "pi ng"}, "name"),
    ({**PING, "name": "p" * 33}, "name"),
    ({**PING, "name": ""}, "name"),
    ({"name": "ping"}, "description"),
    ({**PING, "description": "d" * 101}, "description"),
    ({**PING, "name_localizations": {"xx": "ping"}}, "name_localizations"),
    ({**PING, "name_localizations": {"de": "Ping"}}, "name_localizations"),
    ({**PING, "type": 9}, "type"),
    ({"name": "Menu", "type": 2, "description": "no"}, "description"),
    ({**PING, "default_member_permissions": "x"}, "default_member_permissions"),
    ({**PING, "contexts": [5]}, "contexts"),
    (command(*[option(name=f"o{n}") for n in range(26)]), "options"),
    (command(option(name="Upper")), "options"),
    (command(option(description="")), "options"),
    (command(option(type=99)), "options"),
    (command(option(), option()), "options"),
    (command(option(), option(name="b", required=True)), "options"),
    (command(option(), option(name="sub", type=1)), "options"),
    (command(option(type=1, options=[option(type=1)])), "options"),
    (command(option(type=2, options=[option()])), "options"),
    (command(option(choices=[{"name": str(n), "value": str(n)} for n in range(26)])), "options"),
    (command(option(choices=[{"name": "n" * 101, "value": "v"}])), "options"),
    (command(option(choices=[{"name": "n", "value": 1}])), "options"),
    (command(option(type=4, choices=[CHOICE])), "options"),
    (command(option(choices=[CHOICE, CHOICE])), "options"),
    (command(option(choices=[CHOICE], autocomplete=True)), "options"),
    (command(option(type=5, autocomplete=True)), "options"),
    (command(option(min_value=1)), "options"),
    (command(option(type=4, max_length=3)), "options"),
    (command(option(max_length=6001)), "options"),
]


@pytest.mark.parametrize(("definition", "place"), BAD)
async def test_a_definition_against_discords_rules_is_refused_at_its_place(bot, guild, definition, place):
    status, body = await bot.register(definition, guild=guild)
    assert (status, body["code"]) == (400, 50035)
    assert place in body["errors"]["0"]


async def test_a_command_of_more_than_8000_characters_is_refused(bot):
    choices = [{"name": f"{n:0100}", "value": f"{n:0100}"} for n in range(25)]
    status, body = await bot.register(command(option(choices=choices), option(name="b", choices=choices)))
    assert status == 400
    assert body["errors"]["0"]["_errors"][0]["code"] == "APPLICATION_COMMAND_TOO_LARGE"


async def test_a_hundred_and_one_commands_are_too_many(bot):
    status, body = await bot.register(*[{**PING, "name": f"c{n}"} for n in range(101)])
    assert (status, body["code"]) == (400, 30032)


async def test_two_commands_of_one_name_cannot_be_registered_together(bot):
    assert (await bot.register(PING, PING))[0] == 400


async def test_names_in_other_scripts_are_names(bot):
    names = ["größe", "ลิขสิทธิ์", "लाइसेंस", "许可", "it's-ok_1"]
    assert (await bot.register(*[{**PING, "name": name} for name in names]))[0] == 200


async def test_a_command_that_stays_keeps_its_id_and_one_that_changes_gets_a_new_version(bot, sandbox):
    _, before = await bot.register(PING, {**PING, "name": "gone"})
    _, same = await bot.register(PING)
    assert same[0] == {**before[0]}
    _, changed = await bot.register({**PING, "description": "Changed"})
    assert changed[0]["id"] == before[0]["id"]
    assert changed[0]["version"] != before[0]["version"]
    assert [each["name"] for each in sandbox.commands()] == ["ping"]


async def test_single_commands_can_be_created_read_edited_and_deleted(bot, sandbox, guild):
    base = f"/applications/{sandbox.application_id}/guilds/{guild.id}/commands"
    status, made = await bot.call("POST", base, PING)
    assert status == 201
    assert (await bot.call("POST", base, PING))[0] == 200
    assert (await bot.call("GET", f"{base}/{made['id']}"))[1]["guild_id"] == str(guild.id)
    assert (await bot.call("PATCH", f"{base}/{made['id']}", {"description": "New"}))[1]["description"] == "New"
    assert (await bot.call("PATCH", f"{base}/{made['id']}", {"name": "NO"}))[0] == 400
    assert (await bot.call("DELETE", f"{base}/{made['id']}"))[0] == 204
    assert (await bot.call("GET", f"{base}/{made['id']}"))[1]["code"] == 10063


async def test_another_applications_commands_are_not_the_bots_to_change(bot):
    assert (await bot.call("PUT", "/applications/1/commands", []))[0] == 403


async def test_default_permissions_hide_a_command_from_whoever_lacks_one_of_them(bot, guild):
    await bot.register({**PING, "default_member_permissions": str((1 << 13) | (1 << 28))})
    mod, half = guild.add_role("Mod", permissions=("manage_messages", "manage_roles")), guild.add_role("Half")
    guild.set_permissions(half, ("manage_messages",))
    admin = guild.add_member("Ada", roles=[guild.add_role("Admin", permissions=("administrator",))])
    assert guild.add_member("Bob").commands == []
    assert guild.add_member("Hal", roles=[half]).commands == []
    assert guild.add_member("Mo", roles=[mod]).commands == ["ping"]
    assert admin.commands == guild.owner.commands == ["ping"]


async def test_default_permissions_of_zero_leave_a_command_to_administrators(bot, guild):
    await bot.register({**PING, "default_member_permissions": "0"})
    mod = guild.add_member("Mo", roles=[guild.add_role("Mod", permissions=("manage_guild",))])
    assert mod.commands == []
    assert guild.owner.commands == ["ping"]


async def test_a_hidden_command_can_neither_be_run_nor_completed(bot, guild):
    await bot.connect()
    await bot.register({**command(option(autocomplete=True)), "default_member_permissions": "0"})
    bob = guild.add_member("Bob")
    with pytest.raises(DriverError, match="sees no command"):
        await bob.slash("ping")
    with pytest.raises(DriverError, match="sees no command"):
        await bob.complete("ping", "a")


async def test_an_administrators_integration_settings_overrule_the_defaults(bot, sandbox, guild):
    await bot.register({**PING, "default_member_permissions": "0"})
    support, bob = guild.add_role("Support"), guild.add_member("Bob")
    sue = guild.add_member("Sue", roles=[support])
    guild.allow_command("ping", support, allowed=True)
    assert sue.commands == ["ping"]
    guild.allow_command("ping", sue, allowed=False)
    guild.allow_command(None, bob, allowed=True)
    assert (sue.commands, bob.commands) == ([], ["ping"])
    path = f"/applications/{sandbox.application_id}/guilds/{guild.id}/commands"
    _, listed = await bot.call("GET", f"{path}/permissions")
    assert {len(each["permissions"]) for each in listed} == {2, 1}
    assert (await bot.call("GET", f"{path}/{sandbox.commands()[0]['id']}/permissions"))[0] == 200
    assert (await bot.call("GET", f"{path}/1/permissions"))[1]["code"] == 10066


async def test_contexts_decide_whether_a_command_shows_in_direct_messages(bot, guild):
    everywhere, here = {**PING, "name": "both"}, {**PING, "name": "here", "contexts": [0]}
    there, old = {**PING, "name": "there", "contexts": [1]}, {**PING, "name": "old", "dm_permission": False}
    await bot.register(everywhere, here, there, old)
    bob = guild.add_member("Bob")
    assert bob.commands == ["both", "here", "old"]
    assert bob.in_dm.commands == ["both", "there"]
    bob.leave()
    assert bob.in_dm.commands == []


async def test_a_guilds_command_shows_in_that_guild_alone(bot, sandbox, guild):
    await bot.register(PING, guild=guild)
    other = sandbox.add_guild("Other")
    assert guild.owner.commands == ["ping"]
    assert other.owner.commands == []


async def test_nothing_is_offered_where_the_bot_is_not_or_the_channel_forbids_commands(bot, guild):
    await bot.register(PING)
    bob = guild.add_member("Bob")
    guild.channel("general").set_permissions(guild.everyone, deny=("use_application_commands",))
    assert bob.commands == []
    guild.remove_bot()
    assert guild.owner.commands == []


TYPED = [
    ({}, "required"),
    ({"text": "ab"}, "3 to 5"),
    ({"text": "abcdef"}, "3 to 5"),
    ({"text": "abc", "count": 11}, "from 1 to 10"),
    ({"text": "abc", "count": "many"}, "takes a number"),
    ({"text": "abc", "kind": "third"}, "no choice"),
    ({"text": "abc", "sure": "yes"}, "True or False"),
    ({"text": "abc", "who": "Bob"}, "somebody"),
    ({"text": "abc", "file": "x"}, "takes a file"),
    ({"text": "abc", "nonsense": 1}, "no option"),
]


@pytest.mark.parametrize(("given", "words"), TYPED)
async def test_the_client_refuses_options_that_do_not_fit_their_definition(bot, guild, given, words):
    await bot.register(
        command(
            option(name="text", required=True, min_length=3, max_length=5),
            option(name="count", type=4, min_value=1, max_value=10),
            option(name="kind", choices=[CHOICE]),
            option(name="sure", type=5),
            option(name="who", type=6),
            option(name="file", type=11),
        )
    )
    with pytest.raises(DriverError, match=words):
        await guild.owner.slash("ping", **given)


async def test_a_path_must_lead_to_the_end(bot, guild):
    await bot.register(command(option(name="sub", type=1)))
    for path in ("ping", "ping other", "pong"):
        with pytest.raises(DriverError):
            await guild.owner.slash(path)
