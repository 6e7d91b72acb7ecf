"""The documentation is held to the code: settings, statuses, permissions, sentences, examples, links."""

import ast
import json
import re
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import discord
import pytest
from docs_pages import PAGES, ROOT, code_spans, every_page, fences, rows, section, text_of
from factories import make_customer, make_license, make_product

from bot.api.answers import answer_body, details_fields, explanation
from bot.api.schemas import ValidateRequest
from bot.config import Config
from bot.config_sources import PASSPHRASE, known_paths, variable_name
from i18n.refusals import SENTENCES, STORE_SENTENCES, sentence
from licensing.choices import Permission
from licensing.models import LicenseView, SealedKey
from licensing.ports import Unavailable
from licensing.services.answers import Answer, Details
from licensing.verdict import Status, Verdict

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
