"""The operator's hand: licenses issued, changed and exported without Discord, refused in one sentence."""

import asyncio
import csv
import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from operator_store import SETTINGS, ask_store, events
from storage_world import OWNER, opened

from cogs.export import table_of
from licensing.events import Action

ROOT = Path(__file__).parents[2]
KEY = re.compile(r"[2-9A-HJKMNP-Z]{4}(?:-[2-9A-HJKMNP-Z]{4}){3}")
BOB = 80351110224678912
SHOP, SECOND_SHOP = 1, 2


async def _founded(organizations: tuple[int, ...]) -> str:
    async with opened(SETTINGS, organizations=organizations) as world:
        await world.product("Editor")
        return (await world.issue("Editor", discord_id=BOB, holder_name="Bob")).key


@pytest.fixture
def key() -> str:
    """The key of license #1 of the product Editor, which Bob holds in the only server."""
    return asyncio.run(_founded((SHOP,)))


@pytest.fixture
def several_servers() -> None:
    asyncio.run(_founded((SHOP, SECOND_SHOP)))


def test_a_license_is_issued_and_only_its_key_goes_to_standard_output(key, done):
    out, err = done("license", "issue", "editor", "--member", str(BOB), "--expiry", "2099-01-01", "--max-ips", "3")
    assert KEY.fullmatch(out.strip())
    assert out.strip() != key
    assert "license #2 of Editor" in err
    assert out.strip() not in err
    view = ask_store(lambda world: world.licenses.view(OWNER, "#2"))
    assert (view.customer.discord_id, view.license.max_ips) == (BOB, 3)
    assert (events()[-1].action, events()[-1].actor_kind) == (Action.LICENSE_CREATED, "operator")


def test_a_thousand_licenses_would_be_issued_as_twenty_are_a_key_a_line(key, done):
    out, err = done("license", "issue", "Editor", "--count", "20", "--notes", "batch 7")
    assert len({*out.split(), key}) == 21
    assert "20 licenses of Editor were issued" in err


@pytest.mark.usefixtures("key")
def test_several_licenses_have_no_holder(refused):
    assert "leave --member and --email out" in refused(
        "license", "issue", "Editor", "--count", "2", "--member", str(BOB)
    )


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("issue", "Nope"), "There is no product 'Nope' here"),
        (("issue", "Editor", "--expiry", "1m"), "'1m' could mean minutes or months"),
        (("issue", "Editor", "--expiry", "2001-01-01"), "has passed already"),
        (("issue", "Editor", "--max-ips", "-1"), "must be between 0 and"),
        (("issue", "Editor", "--email", "nobody"), "is no email address"),
        (("issue", "Editor", "--member", "Bob"), "named by their Discord id"),
        (("issue", "Editor", "--member", "1" * 30), "named by their Discord id"),
        (("issue", "Editor", "--count", "1001"), "less than or equal to 1000"),
        (("suspend", "#99"), "No such license was found"),
        (("suspend", "99"), "No such license was found"),
        (("suspend", "ABCD-EFGH-JKMN-PQR8"), "No such license was found"),
        (("suspend", "1", "--reason", "x" * 1_001), "too long"),
        (("reinstate", "1"), "not suspended"),
        (("restore", "1"), "not revoked"),
        (("revoke", ""), "No such license was found"),
    ],
)
@pytest.mark.usefixtures("key")
def test_what_cannot_be_done_is_refused_in_one_sentence_and_changes_nothing(refused, typed, says):
    assert says in refused("license", *typed)


@pytest.mark.parametrize("name", ["1", "#1", " #1 ", None])
def test_a_license_is_named_by_its_number_or_its_key(key, done, name):
    out, _err = done("license", "suspend", name or key.lower(), "--reason", "chargeback")
    assert out == "License #1 of Editor: active → suspended\n"
    assert (events()[-1].action, events()[-1].actor_kind) == (Action.LICENSE_SUSPENDED, "operator")
    assert events()[-1].reason == "chargeback"
    assert done("license", "reinstate", "1")[0] == "License #1 of Editor: suspended → active\n"


def test_revoking_asks_once_and_restoring_twice(key, done, refused, answers):
    answers("n")
    assert refused("license", "revoke", key).endswith("Nothing was changed.")
    answers("y")
    assert "active → revoked" in done("license", "revoke", key)[0]
    assert "already revoked" in refused("license", "revoke", key)
    for typed in (["n"], ["y"], ["y", ""], ["y", "y"], ["y", "2"], []):
        answers(*typed)
        assert refused("license", "restore", key).endswith("Nothing was changed.")
    answers("y", "#1")
    assert "revoked → active" in done("license", "restore", key)[0]
    assert (events()[-1].action, events()[-1].actor_kind) == (Action.LICENSE_RESTORED, "operator")


def test_no_option_answers_for_a_restore(key, done, refused):
    done("license", "revoke", key, "--yes")
    assert "No such option" in refused("license", "restore", key, "--yes")


@pytest.mark.usefixtures("several_servers")
def test_with_several_servers_one_must_be_named_and_the_refusal_lists_them(refused, done):
    assert refused("product", "list") == (
        "There are several servers; add --server with one of them: Shop 1 (1), Shop 2 (2)."
    )
    assert "There is no server Shop 3; there is: Shop 1 (1)" in refused("product", "list", "--server", "Shop 3")
    for named in ("shop 1", "1"):
        assert "Editor" in done("product", "list", "--server", named)[0]


