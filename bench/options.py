"""What a run of the benchmark is asked to do."""

from dataclasses import dataclass, field
from pathlib import Path

CONNECTIONS = (1, 16, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Sizes and lengths; the defaults are those of the figures we quote."""

    folder: Path  # where seeded databases stay between runs
    work: Path  # where this run's own copies go
    licenses: int = 1_000_000
    small: int = 1_000
    rounds: int = 7
    seconds: float = 0.8
    checks: int = 1_000_000  # validations that the checker asserts something of
    kills: int = 3
    loops: tuple[str, ...] = ("asyncio", "uvloop")
    connections: tuple[int, ...] = field(default=CONNECTIONS)
    quick: bool = False

    @property
    def best_loop(self) -> str:
        """The loop that everything but the comparison of loops is measured on."""
        return self.loops[-1]

    def share(self, part: float) -> int:
        """Return a part of a hundred thousand, in proportion to how many licenses there are."""
        return max(20, int(100_000 * part * self.licenses / 1_000_000))
