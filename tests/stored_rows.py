"""Everything that is stored of one organization, row by row, to be compared before and after."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

_OF_PRODUCT = "product_id IN (SELECT id FROM products WHERE organization_id = :organization)"
_OF_LICENSE = "license_id IN (SELECT id FROM licenses WHERE organization_id = :organization)"
_OWNED = {
    "organizations": "id = :organization",
    "api_keys": _OF_PRODUCT,
    "usage_daily": _OF_PRODUCT,
    "product_versions": _OF_PRODUCT,
    "signing_keys": _OF_PRODUCT,
    "license_addresses": _OF_LICENSE,
    "license_devices": _OF_LICENSE,
    "attempts": _OF_LICENSE,
}
_NOBODYS = {"alembic_version", "facts", "followers", "seen_log", "sqlite_sequence", "touched_log"}


def rows_of(path: Path, organization_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """Read every row of an organization, table by table."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: sorted(
                connection.execute(
                    f"SELECT * FROM {table} WHERE {_OWNED.get(table, 'organization_id = :organization')}",
                    {"organization": organization_id},
                ).fetchall(),
                key=repr,
            )
            for table in tables
            if table not in _NOBODYS
        }
