"""Every command, in Discord and of the command line, is documented with its options, and none is invented."""

import importlib
import pkgutil
import re
from functools import cache

import pytest
import typer
from discord import app_commands
from discord.ext import commands
from docs_pages import code_spans, every_page, rows, section, text_of

import cogs
from bot.commands.line import build
from licensing.choices import Permission

PATHS_OF_THE_API = {"healthz", "readyz", "metrics", "openapi.json", "docs"}


@cache
def slash_commands() -> dict[str, app_commands.Command]:
    """Return every command that the cogs define, by its full name, found as the cogs' classes keep them."""
    found = {}
    for module in pkgutil.walk_packages(cogs.__path__, "cogs."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, commands.Cog) and value.__module__ == module.name:
                found |= commands_of(value)
    return found


def commands_of(cog: type[commands.Cog]) -> dict[str, app_commands.Command]:
    prefix = f"{cog.__cog_group_name__} " if issubclass(cog, commands.GroupCog) else ""
    flat = []
    for item in cog.__cog_app_commands__:
        flat += item.walk_commands() if isinstance(item, app_commands.Group) else [item]
    return {prefix + command.qualified_name: command for command in flat if isinstance(command, app_commands.Command)}


def documented_commands() -> dict[str, str]:
    """Return the section of each command's heading in the two pages about Discord."""
    found = {}
    for name in ("docs/staff.md", "docs/members.md"):
        for title in re.findall(r"^#+ (`/[^`]+`)$", text_of(name), re.MULTILINE):
            found[title.strip("`/")] = section(name, title)
    return found


def test_every_slash_command_has_its_section_and_none_is_invented():
    assert documented_commands().keys() == slash_commands().keys()


@pytest.mark.parametrize("name", sorted(slash_commands()))
def test_every_option_of_a_command_stands_in_its_table(name):
    documented = [row[0] for row in rows(documented_commands()[name])]
    assert documented == [option.name for option in slash_commands()[name].parameters]


@every_page
def test_a_page_names_no_command_that_does_not_exist(page):
    known = slash_commands().keys() | {name.split()[0] for name in slash_commands()} | PATHS_OF_THE_API
    spans = code_spans(page.read_text("utf-8"))
    named = {found[1] for span in spans if (found := re.fullmatch(r"/([a-z-]+(?: [a-z-]+)?)( [a-z_]+:.*)?", span))}
    assert named <= known


@every_page
def test_an_example_of_a_command_uses_options_that_it_has(page):
    codes = {permission.partition(":")[0] for permission in Permission}  # their colon is no option's
    for span in code_spans(page.read_text("utf-8")):
        found = re.match(r"/([a-z-]+(?: [a-z-]+)?) [a-z_]+:", span)
        if found:
            options = {option.name for option in slash_commands()[found[1]].parameters}
            assert set(re.findall(r"\b([a-z_]+):(?=\S)", span)) - codes <= options, span


def test_the_commands_that_the_readme_names_exist():
    told = re.findall(r"(?:<br>|, |answer to )/([a-z-]+(?: [a-z-]+)?)", text_of("README.md"))
    assert told
    assert set(told) <= slash_commands().keys()


def test_every_command_of_the_command_line_stands_with_its_options_and_none_is_invented():
    known = console_commands()
    documented = {" ".join(re.findall(r"\b[a-z-]+", row[0])[1:]): row for row in console_rows()}
    assert documented.keys() == known.keys()
    for name, row in documented.items():
        options = {longest(option) for option in known[name].params if option.param_type_name == "option"}
        assert set(re.findall(r"--[a-z-]+", row[1])) == options - {"--config"}, name


def console_rows() -> list[list[str]]:
    return [
        *rows(section("docs/operators.md", "Commands")),
        *rows(section("docs/operators.md", "Without Discord")),
        *rows(section("docs/operators.md", "Servers, plans and blocked addresses")),
    ]


def console_commands(group=None, prefix: str = "") -> dict[str, typer.core.TyperCommand]:
    """Return every command of the command line by its full name, those of its groups among them."""
    found = {}
    for name, command in (group or typer.main.get_command(build())).commands.items():
        inner = hasattr(command, "commands")
        found |= console_commands(command, f"{name} ") if inner else {prefix + name: command}
    return found


def longest(option) -> str:
    return max(option.opts, key=len)


@every_page
def test_a_page_calls_only_commands_that_keyport_has(page):
    text = page.read_text("utf-8")
    calls = re.findall(r"(?:`|^|/|&& )keyport ([a-z-]+)", text, re.MULTILINE)
    assert set(calls) <= typer.main.get_command(build()).commands.keys()
