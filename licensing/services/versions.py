"""What products say of their versions, and how many licenses run each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from licensing.choices import Permission, VersionState
from licensing.errors import NothingToChange, TooManyVersions, VersionNotListed
from licensing.events import Action, happened
from licensing.input_errors import LatestNeedsVersion
from licensing.models import Actor, Product, VersionRule
from licensing.ports import Clock, Steps, Store, Transaction
from licensing.ranges import intervals, is_range, order_of
from licensing.services.access import require
from licensing.services.catalog import find_product
from licensing.versions import VersionList, matches, tidy_spec

VERSIONS_LIMIT = 500
RUNNING_DAYS = 30

_CONSIDERED = 2_000  # versions that ran, the most used first: callers send what they like
_DAY_MS = 86_400_000

Rules = Sequence[VersionRule]


@dataclass(frozen=True, slots=True)
class ListedVersions:
    """A version or range of a product's list, and how many licenses ran any of it lately."""

    rule: VersionRule
    licenses: int


@dataclass(frozen=True, slots=True)
class VersionsView:
    """A product's list, and the versions that ran lately without being named on it, the most used first."""

    product: Product
    listed: Sequence[ListedVersions]
    unlisted: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class VersionsChanged:
    """A rule as it was and as it is now, and how many licenses that ran lately it is about.

    `demoted` was the latest version until now; `refused` of the licenses ran versions that the list does not allow.
    """

    product: Product
    spec: str
    before: VersionState | None
    after: VersionState | None
    demoted: str | None
    licenses: int
    refused: int


class VersionService:
    """Keeps the versions and ranges that a product allows, deprecates and blocks."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def set(self, by: Actor, product: str | int, *, spec: str, state: VersionState) -> VersionsChanged:
        """Say what becomes of a version or a range; a new latest version makes an allowed one of the old.

        Raises: NotAllowed, ProductNotFound, VersionInvalid, VersionRangeInvalid, LatestNeedsVersion,
        TooManyVersions, NothingToChange.
        """
        tidied, now_ms = tidy_spec(spec), self._clock()
        if state is VersionState.LATEST and is_range(tidied):
            raise LatestNeedsVersion(text=tidied)

        def work(tx: Transaction) -> Steps[_Change]:
            found, rules = yield from _locked(tx, by, product)
            changed = _changed(rules, tidied, state, now_ms)
            for rule in changed:
                yield from tx.versions.save(found.id, rule)
            after = _with(rules, changed)
            facts = _difference(rules, after)
            yield from tx.ledger.append(
                happened(Action.PRODUCT_VERSION_SET, by=by, at_ms=now_ms, product_id=found.id, **facts)
            )
            return _Change(found, changed[0].spec, rules, after)

        return await self._told(await self._store.write(work), now_ms)

    async def remove(self, by: Actor, product: str | int, *, spec: str) -> VersionsChanged:
        """Take a version or a range off the list.

        Raises: NotAllowed, ProductNotFound, VersionInvalid, VersionRangeInvalid, VersionNotListed.
        """
        tidied, now_ms = tidy_spec(spec), self._clock()

        def work(tx: Transaction) -> Steps[_Change]:
            found, rules = yield from _locked(tx, by, product)
            listed = _listed(rules, tidied)
            if listed is None:
                raise VersionNotListed(text=tidied)
            yield from tx.versions.delete(found.id, listed.spec)
            after = [rule for rule in rules if rule != listed]
            facts = _difference(rules, after)
            yield from tx.ledger.append(
                happened(Action.PRODUCT_VERSION_REMOVED, by=by, at_ms=now_ms, product_id=found.id, **facts)
            )
            return _Change(found, listed.spec, rules, after)

        return await self._told(await self._store.write(work), now_ms)

    async def list(self, by: Actor, product: str | int) -> VersionsView:
        """Return a product's list with how many licenses ran each version in the last 30 days.

        Raises: NotAllowed, ProductNotFound.
        """
        since_ms = _since(self._clock())

        def work(tx: Transaction) -> Steps[VersionsView]:
            yield from require(tx, by, Permission.PRODUCTS_VIEW)
            found = yield from find_product(tx, by.organization_id, product)
            rules = in_order((yield from tx.versions.of(found.id)))
            running = yield from _running(tx, found, since_ms)
            listed = []
            for rule in rules:
                ran = {version: count for version, count in running.items() if matches(rule.spec, version)}
                listed.append(ListedVersions(rule, (yield from _licenses_on(tx, found, ran, since_ms))))
            unlisted = {
                version: count
                for version, count in running.items()
                if not any(matches(rule.spec, version) for rule in rules)
            }
            return VersionsView(found, listed, [*unlisted.items()])

        return await self._store.read(work)

    async def settable(self, by: Actor, product: str | int) -> Sequence[str]:
        """Return the versions that ran lately, the most used first, then what else is on the list.

        Raises: NotAllowed, ProductNotFound.
        """
        since_ms = _since(self._clock())

        def work(tx: Transaction) -> Steps[Sequence[str]]:
            yield from require(tx, by, Permission.PRODUCTS_EDIT)
            found = yield from find_product(tx, by.organization_id, product)
            running = yield from _running(tx, found, since_ms)
            rules = in_order((yield from tx.versions.of(found.id)))
            return [*dict.fromkeys([*running, *(rule.spec for rule in rules)])]

        return await self._store.read(work)

    async def removable(self, by: Actor, product: str | int) -> Rules:
        """Return what is on a product's list.

        Raises: NotAllowed, ProductNotFound.
        """

        def work(tx: Transaction) -> Steps[Rules]:
            yield from require(tx, by, Permission.PRODUCTS_EDIT)
            found = yield from find_product(tx, by.organization_id, product)
            return in_order((yield from tx.versions.of(found.id)))

        return await self._store.read(work)

    async def _told(self, change: "_Change", now_ms: int) -> VersionsChanged:
        """Return what a change comes to: asked after it was written, since it may take a moment to count."""
        return await self._store.read(lambda tx: _outcome(tx, change, _since(now_ms)))


class _Change(NamedTuple):
    """A product's rules before and after a change of the one named."""

    product: Product
    spec: str
    before: Rules
    after: Rules


