"""A product's list of versions as its rules: in which order people read it, and what a change makes of it."""

from collections.abc import Sequence

from licensing.choices import VersionState
from licensing.models import VersionRule
from licensing.ranges import intervals, is_range, order_of
from licensing.versions import matches

Rules = Sequence[VersionRule]


def in_order(rules: Rules) -> Rules:
    """Return rules as people look for them: the latest version, the others from new to old, then ranges."""
    by_name = sorted(rules, key=lambda rule: rule.spec)
    by_order = sorted(by_name, key=lambda rule: _lowest(rule.spec), reverse=True)
    return sorted(by_order, key=lambda rule: (rule.state is not VersionState.LATEST, is_range(rule.spec)))


def listed(rules: Rules, spec: str) -> VersionRule | None:
    """Return the rule that names the same versions, however they are spelled (`1.4`, `v1.4.0`)."""
    return next((rule for rule in rules if _same(rule.spec, spec)), None)


def with_changes(rules: Rules, changed: Rules) -> Rules:
    """Return rules with some that were added or replaced."""
    return [*({rule.spec: rule for rule in rules} | {rule.spec: rule for rule in changed}).values()]


def difference(before: Rules, after: Rules) -> dict[str, dict[str, dict[str, str]]]:
    """Return the rules that a change touched; one that stands on one side alone was added or removed."""
    old, new = ({rule.spec: rule.state.value for rule in rules} for rules in (before, after))
    return {
        "before": {"versions": {spec: state for spec, state in old.items() if new.get(spec) != state}},
        "after": {"versions": {spec: state for spec, state in new.items() if old.get(spec) != state}},
    }


def _lowest(spec: str) -> tuple[object, ...]:
    """Return where a rule's versions begin in the order of versions; what has no order comes last."""
    if is_range(spec):
        return min((interval.low for interval in intervals(spec)), default=())
    return order_of(spec) or ()


def _same(one: str, other: str) -> bool:
    if is_range(one) != is_range(other):
        return False
    return intervals(one) == intervals(other) if is_range(one) else matches(one, other)
