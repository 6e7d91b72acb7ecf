"""The benchmark still runs: its figures are the README's."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_benchmark_runs_to_its_end_and_prints_a_ratio_for_every_number_of_connections():
    command = [sys.executable, "-m", "bench.validate", "--rounds", "1", "--seconds", "0.2", "--loops", "asyncio"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ratios = re.findall(r"^asyncio +(\d+) +[\d,]+ +[\d,]+ +\d+\.\d\d ", done.stdout, re.MULTILINE)
    assert ratios == ["1", "16", "64"]
    assert "start-up to serving" in done.stdout
