"""What validations leave behind: calls counted against the daily quota, and when an address was last seen.

Both live in memory and are written behind in batches, so no validation waits for the disk because of them.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from licensing.ports import Snapshots, Steps, Store, Transaction
from licensing.status import Status

DAY_MS = 86_400_000

T = TypeVar("T")


class UsageMeter:
    """Counts calls per product, UTC day and status; flushed counts are shared with other processes."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._day = -1
        self._totals: dict[tuple[int, int], int] = {}
        self._on_their_way: dict[tuple[int, int], int] = {}
        self._pending: dict[tuple[int, int, str], int] = {}

    async def spend(self, product_id: int, *, limit: int | None, now_ms: int) -> int:
        """Take a call from the quota and return 0, or take nothing and return the whole seconds to 00:00 UTC."""
        key = product_id, now_ms // DAY_MS
        total = await self._total(key)
        if limit is not None and total >= limit:
            return _seconds_to_midnight(now_ms)
        self._totals[key] = total + 1
        self._on_their_way[key] = self._on_their_way.get(key, 0) + 1
        return 0

    async def wait_s(self, product_id: int, *, limit: int | None, now_ms: int) -> int:
        """Return the whole seconds until there is a call to take from the quota, and take none."""
        if limit is None or await self._total((product_id, now_ms // DAY_MS)) < limit:
            return 0
        return _seconds_to_midnight(now_ms)

    def note(self, product_id: int, status: str, *, now_ms: int) -> None:
        """Write down how a call ended, with the time that it was taken from the quota at."""
        day = now_ms // DAY_MS
        key = product_id, day, status
        self._pending[key] = self._pending.get(key, 0) + 1
        if status != Status.RATE_LIMIT_EXCEEDED:
            self._on_their_way[product_id, day] -= 1

    async def flush(self, store: Store) -> None:
        """Write what was counted since the last flush; it is kept for the next one if the store is away.

        Raises: Unavailable.
        """
        pending, self._pending = self._pending, {}
        if not pending:
            return
        rows = [(product_id, day, status, calls) for (product_id, day, status), calls in pending.items()]

        def keep() -> None:
            for key, calls in pending.items():
                self._pending[key] = self._pending.get(key, 0) + calls

        totals = await written(store.write(lambda tx: tx.ledger.add_usage(rows)), keep)
        for product_id, day, total in totals:
            key = product_id, day
            if key in self._totals:
                self._totals[key] = total + self._unwritten(key)

    async def _total(self, key: tuple[int, int]) -> int:
        """Return the calls of a product and day, both: one of yesterday may still be on its way after midnight."""
        product_id, day = key
        if day > self._day:
            self._day, self._totals = day, {}
            self._on_their_way = {key: calls for key, calls in self._on_their_way.items() if calls}
        total = self._totals.get(key)
        if total is None:
            stored = await self._snapshots.calls(product_id, day)
            total = self._totals.setdefault(key, stored + self._unwritten(key))
        return total

    def _unwritten(self, key: tuple[int, int]) -> int:
        return self._on_their_way.get(key, 0) + sum(
            calls
            for (product_id, day, status), calls in self._pending.items()
            if (product_id, day) == key and status != Status.RATE_LIMIT_EXCEEDED
        )


def _seconds_to_midnight(now_ms: int) -> int:
    return -(-(DAY_MS - now_ms % DAY_MS) // 1000)


class LastSeen:
    """Remembers when each registered address and device last validated."""

    def __init__(self) -> None:
        self._addresses: dict[tuple[int, str], int] = {}
        self._devices: dict[tuple[int, str], int] = {}

    def note(self, license_id: int, address: str, *, now_ms: int) -> None:
        """Remember that an address validated."""
        self._addresses[license_id, address] = now_ms

    def note_device(self, license_id: int, device: str, *, now_ms: int) -> None:
        """Remember that a device validated."""
        self._devices[license_id, device] = now_ms

    async def flush(self, store: Store) -> None:
        """Write what was seen since the last flush; it is kept for the next one if the store is away.

        Raises: Unavailable.
        """
        addresses, self._addresses = self._addresses, {}
        devices, self._devices = self._devices, {}
        if not addresses and not devices:
            return

        def keep() -> None:
            self._addresses = addresses | self._addresses
            self._devices = devices | self._devices

        def work(tx: Transaction) -> Steps[None]:
            if addresses:
                yield from tx.addresses.touch(_rows(addresses))
            if devices:
                yield from tx.addresses.touch_devices(_rows(devices))

        await written(store.write(work), keep)


def _rows(seen: dict[tuple[int, str], int]) -> list[tuple[int, str, int]]:
    return [(license_id, name, at_ms) for (license_id, name), at_ms in seen.items()]


async def written(write: Coroutine[Any, Any, T], keep: Callable[[], None]) -> T:
    """Wait for a write; if it fails, keep what it held, also when whoever waited has been cancelled meanwhile."""

    def settle(done: asyncio.Task[T]) -> None:
        if done.cancelled() or done.exception() is not None:
            keep()

    task = asyncio.ensure_future(write)
    task.add_done_callback(settle)
    return await asyncio.shield(task)
