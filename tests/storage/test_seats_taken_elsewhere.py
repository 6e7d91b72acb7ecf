"""Seats that another process took: counted in this one's very next answer, whatever came in between."""

import asyncio
import json
import random
import sqlite3
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import closing

import pytest
from storage_world import OWNER, World, opened

from licensing.errors import LimitReached
from licensing.keys import api_key_digest, tidy
from licensing.models import Plan
from licensing.ports import Steps, Transaction
from licensing.services.licenses import Issued
from licensing.verdict import Call, Status
from storage import DatabaseSettings, following, writer
from storage.following import Follower
from storage.statements.base import Row
from storage.writer import Left

HOME = "203.0.113.1"


class Shop:
    """A product that two processes answer for: this one, and another one on the same file."""

    def __init__(self, here: World, there: World, settings: DatabaseSettings, api_key: str) -> None:
        self.here, self.there = here, there
        self._settings = settings
        self.api_key = api_key

    async def count(self, world: World, issued: Issued, address: str = HOME) -> int | None:
        return (await world.validate(self.api_key, issued.key, address)).ip_count

    async def kept(self, world: World, issued: Issued) -> set[str]:
        """Return the addresses that a validation would look at now."""
        product = await world.store.snapshots.product(api_key_digest(self.api_key))
        assert product is not None
        digest = world.store.vault.digest(tidy(issued.key))
        license_ = await world.store.snapshots.license(product.product.id, digest)
        assert license_ is not None
        return set(license_.addresses)

    async def issue(self, count: int = 1) -> list[Issued]:
        """Issue licenses, each with a seat that both processes know of and keep."""
        issued = [await self.here.issue(discord_id=20) for _ in range(count)]
        for each in issued:
            for world in (self.here, self.there) * 3:
                assert await self.count(world, each) == 1
        return issued

    def log(self) -> list[tuple[int, str]]:
        with closing(sqlite3.connect(self._settings.path)) as connection:
            return connection.execute("SELECT id, license_ids FROM touched_log ORDER BY id").fetchall()


@pytest.fixture
async def shop(world: World, settings: DatabaseSettings) -> AsyncIterator[Shop]:
    async with opened(settings) as there:
        yield Shop(world, there, settings, (await world.product(max_devices=9)).api_key)


async def test_a_seat_taken_through_one_store_is_counted_by_the_very_next_validation_through_another(
    shop: Shop,
) -> None:
    [issued] = await shop.issue()
    for number in range(2, 30):
        taking, other = (shop.here, shop.there) if number % 2 else (shop.there, shop.here)
        assert await shop.count(taking, issued, f"203.0.113.{number}") == number
        for _ in range(3):  # also once it is held on to
            assert await shop.count(other, issued) == number


async def test_a_device_registered_through_one_store_is_known_to_another_without_a_transaction(
    shop: Shop, world: World
) -> None:
    [issued] = await shop.issue()
    call = Call(issued.key, HOME, device_id="laptop")
    verdict = (await shop.there.validation.validate(shop.api_key, call)).verdict
    assert verdict.registers_device == "laptop"
    groups = len(shop.log())
    assert (await world.validation.validate(shop.api_key, call)).verdict.registers_device is None
    assert len(shop.log()) == groups


async def test_a_license_of_which_nobody_says_how_it_is_left_is_told_of_as_well(shop: Shop, world: World) -> None:
    [issued] = await shop.issue()
    freed = await shop.there.store.write(lambda tx: tx.addresses.delete(issued.view.license.id))
    assert freed == [HOME]
    assert [await shop.kept(process, issued) for process in (world, shop.there)] == [set(), set()]


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_two_stores_do_at_once_both_know_every_seat_in_the_end(
    shop: Shop, world: World, seed: int
) -> None:
    chance, issued = random.Random(seed), await shop.issue(3)
    for _ in range(6):
        acts: list[Coroutine[object, object, object]] = []
        for _ in range(chance.randrange(2, 12)):
            process, each = chance.choice((world, shop.there)), chance.choice(issued)
            if chance.random() < 0.15:
                acts.append(process.changes.reset_ips(OWNER, each.key))
            else:
                acts.append(shop.count(process, each, f"203.0.113.{chance.randrange(40)}"))
        await asyncio.gather(*acts, return_exceptions=True)  # there may be no seat to free
        for each in issued:
            stored = {seat.address for seat in (await world.licenses.view(OWNER, each.key)).addresses}
            assert [await shop.kept(process, each) for process in (world, shop.there)] == [stored, stored]


