"""Whoever writes very many rows lets the event loop have the processor after every few."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from sqlite3 import Connection

import pytest
from factories import DAY_MS
from new_databases import lay
from storage_world import NOON_MS, ORGANIZATION, OWNER, World

from licensing.events import Action, happened
from licensing.ports import Steps
from licensing.services.bulk import CHANGED_AT_ONCE, ISSUED_AT_ONCE, BulkChange, Selection
from licensing.services.made_keys import made_keys
from licensing.services.terms import Terms
from licensing.services.upkeep import ENDED_AT_ONCE
from storage import DatabaseSettings, open_store
from storage.sqlite import begin, connect, drive
from storage.statements import StatementTransaction

FEW = 100
REVOKED = happened(Action.LICENSE_REVOKED, by=OWNER, at_ms=NOON_MS)


@pytest.fixture
def connection(settings: DatabaseSettings, world: World) -> Iterator[Connection]:
    assert world.store, "whose database this is"
    with closing(connect(settings.path)) as found:
        yield found


def written_between_rests(connection: Connection, steps: Steps[object]) -> list[int]:
    """Return how many rows a transaction wrote before each rest, and after the last one."""
    begin(connection)
    rests = [connection.total_changes]
    drive(connection, steps, sleep=lambda _: rests.append(connection.total_changes))
    rests.append(connection.total_changes)
    connection.execute("ROLLBACK")
    return [after - before for before, after in pairwise(rests)]


async def test_of_a_lot_of_keys_a_few_are_written_between_two_rests(world: World, connection: Connection) -> None:
    await world.product()
    lot = await world.bulk.issue(OWNER, Terms("Pro"), 1)
    keys = list(await made_keys(ISSUED_AT_ONCE, world.store.vault, os.urandom))
    written = written_between_rests(connection, StatementTransaction().bulk.insert(lot.license, keys))
    assert sum(written) == 2 * ISSUED_AT_ONCE
    assert max(written) == FEW


async def test_of_a_change_of_many_licenses_a_few_are_written_between_two_rests(
    world: World, connection: Connection
) -> None:
    await world.product()
    lot = await world.bulk.issue(OWNER, Terms("Pro"), max(CHANGED_AT_ONCE, ENDED_AT_ONCE))
    ids = json.dumps([license_id for license_id, _ in lot.keys])

    def work() -> Steps[None]:
        bulk = StatementTransaction().bulk
        yield from bulk.save(ids, {"state": "revoked", "revoked_at_ms": NOON_MS}, now_ms=NOON_MS)
        yield from bulk.append(REVOKED, ids)

    assert written_between_rests(connection, work()) == [FEW, FEW, 0]


async def test_a_big_work_rests_after_each_of_its_transactions(settings: DatabaseSettings) -> None:
    rests: list[float] = []

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    lay(settings)
    async with open_store(settings, sleep=sleep) as store:
        world = World(store)
        await world.organizations.joined(ORGANIZATION, name="Shop")
        await world.product()
        await world.bulk.issue(OWNER, Terms("Pro", expiry="1d"), 2 * ISSUED_AT_ONCE)
        assert (len(rests), min(rests) > 0) == (2, True)
        await world.bulk.change(OWNER, BulkChange.SUSPEND, Selection(product="Pro"))
        assert len(rests) == 2 + 2 * ISSUED_AT_ONCE // CHANGED_AT_ONCE
        rests.clear()
        world.now_ms += 2 * DAY_MS
        await world.upkeep.expire_licenses()
        assert len(rests) == 2 * ISSUED_AT_ONCE // ENDED_AT_ONCE


async def test_what_writes_little_never_rests_for_somebody_waits_for_it(world: World, connection: Connection) -> None:
    await world.product()
    written = written_between_rests(connection, StatementTransaction().ledger.append(REVOKED))
    assert written == [1]
