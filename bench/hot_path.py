"""The hot path: full validations of registered addresses against the bare handler, in interleaved runs."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from bench.bench import Bench, Measured, Server
from bench.load import Plan
from bench.report import Line, median, ratio

PART = "hot path"
_WARM_UP_S = 0.4
_RATIO_TARGETS = {"keyport": 0.85, "a nonce each": 0.85, "with the bot": 0.8}

Rounds = list[dict[str, Measured]]


def measure(bench: Bench) -> Iterator[Line]:
    """Compare at every number of connections; signing and the whole bot at the largest."""
    for loop in bench.options.loops:
        yield from _on(bench, loop)


def _on(bench: Bench, loop: str) -> Iterator[Line]:
    data = bench.small(f"hot-{loop}")
    plans = {
        shelf: data.plan(shelf, range(bench.options.small), name=shelf) for shelf in ("Widget", "Hmac", "Ed25519")
    }
    with ExitStack() as stack:
        bare, discord = bench.bare(loop), bench.discord()
        ours = stack.enter_context(bench.server("keyport", loop=loop, database=data.database))
        other = bench.small(f"bot-{loop}").database
        bot = stack.enter_context(bench.server("keyport", loop=loop, database=other, gateway=discord))
        bot.process.ask(do="connected")
        for connections in bench.options.connections:
            most = connections == max(bench.options.connections)
            sides = {"bare": (bare, plans["Widget"]), "keyport": (ours, plans["Widget"])}
            if most:
                sides |= {
                    "a nonce each": (ours, replace(plans["Widget"], nonces=True)),
                    "HMAC, a nonce each": (ours, replace(plans["Hmac"], nonces=True)),
                    "Ed25519, a nonce each": (ours, replace(plans["Ed25519"], nonces=True)),
                    "with the bot": (bot, plans["Widget"]),
                }
            yield from _compared(bench, loop, connections, sides)


def _compared(bench: Bench, loop: str, connections: int, sides: dict[str, tuple[Server, Plan]]) -> Iterator[Line]:
    def run(side: str, seconds: float) -> Measured:
        server, plan = sides[side]
        return server.measure(plan, connections=connections, seconds=seconds)

    for side in sides:
        run(side, min(_WARM_UP_S, bench.options.seconds))
    rounds = [{side: run(side, bench.options.seconds) for side in sides} for _ in range(bench.options.rounds)]
    for side in sides:
        if side != "bare":
            yield from _lines(loop, connections, side, rounds)


def _lines(loop: str, connections: int, side: str, rounds: Rounds) -> Iterator[Line]:
    name = f"{loop}, {connections} connection{'s' * (connections > 1)}"
    name += "" if side == "keyport" else f", {side}"
    found = ratio((turn[side].load.per_second, turn["bare"].load.per_second) for turn in rounds)
    target = _RATIO_TARGETS.get(side)
    yield Line(
        PART,
        name,
        f"{found} of the bare handler's {median(turn['bare'].load.per_second for turn in rounds):,.0f}/s",
        f">= {target}" if target else "",
        found.median >= target if target else None,
    )
    p99 = ratio((turn[side].load.p99_ms, turn["bare"].load.p99_ms) for turn in rounds)
    yield Line(
        PART,
        f"{name}: p99",
        f"{p99.median:.2f} times the bare handler's; " + _latencies(rounds, side),
        "<= 1.5 times" if target else "",
        p99.median <= 1.5 if target else None,
    )


def _latencies(rounds: Rounds, side: str) -> str:
    def of(kind: str, figure: str) -> float:
        return median(getattr(turn[kind].load, figure) for turn in rounds)

    cpu = (median(turn[kind].cpu_us for turn in rounds) for kind in (side, "bare"))
    return (
        f"p50 {of(side, 'p50_ms'):.2f}/{of('bare', 'p50_ms'):.2f} ms, p99 {of(side, 'p99_ms'):.2f}/"
        f"{of('bare', 'p99_ms'):.2f} ms, CPU " + "/".join(f"{each:.0f}" for each in cpu) + " us a request"
    )
