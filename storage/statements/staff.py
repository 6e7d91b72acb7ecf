"""Statements about staff roles, and the roles that the bot gave to members."""

from collections.abc import Sequence

from licensing.choices import Permission
from licensing.models import HeldRole, StaffGrant
from licensing.ports import Steps
from storage.statements.base import Statement, record_of


class StaffStatements:
    """See `licensing.tables.Staff`."""

    def permissions(self, organization_id: int, role_ids: frozenset[int]) -> Steps[frozenset[Permission]]:
        if not role_ids:
            return frozenset()  # PostgreSQL does not know an empty IN ()
        roles = {f"role{number}": role_id for number, role_id in enumerate(sorted(role_ids))}
        rows = yield Statement(
            "SELECT DISTINCT permission FROM staff_grants WHERE organization_id = :organization"
            f" AND role_id IN ({', '.join(f':{name}' for name in roles)})",
            {"organization": organization_id, **roles},
        )
        return frozenset(Permission(row[0]) for row in rows)

    def grants(self, organization_id: int) -> Steps[Sequence[StaffGrant]]:
        rows = yield Statement(
            "SELECT role_id, permission FROM staff_grants WHERE organization_id = :organization"
            " ORDER BY role_id, permission",
            {"organization": organization_id},
        )
        return [record_of(StaffGrant, row) for row in rows]

    def grant(self, organization_id: int, grant: StaffGrant) -> Steps[bool]:
        rows = yield Statement(
            "INSERT INTO staff_grants (organization_id, role_id, permission)"
            " VALUES (:organization, :role_id, :permission) ON CONFLICT DO NOTHING RETURNING role_id",
            {**grant.model_dump(), "organization": organization_id},
        )
        return bool(rows)

    def revoke(self, organization_id: int, grant: StaffGrant) -> Steps[bool]:
        rows = yield Statement(
            "DELETE FROM staff_grants WHERE organization_id = :organization AND role_id = :role_id"
            " AND permission = :permission RETURNING role_id",
            {**grant.model_dump(), "organization": organization_id},
        )
        return bool(rows)

    def entitled_role(self, organization_id: int, discord_id: int, role_id: int, *, now_ms: int) -> Steps[bool]:
        rows = yield Statement(
            "SELECT 1 FROM customers c JOIN licenses l ON l.customer_id = c.id"
            " JOIN products p ON p.id = l.product_id"
            " WHERE c.organization_id = :organization AND c.discord_id = :discord AND l.state = 'active'"
            " AND (l.expires_at_ms IS NULL OR l.expires_at_ms > :now"
            "  OR p.enforce_expiry = 0) AND p.role_id = :role LIMIT 1",
            {"organization": organization_id, "discord": discord_id, "role": role_id, "now": now_ms},
        )
        return bool(rows)

    def held_role(self, held: HeldRole) -> Steps[bool]:
        rows = yield Statement(
            "SELECT 1 FROM held_roles WHERE organization_id = :organization_id AND discord_id = :discord_id"
            " AND role_id = :role_id",
            held.model_dump(),
        )
        return bool(rows)

    def add_held_role(self, held: HeldRole, *, now_ms: int) -> Steps[None]:
        yield Statement(
            "INSERT INTO held_roles (organization_id, discord_id, role_id, given_at_ms)"
            " VALUES (:organization_id, :discord_id, :role_id, :now) ON CONFLICT DO NOTHING",
            {**held.model_dump(), "now": now_ms},
        )

    def remove_held_role(self, held: HeldRole) -> Steps[None]:
        yield Statement(
            "DELETE FROM held_roles WHERE organization_id = :organization_id AND discord_id = :discord_id"
            " AND role_id = :role_id",
            held.model_dump(),
        )
