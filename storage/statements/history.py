"""Statements about what validations left behind: attempts, and why some were refused.

Both come in batches, and each batch is one statement, as in SeenStatements.
"""

import json
from collections.abc import Sequence

from pydantic_core import to_json

from licensing.models import Attempt, RefusalRecord
from licensing.tables import AttemptRow, Steps
from storage.statements.base import Row, Statement, columns_of, first_of

_ALIKE = "license_id, status, address, device, version"
_ATTEMPT = columns_of(Attempt)
_REFUSAL = columns_of(RefusalRecord)
_FIRST_AT = list(Attempt.model_fields).index("first_at_ms")


def _unfolded(count: int) -> str:
    return ", ".join(f"row.value ->> {place}" for place in range(count))


class HistoryStatements:
    """See `licensing.tables.History`."""

    def add_attempts(self, attempts: Sequence[AttemptRow], *, keep: int) -> Steps[None]:
        since_ms = min(attempt[_FIRST_AT] for attempt in attempts)
        # What belongs to a license that is gone has nobody to be shown to.
        rows = yield Statement(
            f"INSERT INTO attempts ({_ATTEMPT}) SELECT {_unfolded(len(Attempt.model_fields))}"
            " FROM json_each(:rows) AS row WHERE row.value ->> 0 IN (SELECT id FROM licenses)"
            f" ON CONFLICT ({_ALIKE}) DO UPDATE"
            " SET count = attempts.count + excluded.count, last_at_ms = CASE WHEN attempts.last_at_ms >"
            " excluded.last_at_ms THEN attempts.last_at_ms ELSE excluded.last_at_ms END"
            " RETURNING license_id, first_at_ms",
            {"rows": to_json(attempts).decode()},
        )
        new = sorted({license_id for license_id, first_at_ms in rows if first_at_ms >= since_ms})
        if new:
            yield Statement(
                f"DELETE FROM attempts WHERE ({_ALIKE}) IN (SELECT {_ALIKE} FROM (SELECT {_ALIKE}, ROW_NUMBER() OVER"
                " (PARTITION BY license_id ORDER BY last_at_ms DESC) AS place FROM attempts WHERE license_id IN"
                # Few have too many, and to count is cheaper than to rank.
                " (SELECT value FROM json_each(:licenses)"
                " WHERE (SELECT COUNT(*) FROM attempts a WHERE a.license_id = value) > :keep)"
                ") AS ranked WHERE place > :keep)",
                {"licenses": json.dumps(new), "keep": keep},
            )

    def attempts(self, license_id: int, *, since_ms: int, limit: int) -> Steps[Sequence[Attempt]]:
        rows = yield Statement(
            f"SELECT {_ATTEMPT} FROM attempts WHERE license_id = :license AND last_at_ms >= :since"
            " ORDER BY last_at_ms DESC LIMIT :limit",
            {"license": license_id, "since": since_ms, "limit": limit},
        )
        return [_attempt(row) for row in rows]

    def forget_attempts(self, *, before_ms: int, after_license_id: int, limit: int) -> Steps[int | None]:
        # License by license, since an index on the time would be written anew with every batch.
        rows = yield Statement(
            "SELECT MAX(id) FROM (SELECT id FROM licenses WHERE id > :after ORDER BY id LIMIT :limit) AS next",
            {"after": after_license_id, "limit": limit},
        )
        last = rows[0][0]
        if last is not None:
            yield Statement(
                "DELETE FROM attempts WHERE license_id > :after AND license_id <= :last AND last_at_ms < :before",
                {"after": after_license_id, "last": last, "before": before_ms},
            )
        return None if last is None else int(last)

    def add_refusals(
        self, refusals: Sequence[RefusalRecord], *, keep: int, keep_unknown: int
    ) -> Steps[frozenset[str]]:
        yield Statement(
            f"INSERT INTO refusals ({_REFUSAL}) SELECT {_unfolded(len(RefusalRecord.model_fields))}"
            " FROM json_each(:rows) AS row WHERE row.value ->> 2 IN (SELECT id FROM products)"
            " AND (row.value ->> 3 IS NULL OR row.value ->> 3 IN (SELECT id FROM licenses))"
            " ON CONFLICT (code) DO NOTHING",
            {"rows": json.dumps([list(dict(refusal).values()) for refusal in refusals])},
        )
        known = sorted({(it.license_id, it.status) for it in refusals if it.license_id is not None})
        unknown = sorted({(it.product_id, it.status) for it in refusals if it.license_id is None})
        dropped = yield from self._cap("license_id", known, keep)
        return dropped | (yield from self._cap("product_id", unknown, keep_unknown))

    def count_refusals(self, again: Sequence[tuple[str, int, int]]) -> Steps[frozenset[str]]:
        rows = yield Statement(
            "UPDATE refusals SET count = count + (row.value ->> 1), last_at_ms = row.value ->> 2"
            " FROM json_each(:rows) AS row WHERE code = row.value ->> 0 RETURNING code",
            {"rows": json.dumps(again)},
        )
        return frozenset(row[0] for row in rows)

    def refusal(self, organization_id: int, code: str) -> Steps[RefusalRecord | None]:
        rows = yield Statement(
            f"SELECT {_REFUSAL} FROM refusals WHERE code = :code AND organization_id = :organization",
            {"code": code, "organization": organization_id},
        )
        return first_of(RefusalRecord, rows)

    def forget_refusals(self, *, before_ms: int, limit: int) -> Steps[int]:
        rows = yield Statement(
            "DELETE FROM refusals WHERE code IN (SELECT code FROM refusals WHERE last_at_ms < :before LIMIT :limit)"
            " RETURNING code",
            {"before": before_ms, "limit": limit},
        )
        return len(rows)

    def _cap(self, owner: str, groups: Sequence[tuple[int | None, str]], keep: int) -> Steps[frozenset[str]]:
        only_unknown = " AND license_id IS NULL" if owner == "product_id" else ""
        if not groups:
            return frozenset()
        rows = yield Statement(
            "DELETE FROM refusals WHERE code IN (SELECT code FROM (SELECT code, ROW_NUMBER() OVER"
            f" (PARTITION BY {owner}, status ORDER BY last_at_ms DESC) AS place FROM refusals"
            f" WHERE ({owner}, status) IN (SELECT row.value ->> 0, row.value ->> 1"
            f" FROM json_each(:groups) AS row){only_unknown}) AS ranked WHERE place > :keep) RETURNING code",
            {"groups": json.dumps(groups), "keep": keep},
        )
        return frozenset(row[0] for row in rows)


def _attempt(row: Row) -> Attempt:
    values = dict(zip(Attempt.model_fields, row, strict=True))
    return Attempt.model_validate(values | {name: values[name] or None for name in ("address", "device", "version")})
