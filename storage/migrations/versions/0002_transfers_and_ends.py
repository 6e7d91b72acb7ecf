"""Transfers, ends that were noticed, and durations that wait for a claim."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Int64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PENDING = sa.text("state IN ('offered', 'accepted')")


def upgrade() -> None:
    """Add what changes of a license's life need."""
    op.add_column("licenses", sa.Column("expired_at_ms", Int64, nullable=True))
    op.add_column("licenses", sa.Column("duration", sa.Text(), nullable=True))
    op.create_index("ix_licenses_expires_at_ms", "licenses", ["expires_at_ms"])
    op.create_index("ix_license_addresses_last_seen_at_ms", "license_addresses", ["last_seen_at_ms"])
    _transfers()


def _transfers() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", Int64, autoincrement=True, nullable=False),
        sa.Column("organization_id", Int64, nullable=False),
        sa.Column("license_id", Int64, nullable=False),
        sa.Column("from_customer_id", Int64, nullable=False),
        sa.Column("to_discord_id", Int64, nullable=False),
        sa.Column("to_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at_ms", Int64, nullable=False),
        sa.Column("expires_at_ms", Int64, nullable=False),
        sa.Column("decided_at_ms", Int64, nullable=True),
        sa.CheckConstraint(
            "state IN ('offered', 'accepted', 'done', 'declined', 'denied', 'cancelled', 'expired')",
            name=op.f("ck_transfers_state"),
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_transfers_organization_id"),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name="fk_transfers_license_id"),
        sa.ForeignKeyConstraint(["from_customer_id"], ["customers.id"], name="fk_transfers_from_customer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_transfers"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_transfers_organization_id_to_discord_id", "transfers", ["organization_id", "to_discord_id"])
    op.create_index("ix_transfers_expires_at_ms", "transfers", ["expires_at_ms"])
    op.create_index(
        "uq_transfers_pending",
        "transfers",
        ["license_id"],
        unique=True,
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
