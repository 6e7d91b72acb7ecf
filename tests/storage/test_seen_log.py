"""When seats were last seen stands in a log at once, and comes into their tables whatever happens meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from storage_world import OWNER, World, opened

from licensing.addresses import Counting
from licensing.events import Action
from licensing.ports import Unavailable
from licensing.services import usage
from licensing.services.usage import LastSeen, fold_seen
from licensing.verdict import Call
from storage import DatabaseSettings
from storage.recount import recount
from storage.sqlite import Work
from storage.store import SqliteStore

DAY_MS = 86_400_000
HOME, OFFICE = "203.0.113.1", "203.0.113.2"
DEVICE = 'Ada\'s "laptop" \\ \n~ 電脳'


class Interrupted:
    """A store for which something else happens before its n-th write."""

    def __init__(self, store: SqliteStore, *, before: int, what: Callable[[], Awaitable[None]]) -> None:
        self.snapshots, self.read, self.settle = store.snapshots, store.read, store.settle
        self._store, self._left, self._what = store, before, what

    async def write(self, work: Work[Any]) -> Any:
        self._left -= 1
        if self._left == 0:
            await self._what()
        return await self._store.write(work)


async def seated(world: World, *addresses: str, **settings: object) -> tuple[str, str, int]:
    """Sell a license and let it be used from addresses; return the API key, the license's and its id."""
    product = await world.product(max_devices=3, **settings)
    issued = await world.issue(discord_id=20, max_ips=3)
    for address in addresses:
        await world.validation.validate(product.api_key, Call(issued.key, address, "1.0", DEVICE))
    await world.write_seen()
    return product.api_key, issued.key, issued.view.license.id


async def times(world: World, license_id: int) -> dict[str, int]:
    addresses = await world.store.read(lambda tx: tx.addresses.of(license_id))
    devices = await world.store.read(lambda tx: tx.addresses.devices_of(license_id))
    return {seat.address: seat.last_seen_at_ms for seat in addresses} | {
        seat.device: seat.last_seen_at_ms for seat in devices
    }


async def in_log(world: World) -> int:
    return len(await world.store.read(lambda tx: tx.seen.parts(entries=1)))


async def saw(world: World, license_id: int, at_ms: int, *names: str) -> None:
    """Write into the log, as another process would, that seats were in use."""
    seen = LastSeen()
    for name in names:
        (seen.note_device if name == DEVICE else seen.note)((license_id, name), now_ms=at_ms)
    await seen.flush(world.store)


