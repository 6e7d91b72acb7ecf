"""What staff do with licenses: issue, look at, check, reveal and revoke them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from licensing import lifecycle
from licensing.errors import (
    EmailInvalid,
    HolderAmbiguous,
    LicenseNotFound,
    MaxIpsInvalid,
    NotesTooLong,
    ProductNotSold,
)
from licensing.events import Action, difference, happened
from licensing.expiry import parse_expiry
from licensing.keys import PREFIX_LENGTH, RandomBytes, make_license_key, tidy
from licensing.models import (
    MAX_IPS_LIMIT,
    NOTES_LIMIT,
    Actor,
    Customer,
    License,
    LicenseView,
    Permission,
    Product,
    ProductState,
    SealedKey,
)
from licensing.ports import Clock, Steps, Store, Transaction, Vault
from licensing.services.access import require
from licensing.services.catalog import find_product
from licensing.services.organizations import Plans, require_room
from licensing.verdict import Call, LicenseSnapshot, ProductSnapshot, Step, Verdict, judge, trace

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_EMAIL_LIMIT = 254
_REFERENCE = re.compile(r"#(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Terms:
    """What staff type when they issue a license; nobody named makes stock."""

    product: str
    discord_id: int | None = None
    holder_name: str | None = None
    email: str | None = None
    expiry: str = "never"
    max_ips: int | None = None
    notes: str | None = None


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
        check_terms(terms)
        expires_at_ms = parse_expiry(terms.expiry, now_ms=now_ms)
        sealed = self._seal(key)

        def work(tx: Transaction) -> Steps[tuple[int, int]]:
            yield from require(tx, by, Permission.LICENSES_CREATE)
            product = yield from find_product(tx, by.organization_id, terms.product)
            if product.state is not ProductState.ACTIVE:
                raise ProductNotSold(name=product.name)
            yield from self._require_room(tx, by.organization_id)
            customer = yield from _find_or_add_customer(tx, by.organization_id, terms, now_ms)
            draft = _draft(product, customer, terms, expires_at_ms=expires_at_ms, now_ms=now_ms)
            license_ = yield from tx.licenses.insert(draft, sealed)
            after = license_.model_dump(mode="json", include={"expires_at_ms", "max_ips", "notes"})
            event = yield from tx.ledger.append(
                happened(
                    Action.LICENSE_CREATED,
                    by=by,
                    at_ms=now_ms,
                    product_id=product.id,
                    license_id=license_.id,
                    customer_id=license_.customer_id,
                    after=after,
                )
            )
            return license_.id, event.id

        license_id, event_id = await self._store.write(work)
        view = await self._store.read(lambda tx: _view(tx, by.organization_id, license_id))
        return Issued(view, key, event_id)

    async def view(self, by: Actor, text: str) -> LicenseView:
        """Return a license that staff name by reference (`#12`) or by its key.

        Raises: NotAllowed, LicenseNotFound.
        """

        def work(tx: Transaction) -> Steps[LicenseView]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            return (yield from self._find(tx, by.organization_id, text))

        return await self._store.read(work)

    async def search(self, by: Actor, text: str, *, limit: int = 25) -> Sequence[LicenseView]:
        """Return licenses by the start of their key, by holder, email or note, newest first.

        Raises: NotAllowed.
        """
        named = _REFERENCE.fullmatch(text.strip())

        def work(tx: Transaction) -> Steps[Sequence[LicenseView]]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            if named:
                view = yield from tx.licenses.view(by.organization_id, int(named[1]))
                return [view] if view else []
            found = yield from tx.licenses.find_by_key(by.organization_id, self._vault.digest(tidy(text)))
            if found is not None:
                return [found]
            return (yield from tx.licenses.search(by.organization_id, text.strip(), limit=limit))

        return await self._store.read(work)

    async def reveal(self, by: Actor, text: str) -> str:
        """Return a license's whole key, and write down who asked.

        Raises: NotAllowed, LicenseNotFound.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[SealedKey]:
            yield from require(tx, by, Permission.LICENSES_REVEAL)
            view = yield from self._find(tx, by.organization_id, text)
            yield from tx.ledger.append(
                happened(Action.LICENSE_REVEALED, by=by, at_ms=now_ms, **_subject(view.license))
            )
            return view.key

        return self._vault.reveal(await self._store.write(work))

    async def revoke(self, by: Actor, text: str, *, reason: str | None = None) -> LicenseView:
        """End a license for good; the very next validation is refused.

        Raises: NotAllowed, LicenseNotFound, LicenseAlreadyRevoked, NotesTooLong.
        """
        now_ms = self._clock()
        if reason is not None and len(reason) > NOTES_LIMIT:
            raise NotesTooLong(limit=NOTES_LIMIT)

        def work(tx: Transaction) -> Steps[LicenseView]:
            yield from require(tx, by, Permission.LICENSES_REVOKE)
            view = yield from self._find(tx, by.organization_id, text)
            before = (yield from tx.licenses.lock(by.organization_id, view.license.id)) or view.license
            after = lifecycle.revoke(before, now_ms=now_ms)
            yield from tx.licenses.save(after)
            yield from tx.ledger.append(
                happened(
                    Action.LICENSE_REVOKED,
                    by=by,
                    at_ms=now_ms,
                    reason=reason,
                    **_subject(after),
                    **difference(before, after),
                )
            )
            return view.model_copy(update={"license": after})

        return await self._store.write(work)

    async def check(self, by: Actor, text: str, *, address: str | None, version: str | None) -> Checked:
        """Judge a license as a validation would, changing nothing.

        Raises: NotAllowed, LicenseNotFound.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[Checked]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            view = yield from self._find(tx, by.organization_id, text)
            organization = yield from tx.organizations.get(by.organization_id)
            if organization is None:
                raise LicenseNotFound(text=text)
            product = ProductSnapshot(view.product, organization.state, organization.plan)
            taken = frozenset(seat.address for seat in view.addresses)
            snapshot, call = LicenseSnapshot(view.license, taken), Call(text, address, version)
            verdict = judge(product, snapshot, call, now_ms=now_ms)
            return Checked(view, verdict, trace(product, snapshot, call, now_ms=now_ms))

        return await self._store.read(work)

    def key_tail(self, view: LicenseView) -> str:
        """Return the last four characters of a license's key: what a view may show."""
        return self._vault.reveal(view.key)[-4:]

    def _seal(self, key: str) -> SealedKey:
        tidied = tidy(key)
        return self._vault.seal(key, digest=self._vault.digest(tidied), prefix=tidied[:PREFIX_LENGTH])

    def _require_room(self, tx: Transaction, organization_id: int) -> Steps[None]:
        plan = yield from self._plans.of(tx, organization_id)
        if plan.licenses is not None:
            require_room(plan.licenses, (yield from tx.licenses.count(organization_id)), what="licenses")

    def _find(self, tx: Transaction, organization_id: int, text: str) -> Steps[LicenseView]:
        named = _REFERENCE.fullmatch(text.strip())
        if named:
            return (yield from _view(tx, organization_id, int(named[1])))
        view = yield from tx.licenses.find_by_key(organization_id, self._vault.digest(tidy(text)))
        if view is None:
            raise LicenseNotFound(text=text)
        return view


