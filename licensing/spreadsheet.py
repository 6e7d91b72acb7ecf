"""Licenses as rows of a table to take away: columns, cells, and text that no spreadsheet takes for a formula."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from licensing.models import LicenseView

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

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Where a program may begin a cell, whichever separator it goes by, and what makes the cell a formula there; some take
# the full-width signs (U+FF1D, U+FF0B, U+FF0D, U+FF20) for the narrow ones.
_FORMULA = re.compile(r"(?:^|[;,\t\r\n]\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\n])")


def iso_moment(at_ms: int | None) -> str | None:
    """Return a time as `2027-01-31T23:59:59.999Z`."""
    if at_ms is None:
        return None
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def row_of(view: LicenseView, *, key: str, status: str) -> dict[str, Any]:
    """Return a license by the table's columns; ids of Discord as text, since many programs round such numbers."""
    license_, customer = view.license, view.customer
    discord_id = customer.discord_id if customer else None
    cells = (
        license_.id,
        view.product.name,
        key,
        status,
        str(discord_id) if discord_id else None,
        customer.name if customer else None,
        customer.email if customer else None,
        iso_moment(license_.expires_at_ms),
        license_.max_ips,
        license_.notes,
        iso_moment(license_.created_at_ms),
        iso_moment(license_.claimed_at_ms),
        iso_moment(license_.revoked_at_ms),
    )
    return dict(zip(COLUMNS, cells, strict=True))


def csv_of(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as CSV (RFC 4180), every cell in quotes, so that no separator within one ends it."""
    text = io.StringIO()
    table = csv.writer(text, quoting=csv.QUOTE_ALL)
    table.writerow(COLUMNS)
    table.writerows([safe(cell) for cell in row.values()] for row in rows)
    return text.getvalue()


def safe(cell: object) -> str:
    """Return a cell as text, so that what a customer typed is never run: a formula's start gets a quote before it."""
    return "" if cell is None else _FORMULA.sub(r"\g<0>'", str(cell))
