"""Versions: typed by staff, sent by callers, and judged by a product's list and a license's pin.

Two versions are equal where their order is (`1.4`, `v1.4.0`, `1.4.0+5`); one without an order equals only itself.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from licensing.choices import UnlistedVersions, VersionState
from licensing.input_errors import VersionInvalid, VersionRangeInvalid
from licensing.ranges import Order, hold, intervals, is_range, order_of, spaced

__all__ = [
    "VERSION_LENGTH", "Finding", "VersionList", "is_newer", "is_range", "matches",
    "parse_pin", "pin_allows", "pin_text", "tidy_spec", "tidy_version",
]  # fmt: skip

VERSION_LENGTH = 64

_MEMORY = 128  # judged versions that a list remembers, since a caller sends what it likes
_PINS = 4_096
_PIN_LENGTH = 2 * VERSION_LENGTH + len(">= <")
_PIN = re.compile(r"(?:>=(?P<low>[^\s<>]+))?(?:(?:^| )<(?P<high>[^\s<>=]+))?")

_STRICTNESS = {
    VersionState.BLOCKED: 3,
    VersionState.DEPRECATED: 2,
    VersionState.LATEST: 1,
    VersionState.ALLOWED: 0,
}

Rule = tuple[str, VersionState]


class Finding(NamedTuple):
    """What a product's list says of a version, and by which of its rules."""

    version: str | None
    state: VersionState | None
    rule: str | None
    allowed: bool


def tidy_version(text: str) -> str:
    """Return a typed version without blanks around it; VersionInvalid where it is none or is a range."""
    version = text.strip()
    fits = 0 < len(version) <= VERSION_LENGTH and version.isprintable() and " " not in version
    if not fits or is_range(version) or version == "-":  # by which staff take a pin off
        raise VersionInvalid(text=text)
    return version


def tidy_spec(text: str) -> str:
    """Return a typed version or range with single blanks; VersionInvalid, VersionRangeInvalid."""
    spec = spaced(text)
    if not is_range(spec):
        return tidy_version(spec)
    if len(spec) > VERSION_LENGTH or not intervals(spec):
        raise VersionRangeInvalid(text=text)
    return spec


def matches(spec: str, version: str) -> bool:
    """Tell whether a version is the one, or lies in the range, that a rule names."""
    if not is_range(spec):
        return _identity(spec) == _identity(version)
    order = order_of(version)
    return order is not None and hold(intervals(spec), order)


def is_newer(version: str, than: str) -> bool:
    """Tell whether a version comes after another; False where either has no order."""
    mine, other = order_of(version), order_of(than)
    return mine is not None and other is not None and mine > other


class VersionList:
    """A product's rules for versions, ready to judge the ones that callers send."""

    def __init__(self, rules: Iterable[Rule], unlisted: UnlistedVersions) -> None:
        strictest_first = sorted(rules, key=lambda rule: -_STRICTNESS[rule[1]])
        self._unlisted = unlisted
        self._ranges = [(rule, intervals(rule[0])) for rule in strictest_first if is_range(rule[0])]
        self._exact: dict[Order | str, Rule] = {}
        for rule in strictest_first:
            if not is_range(rule[0]):
                self._exact.setdefault(_identity(rule[0]), rule)
        self._current = next((spec for spec, state in self._exact.values() if state is VersionState.LATEST), None)
        self._memory: dict[str | None, Finding] = {}

    @property
    def current(self) -> str | None:
        """The product's latest version, which stands in for one that was left out."""
        return self._current

    def judge(self, version: str | None) -> Finding:
        """Return what the list says of a version; None stands for the current one."""
        finding = self._memory.get(version)
        return self._remember(version) if finding is None else finding

    def _remember(self, version: str | None) -> Finding:
        finding = self._judge(self._current if version is None else version)
        if version is not None and len(version) > VERSION_LENGTH:
            return finding
        if len(self._memory) >= _MEMORY:
            del self._memory[next(iter(self._memory))]  # the oldest
        self._memory[version] = finding
        return finding

    def _judge(self, version: str | None) -> Finding:
        rule = None if version is None else self._rule(version)
        if rule is None:
            return Finding(version, None, None, self._allows_unlisted(version))
        spec, state = rule
        return Finding(version, state, spec, state is not VersionState.BLOCKED)

    def _is_above_all(self, order: Order | None) -> bool:
        """Tell whether a version comes after all that is listed and has an order; False where nothing has."""
        exact = [it for it in self._exact if not isinstance(it, str)]
        ends = [each.high for _rule, ranges in self._ranges for each in ranges]
        if order is None or not (exact or ends):
            return False
        return all(order > it for it in exact) and all(order >= end for end in ends)

    def _rule(self, version: str) -> Rule | None:
        exact = self._exact.get(_identity(version))
        order = order_of(version)
        if exact is not None or order is None:
            return exact
        return next((rule for rule, ranges in self._ranges if hold(ranges, order)), None)

    def _allows_unlisted(self, version: str | None) -> bool:
        if self._unlisted is not UnlistedVersions.ALLOW_NEWER:
            return self._unlisted is UnlistedVersions.ALLOW
        if version is None or order_of(version) is None:
            return False
        if self._current:
            return is_newer(version, self._current)
        return self._is_above_all(order_of(version))


@lru_cache(_PINS)
def pin_allows(version: str | None, *, pinned: str | None, minimum: str | None, maximum: str | None) -> bool:
    """Tell whether a license's pin lets a version through: that one, or from `minimum` up to without `maximum`."""
    specs = [pinned] if pinned is not None else []
    specs += [f">={minimum}"] if minimum is not None else []
    specs += [f"<{maximum}"] if maximum is not None else []
    return all(version is not None and matches(spec, version) for spec in specs)


def parse_pin(text: str) -> tuple[str | None, str | None, str | None]:
    """Return (pinned, minimum, maximum) as staff type them: `1.4.0`, `>=2.1 <2.4`, `2.x`, or nothing for no pin."""
    spec = spaced(text)
    if not spec:
        return None, None, None
    if not is_range(spec):
        return tidy_version(spec), None, None
    low, high = _pin_bounds(spec) if len(spec) <= _PIN_LENGTH else (None, None)
    if low is None and high is None:
        raise VersionRangeInvalid(text=text)
    return None, low, high


def pin_text(pinned: str | None, minimum: str | None, maximum: str | None) -> str:
    """Return a pin as `parse_pin` reads it; empty where there is none."""
    if pinned is not None:
        return pinned
    return " ".join(f"{sign}{bound}" for sign, bound in ((">=", minimum), ("<", maximum)) if bound is not None)


def _pin_bounds(spec: str) -> tuple[str | None, str | None]:
    """Return a range's minimum and maximum, as typed where they were; nothing where it has none such."""
    found, typed = intervals(spec), _PIN.fullmatch(spec)
    if len(found) != 1:
        return None, None
    low, high = found[0].spelled()
    if typed is not None and not any(bound and is_range(bound) for bound in typed.groups()):
        low, high = typed["low"], typed["high"]
    fits = all(bound is None or len(bound) <= VERSION_LENGTH for bound in (low, high))
    return (low, high) if fits else (None, None)


def _identity(version: str) -> Order | str:
    """Return what equal versions have in common."""
    order = order_of(version)
    return version.strip() if order is None else order
