"""Licenses as a file for spreadsheets: its columns, and cells that no spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from licensing.services.finder import Exported

COLUMNS = (
    "license_id",
    "product",
    "license_key",
    "status",
    "holder_discord_id",
    "holder_name",
    "holder_email",
    "expires_at",
    "max_ips",
    "notes",
    "issued_at",
    "claimed_at",
    "revoked_at",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def csv_of(rows: Sequence[Exported]) -> bytes:
    """Return a table in UTF-8; the mark at its start has spreadsheets read it as that."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    table.writerows([safe(cell) for cell in _cells(row)] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def readable(data: bytes) -> io.BytesIO:
    """Return bytes as a file to send."""
    return io.BytesIO(data)


def safe(cell: object) -> str:
    """Return a cell as text, so that what a customer typed is never run: a formula's start gets a quote before it."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(row: Exported) -> list[object]:
    license_, customer = row.view.license, row.view.customer
    holder = (customer.discord_id, customer.name, customer.email) if customer else (None, None, None)
    return [
        license_.id,
        row.view.product.name,
        row.key,
        row.status.value,
        *holder,
        _moment(license_.expires_at_ms),
        license_.max_ips,
        license_.notes,
        *map(_moment, (license_.created_at_ms, license_.claimed_at_ms, license_.revoked_at_ms)),
    ]


def _moment(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
