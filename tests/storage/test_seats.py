"""Seats of calls that wait at the same time: taken together, and each as if it were alone."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from storage_world import OWNER, World, opened

from licensing.ports import Steps, Transaction, Unavailable
from licensing.services import seats
from licensing.services.licenses import Issued
from licensing.services.seats import GROUP
from licensing.verdict import Call, Status, Verdict
from storage import DatabaseSettings
from storage.sqlite import Work
from storage.statements.base import Statement
from storage.store import SqliteStore


class HeldStore:
    """A store whose next transaction waits until it is let go; it counts transactions and statements."""

    def __init__(self, store: SqliteStore) -> None:
        self.snapshots, self.vault = store.snapshots, store.vault
        self.transactions = 0
        self.asked: list[str] = []
        self.first: list[str] = []  # what somebody else does before a transaction asks for anything
        self.begin = asyncio.Event()
        self.begin.set()
        self._store = store

    async def read(self, work: Work[object]) -> object:
        return await self._store.read(work)

    async def write(self, work: Work[object]) -> object:
        await self.begin.wait()
        self.transactions += 1
        return await self._store.write(lambda tx: self._heard(work(tx)))

    def _heard(self, steps: Steps[object]) -> Steps[object]:
        try:
            statement = next(steps)
            while True:
                for other in self.first:
                    yield Statement(other)
                self.first = []
                self.asked.append(statement.sql)
                statement = steps.send((yield statement))
        except StopIteration as done:
            return done.value


class Shop:
    """A product whose calls gather until they are let go."""

    def __init__(self, world: World, api_key: str) -> None:
        self.world = world
        self.store = HeldStore(world.store)
        self.api_key = api_key
        self._gathering = World(self.store, now_ms=world.now_ms)  # type: ignore[arg-type]

    async def together(self, *calls: tuple[str, str]) -> list[Verdict]:
        """Validate with these keys from these addresses, all of them before the first is written."""
        self.store.begin.clear()
        asked = [asyncio.ensure_future(self.ask(key, address)) for key, address in calls]
        for _ in range(5):
            await asyncio.sleep(0)
        self.store.begin.set()
        return await asyncio.gather(*asked)

    async def ask(self, key: str, address: str, device: str | None = None) -> Verdict:
        call = Call(key, address, device_id=device)
        return (await self._gathering.validation.validate(self.api_key, call)).verdict

    async def addresses(self, issued: Issued) -> list[str]:
        return [seat.address for seat in (await self.world.licenses.view(OWNER, issued.key)).addresses]


@pytest.fixture
async def shop(world: World) -> AsyncIterator[Shop]:
    return Shop(world, (await world.product()).api_key)


async def test_calls_that_wait_together_share_one_transaction_one_lock_and_one_insert(
    world: World, shop: Shop
) -> None:
    issued = [await world.issue(discord_id=20) for _ in range(30)]
    verdicts = await shop.together(*((each.key, f"203.0.113.{n}") for n, each in enumerate(issued)))
    assert all(verdict.valid and verdict.ip_count == 1 for verdict in verdicts)
    for number, each in enumerate(issued):
        assert await shop.addresses(each) == [f"203.0.113.{number}"]
    assert shop.store.transactions == 1
    assert [sql.split(" ", 1)[0] for sql in shop.store.asked] == ["UPDATE", "SELECT", "INSERT"]


async def test_a_crowd_larger_than_a_group_is_taken_in_several(world: World, shop: Shop) -> None:
    issued = await world.issue(discord_id=20)
    verdicts = await shop.together(*((issued.key, f"198.51.{n >> 8}.{n & 255}") for n in range(GROUP + 7)))
    assert [verdict.ip_count for verdict in verdicts] == list(range(1, GROUP + 8))
    assert len(await shop.addresses(issued)) == GROUP + 7
    assert shop.store.transactions == 2


async def test_calls_for_one_license_see_each_other_within_a_group_and_never_oversell(
    world: World, shop: Shop
) -> None:
    one, two = [await world.issue(discord_id=20, max_ips=2) for _ in range(2)]
    calls = [(each.key, f"203.0.113.{n}") for n in (1, 2, 2, 3, 1) for each in (one, two)]
    verdicts = await shop.together(*calls)
    active, full = Status.ACTIVE, Status.IP_LIMIT_REACHED
    for mine in (verdicts[::2], verdicts[1::2]):
        assert [verdict.status for verdict in mine] == [active, active, active, full, active]
        assert [verdict.registers is not None for verdict in mine] == [True, True, False, False, False]
        assert [verdict.ip_count for verdict in mine] == [1, 2, 2, 2, 2]
    assert shop.store.transactions == 1
    assert await shop.addresses(one) == await shop.addresses(two) == ["203.0.113.1", "203.0.113.2"]


async def test_devices_are_limited_within_a_group_as_well(world: World) -> None:
    shop = Shop(world, (await world.product("Devices", max_devices=2)).api_key)
    issued = await world.issue("Devices", discord_id=20)
    verdicts = await asyncio.gather(*(shop.ask(issued.key, "203.0.113.1", f"device {n}") for n in range(5)))
    assert [verdict.status for verdict in verdicts] == [Status.ACTIVE] * 2 + [Status.DEVICE_LIMIT_REACHED] * 3
    view = await world.licenses.view(OWNER, issued.key)
    assert [seat.device for seat in view.devices] == ["device 0", "device 1"]


async def test_a_text_that_json_would_cut_short_takes_a_seat_of_its_own(world: World) -> None:
    shop = Shop(world, (await world.product("Devices", max_devices=2)).api_key)
    issued = await world.issue("Devices", discord_id=20)
    names = ["a", "a\0b", "\u20ac \U0001f600 \"'"]
    verdicts = await asyncio.gather(*(shop.ask(issued.key, "203.0.113.1", name) for name in names))
    assert [verdict.valid for verdict in verdicts] == [True, True, False]
    again = [await shop.ask(issued.key, "203.0.113.1", name) for name in names]
    assert [verdict.valid for verdict in again] == [True, True, False]


async def test_a_license_that_vanished_is_answered_and_the_others_of_its_group_have_their_seats(
    world: World, shop: Shop
) -> None:
    gone, revoked, good = [await world.issue(discord_id=20) for _ in range(3)]
    number = gone.view.license.id
    shop.store.first = [
        f"DELETE FROM license_keys WHERE license_id = {number}",
        f"DELETE FROM licenses WHERE id = {number}",
        f"UPDATE licenses SET state = 'revoked' WHERE id = {revoked.view.license.id}",
    ]
    verdicts = await shop.together(*((each.key, "203.0.113.1") for each in (gone, revoked, good)))
    assert [verdict.status for verdict in verdicts] == [Status.LICENSE_NOT_FOUND, Status.REVOKED, Status.ACTIVE]
    assert await shop.addresses(revoked) == []
    assert await shop.addresses(good) == ["203.0.113.1"]


async def test_a_cancelled_caller_has_its_seat_wholly_and_takes_none_from_the_others(
    world: World, shop: Shop
) -> None:
    issued = await world.issue(discord_id=20)
    shop.store.begin.clear()
    asked = [asyncio.ensure_future(shop.ask(issued.key, f"203.0.113.{n}")) for n in range(3)]
    for _ in range(5):
        await asyncio.sleep(0)
    asked[0].cancel()
    shop.store.begin.set()
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError, Verdict, Verdict]
    assert await shop.addresses(issued) == ["203.0.113.0", "203.0.113.1", "203.0.113.2"]


async def test_a_store_that_is_away_is_told_to_every_caller_and_the_next_ones_are_served(
    world: World, shop: Shop
) -> None:
    issued = await world.issue(discord_id=20)
    await world.store._writer._worker.call(lambda connection: connection.execute("PRAGMA query_only = ON"))
    ends = await asyncio.gather(*(shop.ask(issued.key, f"203.0.113.{n}") for n in range(3)), return_exceptions=True)
    assert [type(end) for end in ends] == [Unavailable] * 3
    await world.store._writer._worker.call(lambda connection: connection.execute("PRAGMA query_only = OFF"))
    assert (await shop.ask(issued.key, "203.0.113.9")).valid
    assert await shop.addresses(issued) == ["203.0.113.9"]


async def test_a_group_keeps_no_more_seats_of_a_license_without_a_limit_than_calls_alone_would(
    world: World, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "SEATS_KEPT", 3)
    issued = await world.issue(discord_id=20)
    verdicts = await shop.together(*((issued.key, f"203.0.113.{n}") for n in range(9)))
    assert [verdict.ip_count for verdict in verdicts] == [1, 2, 3, 3, 3, 3, 3, 3, 3]
    assert shop.store.transactions == 1
    kept = await shop.addresses(issued)
    assert len(kept) == 3
    assert "203.0.113.8" in kept


async def test_a_refused_call_frees_nobodys_seat(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "SEATS_KEPT", 2)
    shop = Shop(world, (await world.product("Devices", max_devices=1)).api_key)
    issued = await world.issue("Devices", discord_id=20)
    calls = [("203.0.113.1", "one"), ("203.0.113.2", "one"), ("203.0.113.3", "two")]
    verdicts = await asyncio.gather(*(shop.ask(issued.key, address, device) for address, device in calls))
    assert [verdict.valid for verdict in verdicts] == [True, True, False]
    assert await shop.addresses(issued) == ["203.0.113.1", "203.0.113.2"]


async def test_a_license_that_took_a_seat_is_not_read_again(world: World, shop: Shop) -> None:
    issued = await world.issue(discord_id=20, max_ips=2)
    await world.validate(shop.api_key, issued.key, "203.0.113.1")
    read = world.store.snapshots.misses
    assert (await world.validate(shop.api_key, issued.key, "203.0.113.1")).ip_count == 1
    assert (await world.validate(shop.api_key, issued.key, "203.0.113.2")).ip_count == 2
    assert (await world.validate(shop.api_key, issued.key, "203.0.113.3")).status is Status.IP_LIMIT_REACHED
    assert world.store.snapshots.misses == read


async def test_a_revocation_committed_together_with_a_seat_is_seen_by_the_next_validation(world: World) -> None:
    product = await world.product()
    for number in range(20):
        issued = await world.issue(discord_id=20)
        acts = [world.validate(product.api_key, issued.key), world.licenses.revoke(OWNER, issued.key)]
        await asyncio.gather(*(acts if number % 2 else acts[::-1]))
        assert (await world.validate(product.api_key, issued.key)).status is Status.REVOKED


async def test_a_seat_freed_together_with_another_taken_is_free(world: World) -> None:
    product = await world.product()
    for number in range(20):
        issued = await world.issue(discord_id=20, max_ips=1)
        await world.validate(product.api_key, issued.key, "203.0.113.1")
        acts = [
            world.validate(product.api_key, issued.key, "203.0.113.2"),
            world.changes.reset_ips(OWNER, issued.key),
        ]
        await asyncio.gather(*(acts if number % 2 else acts[::-1]))
        stored = {seat.address for seat in (await world.licenses.view(OWNER, issued.key)).addresses}
        kept = await world.store.snapshots.license(issued.view.license.product_id, _digest(world, issued))
        assert kept is not None
        assert set(kept.addresses) == stored


async def test_what_another_process_did_since_a_seat_was_committed_is_not_undone_in_memory(
    world: World, settings: DatabaseSettings
) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    license_id = issued.view.license.id

    def lock(tx: Transaction) -> Steps[object]:
        return (yield from tx.seats.lock([license_id]))[license_id]

    before = await world.store.write(lock)
    last_event = (await world.events())[-1].id
    async with opened(settings) as other:
        await other.licenses.revoke(OWNER, issued.key)
    assert (await world.validate(product.api_key, issued.key)).status is Status.REVOKED  # its event is followed now
    world.store.snapshots.renew({license_id: (last_event, before)}, log_id=10**9)  # type: ignore[dict-item]
    assert (await world.validate(product.api_key, issued.key)).status is Status.REVOKED


async def test_what_another_process_does_after_a_seat_was_committed_is_followed(
    world: World, settings: DatabaseSettings
) -> None:
    product = await world.product()
    async with opened(settings) as other:
        for _ in range(20):
            issued = await world.issue(discord_id=20)
            assert (await world.validate(product.api_key, issued.key)).valid
            await other.licenses.revoke(OWNER, issued.key)
            assert (await world.validate(product.api_key, issued.key)).status is Status.REVOKED


def _digest(world: World, issued: Issued) -> bytes:
    return world.store.vault.digest(issued.key.replace("-", ""))
