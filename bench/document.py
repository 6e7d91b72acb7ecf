"""Writes the measured part of docs/performance.md; what stands outside its two marks is written by hand and kept."""

import importlib.metadata
import os
import platform
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import profile
from bench.load import GENERATOR
from bench.options import Options
from bench.report import Line

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
_LIBRARIES = ("aiohttp", "uvloop", "pydantic", "aiosqlite")


def write(page: Path, lines: Sequence[Line], *, options: Options, seconds: float) -> None:
    """Put the figures of a run between the marks.

    Raises: ValueError, when the page lost its marks.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no {BEGIN} and {END}")
    measured = "\n".join(_measured(lines, options, seconds))
    page.write_text(f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}", encoding="utf-8")


def _measured(lines: Sequence[Line], options: Options, seconds: float) -> Iterator[str]:
    yield "## Figures\n"
    yield f"`make bench` on {datetime.now(tz=UTC):%d %B %Y}, {_machine()}. Load by {GENERATOR}; {_versions()}."
    yield (
        f"{options.licenses:,} and {options.small:,} licenses, medians over {options.rounds} interleaved rounds of"
        f" {options.seconds} s with their range in brackets, {seconds / 60:.0f} minutes in all.\n"
    )
    aimed = [line for line in lines if line.met is not None]
    yield f"{sum(bool(line.met) for line in aimed)} of {len(aimed)} targets are met.\n"
    yield "| part | what | measured | target | |"
    yield "| --- | --- | --- | --- | --- |"
    for line in lines:
        if line.part != profile.PART:
            yield f"| {line.part} | {line.name} | {line.measured} | {line.target} | {line.verdict} |"
    yield "\n## What is left on the hot path\n"
    yield "Samples of the server's own thread under 64 connections, every check on, by py-spy:\n"
    yield "| function | share |"
    yield "| --- | --- |"
    yield from (f"| `{line.name}` | {line.measured} |" for line in lines if line.part == profile.PART)


def _machine() -> str:
    """Return what the machine is, as far as it tells."""
    described = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (described.read_text(encoding="utf-8").splitlines() if described.exists() else ())
        if line.startswith("model name")
    ]
    return f"{os.cpu_count()} cores of {models[0] if models else platform.machine()}, {platform.system()}"


def _versions() -> str:
    found = [f"{platform.python_implementation()} {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)
