"""Size: what a million licenses cost the hot path, and memory."""

from collections.abc import Iterator
from contextlib import ExitStack

from bench.bench import Bench, Measured, Server
from bench.load import Plan
from bench.process import memory_mib
from bench.report import Line, Ratio, median, ratio

PART = "size"
_CONNECTIONS = 64
_HOT = 10_000
_ASKED = 150_000  # places that are asked for at random: more than a run gets through
_WARM_UPS = 3

Rounds = list[dict[str, Measured]]


def measure(bench: Bench) -> Iterator[Line]:
    """Compare cold and hot sets of the large database with the bare handler and with the small one."""
    large, small = bench.large(), bench.small("size")
    count = large.shelves["Widget"].count
    hot = bench.random.sample(range(count), min(_HOT, count))
    cold = bench.random.choices(range(count), k=min(_ASKED, 2 * count))
    with ExitStack() as stack:
        bare = bench.bare()
        full = stack.enter_context(bench.server("keyport", database=large.database))
        slight = stack.enter_context(bench.server("keyport", database=small.database))
        few = small.plan("Widget", range(bench.options.small), name="hot")
        asked = Asked(bench)
        hot_plan = large.plan("Widget", hot, name="hot")
        few_of_many = large.plan("Widget", hot[: bench.options.small], name="few")
        reading = stack.enter_context(bench.server("reading", database=large.database))
        plans = [large.plan("Widget", cold, name=name) for name in ("cold", "read")]
        sides = {"bare": (bare, few), "hot": (full, hot_plan), "few": (full, few_of_many), "small": (slight, few)}
        yield from _hot(bench, asked, sides)
        yield from _cold(asked, {"bare": (bare, few), "cold": (full, plans[0]), "reading": (reading, plans[1])})
        yield _memory(full)
        yield from _collections(full)


class Asked:
    """How far each plan was followed, so that the next run goes on behind it."""

    def __init__(self, bench: Bench) -> None:
        self._options = bench.options
        self._offsets: dict[Plan, int] = {}

    def rounds(self, sides: dict[str, tuple[Server, Plan]], *, times: int = 1) -> Rounds:
        return [{side: self.run(*sides[side]) for side in sides} for _ in range(times * self._options.rounds)]

    def run(self, server: Server, plan: Plan) -> Measured:
        offset = self._offsets.get(plan, 0)
        found = server.measure(plan, connections=_CONNECTIONS, seconds=self._options.seconds, offset=offset)
        self._offsets[plan] = offset + found.load.answers + _CONNECTIONS
        return found


def _hot(bench: Bench, asked: Asked, sides: dict[str, tuple[Server, Plan]]) -> Iterator[Line]:
    for server, plan in sides.values():
        for _ in range(_WARM_UPS):  # until every license of the set is in memory
            asked.run(server, plan)
    rounds, many, few = asked.rounds(sides, times=2), bench.options.licenses, bench.options.small
    found = _of_bare(rounds, "hot")
    yield Line(PART, f"hot set of {_HOT:,} of {many:,} licenses", _words(found), ">= 0.95", found.median >= 0.95)
    words, grown = _grown(rounds, "small", "hot")
    what = f"cost of a request, from all of {few:,} licenses to {_HOT:,} of {many:,}"
    yield Line(PART, what, words, "< 1.10 times", grown.median < 1.10)
    words, _ = _grown(rounds, "small", "few")
    yield Line(PART, f"of that, from all of {few:,} licenses to {few:,} of {many:,}", words)


def _grown(rounds: Rounds, of: str, to: str) -> tuple[str, Ratio]:
    grown = ratio((turn[to].cpu_us, turn[of].cpu_us) for turn in rounds)
    before, after = (median(turn[side].cpu_us for turn in rounds) for side in (of, to))
    return f"{before:.0f} to {after:.0f} us of CPU: {grown} times", grown


def _cold(asked: Asked, sides: dict[str, tuple[Server, Plan]]) -> Iterator[Line]:
    rounds = asked.rounds(sides)
    found = _of_bare(rounds, "cold")
    bare, cold = (median(turn[side].cpu_us for turn in rounds) for side in ("bare", "cold"))
    words = f"{_words(found)}; {cold:.0f} us of CPU a request, its {bare:.0f}"
    yield Line(PART, "keys at random, hardly one in memory", words, ">= 0.6", found.median >= 0.6)
    reading = median(turn["reading"].cpu_us for turn in rounds)
    words = f"{_words(_of_bare(rounds, 'reading'))}; {reading:.0f} us of CPU"
    yield Line(PART, "the same keys: the bare handler that also reads the license, and checks nothing", words)


def _of_bare(rounds: Rounds, side: str) -> Ratio:
    return ratio((turn[side].load.per_second, turn["bare"].load.per_second) for turn in rounds)


def _words(found: Ratio) -> str:
    return f"{found} of the bare handler"


def _memory(server: Server) -> Line:
    anonymous, whole = memory_mib(server.pid, "RssAnon"), memory_mib(server.pid, "VmRSS")
    text = f"{anonymous:.0f} MiB without files' pages, {whole:.0f} MiB with them"
    return Line(PART, "memory after that, cache at its default bound", text, "<= 250 MiB", anonymous <= 250)


def _collections(server: Server) -> Iterator[Line]:
    """Tell what garbage collections block; one of everything comes by itself after billions of calls only."""
    found = server.process.ask(do="collect")
    longest, words = found["longest_ms"], f"{found['longest_ms']:.0f} ms, of {found['count']}"
    yield Line(PART, "longest garbage collection meanwhile, which blocks the loop", words, "<= 50 ms", longest <= 50)
    yield Line(PART, "one of all that is in memory, which never comes by itself", f"{found['full_ms']:.0f} ms")
