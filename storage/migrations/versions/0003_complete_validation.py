"""What a complete validation looks at and leaves behind: versions, devices, blacklists, signing keys, history."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Int64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what a complete validation looks at and leaves behind."""
    _columns()
    _platform()
    _of_products()
    _blacklist()
    _of_licenses()
    _refusals()
    _usage()


def _columns() -> None:
    op.add_column("products", _text("custom", nullable=True))
    op.add_column("api_keys", _text("name", nullable=True))
    op.add_column("api_keys", sa.Column("scope", sa.Text(), nullable=False, server_default="full"))
    for name in ("version_pinned", "version_min", "version_max", "custom"):
        op.add_column("licenses", _text(name, nullable=True))


def _platform() -> None:
    # What the operator decides for every server needs a row to belong to; the bot is never in it.
    op.execute(
        "INSERT INTO organizations (id, name, plan, state, joined_at_ms, left_at_ms)"
        " VALUES (0, 'platform', '', 'active', 0, 0)"
    )


def _of_products() -> None:
    op.create_table(
        "product_versions",
        _whole("product_id"),
        _text("spec"),
        _text("state"),
        _whole("created_at_ms"),
        sa.CheckConstraint(
            "state IN ('latest', 'allowed', 'deprecated', 'blocked')", name=op.f("ck_product_versions_state")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_product_versions_product_id"),
        sa.PrimaryKeyConstraint("product_id", "spec", name="pk_product_versions"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "signing_keys",
        _text("id"),
        _whole("product_id"),
        _text("kind"),
        _text("public"),
        _text("sealing_id"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _whole("created_at_ms"),
        _whole("signs_from_ms"),
        _whole("signs_until_ms", nullable=True),
        sa.CheckConstraint("kind IN ('hmac', 'ed25519', 'rsa')", name=op.f("ck_signing_keys_kind")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_signing_keys_product_id"),
        sa.PrimaryKeyConstraint("id", name="pk_signing_keys"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_signing_keys_product_id", "signing_keys", ["product_id"])


def _blacklist() -> None:
    op.create_table(
        "blacklist",
        sa.Column("id", Int64, autoincrement=True, nullable=False),
        _whole("organization_id"),
        _text("level"),
        _whole("target_id"),
        _text("network"),
        _text("reason", nullable=True),
        _whole("created_at_ms"),
        sa.CheckConstraint(
            "level IN ('platform', 'organization', 'customer', 'license')", name=op.f("ck_blacklist_level")
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_blacklist_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_blacklist"),
        sa.UniqueConstraint(
            "organization_id",
            "level",
            "target_id",
            "network",
            name="uq_blacklist_organization_id_level_target_id_network",
        ),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )


def _of_licenses() -> None:
    op.create_table(
        "license_devices",
        _whole("license_id"),
        _text("device"),
        _whole("first_seen_at_ms"),
        _whole("last_seen_at_ms"),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name="fk_license_devices_license_id"),
        sa.PrimaryKeyConstraint("license_id", "device", name="pk_license_devices"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "attempts",
        _whole("license_id"),
        *(_text(name) for name in ("status", "address", "device", "version")),
        *(_whole(name) for name in ("count", "first_at_ms", "last_at_ms")),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name="fk_attempts_license_id"),
        sa.PrimaryKeyConstraint("license_id", "status", "address", "device", "version", name="pk_attempts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _refusals() -> None:
    op.create_table(
        "refusals",
        _text("code"),
        _whole("organization_id"),
        _whole("product_id"),
        _whole("license_id", nullable=True),
        _text("status"),
        *(_text(name, nullable=True) for name in ("address", "device", "version")),
        _text("trace"),
        *(_whole(name) for name in ("count", "first_at_ms", "last_at_ms")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_refusals_organization_id"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_refusals_product_id"),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name="fk_refusals_license_id"),
        sa.PrimaryKeyConstraint("code", name="pk_refusals"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_refusals_license_id_status", "refusals", ["license_id", "status"])
    op.create_index("ix_refusals_product_id_status_last_at_ms", "refusals", ["product_id", "status", "last_at_ms"])
    op.create_index("ix_refusals_last_at_ms", "refusals", ["last_at_ms"])


def _usage() -> None:
    op.rename_table("usage_daily", "usage_daily_before")
    op.create_table(
        "usage_daily",
        _whole("product_id"),
        _whole("day"),
        _text("status"),
        _whole("calls"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_usage_daily_product_id"),
        sa.PrimaryKeyConstraint("product_id", "day", "status", name="pk_usage_daily"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    # How those calls ended was not written down.
    op.execute(
        "INSERT INTO usage_daily (product_id, day, status, calls)"
        " SELECT product_id, day, 'unknown', calls FROM usage_daily_before"
    )
    op.drop_table("usage_daily_before")


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, Int64, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)
