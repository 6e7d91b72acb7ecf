"""The first schema.

A migration is frozen: it spells the tables out instead of importing what they are today.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Int64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Lay every table."""
    _organizations()
    _products()
    _api_keys()
    _customers()
    _licenses()
    _license_keys()
    _license_addresses()
    _usage_daily()
    _staff_grants()
    _held_roles()
    _events()
    _followers()
    _facts()


def _organizations() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", Int64, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("joined_at_ms", Int64, nullable=False),
        sa.Column("left_at_ms", Int64, nullable=True),
        sa.CheckConstraint(
            "state IN ('active', 'suspended', 'billing_suspended')", name=op.f("ck_organizations_state")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
        sqlite_strict=True,
    )


def _products() -> None:
    op.create_table(
        "products",
        sa.Column("id", Int64, autoincrement=True, nullable=False),
        sa.Column("organization_id", Int64, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_folded", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("created_at_ms", Int64, nullable=False),
        sa.Column("updated_at_ms", Int64, nullable=False),
        sa.CheckConstraint("state IN ('active', 'archived', 'disabled')", name=op.f("ck_products_state")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_products_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_products"),
        sa.UniqueConstraint("organization_id", "name_folded", name="uq_products_organization_id_name_folded"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("product_id", Int64, nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("created_at_ms", Int64, nullable=False),
        sa.Column("valid_until_ms", Int64, nullable=True),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_api_keys_product_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_api_keys"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_api_keys_product_id", "api_keys", ["product_id"], unique=False)


def _customers() -> None:
    op.create_table(
        "customers",
        sa.Column("id", Int64, autoincrement=True, nullable=False),
        sa.Column("organization_id", Int64, nullable=False),
        sa.Column("discord_id", Int64, nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("name_folded", sa.Text(), nullable=True),
        sa.Column("created_at_ms", Int64, nullable=False),
        sa.Column("updated_at_ms", Int64, nullable=False),
        sa.CheckConstraint("discord_id IS NOT NULL OR email IS NOT NULL", name=op.f("ck_customers_identified")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_customers_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
        sa.UniqueConstraint("organization_id", "discord_id", name="uq_customers_organization_id_discord_id"),
        sa.UniqueConstraint("organization_id", "email", name="uq_customers_organization_id_email"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(
        "ix_customers_organization_id_name_folded",
        "customers",
        ["organization_id", "name_folded"],
        unique=False,
    )


def _licenses() -> None:
    op.create_table(
        "licenses",
        sa.Column("id", Int64, autoincrement=True, nullable=False),
        sa.Column("organization_id", Int64, nullable=False),
        sa.Column("product_id", Int64, nullable=False),
        sa.Column("customer_id", Int64, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expires_at_ms", Int64, nullable=True),
        sa.Column("max_ips", Int64, nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("claimed_at_ms", Int64, nullable=True),
        sa.Column("revoked_at_ms", Int64, nullable=True),
        sa.Column("created_at_ms", Int64, nullable=False),
        sa.Column("updated_at_ms", Int64, nullable=False),
        sa.CheckConstraint("state IN ('active', 'suspended', 'revoked')", name=op.f("ck_licenses_state")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_licenses_customer_id"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_licenses_organization_id"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_licenses_product_id"),
        sa.PrimaryKeyConstraint("id", name="pk_licenses"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_licenses_customer_id", "licenses", ["customer_id"], unique=False)
    op.create_index("ix_licenses_organization_id_id", "licenses", ["organization_id", "id"], unique=False)
    op.create_index("ix_licenses_product_id_state", "licenses", ["product_id", "state"], unique=False)


def _license_keys() -> None:
    op.create_table(
        "license_keys",
        sa.Column("organization_id", Int64, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("license_id", Int64, nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name="fk_license_keys_license_id"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_license_keys_organization_id"),
        sa.PrimaryKeyConstraint("organization_id", "digest", name="pk_license_keys"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_license_keys_license_id", "license_keys", ["license_id"], unique=False)
    op.create_index(
        "ix_license_keys_organization_id_prefix", "license_keys", ["organization_id", "prefix"], unique=False
    )


def _license_addresses() -> None:
    op.create_table(
        "license_addresses",
        sa.Column("license_id", Int64, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("first_seen_at_ms", Int64, nullable=False),
        sa.Column("last_seen_at_ms", Int64, nullable=False),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name="fk_license_addresses_license_id"),
        sa.PrimaryKeyConstraint("license_id", "address", name="pk_license_addresses"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _usage_daily() -> None:
    op.create_table(
        "usage_daily",
        sa.Column("product_id", Int64, nullable=False),
        sa.Column("day", Int64, nullable=False),
        sa.Column("calls", Int64, nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_usage_daily_product_id"),
        sa.PrimaryKeyConstraint("product_id", "day", name="pk_usage_daily"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _staff_grants() -> None:
    op.create_table(
        "staff_grants",
        sa.Column("organization_id", Int64, nullable=False),
        sa.Column("role_id", Int64, nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_staff_grants_organization_id"),
        sa.PrimaryKeyConstraint("organization_id", "role_id", "permission", name="pk_staff_grants"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _held_roles() -> None:
    op.create_table(
        "held_roles",
        sa.Column("organization_id", Int64, nullable=False),
        sa.Column("discord_id", Int64, nullable=False),
        sa.Column("role_id", Int64, nullable=False),
        sa.Column("given_at_ms", Int64, nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_held_roles_organization_id"),
        sa.PrimaryKeyConstraint("organization_id", "discord_id", "role_id", name="pk_held_roles"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", Int64, autoincrement=True, nullable=False),
        sa.Column("organization_id", Int64, nullable=False),
        sa.Column("at_ms", Int64, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", Int64, nullable=True),
        sa.Column("product_id", Int64, nullable=True),
        sa.Column("license_id", Int64, nullable=True),
        sa.Column("customer_id", Int64, nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_events_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_events_license_id", "events", ["license_id"], unique=False)
    op.create_index("ix_events_organization_id_id", "events", ["organization_id", "id"], unique=False)


def _followers() -> None:
    op.create_table(
        "followers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("event_id", Int64, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_followers"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _facts() -> None:
    op.create_table(
        "facts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
