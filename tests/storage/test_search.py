"""What staff find by what they type, whichever way a search is driven, page after page."""

import random
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing

import pytest
from storage_world import ORGANIZATION, OWNER, World, member, opened

from licensing.choices import LicenseState
from licensing.errors import NotAllowed
from licensing.keys import PREFIX_LENGTH, tidy
from licensing.models import Actor, LicenseView
from licensing.services.changes import Edit
from licensing.services.finder import COUNTED, FIRST, LAST, PAGE, Found, Place
from licensing.verdict import Status, license_status
from storage import DatabaseSettings
from storage.statements import search
from storage.statements.words import words_of
from storage.triggers import TRIGGERS

FULL_WIDTH = "\uff46\uff55\uff4c\uff4c"  # what a Japanese keyboard types for "full"
OTHER = Actor(organization_id=2, id=11, name="Rita", is_administrator=True)


async def found(world: World, text: str, **filters: object) -> list[int]:
    page = await world.finder.find(OWNER, text=text, **filters)  # type: ignore[arg-type]
    return [view.license.id for view in page.views]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("grace", True),
        ("Hop", True),
        ("  hopper GRACE ", True),
        ("hop gra navy", True),
        ("grace hopper ada", False),
        ("opper", False),
        ("g.hopper", True),
        ("g.hopper+keys@navy-yard.example", True),
        ("NAVY-YARD", True),
        ("example", True),
        ("@", False),
        ("hopper@", True),
        ("400123", True),
        ("40012", False),
        ("order 77", True),
        ("77 order", True),
        ("#77a", True),
        ("STRASSE", True),
        ("straße 5", True),
        ("ÄRGER", True),
        ("arger", False),
        (FULL_WIDTH, True),
        ("हिन्दी", True),
        ("мир", True),
        ("%", False),
        ("_", False),
        ("hop%", True),
        ("🔥", False),
        ("'; DROP TABLE license_words; --", False),
        ('"', False),
        ("\\", False),
        ("9" * 300, False),
        ("x" * 300, False),
    ],
)
async def test_a_license_is_found_by_the_start_of_every_word_that_was_typed(
    world: World, text: str, is_found: bool
) -> None:
    await world.product()
    notes = 'Straße 5, Ärger; "order" #77a_b full हिन्दी мир 🔥 \\'
    held = await world.issue(discord_id=400123, holder_name="Grace Hopper", notes=notes)
    emailed = await world.issue(email="G.Hopper+keys@Navy-Yard.example", notes=f"grace {notes}")
    either = {held.view.license.id, emailed.view.license.id}
    assert bool(either & set(await found(world, text))) == is_found


async def test_the_start_of_a_key_finds_it_however_it_is_typed_and_so_does_the_whole_key(world: World) -> None:
    await world.product()
    issued = await world.issue()
    for text in (
        issued.key[:1],
        issued.key[:3],
        issued.key[:4].lower(),
        issued.key[:7],
        issued.key.replace("-", " "),
    ):
        assert await found(world, text) == [issued.view.license.id]
        assert [view.license.id for view in await world.finder.search(OWNER, text)] == [issued.view.license.id]
    for text in (f"#{issued.view.license.id}", issued.key):
        assert [view.license.id for view in await world.finder.search(OWNER, text)] == [issued.view.license.id]


async def test_a_text_that_names_one_license_finds_that_alone_and_within_the_filters(world: World) -> None:
    await world.product()
    await world.product("Lite")
    first, second = await world.issue(), await world.issue(notes="order #1", discord_id=20)
    (one, two), key = (issued.view.license.id for issued in (first, second)), second.key
    for text in (f"#{two}", f" #{two} ", key, key.lower().replace("-", " ")):
        assert await found(world, text) == await found(world, text, product="Pro", status=Status.ACTIVE) == [two]
        assert await found(world, text, product="Lite") == await found(world, text, status=Status.REVOKED) == []
        assert [row.view.license.id for row in await world.finder.export(OWNER, text=text)] == [two]
    assert await found(world, f"#{one}") == [one]
    assert await found(world, "#999") == []


async def test_a_whole_key_is_not_taken_for_the_start_that_it_shares_with_others(world: World) -> None:
    await world.product()
    issued = await world.issue(notes="reseller Hartmut Bernsteyn")
    mistyped = issued.key[:-1] + ("2" if issued.key[-1] != "2" else "3")
    longer = issued.key + "-ABCD"
    for text in (mistyped, mistyped.replace("-", ""), longer):
        assert await found(world, text) == await world.finder.search(OWNER, text) == []
    assert await found(world, issued.key[:-1]) == [issued.view.license.id]
    assert await found(world, f"{issued.key[:4]}@navy.example") == []
    assert await found(world, "Hartmut Bernsteyn") == [issued.view.license.id]  # as long as a key