def in_order(rules: Rules) -> Rules:
    """Return rules as people look for them: the latest version, the others from new to old, then ranges."""
    by_name = sorted(rules, key=lambda rule: rule.spec)
    by_order = sorted(by_name, key=lambda rule: _lowest(rule.spec), reverse=True)
    return sorted(by_order, key=lambda rule: (rule.state is not VersionState.LATEST, is_range(rule.spec)))


def _lowest(spec: str) -> tuple[object, ...]:
    """Return where a rule's versions begin in the order of versions; what has no order comes last."""
    if is_range(spec):
        return min((interval.low for interval in intervals(spec)), default=())
    return order_of(spec) or ()


def _locked(tx: Transaction, by: Actor, product: str | int) -> Steps[tuple[Product, Rules]]:
    """Return a product that nobody else can change now, with its rules."""
    yield from require(tx, by, Permission.PRODUCTS_EDIT)
    found = yield from find_product(tx, by.organization_id, product)
    found = (yield from tx.products.lock(by.organization_id, found.id)) or found
    return found, (yield from tx.versions.of(found.id))


def _changed(rules: Rules, spec: str, state: VersionState, now_ms: int) -> Rules:
    """Return the rule that is asked for, then others that change with it."""
    listed = _listed(rules, spec)
    if listed is not None and listed.state is state:
        raise NothingToChange
    if listed is None and len(rules) >= VERSIONS_LIMIT:
        raise TooManyVersions(limit=VERSIONS_LIMIT)
    new = listed or VersionRule(spec=spec, state=state, created_at_ms=now_ms)
    changed = [new.model_copy(update={"state": state})]
    if state is VersionState.LATEST:
        latest = [rule for rule in rules if rule.state is VersionState.LATEST]
        changed += [rule.model_copy(update={"state": VersionState.ALLOWED}) for rule in latest]
    return changed


def _listed(rules: Rules, spec: str) -> VersionRule | None:
    """Return the rule that names the same versions, however they are spelled (`1.4`, `v1.4.0`)."""
    return next((rule for rule in rules if _same(rule.spec, spec)), None)


def _same(one: str, other: str) -> bool:
    if is_range(one) != is_range(other):
        return False
    return intervals(one) == intervals(other) if is_range(one) else matches(one, other)


def _with(rules: Rules, changed: Rules) -> Rules:
    return [*({rule.spec: rule for rule in rules} | {rule.spec: rule for rule in changed}).values()]


def _difference(before: Rules, after: Rules) -> dict[str, dict[str, dict[str, str]]]:
    """Return the rules that a change touched; one that stands on one side alone was added or removed."""
    old, new = ({rule.spec: rule.state.value for rule in rules} for rules in (before, after))
    return {
        "before": {"versions": {spec: state for spec, state in old.items() if new.get(spec) != state}},
        "after": {"versions": {spec: state for spec, state in new.items() if old.get(spec) != state}},
    }


def _running(tx: Transaction, product: Product, since_ms: int) -> Steps[Mapping[str, int]]:
    """Return each version that ran lately with how many licenses ran it, the most used first."""
    return dict((yield from tx.versions.running(product.id, since_ms=since_ms))[:_CONSIDERED])


def _licenses_on(tx: Transaction, product: Product, ran: Mapping[str, int], since_ms: int) -> Steps[int]:
    """Return how many licenses ran any of these versions; who ran several counts once."""
    if len(ran) <= 1:
        return sum(ran.values())
    return (yield from tx.versions.licenses_on(product.id, [*ran], since_ms=since_ms))


def _outcome(tx: Transaction, change: _Change, since_ms: int) -> Steps[VersionsChanged]:
    """Return what a change came to, for the licenses on versions that it names or judges otherwise than before."""
    product, spec = change.product, change.spec
    unlisted = product.settings.unlisted_versions
    old, new = (
        VersionList([(rule.spec, rule.state) for rule in rules], unlisted) for rules in (change.before, change.after)
    )
    running = yield from _running(tx, product, since_ms)
    concerned = {
        version: count
        for version, count in running.items()
        if matches(spec, version) or old.judge(version).allowed != new.judge(version).allowed
    }
    refused = {version: count for version, count in concerned.items() if not new.judge(version).allowed}
    return VersionsChanged(
        product=product,
        spec=spec,
        before=_state(change.before, spec),
        after=_state(change.after, spec),
        demoted=None if old.current in {new.current, spec} else old.current,
        licenses=(yield from _licenses_on(tx, product, concerned, since_ms)),
        refused=(yield from _licenses_on(tx, product, refused, since_ms)),
    )


def _state(rules: Rules, spec: str) -> VersionState | None:
    return next((rule.state for rule in rules if rule.spec == spec), None)


def _since(now_ms: int) -> int:
    return now_ms - RUNNING_DAYS * _DAY_MS
