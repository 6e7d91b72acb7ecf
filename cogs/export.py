"""Licenses as a file that is sent to whoever asked for it."""

import io
from collections.abc import Sequence

from licensing.services.finder import Exported
from licensing.spreadsheet import csv_of, row_of


def table_of(rows: Sequence[Exported]) -> bytes:
    """Return a table in UTF-8; the mark at its start has spreadsheets read it as that."""
    table = csv_of([row_of(row.view, key=row.key, status=row.status) for row in rows])
    return table.encode("utf-8-sig")


def readable(data: bytes) -> io.BytesIO:
    """Return bytes as a file to send."""
    return io.BytesIO(data)
