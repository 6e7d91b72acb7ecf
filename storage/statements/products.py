"""Statements about products and their API keys."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from licensing.choices import OrganizationState
from licensing.models import ApiKey, Product, ProductSettings
from licensing.ports import Steps
from licensing.verdict import ProductSnapshot
from storage.statements.base import Row, Statement, columns_of, like, record_of

PRODUCT_COLUMNS = columns_of(Product)
_KEYS = (
    f"SELECT {columns_of(ApiKey)} FROM api_keys WHERE product_id = :product"
    " AND (valid_until_ms IS NULL OR valid_until_ms > :now)"
)
SETTINGS_AT = list(Product.model_fields).index("settings")


def product_of(row: Row, *, start: int = 0) -> Product:
    """Return the product whose columns stand in a row from a place on."""
    values = list(row[start : start + len(Product.model_fields)])
    values[SETTINGS_AT] = ProductSettings.model_validate_json(values[SETTINGS_AT])
    return record_of(Product, values)


class ProductStatements:
    """See `licensing.tables.Products`."""

    def lock(self, organization_id: int, product_id: int) -> Steps[Product | None]:
        rows = yield Statement(
            "UPDATE products SET updated_at_ms = updated_at_ms WHERE id = :id AND organization_id = :organization"
            f" RETURNING {PRODUCT_COLUMNS}",
            {"id": product_id, "organization": organization_id},
        )
        return product_of(rows[0]) if rows else None

    def get(self, organization_id: int, product_id: int) -> Steps[Product | None]:
        rows = yield Statement(
            f"SELECT {PRODUCT_COLUMNS} FROM products WHERE id = :id AND organization_id = :organization",
            {"id": product_id, "organization": organization_id},
        )
        return product_of(rows[0]) if rows else None

    def by_name(self, organization_id: int, name: str) -> Steps[Product | None]:
        rows = yield Statement(
            f"SELECT {PRODUCT_COLUMNS} FROM products WHERE organization_id = :organization AND name_folded = :name",
            {"organization": organization_id, "name": name.casefold()},
        )
        return product_of(rows[0]) if rows else None

    def list(self, organization_id: int, *, starting: str, limit: int) -> Steps[Sequence[Product]]:
        rows = yield Statement(
            f"SELECT {PRODUCT_COLUMNS} FROM products WHERE organization_id = :organization"
            " AND name_folded LIKE :name ESCAPE '\\' ORDER BY name_folded LIMIT :limit",
            {"organization": organization_id, "name": like(starting.casefold()), "limit": limit},
        )
        return [product_of(row) for row in rows]

    def giving(self, organization_id: int, role_id: int) -> Steps[Product | None]:
        rows = yield Statement(
            f"SELECT {PRODUCT_COLUMNS} FROM products"
            " WHERE organization_id = :organization AND role_id = :role LIMIT 1",
            {"organization": organization_id, "role": role_id},
        )
        return product_of(rows[0]) if rows else None

    def snapshot(self, product_id: int, *, cached: ProductSnapshot | None = None) -> Steps[ProductSnapshot | None]:
        rows = yield Statement(
            f"SELECT {columns_of(Product, of='p.')}, o.state, o.plan FROM products p"
            " JOIN organizations o ON o.id = p.organization_id WHERE p.id = :id",
            {"id": product_id},
        )
        if not rows:
            return None
        state, plan = rows[0][-2:]
        product = product_of(rows[0])
        fresh = {"product": product, "organization_state": OrganizationState(state), "plan": plan}
        return replace(cached, **fresh) if cached else ProductSnapshot(**fresh)

    def count(self, organization_id: int) -> Steps[int]:
        sql = "SELECT COUNT(*) FROM products WHERE organization_id = :organization"
        rows = yield Statement(sql, {"organization": organization_id})
        return int(rows[0][0])

    def insert(self, product: Product) -> Steps[Product]:
        rows = yield Statement(
            "INSERT INTO products (organization_id, name, name_folded, state, settings, created_at_ms,"
            " updated_at_ms, enforce_expiry, track_ip, role_id, address_idle_days, custom) VALUES (:organization_id,"
            " :name, :name_folded, :state, :settings, :created_at_ms, :updated_at_ms, :enforce_expiry, :track_ip,"
            " :role_id, :address_idle_days, :custom) RETURNING id",
            _values(product),
        )
        return product.model_copy(update={"id": rows[0][0]})

    def save(self, product: Product) -> Steps[None]:
        yield Statement(
            "UPDATE products SET name = :name, name_folded = :name_folded, state = :state,"
            " settings = :settings, updated_at_ms = :updated_at_ms, enforce_expiry = :enforce_expiry,"
            " track_ip = :track_ip, role_id = :role_id, address_idle_days = :address_idle_days,"
            " custom = :custom WHERE id = :id",
            _values(product),
        )

    def api_keys(self, product_id: int, *, now_ms: int) -> Steps[Sequence[ApiKey]]:
        rows = yield Statement(
            f"{_KEYS} AND name IS NULL ORDER BY created_at_ms DESC", {"product": product_id, "now": now_ms}
        )
        return [record_of(ApiKey, row) for row in rows]

    def named_api_keys(self, product_id: int, *, now_ms: int) -> Steps[Sequence[ApiKey]]:
        rows = yield Statement(f"{_KEYS} AND name IS NOT NULL ORDER BY name", {"product": product_id, "now": now_ms})
        return [record_of(ApiKey, row) for row in rows]

    def insert_api_key(self, product_id: int, key: ApiKey, *, digest: bytes) -> Steps[None]:
        yield Statement(
            "INSERT INTO api_keys (digest, product_id, prefix, created_at_ms, valid_until_ms, name, scope)"
            " VALUES (:digest, :product, :prefix, :created_at_ms, :valid_until_ms, :name, :scope)",
            {**key.model_dump(), "product": product_id, "digest": digest},
        )

    def end_api_keys(self, product_id: int, *, now_ms: int, valid_until_ms: int) -> Steps[None]:
        yield Statement(
            "UPDATE api_keys SET valid_until_ms = :until WHERE product_id = :product AND name IS NULL"
            " AND (valid_until_ms IS NULL OR valid_until_ms > :until)",
            {"product": product_id, "until": max(valid_until_ms, now_ms)},
        )

    def end_named_api_key(self, product_id: int, name: str, *, now_ms: int) -> Steps[bool]:
        rows = yield Statement(
            "UPDATE api_keys SET valid_until_ms = :now WHERE product_id = :product AND name = :name"
            " AND (valid_until_ms IS NULL OR valid_until_ms > :now) RETURNING name",
            {"product": product_id, "name": name, "now": now_ms},
        )
        return bool(rows)

    def holders(self, product_id: int) -> Steps[int]:
        sql = "SELECT COUNT(*) FROM licenses WHERE product_id = :product AND state <> 'revoked'"
        rows = yield Statement(sql, {"product": product_id})
        return int(rows[0][0])


def _values(product: Product) -> dict[str, Any]:
    return {
        **product.model_dump(exclude={"settings"}),
        "name_folded": product.name.casefold(),
        "settings": product.settings.model_dump_json(),
        "enforce_expiry": int(product.settings.enforce_expiry),
        "track_ip": int(product.settings.track_ip_on_validate),
        "role_id": product.settings.role_id,
        "address_idle_days": product.settings.address_idle_days,
    }
