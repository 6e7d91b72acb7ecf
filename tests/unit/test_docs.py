"""The documentation is held to the code: commands, options, settings, statuses, permissions, sentences, links."""

import ast
import importlib
import json
import pkgutil
import re
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import discord
import pytest
import typer
from discord import app_commands
from discord.ext import commands
from factories import make_customer, make_license, make_product

import cogs
from bot.api.answers import answer_body, details_fields, explanation
from bot.api.schemas import ValidateRequest
from bot.commands.line import build
from bot.config import Config
from bot.config_sources import PASSPHRASE, known_paths, variable_name
from i18n.refusals import SENTENCES, STORE_SENTENCES, sentence
from licensing.choices import Permission
from licensing.models import LicenseView, SealedKey
from licensing.ports import Unavailable
from licensing.services.answers import Answer, Details
from licensing.verdict import Status, Verdict

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
HOSTS_WE_MEAN = {
    "127.0.0.1:8080",
    "discord.com",
    "docs.keyport.sbs",
    "keepachangelog.com",
    "mutmut.readthedocs.io",
    "schemathesis.readthedocs.io",
    "license.example.com",  # of nobody: a name that stands for the reader's own
    "semver.org",
}
PATHS_OF_THE_API = {"healthz", "readyz", "metrics", "openapi.json", "docs"}

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def section(name: str, title: str) -> str:
    """Return what stands under a heading, up to the next of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}$\n(.*?)(?=^#{{1,6}} |\Z)", text_of(name), re.MULTILINE | re.DOTALL)
    assert found, f"{name} has no section {title}"
    return found[2]


def rows(text: str) -> list[list[str]]:
    """Return the cells of a table's body, without the backticks around a whole cell."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [[re.sub(r"^`([^`]*)`$", r"\1", cell) for cell in row] for row in cells if not row[0].startswith("---")][
        1:
    ]


def fences(text: str, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)


