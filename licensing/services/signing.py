"""What a product's answers and license files are signed with: turned on and off, rotated, shown."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from licensing.choices import ActorKind, Permission, SigningKind
from licensing.errors import NothingToChange, ProductNotFound, SigningKeyRotatedAlready, SigningOff
from licensing.events import Action, difference, happened
from licensing.expiry import parse_grace_ms
from licensing.models import Actor, Product, SigningKey
from licensing.ports import Clock, Signer, Steps, Store, Transaction
from licensing.proofs import current_key, ends_before, has_ended, newest_key, signs
from licensing.services.access import require
from licensing.services.catalog import find_product, lock_product

_NOTHING_PUBLIC: Mapping[str, Any] = {}
_Signing = tuple[Product, Sequence[SigningKey]]


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key that signs now or will, with its public half as a JWK; a shared secret has none."""

    key: SigningKey
    jwk: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SigningView:
    """How a product signs, and with which keys, those to come among them."""

    product: Product
    keys: Sequence[ShownKey]

    def is_on(self, kind: SigningKind) -> bool:
        """Tell whether answers are signed in this way."""
        return signs(self.product.settings, kind)

    @property
    def lacks_file_key(self) -> bool:
        """Whether the product issues license files, and has no key yet to sign them with."""
        return self.product.settings.license_file_days is not None and not self.has_key(SigningKind.ED25519)

    def replaced_by(self, kind: SigningKind) -> SigningKind | None:
        """Return the kind of header that stops when this one is turned on."""
        present = self.product.settings.sign_headers
        return None if SigningKind.HMAC is kind or present is kind else present

    def has_key(self, kind: SigningKind) -> bool:
        """Tell whether there is a key of a kind, even if nothing is signed with it now."""
        return any(shown.key.kind is kind for shown in self.keys)

    def newest(self, kind: SigningKind) -> SigningKey:
        """Return the key of a kind that no other follows yet: the one that a rotation replaces.

        Raises: SigningOff.
        """
        found = newest_key((shown.key for shown in self.keys), kind)
        if found is None:
            raise SigningOff
        return found


@dataclass(frozen=True, slots=True)
class SigningChanged:
    """How a product signs now; a new shared secret is here the only time that it is seen."""

    view: SigningView
    secret: str | None = field(default=None, repr=False)


