"""Every way to drive a search finds the same, in the same order, and is led by an index of its own."""

import random

import pytest
from storage_world import ORGANIZATION, OWNER, World

from licensing.keys import PREFIX_LENGTH, tidy
from licensing.models import LicenseView
from licensing.verdict import Status, license_status
from storage.statements import search
from storage.statements.words import words_of

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