@pytest.mark.parametrize("mention", ["<@400123>", "<@!400123>", " <@400123> "])
async def test_a_mention_finds_what_the_member_holds(world: World, mention: str) -> None:
    await world.product()
    held = await world.issue(discord_id=400123)
    await world.issue(discord_id=400124)
    assert await found(world, mention) == [held.view.license.id]
    assert [view.license.id for view in await world.finder.search(OWNER, mention)] == [held.view.license.id]
    assert await found(world, "<@&400123>") == await found(world, "<@>") == []


async def test_a_text_of_very_many_words_is_read_as_far_as_it_can_be_looked_for(world: World) -> None:
    await world.product()
    words = [f"w{number}" for number in range(1_600)]
    issued = await world.issue(notes=" ".join(words[:200]))
    assert await found(world, " ".join(words)) == [issued.view.license.id]
    assert [view.license.id for view in await world.finder.search(OWNER, " ".join(words))] == [issued.view.license.id]
    assert await found(world, " ".join(reversed(words))) == []


async def test_a_long_word_is_found_by_its_start_and_by_all_of_it(world: World) -> None:
    await world.product()
    issued = await world.issue(notes="y" * 900)
    for typed in (3, 64, 65, 900):
        assert await found(world, "y" * typed) == [issued.view.license.id]
    assert await found(world, "z" + "y" * 899) == []


@pytest.fixture
async def two_shops(settings: DatabaseSettings) -> AsyncIterator[World]:
    async with opened(settings, organizations=(1, 2)) as world:
        yield world


async def test_nobody_finds_by_words_or_ids_what_belongs_to_another_server(two_shops: World) -> None:
    world = two_shops
    await world.product()
    await world.product("Other", by=OTHER)
    issued = await world.issue(discord_id=20, holder_name="Grace Hopper", notes="order 5")
    for text in ("grace", "order", "20", issued.key[:4], ""):
        assert await found(world, text) == [issued.view.license.id]
        assert (await world.finder.find(OTHER, text=text)).count == 0
    assert (await world.finder.held(OTHER, 20)).count == 0
    for status in Status.NOT_CLAIMED, Status.ACTIVE, Status.EXPIRED, Status.REVOKED:
        assert (await world.finder.find(OTHER, status=status)).count == 0


async def words_of_all(world: World) -> set[tuple[str, int]]:
    """Return the stored words, after a look at what they ought to be."""
    rows = await world.store.read(lambda _tx: _read("SELECT organization_id, word, license_id FROM license_words"))
    texts = await world.store.read(
        lambda _tx: _read(
            "SELECT l.id, l.notes, c.name, c.email FROM licenses l LEFT JOIN customers c ON c.id = l.customer_id"
        )
    )
    wanted = {(word, row[0]) for row in texts for word in (words_of(*row[1:]) or "").split()}
    assert {(word, license_id) for _, word, license_id in rows} == wanted
    assert {organization_id for organization_id, _, _ in rows} <= {ORGANIZATION}
    return wanted


def _read(sql: str, **values: object):
    return (yield search.Statement(sql, values))


async def test_words_follow_notes_holders_and_claims_and_vanish_with_what_they_came_from(world: World) -> None:
    await world.product()
    first = await world.issue(notes="shared secret")
    second = await world.issue(email="grace@navy.example", notes="navy order")
    third = await world.issue(discord_id=21, holder_name="Ada Shared")
    one, two, three = (issued.view.license.id for issued in (first, second, third))
    assert await words_of_all(world) >= {("secret", one), ("grace", two), ("shared", three)}

    await world.account.claim(Actor(organization_id=1, id=30, name="Alan Turing"), first.key)
    assert ("turing", one) in await words_of_all(world)
    await world.changes.edit(OWNER, first.key, Edit(notes="turing only"))
    assert {word for word, license_id in await words_of_all(world) if license_id == one} == {"alan", "turing", "only"}
    await world.changes.edit(OWNER, first.key, Edit(notes=""))
    assert {word for word, license_id in await words_of_all(world) if license_id == one} == {"alan", "turing"}

    async def save(discord_id: int, **changes: object) -> None:
        def work(tx):
            customer = yield from tx.customers.by_discord(ORGANIZATION, discord_id)
            yield from tx.customers.save(customer.model_copy(update=changes), now_ms=1)

        await world.store.write(work)

    await save(30, name="Joan Clarke")
    await save(21, name=None)
    assert await words_of_all(world) >= {("joan", one)}
    assert {word for word, license_id in await words_of_all(world) if license_id == three} == set()
    assert await found(world, "turing") == []
    await world.store.write(lambda _tx: _read("DELETE FROM license_keys WHERE license_id = :id", id=two))
    await world.store.write(lambda _tx: _read("DELETE FROM licenses WHERE id = :id", id=two))
    assert {license_id for _, license_id in await words_of_all(world)} == {one}


