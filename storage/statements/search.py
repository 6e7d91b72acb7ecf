"""How licenses are found among a million: by whatever is rare, or from the newest on where nothing is.

A word that few licenses have names all of them (`license_words`). Of what many have, the newest few thousand licenses
nearly always hold a page, so they are read first; only where they do not is everything that matches sorted.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from licensing.models import LicenseView
from licensing.ports import Search, Steps
from storage.statements.base import Row, Statement
from storage.statements.licenses import VIEW, view_of
from storage.statements.sought import (
    Typed,
    drivers,
    held_to,
    ids_of,
    is_filtered,
    licenses_with,
    size_of_word,
    text_of_row,
    values_of,
    window_of,
)

_RARE = 2_000  # licenses with a word: fewer are all looked at
_COMMON = 50_000  # licenses with a word: more are not looked up beside a rarer word
_WALKED = 10_000  # licenses from the newest on that are held to what was typed
_UNBOUNDED = 2**62
_FROM = "FROM licenses l LEFT JOIN customers c ON c.id = l.customer_id WHERE"


class SearchStatements:
    """See `licensing.tables.Searches`."""

    def page(self, organization_id: int, sought: Search) -> Steps[Sequence[LicenseView]]:
        rows = yield from _Plan(organization_id, sought).ids(sought.skip + sought.limit)
        ids = [row[0] for row in rows[sought.skip :]]
        if not ids:
            return []
        named = ", ".join(f":id{n}" for n in range(len(ids)))
        found = yield Statement(
            f"{VIEW} l.id IN ({named}) ORDER BY l.id DESC", {f"id{n}": id_ for n, id_ in enumerate(ids)}
        )
        return [view_of(row) for row in found]

    def count(self, organization_id: int, sought: Search, *, most: int | None = None) -> Steps[int]:
        everything = replace(sought, before_id=None, after_id=None)
        return (yield from _Plan(organization_id, everything).count(_UNBOUNDED if most is None else most))


class _Plan:
    """The statements of one search."""

    def __init__(self, organization_id: int, sought: Search) -> None:
        self._sought = sought
        self._typed = Typed.read(sought.text)
        self._values = values_of(organization_id, sought, self._typed)
        self._order = "DESC" if sought.after_id is None else "ASC"

    def ids(self, limit: int) -> Steps[Sequence[Row]]:
        """Return ids in the page's order, so many at most."""
        if not self._sought.text:
            return (yield from self._rows(self._walk(), limit))
        if self._typed.is_nothing:
            return []
        words, is_rare = yield from self._rarest()
        if not is_rare:
            floor = yield from self._floor()
            rows = yield from self._rows(self._walk(floor=floor), limit)
            if floor is None or len(rows) >= limit:
                return rows
        return (yield from self._rows(self._among(words, window_of(self._sought)), limit))

    def count(self, most: int) -> Steps[int]:
        """Count what is found, so far at most."""
        if not self._sought.text:
            return (yield from self._counted(self._walk(), most))
        if self._typed.is_nothing:
            return 0
        words, is_rare = yield from self._rarest()
        counted = None if is_rare else (yield from self._counted_early(words, most))
        return (yield from self._counted(self._among(words), most)) if counted is None else counted

    def _counted_early(self, words: list[int], most: int) -> Steps[int | None]:
        """Count without a look at everything; None where that is not enough to tell."""
        if len(self._typed.words) == 1 and not is_filtered(self._sought):
            ids = f"SELECT DISTINCT license_id FROM ({licenses_with(words)}) w LIMIT :limit"
            counted = yield from self._counted(ids, most)
            return counted if counted >= most else None
        floor = yield from self._floor()
        counted = yield from self._counted(self._walk(floor=floor), most)
        return counted if floor is None or counted >= most else None

    def _counted(self, sql: str, most: int) -> Steps[int]:
        rows = yield from self._rows(f"SELECT COUNT(*) FROM ({sql}) found", most)
        return int(rows[0][0])

    def _rows(self, sql: str, limit: int, **values: Any) -> Steps[Sequence[Row]]:
        rows: Sequence[Row] = yield Statement(sql, {**self._values, **values, "limit": limit})
        return rows

    def _rarest(self) -> Steps[tuple[list[int], bool]]:
        """Return which words to look up, and whether so few licenses have them that all are looked at.

        What stays out is no longer rare enough to be worth it: the rows that the others find are held to it.
        """
        looked_up = range(self._typed.looked_up)
        if not looked_up:
            return [], True
        sizes = ", ".join(size_of_word(n) for n in looked_up)
        rows = yield Statement(f"SELECT {sizes}", {**self._values, "enough": _COMMON})
        size, rarest = min((size, n) for n, size in enumerate(rows[0]))
        if size < _RARE:
            return [rarest], True
        return [n for n in looked_up if rows[0][n] < _COMMON] or list(looked_up), False

    def _floor(self) -> Steps[int | None]:
        """Return the id of the last license to walk to, or None where there are not so many."""
        walk = f"SELECT id FROM ({self._walk(typed=False, held=False)}) walk ORDER BY id {self._order}"
        rows = yield from self._rows(f"{walk} LIMIT 1 OFFSET :walked", _WALKED + 1, walked=_WALKED)
        if not rows:
            return None
        self._values["floor"] = rows[0][0]
        floor: int = rows[0][0]
        return floor

    def _walk(self, *, floor: int | None = None, typed: bool = True, held: bool = True) -> str:
        """Return the licenses in their order, each held to what is sought."""
        conditions = window_of(self._sought).format(id="l.id")
        if floor is not None:
            conditions += f" AND l.id {'>=' if self._order == 'DESC' else '<='} :floor"
        if held:
            conditions += f" AND {held_to(self._sought)}"
        if typed and self._sought.text:
            conditions += f" AND {text_of_row(self._typed)}"
        return self._merged([f"SELECT l.id {_FROM} {driver}{conditions}" for driver in drivers(self._sought)])

    def _merged(self, ways: Sequence[str]) -> str:
        # Each way answers in the order of ids by itself.
        if len(ways) == 1:
            return f"{ways[0]} ORDER BY l.id {self._order} LIMIT :limit"
        each = (
            f"SELECT id FROM ({way} ORDER BY l.id {self._order} LIMIT :limit) way{n}" for n, way in enumerate(ways)
        )
        return f"SELECT id FROM ({' UNION ALL '.join(each)}) ways ORDER BY id {self._order} LIMIT :limit"

    def _among(self, words: list[int], window: str = "") -> str:
        """Return the licenses that have these words, each held to the rest of what is sought."""
        ids = ids_of(self._typed, words, window)
        conditions = held_to(self._sought)
        if len(words) < len(self._typed.words):
            conditions += f" AND {text_of_row(self._typed)}"
        return f"SELECT l.id {_FROM} l.id IN ({ids}) AND {conditions} ORDER BY l.id {self._order} LIMIT :limit"