async def test_a_group_tells_of_all_its_licenses_in_one_row_and_of_none_where_nothing_was_taken(
    shop: Shop, world: World
) -> None:
    issued = await shop.issue(3)
    before = len(shop.log())
    ids = [each.view.license.id for each in issued]

    def take(tx: Transaction) -> Steps[None]:
        locked = yield from tx.seats.lock(ids[:2])
        tx.seats.leave(locked)

    await world.store.write(take)
    world.plans["default"] = Plan(licenses=1)
    with pytest.raises(LimitReached):
        await world.issue()
    assert await shop.count(world, issued[0]) == 1
    [(_, told)] = shop.log()[before:]
    assert sorted(json.loads(told)) == ids[:2]


async def test_what_this_store_wrote_itself_it_does_not_read_again_however_early_it_looks(
    shop: Shop, world: World
) -> None:
    issued = await shop.issue(3)
    told, looks = world.store._writer._committed, list[Left]()

    def looking_first(left: Left) -> None:
        looks.append(left)
        world.store.snapshots.follow()
        told(left)

    world.store._writer._committed = looking_first
    misses = world.store.snapshots.misses
    for each in issued:
        assert await shop.count(world, each, "203.0.113.2") == 2
        assert await shop.count(world, each) == 2
    assert len(looks) == len(issued)
    assert world.store.snapshots.misses == misses


async def test_a_seat_taken_elsewhere_between_our_commit_and_our_look_is_not_undone_in_memory(
    shop: Shop, world: World
) -> None:
    [issued] = await shop.issue()
    told, ours = world.store._writer._committed, list[Left]()
    world.store._writer._committed = ours.append
    assert await shop.count(world, issued, "203.0.113.2") == 2
    assert await shop.count(shop.there, issued, "203.0.113.3") == 3
    assert await shop.count(world, issued) == 3  # followed, and read anew
    assert [left.renewed.keys() for left in ours] == [{issued.view.license.id}]
    told(ours[0])  # of two seats, and nothing would ever say again that there are three
    assert await shop.count(world, issued) == 3


async def test_what_is_not_followed_yet_when_a_license_is_renewed_is_followed_afterwards(
    shop: Shop, world: World
) -> None:
    [issued] = await shop.issue()
    told, ours = world.store._writer._committed, list[Left]()
    world.store._writer._committed = ours.append
    assert await shop.count(world, issued, "203.0.113.2") == 2
    assert await shop.count(shop.there, issued, "203.0.113.3") == 3
    told(ours[0])
    assert await shop.count(world, issued) == 3


