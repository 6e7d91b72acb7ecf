"""Statements about licenses, their keys and their registered addresses."""

import json
from collections.abc import Sequence

from licensing.models import Address, Customer, License, LicenseView, Product, SealedKey
from licensing.ports import Steps
from licensing.verdict import LicenseSnapshot
from storage.statements.base import Row, Statement, columns_of, first_of, like, record_of
from storage.statements.products import product_of

_COLUMNS = columns_of(License)
_PRODUCT_AT = len(License.model_fields)
_CUSTOMER_AT = _PRODUCT_AT + len(Product.model_fields)
_KEY_AT = _CUSTOMER_AT + len(Customer.model_fields)
_VIEW = (
    f"SELECT {columns_of(License, of='l.')}, {columns_of(Product, of='p.')}, {columns_of(Customer, of='c.')},"
    f" {columns_of(SealedKey, of='k.')} FROM licenses l JOIN products p ON p.id = l.product_id"
    " JOIN license_keys k ON k.license_id = l.id LEFT JOIN customers c ON c.id = l.customer_id WHERE"
)
_MATCHES = """l.id IN (
 SELECT license_id FROM license_keys
  WHERE organization_id = :organization AND prefix >= :prefix AND prefix < :prefix_end
 UNION SELECT held.id FROM licenses held JOIN customers holder ON holder.id = held.customer_id
  WHERE holder.organization_id = :organization
   AND (holder.name_folded LIKE :text ESCAPE '\\' OR holder.email LIKE :text ESCAPE '\\'
    OR CAST(holder.discord_id AS TEXT) = :exact)
 UNION SELECT id FROM licenses WHERE organization_id = :organization AND LOWER(notes) LIKE :text ESCAPE '\\')"""
_PREFIX_END = "\U0010ffff"  # sorts after every key


def view_of(row: Row) -> LicenseView:
    """Return a row of the view's columns as a record, without its addresses."""
    return LicenseView(
        license=record_of(License, row),
        product=product_of(row, start=_PRODUCT_AT),
        customer=record_of(Customer, row, start=_CUSTOMER_AT) if row[_CUSTOMER_AT] is not None else None,
        key=record_of(SealedKey, row, start=_KEY_AT),
    )


