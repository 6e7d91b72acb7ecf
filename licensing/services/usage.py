"""What validations leave behind: calls counted against the daily quota, and when an address was last seen.

Both live in memory and are written behind in batches, so no validation waits for the disk because of them.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from licensing.ports import Snapshots, Store

DAY_MS = 86_400_000

T = TypeVar("T")


class UsageMeter:
    """Counts calls per product and UTC day; flushed counts are shared with other processes."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._day = -1
        self._totals: dict[tuple[int, int], int] = {}
        self._pending: dict[tuple[int, int], int] = {}

    async def spend(self, product_id: int, *, limit: int | None, now_ms: int) -> int:
        """Count a call and return 0, or count nothing and return the whole seconds to 00:00 UTC."""
        day = now_ms // DAY_MS
        if day > self._day:
            self._day, self._totals = day, {}
        key = product_id, day  # both: a call of yesterday may still be on its way after midnight
        total = self._totals.get(key)
        if total is None:
            stored = await self._snapshots.calls(product_id, day)
            total = self._totals.setdefault(key, stored + self._pending.get(key, 0))
        if limit is not None and total >= limit:
            return -(-(DAY_MS - now_ms % DAY_MS) // 1000)
        self._totals[key] = total + 1
        self._pending[key] = self._pending.get(key, 0) + 1
        return 0

    async def flush(self, store: Store) -> None:
        """Write what was counted since the last flush; it is kept for the next one if the store is away.

        Raises: Unavailable.
        """
        pending, self._pending = self._pending, {}
        if not pending:
            return
        rows = [(product_id, day, calls) for (product_id, day), calls in pending.items()]

        def keep() -> None:
            for key, calls in pending.items():
                self._pending[key] = self._pending.get(key, 0) + calls

        totals = await _written(store.write(lambda tx: tx.ledger.add_usage(rows)), keep)
        for product_id, day, total in totals:
            key = product_id, day
            if key in self._totals:
                self._totals[key] = total + self._pending.get(key, 0)


class LastSeen:
    """Remembers when each registered address last validated."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str], int] = {}

    def note(self, license_id: int, address: str, *, now_ms: int) -> None:
        """Remember that an address validated."""
        self._seen[license_id, address] = now_ms

    async def flush(self, store: Store) -> None:
        """Write what was seen since the last flush; it is kept for the next one if the store is away.

        Raises: Unavailable.
        """
        seen, self._seen = self._seen, {}
        if not seen:
            return
        rows = [(license_id, address, at_ms) for (license_id, address), at_ms in seen.items()]

        def keep() -> None:
            self._seen = seen | self._seen

        await _written(store.write(lambda tx: tx.addresses.touch(rows)), keep)


async def _written(write: Coroutine[Any, Any, T], keep: Callable[[], None]) -> T:
    """Wait for a write; if it fails, keep what it held, also when whoever waited has been cancelled meanwhile."""

    def settle(done: asyncio.Task[T]) -> None:
        if done.cancelled() or done.exception() is not None:
            keep()

    task = asyncio.ensure_future(write)
    task.add_done_callback(settle)
    return await asyncio.shield(task)
