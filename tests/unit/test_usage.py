"""Counting calls against the daily quota, and writing behind what validations leave."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from factories import ADDRESS, DAY_MS, LICENSE_ID, NOW_MS, PRODUCT_ID

from licensing.ports import Unavailable
from licensing.services.usage import LastSeen, UsageMeter

DAY = NOW_MS // DAY_MS
MIDNIGHT_MS = DAY * DAY_MS
Calls = dict[tuple[int, int], int]


class Counts:
    """The stored calls per product and day, as any number of processes share them; reading can be held up."""

    def __init__(self) -> None:
        self.stored: Calls = {}
        self.reads = 0
        self.readers: asyncio.Queue[int] = asyncio.Queue()
        self.gate: asyncio.Event | None = None

    async def product(self, api_key_digest: bytes) -> None:
        """Know no product."""

    async def license(self, product_id: int, key_digest: bytes) -> None:
        """Know no license."""

    async def calls(self, product_id: int, day: int) -> int:
        self.reads += 1
        self.readers.put_nowait(day)
        found = self.stored.get((product_id, day), 0)
        if self.gate is not None:
            await self.gate.wait()
        return found


class SharedStore:
    """A store that holds usage and last-seen times alone, and can be away or slow."""

    def __init__(self, counts: Counts) -> None:
        self.snapshots = counts
        self.seen: dict[tuple[int, str], int] = {}
        self.away = False
        self.writes = 0
        self.meanwhile: Callable[[], Coroutine[Any, Any, None]] | None = None

    async def write(self, work: Callable[[Any], Generator[Any, Any, Any]]) -> Any:
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        if self.away:
            raise Unavailable
        self.writes += 1
        ledger = SimpleNamespace(add_usage=self._add_usage)
        seen = SimpleNamespace(append=self._append_seen)
        steps = work(SimpleNamespace(ledger=ledger, seen=seen))
        try:
            next(steps)
        except StopIteration as done:
            return done.value
        raise AssertionError("this store answers in one step")

    async def read(self, work: Callable[[Any], Generator[Any, Any, Any]]) -> Any:
        return await self.write(work)

    def _add_usage(self, calls: Sequence[tuple[int, int, str, int]]) -> Generator[Any, Any, Any]:
        counted = [(product_id, day, count) for product_id, day, status, count in calls if status == "active"]
        for product_id, day, count in counted:
            self.snapshots.stored[product_id, day] = self.snapshots.stored.get((product_id, day), 0) + count
        return [(product_id, day, self.snapshots.stored[product_id, day]) for product_id, day, _ in counted]
        yield

    def _append_seen(self, _kind: str, seen: Sequence[tuple[int, str, int]]) -> Generator[Any, Any, None]:
        self.seen |= {(license_id, address): at_ms for license_id, address, at_ms in seen}
        return
        yield


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def store(counts: Counts) -> SharedStore:
    return SharedStore(counts)


async def spend(
    meter: UsageMeter, times: int = 1, *, limit: int | None = None, now_ms: int = NOW_MS, product_id: int = PRODUCT_ID
) -> list[int]:
    """Make calls one after another, each to its end; return how long each has to wait."""
    waits = []
    for _ in range(times):
        waits.append(await meter.spend(product_id, limit=limit, now_ms=now_ms))
        meter.note(product_id, "rate_limit_exceeded" if waits[-1] else "active", now_ms=now_ms)
    return waits


async def test_the_quota_lets_exactly_its_number_of_calls_through(counts: Counts):
    waits = await spend(UsageMeter(counts), 5, limit=3)
    assert [wait > 0 for wait in waits] == [False, False, False, True, True]


async def test_without_a_limit_every_call_passes_and_is_counted(counts: Counts, store: SharedStore):
    meter = UsageMeter(counts)
    assert await spend(meter, 50) == [0] * 50
    await meter.flush(store)
    assert counts.stored == {(PRODUCT_ID, DAY): 50}


@pytest.mark.parametrize(
    ("into_the_day_ms", "seconds"),
    [(0, 86_400), (1, 86_400), (1_000, 86_399), (DAY_MS - 1_001, 2), (DAY_MS - 1_000, 1), (DAY_MS - 1, 1)],
)
async def test_a_spent_quota_tells_the_whole_seconds_to_midnight_utc(
    counts: Counts, into_the_day_ms: int, seconds: int
):
    assert await spend(UsageMeter(counts), limit=0, now_ms=MIDNIGHT_MS + into_the_day_ms) == [seconds]


async def test_whoever_waits_the_seconds_they_were_told_is_let_through(counts: Counts):
    meter = UsageMeter(counts)
    await spend(meter, limit=1)
    [wait_s] = await spend(meter, limit=1)
    assert await spend(meter, limit=1, now_ms=NOW_MS + wait_s * 1_000) == [0]


async def test_asking_how_long_the_quota_is_spent_takes_nothing_from_it(counts: Counts):
    meter, waits = UsageMeter(counts), []
    for _ in range(3):
        waits += [await meter.wait_s(PRODUCT_ID, limit=2, now_ms=MIDNIGHT_MS) for _ in range(5)]
        await spend(meter, limit=2, now_ms=MIDNIGHT_MS)
    assert waits == [0] * 10 + [86_400] * 5
    assert await meter.wait_s(PRODUCT_ID, limit=None, now_ms=MIDNIGHT_MS) == 0


async def test_the_quota_resets_at_midnight_utc_and_not_a_millisecond_sooner(counts: Counts):
    meter, midnight_ms = UsageMeter(counts), MIDNIGHT_MS + DAY_MS
    await spend(meter, 2, limit=2)
    assert await spend(meter, limit=2, now_ms=midnight_ms - 1) == [1]
    assert await spend(meter, 2, limit=2, now_ms=midnight_ms) == [0, 0]


async def test_refused_calls_are_not_counted(counts: Counts, store: SharedStore):
    meter = UsageMeter(counts)
    await spend(meter, 10, limit=3)
    await meter.flush(store)
    assert counts.stored == {(PRODUCT_ID, DAY): 3}


async def test_products_do_not_share_their_quota(counts: Counts):
    meter = UsageMeter(counts)
    assert await spend(meter, limit=1) == [0]
    assert await spend(meter, limit=1, product_id=PRODUCT_ID + 1) == [0]
    assert await spend(meter, limit=1) != [0]


async def test_calls_counted_before_a_restart_still_count(counts: Counts):
    counts.stored[PRODUCT_ID, DAY] = 9
    waits = await spend(UsageMeter(counts), 2, limit=10)
    assert [wait > 0 for wait in waits] == [False, True]


async def test_the_stored_count_is_read_once_a_day_and_not_at_every_call(counts: Counts):
    meter = UsageMeter(counts)
    await spend(meter, 20)
    await spend(meter, 20, now_ms=NOW_MS + DAY_MS)
    assert counts.reads == 2


async def test_callers_who_arrive_while_the_stored_count_is_read_share_one_quota(counts: Counts):
    counts.stored[PRODUCT_ID, DAY] = 2
    counts.gate = asyncio.Event()
    meter = UsageMeter(counts)
    racing = [asyncio.create_task(meter.spend(PRODUCT_ID, limit=5, now_ms=NOW_MS)) for _ in range(10)]
    for _ in racing:
        await counts.readers.get()
    counts.gate.set()
    assert [await call > 0 for call in racing].count(False) == 3


async def test_a_call_of_yesterday_that_answers_after_midnight_spends_nothing_of_today(
    counts: Counts, store: SharedStore
):
    counts.stored[PRODUCT_ID, DAY] = 5
    counts.gate = asyncio.Event()
    meter, tomorrow_ms = UsageMeter(counts), MIDNIGHT_MS + DAY_MS
    late = asyncio.create_task(meter.spend(PRODUCT_ID, limit=10, now_ms=tomorrow_ms - 1))
    assert await counts.readers.get() == DAY
    early = asyncio.create_task(meter.spend(PRODUCT_ID, limit=10, now_ms=tomorrow_ms))
    assert await counts.readers.get() == DAY + 1
    counts.gate.set()
    assert (await late, await early) == (0, 0)
    for at_ms in (tomorrow_ms - 1, tomorrow_ms):
        meter.note(PRODUCT_ID, "active", now_ms=at_ms)
    waits = await spend(meter, 10, limit=10, now_ms=tomorrow_ms)
    assert [wait > 0 for wait in waits] == [False] * 9 + [True]
    await meter.flush(store)
    assert counts.stored == {(PRODUCT_ID, DAY): 6, (PRODUCT_ID, DAY + 1): 10}


async def test_a_clock_that_steps_back_over_midnight_forgets_no_call(counts: Counts):
    meter, tomorrow_ms = UsageMeter(counts), MIDNIGHT_MS + DAY_MS
    await spend(meter, 2, limit=2, now_ms=tomorrow_ms - 1)
    await spend(meter, 2, limit=2, now_ms=tomorrow_ms)
    assert await spend(meter, limit=2, now_ms=tomorrow_ms - 1) == [1]
    assert await spend(meter, limit=2, now_ms=tomorrow_ms) == [86_400]


async def test_flushes_add_up_and_an_idle_one_writes_nothing(counts: Counts, store: SharedStore):
    meter = UsageMeter(counts)
    for _ in range(3):
        await spend(meter, 4)
        await spend(meter, 1, product_id=PRODUCT_ID + 1)
        await meter.flush(store)
    await meter.flush(store)
    assert counts.stored == {(PRODUCT_ID, DAY): 12, (PRODUCT_ID + 1, DAY): 3}
    assert store.writes == 3


async def test_a_flush_itself_spends_nothing(counts: Counts, store: SharedStore):
    meter = UsageMeter(counts)
    await spend(meter, 3)
    await meter.flush(store)
    waits = await spend(meter, 3, limit=5)
    assert [wait > 0 for wait in waits] == [False, False, True]


async def test_calls_of_both_days_are_written_after_midnight(counts: Counts, store: SharedStore):
    meter = UsageMeter(counts)
    await spend(meter, 3)
    await spend(meter, 2, now_ms=NOW_MS + DAY_MS)
    await meter.flush(store)
    assert counts.stored == {(PRODUCT_ID, DAY): 3, (PRODUCT_ID, DAY + 1): 2}


async def test_a_flush_that_fails_keeps_the_counts_for_the_next_one(counts: Counts, store: SharedStore):
    meter, store.away = UsageMeter(counts), True
    await spend(meter, 3)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await meter.flush(store)
    await spend(meter, 2)
    assert await spend(meter, limit=5) != [0]
    store.away = False
    await meter.flush(store)
    assert counts.stored == {(PRODUCT_ID, DAY): 5}


@pytest.mark.parametrize("away", [False, True])
async def test_calls_that_arrive_during_a_flush_are_neither_lost_nor_counted_twice(
    counts: Counts, store: SharedStore, away: bool
):
    meter = UsageMeter(counts)

    async def more() -> None:
        await spend(meter, 2)

    await spend(meter, 3)
    store.meanwhile, store.away = more, away
    if away:
        with pytest.raises(Unavailable):
            await meter.flush(store)
    else:
        await meter.flush(store)
    waits = await spend(meter, 2, limit=6)
    assert [wait > 0 for wait in waits] == [False, True]
    store.away = False
    await meter.flush(store)
    assert counts.stored == {(PRODUCT_ID, DAY): 6}


async def test_calls_of_another_process_count_from_the_next_flush_on(counts: Counts, store: SharedStore):
    here, there = UsageMeter(counts), UsageMeter(counts)
    await spend(here, 1, limit=10)
    await spend(there, 9, limit=10)
    await there.flush(store)
    await here.flush(store)
    assert await spend(here, limit=10) != [0]
    assert counts.stored == {(PRODUCT_ID, DAY): 10}


async def test_an_address_is_written_with_the_time_it_was_seen_last(store: SharedStore):
    seen = LastSeen()
    for later_ms in range(3):
        seen.note((LICENSE_ID, ADDRESS), now_ms=NOW_MS + later_ms)
    seen.note((LICENSE_ID + 1, ADDRESS), now_ms=NOW_MS)
    await seen.flush(store)
    await seen.flush(store)
    assert store.seen == {(LICENSE_ID, ADDRESS): NOW_MS + 2, (LICENSE_ID + 1, ADDRESS): NOW_MS}
    assert store.writes == 1


async def test_what_was_seen_is_kept_while_the_store_is_away_and_never_goes_back(store: SharedStore):
    seen, store.away = LastSeen(), True

    async def again() -> None:
        seen.note((LICENSE_ID, ADDRESS), now_ms=NOW_MS + 5)

    seen.note((LICENSE_ID, ADDRESS), now_ms=NOW_MS)
    seen.note((LICENSE_ID + 1, ADDRESS), now_ms=NOW_MS)
    store.meanwhile = again
    with pytest.raises(Unavailable):
        await seen.flush(store)
    store.away = False
    await seen.flush(store)
    assert store.seen == {(LICENSE_ID, ADDRESS): NOW_MS + 5, (LICENSE_ID + 1, ADDRESS): NOW_MS}
