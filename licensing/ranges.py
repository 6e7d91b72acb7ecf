"""The order of versions, and ranges of them as intervals of that order.

A version has up to four numbers (`1.4.0.3`; missing ones are 0), may begin with a `v`, and may end in a
pre-release (`-beta.2`); build metadata (`+5`) does not count. What looks otherwise (`build-77`) has no order.

Ranges are written as node-semver's (https://github.com/npm/node-semver#ranges), but a bare `1.4` is that one version
and no range, and a pre-release belongs to the release that it leads to: `2.4.0-beta` is not below 2.4, but from 2.4
on. The library of that name agrees (with pre-releases included), and the tests hold this module to it; it is not
asked at run time because it knows no fourth number and passes over whatever it cannot read in a range.
"""

import math
import re
from functools import lru_cache
from typing import Any, NamedTuple

# Four numbers, then `(1,)` for a release or `(0, identifier, ...)` for a pre-release, which comes before it.
Order = tuple[Any, ...]

_LOWEST: Order = (0, 0, 0, 0, (0,))
_HIGHEST: Order = (math.inf,)

_LONGEST = 256  # what a caller may send; anything longer has no order and is no range
_CACHED = 1_024
_FULL = 3  # numbers of a version that names no line: major, minor, patch

_VERSION = re.compile(
    r"[vV]?(?P<numbers>[0-9]+(?:\.[0-9]+){0,3})"
    r"(?:(?:-(?=[0-9A-Za-z-])|(?=[A-Za-z]))(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+[0-9A-Za-z.-]+)?"
)
_LINE = re.compile(r"[vV]?(?:(?P<numbers>[0-9]+(?:\.[0-9]+){0,2})\.)?[xX*](?:\.[xX*]){0,3}")
_OPERATOR = re.compile(r"(?P<operator>>=|<=|~>|[<>=~^])\s*")
_HYPHEN = re.compile(r"(\S+) - (\S+)")
_OF_RANGES = re.compile(r"[<>=~^|*,]| - ")


class Interval(NamedTuple):
    """The versions from `low` on, up to but without `high`."""

    low: Order
    high: Order

    def spelled(self) -> tuple[str | None, str | None]:
        """Return its ends as versions; None for an open one, and twice where one is no version's beginning."""
        if self.low[-1][-1:] == ((),) or (self.high != _HIGHEST and self.high[-1][-1:] == ((),)):
            return None, None  # `<=1.4.0` ends right behind a version
        return _spelled(self.low), _spelled(self.high)


class _Operand(NamedTuple):
    """A version inside a range: its order, and how many numbers were given (none for `*`)."""

    order: Order
    given: int
    is_line: bool

    @property
    def start(self) -> Order:
        """Where it begins: a release begins with its pre-releases."""
        return (*self.order[:4], (0,)) if self.order[4] == (1,) else self.order

    @property
    def end(self) -> Order:
        """Where it is over: `1.4` and `1.4.0.x` stand for a line, `1.4.0` for itself."""
        if self.is_line or self.given < _FULL:
            return self.next_line(self.given - 1)
        return _after(self.order)

    @property
    def whole(self) -> Interval:
        """What it names without an operator: `1.4.x` its line, anything else itself."""
        return Interval(self.start, self.end) if self.is_line else Interval(self.order, _after(self.order))

    @property
    def kept_by_caret(self) -> int:
        """Which number `^` holds on to: the first that is not 0."""
        given = min(self.given, _FULL)
        return next((at for at in range(given) if self.order[at]), given - 1)

    def next_line(self, position: int) -> Order:
        """Return where the line that the number at `position` names is over; `*` never is."""
        if position < 0:
            return _HIGHEST
        return (*_padded((*self.order[:position], self.order[position] + 1)), (0,))


@lru_cache(_CACHED)
def order_of(version: str) -> Order | None:
    """Return what versions are ordered by; None for one that has no order."""
    found = _VERSION.fullmatch(version.strip()) if len(version) <= _LONGEST else None
    return None if found is None else (*_padded(_numbers(found["numbers"])), _stage(found["pre"]))


