"""What validations leave behind: calls counted against the daily quota, and when an address was last seen.

Both live in memory and are written behind in batches, so no validation waits for the disk because of them. Last-seen
times are of very many rows: they go into a log at once, and from there into the rows less often.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from licensing.choices import SeatKind
from licensing.ports import Snapshots, Steps, Store, Transaction
from licensing.services.trails import Seat, Trail
from licensing.status import Status

DAY_MS = 86_400_000
_ENTRY = 5_000  # seats of an entry in the log
_PART = 50  # entries that are folded together: a seat that is in many of them is written once
_MOVED_AT_ONCE = 2_000

T = TypeVar("T")
_Times = list[tuple[int, str, int]]


class Day:
    """The calls of a product on one UTC day: how many in all, on their way to an answer, and not written yet."""

    __slots__ = ("on_their_way", "pending", "total")

    def __init__(self) -> None:
        self.total: int | None = None  # not known until what is stored was read
        self.on_their_way = 0
        self.pending: dict[str, int] = {}

    def note(self, status: str, calls: int = 1) -> None:
        """Write down how calls ended."""
        self.pending[status] = self.pending.get(status, 0) + calls

    @property
    def unwritten(self) -> int:
        """Calls of the quota that no store knows of."""
        return self.on_their_way + sum(self.pending.values()) - self.pending.get(Status.RATE_LIMIT_EXCEEDED, 0)


class UsageMeter:
    """Counts calls per product, UTC day and status; flushed counts are shared with other processes."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._latest = -1
        self._days: dict[tuple[int, int], Day] = {}

    async def spend(self, product_id: int, *, limit: int | None, now_ms: int) -> int:
        """Take a call from the quota and return 0, or take nothing and return the whole seconds to 00:00 UTC."""
        day = self._day(product_id, now_ms)
        total = await self._total(day, product_id, now_ms)
        if limit is not None and total >= limit:
            return _seconds_to_midnight(now_ms)
        day.total = total + 1
        day.on_their_way += 1
        return 0

    async def wait_s(self, product_id: int, *, limit: int | None, now_ms: int) -> int:
        """Return the whole seconds until there is a call to take from the quota, and take none."""
        if limit is None:
            return 0
        if await self._total(self._day(product_id, now_ms), product_id, now_ms) < limit:
            return 0
        return _seconds_to_midnight(now_ms)

    def note(self, product_id: int, status: str, *, now_ms: int) -> None:
        """Write down how a call ended, with the time that it was taken from the quota at."""
        day = self._day(product_id, now_ms)
        day.note(status)
        if status != Status.RATE_LIMIT_EXCEEDED:
            day.on_their_way -= 1

    def count(self, product_id: int, status: str, *, limit: int | None, now_ms: int) -> bool:
        """Take a call from the quota and write it down at once; False where it has to be asked for, or is spent."""
        day = self._days.get((product_id, now_ms // DAY_MS))
        if day is None or day.total is None or (limit is not None and day.total >= limit):
            return False
        day.total += 1
        pending = day.pending
        pending[status] = pending.get(status, 0) + 1
        return True

    async def flush(self, store: Store) -> None:
        """Write what was counted since the last flush; it is kept for the next one if the store is away.

        Raises: Unavailable.
        """
        taken = {key: day.pending for key, day in self._days.items() if day.pending}
        if not taken:
            return
        for key in taken:
            self._days[key].pending = {}
        rows = [(*key, status, calls) for key, pending in taken.items() for status, calls in pending.items()]

        def keep() -> None:
            for key, pending in taken.items():
                day = self._days.setdefault(key, Day())
                for status, calls in pending.items():
                    day.note(status, calls)

        totals = await written(store.write(lambda tx: tx.ledger.add_usage(rows)), keep)
        for product_id, number, total in totals:
            day = self._days.get((product_id, number))
            if day is not None and day.total is not None:
                day.total = total + day.unwritten

    def _day(self, product_id: int, now_ms: int) -> Day:
        """Return a product's day; one of yesterday may still be on its way after midnight."""
        number = now_ms // DAY_MS
        if number > self._latest:
            self._latest = number
            self._days = {
                key: day for key, day in self._days.items() if key[1] >= number - 1 or day.on_their_way or day.pending
            }
        key = product_id, number
        day = self._days.get(key)
        if day is None:
            day = self._days[key] = Day()
        return day

    async def _total(self, day: Day, product_id: int, now_ms: int) -> int:
        if day.total is None:
            stored = await self._snapshots.calls(product_id, now_ms // DAY_MS)
            if day.total is None:  # nobody else was told meanwhile
                day.total = stored + day.unwritten
        return day.total


def _seconds_to_midnight(now_ms: int) -> int:
    return -(-(DAY_MS - now_ms % DAY_MS) // 1000)


class LastSeen:
    """Remembers when each registered address and device last validated."""

    def __init__(self) -> None:
        self._noted: dict[SeatKind, dict[Seat, int]] = {kind: {} for kind in SeatKind}
        self._trails: list[Trail] = []

    def note(self, seat: Seat, *, now_ms: int) -> None:
        """Remember that an address validated."""
        self._noted[SeatKind.ADDRESS][seat] = now_ms

    def note_device(self, seat: Seat, *, now_ms: int) -> None:
        """Remember that a device validated."""
        self._noted[SeatKind.DEVICE][seat] = now_ms

    def follow(self, trail: Trail) -> None:
        """Remember that the seats of a trail validated, at the time of its last call."""
        trail.is_seen = True
        self._trails.append(trail)

    async def flush(self, store: Store) -> None:
        """Write what was seen since the last flush into the log; it is kept for the next one if the store is away.

        Raises: Unavailable.
        """
        taken = self._take()
        if any(taken.values()):
            await written(store.write(partial(_append, taken)), partial(self._keep, taken))

    def _take(self) -> dict[SeatKind, _Times]:
        taken = {kind: [(*seat, at_ms) for seat, at_ms in noted.items()] for kind, noted in self._noted.items()}
        addresses, devices = taken[SeatKind.ADDRESS], taken[SeatKind.DEVICE]
        trails, self._trails = self._trails, []
        for trail in trails:
            trail.is_seen = False
            if trail.address is not None:
                addresses.append((*trail.address, trail.last_ms))
            if trail.device is not None:
                devices.append((*trail.device, trail.last_ms))
        self._noted = {kind: {} for kind in SeatKind}
        return taken

    def _keep(self, unwritten: dict[SeatKind, _Times]) -> None:
        for kind, times in unwritten.items():
            noted = self._noted[kind]
            for license_id, name, at_ms in times:
                seat = license_id, name
                noted[seat] = max(at_ms, noted.get(seat, at_ms))


def _append(seen: dict[SeatKind, _Times], tx: Transaction) -> Steps[None]:
    for kind, times in seen.items():
        for start in range(0, len(times), _ENTRY):
            yield from tx.seen.append(kind, times[start : start + _ENTRY])


async def fold_seen(store: Store) -> None:
    """Bring what the log holds now into the tables of seats; any number of processes may do so at once.

    Only what has come into the tables leaves the log, and no time is ever moved back: whatever is done twice, or was
    cut off and is done again, ends alike.

    Raises: Unavailable.
    """
    for last_id in await store.read(lambda tx: tx.seen.parts(entries=_PART)):
        for kind in SeatKind:
            await _fold_part(store, kind, last_id)
        await store.write(partial(_forget, last_id))


async def _fold_part(store: Store, kind: SeatKind, last_id: int) -> None:
    """Fold a part's seats of a kind, so few in each transaction that others find the lock free in time."""
    for seats in await store.read(lambda tx: tx.seen.newest(kind, last_id=last_id, seats=_MOVED_AT_ONCE)):
        await store.write(partial(_move, kind, seats))


def _move(kind: SeatKind, seats: str, tx: Transaction) -> Steps[None]:
    return tx.seen.move(kind, seats)


def _forget(last_id: int, tx: Transaction) -> Steps[None]:
    return tx.seen.forget(last_id=last_id)


async def written(write: Coroutine[Any, Any, T], keep: Callable[[], None]) -> T:
    """Wait for a write; if it fails, keep what it held, also when whoever waited has been cancelled meanwhile."""

    def settle(done: asyncio.Task[T]) -> None:
        if done.cancelled() or done.exception() is not None:
            keep()

    task = asyncio.ensure_future(write)
    task.add_done_callback(settle)
    return await asyncio.shield(task)