def check_terms(terms: Terms) -> None:
    """Refuse terms that no product could be issued on.

    Raises: HolderAmbiguous, EmailInvalid, MaxIpsInvalid, NotesTooLong.
    """
    if terms.discord_id is not None and terms.email is not None:
        raise HolderAmbiguous
    if terms.email is not None and (len(terms.email) > _EMAIL_LIMIT or not _EMAIL.fullmatch(terms.email)):
        raise EmailInvalid(text=terms.email)
    if terms.max_ips is not None and not 0 <= terms.max_ips <= MAX_IPS_LIMIT:
        raise MaxIpsInvalid(limit=MAX_IPS_LIMIT)
    if terms.notes is not None and len(terms.notes) > NOTES_LIMIT:
        raise NotesTooLong(limit=NOTES_LIMIT)


def _draft(
    product: Product, customer: Customer | None, terms: Terms, *, expires_at_ms: int | None, now_ms: int
) -> License:
    max_ips = product.settings.default_max_ips if terms.max_ips is None else terms.max_ips
    return License(
        id=0,
        organization_id=product.organization_id,
        product_id=product.id,
        customer_id=customer.id if customer else None,
        expires_at_ms=expires_at_ms,
        max_ips=max_ips or None,
        notes=terms.notes or None,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )


def _find_or_add_customer(tx: Transaction, organization_id: int, terms: Terms, now_ms: int) -> Steps[Customer | None]:
    if terms.discord_id is not None:
        return (
            yield from member_as_customer(
                tx, organization_id, terms.discord_id, name=terms.holder_name, now_ms=now_ms
            )
        )
    if terms.email is None:
        return None
    email = terms.email.lower()
    found = yield from tx.customers.by_email(organization_id, email)
    new = Customer(id=0, organization_id=organization_id, email=email)
    return found or (yield from tx.customers.insert(new, now_ms=now_ms))


def member_as_customer(
    tx: Transaction, organization_id: int, discord_id: int, *, name: str | None, now_ms: int
) -> Steps[Customer]:
    """Return the customer that a member is, added at need, under the name they go by now."""
    found = yield from tx.customers.by_discord(organization_id, discord_id)
    if found is None:
        new = Customer(id=0, organization_id=organization_id, discord_id=discord_id, name=name)
        return (yield from tx.customers.insert(new, now_ms=now_ms))
    if name is None or found.name == name:
        return found
    renamed = found.model_copy(update={"name": name})
    yield from tx.customers.save(renamed, now_ms=now_ms)
    return renamed


def _view(tx: Transaction, organization_id: int, license_id: int) -> Steps[LicenseView]:
    view = yield from tx.licenses.view(organization_id, license_id)
    if view is None:
        raise LicenseNotFound(text=f"#{license_id}")
    return view


def _subject(license_: License) -> dict[str, int | None]:
    return {
        "product_id": license_.product_id,
        "license_id": license_.id,
        "customer_id": license_.customer_id,
    }
