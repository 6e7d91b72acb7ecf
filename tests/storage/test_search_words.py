"""The words that licenses are found by: kept true by the database itself, whatever changes."""

import re
import sqlite3
from contextlib import closing

import pytest
from storage_world import ORGANIZATION, OWNER, World, opened

from licensing.models import Actor
from licensing.services.changes import Edit
from storage import DatabaseSettings
from storage.statements import search
from storage.statements.words import words_of
from storage.triggers import TRIGGERS


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
    assert (await world.finder.find(OWNER, text="turing")).count == 0
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


@pytest.mark.parametrize("name", [name for name, rest in TRIGGERS.items() if "DELETE FROM license_words" in rest])
async def test_nobody_elses_words_are_looked_through_for_those_that_go(settings: DatabaseSettings, name: str) -> None:
    delete = re.search(r"DELETE FROM license_words[^;]*", TRIGGERS[name])
    assert delete
    async with opened(settings):
        with closing(sqlite3.connect(settings.path)) as connection:
            statement = re.sub(r"\b(old|new)\.(\w+)", lambda it: "'x'" if it[2] == "words" else "1", delete[0])
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert plan[0] == "SEARCH license_words USING PRIMARY KEY (organization_id=? AND word=? AND license_id=?)", plan
