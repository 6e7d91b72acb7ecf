"""Goes through the licenses that have some words stride by stride, over whatever cannot fit.

The table of words gives the licenses with a whole word in the order of their ids, from any id on. So it is known at
once where the next one can be that has all of the words, and nothing before it is looked at. From there on a stride
of ids is read, each longer than the last: the effort grows with what is looked through, not with all there is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from licensing.ports import Steps
from storage.statements.base import Statement

_LONGER = 4  # times as long is each stride
_START = {"DESC": 2**63 - 1, "ASC": 0}  # before all ids, in either direction


class Source(NamedTuple):
    """SQL for the ids of some licenses that ends in its conditions, and what it calls an id."""

    sql: str
    id: str

    def within(self, window: str) -> str:
        """Return those within a window, in which the id's name was left open."""
        return self.sql + window.format(id=self.id)


@dataclass(frozen=True, slots=True)
class Ways:
    """Sources that give licenses in the order of their ids.

    What is sought is in a source of each of the words or in one of the others, and in any case in one that fits.
    """

    words: Sequence[Sequence[Source]]
    others: Sequence[Source]
    fitting: Sequence[Source]

    @property
    def sources(self) -> list[Source]:
        return [*(source for word in self.words for source in word), *self.others, *self.fitting]


class Strides:
    """Where to look, one stride after the other."""

    def __init__(
        self, ways: Ways, values: dict[str, Any], *, order: str, after: int | None = None, first: int
    ) -> None:
        self._ways = ways
        self._values = values
        self._order = order
        self._sooner, self._later = (max, min) if order == "DESC" else (min, max)
        self._step = -1 if order == "DESC" else 1
        self._at = _START[order] if after is None else after + self._step
        self._length = first
        self._next: dict[Source, int | None] = {}

    def following(self) -> Steps[tuple[int, int] | None]:
        """Return the ids where the next stride begins and ends, or None where nothing more can be."""
        begin = yield from self._leap()
        if begin is None:
            return None
        end = begin + self._step * (self._length - 1)
        self._at = end + self._step
        self._length *= _LONGER
        return begin, end

    def _leap(self) -> Steps[int | None]:
        """Return the next id that can be what is sought, unless it is less than a stride away."""
        while True:
            yield from self._look()
            nearest = self._nearest()
            if nearest is None:
                return None
            leapt, self._at = abs(nearest - self._at), nearest
            if leapt < self._length:
                return nearest

    def _look(self) -> Steps[None]:
        """Find the next license of each source, where the one known is already behind."""
        passed = [source for source in self._ways.sources if self._is_passed(source)]
        if not passed:
            return
        sign = "<=" if self._order == "DESC" else ">="
        first = f" AND {{id}} {sign} :at ORDER BY {{id}} {self._order} LIMIT 1"
        looks = ", ".join(f"({source.within(first)})" for source in passed)
        rows = yield Statement(f"SELECT {looks}", {**self._values, "at": self._at})
        self._next.update(zip(passed, rows[0], strict=True))

    def _is_passed(self, source: Source) -> bool:
        known = self._next.get(source, self._at - self._step)
        return known is not None and self._later(known, self._at) != known

    def _nearest(self) -> int | None:
        """Return the first id that no source rules out."""
        by_words = [self._soonest(word) for word in self._ways.words]
        either = self._first([self._last(by_words), self._soonest(self._ways.others)])
        return self._last([either, self._soonest(self._ways.fitting)]) if self._ways.fitting else either

    def _soonest(self, sources: Iterable[Source]) -> int | None:
        return self._first([self._next[source] for source in sources])

    def _first(self, ids: Sequence[int | None]) -> int | None:
        return self._sooner((each for each in ids if each is not None), default=None)

    def _last(self, ids: Sequence[int | None]) -> int | None:
        known = [each for each in ids if each is not None]
        return self._later(known) if known and len(known) == len(ids) else None
