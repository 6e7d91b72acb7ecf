"""Measure full validations against a bare aiohttp handler in interleaved runs, and what an idle API costs.

    python -m bench.validate [--rounds 3] [--seconds 0.8] [--loops asyncio uvloop]

Full means: bearer, quota, license, expiry, a registered address behind a trusted proxy, usage, last seen, on a
database of 1,000 licenses. Servers run on one core, the load on another.
"""

import argparse
import asyncio
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.servers import seed

CONNECTIONS = (1, 16, 64)
WARM_UP_S = 0.5


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as child:
        try:
            yield child
        finally:
            assert child.stdin
            child.stdin.close()
            child.wait(timeout=10)


def line_of(child: subprocess.Popen[str]) -> str:
    assert child.stdout
    line = child.stdout.readline()
    if not line:
        raise SystemExit("A process of the benchmark ended early; its error stands above.")
    return line


def order(child: subprocess.Popen[str], **values: Any) -> None:
    assert child.stdin
    child.stdin.write(json.dumps(values) + "\n")
    child.stdin.flush()


def cpu_s(pid: int) -> float:
    """Return the processor time a process has used: a measure that other processes do not disturb."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare(folder: Path, sold: dict[str, Any], loop: str, *, rounds: int, seconds: float) -> None:
    """Print one line per number of connections: medians over interleaved runs."""
    with ExitStack() as stack:
        started = {
            kind: stack.enter_context(process("bench.servers", kind, str(folder), loop))
            for kind in ("bare", "keyport")
        }
        ports = {kind: int(line_of(child)) for kind, child in started.items()}
        load = stack.enter_context(process("bench.load"))
        order(load, **sold)

        def measured(kind: str, connections: int, length: float = seconds) -> dict[str, float]:
            before = cpu_s(started[kind].pid)
            order(load, port=ports[kind], connections=connections, seconds=length)
            figures: dict[str, float] = json.loads(line_of(load))
            spent = cpu_s(started[kind].pid) - before
            return figures | {"cpu_us": 1e6 * spent / (figures["per_second"] * length)}

        for kind in ports:
            measured(kind, 16, WARM_UP_S)  # every license has its address from here on
        for connections in CONNECTIONS:
            pairs = [{kind: measured(kind, connections) for kind in ("bare", "keyport")} for _ in range(rounds)]
            _print_line(loop, connections, pairs)


def _print_line(loop: str, connections: int, pairs: list[dict[str, dict[str, float]]]) -> None:
    def median(kind: str, figure: str) -> float:
        return statistics.median(pair[kind][figure] for pair in pairs)

    ratios = sorted(pair["keyport"]["per_second"] / pair["bare"]["per_second"] for pair in pairs)
    print(
        f"{loop:8} {connections:>11} {median('keyport', 'per_second'):>13,.0f} {median('bare', 'per_second'):>9,.0f}"
        f" {statistics.median(ratios):>6.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
        f" {median('keyport', 'p99_ms'):>8.2f} {median('bare', 'p99_ms'):>9.2f}"
        f" {median('keyport', 'cpu_us'):>7.0f} {median('bare', 'cpu_us'):>9.0f}",
        flush=True,
    )


def idle(folder: Path, *, runs: int = 3) -> None:
    """Print how long `python -m bot api` takes until it serves, and its memory then."""
    config = folder / "config.toml"
    config.write_text(f'[database]\nurl = "sqlite:///{folder}/keyport.db"\n[api]\nport = 0\n', encoding="utf-8")
    found = [_start_once(config) for _ in range(runs)]
    print(f"start-up to serving: {statistics.median(seconds for seconds, _ in found):.2f} s")
    memory = [kib for _, kib in found if kib is not None]
    if memory:
        print(f"idle memory of the API process: {statistics.median(memory) / 1024:.0f} MiB")


def _start_once(config: Path) -> tuple[float, int | None]:
    started = time.perf_counter()
    command = [sys.executable, "-m", "bot", "api", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr
        if not any("http://" in line for line in iter(child.stderr.readline, "")):
            raise SystemExit("The API did not start.")
        seconds = time.perf_counter() - started
        status = Path(f"/proc/{child.pid}/status")
        lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
        memory = next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), None)
        child.terminate()
        child.stderr.read()
    return seconds, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.8)
    known = ["asyncio", *(["uvloop"] if importlib.util.find_spec("uvloop") else [])]
    parser.add_argument("--loops", nargs="+", choices=known, default=known)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        api_key, keys = asyncio.run(seed(folder))
        print("loop     connections validations/s    bare/s  ratio (range)       p99 ms  bare p99  cpu us  bare cpu")
        for loop in chosen.loops:
            sold = {"api_key": api_key, "keys": keys}
            compare(folder, sold, loop, rounds=chosen.rounds, seconds=chosen.seconds)
        idle(folder)


if __name__ == "__main__":
    main()
