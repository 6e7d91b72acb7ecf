"""Statements about organizations."""

from collections.abc import Sequence

from licensing.models import PLATFORM, Organization
from licensing.ports import Steps
from storage.statements.base import Statement, columns_of, first_of, record_of


class OrganizationStatements:
    """See `licensing.tables.Organizations`."""

    def get(self, organization_id: int) -> Steps[Organization | None]:
        sql = f"SELECT {columns_of(Organization)} FROM organizations WHERE id = :id"
        return first_of(Organization, (yield Statement(sql, {"id": organization_id})))

    def all(self) -> Steps[Sequence[Organization]]:
        rows = yield Statement(
            f"SELECT {columns_of(Organization)} FROM organizations WHERE id <> {PLATFORM} ORDER BY name, id"
        )
        return [record_of(Organization, row) for row in rows]

    def save_joined(self, organization: Organization, *, now_ms: int) -> Steps[bool]:
        values = {**organization.model_dump(), "now": now_ms}
        known = yield Statement(
            "UPDATE organizations SET name = :name WHERE id = :id AND left_at_ms IS NULL RETURNING id", values
        )
        if known:
            return False
        yield Statement(
            "INSERT INTO organizations (id, name, plan, state, joined_at_ms)"
            " VALUES (:id, :name, :plan, :state, :now) ON CONFLICT (id) DO UPDATE"
            " SET name = excluded.name, joined_at_ms = excluded.joined_at_ms, left_at_ms = NULL",
            values,
        )
        return True

    def present(self) -> Steps[frozenset[int]]:
        rows = yield Statement("SELECT id FROM organizations WHERE left_at_ms IS NULL")
        return frozenset(row[0] for row in rows)

    def mark_left(self, organization_id: int, *, now_ms: int) -> Steps[bool]:
        rows = yield Statement(
            "UPDATE organizations SET left_at_ms = :now WHERE id = :id AND left_at_ms IS NULL RETURNING id",
            {"id": organization_id, "now": now_ms},
        )
        return bool(rows)
