"""Statements about licenses on their way to another holder."""

from collections.abc import Sequence

from licensing.models import Transfer, TransferView
from licensing.ports import Steps
from storage.statements.base import Statement, columns_of, first_of, record_of
from storage.statements.customers import CustomerStatements
from storage.statements.licenses import LicenseStatements

_SELECT = f"SELECT {columns_of(Transfer, of='t.')} FROM transfers t WHERE"
PENDING = "t.state IN ('offered', 'accepted')"


class TransferStatements:
    """See `licensing.tables.Transfers`."""

    def __init__(self, licenses: LicenseStatements, customers: CustomerStatements) -> None:
        self._licenses = licenses
        self._customers = customers

    def insert(self, transfer: Transfer) -> Steps[Transfer]:
        rows = yield Statement(
            "INSERT INTO transfers (organization_id, license_id, from_customer_id, to_discord_id, to_name, state,"
            " created_at_ms, expires_at_ms, decided_at_ms) VALUES (:organization_id, :license_id,"
            " :from_customer_id, :to_discord_id, :to_name, :state, :created_at_ms, :expires_at_ms,"
            " :decided_at_ms) RETURNING id",
            transfer.model_dump(),
        )
        return transfer.model_copy(update={"id": rows[0][0]})

    def save(self, transfer: Transfer) -> Steps[None]:
        yield Statement(
            "UPDATE transfers SET state = :state, expires_at_ms = :expires_at_ms, decided_at_ms = :decided_at_ms"
            " WHERE id = :id",
            transfer.model_dump(),
        )

    def view(self, organization_id: int, transfer_id: int) -> Steps[TransferView | None]:
        sql = f"{_SELECT} t.id = :id AND t.organization_id = :organization"
        rows = yield Statement(sql, {"id": transfer_id, "organization": organization_id})
        transfer = first_of(Transfer, rows)
        return (yield from self._whole(transfer)) if transfer else None

    def pending_of(self, license_id: int) -> Steps[Transfer | None]:
        rows = yield Statement(f"{_SELECT} t.license_id = :license AND {PENDING}", {"license": license_id})
        return first_of(Transfer, rows)

    def of_member(self, organization_id: int, discord_id: int, *, now_ms: int) -> Steps[Sequence[TransferView]]:
        rows = yield Statement(
            f"{_SELECT} t.organization_id = :organization AND {PENDING} AND t.expires_at_ms > :now"
            " AND (t.to_discord_id = :discord OR t.from_customer_id IN (SELECT id FROM customers"
            " WHERE organization_id = :organization AND discord_id = :discord)) ORDER BY t.id",
            {"organization": organization_id, "discord": discord_id, "now": now_ms},
        )
        return (yield from self._wholes([record_of(Transfer, row) for row in rows]))

    def accepted(self, organization_id: int, *, now_ms: int) -> Steps[Sequence[TransferView]]:
        rows = yield Statement(
            f"{_SELECT} t.organization_id = :organization AND t.state = 'accepted' AND t.expires_at_ms > :now"
            " ORDER BY t.id LIMIT 100",
            {"organization": organization_id, "now": now_ms},
        )
        return (yield from self._wholes([record_of(Transfer, row) for row in rows]))

    def overdue(self, *, now_ms: int, limit: int) -> Steps[Sequence[Transfer]]:
        rows = yield Statement(
            f"{_SELECT} t.expires_at_ms <= :now AND {PENDING} LIMIT :limit",
            {"now": now_ms, "limit": limit},
        )
        return [record_of(Transfer, row) for row in rows]

    def _wholes(self, transfers: Sequence[Transfer]) -> Steps[Sequence[TransferView]]:
        found = []
        for transfer in transfers:
            view = yield from self._whole(transfer)
            found.extend([view] if view else [])
        return found

    def _whole(self, transfer: Transfer) -> Steps[TransferView | None]:
        license_ = yield from self._licenses.view(transfer.organization_id, transfer.license_id)
        holder = yield from self._customers.get(transfer.organization_id, transfer.from_customer_id)
        return TransferView(transfer=transfer, license=license_, holder=holder) if license_ and holder else None
