"""Statements about licenses and their keys."""

from collections.abc import Sequence
from typing import Any

from licensing.models import Customer, License, LicenseView, Product, SealedKey
from licensing.ports import Steps
from storage.statements.addresses import AddressStatements
from storage.statements.base import Row, Statement, columns_of, first_of, record_of
from storage.statements.products import product_of
from storage.statements.words import words_of

_COLUMNS = columns_of(License)
_PRODUCT_AT = len(License.model_fields)
_CUSTOMER_AT = _PRODUCT_AT + len(Product.model_fields)
_KEY_AT = _CUSTOMER_AT + len(Customer.model_fields)
VIEW = (
    f"SELECT {columns_of(License, of='l.')}, {columns_of(Product, of='p.')}, {columns_of(Customer, of='c.')},"
    f" {columns_of(SealedKey, of='k.')} FROM licenses l JOIN products p ON p.id = l.product_id"
    " JOIN license_keys k ON k.license_id = l.id LEFT JOIN customers c ON c.id = l.customer_id WHERE"
)
ENDED = "expires_at_ms <= :now AND expired_at_ms IS NULL AND state <> 'revoked'"
_STORED = [*(name for name in License.model_fields if name != "id"), "words"]
INSERT_LICENSE = f"INSERT INTO licenses ({', '.join(_STORED)})"
INSERTED = ", ".join(f":{name}" for name in _STORED)


def status_is(*, enforced: str) -> str:
    """Return what a license of the status that is asked for is; `enforced` is that its product refuses ended ones."""
    return (
        "CASE WHEN l.state <> 'active' THEN l.state WHEN l.customer_id IS NULL THEN 'not_claimed'"
        f" WHEN l.expires_at_ms <= :now AND {enforced} THEN 'expired' ELSE 'active' END = :status"
    )


def view_of(row: Row) -> LicenseView:
    """Return a row of the view's columns as a record, without its addresses."""
    return LicenseView(
        license=record_of(License, row),
        product=product_of(row, start=_PRODUCT_AT),
        customer=record_of(Customer, row, start=_CUSTOMER_AT) if row[_CUSTOMER_AT] is not None else None,
        key=record_of(SealedKey, row, start=_KEY_AT),
    )


class LicenseStatements:
    """See `licensing.tables.Licenses`."""

    def __init__(self, touched: set[int], addresses: AddressStatements) -> None:
        self._touched = touched
        self._addresses = addresses

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
        rows = yield Statement(f"{INSERT_LICENSE} VALUES ({INSERTED}) RETURNING id", values_of(license_))
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
            " revoked_at_ms = :revoked_at_ms, updated_at_ms = :updated_at_ms, expired_at_ms = :expired_at_ms,"
            " duration = :duration, words = :words, version_pinned = :version_pinned,"
            " version_min = :version_min, version_max = :version_max, custom = :custom WHERE id = :id",
            values_of(license_),
        )

    def count(self, organization_id: int) -> Steps[int]:
        sql = "SELECT COUNT(*) FROM licenses WHERE organization_id = :organization"
        rows = yield Statement(sql, {"organization": organization_id})
        return int(rows[0][0])

    def view(self, organization_id: int, license_id: int) -> Steps[LicenseView | None]:
        sql = f"{VIEW} l.organization_id = :organization AND l.id = :id"
        return (yield from self._whole(sql, {"organization": organization_id, "id": license_id}))

    def view_by_key(self, product_id: int, digest: bytes) -> Steps[LicenseView | None]:
        sql = f"{VIEW} k.organization_id = p.organization_id AND k.digest = :digest AND p.id = :product"
        return (yield from self._whole(sql, {"digest": digest, "product": product_id}))

    def find_by_key(self, organization_id: int, digest: bytes) -> Steps[LicenseView | None]:
        sql = f"{VIEW} k.organization_id = :organization AND k.digest = :digest"
        return (yield from self._whole(sql, {"organization": organization_id, "digest": digest}))

    def held_by(self, organization_id: int, discord_id: int) -> Steps[Sequence[LicenseView]]:
        rows = yield Statement(
            f"{VIEW} c.organization_id = :organization AND c.discord_id = :discord ORDER BY l.id DESC",
            {"organization": organization_id, "discord": discord_id},
        )
        return [view_of(row) for row in rows]

    def held_count(self, customer_id: int) -> Steps[int]:
        sql = "SELECT COUNT(*) FROM licenses WHERE customer_id = :customer"
        rows = yield Statement(sql, {"customer": customer_id})
        return int(rows[0][0])

    def forget_ends(self, product_id: int) -> Steps[None]:
        sql = "UPDATE licenses SET expired_at_ms = NULL WHERE product_id = :product AND expired_at_ms IS NOT NULL"
        yield Statement(sql, {"product": product_id})

    def _whole(self, sql: str, values: dict[str, int | bytes]) -> Steps[LicenseView | None]:
        rows = yield Statement(sql, values)
        if not rows:
            return None
        view = view_of(rows[0])
        addresses = yield from self._addresses.of(view.license.id)
        devices = yield from self._addresses.devices_of(view.license.id)
        return view.model_copy(update={"addresses": tuple(addresses), "devices": tuple(devices)})


def values_of(license_: License) -> dict[str, Any]:
    """Return a license's columns."""
    return {**license_.model_dump(), "words": words_of(license_.notes)}
