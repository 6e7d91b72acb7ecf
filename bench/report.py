"""What was measured, as lines of a table, and how figures of several rounds become one."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NOT_BUILT = "not built yet"


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: what it is of, what came out, what was aimed at; `met` is None where nothing was."""

    part: str
    name: str
    measured: str
    target: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        if self.met is None:
            return ""
        return "met" if self.met else "missed"


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours against the bare handler's (or whatever is 1.0), round by round."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def ratio(pairs: Iterable[tuple[float, float]]) -> Ratio:
    """Return the ratio of ours to theirs over interleaved rounds."""
    found = [ours / theirs for ours, theirs in pairs if theirs]
    if not found:
        raise SystemExit("The bare handler answered nothing in any round; make the rounds longer with --seconds.")
    return Ratio(statistics.median(found), min(found), max(found))


def median(values: Iterable[float]) -> float:
    return statistics.median(list(values))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share (0 to 1) of all lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def show(line: Line) -> str:
    """Return a line as the terminal shows it."""
    target = f"  [{line.target}: {line.verdict}]" if line.target else ""
    return f"{line.part:9} {line.name:58} {line.measured}{target}"