async def test_a_group_that_was_not_stored_tells_nobody_and_leaves_nothing_in_memory(
    shop: Shop, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    [issued] = await shop.issue()
    before = shop.log()

    def fail(*_: object) -> Steps[int]:
        raise sqlite3.OperationalError

    monkeypatch.setattr(writer, "_tell", fail)
    with pytest.raises(sqlite3.OperationalError):
        await shop.count(world, issued, "203.0.113.2")
    monkeypatch.undo()
    assert shop.log() == before
    assert await shop.count(world, issued) == 1
    assert await shop.count(shop.there, issued) == 1


async def test_old_rows_are_cleared_and_who_followed_in_time_reads_nothing_again(
    shop: Shop, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_TOLD", 10)
    monkeypatch.setattr(writer, "_CLEARED_AT_ONCE", 5)
    busy, quiet = await shop.issue(2)
    for number in range(2, 60):
        assert await shop.count(world, busy, f"203.0.113.{number}") == number
        assert await shop.count(shop.there, busy) == number
        assert len(shop.log()) <= 10 + 5
    assert len(shop.log()) >= 10
    misses = shop.there.store.snapshots.misses
    assert await shop.count(shop.there, quiet) == 1
    assert shop.there.store.snapshots.misses == misses


async def test_a_store_that_slept_until_rows_were_cleared_forgets_everything_and_then_follows_again(
    shop: Shop, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_TOLD", 2)
    monkeypatch.setattr(writer, "_CLEARED_AT_ONCE", 1)
    first, busy, quiet = await shop.issue(3)
    assert await shop.count(world, first, "203.0.113.2") == 2
    for number in range(2, 9):
        assert await shop.count(world, busy, f"203.0.113.{number}") == number
    told = [license_ids for _, license_ids in shop.log()]
    assert told == [f"[{busy.view.license.id}]"] * 2
    assert await shop.count(shop.there, first) == 2
    misses = shop.there.store.snapshots.misses
    assert await shop.count(shop.there, quiet) == 1
    assert shop.there.store.snapshots.misses == misses + 1
    assert await shop.count(world, first, "203.0.113.3") == 3
    assert await shop.count(shop.there, first) == 3
    assert await shop.count(shop.there, quiet) == 1
    assert shop.there.store.snapshots.misses == misses + 2


async def test_more_licenses_than_are_followed_one_by_one_are_all_forgotten(
    shop: Shop, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_MAX_TOUCHED", 2)
    issued = await shop.issue(4)
    for each in issued[:3]:
        assert await shop.count(world, each, "203.0.113.2") == 2
    assert await shop.count(shop.there, issued[0]) == 2
    assert len(shop.there.store.snapshots) == 1
    assert [await shop.count(shop.there, each) for each in issued] == [2, 2, 2, 1]
    assert await shop.count(world, issued[3], "203.0.113.2") == 2
    assert [await shop.count(shop.there, each) for each in issued] == [2, 2, 2, 2]


async def test_a_revocation_and_a_seat_in_one_look_are_both_known(shop: Shop, world: World) -> None:
    revoked, seated = await shop.issue(2)
    assert await shop.count(world, seated, "203.0.113.2") == 2
    await world.licenses.revoke(OWNER, revoked.key)
    assert (await shop.there.validate(shop.api_key, revoked.key)).status is Status.REVOKED
    assert await shop.count(shop.there, seated) == 2


@pytest.mark.parametrize("failing", ["FROM events WHERE", "FROM touched_log WHERE"])
async def test_a_look_that_failed_half_way_is_made_again_from_where_the_last_one_ended(
    shop: Shop, world: World, failing: str
) -> None:
    connection, fails = world.store.snapshots._connection, list[str]()

    def rows(sql: str, values: Mapping[str, int | bytes | str]) -> list[Row]:
        if fails and fails[0] in sql:
            raise sqlite3.OperationalError(fails.pop())
        return connection.execute(sql, values).fetchall()

    [issued] = await shop.issue()
    follower = Follower(rows, own="nobody")
    assert follower.changes() == ([], [])
    fails.append(failing)
    await world.changes.suspend(OWNER, issued.key)
    await world.changes.reinstate(OWNER, issued.key)
    assert await shop.count(shop.there, issued, "203.0.113.2") == 2
    with pytest.raises(sqlite3.OperationalError):
        follower.changes()
    changes = follower.changes()
    assert changes is not None
    assert [event[1] for event in changes.events] == ["license.suspended", "license.reinstated"]
    assert set(changes.license_ids) == {issued.view.license.id}
    assert follower.changes() == ((), ())
