"""Discord's side of a large store: suggestions and searches through the services while validations run."""

from collections.abc import Iterator

from bench.bench import Bench, Data, Server
from bench.load import start
from bench.process import Json
from bench.report import Line

PART = "discord"
_PACE = 6_500  # would be were answers there at once; 5,000 and more are left of it beside the work
_CONNECTIONS = 256  # many, so that the pauses between requests are long beside the answers
_LONGEST_S = 12.0


def measure(bench: Bench) -> Iterator[Line]:
    """Ask what staff ask, in the process that has bot and API, and watch its loop."""
    data = bench.large()
    with bench.server("keyport", database=data.database, gateway=bench.discord()) as ours:
        ours.process.ask(do="connected")
        yield from _asked(bench, data, ours)


def _asked(bench: Bench, data: Data, ours: Server) -> Iterator[Line]:
    count = data.shelves["Widget"].count
    hot = bench.random.sample(range(count), min(10_000, count))
    plan = data.plan("Widget", hot, name="discord")
    ours.measure(plan, connections=_CONNECTIONS, seconds=2 * bench.options.seconds)
    yield _line_of_loop(_beside(bench, data, ours, plan, side=None), "validations alone")
    for side, name, target_ms in (("complete", "suggestions", 100), ("find", "/license find", 300)):
        found = _beside(bench, data, ours, plan, side=side)
        worst = sorted(found["kinds"].items(), key=lambda pair: -pair[1])[:4]
        text = f"{found['p95_ms']:.0f} ms (" + ", ".join(f"{kind} {ms:.0f}" for kind, ms in worst) + ")"
        beside = f"{name}, p95 beside {found['per_second']:,.0f} validations/s"
        yield Line(PART, beside, text, f"< {target_ms} ms", found["p95_ms"] < target_ms)
        yield _line_of_loop(found, name)


def _beside(bench: Bench, data: Data, ours: Server, plan: object, *, side: str | None) -> Json:
    """Run validations at a steady rate and ask meanwhile."""
    seconds = min(_LONGEST_S, 12 * bench.options.seconds)
    load = start(
        ours.port,
        plan,
        connections=_CONNECTIONS,
        seconds=60.0 if side else 4 * bench.options.seconds,
        per_second=_PACE,
    )
    ours.process.ask(do="watch")
    found: Json = {}
    if side:
        asked = {"file": str(data.keys("Widget")), "licenses": data.shelves["Widget"].count}
        found = ours.process.ask(do="look_up", side=side, times=20, seconds=seconds, **asked)
    done = load.stop() if side else load.result()
    return found | {"per_second": done.per_second, "p99_ms": done.p99_ms} | ours.process.ask(do="watched")


def _line_of_loop(found: Json, name: str) -> Line:
    longest = found["loop"]["longest_ms"]
    text = f"{longest:.0f} ms (99 % of looks {found['loop']['p99_ms']:.1f} ms late at most)"
    return Line(PART, f"longest block of the loop: {name}", text, "<= 50 ms", longest <= 50)
