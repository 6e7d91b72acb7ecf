"""Writes: seats taken before the answer, claims, what is written behind, and the lock; then those in bulk."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from bench import bulk
from bench.bench import Bench, Data, Server
from bench.layout import address_of
from bench.load import Plan, write_plan
from bench.report import Line, median, ratio

PART = "writes"
_CONNECTIONS = 64
_KNOWN = 5  # one in so many licenses is known before its next seats are taken
_SHORTEST_S = 0.05
_FASTEST = 12_000  # registrations a second: a run must not come to addresses that are known


def measure(bench: Bench) -> Iterator[Line]:
    """Measure on the large database, each kind of write on licenses of its own."""
    data = bench.large()
    with bench.server("keyport", database=data.database) as ours:
        ours.process.ask(do="watch")
        yield from _registrations(bench, data, bench.bare(), ours)
        yield bulk.longest_lock(ours, "first-seen addresses")
        yield from _claims(bench, data, ours)
        yield bulk.longest_lock(ours, "claims")
        yield from _flushes(bench, data, ours)
        yield from bulk.measure(bench, data, ours)


def _registrations(bench: Bench, data: Data, bare: Server, ours: Server) -> Iterator[Line]:
    """Measure first seats of licenses that nobody asked for yet, then the next ones of some that are in memory."""
    keys = data.keys("Fresh").read_text(encoding="ascii").splitlines()
    known, unknown = keys[: len(keys) // _KNOWN], keys[len(keys) // _KNOWN :]
    yield from _taken(bench, (bare, ours), _seats(data, unknown, (0,)), "of licenses not in memory")
    _ask_all(ours, _seats(data, known, (0,)))
    yield from _taken(bench, (bare, ours), _seats(data, known, (1, 2)), "of licenses in memory")
    yield _written_barely(bench, data, _seats(data, unknown, (0,)))
    commit_ms = _commit_ms(data.folder / "plain.db")
    text = f"{commit_ms:.1f} ms: {_CONNECTIONS} callers that wait for it get {1000 * _CONNECTIONS / commit_ms:,.0f}/s"
    yield Line(PART, "this disk's own commit, by sqlite3 alone", text)


def _taken(bench: Bench, servers: tuple[Server, Server], asked: tuple[Plan, int], what: str) -> Iterator[Line]:
    (bare, ours), (plan, size) = servers, asked
    seconds = min(bench.options.seconds, max(_SHORTEST_S, size / (bench.options.rounds + 1) / _FASTEST))
    offset, rounds = 0, []
    for turn in range(bench.options.rounds + 1):
        theirs = bare.measure(plan, connections=_CONNECTIONS, seconds=seconds)
        found = ours.measure(plan, connections=_CONNECTIONS, seconds=seconds, offset=offset)
        offset += found.load.answers + _CONNECTIONS
        if turn:  # the first run warms up
            rounds.append((found, theirs))
    whole = ratio((found.load.per_second, theirs.load.per_second) for found, theirs in rounds)
    per_second = median(found.load.per_second for found, _ in rounds)
    cpu, of_bare = (median(turn[side].cpu_us for turn in rounds) for side in (0, 1))
    p99 = ratio((found.load.p99_ms, theirs.load.p99_ms) for found, theirs in rounds)
    ms = median(found.load.p99_ms for found, _ in rounds)
    yield Line(
        PART,
        f"first-seen addresses, durable before the answer, {what}",
        f"{whole} of the bare handler, {per_second:,.0f}/s, CPU {cpu:.0f}/{of_bare:.0f} us each; p99 {ms:.1f} ms,"
        f" {p99.median:.2f} times",
        ">= 0.8",
        whole.median >= 0.8,
    )


def _written_barely(bench: Bench, data: Data, asked: tuple[Plan, int]) -> Line:
    """Measure the bare handler that also answers only when a row is on disk: no check, no limit, no count."""
    plan, bare = asked[0], bench.bare()
    with bench.server("writing", database=data.database) as writing:
        rounds = [
            [side.measure(plan, connections=_CONNECTIONS, seconds=bench.options.seconds) for side in (writing, bare)]
            for _ in range(bench.options.rounds + 1)
        ][1:]
    found = ratio((ours.load.per_second, theirs.load.per_second) for ours, theirs in rounds)
    text = f"{found} of the bare handler, CPU {median(ours.cpu_us for ours, _ in rounds):.0f} us each"
    return Line(PART, "the bare handler that also inserts a row durably, and checks and counts nothing", text)


def _ask_all(ours: Server, asked: tuple[Plan, int]) -> None:
    """Ask once for everything of a plan, and perhaps go round: what is asked again is answered from memory."""
    plan, size = asked
    done = 0
    while done < size:
        done += ours.measure(plan, connections=_CONNECTIONS, seconds=1.0, offset=done).load.answers


def _seats(data: Data, keys: Sequence[str], seats: Sequence[int]) -> tuple[Plan, int]:
    """Return what takes these seats of these licenses, one of each after the other, and how many they are."""
    pairs = [(key, address_of(place + seat * len(keys))) for seat in seats for place, key in enumerate(keys)]
    file = data.folder / f"seats-{len(keys)}-{seats[0]}.plan"
    return write_plan(file, data.products["Fresh"]["api_key"], pairs), len(pairs)


def _commit_ms(file: Path) -> float:
    """Return how long a durable commit of so many rows takes where nothing else is done: what no program is under."""
    times = []
    with closing(sqlite3.connect(file, isolation_level=None)) as plain:
        plain.execute("PRAGMA journal_mode = WAL")
        plain.execute("PRAGMA synchronous = FULL")
        plain.execute("CREATE TABLE seats (license_id INTEGER, address TEXT)")
        for turn in range(100):
            plain.execute("BEGIN IMMEDIATE")
            plain.executemany("INSERT INTO seats VALUES (?, ?)", [(turn, address_of(n)) for n in range(_CONNECTIONS)])
            began = time.perf_counter()
            plain.execute("COMMIT")
            times.append(1000 * (time.perf_counter() - began))
    return median(times)


def _claims(bench: Bench, data: Data, ours: Server) -> Iterator[Line]:
    count = min(bench.options.share(0.1), data.shelves["Stock"].count)
    done = ours.process.ask(do="claims", file=str(data.keys("Stock")), first=0, count=count)
    per_second = done["count"] / done["seconds"]
    text = f"{per_second:,.0f}/s ({done['count']:,}, 64 at once)"
    yield Line(PART, "claims through the service", text, ">= 3,000/s", per_second >= 3_000)


def _flushes(bench: Bench, data: Data, ours: Server) -> Iterator[Line]:
    shelf = data.shelves["Widget"]
    count = min(bench.options.share(0.1), shelf.count)
    addresses = [address_of(place) for place in range(count)]
    turns = [
        ours.process.ask(do="flush", first=shelf.first_id, count=count, addresses=addresses)
        for _ in range(bench.options.rounds)
    ]
    ms = median(turn["seen_ms"] for turn in turns)
    yield Line(PART, f"last-seen flush of {count:,} addresses", f"{ms:.1f} ms, {1000 * ms / count:.2f} us each")
    yield bulk.longest_lock(ours, "that flush")
    text = f"{ours.process.ask(do='fold')['ms']:.1f} ms"
    yield Line(PART, f"fold of {len(turns)} such flushes into the seats, done every 10 s", text)
    yield bulk.longest_lock(ours, "that fold")
