"""The benchmark still runs: its figures are the documentation's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bench.document import write
from bench.options import Options
from bench.report import Line

ROOT = Path(__file__).parents[2]
SMALLEST = "--rounds 1 --seconds 0.1 --licenses 200 --small 20 --checks 300 --kills 1 --loops asyncio".split()


def run(tmp_path: Path, *parts: str) -> dict[str, str]:
    """Measure parts as small as they get, and return every line that was printed by its name."""
    command = [sys.executable, "-m", "bench", *SMALLEST, "--folder", str(tmp_path), "--only", *parts]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"^(\w+(?: path)?) {2,}(.+?) {2,}(.+)$", done.stdout, re.MULTILINE)
    return {f"{part}: {name}": measured for part, name, measured in lines}


def test_speed_and_size_are_compared_with_the_bare_handler(tmp_path):
    lines = run(tmp_path, "hot", "size")
    for variant in ("1 connection", "16 connections", "64 connections", "64 connections, with the bot"):
        assert re.match(r"\d\.\d\d \(.*of the bare handler", lines[f"hot path: asyncio, {variant}"])
    assert "MiB" in lines["size: memory after that, cache at its default bound"]


def test_what_was_acknowledged_is_checked_and_holds(tmp_path):
    lines = run(tmp_path, "truth")
    assert re.match(
        r"0 of [3-9]\d\d|0 of \d,", lines["truth: wrong after an acknowledgement, one process"]
    ) or re.match(r"0 of \d+", lines["truth: wrong after an acknowledgement, one process"])
    assert lines["truth: acknowledged registrations lost after 1 times kill -9"].startswith("0")


def test_writes_two_processes_and_the_discord_side_are_measured(tmp_path):
    lines = run(tmp_path, "writes", "two", "discord")
    assert "/s" in lines["writes: claims through the service"]
    assert "times one" in lines["two: validations a second of two processes"]
    assert any(name.startswith("discord: suggestions") for name in lines)


def test_the_run_path_never_imports_what_only_migrations_and_charts_need(tmp_path):
    lines = run(tmp_path, "start")
    assert lines["start: of those sqlalchemy, alembic, matplotlib"].startswith("none")
    assert lines["start: bot and API import of those three"].startswith("none")


def test_the_page_keeps_what_was_written_by_hand(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text("before\n<!-- measured: begin -->old<!-- measured: end -->\nafter\n", encoding="utf-8")
    write(page, [Line("hot path", "one", "0.91", ">= 0.85", met=True)], options=options(tmp_path), seconds=300)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("\nafter\n")
    assert "| hot path | one | 0.91 | >= 0.85 | met |" in text
    assert "old" not in text


def test_a_page_without_its_marks_is_left_alone(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text("by hand\n", encoding="utf-8")
    with pytest.raises(ValueError, match="measured"):
        write(page, [], options=options(tmp_path), seconds=1)
    assert page.read_text(encoding="utf-8") == "by hand\n"


def options(folder: Path) -> Options:
    return Options(folder=folder, work=folder)
