"""The hot path's reads: cached snapshots, filled on the event loop's own connection.

A miss is one joined SELECT without a thread hop, and the misses of one turn of the event loop read one state. Before
requests are judged `PRAGMA data_version` tells whether any process committed anything; then the events since the last
look name what to forget, so a revocation made elsewhere is seen by the very next validation and nothing else has to
be read again.

One look serves all requests that are judged in the same turn of the event loop. What arrives after it is judged in a
later turn, and callbacks run in the order they were asked for: so the call that ends the look's life runs before any
request does that was read from its socket after the look, and a request that was read before it began before it.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TypeVar

from licensing.blacklist import Blacklist
from licensing.choices import BlockLevel, KeyScope, OrganizationState, VersionState
from licensing.events import Action
from licensing.models import PLATFORM, Product, SigningKey
from licensing.ports import Entry, Unavailable
from licensing.verdict import LicenseSnapshot, ProductSnapshot
from licensing.versions import VersionList
from storage.following import Follower
from storage.kept import KeptLicenses, Key
from storage.sqlite import unavailable
from storage.statements.base import Row, columns_of, record_of
from storage.statements.ledger import COUNTED
from storage.statements.products import product_of
from storage.statements.seats import Renewed, snapshot_columns, snapshot_of
from storage.statements.signing_keys import SIGNING_KEYS

_PRODUCT = (
    f"SELECT {columns_of(Product, of='p.')}, o.state, o.plan, a.valid_until_ms, a.scope FROM api_keys a"
    " JOIN products p ON p.id = a.product_id JOIN organizations o ON o.id = p.organization_id"
    " WHERE a.digest = :digest"
)
_LICENSE = (
    f"SELECT {snapshot_columns(of='l')} FROM products p"
    " JOIN license_keys k ON k.organization_id = p.organization_id AND k.digest = :digest"
    " JOIN licenses l ON l.id = k.license_id AND l.product_id = p.id"
    " WHERE p.id = :product"
)
_VERSIONS = "SELECT spec, state FROM product_versions WHERE product_id = :product"
_BLOCKS = f"SELECT level, target_id, network FROM blacklist WHERE organization_id IN ({PLATFORM}, :organization)"
_CALLS = f"SELECT SUM(calls) FROM usage_daily WHERE product_id = :product AND day = :day AND {COUNTED}"
_OF_BLACKLISTS = frozenset({Action.ADDRESS_BLOCKED.value, Action.ADDRESS_UNBLOCKED.value})
_STATE_AT = len(Product.model_fields)
_MAX_PRODUCTS = 10_000

K = TypeVar("K")
V = TypeVar("V")


class SnapshotCache:
    """See `licensing.ports.Snapshots`; at most `size` licenses are kept, the oldest fill goes first.

    What its own store's `writer` commits it is told of, what others do it follows.
    """

    def __init__(self, connection: sqlite3.Connection, *, size: int, writer: str) -> None:
        self._connection = connection
        self._products: dict[bytes, ProductSnapshot] = {}
        self._licenses = KeptLicenses(size=size)
        self._blacklists: dict[int, Blacklist] = {}
        self._has_looked = False
        self._keeps_reading = False
        self.hits = 0
        self.misses = 0
        self._follower = Follower(self._rows, own=writer)

    async def product(self, api_key_digest: bytes) -> ProductSnapshot | None:
        """Return the product that an API key belongs to; every request asks this first, so here it follows."""
        if not self._has_looked:
            self._look()
        return self._products.get(api_key_digest) or self._load_product(api_key_digest)

    def are_current(self, product: ProductSnapshot, entry: Entry) -> bool:
        """Tell whether both are what would be answered now; like `product` this follows first."""
        if not self._has_looked:
            self._look()
        return entry.is_current and self._products.get(product.api_key_digest) is product

    def entry(self, product: ProductSnapshot, key: Key, license_: LicenseSnapshot) -> Entry | None:
        """Return what tells how long a license is as it is now, if it and its product still are."""
        entry = self._licenses.entry(key, license_)
        return entry if entry is not None and self.are_current(product, entry) else None

    async def license(self, product_id: int, key_digest: bytes) -> LicenseSnapshot | None:
        """Return the license of a product that a key opens."""
        found = self._licenses.find((product_id, key_digest))
        if found is not None:
            self.hits += 1
            return found
        self.misses += 1
        return self._load_license(product_id, key_digest)

    async def calls(self, product_id: int, day: int) -> int:
        """Return how many calls of a product were stored for a day."""
        rows = self._rows(_CALLS, {"product": product_id, "day": day})
        return int(rows[0][0] or 0)

    def __len__(self) -> int:
        return len(self._licenses)

    def check(self) -> None:
        """Make sure that validations can be served.

        Raises: Unavailable.
        """
        self._rows("SELECT name FROM facts LIMIT 1", {})

    def follow(self) -> None:
        """Forget what any process changed since the last look."""
        self._read_anew()
        changes = self._follower.changes()
        if changes is None:
            self._begin_anew()
            return
        for _, action, organization_id, product_id, license_id in changes.events:
            if action in _OF_BLACKLISTS:
                self._forget_blacklists(organization_id)
            elif license_id is not None:
                self._licenses.forget(license_id)
            else:
                self._forget_products(organization_id, product_id)
        self.forget_licenses(changes.license_ids)

    def _begin_anew(self) -> None:
        """Forget everything: what is read from now on knows of all that is followed."""
        self._licenses.forget_all()
        self._forget_blacklists(PLATFORM)

    def _look(self) -> None:
        self.follow()
        self._has_looked = True
        asyncio.get_running_loop().call_soon(self._look_again)

    def _look_again(self) -> None:
        self._has_looked = False
        with suppress(Unavailable, sqlite3.Error):  # closed meanwhile, or unreadable, which the next look tells
            self._read_anew()

    def _keep_reading(self) -> None:
        """Read on from one state until the look's life ends: to lock it for each statement is a fifth of its cost."""
        if self._has_looked and not self._keeps_reading:
            self._rows("BEGIN", {})
            self._keeps_reading = True

    def _read_anew(self) -> None:
        if self._keeps_reading:
            self._keeps_reading = False
            if self._connection.in_transaction:  # a failing disk ends it by itself
                self._rows("ROLLBACK", {})

    def forget_licenses(self, license_ids: Iterable[int]) -> None:
        """Forget licenses that were written without an event."""
        for license_id in license_ids:
            self._licenses.forget(license_id)

    def renew(self, left: Mapping[int, Renewed], *, log_id: int) -> None:
        """Keep licenses as a group of ours left them, instead of reading them again; `log_id` is its row of the log.

        Were more followed meanwhile, another process has committed something in between, perhaps about this very
        license, and nothing would ever say so again: then it is forgotten. See `storage.following`.
        """
        for license_id, (event_id, snapshot) in left.items():
            if self._follower.has_missed_nothing(event_id, log_id=log_id):
                self._licenses.renew(snapshot)
            else:
                self._licenses.forget(license_id)

    def _forget_products(self, organization_id: int, product_id: int | None = None) -> None:
        for digest, kept in list(self._products.items()):
            of_another = kept.product is None or kept.product.organization_id != organization_id
            if not of_another and product_id in (None, kept.product and kept.product.id):
                self._products.pop(digest).settled.clear()  # they refer to each other

    def _forget_blacklists(self, organization_id: int) -> None:
        """Forget an organization's blacklist, or all of them: what the operator blocks is blocked everywhere."""
        if organization_id == PLATFORM:
            for kept in self._products.values():
                kept.settled.clear()
            self._blacklists, self._products = {}, {}
        else:
            self._blacklists.pop(organization_id, None)
            self._forget_products(organization_id)

    def _load_product(self, digest: bytes) -> ProductSnapshot | None:
        rows = self._rows(_PRODUCT, {"digest": digest})
        if not rows:
            return None
        state, plan, valid_until_ms, scope = rows[0][_STATE_AT:]
        product = product_of(rows[0])
        of_product = {"product": product.id}
        rules = [(spec, VersionState(each)) for spec, each in self._rows(_VERSIONS, of_product)]
        snapshot = ProductSnapshot(
            product,
            OrganizationState(state),
            plan,
            valid_until_ms,
            KeyScope(scope),
            VersionList(rules, product.settings.unlisted_versions),
            self._blacklist(product.organization_id),
            tuple(record_of(SigningKey, row) for row in self._rows(SIGNING_KEYS, of_product)),
            digest,
        )
        dropped = _drop_oldest(self._products, _MAX_PRODUCTS)
        if dropped is not None:
            dropped.settled.clear()
        self._products[digest] = snapshot
        return snapshot

    def _load_license(self, product_id: int, digest: bytes) -> LicenseSnapshot | None:
        self._keep_reading()
        rows = self._rows(_LICENSE, {"product": product_id, "digest": digest})
        if not rows:
            return None
        self._licenses.add((product_id, digest), rows[0])
        return snapshot_of(rows[0])

    def _blacklist(self, organization_id: int) -> Blacklist:
        found = self._blacklists.get(organization_id)
        if found is None:
            rows = self._rows(_BLOCKS, {"organization": organization_id})
            found = Blacklist((BlockLevel(level), target_id, network) for level, target_id, network in rows)
            self._blacklists[organization_id] = found
        return found

    def _rows(self, sql: str, values: Mapping[str, int | bytes | str]) -> list[Row]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise unavailable(error) or error from error


def _drop_oldest(cache: dict[K, V], size: int) -> V | None:
    return cache.pop(next(iter(cache))) if len(cache) >= size else None
