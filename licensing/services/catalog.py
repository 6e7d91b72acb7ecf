"""Products and their API keys."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from licensing.choices import Permission, ProductState
from licensing.errors import (
    ApiKeyRotatedAlready,
    NameTaken,
    NothingToChange,
    ProductIsAlready,
    ProductNotFound,
    RoleCarriesPermissions,
)
from licensing.events import Action, difference, happened
from licensing.expiry import parse_grace_ms
from licensing.input_errors import NameInvalid
from licensing.keys import API_KEY_PREFIX_LENGTH, RandomBytes, api_key_digest, make_api_key
from licensing.models import PRODUCT_NAME_LIMIT, Actor, ApiKey, Product, ProductSettings
from licensing.ports import Clock, Search, Steps, Store, Transaction
from licensing.services.access import require, require_any
from licensing.services.impact import SettingsImpact, settings_impact
from licensing.services.names import tidy_name
from licensing.services.organizations import Plans, require_room
from licensing.services.switches import checked_custom, checked_switches
from licensing.verdict import Status


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A product with the only plain copy there will ever be of its API key."""

    product: Product
    api_key: str


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product with what people want to see beside it."""

    product: Product
    api_keys: Sequence[ApiKey]
    named_keys: Sequence[ApiKey]  # which may only validate
    holders: int
    working: int  # licenses that validate now, as far as their own state goes


@dataclass(frozen=True, slots=True)
class ProductChanged:
    """A product as it was and as it is now."""

    before: Product
    after: Product


class CatalogService:
    """Creates products, shows them, and rotates their keys."""

    def __init__(self, store: Store, *, plans: Plans, clock: Clock, random_bytes: RandomBytes) -> None:
        self._store = store
        self._plans = plans
        self._clock = clock
        self._random_bytes = random_bytes

    async def create(self, by: Actor, *, name: str, settings: ProductSettings) -> NewApiKey:
        """Create a product and its first API key.

        Raises: NotAllowed, NameInvalid, NameTaken, LimitReached.
        """
        name = tidy_name(name, limit=PRODUCT_NAME_LIMIT, refusal=NameInvalid)
        now_ms, api_key = self._clock(), make_api_key(self._random_bytes)
        draft = Product(
            id=0,
            organization_id=by.organization_id,
            name=name,
            settings=settings,
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
        )

        def work(tx: Transaction) -> Steps[Product]:
            yield from require(tx, by, Permission.PRODUCTS_EDIT)
            plan = yield from self._plans.of(tx, by.organization_id)
            require_room(plan.products, (yield from tx.products.count(by.organization_id)), what="products")
            yield from _require_plain_role(tx, by, settings.role_id)
            taken = yield from tx.products.by_name(by.organization_id, name)
            if taken is not None:
                raise NameTaken(name=taken.name)
            product = yield from tx.products.insert(draft)
            yield from _insert_api_key(tx, product, api_key, now_ms)
            after = product.model_dump(mode="json", include={"name", "settings"})
            yield from tx.ledger.append(
                happened(Action.PRODUCT_CREATED, by=by, at_ms=now_ms, product_id=product.id, after=after)
            )
            return product

        return NewApiKey(await self._store.write(work), api_key)

    async def rotate_key(
        self, by: Actor, *, name: str | int, grace: str = "", replacing: str | None = None
    ) -> NewApiKey:
        """Give a product a new API key; the old one dies at once, or after the grace period.

        With `replacing`, the prefix of the key to replace, a confirmation that is pressed twice rotates once.

        Raises: NotAllowed, ProductNotFound, GraceInvalid, ApiKeyRotatedAlready.
        """
        now_ms, api_key = self._clock(), make_api_key(self._random_bytes)
        grace_ms = parse_grace_ms(grace, now_ms=now_ms)

        def work(tx: Transaction) -> Steps[Product]:
            yield from require(tx, by, Permission.PRODUCTS_EDIT)
            product = yield from find_product(tx, by.organization_id, name)
            yield from tx.products.lock(by.organization_id, product.id)
            if replacing is not None:
                yield from _require_current(tx, product, replacing, now_ms)
            ended = [key.prefix for key in (yield from tx.products.api_keys(product.id, now_ms=now_ms))]
            yield from tx.products.end_api_keys(product.id, now_ms=now_ms, valid_until_ms=now_ms + grace_ms)
            yield from _insert_api_key(tx, product, api_key, now_ms)
            facts = {
                "before": {"prefixes": ended},
                "after": {"prefix": api_key[:API_KEY_PREFIX_LENGTH], "grace_ms": grace_ms},
            }
            yield from tx.ledger.append(
                happened(Action.PRODUCT_KEY_ROTATED, by=by, at_ms=now_ms, product_id=product.id, **facts)
            )
            return product

        return NewApiKey(await self._store.write(work), api_key)

    async def change_settings(self, by: Actor, product_id: int, **values: Any) -> ProductChanged:
        """Set some of a product's switches and leave the others as they are at that moment.

        Raises: NotAllowed, ProductNotFound, NothingToChange, RoleCarriesPermissions, and what `checked_switches`
        raises.
        """
        now_ms = self._clock()
        checked = checked_switches(values, now_ms=now_ms)

        return await self._change(by, product_id, lambda it: {"settings": _with(it.settings, checked)}, now_ms)

    async def preview_settings(self, by: Actor, product_id: int, **values: Any) -> SettingsImpact:
        """Return whom setting these switches would refuse: what is asked before it is done.

        Raises: as `change_settings`, but for what the store alone can tell.
        """
        now_ms = self._clock()
        checked = checked_switches(values, now_ms=now_ms)

        def work(tx: Transaction) -> Steps[SettingsImpact]:
            yield from require(tx, by, Permission.PRODUCTS_EDIT)
            found = yield from find_product(tx, by.organization_id, product_id)
            return (yield from settings_impact(tx, found, _with(found.settings, checked), now_ms=now_ms))

        return await self._store.read(work)

    async def change_custom(self, by: Actor, product: str | int, text: str | None) -> ProductChanged:
        """Set the template of a product's custom response, or take it away.

        Raises: NotAllowed, ProductNotFound, NothingToChange, CustomNotJson and its kin.
        """
        custom = checked_custom(text)
        return await self._change(by, product, lambda _: {"custom": custom}, self._clock())

    async def change_state(
        self, by: Actor, name: str | int, state: ProductState, *, leaving: ProductState | None = None
    ) -> ProductChanged:
        """Archive, disable or bring back a product, if it is in the state it should leave.

        Raises: NotAllowed, ProductNotFound, NothingToChange.
        """
        return await self._change(
            by, name, lambda it: {"state": state if leaving in (None, it.state) else it.state}, self._clock()
        )

    async def changeable(self, by: Actor, name: str | int, state: ProductState | None = None) -> ProductView:
        """Return a product that this actor could change now: what is asked before it is done.

        Raises: NotAllowed, ProductNotFound, NothingToChange.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[ProductView]:
            yield from require(tx, by, Permission.PRODUCTS_EDIT)
            product = yield from find_product(tx, by.organization_id, name)
            if product.state is state:
                raise ProductIsAlready(name=product.name, state=product.state)
            return (yield from _view(tx, product, now_ms))

        return await self._store.read(work)

    async def list(self, by: Actor, *, starting: str = "", limit: int = 25) -> Sequence[Product]:
        """Return products by name, to whoever may look at them or issue licenses for them.

        Raises: NotAllowed.
        """

        def work(tx: Transaction) -> Steps[Sequence[Product]]:
            yield from require_any(tx, by, Permission.PRODUCTS_VIEW, Permission.LICENSES_CREATE)
            return (yield from tx.products.list(by.organization_id, starting=starting, limit=limit))

        return await self._store.read(work)

    async def view(self, by: Actor, *, name: str | int) -> ProductView:
        """Return a product with its keys' prefixes and how many licenses it has.

        Raises: NotAllowed, ProductNotFound.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[ProductView]:
            yield from require(tx, by, Permission.PRODUCTS_VIEW)
            product = yield from find_product(tx, by.organization_id, name)
            return (yield from _view(tx, product, now_ms))

        return await self._store.read(work)

    async def _change(
        self, by: Actor, name: str | int, update: Callable[[Product], dict[str, Any]], now_ms: int
    ) -> ProductChanged:
        def work(tx: Transaction) -> Steps[ProductChanged]:
            before = yield from lock_product(tx, by, name)
            after = before.model_copy(update=update(before))
            if after == before:
                raise NothingToChange
            if after.settings.role_id != before.settings.role_id:
                yield from _require_plain_role(tx, by, after.settings.role_id)
            after = after.model_copy(update={"updated_at_ms": now_ms})
            yield from tx.products.save(after)
            if before.settings.enforce_expiry and not after.settings.enforce_expiry:
                # Their licenses work again; should they end once more, that is noticed once more.
                yield from tx.licenses.forget_ends(after.id)
            facts = difference(before, after)
            yield from tx.ledger.append(
                happened(Action.PRODUCT_UPDATED, by=by, at_ms=now_ms, product_id=after.id, **facts)
            )
            return ProductChanged(before, after)

        return await self._store.write(work)


def _with(settings: ProductSettings, values: dict[str, Any]) -> ProductSettings:
    # Validated as a whole: what is stored here is read by every validation.
    return ProductSettings.model_validate(settings.model_dump() | values)


def _require_plain_role(tx: Transaction, by: Actor, role_id: int | None) -> Steps[None]:
    """Refuse to hand out with licenses what staff may do.

    Raises: RoleCarriesPermissions.
    """
    if role_id is not None and (yield from tx.staff.permissions(by.organization_id, frozenset({role_id}))):
        raise RoleCarriesPermissions


def find_product(tx: Transaction, organization_id: int, name: str | int) -> Steps[Product]:
    """Return a product by its name, whatever the case, or by its id.

    Raises: ProductNotFound.
    """
    if isinstance(name, int):
        product = yield from tx.products.get(organization_id, name)
    else:
        product = yield from tx.products.by_name(organization_id, " ".join(name.split()))
    if product is None:
        raise ProductNotFound(text=str(name))
    return product


def lock_product(tx: Transaction, by: Actor, name: str | int) -> Steps[Product]:
    """Return a product that nobody else changes until the transaction ends, to whoever may edit products.

    Raises: NotAllowed, ProductNotFound.
    """
    yield from require(tx, by, Permission.PRODUCTS_EDIT)
    found = yield from find_product(tx, by.organization_id, name)
    locked = yield from tx.products.lock(by.organization_id, found.id)
    if locked is None:  # it vanished in between
        raise ProductNotFound(text=str(name))
    return locked


def _view(tx: Transaction, product: Product, now_ms: int) -> Steps[ProductView]:
    keys = yield from tx.products.api_keys(product.id, now_ms=now_ms)
    named = yield from tx.products.named_api_keys(product.id, now_ms=now_ms)
    holders = yield from tx.products.holders(product.id)
    sought = Search(product_id=product.id, status=Status.ACTIVE, now_ms=now_ms)
    return ProductView(product, keys, named, holders, (yield from tx.search.count(product.organization_id, sought)))


def _require_current(tx: Transaction, product: Product, prefix: str, now_ms: int) -> Steps[None]:
    keys = yield from tx.products.api_keys(product.id, now_ms=now_ms)
    if not any(key.prefix == prefix and key.valid_until_ms is None for key in keys):
        raise ApiKeyRotatedAlready


def _insert_api_key(tx: Transaction, product: Product, api_key: str, now_ms: int) -> Steps[None]:
    key = ApiKey(prefix=api_key[:API_KEY_PREFIX_LENGTH], created_at_ms=now_ms)
    yield from tx.products.insert_api_key(product.id, key, digest=api_key_digest(api_key))
