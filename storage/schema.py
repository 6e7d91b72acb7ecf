"""The tables, laid for SQLite and PostgreSQL: the migrations' target, never imported to serve a request.

Statements are written by hand in `statements`; a test holds a migrated database to these tables.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

UNNOTICED = "expires_at_ms IS NOT NULL AND expired_at_ms IS NULL"
PENDING = "state IN ('offered', 'accepted')"

# STRICT tables know neither BIGINT nor BLOB's synonyms; every SQLite integer is a 64-bit one anyway.
Int64 = BigInteger().with_variant(Integer(), "sqlite")


def _whole(name: str, *args: Any, nullable: bool = False) -> Column[int]:
    return Column(name, Int64, *args, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _blob(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _id() -> Column[int]:
    return Column("id", Int64, primary_key=True, autoincrement=True)


def _one_of(column: str, *values: str) -> CheckConstraint:
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def _table(name: str, *items: Any) -> Table:
    return Table(name, metadata, *items, sqlite_strict=True)


def _numbered(name: str, *items: Any) -> Table:
    """A table whose ids are never given out twice: buttons and logs go on naming them."""
    return Table(name, metadata, _id(), *items, sqlite_strict=True, sqlite_autoincrement=True)


def _keyed(name: str, *items: Any) -> Table:
    """A table that is looked up by its key alone, so its rows lie in the key's own tree."""
    return Table(name, metadata, *items, sqlite_strict=True, sqlite_with_rowid=False)


organizations = _table(
    "organizations",
    Column("id", Int64, primary_key=True, autoincrement=False),
    _text("name"),
    _text("plan"),
    _text("state"),
    _whole("joined_at_ms"),
    _whole("left_at_ms", nullable=True),
    _one_of("state", "active", "suspended", "billing_suspended"),
)

products = _numbered(
    "products",
    _whole("organization_id", ForeignKey("organizations.id")),
    _text("name"),
    _text("name_folded"),
    _text("state"),
    _text("settings"),
    _whole("created_at_ms"),
    _whole("updated_at_ms"),
    # What SQL looks at of the settings stands in columns of its own too.
    _whole("enforce_expiry", nullable=True),
    _whole("track_ip", nullable=True),
    _whole("role_id", nullable=True),
    _whole("address_idle_days", nullable=True),
    UniqueConstraint("organization_id", "name_folded"),
    _one_of("state", "active", "archived", "disabled"),
)

api_keys = _keyed(
    "api_keys",
    _blob("digest"),
    _whole("product_id", ForeignKey("products.id")),
    _text("prefix"),
    _whole("created_at_ms"),
    _whole("valid_until_ms", nullable=True),
    PrimaryKeyConstraint("digest"),
)

customers = _numbered(
    "customers",
    _whole("organization_id", ForeignKey("organizations.id")),
    _whole("discord_id", nullable=True),
    _text("email", nullable=True),
    _text("name", nullable=True),
    _text("name_folded", nullable=True),
    _whole("created_at_ms"),
    _whole("updated_at_ms"),
    UniqueConstraint("organization_id", "discord_id"),
    UniqueConstraint("organization_id", "email"),
    CheckConstraint("discord_id IS NOT NULL OR email IS NOT NULL", name="identified"),
)

licenses = _numbered(
    "licenses",
    _whole("organization_id", ForeignKey("organizations.id")),
    _whole("product_id", ForeignKey("products.id")),
    _whole("customer_id", ForeignKey("customers.id"), nullable=True),
    _text("state"),
    _whole("expires_at_ms", nullable=True),
    _whole("max_ips", nullable=True),
    _text("notes", nullable=True),
    _whole("claimed_at_ms", nullable=True),
    _whole("revoked_at_ms", nullable=True),
    _whole("created_at_ms"),
    _whole("updated_at_ms"),
    _whole("expired_at_ms", nullable=True),
    _text("duration", nullable=True),
    _text("notes_folded", nullable=True),
    _one_of("state", "active", "suspended", "revoked"),
)

license_keys = _keyed(
    "license_keys",
    _whole("organization_id", ForeignKey("organizations.id")),
    _blob("digest"),
    _whole("license_id", ForeignKey("licenses.id")),
    _text("prefix"),
    _text("key_id"),
    _blob("ciphertext"),
    PrimaryKeyConstraint("organization_id", "digest"),
)

license_addresses = _keyed(
    "license_addresses",
    _whole("license_id", ForeignKey("licenses.id")),
    _text("address"),
    _whole("first_seen_at_ms"),
    _whole("last_seen_at_ms"),
    PrimaryKeyConstraint("license_id", "address"),
)

transfers = _numbered(
    "transfers",
    _whole("organization_id", ForeignKey("organizations.id")),
    _whole("license_id", ForeignKey("licenses.id")),
    _whole("from_customer_id", ForeignKey("customers.id")),
    _whole("to_discord_id"),
    _text("to_name"),
    _text("state"),
    _whole("created_at_ms"),
    _whole("expires_at_ms"),
    _whole("decided_at_ms", nullable=True),
    _one_of("state", "offered", "accepted", "done", "declined", "denied", "cancelled", "expired"),
)

usage_daily = _keyed(
    "usage_daily",
    _whole("product_id", ForeignKey("products.id")),
    _whole("day"),
    _whole("calls"),
    PrimaryKeyConstraint("product_id", "day"),
)

staff_grants = _keyed(
    "staff_grants",
    _whole("organization_id", ForeignKey("organizations.id")),
    _whole("role_id"),
    _text("permission"),
    PrimaryKeyConstraint("organization_id", "role_id", "permission"),
)

held_roles = _keyed(
    "held_roles",
    _whole("organization_id", ForeignKey("organizations.id")),
    _whole("discord_id"),
    _whole("role_id"),
    _whole("given_at_ms"),
    PrimaryKeyConstraint("organization_id", "discord_id", "role_id"),
)

events = _numbered(
    "events",
    _whole("organization_id", ForeignKey("organizations.id")),
    _whole("at_ms"),
    _text("action"),
    _text("actor_kind"),
    _whole("actor_id", nullable=True),
    _whole("product_id", nullable=True),
    _whole("license_id", nullable=True),
    _whole("customer_id", nullable=True),
    _text("before", nullable=True),
    _text("after", nullable=True),
    _text("reason", nullable=True),
)

followers = _keyed("followers", _text("name"), _whole("event_id"), PrimaryKeyConstraint("name"))

facts = _keyed("facts", _text("name"), _text("value"), PrimaryKeyConstraint("name"))

Index(None, api_keys.c.product_id)
Index(None, customers.c.organization_id, customers.c.name_folded)
Index(None, licenses.c.organization_id, licenses.c.id)
Index(None, licenses.c.product_id, licenses.c.state)
Index(None, licenses.c.customer_id)
Index(None, license_keys.c.license_id)
Index(None, license_keys.c.organization_id, license_keys.c.prefix)
Index(None, events.c.organization_id, events.c.id)
Index(None, events.c.license_id)
Index(
    "ix_licenses_ending",
    licenses.c.expires_at_ms,
    sqlite_where=text(UNNOTICED),
    postgresql_where=text(UNNOTICED),
)
Index(None, transfers.c.organization_id, transfers.c.to_discord_id)
Index(None, transfers.c.expires_at_ms)
Index(
    "uq_transfers_pending",
    transfers.c.license_id,
    unique=True,
    sqlite_where=text(PENDING),
    postgresql_where=text(PENDING),
)
