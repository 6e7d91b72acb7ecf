"""Statements about addresses and ranges that may not validate."""

from collections.abc import Sequence

from licensing.choices import BlockLevel
from licensing.models import Block
from licensing.tables import Steps
from storage.statements.base import Statement, columns_of, first_of, like, record_of

_COLUMNS = columns_of(Block)
_SEATS_OF = {BlockLevel.CUSTOMER: " AND l.customer_id = :target", BlockLevel.LICENSE: " AND l.id = :target"}


class BlacklistStatements:
    """See `licensing.tables.Blacklists`."""

    def of(self, organization_id: int, level: BlockLevel | None = None, target_id: int = 0) -> Steps[Sequence[Block]]:
        wanted = "" if level is None else " AND level = :level AND target_id = :target"
        rows = yield Statement(
            f"SELECT {_COLUMNS} FROM blacklist WHERE organization_id = :organization{wanted} ORDER BY id DESC",
            {"organization": organization_id, "level": level, "target": target_id},
        )
        return [record_of(Block, row) for row in rows]

    def count(self, organization_id: int) -> Steps[int]:
        sql = "SELECT COUNT(*) FROM blacklist WHERE organization_id = :organization"
        rows = yield Statement(sql, {"organization": organization_id})
        return int(rows[0][0])

    def insert(self, block: Block) -> Steps[Block | None]:
        rows = yield Statement(
            "INSERT INTO blacklist (organization_id, level, target_id, network, reason, created_at_ms)"
            " VALUES (:organization_id, :level, :target_id, :network, :reason, :created_at_ms)"
            f" ON CONFLICT DO NOTHING RETURNING {_COLUMNS}",
            block.model_dump(),
        )
        return first_of(Block, rows)

    def delete(self, organization_id: int, level: BlockLevel, target_id: int, network: str) -> Steps[Block | None]:
        rows = yield Statement(
            "DELETE FROM blacklist WHERE organization_id = :organization AND level = :level"
            f" AND target_id = :target AND network = :network RETURNING {_COLUMNS}",
            {"organization": organization_id, "level": level, "target": target_id, "network": network},
        )
        return first_of(Block, rows)

    def seats(
        self, organization_id: int, level: BlockLevel, target_id: int, *, starting: str, limit: int
    ) -> Steps[Sequence[tuple[int, str]]]:
        rows = yield Statement(
            "SELECT l.id, s.address FROM licenses l JOIN license_addresses s ON s.license_id = l.id"
            " WHERE l.organization_id = :organization AND l.state <> 'revoked'"
            f" AND s.address LIKE :starting ESCAPE '\\'{_SEATS_OF.get(level, '')} LIMIT :limit",
            {
                "organization": organization_id,
                "target": target_id,
                "starting": like(starting, starting=True),
                "limit": limit,
            },
        )
        return [(row[0], row[1]) for row in rows]
