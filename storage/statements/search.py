"""How licenses are found among a million: by whatever is rare, or from the newest on where nothing is.

A word that few licenses have names all of them (`license_words`). Those that have a common word are gone through from
the newest on, in strides, until a page is full. Only where what was typed is the start of so many words that no index
gives their licenses in order, and the newest few thousand do not fill a page, is everything that matches sorted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from licensing.models import LicenseView
from licensing.ports import Search, Steps
from storage.statements.base import Statement
from storage.statements.licenses import VIEW, view_of
from storage.statements.sought import (
    Typed,
    drivers,
    held_to,
    ids_of,
    is_filtered,
    others_of,
    size_of_word,
    spellings_of,
    text_of_row,
    that_fit,
    values_of,
    window_of,
    with_start,
    with_whole,
)
from storage.statements.strides import Strides, Ways

_RARE = 2_000  # licenses with a word: fewer are all looked at
_COMMON = 50_000  # licenses with a word: more are not looked up beside a rarer word
_SPELLED = 32  # whole words that one typed starts: of more the licenses cannot be had in their order
_STRIDE = 10_000  # ids that are looked through first
_WALKED = 10_000  # licenses from the newest on that are held to what was typed
_NEWEST = 2_000  # newest uses of a word that are looked at before all of them are
_UNBOUNDED = 2**62
_FROM = "FROM licenses l LEFT JOIN customers c ON c.id = l.customer_id WHERE"


class SearchStatements:
    """See `licensing.tables.Searches`."""

    def page(self, organization_id: int, sought: Search) -> Steps[Sequence[LicenseView]]:
        found = _Found(sought.skip + sought.limit)
        yield from _Plan(organization_id, sought).find(found)
        ids = found.ids[sought.skip :]
        if not ids:
            return []
        named = ", ".join(f":id{n}" for n in range(len(ids)))
        rows = yield Statement(
            f"{VIEW} l.id IN ({named}) ORDER BY l.id DESC", {f"id{n}": id_ for n, id_ in enumerate(ids)}
        )
        return [view_of(row) for row in rows]

    def count(self, organization_id: int, sought: Search, *, most: int | None = None) -> Steps[int]:
        counted = _Found(_UNBOUNDED if most is None else most, is_counted=True)
        yield from _Plan(organization_id, sought).find(counted)
        return counted.count


class _Found:
    """What was found until now, so far at most: ids in the page's order, or only how many."""

    def __init__(self, limit: int, *, is_counted: bool = False) -> None:
        self.ids: list[int] = []
        self.count = 0
        self._limit = limit
        self._is_counted = is_counted

    @property
    def is_enough(self) -> bool:
        return self.count >= self._limit

    def take(self, sql: str, values: dict[str, Any]) -> Steps[bool]:
        """Add what a statement finds; tell whether that is enough."""
        values = {**values, "limit": self._limit - self.count}
        if self._is_counted:
            rows = yield Statement(f"SELECT COUNT(*) FROM ({sql}) found", values)
            self.count += rows[0][0]
        else:
            rows = yield Statement(sql, values)
            self.ids += [row[0] for row in rows]
            self.count = len(self.ids)
        return self.is_enough


@dataclass(frozen=True, slots=True)
class _Words:
    """What is looked up of the words that were typed.

    What stays out is no longer rare enough to be worth it: the rows that the others find are held to it.
    """

    starts: Sequence[int] = ()  # which of those typed
    wholes: Sequence[Sequence[str]] = ()  # of those that start few words, by what values these are named
    are_few: bool = True  # so few licenses that all of them are looked at


