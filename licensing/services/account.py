"""What members do with their own licenses: claim a key, list what they hold, see a key again."""

from collections.abc import Sequence

from licensing import lifecycle
from licensing.choices import BlockLevel
from licensing.errors import KeyMistyped, KeyNotFound, LicenseNotFound, TooManyWrongKeys
from licensing.events import Action, about, difference, happened
from licensing.keys import LICENSE_KEY_MAX_LENGTH, looks_mistyped, tidy
from licensing.models import Actor, Customer, License, LicenseView, Product
from licensing.ports import Clock, Steps, Store, Transaction, Vault
from licensing.services.lookup import find_license
from licensing.services.terms import member_as_customer
from licensing.throttle import Throttle

WRONG_KEYS_AT_ONCE = 5
WRONG_KEY_PERIOD_MS = 60_000


class AccountService:
    """Serves a member: every method sees only what this member holds in this organization."""

    def __init__(self, store: Store, vault: Vault, *, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._misses = Throttle(burst=WRONG_KEYS_AT_ONCE, period_ms=WRONG_KEY_PERIOD_MS)

    async def claim(self, by: Actor, key: str) -> LicenseView:
        """Bind a license to the member who types its key, exactly once.

        Raises: KeyNotFound, KeyMistyped, KeyClaimedByOther, KeyClaimedAlready, KeyRevoked, KeySuspended,
        KeyExpired, TooManyWrongKeys.
        """
        now_ms, member = self._clock(), (by.organization_id, by.id)
        wait_ms = self._misses.spend(member, now_ms=now_ms)
        if wait_ms:
            raise TooManyWrongKeys(seconds=-(-wait_ms // 1000))
        if len(key) > LICENSE_KEY_MAX_LENGTH:
            raise KeyNotFound
        digest = self._vault.digest(tidy(key))
        try:
            view = await self._store.write(lambda tx: _claim(tx, by, key, digest, now_ms))
        except (KeyNotFound, KeyMistyped):
            raise
        except BaseException:
            self._misses.refund(member)
            raise
        self._misses.refund(member)
        return view

    async def list(self, by: Actor) -> Sequence[LicenseView]:
        """Return the member's licenses, newest first."""
        return await self._store.read(lambda tx: tx.licenses.held_by(by.organization_id, _id(by)))

    async def view(self, by: Actor, license_id: int) -> LicenseView:
        """Return one of the member's licenses.

        Raises: LicenseNotFound, for one that somebody else holds too.
        """

        def work(tx: Transaction) -> Steps[LicenseView]:
            view = yield from tx.licenses.view(by.organization_id, license_id)
            if view is None or view.customer is None or view.customer.discord_id != by.id:
                raise LicenseNotFound(text=f"#{license_id}")
            return view

        return await self._store.read(work)

    async def named(self, by: Actor, text: str) -> LicenseView:
        """Return one of the member's licenses by its reference (`#12`) or its whole key.

        Raises: LicenseNotFound, for one that somebody else holds too.
        """

        def work(tx: Transaction) -> Steps[LicenseView]:
            view = yield from find_license(tx, self._vault, by.organization_id, text)
            if view.customer is None or view.customer.discord_id != by.id:
                raise LicenseNotFound(text=text)
            return view

        return await self._store.read(work)

    async def reveal(self, by: Actor, license_id: int) -> str:
        """Return the key of one of the member's licenses.

        Raises: LicenseNotFound.
        """
        return self._vault.reveal((await self.view(by, license_id)).key)

    def key_tail(self, view: LicenseView) -> str:
        """Return the last four characters of a license's key."""
        return self._vault.reveal(view.key)[-4:]


def _claim(tx: Transaction, by: Actor, key: str, digest: bytes, now_ms: int) -> Steps[LicenseView]:
    before = yield from tx.licenses.lock_by_key(by.organization_id, digest)
    product = None
    if before is not None:
        # Read, not locked: whoever locks both locks the product first.
        product = yield from tx.products.get(by.organization_id, before.product_id)
    if before is None or product is None:
        raise KeyMistyped if looks_mistyped(key) else KeyNotFound
    customer = yield from _claimant(tx, by, before, product, now_ms)
    if before.customer_id not in (None, customer.id):
        yield from _take_blocks_along(tx, by, before.customer_id or 0, customer, now_ms)
    after = lifecycle.claim(before, customer_id=customer.id, now_ms=now_ms)
    yield from tx.licenses.save(after)
    yield from tx.ledger.append(
        happened(
            Action.LICENSE_CLAIMED,
            by=by,
            at_ms=now_ms,
            **about(after),
            **difference(before, after),
        )
    )
    view = yield from tx.licenses.view(by.organization_id, after.id)
    if view is None:
        raise KeyNotFound
    return view


def _take_blocks_along(tx: Transaction, by: Actor, old_id: int, customer: Customer, now_ms: int) -> Steps[None]:
    """Block for a member what was blocked for the email address that they turn out to be."""
    blocks = yield from tx.blacklist.of(by.organization_id, BlockLevel.CUSTOMER, old_id)
    for block in blocks:
        copied = yield from tx.blacklist.insert(block.model_copy(update={"target_id": customer.id}))
        if copied is not None:
            after = copied.model_dump(mode="json", include={"level", "target_id", "network", "reason"})
            yield from tx.ledger.append(
                happened(Action.ADDRESS_BLOCKED, by=by, at_ms=now_ms, customer_id=customer.id, after=after)
            )


def _claimant(tx: Transaction, by: Actor, license_: License, product: Product, now_ms: int) -> Steps[Customer]:
    """Return the customer to bind the license to.

    Whoever has the key of an email's only license has proved to be that customer: the two become one. With
    other licenses on the email only this one moves, since its key proves nothing about theirs.
    """
    holder = None
    if license_.customer_id is not None:
        holder = yield from tx.customers.get(by.organization_id, license_.customer_id)
    lifecycle.check_claimable(license_, holder, product, discord_id=_id(by), now_ms=now_ms)
    known = yield from tx.customers.by_discord(by.organization_id, _id(by))
    if holder is None or known is not None or (yield from tx.licenses.held_count(holder.id)) > 1:
        return (yield from member_as_customer(tx, by.organization_id, _id(by), name=by.name, now_ms=now_ms))
    linked = holder.model_copy(update={"discord_id": by.id, "name": by.name})
    yield from tx.customers.save(linked, now_ms=now_ms)
    return linked


def _id(by: Actor) -> int:
    if by.id is None:
        raise LicenseNotFound(text="")
    return by.id
