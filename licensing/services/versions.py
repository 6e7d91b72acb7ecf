"""What products say of their versions, and how many licenses run each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from licensing.choices import Permission, VersionState
from licensing.errors import NothingToChange, TooManyVersions, VersionNotListed
from licensing.events import Action, happened
from licensing.input_errors import LatestNeedsVersion
from licensing.models import Actor, Product, VersionRule
from licensing.ports import Clock, Steps, Store, Transaction
from licensing.ranges import is_range
from licensing.services.access import require
from licensing.services.catalog import find_product, lock_product
from licensing.services.impact import called, licenses_each, licenses_on, running, since
from licensing.version_rules import Rules, difference, in_order, listed, with_changes
from licensing.versions import VersionList, matches, tidy_spec

VERSIONS_LIMIT = 500


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

    `demoted` was the latest version until now; `refused` of the licenses ran versions that the list does not allow,
    `newly_refused` some that it did allow before.
    """

    product: Product
    spec: str
    before: VersionState | None
    after: VersionState | None
    demoted: str | None
    licenses: int
    refused: int
    newly_refused: int


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
        tidied, now_ms = _tidied(spec, state), self._clock()

        def work(tx: Transaction) -> Steps[_Change]:
            found, rules = yield from _locked(tx, by, product)
            change = _set(found, rules, tidied, state, now_ms)
            known = frozenset(rules)
            for rule in change.after:
                if rule not in known:
                    yield from tx.versions.save(found.id, rule)
            yield from _append(tx, Action.PRODUCT_VERSION_SET, by, change, now_ms)
            return change

        return await self._told(await self._store.write(work), now_ms)

    async def remove(self, by: Actor, product: str | int, *, spec: str) -> VersionsChanged:
        """Take a version or a range off the list.

        Raises: NotAllowed, ProductNotFound, VersionInvalid, VersionRangeInvalid, VersionNotListed.
        """
        tidied, now_ms = tidy_spec(spec), self._clock()

        def work(tx: Transaction) -> Steps[_Change]:
            found, rules = yield from _locked(tx, by, product)
            change = _removed(found, rules, tidied)
            yield from tx.versions.delete(found.id, change.spec)
            yield from _append(tx, Action.PRODUCT_VERSION_REMOVED, by, change, now_ms)
            return change

        return await self._told(await self._store.write(work), now_ms)

    async def preview(
        self, by: Actor, product: str | int, *, spec: str, state: VersionState | None
    ) -> VersionsChanged:
        """Return what setting a version, or without a state removing it, would come to: what is asked before.

        Raises: as `set` and `remove`.
        """
        tidied, now_ms = _tidied(spec, state), self._clock()

        def work(tx: Transaction) -> Steps[VersionsChanged]:
            yield from require(tx, by, Permission.PRODUCTS_EDIT)
            found = yield from find_product(tx, by.organization_id, product)
            rules = yield from tx.versions.of(found.id)
            change = _removed(found, rules, tidied) if state is None else _set(found, rules, tidied, state, now_ms)
            return (yield from _outcome(tx, change, since(now_ms)))

        return await self._store.read(work)

    async def list(self, by: Actor, product: str | int) -> VersionsView:
        """Return a product's list with how many licenses ran each version in the last 30 days.

        Raises: NotAllowed, ProductNotFound.
        """
        since_ms = since(self._clock())

        def work(tx: Transaction) -> Steps[VersionsView]:
            yield from require(tx, by, Permission.PRODUCTS_VIEW)
            found = yield from find_product(tx, by.organization_id, product)
            rules = in_order((yield from tx.versions.of(found.id)))
            all_run = yield from running(tx, found, since_ms)
            ran: list[dict[str, int]] = [{} for _ in rules]
            unlisted = []
            for version, count in all_run.items():
                its = [each for each, rule in zip(ran, rules, strict=True) if matches(rule.spec, version)]
                for each in its:
                    each[version] = count
                unlisted += [] if its else [(version, count)]
            counts = yield from licenses_each(tx, found, ran, since_ms)
            shown = [ListedVersions(rule, licenses) for rule, licenses in zip(rules, counts, strict=True)]
            return VersionsView(found, shown, unlisted)

        return await self._store.read(work)

    async def settable(self, by: Actor, product: str | int) -> Sequence[str]:
        """Return the versions that ran lately, the most used first, then what else is on the list.

        Raises: NotAllowed, ProductNotFound.
        """
        since_ms = since(self._clock())

        def work(tx: Transaction) -> Steps[Sequence[str]]:
            yield from require(tx, by, Permission.PRODUCTS_EDIT)
            found = yield from find_product(tx, by.organization_id, product)
            ran = yield from running(tx, found, since_ms)
            rules = in_order((yield from tx.versions.of(found.id)))
            return [*dict.fromkeys([*ran, *(rule.spec for rule in rules)])]

        return await self._store.read(work)

    async def is_known(self, by: Actor, product: str | int, version: str) -> bool:
        """Tell, to whoever may pin a license to it, whether a version is on the list or ran lately.

        Raises: NotAllowed, ProductNotFound.
        """
        since_ms = since(self._clock())

        def work(tx: Transaction) -> Steps[bool]:
            yield from require(tx, by, Permission.LICENSES_EDIT)
            found = yield from find_product(tx, by.organization_id, product)
            specs = [rule.spec for rule in (yield from tx.versions.of(found.id))]
            ran = yield from running(tx, found, since_ms)
            return any(matches(spec, version) for spec in specs) or any(matches(version, each) for each in ran)

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
        return await self._store.read(lambda tx: _outcome(tx, change, since(now_ms)))


