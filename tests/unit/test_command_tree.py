"""The whole command tree, walked: what every command owes to the people who see it."""

from collections.abc import Iterator

import discord
import pytest
from discord import app_commands

from bot.client import KeyPortClient, build_client
from i18n import gettext, languages, using_locale

STAFF = {"Licenses", "approvals", "blacklist", "bulk", "license", "product", "staff"}
MEMBERS = {"claim", "licenses", "why"}
TRANSFERS = {"transfer request", "transfer list", "transfer cancel"}
NAMES_SOMETHING = {"entry", "key_name", "license", "product", "permissions"}
NAMES_A_VERSION = {"product version set version", "product version remove version"}


class Nothing:
    """Stands where a service would: building the tree asks none."""

    def __getattr__(self, _name: str) -> "Nothing":
        return self


def client(*, members_intent: bool = True) -> KeyPortClient:
    return build_client(Nothing(), Nothing(), members_intent=members_intent, public_api_url="")


@pytest.fixture
async def bot() -> KeyPortClient:
    built = client()
    await built.add_cogs()
    return built


def leaves(bot: KeyPortClient) -> Iterator[app_commands.Command]:
    for command in bot.tree.walk_commands():
        if isinstance(command, app_commands.Command):
            yield command


def top(command: app_commands.Command) -> app_commands.Command | app_commands.Group:
    return command.root_parent or command


async def test_the_commands_are_those_that_the_docs_name(bot: KeyPortClient):
    assert {command.qualified_name for command in leaves(bot)} == {
        *("product create", "product list", "product view", "product settings", "product rotate-key"),
        *("product archive", "product unarchive", "product disable", "product enable"),
        *("product key add", "product key list", "product key remove", "product signing"),
        *("license issue", "license view", "license find", "license check", "license revoke"),
        *("product version set", "product version list", "product version remove", "product response"),
        *("license edit", "license extend", "license suspend", "license reinstate", "license reset-ips"),
        "license response",
        *("bulk revoke", "bulk suspend", "bulk reinstate"),
        "approvals",
        *("blacklist add", "blacklist remove", "blacklist list"),
        *("staff grant", "staff revoke", "staff list"),
        *MEMBERS,
        *TRANSFERS,
    }


async def test_staff_commands_are_hidden_by_manage_messages_and_members_are_not(bot: KeyPortClient):
    by_name = {command.name: command for command in bot.tree.get_commands()}

    assert {name for name, each in by_name.items() if each.default_permissions is not None} == STAFF
    assert all(by_name[name].default_permissions == discord.Permissions(manage_messages=True) for name in STAFF)


async def test_no_command_is_offered_outside_a_server(bot: KeyPortClient):
    for command in bot.tree.get_commands():
        sent = command.to_dict(bot.tree)
        assert sent["contexts"] == [0], command.name
        assert sent["integration_types"] == [0], command.name


async def test_everything_is_described_and_every_option_that_names_something_completes(bot: KeyPortClient):
    for command in leaves(bot):
        for parameter in command.parameters:
            assert str(parameter.description) not in ("", "…"), (command.qualified_name, parameter.name)
            where = f"{command.qualified_name} {parameter.name}"
            names = parameter.name in NAMES_SOMETHING or where in NAMES_A_VERSION
            assert parameter.autocomplete is names, (command.qualified_name, parameter.name)
        assert str(command.description) not in ("", "…"), command.qualified_name


async def test_every_text_option_is_bounded(bot: KeyPortClient):
    for command in leaves(bot):
        for parameter in command.parameters:
            if parameter.type is discord.AppCommandOptionType.string and not parameter.choices:
                assert parameter.max_value is not None, (command.qualified_name, parameter.name)


async def test_the_bot_asks_for_no_more_than_it_needs():
    with_members, without = client(), client(members_intent=False)

    assert dict(without.intents) == dict(discord.Intents(guilds=True))
    assert dict(with_members.intents) == dict(discord.Intents(guilds=True, members=True))
    assert without.allowed_mentions.to_dict() == {"parse": []}


def described(bot: KeyPortClient) -> Iterator[str]:
    for command in bot.tree.walk_commands():
        yield str(command.description)
        for parameter in getattr(command, "parameters", ()):
            yield str(parameter.description)


async def test_every_description_fits_discord_in_every_language(bot: KeyPortClient):
    texts = list(described(bot))

    assert len(texts) > 30
    for language in ("en", *sorted(languages())):
        with using_locale(language):
            assert [text for text in texts if not 1 <= len(gettext(text)) <= 100] == [], language