async def test_words_of_licenses_that_come_many_at_once_are_there_too(world: World) -> None:
    await world.product()
    await world.issue(discord_id=21, holder_name="Ada")
    sql = (
        "INSERT INTO licenses (organization_id, product_id, customer_id, state, created_at_ms, updated_at_ms, words)"
        " SELECT 1, 1, value, 'active', 1, 1, 'spring sale' FROM json_each('[1, null, 1]')"
    )
    await world.store.write(lambda _tx: _read(sql))
    rows = await world.store.read(lambda _tx: _read("SELECT word, COUNT(*) FROM license_words GROUP BY word"))
    assert dict(rows) == {"ada": 3, "spring": 3, "sale": 3}


NAMES = ["Ada Lovelace", "Grace Hopper", "Ada Hopper", "Adam Smith", "Zoe"]
NOTES = [None, "order 1", "order 2 ada", "gift"]
TEXTS = [
    "",
    "a",
    "ada",
    "ad",
    "hop",
    "ada hop",
    "order",
    "order 2",
    "z",
    "zzz",
    "20",
    "gift zoe",
    "o 1",
    "navy.example",
    "a o",
    "o a 1",
    "%",
]


async def shop_of(world: World, count: int) -> list[LicenseView]:
    """Return licenses of all kinds, the newest first."""
    chance = random.Random(5)
    await world.product("Pro")
    await world.product("Lite", enforce_expiry=False)
    for number in range(count):
        holder = chance.choice(
            [
                {},
                {"discord_id": 20 + number % 5, "holder_name": NAMES[number % 5]},
                {"email": f"ada{number % 7}@navy.example"},
            ]
        )
        expiry = chance.choice([{}, {"expiry": "5d"}, {"expiry": "90d"}])
        notes = chance.choice(NOTES)
        issued = await world.issue(chance.choice(["Pro", "Lite"]), notes=notes, **holder, **expiry)
        change = chance.choice(["", "", "", "revoke", "suspend"])
        if change == "revoke":
            await world.licenses.revoke(OWNER, issued.key)
        if change == "suspend":
            await world.changes.suspend(OWNER, issued.key)
        if number == count // 2:
            world.now_ms += 6 * 86_400_000
            await world.upkeep.sweep()
    world.now_ms += 6 * 86_400_000  # the second half's ends are not noticed yet
    return await world.store.read(lambda tx: tx.search.page(ORGANIZATION, search.Search(limit=10_000)))


def fits(view: LicenseView, text: str) -> bool:
    """Tell whether a text ought to find a license."""
    customer = view.customer
    words = (words_of(view.license.notes, customer and customer.name, customer and customer.email) or "").split()
    by_words = all(any(word.startswith(typed) for word in words) for typed in (words_of(text) or "").split())
    by_key = view.key.prefix.startswith(tidy(text)[:PREFIX_LENGTH])
    if text and not words_of(text):
        return False
    return by_words or by_key or (customer is not None and str(customer.discord_id) == text)


@pytest.mark.long
@pytest.mark.parametrize(
    "bounds",
    [
        {},
        {"_RARE": 3, "_COMMON": 20, "_SPELLED": 2, "_STRIDE": 7, "_WALKED": 15, "_NEWEST": 5},
        {"_RARE": 0, "_COMMON": 0, "_SPELLED": 0, "_WALKED": 0, "_NEWEST": 0},
        {"_RARE": 0, "_COMMON": 10, "_SPELLED": 0, "_WALKED": 5, "_NEWEST": 20},
        {"_RARE": 0, "_STRIDE": 1},
        {"_RARE": 0, "_COMMON": 30, "_SPELLED": 1, "_STRIDE": 10},
        {"_RARE": 0, "_COMMON": 0, "_SPELLED": 3, "_STRIDE": 2, "_WALKED": 3, "_NEWEST": 3},
    ],
)
async def test_every_way_to_drive_a_search_finds_the_same_in_the_same_order(
    world: World, monkeypatch: pytest.MonkeyPatch, bounds: dict[str, int]
) -> None:
    for name, value in bounds.items():
        monkeypatch.setattr(search, name, value)
    everything = await shop_of(world, 90)
    assert len(everything) == 90
    for text in TEXTS:
        for product_id in (None, 1, 2):
            for status in (None, *ALL):
                wanted = [view.license.id for view in everything if is_sought(world, view, text, product_id, status)]
                await compare(world, wanted, text=text, product_id=product_id, status=status)


