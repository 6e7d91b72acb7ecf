"""What is written in bulk beside validations: the expiry sweep, and what staff do to many licenses at once."""

import importlib.util
from collections.abc import Iterator

from bench.bench import Bench, Data, Server
from bench.load import start
from bench.report import NOT_BUILT, Line

PART = "writes"
_PACE = 2_000  # validations a second beside
_IDLE_S = 2.0
_SWEEP_S = 12.0  # the sweep is cut off then, and its whole time reckoned from what it did


def measure(bench: Bench, data: Data, ours: Server) -> Iterator[Line]:
    """Measure on a server that watches itself."""
    yield from _sweep(bench, data, ours)
    yield longest_lock(ours, "the expiry sweep")
    yield from _bulk()


def _sweep(bench: Bench, data: Data, ours: Server) -> Iterator[Line]:
    count = data.shelves["Ending"].count
    plan = data.plan("Widget", range(min(1_000, data.shelves["Widget"].count)), name="beside")
    load = {"connections": 16, "seconds": 60.0, "per_second": _PACE}
    start(ours.port, plan, **load | {"seconds": 0.5}).result()
    idle = start(ours.port, plan, **load | {"seconds": min(_IDLE_S, 4 * bench.options.seconds)}).result()
    beside = start(ours.port, plan, **load)
    done = ours.process.ask(do="sweep", limit=count, seconds=_SWEEP_S)
    busy = beside.stop()
    reckoned = done["seconds"] * 100_000 / max(1, done["count"])
    text = f"{reckoned:.1f} s for 100,000 ({done['count']:,} in {done['seconds']:.1f} s)"
    yield Line(PART, f"expiry sweep beside {busy.per_second:,.0f} validations/s", text, "<= 5 s", reckoned <= 5)
    times = busy.p99_ms / idle.p99_ms
    text = f"{busy.p99_ms:.1f} ms, {times:.1f} times its idle {idle.p99_ms:.1f} ms"
    yield Line(PART, "validations' p99 during the sweep", text, "< 2 times", times < 2)


def longest_lock(ours: Server, what: str) -> Line:
    longest = ours.process.ask(do="watched")["lock"]["longest_ms"]
    ours.process.ask(do="watch")
    return Line(PART, f"longest lock held: {what}", f"{longest:.0f} ms", "<= 100 ms", longest <= 100)


def _bulk() -> Iterator[Line]:
    built = importlib.util.find_spec("licensing.services.bulk") is not None
    text = "built, not measured here yet" if built else NOT_BUILT
    yield Line(PART, "issuing 100,000 keys into the rest", text, "<= 5 s", met=False)
    yield Line(PART, "bulk-revoking 100,000", text, "<= 5 s", met=False)
