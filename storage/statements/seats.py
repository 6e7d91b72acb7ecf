"""Statements that take seats, for many licenses at once, and what a validation reads of a license.

Here SQLite gathers rows into texts and unfolds JSON lists; PostgreSQL's driver will say the same with `string_agg`,
`json_agg`, `= ANY` and `unnest`.
"""

import json
from collections.abc import Collection, Mapping, Sequence

from licensing.choices import LicenseState
from licensing.ports import NewSeat, Steps
from licensing.verdict import LicenseSnapshot, seats
from storage.statements.base import Row, Statement

Renewed = tuple[int, LicenseSnapshot]  # the last event that it was read after, and the license

_STATES = {None: LicenseState.ACTIVE} | {str(state): state for state in LicenseState}
_NUL = "\0"


def snapshot_columns(*, of: str) -> str:
    """Return the columns that `snapshot_of` reads of a license, whose table has this name."""
    # NULL is what nearly all have: rows are kept by the hundred thousand, and a text that says nothing takes room.
    columns = ", ".join(f"{of}.{name}" for name in LicenseSnapshot._fields[:-2])
    columns = columns.replace(f"{of}.state", f"NULLIF({of}.state, '{LicenseState.ACTIVE}')")
    # Addresses have no spaces in them, and what separates them thus costs less than JSON; devices are any text.
    return (
        f"{columns}, (SELECT group_concat(s.address, ' ') FROM license_addresses s WHERE s.license_id = {of}.id),"
        f" (SELECT NULLIF(json_group_array(d.device), '[]') FROM license_devices d WHERE d.license_id = {of}.id)"
    )


def snapshot_of(row: Row) -> LicenseSnapshot:
    """Return a row as a snapshot; by hand, since to validate what we wrote takes ten times as long."""
    (
        license_id,
        product_id,
        customer_id,
        state,
        ends,
        max_ips,
        pinned,
        minimum,
        maximum,
        custom,
        addresses,
        devices,
    ) = row
    return LicenseSnapshot(
        license_id,
        product_id,
        customer_id,
        _STATES[state],
        ends,
        max_ips,
        pinned,
        minimum,
        maximum,
        custom,
        seats(addresses.split(" ")) if addresses else (),
        seats(json.loads(devices)) if devices else (),
    )


class SeatStatements:
    """See `licensing.ports.Seats`."""

    def __init__(self, touched: set[int], renewed: dict[int, Renewed]) -> None:
        self._touched = touched
        self._renewed = renewed
        self._event_id = 0

    def lock(self, license_ids: Collection[int]) -> Steps[dict[int, LicenseSnapshot]]:
        self._touched.update(license_ids)  # until `leave` says how they are
        rows = yield Statement(
            "UPDATE licenses SET updated_at_ms = updated_at_ms WHERE id IN (SELECT value FROM json_each(:ids))"
            f" RETURNING (SELECT COALESCE(MAX(id), 0) FROM events), {snapshot_columns(of='licenses')}",
            {"ids": json.dumps(list(license_ids))},
        )
        self._event_id = rows[0][0] if rows else 0
        return {row[1]: snapshot_of(row[1:]) for row in rows}

    def insert(self, taken: Sequence[NewSeat]) -> Steps[None]:
        yield from _insert("license_addresses", "address", taken)

    def insert_devices(self, taken: Sequence[NewSeat]) -> Steps[None]:
        yield from _insert("license_devices", "device", taken)

    def leave(self, licenses: Mapping[int, LicenseSnapshot]) -> None:
        for license_id, snapshot in licenses.items():
            self._renewed[license_id] = (self._event_id, snapshot)
        self._touched.difference_update(licenses)


def _insert(table: str, column: str, taken: Sequence[NewSeat]) -> Steps[None]:
    into = f"INSERT INTO {table} (license_id, {column}, first_seen_at_ms, last_seen_at_ms)"
    yield Statement(
        f"{into} SELECT seat.value ->> 0, seat.value ->> 1, seat.value ->> 2, seat.value ->> 2"
        " FROM json_each(:seats) AS seat",
        {"seats": json.dumps([seat for seat in taken if _NUL not in seat[1]])},
    )
    for license_id, name, at_ms in taken:
        if _NUL in name:  # SQLite ends a text out of JSON there: two could become one, and the whole group fail
            values = {"license": license_id, "name": name, "at": at_ms}
            yield Statement(f"{into} VALUES (:license, :name, :at, :at)", values)