class SigningService:
    """Keeps the keys that answers and license files are signed with."""

    def __init__(self, store: Store, signer: Signer, *, clock: Clock) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock

    async def view(self, by: Actor, product: str | int) -> SigningView:
        """Return how a product signs; what its license files will be signed with is made by then, to be shipped.

        Raises: NotAllowed, ProductNotFound.
        """
        found = await self._view(by, product, Permission.PRODUCTS_VIEW)
        if not found.lacks_file_key:
            return found
        await self.file_key(found.product)
        return await self._view(by, found.product.id, Permission.PRODUCTS_VIEW)

    async def changeable(self, by: Actor, product: str | int) -> SigningView:
        """Return how a product signs, to whoever may change that: what is asked before it is done.

        Raises: NotAllowed, ProductNotFound.
        """
        return await self._view(by, product, Permission.PRODUCTS_EDIT)

    async def turn_on(self, by: Actor, product: str | int, kind: SigningKind) -> SigningChanged:
        """Sign in this way from now on, with the key of before or else a new one; headers carry one kind alone.

        Raises: NotAllowed, ProductNotFound, NothingToChange.
        """
        now_ms = self._clock()
        found = await self.changeable(by, product)
        spare = None if found.has_key(kind) else await self._made(found.product.id, kind, now_ms, now_ms)

        def work(tx: Transaction) -> Steps[tuple[_Signing, SigningKey | None]]:
            after, facts = yield from _switched(tx, by, found.product.id, kind, on=True, now_ms=now_ms)
            old = newest_key((yield from tx.signing_keys.of(after.id)), kind)
            new = spare if old is None else None  # somebody else may have made one meanwhile
            if new is not None:
                yield from tx.signing_keys.insert(new)
                facts["after"]["key_id"] = new.id
            yield from _append(tx, by, after.id, now_ms, facts)
            return (after, (yield from tx.signing_keys.of(after.id))), new

        signing, new = await self._store.write(work)
        return self._changed(signing, new, now_ms)

    async def turn_off(self, by: Actor, product: str | int, kind: SigningKind) -> SigningChanged:
        """Sign no longer in this way; the key is kept, so that turning it on again breaks nothing.

        Raises: NotAllowed, ProductNotFound, NothingToChange.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[_Signing]:
            yield from require(tx, by, Permission.PRODUCTS_EDIT)
            found = yield from find_product(tx, by.organization_id, product)
            after, facts = yield from _switched(tx, by, found.id, kind, on=False, now_ms=now_ms)
            yield from _append(tx, by, after.id, now_ms, facts)
            return after, (yield from tx.signing_keys.of(after.id))

        return self._changed(await self._store.write(work), None, now_ms)

    async def rotate(
        self, by: Actor, product: str | int, kind: SigningKind, *, grace: str = "", replacing: str | None = None
    ) -> SigningChanged:
        """Replace a key: the old one goes on signing until the grace ends, the new one is published at once.

        With `replacing`, the id of the key to replace, a confirmation that is pressed twice rotates once.

        Raises: NotAllowed, ProductNotFound, GraceInvalid and its kin, SigningOff, SigningKeyRotatedAlready.
        """
        now_ms = self._clock()
        begins_ms = now_ms + parse_grace_ms(grace, now_ms=now_ms)
        found = await self.changeable(by, product)
        _require_newest([shown.key for shown in found.keys], kind, replacing)
        new = await self._made(found.product.id, kind, now_ms, begins_ms)

        def work(tx: Transaction) -> Steps[_Signing]:
            product = yield from lock_product(tx, by, found.product.id)
            keys = yield from tx.signing_keys.of(product.id)
            _require_newest(keys, kind, replacing)
            ends = list(ends_before(keys, kind, begins_ms=begins_ms, now_ms=now_ms))
            for key_id, until_ms in ends:
                yield from tx.signing_keys.end(key_id, signs_until_ms=until_ms)
            yield from tx.signing_keys.forget(product.id, before_ms=now_ms)
            yield from tx.signing_keys.insert(new)
            before = {"kind": kind.value, "key_ids": [key_id for key_id, _ in ends]}
            after = {"kind": kind.value, "key_id": new.id, "signs_from_ms": begins_ms}
            yield from _append(tx, by, product.id, now_ms, {"before": before, "after": after})
            return product, (yield from tx.signing_keys.of(product.id))

        return self._changed(await self._store.write(work), new, now_ms)

    async def file_key(self, product: Product) -> SigningKey:
        """Return the key that a product's license files are signed with, made now if there is none.

        Raises: ProductNotFound.
        """
        now_ms, kind = self._clock(), SigningKind.ED25519
        spare = await self._made(product.id, kind, now_ms, now_ms)
        program = Actor(organization_id=product.organization_id, kind=ActorKind.SYSTEM)

        def work(tx: Transaction) -> Steps[SigningKey]:
            if (yield from tx.products.lock(product.organization_id, product.id)) is None:
                raise ProductNotFound(text=product.name)
            key = current_key((yield from tx.signing_keys.of(product.id)), kind, now_ms=now_ms)
            if key is not None:  # somebody else made one meanwhile
                return key
            yield from tx.signing_keys.insert(spare)
            yield from _append(tx, program, product.id, now_ms, {"after": {"kind": kind.value, "key_id": spare.id}})
            return spare

        return await self._store.write(work)

    async def _made(self, product_id: int, kind: SigningKind, now_ms: int, signs_from_ms: int) -> SigningKey:
        # Before the transaction and beside the loop: to find the primes of an RSA key can take a second.
        return await asyncio.to_thread(
            self._signer.make, product_id, kind, now_ms=now_ms, signs_from_ms=signs_from_ms
        )

    async def _view(self, by: Actor, product: str | int, permission: Permission) -> SigningView:
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[_Signing]:
            yield from require(tx, by, permission)
            found = yield from find_product(tx, by.organization_id, product)
            return found, (yield from tx.signing_keys.of(found.id))

        return self._shown(await self._store.read(work), now_ms)

    def _changed(self, signing: _Signing, new: SigningKey | None, now_ms: int) -> SigningChanged:
        is_secret = new is not None and new.kind is SigningKind.HMAC
        return SigningChanged(self._shown(signing, now_ms), self._signer.secret(new) if new and is_secret else None)

    def _shown(self, signing: _Signing, now_ms: int) -> SigningView:
        product, keys = signing
        living = [key for key in reversed(keys) if not has_ended(key, now_ms)]
        return SigningView(product, [ShownKey(key, self._public(key)) for key in living])

    def _public(self, key: SigningKey) -> Mapping[str, Any]:
        return _NOTHING_PUBLIC if key.kind is SigningKind.HMAC else self._signer.jwk(key)


def _switched(
    tx: Transaction, by: Actor, product_id: int, kind: SigningKind, *, on: bool, now_ms: int
) -> Steps[tuple[Product, dict[str, dict[str, Any]]]]:
    """Store that a product signs in a way, or no longer; return it with what the event says.

    Raises: NotAllowed, ProductNotFound, NothingToChange.
    """
    before = yield from lock_product(tx, by, product_id)
    if signs(before.settings, kind) is on:
        raise NothingToChange
    switch = {"sign_hmac": on} if kind is SigningKind.HMAC else {"sign_headers": kind if on else None}
    settings = before.settings.model_copy(update=switch)
    after = before.model_copy(update={"settings": settings, "updated_at_ms": now_ms})
    yield from tx.products.save(after)
    return after, difference(before.settings, after.settings)


def _require_newest(keys: Sequence[SigningKey], kind: SigningKind, replacing: str | None) -> None:
    newest = newest_key(keys, kind)
    if newest is None:
        raise SigningOff
    if replacing not in (None, newest.id):
        raise SigningKeyRotatedAlready


def _append(tx: Transaction, by: Actor, product_id: int, now_ms: int, facts: Mapping[str, Any]) -> Steps[None]:
    event = happened(Action.PRODUCT_SIGNING_CHANGED, by=by, at_ms=now_ms, product_id=product_id, **facts)
    yield from tx.ledger.append(event)