def is_range(spec: str) -> bool:
    """Tell a range from a single version."""
    return _OF_RANGES.search(spec) is not None or _LINE.fullmatch(spec) is not None


def spaced(text: str) -> str:
    """Return a typed version or range with single blanks, and none behind operators; a lone `=` says nothing."""
    apart = text.replace(",", " ").replace("||", " || ")
    spec = " ".join(_OPERATOR.sub(lambda found: f" {found['operator']}", apart).split())
    return spec[1:] if spec.startswith("=") and not is_range(spec[1:]) else spec


@lru_cache(_CACHED)
def intervals(spec: str) -> tuple[Interval, ...]:
    """Return what a range holds; nothing where it cannot be read, or where one of its alternatives is empty."""
    found = [_alternative(text.strip()) for text in spec.split("||")] if len(spec) <= _LONGEST else []
    readable = tuple(interval for interval in found if interval is not None and interval.low < interval.high)
    return readable if len(readable) == len(found) else ()


def hold(ranges: tuple[Interval, ...], order: Order) -> bool:
    """Tell whether a version lies in one of the intervals."""
    return any(low <= order < high for low, high in ranges)


def _alternative(text: str) -> Interval | None:
    hyphen = _HYPHEN.fullmatch(text)
    parts = spaced(f">={hyphen[1]} <={hyphen[2]}" if hyphen else text).split()
    found = [_part(part) for part in parts]
    readable = [interval for interval in found if interval is not None]
    if not parts or len(readable) < len(parts):
        return None
    return Interval(max(low for low, _ in readable), min(high for _, high in readable))


def _part(text: str) -> Interval | None:
    operator = _OPERATOR.match(text)
    operand = _operand(text[operator.end() :] if operator else text)
    return None if operand is None else _interval(operator["operator"] if operator else "=", operand)


def _operand(text: str) -> _Operand | None:
    line = _LINE.fullmatch(text)
    if line is not None:
        numbers = _numbers(line["numbers"]) if line["numbers"] else ()
        return _Operand((*_padded(numbers), (1,)), len(numbers), is_line=True)
    order, found = order_of(text), _VERSION.fullmatch(text)
    if order is None or found is None:
        return None
    return _Operand(order, len(_numbers(found["numbers"])), is_line=False)


def _interval(operator: str, operand: _Operand) -> Interval:
    if operator == "=":
        return operand.whole
    if operator == "^":
        return Interval(operand.start, operand.next_line(operand.kept_by_caret))
    if operator in {"~", "~>"}:
        return Interval(operand.start, operand.next_line(min(operand.given, 2) - 1))
    low = {">=": operand.start, ">": operand.end}.get(operator, _LOWEST)
    high = {"<": operand.start, "<=": operand.end}.get(operator, _HIGHEST)
    return Interval(low, high)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split("."))


def _padded(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return (*numbers, 0, 0, 0, 0)[:4]


def _stage(pre: str | None) -> tuple[Any, ...]:
    """Return where a version stands among those of its numbers, by section 11 of Semantic Versioning 2.0.0."""
    if pre is None:
        return (1,)
    return (0, *((0, int(name)) if name.isdecimal() else (1, name) for name in pre.split(".")))


def _after(order: Order) -> Order:
    """Return what comes right behind a version, before anything else."""
    return (*order[:4], (*order[4], ()))


def _spelled(end: Order) -> str | None:
    if end in {_LOWEST, _HIGHEST}:
        return None
    numbers, stage = list(end[:4]), end[4]
    while len(numbers) > 2 and numbers[-1] == 0:  # noqa: PLR2004 - `2.0` reads better than `2` and `2.0.0.0`
        numbers.pop()
    pre = ".".join(str(name) for _, name in stage[1:])
    return ".".join(map(str, numbers)) + (f"-{pre}" if pre else "")
