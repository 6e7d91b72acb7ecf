"""A log of the licenses that were written without an event, so that other processes hear of it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Int64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Lay it empty."""
    op.create_table(
        "touched_log",
        sa.Column("id", Int64, primary_key=True, autoincrement=True),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("license_ids", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_touched_log"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