@pytest.mark.usefixtures("several_servers")
def test_one_server_never_sees_what_is_in_another(refused, done):
    assert "No such license" in refused("license", "suspend", "1", "--server", "Shop 2")
    assert "There is no product" in refused("license", "issue", "Editor", "--server", "Shop 2")
    assert done("product", "list", "--server", "Shop 2")[0] == ""
    assert done("export", "--server", "Shop 2")[0].count("\n") == 1


def test_names_from_discord_cannot_steer_the_terminal(done, refused):
    async def found():
        async with opened(SETTINGS) as world:
            await world.organizations.joined(7, name="\x1b]0;evil\x07\u202e")
            await world.product("Editor")
            await world.issue("Editor", discord_id=BOB, holder_name="\x1b[2J\nBob")

    asyncio.run(found())
    assert refused("product", "list").isprintable()
    _out, err = done("license", "issue", "Editor", "--server", "1", "--member", str(BOB))
    assert "\x1b" not in err


@pytest.mark.usefixtures("key")
def test_the_list_of_products_shows_state_licenses_and_name(done):
    assert done("product", "list")[0].split() == ["active", "1", "license", "Editor"]


def test_without_a_database_nothing_is_made(refused, tmp_path: Path):
    for typed in (["product", "list"], ["license", "issue", "Editor"], ["export", "all.csv"]):
        assert "data/keyport.db does not exist" in refused(*typed)
    assert list(tmp_path.iterdir()) == []


def test_an_export_is_a_new_file_of_its_owner_with_whole_keys_and_is_written_down(key, done):
    _out, err = done("export", "all.csv")
    assert "whole keys" in err
    assert stat.S_IMODE(Path("all.csv").stat().st_mode) == 0o600
    (row,) = csv.DictReader(io.StringIO(Path("all.csv").read_text("utf-8-sig")))
    assert (row["license_id"], row["license_key"], row["status"]) == ("1", key, "active")
    assert (row["holder_discord_id"], row["holder_name"]) == (str(BOB), "Bob")
    assert (events()[-1].action, events()[-1].actor_kind) == (Action.LICENSES_EXPORTED, "operator")


def test_an_export_as_json_or_to_standard_output_holds_the_same(key, done):
    done("export", "all.json")
    from_file = json.loads(Path("all.json").read_text("utf-8"))
    for typed in (["--format", "json"], ["-", "--format", "json", "--product", "editor"]):
        assert json.loads(done("export", *typed)[0]) == from_file
    (row,) = csv.DictReader(io.StringIO(done("export")[0]))
    assert list(row) == list(from_file[0])
    assert row["license_key"] == from_file[0]["license_key"] == key


@pytest.mark.usefixtures("key")
def test_the_table_is_the_one_that_staff_are_given_in_discord(done):
    done("license", "issue", "Editor", "--email", "ada@example.com", "--expiry", "2099-01-01", "--notes", "=1+1")
    done("license", "revoke", "2", "--yes")
    rows = ask_store(lambda world: world.finder.export(OWNER))
    assert done("export")[0].splitlines() == table_of(rows).decode("utf-8-sig").splitlines()
    done("export", "all.csv")
    assert Path("all.csv").read_bytes() == table_of(rows)


@pytest.mark.usefixtures("key")
def test_an_export_replaces_nothing_and_leaves_nothing_half_done(refused, tmp_path: Path):
    Path("all.csv").write_text("mine")
    assert refused("export", "all.csv") == "all.csv is there already; choose another name."
    assert Path("all.csv").read_text() == "mine"
    assert "There is no product 'Nope'" in refused("export", "new.csv", "--product", "Nope")
    assert "No such file or directory" in refused("export", "absent/new.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.csv", "data"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(1)", "\tx"])
def test_a_member_s_name_is_no_formula_in_a_spreadsheet(done, name):
    async def found():
        async with opened(SETTINGS) as world:
            await world.product("Editor")
            await world.issue("Editor", discord_id=BOB, holder_name=name)

    asyncio.run(found())
    (row,) = csv.DictReader(io.StringIO(done("export")[0]))
    assert row["holder_name"] == f"'{name}"
    assert json.loads(done("export", "--format", "json")[0])[0]["holder_name"] == name


def test_ctrl_c_at_the_question_ends_it_at_once_and_changes_nothing(key):
    before = events()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "license", "revoke", key],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        # whoever runs the tests in the background has Ctrl-C ignored, and so would the child
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - as subprocess does itself
    )  # fmt: skip
    told = b""
    while b"[y/N]" not in told:
        read = os.read(process.stderr.fileno(), 1_000)
        assert read, told
        told += read
    process.send_signal(signal.SIGINT)
    _out, rest = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in told + rest
    assert events() == before


def test_a_server_that_the_bot_has_left_keeps_its_licenses_in_reach(done):
    async def left():
        async with opened(SETTINGS) as world:
            await world.product("Editor")
            await world.organizations.left(SHOP)

    asyncio.run(left())
    assert KEY.fullmatch(done("license", "issue", "Editor")[0].strip())