def code_spans(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


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


def shown_default(name: str) -> str:
    defaults = dict(line.split(" = ", 1) for line in Config().describe() if " = " in line)
    value = defaults[name.replace("NAME", "default")].strip('"')
    return "empty" if value in {"", "not set"} else value


def slug(heading: str) -> str:
    """Return the anchor that a heading gets where the pages are shown."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)}


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


def test_every_permission_stands_in_the_staff_page_and_none_is_invented():
    assert [row[0] for row in rows(section("docs/staff.md", "Who may do what"))] == list(Permission)
    named = {span for span in code_spans(text_of("docs/staff.md")) if re.fullmatch(r"[a-z]+:[a-z_]+", span)}
    assert named == set(Permission)


@pytest.mark.parametrize("name", ["docs/staff.md", "docs/members.md"])
def test_every_sentence_quoted_as_a_refusal_is_one_that_people_are_told(name):
    templates = [*SENTENCES.values(), *STORE_SENTENCES.values(), str(sentence(Unavailable()))]
    patterns = [re.sub(r"\\{\w+\\}", ".+", re.escape(template)) for template in templates]
    quoted = re.findall(r"^> (.+)$", text_of(name), re.MULTILINE)
    assert quoted
    assert [line for line in quoted if not any(re.fullmatch(pattern, line) for pattern in patterns)] == []


def test_every_setting_stands_with_its_variable_and_default_and_none_is_invented():
    paths = list(known_paths(Config, entry="NAME"))
    expected = {".".join(path): (variable_name(path), shown_default(".".join(path))) for path in paths}
    documented = rows(section("docs/operators.md", "Settings"))
    assert {row[0]: (row[1], row[2]) for row in documented} == expected


@every_page
def test_a_page_names_no_variable_that_is_not_read(page):
    known = {variable_name(path) for path in known_paths(Config, entry="NAME")} | {PASSPHRASE}
    named = set(re.findall(r"KEYPORT_[A-Z0-9_]*[A-Z0-9]", page.read_text("utf-8")))
    assert named - {"KEYPORT_SECTION__KEY"} <= known


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


def test_every_status_stands_in_the_integrators_page_and_none_is_invented():
    documented = [row[0] for row in rows(section("docs/integrators.md", "Statuses"))]
    assert sorted(documented) == sorted(Status)
    refusals = rows(section("docs/integrators.md", "Errors"))
    assert {row[1] for row in refusals} <= set(Status)


def test_every_refusing_status_has_its_place_in_the_order_of_checks():
    order = code_spans(section("docs/integrators.md", "The order of checks"))
    assert set(Status) - set(order) <= {Status.ACTIVE, Status.UNAVAILABLE}


def test_the_fields_of_request_and_answer_stand_in_their_order():
    request, answer = rows(section("docs/integrators.md", "Validate")), []
    cut = next(at for at, row in enumerate(request) if row[0] == "field")
    request, answer = request[:cut], request[cut + 1 :]
    body = json.loads(answer_body(Answer(Verdict(Status.ACTIVE)), nonce="n"))
    assert [row[0] for row in request] == list(ValidateRequest.model_fields)
    assert [row[0] for row in answer] == list(body)


def test_the_example_answers_have_exactly_the_fields_that_are_answered():
    examples = [json.loads(fence) for fence in fences(text_of("docs/integrators.md"), "json")]
    verdict = list(json.loads(answer_body(Answer(Verdict(Status.ACTIVE)), nonce=None)))
    key = SealedKey(digest=b"", prefix="EMK2", key_id="", ciphertext=b"")
    view = LicenseView(license=make_license(), product=make_product(), customer=make_customer(), key=key)
    details = list(details_fields(Details(view, "EMK2-K8DU-4UA8-78YP", Status.ACTIVE)))
    answers = [example for example in examples if "ip_registered" in example]
    assert [list(example) for example in answers] == [verdict, [*verdict, "message", "support_code"]]
    assert answers[1]["message"] == explanation(answers[1]["status"])
    assert [list(example) for example in examples if "is_lifetime" in example] == [details]
    documented = " ".join(row[0] for row in rows(section("docs/integrators.md", "Look up a license")))
    assert sorted(re.findall(r"\w+", documented)) == sorted(details)


def test_the_invite_asks_for_exactly_the_scopes_and_permissions_that_the_page_names():
    page = text_of("docs/operators.md")
    query = parse_qs(urlsplit(re.search(r"https://discord\.com/oauth2/authorize\S+", page)[0]).query)
    assert query["scope"] == ["bot applications.commands"]
    assert "The scopes are exactly `bot applications.commands`" in page
    assert int(query["permissions"][0]) == discord.Permissions(manage_roles=True).value
    assert f"*Manage Roles*\n   (`{query['permissions'][0]}`)" in page


def test_the_readme_names_its_two_commands_and_every_make_target_named_exists():
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    assert re.findall(r"^make (\w+)", text_of("README.md"), re.MULTILINE) == ["run", "test"]
    for page in PAGES:
        text = page.read_text("utf-8")
        assert set(re.findall(r"(?:^|`)make ([a-z./]+)", text, re.MULTILINE)) <= targets, page


def test_the_newest_version_in_the_changelog_is_the_programs():
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    assert re.search(r"^## \[([^\]]+)\]", text_of("CHANGELOG.md"), re.MULTILINE)[1] == version


def test_every_decision_record_is_listed_and_numbered_without_a_gap():
    records = sorted(path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md"))
    assert re.findall(r"\]\((\d{4}-[^)]+)\)", text_of("docs/adr/README.md")) == records
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))


@every_page
def test_every_link_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if urlsplit(link).scheme:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@every_page
def test_every_piece_of_code_can_be_read_by_its_language(page):
    text = page.read_text("utf-8")
    for fence in fences(text, "json"):
        json.loads(fence)
    for fence in fences(text, "python"):
        ast.parse(fence)
    for fence in fences(text, "toml"):
        Config.model_validate(tomllib.loads(fence))


@every_page
def test_a_page_sends_nobody_to_a_host_that_we_do_not_mean(page):
    hosts = set(re.findall(r"https?://([^\s/;`\"')>]+)", page.read_text("utf-8")))
    assert hosts <= HOSTS_WE_MEAN
