"""The operator's decisions by command line: the platform's blacklist, servers suspended and put on plans."""

import asyncio
import re
from pathlib import Path

import pytest
from operator_store import SETTINGS, ask_store, events
from storage_world import OWNER, opened

from licensing.events import Action
from licensing.verdict import Status

HERE = "203.0.113.7"


async def _founded() -> tuple[str, str]:
    async with opened(SETTINGS, organizations=(1, 2)) as world:
        product = await world.product("Editor")
        return product.api_key, (await world.issue("Editor", discord_id=20)).key


@pytest.fixture
def shop() -> tuple[str, str]:
    """Two servers; the first sells Editor and has one license: its API key and the license's."""
    return asyncio.run(_founded())


def status(shop: tuple[str, str]) -> Status:
    return ask_store(lambda world: world.validate(*shop, HERE)).status


def test_an_address_is_blocked_for_every_server_listed_and_unblocked(shop, done):
    assert done("blacklist", "add", "::ffff:203.0.113.7", "--reason", "botnet") == (
        f"Blocked for every server: {HERE}\n",
        "",
    )
    assert status(shop) is Status.IP_BLOCKED
    assert (events()[-1].action, events()[-1].actor_kind) == (Action.ADDRESS_BLOCKED, "operator")
    assert (events()[-1].organization_id, events()[-1].reason) == (0, "botnet")
    assert re.fullmatch(rf"{HERE} +\d{{4}}-\d\d-\d\d \d\d:\d\d UTC  botnet\n", done("blacklist", "list")[0])
    assert done("blacklist", "remove", HERE)[0] == f"No longer blocked for every server: {HERE}\n"
    assert status(shop) is Status.ACTIVE
    assert done("blacklist", "list") == ("", "Nothing is blocked for every server.\n")


@pytest.mark.usefixtures("shop")
def test_a_long_list_is_shown_whole(done):
    for number in range(40):
        done("blacklist", "add", f"198.51.100.{number}")
    assert len(done("blacklist", "list")[0].splitlines()) == 40


def test_a_wide_range_is_asked_about_unless_it_is_said_not_to(shop, done, refused, answers):
    for typed in (["n"], []):
        answers(*typed)
        assert refused("blacklist", "add", "203.0.0.0/8").endswith("Nothing was changed.")
    answers("y")
    assert "Blocked" in done("blacklist", "add", "203.0.0.0/8")[0]
    assert status(shop) is Status.IP_BLOCKED
    assert "Blocked" in done("blacklist", "add", "2001::/16", "--yes")[0]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("blacklist", "add", "300.1.1.1"), "'300.1.1.1' is no address and no range"),
        (("blacklist", "add", "0.0.0.0/1", "--yes"), "would block nearly everybody"),
        (("blacklist", "add", "192.0.2.1"), "'192.0.2.1' is blocked there already"),
        (("blacklist", "add", HERE, "--reason", "x" * 1_001), "too long"),
        (("blacklist", "remove", HERE), "203.0.113.7 is not blocked for every server"),
        (("blacklist", "remove", "#99"), "#99 is not blocked for every server"),
        (("server", "suspend", "Nope"), "There is no server Nope; there is: Shop 1 (1), Shop 2 (2)."),
        (("server", "suspend", "0"), "There is no server 0"),
        (("server", "suspend", ""), "There is no server"),
        (("server", "reinstate", "1"), "It is so already"),
        (("server", "plan", "1", "gold"), "There is no plan 'gold'; there is: default."),
        (("server", "plan", "1", "default"), "It is so already"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_what_cannot_be_done_is_refused_in_one_sentence_and_changes_nothing(done, refused, typed, says):
    done("blacklist", "add", "192.0.2.1")
    assert says in refused(*typed)


def test_a_server_is_suspended_over_billing_or_otherwise_and_reinstated(shop, done):
    out, _ = done("server", "suspend", "shop 1", "--reason", "abuse")
    assert out == "Shop 1 (1): active, plan default → suspended, plan default\n"
    assert status(shop) is Status.ORG_SUSPENDED
    assert (events()[-1].action, events()[-1].reason) == (Action.ORGANIZATION_SUSPENDED, "abuse")
    assert "suspended, plan default → billing_suspended" in done("server", "suspend", "1", "--billing")[0]
    assert status(shop) is Status.BILLING_SUSPENDED
    assert "→ active, plan default" in done("server", "reinstate", "1", "--reason", "paid")[0]
    assert status(shop) is Status.ACTIVE
    assert (events()[-1].actor_kind, events()[-1].reason) == ("operator", "paid")


@pytest.mark.usefixtures("shop")
def test_a_server_is_put_on_a_plan_of_the_settings_and_back(done, refused):
    Path("config.toml").write_text("[plans.small]\nproducts = 1\n")
    assert "plan default → active, plan small" in done("server", "plan", "1", "small")[0]
    assert "small" in done("server", "list")[0].splitlines()[0]
    assert "there is: default, small." in refused("server", "plan", "1", "gold")
    assert "plan small → active, plan default" in done("server", "plan", "1", "")[0]


@pytest.mark.usefixtures("shop")
def test_the_list_of_servers_shows_id_state_plan_and_how_much_each_has(done):
    ask_store(lambda world: world.organizations.left(2))
    done("server", "suspend", "2")
    assert [line.split() for line in done("server", "list")[0].splitlines()] == [
        ["1", "active", "default", "1", "product", "1", "license", "Shop", "1"],
        ["2", "suspended", "default", "0", "products", "0", "licenses", "Shop", "2", "(the", "bot", "has", "left)"],
    ]


def test_names_and_reasons_cannot_steer_the_terminal(done):
    async def found():
        async with opened(SETTINGS, organizations=()) as world:
            await world.organizations.joined(7, name="\x1b]0;evil\x07\u202e")

    asyncio.run(found())
    done("blacklist", "add", HERE, "--reason", "\x1b[2J")
    for typed in (["server", "list"], ["server", "suspend", "7"], ["blacklist", "list"]):
        assert done(*typed)[0].replace("\n", "").isprintable()


def test_without_a_database_nothing_is_made(refused, tmp_path: Path):
    for typed in (["server", "list"], ["server", "suspend", "1"], ["blacklist", "add", HERE], ["blacklist", "list"]):
        assert "data/keyport.db does not exist" in refused(*typed)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("shop")
def test_what_the_operator_blocks_is_not_among_what_a_server_blocks(done):
    done("blacklist", "add", HERE)
    assert ask_store(lambda world: world.blacklist.list(OWNER)).count == 0
