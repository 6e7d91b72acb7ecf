"""Statements about organizations."""

from collections.abc import Sequence

from licensing.models import PLATFORM, Organization
from licensing.ports import Steps
from licensing.tables import Standing
from storage.statements.base import Row, Statement, columns_of, first_of, record_of

_COLUMNS = columns_of(Organization)
_STATE_AT = len(Organization.model_fields)


class OrganizationStatements:
    """See `licensing.tables.Organizations`."""

    def get(self, organization_id: int) -> Steps[Organization | None]:
        sql = f"SELECT {_COLUMNS} FROM organizations WHERE id = :id"
        return first_of(Organization, (yield Statement(sql, {"id": organization_id})))

    def lock(self, organization_id: int) -> Steps[Organization | None]:
        rows = yield Statement(
            f"UPDATE organizations SET joined_at_ms = joined_at_ms WHERE id = :id RETURNING {_COLUMNS}",
            {"id": organization_id},
        )
        return first_of(Organization, rows)

    def save(self, organization: Organization) -> Steps[None]:
        yield Statement(
            "UPDATE organizations SET plan = :plan, state = :state WHERE id = :id", organization.model_dump()
        )

    def standings(self) -> Steps[Sequence[Standing]]:
        rows = yield Statement(
            f"SELECT {columns_of(Organization, of='o.')}, o.left_at_ms,"
            " (SELECT COUNT(*) FROM products p WHERE p.organization_id = o.id),"
            " (SELECT COUNT(*) FROM licenses l WHERE l.organization_id = o.id)"
            f" FROM organizations o WHERE o.id <> {PLATFORM} ORDER BY o.name, o.id"
        )
        return [_standing(row) for row in rows]

    def all(self) -> Steps[Sequence[Organization]]:
        rows = yield Statement(f"SELECT {_COLUMNS} FROM organizations WHERE id <> {PLATFORM} ORDER BY name, id")
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


def _standing(row: Row) -> Standing:
    left_at_ms, products, licenses = row[_STATE_AT:]
    return Standing(record_of(Organization, row), products, licenses, present=left_at_ms is None)
