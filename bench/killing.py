"""Kills a server at a random moment under load and looks at what its database kept of what had been answered."""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.bench import Bench, Data, Server
from bench.callers import Crowd, wall_ms
from bench.load import request_of
from bench.report import Line
from licensing.services.usage import fold_seen

PART = "truth"
_CONNECTIONS = 32
_RACED_FOR = 400  # licenses that never had an address, so that seats are fought for
_CALLERS_EACH = 8
_SEATS = 3
_WINDOW_S = 1.0

Seat = tuple[int, str]


@dataclass(slots=True)
class Answered:
    """An answer that came: when, and of which seat it was, when it was asked for."""

    at: float
    seat: Seat
    asked_ms: int
    is_active: bool


@dataclass(slots=True)
class Kept:
    """What the database kept, held to what had been answered."""

    answers: int = 0
    lost_calls_s: float = 0.0
    lost_seen_s: float = 0.0
    oversold: int = 0
    forgotten: int = 0
    counted_too_much: int = 0


@dataclass(slots=True)
class Witness:
    """Asks for licenses from more addresses than they have seats, and remembers what it was told."""

    data: Data
    random: random.Random
    asked: int = 0
    answers: list[Answered] = field(default_factory=list)
    requests: list[tuple[bytes, Seat]] = field(default_factory=list)

    def __post_init__(self) -> None:
        shelf, api_key = self.data.shelves["Fresh"], self.data.products["Fresh"]["api_key"]
        keys = self.data.keys("Fresh").read_text(encoding="ascii").splitlines()[:_RACED_FOR]
        self.requests = [
            (request_of(key, address, api_key), (shelf.first_id + place, address))
            for place, key in enumerate(keys)
            for address in (f"198.51.{caller}.{place % 250}" for caller in range(_CALLERS_EACH))
        ]

    def ask(self) -> tuple[bytes, tuple[Seat, int]]:
        self.asked += 1
        request, seat = self.random.choice(self.requests)
        return request, (seat, wall_ms())

    def answered(self, note: tuple[Seat, int], status: str, _data: bytes) -> None:
        seat, asked_ms = note
        self.answers.append(Answered(time.perf_counter(), seat, asked_ms, status == "active"))


def killings(bench: Bench) -> Iterator[Line]:
    """Kill several servers one after the other and report the worst of what was found."""
    found = [_killed(bench, turn) for turn in range(bench.options.kills)]
    what = f"after {len(found)} times kill -9"
    answers = sum(one.answers for one in found)
    calls, seen = max(one.lost_calls_s for one in found), max(one.lost_seen_s for one in found)
    too_many = sum(one.counted_too_much for one in found)
    text = f"the last {calls:.2f} s at worst, of {answers:,} answers; counted too often: {too_many}"
    yield Line(PART, f"usage missing {what}", text, "<= 1 s", calls <= _WINDOW_S and not too_many)
    yield Line(
        PART, f"last-seen times missing {what}", f"the last {seen:.2f} s at worst", "<= 1 s", seen <= _WINDOW_S
    )
    oversold, forgotten = sum(one.oversold for one in found), sum(one.forgotten for one in found)
    yield Line(PART, f"licenses with more seats than sold {what}", str(oversold), "0", oversold == 0)
    yield Line(PART, f"acknowledged registrations lost {what}", str(forgotten), "0", forgotten == 0)


def _killed(bench: Bench, turn: int) -> Kept:
    data = bench.small(f"kill-{turn}")
    with bench.server("keyport", database=data.database) as server:
        witness = Witness(data, random.Random(turn))
        killed_at = asyncio.run(_until_killed(server, witness, 0.8 + bench.random.random()))
    return asyncio.run(_kept(data, witness, killed_at))


async def _until_killed(server: Server, witness: Witness, seconds: float) -> float:
    crowd = Crowd(server.port, witness.ask, witness.answered)
    await crowd.begin(_CONNECTIONS)
    await asyncio.sleep(seconds)
    killed_at = time.perf_counter()
    await asyncio.to_thread(server.process.kill)
    await crowd.ended()
    return killed_at


async def _kept(data: Data, witness: Witness, killed_at: float) -> Kept:
    from bench.truth import rows_of, store_of  # noqa: PLC0415 - it imports this module

    async with store_of(data) as store:
        await fold_seen(store)  # as the next start does
    product = data.products["Fresh"]["id"]
    calls = await rows_of(data, "SELECT COALESCE(SUM(calls), 0) FROM usage_daily WHERE product_id = :id", id=product)
    sql = (
        "SELECT license_id, address, last_seen_at_ms FROM license_addresses WHERE license_id BETWEEN :first AND :last"
    )
    first = data.shelves["Fresh"].first_id
    seats = await rows_of(data, sql, first=first, last=first + _RACED_FOR)
    stored = {(license_id, address): at_ms for license_id, address, at_ms in seats}
    taken: dict[int, int] = {}
    for license_id, _address in stored:
        taken[license_id] = taken.get(license_id, 0) + 1
    return Kept(
        answers=len(witness.answers),
        lost_calls_s=_lost_s(witness.answers[calls[0][0] :], killed_at),
        lost_seen_s=_lost_s(_unseen(witness.answers, stored), killed_at),
        oversold=sum(count > _SEATS for count in taken.values()),
        forgotten=len({one.seat for one in witness.answers if one.is_active} - stored.keys()),
        counted_too_much=max(0, calls[0][0] - witness.asked),
    )


def _unseen(answers: list[Answered], stored: dict[Seat, int]) -> list[Answered]:
    """Return the answers that a stored last-seen time knows nothing of."""
    return [one for one in answers if one.is_active and stored.get(one.seat, 0) < one.asked_ms]


def _lost_s(missing: list[Answered], killed_at: float) -> float:
    """Return how long before the end the first of the missing was answered."""
    return max((killed_at - one.at for one in missing), default=0.0)
