"""Start-up of the real program on the large database, idle memory, and what its run path imports."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.bench import Bench
from bench.process import SERVER_CORE, memory_mib, spawn
from bench.report import Line, median

PART = "start"
_NEVER = ("sqlalchemy", "alembic", "matplotlib")
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|(\s+)(\S+)")


class Start(NamedTuple):
    seconds: float
    memory_mib: float
    anonymous_mib: float
    imports: dict[str, int]  # microseconds of each module by itself


def measure(bench: Bench) -> Iterator[Line]:
    """Start `keyport api`, then the bot and the API in one process beside a stand-in for Discord."""
    data = bench.large()
    config = data.folder / "config.toml"
    config.write_text(f'[database]\nurl = "sqlite:///{data.database}"\n[api]\nport = 0\n', encoding="utf-8")
    starts = [_start(config) for _ in range(bench.options.rounds)]
    seconds = median(one.seconds for one in starts)
    yield Line(PART, "keyport api, from nothing to serving", f"{seconds:.2f} s", "<= 0.8 s", seconds <= 0.8)
    mib = median(one.memory_mib for one in starts)
    text = f"{mib:.0f} MiB, {median(one.anonymous_mib for one in starts):.0f} without files' pages"
    yield Line(PART, "keyport api, idle memory", text)
    timed = _start(config, "-X", "importtime")
    total = sum(timed.imports.values()) / 1000
    largest = sorted(_by_package(timed.imports).items(), key=lambda pair: -pair[1])[:5]
    text = f"{total:.0f} ms: " + ", ".join(f"{name} {us / 1000:.0f}" for name, us in largest)
    yield Line(PART, "keyport api, imports (slower for being timed)", text)
    seen = sorted({name.partition(".")[0] for name in timed.imports} & set(_NEVER))
    yield Line(PART, "of those " + ", ".join(_NEVER), ", ".join(seen) or "none", "none", not seen)
    yield from _whole(bench)


def _start(config: Path, *flags: str) -> Start:
    began, imports = time.perf_counter(), dict[str, int]()
    command = [sys.executable, *flags, "-m", "bot", "api", "--config", str(config)]
    with spawn(command, cores=(SERVER_CORE,), stderr=subprocess.PIPE) as child:
        assert child.stderr
        told: list[str] = []
        for line in child.stderr:
            told.append(line)
            if match := _IMPORT.match(line):
                imports[match[4]] = int(match[1])
            if "http://" in line:
                break
        else:
            raise SystemExit("The API did not start: " + "".join(told[-5:]))
        seconds = time.perf_counter() - began
        memory = memory_mib(child.pid, "VmRSS"), memory_mib(child.pid, "RssAnon")
        child.terminate()
        child.stderr.read()
    return Start(seconds, *memory, imports)


def _by_package(imports: dict[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, us in imports.items():
        package = name.partition(".")[0]
        found[package] = found.get(package, 0) + us
    return found


def _whole(bench: Bench) -> Iterator[Line]:
    """Bot and API in one process, connected, with nothing to do."""
    database, discord = bench.large().database, bench.discord()
    began = time.perf_counter()
    with bench.server("keyport", database=database, gateway=discord) as ours:
        serving = time.perf_counter() - began
        ours.process.ask(do="connected")
        connected = time.perf_counter() - began
        imported = ours.process.ask(do="modules", names=list(_NEVER))["imported"]
        whole, anonymous = memory_mib(ours.pid, "VmRSS"), memory_mib(ours.pid, "RssAnon")
    text = f"{serving:.2f} s, {connected:.2f} s until Discord's sandbox said READY"
    yield Line(PART, "bot and API, from nothing to serving", text, "<= 0.8 s", serving <= 0.8)
    text = f"{whole:.0f} MiB, {anonymous:.0f} without files' pages"
    yield Line(PART, "bot and API together, idle memory", text, "<= 100 MiB", whole <= 100)
    yield Line(PART, "bot and API import of those three", ", ".join(imported) or "none", "none", not imported)
