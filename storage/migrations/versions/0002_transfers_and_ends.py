"""Transfers, ends that were noticed, and durations that wait for a claim."""

import json
import time

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Int64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNNOTICED = sa.text("expires_at_ms IS NOT NULL AND expired_at_ms IS NULL")
PENDING = sa.text("state IN ('offered', 'accepted')")


def upgrade() -> None:
    """Add what changes of a license's life need."""
    _products()
    _licenses()
    _transfers()


def _products() -> None:
    for name in ("enforce_expiry", "track_ip", "role_id", "address_idle_days"):
        op.add_column("products", sa.Column(name, Int64, nullable=True))
    connection = op.get_bind()
    for product_id, text in connection.execute(sa.text("SELECT id, settings FROM products")).all():
        settings = json.loads(text)
        values = {
            "id": product_id,
            "expiry": int(settings["enforce_expiry"]),
            "ip": int(settings["track_ip_on_validate"]),
            "role": settings["role_id"],
        }
        connection.execute(
            sa.text("UPDATE products SET enforce_expiry = :expiry, track_ip = :ip, role_id = :role WHERE id = :id"),
            values,
        )


def _licenses() -> None:
    op.add_column("licenses", sa.Column("expired_at_ms", Int64, nullable=True))
    op.add_column("licenses", sa.Column("duration", sa.Text(), nullable=True))
    op.add_column("licenses", sa.Column("notes_folded", sa.Text(), nullable=True))
    op.create_index(
        "ix_licenses_ending",
        "licenses",
        ["expires_at_ms"],
        sqlite_where=UNNOTICED,
        postgresql_where=UNNOTICED,
    )
    connection = op.get_bind()
    # Whoever's license ended long ago must not be told of it now.
    connection.execute(
        sa.text("UPDATE licenses SET expired_at_ms = expires_at_ms WHERE expires_at_ms <= :now"),
        {"now": time.time_ns() // 1_000_000},
    )
    noted = connection.execute(sa.text("SELECT id, notes FROM licenses WHERE notes IS NOT NULL")).all()
    for license_id, notes in noted:
        connection.execute(
            sa.text("UPDATE licenses SET notes_folded = :notes WHERE id = :id"),
            {"id": license_id, "notes": notes.casefold()},
        )


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