class _Change(NamedTuple):
    """A product's rules before and after a change of the one named."""

    product: Product
    spec: str
    before: Rules
    after: Rules


def _locked(tx: Transaction, by: Actor, product: str | int) -> Steps[tuple[Product, Rules]]:
    """Return a product that nobody else can change now, with its rules."""
    found = yield from lock_product(tx, by, product)
    return found, (yield from tx.versions.of(found.id))


def _tidied(spec: str, state: VersionState | None) -> str:
    tidied = tidy_spec(spec)
    if state is VersionState.LATEST and is_range(tidied):
        raise LatestNeedsVersion(text=tidied)
    return tidied


def _set(product: Product, rules: Rules, spec: str, state: VersionState, now_ms: int) -> _Change:
    changed = _changed(rules, spec, state, now_ms)
    return _Change(product, changed[0].spec, rules, with_changes(rules, changed))


def _removed(product: Product, rules: Rules, spec: str) -> _Change:
    present = listed(rules, spec)
    if present is None:
        raise VersionNotListed(text=spec)
    return _Change(product, present.spec, rules, [rule for rule in rules if rule != present])


def _changed(rules: Rules, spec: str, state: VersionState, now_ms: int) -> Rules:
    """Return the rule that is asked for, then others that change with it."""
    present = listed(rules, spec)
    if present is not None and present.state is state:
        raise NothingToChange
    if present is None and len(rules) >= VERSIONS_LIMIT:
        raise TooManyVersions(limit=VERSIONS_LIMIT)
    new = present or VersionRule(spec=spec, state=state, created_at_ms=now_ms)
    changed = [new.model_copy(update={"state": state})]
    if state is VersionState.LATEST:
        latest = [rule for rule in rules if rule.state is VersionState.LATEST]
        changed += [rule.model_copy(update={"state": VersionState.ALLOWED}) for rule in latest]
    return changed


def _append(tx: Transaction, action: Action, by: Actor, change: _Change, now_ms: int) -> Steps[None]:
    facts = difference(change.before, change.after)
    yield from tx.ledger.append(happened(action, by=by, at_ms=now_ms, product_id=change.product.id, **facts))


def _outcome(tx: Transaction, change: _Change, since_ms: int) -> Steps[VersionsChanged]:
    """Return what a change came to, for the licenses on versions that it names or judges otherwise than before."""
    product, spec = change.product, change.spec
    unlisted = product.settings.unlisted_versions
    old, new = (
        VersionList([(rule.spec, rule.state) for rule in rules], unlisted) for rules in (change.before, change.after)
    )
    ran = yield from called(tx, product, since_ms)
    before, after = ({version for version in ran if it.judge(version or None).allowed} for it in (old, new))
    named = {version for version in ran if version and matches(spec, version)}
    concerned = {version: ran[version] for version in ran if version in named | (before ^ after)}
    refused = {version: count for version, count in concerned.items() if version not in after}
    newly = {version: count for version, count in refused.items() if version in before}
    return VersionsChanged(
        product=product,
        spec=spec,
        before=_state(change.before, spec),
        after=_state(change.after, spec),
        demoted=None if old.current in {new.current, spec} else old.current,
        licenses=(yield from licenses_on(tx, product, concerned, since_ms)),
        refused=(yield from licenses_on(tx, product, refused, since_ms)),
        newly_refused=(yield from licenses_on(tx, product, newly, since_ms)),
    )


def _state(rules: Rules, spec: str) -> VersionState | None:
    return next((rule.state for rule in rules if rule.spec == spec), None)
