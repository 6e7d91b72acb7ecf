"""Two API processes on one database file and one port, against one process."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

from bench.bench import Bench, Server
from bench.load import Plan, start
from bench.process import LOAD_CORE, SERVER_CORE, cpu_s
from bench.report import Line, Ratio, median, ratio

PART = "two"
_CONNECTIONS = 128  # dealt out at random: few would leave one of two processes idle
_BOTH = (SERVER_CORE, LOAD_CORE)
_TIMES = 2  # as many rounds as elsewhere: no two deals are alike

Figures = tuple[float, float]  # a second; microseconds of the servers' CPU for each request


def measure(bench: Bench) -> Iterator[Line]:
    """Measure one process and two in turns; the bare handler likewise, as what this machine has room for."""
    data = bench.small("two")
    again = data.plan("Widget", range(bench.options.small), name="two")
    plans = {"keyport": replace(again, nonces=True), "again": again, "bare": again}
    with ExitStack() as stack:
        alone = {
            "keyport": stack.enter_context(bench.server("keyport", database=data.database)),
            "bare": bench.bare(),
        }
        sides = {kind: (one, stack.enter_context(pair(bench, kind, data.database))) for kind, one in alone.items()}
        sides["again"] = sides["keyport"]
        rounds = [
            {
                name: (_asked(bench, plans[name], one), _asked(bench, plans[name], *two))
                for name, (one, two) in sides.items()
            }
            for _ in range(_TIMES * bench.options.rounds + 1)
        ][1:]
    ours, again, bare = (_times(rounds, name) for name in ("keyport", "again", "bare"))
    text = f"{ours} times one; two bare handlers, with the load on the same two cores: {bare}"
    yield Line(PART, "validations a second of two processes, a nonce each", text, ">= 1.6 times", ours.median >= 1.6)
    yield Line(
        PART, "the same for what was asked before, of which the load takes a larger part", f"{again} times one"
    )
    cpu = [median(turn["keyport"][side][1] for turn in rounds) for side in (0, 1)]
    text = f"{cpu[0]:.0f} us of CPU a request by one, {cpu[1]:.0f} by two: {2 * cpu[0] / cpu[1]:.2f} times the room"
    yield Line(PART, "the same, were the load on a third core", text, ">= 1.6 times", 2 * cpu[0] / cpu[1] >= 1.6)


def _times(rounds: list[dict[str, tuple[Figures, Figures]]], kind: str) -> Ratio:
    return ratio((turn[kind][1][0], turn[kind][0][0]) for turn in rounds)


@contextmanager
def pair(bench: Bench, kind: str, database: object) -> Iterator[tuple[Server, Server]]:
    """Run two servers on one port, a core for each."""
    # Bound and never listened on: it keeps the port while the servers come and go.
    with closing(socket.socket()) as held, ExitStack() as stack:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        spec = {"database": database, "port": held.getsockname()[1], "reuse_port": True}
        first, second = (stack.enter_context(bench.server(kind, core=core, **spec)) for core in _BOTH)
        yield first, second


def _asked(bench: Bench, plan: Plan, *servers: Server) -> Figures:
    cores = (LOAD_CORE,) if len(servers) == 1 else _BOTH
    before = sum(cpu_s(server.pid) for server in servers)
    running = start(
        servers[0].port,
        plan,
        connections=_CONNECTIONS,
        seconds=bench.options.seconds,
        cores=cores,
        gives_way=len(servers) > 1,
    )
    load = running.result()
    spent = sum(cpu_s(server.pid) for server in servers) - before
    return load.per_second, 1e6 * spent / max(1, load.answers)
