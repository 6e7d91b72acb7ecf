"""API keys that may only validate: named, to be put into what is shipped, and dead at once when they are removed."""

from collections.abc import Sequence
from dataclasses import dataclass

from licensing.choices import KeyScope, Permission
from licensing.errors import ApiKeyNotFound, KeyNameTaken, TooManyApiKeys
from licensing.events import Action, happened
from licensing.input_errors import KeyNameInvalid
from licensing.keys import API_KEY_PREFIX_LENGTH, RandomBytes, api_key_digest, make_api_key
from licensing.models import Actor, ApiKey, Product
from licensing.ports import Clock, Steps, Store, Transaction
from licensing.services.access import require
from licensing.services.catalog import NewApiKey, find_product, lock_product
from licensing.services.names import tidy_name

KEY_NAME_LIMIT = 32
NAMED_KEYS_LIMIT = 4


@dataclass(frozen=True, slots=True)
class NamedKeys:
    """A product with its keys that may only validate."""

    product: Product
    keys: Sequence[ApiKey]


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A product with one of them."""

    product: Product
    key: ApiKey


class ApiKeyService:
    """Adds, lists and removes a product's named API keys."""

    def __init__(self, store: Store, *, clock: Clock, random_bytes: RandomBytes) -> None:
        self._store = store
        self._clock = clock
        self._random_bytes = random_bytes

    async def add(self, by: Actor, product: str | int, name: str) -> NewApiKey:
        """Give a product one more API key, which may only validate.

        Raises: NotAllowed, ProductNotFound, KeyNameInvalid, KeyNameTaken, TooManyApiKeys.
        """
        name = tidy_name(name, limit=KEY_NAME_LIMIT, refusal=KeyNameInvalid)
        now_ms, api_key = self._clock(), make_api_key(self._random_bytes)
        prefix = api_key[:API_KEY_PREFIX_LENGTH]
        key = ApiKey(prefix=prefix, created_at_ms=now_ms, name=name, scope=KeyScope.VALIDATE)

        def work(tx: Transaction) -> Steps[Product]:
            found = yield from lock_product(tx, by, product)
            living = yield from tx.products.named_api_keys(found.id, now_ms=now_ms)
            taken = _named(living, name)
            if taken is not None:
                raise KeyNameTaken(name=taken.name)
            if len(living) >= NAMED_KEYS_LIMIT:
                raise TooManyApiKeys(limit=NAMED_KEYS_LIMIT)
            yield from tx.products.insert_api_key(found.id, key, digest=api_key_digest(api_key))
            after = {"name": name, "prefix": prefix}
            yield from tx.ledger.append(
                happened(Action.PRODUCT_KEY_ADDED, by=by, at_ms=now_ms, product_id=found.id, after=after)
            )
            return found

        return NewApiKey(await self._store.write(work), api_key)

    async def remove(self, by: Actor, product: str | int, name: str, *, prefix: str | None = None) -> NamedKey:
        """End a named key: the very next validation with it is refused.

        With `prefix`, that of the key that was asked about, a later key of the same name is left alone.

        Raises: NotAllowed, ProductNotFound, ApiKeyNotFound.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[NamedKey]:
            found = yield from lock_product(tx, by, product)
            key = _named((yield from tx.products.named_api_keys(found.id, now_ms=now_ms)), name)
            if key is None or prefix not in (None, key.prefix):
                raise ApiKeyNotFound(text=name)
            before = {"name": key.name, "prefix": key.prefix}
            yield from tx.products.end_named_api_key(found.id, str(key.name), now_ms=now_ms)
            yield from tx.ledger.append(
                happened(Action.PRODUCT_KEY_REMOVED, by=by, at_ms=now_ms, product_id=found.id, before=before)
            )
            return NamedKey(found, key)

        return await self._store.write(work)

    async def list(self, by: Actor, product: str | int) -> NamedKeys:
        """Return a product's named keys: never the keys themselves.

        Raises: NotAllowed, ProductNotFound.
        """
        return await self._list(by, product, Permission.PRODUCTS_VIEW)

    async def removable(self, by: Actor, product: str | int, name: str) -> NamedKey:
        """Return a named key that this actor could remove now: what is asked before it is done.

        Raises: NotAllowed, ProductNotFound, ApiKeyNotFound.
        """
        found = await self._list(by, product, Permission.PRODUCTS_EDIT)
        key = _named(found.keys, name)
        if key is None:
            raise ApiKeyNotFound(text=name)
        return NamedKey(found.product, key)

    async def _list(self, by: Actor, product: str | int, permission: Permission) -> NamedKeys:
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[NamedKeys]:
            yield from require(tx, by, permission)
            found = yield from find_product(tx, by.organization_id, product)
            return NamedKeys(found, (yield from tx.products.named_api_keys(found.id, now_ms=now_ms)))

        return await self._store.read(work)


def _named(keys: Sequence[ApiKey], name: str) -> ApiKey | None:
    sought = " ".join(name.split()).casefold()
    return next((key for key in keys if key.name is not None and key.name.casefold() == sought), None)
