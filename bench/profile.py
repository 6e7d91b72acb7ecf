"""What is left on the hot path: where the server's own thread spends its time, by sampling."""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.bench import Bench
from bench.load import start
from bench.process import LOAD_CORE, spawn
from bench.report import Line

PART = "profile"
_CONNECTIONS = 64
_RATE = 250
_SHOWN = 24
_ROOTS = ("bot", "licensing", "storage", "aiohttp", "multidict", "yarl", "asyncio", "prometheus_client", "pydantic")


def measure(bench: Bench) -> Iterator[Line]:
    """Sample a busy server and yield its functions, most expensive first, and the shares of packages."""
    sampler = Path(sys.executable).with_name("py-spy")
    found = str(sampler) if sampler.exists() else shutil.which("py-spy")
    if found is None:
        yield Line(PART, "samples", "none: py-spy is not installed")
        return
    data = bench.small("profile")
    plan = data.plan("Widget", range(bench.options.small), name="profile")
    with bench.server("keyport", database=data.database) as server:
        server.measure(plan, connections=_CONNECTIONS, seconds=bench.options.seconds)
        seconds = max(1.0, 5 * bench.options.seconds)
        load = start(server.port, plan, connections=_CONNECTIONS, seconds=60.0)
        stacks = _sampled(found, server.pid, seconds, data.folder / "stacks")
        load.stop()
    yield from _lines(stacks)


def _sampled(sampler: str, pid: int, seconds: float, file: Path) -> list[tuple[list[str], int]]:
    """Return stacks of the loop's thread, outermost function first, and how often each was seen."""
    command = [sampler, "record", "--pid", str(pid), "--rate", str(_RATE), "--duration", str(round(seconds))]
    command += ["--format", "raw", "--threads", "--output", str(file)]
    done = spawn(command, cores=(LOAD_CORE,), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, errors = done.communicate(timeout=60)
    if done.returncode:
        raise SystemExit(errors)
    stacks = []
    for line in file.read_text(encoding="utf-8").splitlines():
        frames, _, count = line.rpartition(" ")
        stacks.append((frames.split(";"), int(count)))
    return [(frames, count) for frames, count in stacks if "MainThread" in frames[0] or "thread" not in frames[0]]


def _lines(stacks: list[tuple[list[str], int]]) -> Iterator[Line]:
    own, within, packages = Counter[str](), Counter[str](), Counter[str]()
    total = sum(count for _, count in stacks)
    for frames, count in stacks:
        names = [_name(frame) for frame in frames]
        own[names[-1]] += count
        packages[_package(frames[-1])] += count
        for name in set(names):
            within[name] += count
    shares = ", ".join(f"{package} {100 * count / total:.0f} %" for package, count in packages.most_common(10))
    yield Line(PART, f"{total:,} samples, by package", shares)
    for name, count in own.most_common(_SHOWN):
        share = f"{100 * count / total:.1f} % by itself, {100 * within[name] / total:.1f} % with what it calls"
        yield Line(PART, name, share)


def _name(frame: str) -> str:
    """Return `function (package/file.py)` of a frame, without its line."""
    function, _, place = frame.partition(" (")
    file = place.rstrip(")").rpartition(":")[0]
    return f"{function} ({'/'.join(Path(file).parts[-2:])})" if file else function


def _package(frame: str) -> str:
    parts = Path(frame.partition(" (")[2].rpartition(":")[0]).parts
    return next((part for part in reversed(parts[:-1]) if part in _ROOTS), parts[-2] if len(parts) > 1 else "?")
