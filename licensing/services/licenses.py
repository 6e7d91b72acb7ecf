"""What staff do with licenses: issue, look at, check, reveal and revoke them."""

from dataclasses import dataclass, replace

from licensing import lifecycle
from licensing.blacklist import Blacklist
from licensing.choices import Permission
from licensing.errors import LicenseNotFound
from licensing.events import Action, about, difference, happened
from licensing.keys import RandomBytes, make_license_key
from licensing.models import PLATFORM, Actor, LicenseView, Product, SealedKey
from licensing.ports import Clock, Steps, Store, Transaction, Vault
from licensing.services.access import require
from licensing.services.changes import Changed
from licensing.services.handover import end_pending
from licensing.services.issuing import drafted, issued, refuse_bad_terms, sealed, sold_product
from licensing.services.lookup import find_license
from licensing.services.organizations import Plans
from licensing.services.terms import Terms, checked_reason
from licensing.verdict import (
    Call,
    LicenseSnapshot,
    ProductSnapshot,
    Step,
    Verdict,
    judge,
    trace,
)
from licensing.versions import VersionList


@dataclass(frozen=True, slots=True)
class Issued:
    """A new license, its key, and the event that tells of it."""

    view: LicenseView
    key: str
    event_id: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What a validation would answer now, with every check on the way."""

    view: LicenseView
    verdict: Verdict
    steps: tuple[Step, ...]


class LicenseService:
    """Issues, shows, checks and revokes licenses."""

    def __init__(self, store: Store, vault: Vault, *, plans: Plans, clock: Clock, random_bytes: RandomBytes) -> None:
        self._store = store
        self._vault = vault
        self._plans = plans
        self._clock = clock
        self._random_bytes = random_bytes

    async def issue(self, by: Actor, terms: Terms) -> Issued:
        """Issue a license to a member, an email address, or as stock.

        Raises: NotAllowed, HolderAmbiguous, EmailInvalid, ExpiryInvalid and its kin, MaxIpsInvalid,
        NotesTooLong, ProductNotFound, ProductNotSold, LimitReached.
        """
        now_ms, key = self._clock(), make_license_key(self._random_bytes)
        refuse_bad_terms(terms, now_ms=now_ms)
        kept = sealed(self._vault, key)

        def work(tx: Transaction) -> Steps[Issued]:
            product = yield from sold_product(tx, self._plans, by, terms, count=1)
            draft = yield from drafted(tx, product, terms, now_ms=now_ms)
            license_ = yield from tx.licenses.insert(draft, kept)
            event = yield from tx.ledger.append(issued(license_, by, now_ms=now_ms))
            return Issued((yield from _view(tx, by.organization_id, license_.id)), key, event.id)

        return await self._store.write(work)

    async def view(self, by: Actor, text: str) -> LicenseView:
        """Return a license that staff name by reference (`#12`) or by its key.

        Raises: NotAllowed, LicenseNotFound.
        """

        def work(tx: Transaction) -> Steps[LicenseView]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            return (yield from find_license(tx, self._vault, by.organization_id, text))

        return await self._store.read(work)

    async def reveal(self, by: Actor, text: str) -> str:
        """Return a license's whole key, and write down who asked.

        Raises: NotAllowed, LicenseNotFound.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[SealedKey]:
            yield from require(tx, by, Permission.LICENSES_REVEAL)
            view = yield from find_license(tx, self._vault, by.organization_id, text)
            yield from tx.ledger.append(happened(Action.LICENSE_REVEALED, by=by, at_ms=now_ms, **about(view.license)))
            return view.key

        return self._vault.reveal(await self._store.write(work))

    async def revocable(self, by: Actor, text: str) -> LicenseView:
        """Return a license that this actor could revoke now: what is asked before it is done.

        Raises: NotAllowed, LicenseNotFound, LicenseAlreadyRevoked.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[LicenseView]:
            yield from require(tx, by, Permission.LICENSES_REVOKE)
            view = yield from find_license(tx, self._vault, by.organization_id, text)
            lifecycle.revoke(view.license, now_ms=now_ms)
            return view

        return await self._store.read(work)

    async def revoke(self, by: Actor, text: str, *, reason: str | None = None) -> Changed:
        """End a license for good; the very next validation is refused.

        Raises: NotAllowed, LicenseNotFound, LicenseAlreadyRevoked, NotesTooLong.
        """
        now_ms = self._clock()
        reason = checked_reason(reason)

        def work(tx: Transaction) -> Steps[Changed]:
            yield from require(tx, by, Permission.LICENSES_REVOKE)
            view = yield from find_license(tx, self._vault, by.organization_id, text)
            before = (yield from tx.licenses.lock(by.organization_id, view.license.id)) or view.license
            after = lifecycle.revoke(before, now_ms=now_ms)
            yield from tx.licenses.save(after)
            yield from end_pending(tx, by, after.id, now_ms=now_ms)
            yield from tx.ledger.append(
                happened(
                    Action.LICENSE_REVOKED,
                    by=by,
                    at_ms=now_ms,
                    reason=reason,
                    **about(after),
                    **difference(before, after),
                )
            )
            return Changed(view.model_copy(update={"license": before}), view.model_copy(update={"license": after}))

        return await self._store.write(work)

    async def check(self, by: Actor, text: str, call: Call) -> Checked:
        """Judge a license as a validation would, changing nothing; the key in `call` is not looked at.

        Raises: NotAllowed, LicenseNotFound.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[Checked]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            view = yield from find_license(tx, self._vault, by.organization_id, text)
            product = yield from _product_snapshot(tx, view.product)
            addresses, devices = (it.address for it in view.addresses), (it.device for it in view.devices)
            snapshot = LicenseSnapshot.of(view.license, addresses, devices)
            verdict = judge(product, snapshot, call, now_ms=now_ms)
            return Checked(view, verdict, trace(product, snapshot, call, now_ms=now_ms))

        return await self._store.read(work)

    def key_tail(self, view: LicenseView) -> str:
        """Return the last four characters of a license's key: what a view may show."""
        return self._vault.reveal(view.key)[-4:]


def _view(tx: Transaction, organization_id: int, license_id: int) -> Steps[LicenseView]:
    view = yield from tx.licenses.view(organization_id, license_id)
    if view is None:
        raise LicenseNotFound(text=f"#{license_id}")
    return view


def _product_snapshot(tx: Transaction, product: Product) -> Steps[ProductSnapshot]:
    snapshot = yield from tx.products.snapshot(product.id)
    if snapshot is None:
        raise LicenseNotFound(text=product.name)
    rules = yield from tx.versions.of(product.id)
    blocks = yield from tx.blacklist.of(product.organization_id)
    for_everybody = yield from tx.blacklist.of(PLATFORM)
    return replace(
        snapshot,
        versions=VersionList([(rule.spec, rule.state) for rule in rules], product.settings.unlisted_versions),
        blacklist=Blacklist((it.level, it.target_id, it.network) for it in (*for_everybody, *blocks)),
    )
