"""Statements about what products say of their versions."""

import json
from collections.abc import Sequence

from licensing.models import VersionRule
from licensing.tables import Steps
from storage.statements.base import Statement, columns_of, record_of

VERSION_RULES = f"SELECT {columns_of(VersionRule)} FROM product_versions WHERE product_id = :product"


class VersionStatements:
    """See `licensing.tables.Versions`."""

    def of(self, product_id: int) -> Steps[Sequence[VersionRule]]:
        rows = yield Statement(f"{VERSION_RULES} ORDER BY created_at_ms DESC, spec", {"product": product_id})
        return [record_of(VersionRule, row) for row in rows]

    def save(self, product_id: int, rule: VersionRule) -> Steps[None]:
        yield Statement(
            "INSERT INTO product_versions (product_id, spec, state, created_at_ms)"
            " VALUES (:product, :spec, :state, :created_at_ms) ON CONFLICT (product_id, spec) DO UPDATE"
            " SET state = excluded.state, created_at_ms = excluded.created_at_ms",
            {**rule.model_dump(), "product": product_id},
        )

    def delete(self, product_id: int, spec: str) -> Steps[bool]:
        rows = yield Statement(
            "DELETE FROM product_versions WHERE product_id = :product AND spec = :spec RETURNING spec",
            {"product": product_id, "spec": spec},
        )
        return bool(rows)

    def running(self, product_id: int, *, since_ms: int) -> Steps[Sequence[tuple[str, int]]]:
        rows = yield Statement(
            "SELECT a.version, COUNT(DISTINCT a.license_id) AS licenses FROM licenses l"
            " JOIN attempts a ON a.license_id = l.id"
            " WHERE l.product_id = :product AND a.last_at_ms >= :since AND a.version <> ''"
            " GROUP BY a.version ORDER BY licenses DESC, a.version",
            {"product": product_id, "since": since_ms},
        )
        return [(row[0], row[1]) for row in rows]

    def licenses_on(self, product_id: int, versions: Sequence[str], *, since_ms: int) -> Steps[int]:
        # License by license, since telling many rows apart (COUNT DISTINCT) takes a hundred times as long.
        rows = yield Statement(
            "SELECT COUNT(*) FROM licenses l WHERE l.product_id = :product AND EXISTS"
            " (SELECT 1 FROM attempts a WHERE a.license_id = l.id AND a.last_at_ms >= :since"
            " AND a.version IN (SELECT value FROM json_each(:versions)))",
            {"versions": json.dumps(versions), "product": product_id, "since": since_ms},
        )
        return int(rows[0][0])

    def licenses_by_rule(
        self, product_id: int, ran: Sequence[tuple[str, int]], *, since_ms: int
    ) -> Steps[dict[int, int]]:
        # One scan for all. By CROSS JOIN and CAST an attempt finds its rules in an index; else it goes through all.
        rows = yield Statement(
            "WITH listed AS MATERIALIZED (SELECT CAST(each.value ->> 0 AS TEXT) AS version, each.value ->> 1 AS rule"
            " FROM json_each(:versions) AS each)"
            " SELECT r.rule, COUNT(DISTINCT a.license_id) FROM licenses l CROSS JOIN attempts a CROSS JOIN listed r"
            " WHERE l.product_id = :product AND a.license_id = l.id AND a.last_at_ms >= :since"
            " AND r.version = a.version GROUP BY r.rule",
            {"versions": json.dumps(ran), "product": product_id, "since": since_ms},
        )
        return dict(rows)