async def test_each_seat_comes_to_its_newest_time_however_the_log_is_divided(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_ENTRY", "_PART", "_MOVED_AT_ONCE"):
        monkeypatch.setattr(usage, name, 2)
    ids = [(await seated(world, HOME, OFFICE))[2]]
    ids += [(await world.issue(discord_id=20)).view.license.id for _ in range(4)]
    for license_id in ids[1:]:
        await world.store.write(lambda tx, it=license_id: tx.seats.insert([(it, HOME, 1), (it, OFFICE, 2)]))  # type: ignore[misc]
    seen, now_ms = LastSeen(), world.now_ms
    for later_ms in (3, 7, 5):
        for license_id in reversed(ids):
            seen.note((license_id, HOME), now_ms=now_ms + later_ms)
        seen.note_device((ids[0], DEVICE), now_ms=now_ms + later_ms + 1)
        await seen.flush(world.store)
    assert await in_log(world) == 3 * (3 + 1)
    await fold_seen(world.store)
    assert await times(world, ids[0]) == {HOME: now_ms + 7, OFFICE: now_ms, DEVICE: now_ms + 8}
    assert [await times(world, it) for it in ids[1:]] == [{HOME: now_ms + 7, OFFICE: 2}] * 4
    assert await in_log(world) == 0


async def test_a_time_in_the_log_that_is_older_than_the_seats_own_changes_nothing(world: World) -> None:
    _, _, license_id = await seated(world, HOME)
    before = await times(world, license_id)
    await saw(world, license_id, world.now_ms - 1, HOME, DEVICE)
    await fold_seen(world.store)
    assert await times(world, license_id) == before


async def test_an_address_that_lost_its_seat_does_not_come_back_out_of_the_log(world: World) -> None:
    api_key, key, license_id = await seated(world, HOME)
    await saw(world, license_id, world.now_ms + 9, HOME, DEVICE)
    await world.changes.reset_ips(OWNER, key)
    await fold_seen(world.store)
    assert HOME not in await times(world, license_id)
    assert (await world.validate(api_key, key, HOME)).registers == HOME


async def test_what_a_killed_process_left_in_the_log_is_folded_by_the_next(settings: DatabaseSettings) -> None:
    async with opened(settings) as world:
        _, _, license_id = await seated(world, HOME)
        seen_ms = world.now_ms + 400
        await saw(world, license_id, seen_ms, HOME)
    async with opened(settings) as world:
        assert (await times(world, license_id))[HOME] < seen_ms
        await fold_seen(world.store)
        assert (await times(world, license_id))[HOME] == seen_ms


async def test_what_is_seen_while_two_processes_fold_is_neither_lost_nor_moved_back(
    world: World, settings: DatabaseSettings
) -> None:
    _, _, license_id = await seated(world, HOME, OFFICE)
    now_ms = world.now_ms
    async with opened(settings) as other:
        await saw(world, license_id, now_ms + 1, HOME, OFFICE)

        async def meanwhile() -> None:
            await fold_seen(other.store)
            await saw(other, license_id, now_ms + 2, HOME)

        # The log was read: the other empties it, folds it, and writes the next entry before this one clears it.
        await fold_seen(Interrupted(world.store, before=1, what=meanwhile))
        assert await in_log(world) == 1
        await asyncio.gather(fold_seen(world.store), fold_seen(other.store))
    assert await times(world, license_id) == {HOME: now_ms + 2, OFFICE: now_ms + 1, DEVICE: now_ms}
    assert await in_log(world) == 0


@pytest.mark.parametrize("before", [1, 2, 3], ids=("the addresses", "the devices", "the log is cleared"))
async def test_a_fold_that_was_cut_off_is_done_again_and_ends_alike(world: World, before: int) -> None:
    _, _, license_id = await seated(world, HOME)
    seen_ms = world.now_ms + 9
    await saw(world, license_id, seen_ms, HOME, DEVICE)

    async def breaks_down() -> None:
        raise Unavailable

    with pytest.raises(Unavailable):
        await fold_seen(Interrupted(world.store, before=before, what=breaks_down))
    assert await in_log(world) == 2
    await fold_seen(world.store)
    assert await times(world, license_id) == {HOME: seen_ms, DEVICE: seen_ms}
    assert await in_log(world) == 0


async def test_a_seat_that_only_the_log_knows_to_be_in_use_is_not_freed_as_idle(world: World) -> None:
    _, _, license_id = await seated(world, HOME, OFFICE, address_idle_days=30)
    world.now_ms += 31 * DAY_MS
    await saw(world, license_id, world.now_ms, HOME)
    await world.upkeep.sweep()
    assert set(await times(world, license_id)) == {HOME, DEVICE}
    removed = [event for event in await world.events() if event.action is Action.LICENSE_IP_REMOVED]
    assert [event.before for event in removed] == [{"addresses": [OFFICE]}]


async def test_switched_to_hashes_the_times_in_the_log_are_kept_and_its_addresses_are_not(
    world: World, settings: DatabaseSettings
) -> None:
    _, _, license_id = await seated(world, HOME)
    pseudonym, seen_ms = world.store.vault.pseudonym, world.now_ms + 9
    await saw(world, license_id, seen_ms, HOME, DEVICE)
    await recount(world.store, Counting(64, pseudonym))
    assert await times(world, license_id) == {pseudonym(HOME): seen_ms, pseudonym(DEVICE): seen_ms}
    await saw(world, license_id, seen_ms, OFFICE)  # by a process that was told otherwise, of a seat that is gone
    assert OFFICE in _stored(settings)
    await recount(world.store, Counting(64, pseudonym))
    assert OFFICE not in _stored(settings)


def _stored(settings: DatabaseSettings) -> str:
    return "".join(file.read_bytes().decode("latin-1") for file in settings.path.parent.glob("keyport.db*"))
