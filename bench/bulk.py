"""What is written in bulk beside validations: a lot of keys, a revocation of many licenses, the expiry sweep."""

from collections.abc import Iterator

from bench.bench import Bench, Data, Server
from bench.load import Plan, start
from bench.report import Line, median

PART = "writes"
_PACE = 2_000  # validations a second beside
_CONNECTIONS = 16
_LOOKS = 3  # at how long validations take with nothing beside
_IDLE_S = 3.0  # so long that connecting does not count
_CALM = ("revoke", "sweep")  # what changes licenses that are asked for has a target for that
_SWEEP_S = 12.0  # the sweep is cut off then, and its whole time reckoned from what it did


def measure(bench: Bench, data: Data, ours: Server) -> Iterator[Line]:
    """Measure on a server that watches itself."""
    plan = data.plan("Widget", range(min(1_000, data.shelves["Widget"].count)), name="beside")
    _validations(ours, plan, 0.5)
    seconds = min(_IDLE_S, 4 * bench.options.seconds)
    idle_ms = median(_validations(ours, plan, seconds) for _ in range(_LOOKS))
    works = {
        "issuing 100,000 keys into the rest": {"what": "issue", "product": "Stock", "limit": bench.options.share(1)},
        "bulk-revoking 100,000": {"what": "revoke", "product": "Bulk"},
        "expiry sweep": {"what": "sweep", "limit": data.shelves["Ending"].count, "seconds": _SWEEP_S},
    }
    for name, order in works.items():
        yield from _beside(ours, plan, name, order, idle_ms=idle_ms)


def _validations(ours: Server, plan: Plan, seconds: float) -> float:
    """Return the p99 of validations that nothing else disturbs."""
    return start(ours.port, plan, connections=_CONNECTIONS, seconds=seconds, per_second=_PACE).result().p99_ms


def _beside(ours: Server, plan: Plan, name: str, order: dict[str, object], *, idle_ms: float) -> Iterator[Line]:
    ours.process.ask(do="watch")
    beside = start(ours.port, plan, connections=_CONNECTIONS, seconds=60.0, per_second=_PACE)
    done = ours.process.ask(do="in_bulk", **order)
    busy = beside.stop()
    watched = ours.process.ask(do="watched")
    reckoned = done["seconds"] * 100_000 / max(1, done["count"])
    text = f"{reckoned:.1f} s for 100,000 ({done['count']:,} in {done['seconds']:.1f} s)"
    yield Line(PART, f"{name}, beside {busy.per_second:,.0f} validations/s", text, "<= 5 s", reckoned <= 5)
    times = busy.p99_ms / idle_ms
    text = f"{busy.p99_ms:.1f} ms, {times:.1f} times its idle {idle_ms:.1f} ms"
    target, met = ("< 2 times", times < 2) if order["what"] in _CALM else ("", None)
    yield Line(PART, f"validations' p99 meanwhile: {name}", text, target, met)
    longest = watched["lock"]["longest_ms"]
    yield Line(PART, f"longest lock held: {name}", f"{longest:.0f} ms", "<= 100 ms", longest <= 100)
    longest = watched["loop"]["longest_ms"]
    yield Line(PART, f"longest block of the loop: {name}", f"{longest:.0f} ms", "<= 50 ms", longest <= 50)


def longest_lock(ours: Server, what: str) -> Line:
    """Return the line of the longest lock since the last look, and look anew."""
    longest = ours.process.ask(do="watched")["lock"]["longest_ms"]
    ours.process.ask(do="watch")
    return Line(PART, f"longest lock held: {what}", f"{longest:.0f} ms", "<= 100 ms", longest <= 100)
