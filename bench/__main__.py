"""`make bench`: measure every part, print the table and write docs/performance.md.

    python -m bench [--only PART ...] [--quick] [--licenses 1000000] [--rounds 7] [--seconds 0.8]

Servers run on one core and the load on another; whatever is compared is run in turns within the same minute.
"""

import argparse
import importlib
import importlib.util
import tempfile
import time
from pathlib import Path

from bench.bench import Bench
from bench.load import GENERATOR
from bench.options import Options
from bench.process import go_first
from bench.report import Line, show

ROOT = Path(__file__).parents[1]
PARTS = {
    "hot": "bench.hot_path",
    "size": "bench.size",
    "writes": "bench.writes",
    "truth": "bench.truth",
    "two": "bench.two",
    "discord": "bench.discord_side",
    "start": "bench.startup",
    "profile": "bench.profile",
}
QUICK = {"rounds": 2, "seconds": 0.5, "licenses": 10_000, "checks": 20_000, "kills": 1}


def main() -> None:
    chosen = _arguments()
    if chosen.first:
        go_first()
    began, lines = time.perf_counter(), list[Line]()
    with tempfile.TemporaryDirectory(prefix="work-", dir=_made(chosen.folder)) as work:
        options = _options(chosen, Path(work))
        print(f"{options.licenses:,} licenses, {options.rounds} rounds of {options.seconds} s, load by {GENERATOR}")
        with Bench(options) as bench:
            for name in chosen.only or PARTS:
                for line in importlib.import_module(PARTS[name]).measure(bench):
                    print(show(line), flush=True)
                    lines.append(line)
    seconds = time.perf_counter() - began
    print(f"{seconds:.0f} s in all")
    if not chosen.only and not chosen.quick:
        from bench.document import write  # noqa: PLC0415 - not for a part alone

        write(ROOT / "docs" / "performance.md", lines, options=options, seconds=seconds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    known = ["asyncio", *(["uvloop"] if importlib.util.find_spec("uvloop") else [])]
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=[], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="small sizes and short runs; writes no document")
    parser.add_argument("--first", action="store_true", help="run before other work of the machine (Linux, root)")
    parser.add_argument("--licenses", type=int)
    parser.add_argument("--small", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--checks", type=int)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--loops", nargs="+", choices=known, default=known)
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench", help="where seeded databases are kept")
    return parser.parse_args()


def _options(chosen: argparse.Namespace, work: Path) -> Options:
    sizes = ("licenses", "small", "rounds", "seconds", "checks", "kills")
    given = {name: getattr(chosen, name) for name in sizes if getattr(chosen, name) is not None}
    return Options(
        folder=chosen.folder,
        work=work,
        loops=tuple(chosen.loops),
        quick=chosen.quick,
        **((QUICK if chosen.quick else {}) | given),
    )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


if __name__ == "__main__":
    main()
