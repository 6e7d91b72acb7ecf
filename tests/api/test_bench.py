"""The benchmark still runs: its figures are the documentation's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.document import write
from bench.options import Options
from bench.report import Line

PARTS = ("hot", "truth", "start")
ROOT = Path(__file__).parents[2]
SMALLEST = {"rounds": 1, "seconds": 0.2, "licenses": 200, "small": 20, "checks": 300, "kills": 1, "loops": "asyncio"}


@pytest.mark.long
@pytest.mark.timeout(240)  # sixteen processes, on whatever machine
def test_the_parts_run_to_their_end_and_what_must_hold_at_any_speed_holds(tmp_path):
    sizes = [text for name, value in SMALLEST.items() for text in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "bench", *sizes, "--folder", str(tmp_path), "--only", *PARTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"^(hot path|\w+) {2,}(.+?) {2,}(.+)$", done.stdout, re.MULTILINE)
    lines = {f"{part}: {name}": measured for part, name, measured in found}
    for variant in ("1 connection", "16 connections", "64 connections", "64 connections, with the bot"):
        assert "of the bare handler" in lines[f"hot path: asyncio, {variant}"]
    for which in ("one process", "two processes on one file"):
        assert lines[f"truth: wrong after an acknowledgement, {which}"].startswith("0 of ")
    assert lines["truth: acknowledged registrations lost after 1 times kill -9"].startswith("0")
    assert lines["start: of those sqlalchemy, alembic, matplotlib"].startswith("none")
    assert lines["start: bot and API import of those three"].startswith("none")
    assert {name.partition(":")[0] for name in lines} == {"hot path", *PARTS[1:]}


def test_the_page_keeps_what_was_written_by_hand(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text("before\n<!-- measured: begin -->old<!-- measured: end -->\nafter\n", encoding="utf-8")
    write(page, [Line("hot path", "one", "0.91", ">= 0.85", met=True)], options=options(tmp_path), seconds=300)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
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
