"""What a server is asked to do beside answering requests: watch itself, claim, work in bulk, flush, search.

An order is `{"do": NAME, ...}`; everything runs on the loop that serves, as it does when the bot does it.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from bench.layout import ORGANIZATION_ID
from bench.process import Json
from bench.report import percentile

_TICK_S = 0.002


class LoopWatch:
    """Wakes up all the time and notes how much too late: how long the loop was blocked."""

    def __init__(self) -> None:
        self._late_ms: list[float] = []
        self._handle: asyncio.TimerHandle | None = None
        self._due = 0.0

    def start(self) -> None:
        self._late_ms.clear()
        self._arm()

    def stop(self) -> Json:
        if self._handle:
            self._handle.cancel()
        late = self._late_ms or [0.0]
        return {"longest_ms": max(late), "p99_ms": percentile(late, 0.99), "looks": len(late)}

    def _arm(self) -> None:
        self._due = time.perf_counter() + _TICK_S
        self._handle = asyncio.get_running_loop().call_later(_TICK_S, self._look)

    def _look(self) -> None:
        self._late_ms.append(1000 * (time.perf_counter() - self._due))
        self._arm()


class LockWatch:
    """How long each transaction of this process's writer held the database's lock."""

    def __init__(self) -> None:
        self.held_ms: list[float] = []

    def taken(self) -> Json:
        held, self.held_ms = self.held_ms or [0.0], []
        return {"longest_ms": max(held), "sum_ms": sum(held), "groups": len(held)}


class CollectionWatch:
    """How long each garbage collection blocked everything: Python makes them when it thinks fit."""

    def __init__(self) -> None:
        self.took_ms: list[float] = []
        self._began = 0.0

    def __call__(self, phase: str, _info: Json) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.took_ms.append(1000 * (time.perf_counter() - self._began))


_loop_watch, _lock_watch, _collections = LoopWatch(), LockWatch(), CollectionWatch()


def time_the_lock() -> None:
    """Note how long each group of transactions takes, from before its BEGIN IMMEDIATE to after its COMMIT.

    A stopwatch around a private function: storage itself has no reason to time it.
    """
    from storage import writer  # noqa: PLC0415 - not for the bare handler

    commit_together = writer._commit_together  # noqa: SLF001

    def timed(*arguments: Any) -> int:
        began = time.perf_counter()
        try:
            return commit_together(*arguments)
        finally:
            _lock_watch.held_ms.append(1000 * (time.perf_counter() - began))

    writer._commit_together = timed  # noqa: SLF001


async def watch(_house: Any, _order: Json) -> Json:
    _loop_watch.start()
    _lock_watch.taken()
    return {}


async def watched(_house: Any, _order: Json) -> Json:
    return {"loop": _loop_watch.stop(), "lock": _lock_watch.taken()}


async def refused(house: Any, _order: Json) -> Json:
    """Tell how many validations came to which verdict but a good one."""
    return {status: count for status, count in house.metrics.by_status.items() if status != "active"}


def time_collections() -> None:
    gc.callbacks.append(_collections)


async def collect(_house: Any, _order: Json) -> Json:
    """Tell how long the garbage collections until now took, and how long one of all that there is takes."""
    took, began = _collections.took_ms or [0.0], time.perf_counter()
    by_itself = {"longest_ms": max(took), "count": len(_collections.took_ms)}
    gc.collect()
    return {"full_ms": 1000 * (time.perf_counter() - began)} | by_itself


async def modules(_house: Any, order: Json) -> Json:
    """Tell which of some modules were imported."""
    return {"imported": [name for name in order["names"] if name in sys.modules]}


async def connected(house: Any, _order: Json) -> Json:
    """Wait until the bot is connected."""
    async with asyncio.timeout(20):
        while house.health.discord != "connected":  # noqa: ASYNC110 - the house tells nobody
            await asyncio.sleep(0.02)
    return {}


async def claims(house: Any, order: Json) -> Json:
    """Let members claim stock, each one license, so many at once."""
    from licensing.models import Actor  # noqa: PLC0415
    from licensing.services.account import AccountService  # noqa: PLC0415

    account = AccountService(house.store, house.store.vault, clock=house.clock)
    keys = _lines(Path(order["file"]), order["first"], order["count"])

    async def claim(number: int, key: str) -> None:
        member = Actor(organization_id=ORGANIZATION_ID, id=2 * 10**15 + number, name=f"Member {number}")
        await account.claim(member, key)

    seconds = await _at_once([lambda n=n, key=key: claim(n, key) for n, key in enumerate(keys, order["first"])], 64)
    return {"seconds": seconds, "count": len(keys)}


async def in_bulk(house: Any, order: Json) -> Json:
    """Do something to many licenses at once."""
    from bench.bulk_chores import done_in_bulk  # noqa: PLC0415

    return await done_in_bulk(house, order)


async def flush(house: Any, order: Json) -> Json:
    """Write what so many validations leave: last-seen times of different licenses, and their counts."""
    first, count = order["first"], order["count"]
    now_ms = house.clock()
    for place in range(count):
        house.traces.seen.note((first + place, order["addresses"][place]), now_ms=now_ms)
    began = time.perf_counter()
    await house.traces.seen.flush(house.store)
    return {"seen_ms": 1000 * (time.perf_counter() - began)}


async def fold(house: Any, _order: Json) -> Json:
    """Bring last-seen times from the log into the tables."""
    from licensing.services.usage import fold_seen  # noqa: PLC0415 - not for the bare handler

    began = time.perf_counter()
    await fold_seen(house.store)
    return {"ms": 1000 * (time.perf_counter() - began)}


async def change(house: Any, order: Json) -> Json:
    """Do one thing to one license, as staff do it through the bot."""
    from bench.changes import changes_of  # noqa: PLC0415
    from licensing.errors import NoAddresses  # noqa: PLC0415
    from licensing.ports import Unavailable  # noqa: PLC0415

    try:
        await changes_of(house.store, house.clock)[order["what"]](order["license"])
    except (NoAddresses, Unavailable) as error:
        return {"refused": type(error).__name__}
    return {}


async def look_up(house: Any, order: Json) -> Json:
    """Time what Discord's side asks: suggestions while staff type, and pages of a search."""
    from bench.lookups import timed_lookups  # noqa: PLC0415

    return await timed_lookups(house, order)


async def _at_once(works: Sequence[Callable[[], Awaitable[None]]], workers: int) -> float:
    waiting = iter(works)

    async def work() -> None:
        for each in waiting:
            await each()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(workers)))
    return time.perf_counter() - began


def _lines(file: Path, first: int, count: int) -> list[str]:
    with file.open(encoding="ascii") as lines:
        return [line.rstrip() for line in islice(lines, first, first + count)]


_CHORES = {
    each.__name__: each
    for each in (watch, watched, refused, collect, modules, connected, claims, in_bulk, flush, fold, change, look_up)
}


async def carry_out(house: Any, order: Json) -> Json:
    """Do what an order says and return what came of it."""
    return await _CHORES[order["do"]](house, order)