class LicenseStatements:
    """See `licensing.ports.Licenses`."""

    def __init__(self, touched: set[int]) -> None:
        self._touched = touched

    def lock(self, organization_id: int, license_id: int) -> Steps[License | None]:
        rows = yield Statement(
            "UPDATE licenses SET updated_at_ms = updated_at_ms WHERE id = :id AND organization_id = :organization"
            f" RETURNING {_COLUMNS}",
            {"id": license_id, "organization": organization_id},
        )
        return first_of(License, rows)

    def lock_by_key(self, organization_id: int, digest: bytes) -> Steps[License | None]:
        rows = yield Statement(
            "UPDATE licenses SET updated_at_ms = updated_at_ms WHERE id = (SELECT license_id FROM license_keys"
            f" WHERE organization_id = :organization AND digest = :digest) RETURNING {_COLUMNS}",
            {"organization": organization_id, "digest": digest},
        )
        return first_of(License, rows)

    def insert(self, license_: License, key: SealedKey) -> Steps[License]:
        rows = yield Statement(
            "INSERT INTO licenses (organization_id, product_id, customer_id, state, expires_at_ms, max_ips,"
            " notes, claimed_at_ms, revoked_at_ms, created_at_ms, updated_at_ms) VALUES (:organization_id,"
            " :product_id, :customer_id, :state, :expires_at_ms, :max_ips, :notes, :claimed_at_ms,"
            " :revoked_at_ms, :created_at_ms, :updated_at_ms) RETURNING id",
            license_.model_dump(),
        )
        stored = license_.model_copy(update={"id": rows[0][0]})
        yield Statement(
            "INSERT INTO license_keys (organization_id, digest, license_id, prefix, key_id, ciphertext)"
            " VALUES (:organization, :digest, :license, :prefix, :key_id, :ciphertext)",
            {**key.model_dump(), "organization": stored.organization_id, "license": stored.id},
        )
        return stored

    def save(self, license_: License) -> Steps[None]:
        self._touched.add(license_.id)
        yield Statement(
            "UPDATE licenses SET customer_id = :customer_id, state = :state, expires_at_ms = :expires_at_ms,"
            " max_ips = :max_ips, notes = :notes, claimed_at_ms = :claimed_at_ms,"
            " revoked_at_ms = :revoked_at_ms, updated_at_ms = :updated_at_ms WHERE id = :id",
            license_.model_dump(),
        )

    def count(self, organization_id: int) -> Steps[int]:
        sql = "SELECT COUNT(*) FROM licenses WHERE organization_id = :organization"
        rows = yield Statement(sql, {"organization": organization_id})
        return int(rows[0][0])

    def view(self, organization_id: int, license_id: int) -> Steps[LicenseView | None]:
        sql = f"{_VIEW} l.organization_id = :organization AND l.id = :id"
        return (yield from self._whole(sql, {"organization": organization_id, "id": license_id}))

    def view_by_key(self, product_id: int, digest: bytes) -> Steps[LicenseView | None]:
        sql = f"{_VIEW} k.organization_id = p.organization_id AND k.digest = :digest AND p.id = :product"
        return (yield from self._whole(sql, {"digest": digest, "product": product_id}))

    def find_by_key(self, organization_id: int, digest: bytes) -> Steps[LicenseView | None]:
        sql = f"{_VIEW} k.organization_id = :organization AND k.digest = :digest"
        return (yield from self._whole(sql, {"organization": organization_id, "digest": digest}))

    def held_by(self, organization_id: int, discord_id: int) -> Steps[Sequence[LicenseView]]:
        rows = yield Statement(
            f"{_VIEW} c.organization_id = :organization AND c.discord_id = :discord ORDER BY l.id DESC",
            {"organization": organization_id, "discord": discord_id},
        )
        return [view_of(row) for row in rows]

    def held_count(self, customer_id: int) -> Steps[int]:
        sql = "SELECT COUNT(*) FROM licenses WHERE customer_id = :customer"
        rows = yield Statement(sql, {"customer": customer_id})
        return int(rows[0][0])

    def search(self, organization_id: int, text: str, *, limit: int) -> Steps[Sequence[LicenseView]]:
        prefix = text.replace("-", "").upper()[:4]
        rows = yield Statement(
            f"{_VIEW} l.organization_id = :organization{f' AND {_MATCHES}' if text else ''}"
            " ORDER BY l.id DESC LIMIT :limit",
            {
                "organization": organization_id,
                "prefix": prefix,
                "prefix_end": prefix + _PREFIX_END,
                "text": like(text.casefold()),
                "exact": text,
                "limit": limit,
            },
        )
        return [view_of(row) for row in rows]

    def lock_snapshot(self, license_id: int) -> Steps[LicenseSnapshot | None]:
        self._touched.add(license_id)
        rows = yield Statement(
            f"UPDATE licenses SET updated_at_ms = updated_at_ms WHERE id = :id RETURNING {_COLUMNS}",
            {"id": license_id},
        )
        license_ = first_of(License, rows)
        if license_ is None:
            return None
        taken = yield from self.addresses(license_id)
        return LicenseSnapshot(license_, frozenset(seat.address for seat in taken))

    def insert_address(self, license_id: int, address: str, *, now_ms: int) -> Steps[None]:
        yield Statement(
            "INSERT INTO license_addresses (license_id, address, first_seen_at_ms, last_seen_at_ms)"
            " VALUES (:license, :address, :now, :now)",
            {"license": license_id, "address": address, "now": now_ms},
        )

    def addresses(self, license_id: int) -> Steps[Sequence[Address]]:
        rows = yield Statement(
            f"SELECT {columns_of(Address)} FROM license_addresses WHERE license_id = :license"
            " ORDER BY first_seen_at_ms, address",
            {"license": license_id},
        )
        return [record_of(Address, row) for row in rows]

    def touch_addresses(self, seen: Sequence[tuple[int, str, int]]) -> Steps[None]:
        # One statement however many rows: row by row, the writer would fight the event loop for the
        # interpreter at every one. json_each is SQLite's; PostgreSQL's driver says the same with unnest.
        yield Statement(
            "UPDATE license_addresses SET last_seen_at_ms = seen.value ->> 2 FROM json_each(:seen) AS seen"
            " WHERE license_id = seen.value ->> 0 AND address = seen.value ->> 1"
            " AND last_seen_at_ms < seen.value ->> 2",
            {"seen": json.dumps(seen)},
        )

    def _whole(self, sql: str, values: dict[str, int | bytes]) -> Steps[LicenseView | None]:
        rows = yield Statement(sql, values)
        if not rows:
            return None
        view = view_of(rows[0])
        addresses = yield from self.addresses(view.license.id)
        return view.model_copy(update={"addresses": tuple(addresses)})
