"""Statements about the log of licenses that were written without an event, which other processes read."""

import json
from collections.abc import Collection

from licensing.ports import Steps
from storage.statements.base import Statement


class TouchedStatements:
    """One row for a group of transactions, however many licenses they wrote; `storage.following` reads them."""

    def append(self, writer: str, license_ids: Collection[int]) -> Steps[int]:
        rows = yield Statement(
            "INSERT INTO touched_log (writer, license_ids) VALUES (:writer, :licenses) RETURNING id",
            {"writer": writer, "licenses": json.dumps(list(license_ids))},
        )
        return int(rows[0][0])

    def forget(self, *, last_id: int) -> Steps[None]:
        yield Statement("DELETE FROM touched_log WHERE id <= :last", {"last": last_id})