class _Plan:
    """The statements of one search."""

    def __init__(self, organization_id: int, sought: Search) -> None:
        self._sought = sought
        self._typed = Typed.read(sought.text)
        self._values = values_of(organization_id, sought, self._typed)
        self._order = "DESC" if sought.after_id is None else "ASC"

    def find(self, found: _Found) -> Steps[None]:
        """Find what is sought, in the page's order."""
        window = window_of(self._sought)
        if self._sought.text and self._typed.is_nothing:
            return
        if not self._sought.text or (yield from self._few_fit(window)):
            yield from found.take(self._walk(window), self._values)
        else:
            words = yield from self._read_words()
            if words.are_few:
                yield from found.take(self._among(words, window), self._values)
            elif words.wholes:
                yield from self._find_in_strides(words, found)
            else:
                yield from self._find_newest(words, found)

    def _few_fit(self, window: str) -> Steps[bool]:
        """Tell whether so few licenses fit what is asked beside the text that all of them are looked at."""
        if not is_filtered(self._sought):
            return False
        return not (yield from self._reach("few", self._walk(window, is_all=True), _RARE))

    def _read_words(self) -> Steps[_Words]:
        """Look how common the words are, and of which whole words they are the start."""
        looked_up = range(self._typed.looked_up)
        if not looked_up:
            return _Words()
        size, rarest = min((yield from self._sizes(_RARE)))
        if size < _RARE:
            return _Words([rarest])
        wholes = yield from self._spell()
        if len(looked_up) == len(wholes) == 1:
            return _Words(looked_up, list(wholes.values()), are_few=False)
        sizes = yield from self._sizes(_COMMON)
        size, rarest = min(sizes)
        if size < _COMMON and rarest not in wholes:
            return _Words([rarest])
        known = [(size, n) for size, n in sizes if n in wholes] or sizes
        starts = [n for size, n in known if size < _COMMON] or [n for _, n in known]
        return _Words(starts, [wholes[n] for n in starts if n in wholes], are_few=False)

    def _sizes(self, most: int) -> Steps[list[tuple[int, int]]]:
        """Return how many licenses have each of the words, so far at most, and which word that is."""
        counts = ", ".join(size_of_word(n) for n in range(self._typed.looked_up))
        rows = yield Statement(f"SELECT {counts}", {**self._values, "most": most})
        return [(size, n) for n, size in enumerate(rows[0])]

    def _spell(self) -> Steps[dict[int, list[str]]]:
        """Return the names of the values of the whole words that those typed start, where these are few."""
        wholes: dict[int, list[str]] = {}
        for n, word in (yield Statement(spellings_of(self._typed), {**self._values, "most": _SPELLED + 1})):
            names = wholes.setdefault(n, [])
            names.append(f"whole{n}_{len(names)}")
            self._values[names[-1]] = word
        return {n: names for n, names in wholes.items() if len(names) <= _SPELLED}

    def _find_in_strides(self, words: _Words, found: _Found) -> Steps[None]:
        each = [[with_whole([name]) for name in names] for names in words.wholes]
        ways = Ways(each, others_of(self._typed), that_fit(self._sought))
        begin = self._sought.before_id if self._order == "DESC" else self._sought.after_id
        strides = Strides(ways, self._values, order=self._order, after=begin, first=_STRIDE)
        while stride := (yield from strides.following()):
            values = {**self._values, "lowest": min(stride), "highest": max(stride)}
            if (yield from found.take(self._among(words, " AND {id} >= :lowest AND {id} <= :highest"), values)):
                return

    def _find_newest(self, words: _Words, found: _Found) -> Steps[None]:
        """Find what starts so many words that only a sort brings their licenses into the order of a page."""
        window = window_of(self._sought)
        if not (yield from self._reach("walked", self._walk(window, is_all=True), _WALKED)):
            yield from found.take(self._walk(window), self._values)
            return
        if (yield from found.take(self._walk(window + self._until("walked")), self._values)):
            return
        window = self._past("walked")
        newest = f"{with_start(words.starts[0]).within(window)} ORDER BY license_id {self._order} LIMIT :limit"
        if (yield from self._reach("newest", newest, _NEWEST)):
            first = _Words(words.starts[:1])
            if (yield from found.take(self._among(first, window + self._until("newest")), self._values)):
                return
            window = self._past("newest")
        yield from found.take(self._among(words, window), self._values)

    def _reach(self, name: str, sql: str, count: int) -> Steps[bool]:
        """Remember by a name the id that so many others come before; tell whether there is one."""
        ids = f"SELECT * FROM ({sql}) ids ORDER BY 1 {self._order} LIMIT 1 OFFSET :count"
        rows = yield Statement(ids, {**self._values, "limit": count + 1, "count": count})
        if rows:
            self._values[name] = rows[0][0]
        return bool(rows)

    def _until(self, name: str) -> str:
        return f" AND {{id}} {'>=' if self._order == 'DESC' else '<='} :{name}"

    def _past(self, name: str) -> str:
        return f" AND {{id}} {'<' if self._order == 'DESC' else '>'} :{name}"

    def _walk(self, window: str, *, is_all: bool = False) -> str:
        """Return the licenses in their order, each held to what is sought."""
        conditions = window.format(id="l.id")
        if not is_all:
            conditions += f" AND {held_to(self._sought)}"
        if self._sought.text and not is_all:
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

    def _among(self, words: _Words, window: str) -> str:
        """Return the licenses that have these words, each held to the rest of what is sought."""
        sources = [with_whole(names) for names in words.wholes] or [with_start(n) for n in words.starts]
        ids = ids_of(self._typed, sources, window)
        conditions = held_to(self._sought)
        if len(sources) < len(self._typed.words):
            conditions += f" AND {text_of_row(self._typed)}"
        return f"SELECT l.id {_FROM} l.id IN ({ids}) AND {conditions} ORDER BY l.id {self._order} LIMIT :limit"