ALL = (Status.ACTIVE, Status.NOT_CLAIMED, Status.EXPIRED, Status.REVOKED, Status.SUSPENDED)


def is_sought(world: World, view: LicenseView, text: str, product_id: int | None, status: Status | None) -> bool:
    own = license_status(view.license, view.product, now_ms=world.now_ms)
    return fits(view, text) and product_id in (None, view.product.id) and status in (None, own)


async def compare(world: World, wanted: list[int], **sought: object) -> None:
    """Hold a search to what it ought to find: all of it, both ways from the middle, and how many there are each."""
    middle = wanted[len(wanted) // 2] if wanted else 45
    older, newer = [id_ for id_ in wanted if id_ < middle], [id_ for id_ in wanted if id_ > middle]
    asked: list[tuple[dict[str, int], list[int], int]] = [
        ({}, wanted[:7], len(wanted)),
        ({"skip": 4}, wanted[4:11], len(wanted)),
        ({"before_id": middle}, older[:7], len(older)),
        ({"after_id": middle}, newer[-7:], len(newer)),
        ({"after_id": 0}, wanted[-7:], len(wanted)),
    ]
    for place, there, count in asked:
        query = search.Search(**sought, **place, limit=7, now_ms=world.now_ms)  # type: ignore[arg-type]
        views = await world.store.read(lambda tx, query=query: tx.search.page(ORGANIZATION, query))
        assert [view.license.id for view in views] == there, query
        for most in (None, 5):
            counted = await world.store.read(lambda tx, q=query, m=most: tx.search.count(ORGANIZATION, q, most=m))
            assert counted == (count if most is None else min(count, most)), query


async def walked(world: World, step: Callable[[Found], Place | None], start: Place, **sought: object) -> list[Found]:
    pages, place = list[Found](), start
    while True:
        pages.append(await world.finder.find(OWNER, place=place, **sought))  # type: ignore[arg-type]
        following = step(pages[-1])
        if following is None:
            return pages
        place = following


def older(page: Found) -> Place | None:
    return Place((page.page or 0) + 1, before_id=page.views[-1].license.id) if page.has_older else None


def newer(page: Found) -> Place | None:
    return Place((page.page or 0) - 1, after_id=page.views[0].license.id) if page.has_newer else None


async def test_pages_are_complete_and_without_doubles_while_licenses_come(world: World) -> None:
    await world.product()
    there = [(await world.issue(notes="order")).view.license.id for _ in range(3 * PAGE + 5)]
    place, seen, numbers = FIRST, list[int](), list[tuple[int | None, int | None]]()
    while place is not None:
        page = await world.finder.find(OWNER, text="order", place=place)
        seen += [view.license.id for view in page.views]
        numbers.append((page.page, page.last_page))
        await world.issue(notes="order")
        place = older(page)  # type: ignore[assignment]
    assert seen == sorted(there, reverse=True)
    assert numbers == [(0, 3), (1, 3), (2, 3), (3, 3)]


async def test_pages_lead_back_to_the_newest_and_from_the_last_to_all_of_them(world: World) -> None:
    await world.product()
    ids = [(await world.issue()).view.license.id for _ in range(2 * PAGE + 5)]
    pages = await walked(world, newer, LAST)
    assert [view.license.id for page in pages for view in reversed(page.views)][: 2 * PAGE] == ids[: 2 * PAGE]
    assert [view.license.id for view in pages[-1].views] == sorted(ids, reverse=True)[:PAGE]
    assert (pages[0].has_older, pages[0].page, pages[-1].has_newer, pages[-1].page) == (False, 2, False, 0)


async def test_a_page_has_no_number_where_newer_licenses_came_in_before_it(world: World) -> None:
    await world.product()
    for _ in range(2 * PAGE):
        await world.issue()
    second = await world.finder.find(OWNER, place=older(await world.finder.find(OWNER)) or FIRST)
    for _ in range(2 * PAGE):
        await world.issue()
    back = await world.finder.find(OWNER, place=newer(second) or FIRST)
    assert (back.page, back.has_newer, back.has_older) == (None, True, True)
    further = await walked(world, newer, Place(None, after_id=back.views[0].license.id))
    assert [page.page for page in further] == [None, 0]


async def test_a_page_of_which_nothing_is_left_gives_way_to_the_last_one(world: World) -> None:
    await world.product()
    ids = [(await world.issue()).view.license.id for _ in range(PAGE + 5)]
    emptied = await world.finder.find(OWNER, place=Place(1, before_id=ids[0]))
    assert [view.license.id for view in emptied.views] == sorted(ids[:PAGE], reverse=True)
    nothing = await world.finder.find(OWNER, text="nobody", place=Place(1, before_id=ids[0]))
    assert (list(nothing.views), nothing.count, nothing.has_newer, nothing.has_older) == ([], 0, False, False)


async def test_more_than_a_thousand_are_not_counted_and_yet_all_are_reached(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("licensing.services.finder.COUNTED", 40)
    await world.product()
    ids = [(await world.issue()).view.license.id for _ in range(3 * PAGE)]
    pages = await walked(world, older, FIRST)
    assert [view.license.id for page in pages for view in page.views] == sorted(ids, reverse=True)
    assert {(page.count, page.is_more, page.last_page) for page in pages} == {(40, True, None)}
    last = await world.finder.find(OWNER, place=LAST)
    assert ([view.license.id for view in last.views], last.page) == (sorted(ids[:PAGE], reverse=True), None)
    assert len(await world.finder.export(OWNER)) == 3 * PAGE
    assert COUNTED == 1_000


async def test_a_license_that_was_restored_is_no_longer_among_the_revoked(world: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=20)
    await world.licenses.revoke(OWNER, issued.key)
    assert await found(world, "", status=Status.REVOKED) == [issued.view.license.id]
    assert (await world.licenses.view(OWNER, issued.key)).license.state is LicenseState.REVOKED
    assert await found(world, "", status=Status.ACTIVE) == []


async def test_a_member_finds_nothing_by_words(world: World) -> None:
    await world.product()
    await world.issue(notes="order")
    with pytest.raises(NotAllowed):
        await world.finder.find(member(30), text="order")


@pytest.mark.parametrize(
    ("sought", "index"),
    [
        ({"status": Status.REVOKED}, "ix_licenses_stopped"),
        ({"status": Status.SUSPENDED}, "ix_licenses_stopped"),
        ({"status": Status.NOT_CLAIMED}, "ix_licenses_unclaimed"),
        ({"status": Status.EXPIRED}, "ix_licenses_noticed"),
        ({"status": Status.EXPIRED}, "ix_licenses_due"),
        ({"status": Status.ACTIVE, "product_id": 1}, "ix_licenses_product_id_state"),
        ({"product_id": 1, "before_id": 5}, "ix_licenses_product_id_state"),
        ({}, "ix_licenses_organization_id_id"),
        ({"before_id": 5}, "ix_licenses_organization_id_id"),
        ({"after_id": 5}, "ix_licenses_organization_id_id"),
        ({"holder_id": 5}, "ix_licenses_customer_id"),
        ({"license_id": 5}, "SEARCH l USING INTEGER PRIMARY KEY"),
        ({"text": "grace"}, "license_words USING PRIMARY KEY"),
        ({"text": "abcd"}, "COVERING INDEX ix_license_keys_starting"),
    ],
)
async def test_each_search_is_driven_by_the_index_that_is_made_for_it(
    world: World, sought: dict[str, object], index: str
) -> None:
    plans = list[str]()

    def listened(tx):
        steps = tx.search.page(ORGANIZATION, search.Search(**sought))  # type: ignore[arg-type]
        statement = next(steps, None)
        while statement is not None:
            plan = yield search.Statement(f"EXPLAIN QUERY PLAN {statement.sql}", statement.values)
            plans.extend(row[3] for row in plan)
            try:
                statement = steps.send((yield statement))
            except StopIteration:
                return

    await world.store.read(listened)
    assert any(index in plan for plan in plans), plans
    assert not [plan for plan in plans if plan.startswith(("SCAN l", "SCAN c", "SCAN license"))], plans


@pytest.mark.parametrize("name", [name for name, rest in TRIGGERS.items() if "DELETE FROM license_words" in rest])
async def test_nobody_elses_words_are_looked_through_for_those_that_go(settings: DatabaseSettings, name: str) -> None:
    delete = re.search(r"DELETE FROM license_words[^;]*", TRIGGERS[name])
    assert delete
    async with opened(settings):
        with closing(sqlite3.connect(settings.path)) as connection:
            statement = re.sub(r"\b(old|new)\.(\w+)", lambda it: "'x'" if it[2] == "words" else "1", delete[0])
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert plan[0] == "SEARCH license_words USING PRIMARY KEY (organization_id=? AND word=? AND license_id=?)", plan
