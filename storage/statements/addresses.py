"""Statements about the addresses and devices that took a license's seats."""

from collections.abc import Sequence

from licensing.models import Address, Device, License
from licensing.ports import Steps
from storage.statements.base import Statement, columns_of, record_of


class AddressStatements:
    """See `licensing.tables.Addresses`."""

    def __init__(self, touched: set[int]) -> None:
        self._touched = touched

    def of(self, license_id: int) -> Steps[Sequence[Address]]:
        rows = yield Statement(
            f"SELECT {columns_of(Address)} FROM license_addresses WHERE license_id = :license"
            " ORDER BY first_seen_at_ms, address",
            {"license": license_id},
        )
        return [record_of(Address, row) for row in rows]

    def delete(self, license_id: int) -> Steps[Sequence[str]]:
        self._touched.add(license_id)
        rows = yield Statement(
            "DELETE FROM license_addresses WHERE license_id = :license RETURNING address", {"license": license_id}
        )
        return [row[0] for row in rows]

    def free_idlest(self, license_id: int, *, keep: int) -> Steps[Sequence[str]]:
        # By the times in the table, without those that wait in the log: all that differ were in use within seconds,
        # and there is no limit, so whoever is put out is let in again.
        self._touched.add(license_id)
        rows = yield Statement(
            "DELETE FROM license_addresses WHERE license_id = :license AND address NOT IN (SELECT address"
            " FROM license_addresses WHERE license_id = :license ORDER BY last_seen_at_ms DESC LIMIT :keep)"
            " RETURNING address",
            {"license": license_id, "keep": keep},
        )
        return [row[0] for row in rows]

    def devices_of(self, license_id: int) -> Steps[Sequence[Device]]:
        rows = yield Statement(
            f"SELECT {columns_of(Device)} FROM license_devices WHERE license_id = :license"
            " ORDER BY first_seen_at_ms, device",
            {"license": license_id},
        )
        return [record_of(Device, row) for row in rows]

    def delete_devices(self, license_id: int) -> Steps[Sequence[str]]:
        self._touched.add(license_id)
        rows = yield Statement(
            "DELETE FROM license_devices WHERE license_id = :license RETURNING device", {"license": license_id}
        )
        return [row[0] for row in rows]

    def unseated(self, product_id: int) -> Steps[int]:
        """Count the licenses of a product that somebody holds and that no address is registered for."""
        rows = yield Statement(
            "SELECT COUNT(*) FROM licenses l WHERE l.product_id = :product AND l.state <> 'revoked'"
            " AND l.customer_id IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM license_addresses s WHERE s.license_id = l.id)",
            {"product": product_id},
        )
        return int(rows[0][0])

    def on_more_devices(self, product_id: int, limit: int, *, since_ms: int | None) -> Steps[int]:
        """Count the licenses that more devices are registered for, or have validated on since a time."""
        seats = "SELECT d.device FROM license_devices d WHERE d.license_id = l.id"
        if since_ms is not None:
            seats = (
                "SELECT DISTINCT a.device FROM attempts a WHERE a.license_id = l.id AND a.status = 'active'"
                " AND a.last_at_ms >= :since"
            )
        rows = yield Statement(
            "SELECT COUNT(*) FROM licenses l WHERE l.product_id = :product AND l.state <> 'revoked'"
            f" AND (SELECT COUNT(*) FROM ({seats}) AS seats) > :limit",
            {"product": product_id, "limit": limit, "since": since_ms},
        )
        return int(rows[0][0])

    def idle(self, *, now_ms: int, limit: int) -> Steps[Sequence[tuple[License, Address]]]:
        rows = yield Statement(
            f"SELECT {columns_of(License, of='l.')}, {columns_of(Address, of='s.')} FROM products p"
            " JOIN licenses l ON l.product_id = p.id JOIN license_addresses s ON s.license_id = l.id"
            " WHERE p.address_idle_days IS NOT NULL AND p.track_ip = 1"
            " AND s.last_seen_at_ms < :now - p.address_idle_days * 86400000 LIMIT :limit",
            {"now": now_ms, "limit": limit},
        )
        return [(record_of(License, row), record_of(Address, row, start=len(License.model_fields))) for row in rows]

    def free(self, license_id: int, seat: Address) -> Steps[bool]:
        self._touched.add(license_id)
        rows = yield Statement(
            "DELETE FROM license_addresses WHERE license_id = :license AND address = :address"
            " AND last_seen_at_ms = :last_seen_at_ms RETURNING address",
            {"license": license_id, **seat.model_dump()},
        )
        return bool(rows)
