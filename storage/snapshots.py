"""The hot path's reads: cached snapshots, filled on the event loop's own connection.

A miss is one joined SELECT without a thread hop. Before every request `PRAGMA data_version` tells whether any
process committed anything; then the events since the last look name what to forget, so a revocation made elsewhere
is seen by the very next validation and nothing else has to be read again.
"""

import sqlite3
from collections.abc import Iterable
from typing import TypeVar

from licensing.models import License, OrganizationState, Product
from licensing.verdict import LicenseSnapshot, ProductSnapshot
from storage.sqlite import unavailable
from storage.statements.base import Row, columns_of, record_of
from storage.statements.products import product_of

_PRODUCT = (
    f"SELECT {columns_of(Product, of='p.')}, o.state, o.plan, a.valid_until_ms FROM api_keys a"
    " JOIN products p ON p.id = a.product_id JOIN organizations o ON o.id = p.organization_id"
    " WHERE a.digest = :digest"
)
_LICENSE = (
    f"SELECT {columns_of(License, of='l.')}, s.address FROM products p"
    " JOIN license_keys k ON k.organization_id = p.organization_id AND k.digest = :digest"
    " JOIN licenses l ON l.id = k.license_id AND l.product_id = p.id"
    " LEFT JOIN license_addresses s ON s.license_id = l.id WHERE p.id = :product"
)
_CALLS = "SELECT calls FROM usage_daily WHERE product_id = :product AND day = :day"
_EVENTS = "SELECT id, organization_id, product_id, license_id FROM events WHERE id > :id ORDER BY id"
_ADDRESS_AT = len(License.model_fields)
_STATE_AT = len(Product.model_fields)
_MAX_PRODUCTS = 10_000

K = TypeVar("K")
V = TypeVar("V")


class SnapshotCache:
    """See `licensing.ports.Snapshots`; at most `size` licenses are kept, the oldest fill goes first."""

    def __init__(self, connection: sqlite3.Connection, *, size: int) -> None:
        self._connection = connection
        self._size = size
        self._products: dict[bytes, ProductSnapshot] = {}
        self._licenses: dict[tuple[int, bytes], LicenseSnapshot] = {}
        self._key_of: dict[int, tuple[int, bytes]] = {}
        self._version = -1
        self._event_id = self._last_event()

    async def product(self, api_key_digest: bytes) -> ProductSnapshot | None:
        """Return the product that an API key belongs to; every request asks this first, so here it follows."""
        try:
            self.follow()
            return self._products.get(api_key_digest) or self._load_product(api_key_digest)
        except sqlite3.Error as error:
            raise unavailable(error) or error from error

    async def license(self, product_id: int, key_digest: bytes) -> LicenseSnapshot | None:
        """Return the license of a product that a key opens."""
        found = self._licenses.get((product_id, key_digest))
        if found is not None:
            return found
        try:
            return self._load_license(product_id, key_digest)
        except sqlite3.Error as error:
            raise unavailable(error) or error from error

    async def calls(self, product_id: int, day: int) -> int:
        """Return how many calls of a product were stored for a day."""
        try:
            rows = self._rows(_CALLS, {"product": product_id, "day": day})
        except sqlite3.Error as error:
            raise unavailable(error) or error from error
        return int(rows[0][0]) if rows else 0

    def check(self) -> None:
        """Make sure that validations can be served.

        Raises: Unavailable.
        """
        try:
            self._rows("SELECT name FROM facts LIMIT 1", {})
        except sqlite3.Error as error:
            raise unavailable(error) or error from error

    def follow(self) -> None:
        """Forget what any process changed since the last look."""
        version = self._rows("PRAGMA data_version", {})[0][0]
        if version == self._version:
            return
        # The version is kept from before the events are read: what commits in between is seen next time.
        for event_id, organization_id, product_id, license_id in self._rows(_EVENTS, {"id": self._event_id}):
            self._forget_named(organization_id, product_id, license_id)
            self._event_id = event_id
        self._version = version

    def forget_licenses(self, license_ids: Iterable[int]) -> None:
        """Forget licenses that were written without an event."""
        for license_id in license_ids:
            key = self._key_of.pop(license_id, None)
            if key is not None:
                self._licenses.pop(key, None)

    def _forget_named(self, organization_id: int, product_id: int | None, license_id: int | None) -> None:
        if license_id is not None:
            self.forget_licenses((license_id,))
            return
        self._products = {
            digest: kept
            for digest, kept in self._products.items()
            if kept.product is None
            or kept.product.organization_id != organization_id
            or product_id not in (None, kept.product.id)
        }

    def _load_product(self, digest: bytes) -> ProductSnapshot | None:
        rows = self._rows(_PRODUCT, {"digest": digest})
        if not rows:
            return None
        state, plan, valid_until_ms = rows[0][_STATE_AT:]
        snapshot = ProductSnapshot(product_of(rows[0]), OrganizationState(state), plan, valid_until_ms)
        _drop_oldest(self._products, _MAX_PRODUCTS)
        self._products[digest] = snapshot
        return snapshot

    def _load_license(self, product_id: int, digest: bytes) -> LicenseSnapshot | None:
        rows = self._rows(_LICENSE, {"product": product_id, "digest": digest})
        if not rows:
            return None
        license_ = record_of(License, rows[0])
        addresses = frozenset(row[_ADDRESS_AT] for row in rows if row[_ADDRESS_AT] is not None)
        snapshot = LicenseSnapshot(license_, addresses)
        dropped = _drop_oldest(self._licenses, self._size)
        if dropped is not None:
            self._key_of.pop(dropped.license.id, None)
        self._licenses[product_id, digest] = snapshot
        self._key_of[license_.id] = (product_id, digest)
        return snapshot

    def _last_event(self) -> int:
        return int(self._rows("SELECT COALESCE(MAX(id), 0) FROM events", {})[0][0])

    def _rows(self, sql: str, values: dict[str, int | bytes]) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()


def _drop_oldest(cache: dict[K, V], size: int) -> V | None:
    return cache.pop(next(iter(cache))) if len(cache) >= size else None
