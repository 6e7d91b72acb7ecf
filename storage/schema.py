"""The tables, laid for SQLite and PostgreSQL: the migrations' target, never imported to serve a request.

Statements are written by hand in `statements`; a test holds a migrated database to these tables.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, PrimaryKeyConstraint, Text, UniqueConstraint, text

from storage.columns import Int64, blob, keyed, metadata, numbered, one_of, partial, table, text_, whole

__all__ = ["metadata"]


organizations = table(
    "organizations",
    Column("id", Int64, primary_key=True, autoincrement=False),
    text_("name"),
    text_("plan"),
    text_("state"),
    whole("joined_at_ms"),
    whole("left_at_ms", nullable=True),
    one_of("state", "active", "suspended", "billing_suspended"),
)

products = numbered(
    "products",
    whole("organization_id", ForeignKey("organizations.id")),
    text_("name"),
    text_("name_folded"),
    text_("state"),
    text_("settings"),
    whole("created_at_ms"),
    whole("updated_at_ms"),
    # What SQL looks at of the settings stands in columns of its own too.
    whole("enforce_expiry", nullable=True),
    whole("track_ip", nullable=True),
    whole("role_id", nullable=True),
    whole("address_idle_days", nullable=True),
    text_("custom", nullable=True),
    UniqueConstraint("organization_id", "name_folded"),
    one_of("state", "active", "archived", "disabled"),
)

api_keys = keyed(
    "api_keys",
    blob("digest"),
    whole("product_id", ForeignKey("products.id")),
    text_("prefix"),
    whole("created_at_ms"),
    whole("valid_until_ms", nullable=True),
    text_("name", nullable=True),
    Column("scope", Text, nullable=False, server_default="full"),
    PrimaryKeyConstraint("digest"),
)

product_versions = keyed(
    "product_versions",
    whole("product_id", ForeignKey("products.id")),
    text_("spec"),
    text_("state"),
    whole("created_at_ms"),
    PrimaryKeyConstraint("product_id", "spec"),
    one_of("state", "latest", "allowed", "deprecated", "blocked"),
)

signing_keys = keyed(
    "signing_keys",
    text_("id"),
    whole("product_id", ForeignKey("products.id")),
    text_("kind"),
    text_("public"),
    text_("sealing_id"),
    blob("sealed"),
    whole("created_at_ms"),
    whole("signs_from_ms"),
    whole("signs_until_ms", nullable=True),
    PrimaryKeyConstraint("id"),
    one_of("kind", "hmac", "ed25519", "rsa"),
)

# Its rows are unique with their target: 0 stands for none, since NULLs would all differ.
blacklist = numbered(
    "blacklist",
    whole("organization_id", ForeignKey("organizations.id")),
    text_("level"),
    whole("target_id"),
    text_("network"),
    text_("reason", nullable=True),
    whole("created_at_ms"),
    UniqueConstraint("organization_id", "level", "target_id", "network"),
    one_of("level", "platform", "organization", "customer", "license"),
)

customers = numbered(
    "customers",
    whole("organization_id", ForeignKey("organizations.id")),
    whole("discord_id", nullable=True),
    text_("email", nullable=True),
    text_("name", nullable=True),
    whole("created_at_ms"),
    whole("updated_at_ms"),
    text_("words", nullable=True),
    UniqueConstraint("organization_id", "discord_id"),
    UniqueConstraint("organization_id", "email"),
    CheckConstraint("discord_id IS NOT NULL OR email IS NOT NULL", name="identified"),
)

licenses = numbered(
    "licenses",
    whole("organization_id", ForeignKey("organizations.id")),
    whole("product_id", ForeignKey("products.id")),
    whole("customer_id", ForeignKey("customers.id"), nullable=True),
    text_("state"),
    whole("expires_at_ms", nullable=True),
    whole("max_ips", nullable=True),
    text_("notes", nullable=True),
    whole("claimed_at_ms", nullable=True),
    whole("revoked_at_ms", nullable=True),
    whole("created_at_ms"),
    whole("updated_at_ms"),
    whole("expired_at_ms", nullable=True),
    text_("duration", nullable=True),
    text_("version_pinned", nullable=True),
    text_("version_min", nullable=True),
    text_("version_max", nullable=True),
    text_("custom", nullable=True),
    text_("words", nullable=True),
    one_of("state", "active", "suspended", "revoked"),
)

# What licenses are found by: the words of their notes and of their holders. Triggers alone write it (`triggers`).
license_words = keyed(
    "license_words",
    whole("organization_id"),
    text_("word"),
    whole("license_id"),
    PrimaryKeyConstraint("organization_id", "word", "license_id"),
)

license_keys = keyed(
    "license_keys",
    whole("organization_id", ForeignKey("organizations.id")),
    blob("digest"),
    whole("license_id", ForeignKey("licenses.id")),
    text_("prefix"),
    text_("key_id"),
    blob("ciphertext"),
    PrimaryKeyConstraint("organization_id", "digest"),
)

license_addresses = keyed(
    "license_addresses",
    whole("license_id", ForeignKey("licenses.id")),
    text_("address"),
    whole("first_seen_at_ms"),
    whole("last_seen_at_ms"),
    PrimaryKeyConstraint("license_id", "address"),
)

license_devices = keyed(
    "license_devices",
    whole("license_id", ForeignKey("licenses.id")),
    text_("device"),
    whole("first_seen_at_ms"),
    whole("last_seen_at_ms"),
    PrimaryKeyConstraint("license_id", "device"),
)

# When seats were last seen, many in a row, as JSON: {"license name": time}. It waits here for the tables above.
# Ids are not given out twice: whoever clears the log of what was read clears nothing that came since.
seen_log = numbered("seen_log", text_("kind"), text_("seen"), one_of("kind", "address", "device"))

# Which licenses a group of transactions wrote without an event, as a JSON list, and whose group it was.
touched_log = numbered("touched_log", text_("writer"), text_("license_ids"))

# What was not named is an empty text here: it is part of the key.
attempts = keyed(
    "attempts",
    whole("license_id", ForeignKey("licenses.id")),
    text_("status"),
    text_("address"),
    text_("device"),
    text_("version"),
    whole("count"),
    whole("first_at_ms"),
    whole("last_at_ms"),
    PrimaryKeyConstraint("license_id", "status", "address", "device", "version"),
)

refusals = keyed(
    "refusals",
    text_("code"),
    whole("organization_id", ForeignKey("organizations.id")),
    whole("product_id", ForeignKey("products.id")),
    whole("license_id", ForeignKey("licenses.id"), nullable=True),
    text_("status"),
    text_("address", nullable=True),
    text_("device", nullable=True),
    text_("version", nullable=True),
    text_("trace"),
    whole("count"),
    whole("first_at_ms"),
    whole("last_at_ms"),
    PrimaryKeyConstraint("code"),
)

transfers = numbered(
    "transfers",
    whole("organization_id", ForeignKey("organizations.id")),
    whole("license_id", ForeignKey("licenses.id")),
    whole("from_customer_id", ForeignKey("customers.id")),
    whole("to_discord_id"),
    text_("to_name"),
    text_("state"),
    whole("created_at_ms"),
    whole("expires_at_ms"),
    whole("decided_at_ms", nullable=True),
    one_of("state", "offered", "accepted", "done", "declined", "denied", "cancelled", "expired"),
)

usage_daily = keyed(
    "usage_daily",
    whole("product_id", ForeignKey("products.id")),
    whole("day"),
    text_("status"),
    whole("calls"),
    PrimaryKeyConstraint("product_id", "day", "status"),
)

staff_grants = keyed(
    "staff_grants",
    whole("organization_id", ForeignKey("organizations.id")),
    whole("role_id"),
    text_("permission"),
    PrimaryKeyConstraint("organization_id", "role_id", "permission"),
)

held_roles = keyed(
    "held_roles",
    whole("organization_id", ForeignKey("organizations.id")),
    whole("discord_id"),
    whole("role_id"),
    whole("given_at_ms"),
    PrimaryKeyConstraint("organization_id", "discord_id", "role_id"),
)

events = numbered(
    "events",
    whole("organization_id", ForeignKey("organizations.id")),
    whole("at_ms"),
    text_("action"),
    text_("actor_kind"),
    whole("actor_id", nullable=True),
    whole("product_id", nullable=True),
    whole("license_id", nullable=True),
    whole("customer_id", nullable=True),
    text_("before", nullable=True),
    text_("after", nullable=True),
    text_("reason", nullable=True),
)

followers = keyed("followers", text_("name"), whole("event_id"), PrimaryKeyConstraint("name"))

facts = keyed("facts", text_("name"), text_("value"), PrimaryKeyConstraint("name"))

Index(None, api_keys.c.product_id)
Index(None, licenses.c.organization_id, licenses.c.id)
Index(None, licenses.c.product_id, licenses.c.state)
Index(None, licenses.c.customer_id)
Index(None, license_keys.c.license_id)
# By the first letter alone and then by id: many new keys lie side by side, where by prefix each would rewrite a page.
Index(
    "ix_license_keys_starting",
    license_keys.c.organization_id,
    text("substr(prefix, 1, 1)"),
    license_keys.c.license_id,
    license_keys.c.prefix,
)
Index(None, events.c.organization_id, events.c.id)
Index(None, events.c.license_id)
Index(None, signing_keys.c.product_id)
Index(None, refusals.c.license_id, refusals.c.status)
Index(None, refusals.c.product_id, refusals.c.status, refusals.c.last_at_ms)
Index(None, refusals.c.last_at_ms)
Index(None, transfers.c.organization_id, transfers.c.to_discord_id)
Index(None, transfers.c.expires_at_ms)
partial("uq_transfers_pending", "state IN ('offered', 'accepted')", transfers.c.license_id, unique=True)
partial("ix_licenses_ending", "expires_at_ms IS NOT NULL AND expired_at_ms IS NULL", licenses.c.expires_at_ms)
# What is rare among many is found newest first without a look at the rest.
partial("ix_licenses_stopped", "state <> 'active'", licenses.c.organization_id, licenses.c.state, licenses.c.id)
partial("ix_licenses_unclaimed", "customer_id IS NULL", *licenses.c["organization_id", "id", "product_id"])
partial(
    "ix_licenses_due",
    "expires_at_ms IS NOT NULL AND expired_at_ms IS NULL",
    licenses.c.organization_id,
    licenses.c.expires_at_ms,
)
partial("ix_licenses_noticed", "expired_at_ms IS NOT NULL", licenses.c.organization_id, licenses.c.id)
