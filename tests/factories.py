"""Records with sensible defaults for tests: name only what the test is about."""

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from licensing.choices import OrganizationState
from licensing.models import Actor, Customer, License, Organization, Plan, Product, ProductSettings
from licensing.verdict import Call, LicenseSnapshot, ProductSnapshot

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NOW_MS = 1_750_000_000_000  # 2025-06-15 15:06:40 UTC
ORGANIZATION_ID = 900_000_000_000_000_001
PRODUCT_ID = 10
CUSTOMER_ID = 20
LICENSE_ID = 30
MEMBER_ID = 700_000_000_000_000_001
ADDRESS = "203.0.113.7"
KEY = "ABCD-EFGH-JKMN-PQR8"
UNKNOWN_KEY = "ABCD-EFGH-JKMN-PQRS"


def make_organization(**overrides: Any) -> Organization:
    """Return an organization in good standing."""
    return Organization(**{"id": ORGANIZATION_ID, "name": "Example Guild", "plan": "default"} | overrides)


def make_plan(**overrides: Any) -> Plan:
    """Return a plan without limits."""
    return Plan(**overrides)


def make_actor(**overrides: Any) -> Actor:
    """Return an administrator of the organization."""
    defaults = {
        "organization_id": ORGANIZATION_ID,
        "id": MEMBER_ID,
        "name": "Ada",
        "is_administrator": True,
    }
    return Actor(**defaults | overrides)


def make_settings(**overrides: Any) -> ProductSettings:
    """Return a product's default switches."""
    return ProductSettings(**overrides)


def make_product(*, settings: ProductSettings | None = None, **overrides: Any) -> Product:
    """Return an active product."""
    defaults = {
        "id": PRODUCT_ID,
        "organization_id": ORGANIZATION_ID,
        "name": "Widget",
        "settings": settings or make_settings(),
        "created_at_ms": NOW_MS - DAY_MS,
        "updated_at_ms": NOW_MS - DAY_MS,
    }
    return Product(**defaults | overrides)


def make_customer(**overrides: Any) -> Customer:
    """Return a customer known by their Discord ID."""
    defaults = {
        "id": CUSTOMER_ID,
        "organization_id": ORGANIZATION_ID,
        "discord_id": MEMBER_ID,
        "name": "Ada",
    }
    return Customer(**defaults | overrides)


def make_license(**overrides: Any) -> License:
    """Return a lifetime license that a customer holds, without an address limit."""
    defaults = {
        "id": LICENSE_ID,
        "organization_id": ORGANIZATION_ID,
        "product_id": PRODUCT_ID,
        "customer_id": CUSTOMER_ID,
        "created_at_ms": NOW_MS - DAY_MS,
        "updated_at_ms": NOW_MS - DAY_MS,
    }
    return License(**defaults | overrides)


def make_stock(**overrides: Any) -> License:
    """Return a license that waits for its claim."""
    return make_license(**{"customer_id": None} | overrides)


def make_product_snapshot(
    product: Product | None = None,
    *,
    organization_state: OrganizationState = OrganizationState.ACTIVE,
    plan: str = "default",
    key_valid_until_ms: int | None = None,
) -> ProductSnapshot:
    """Return what a validation reads of a product."""
    return ProductSnapshot(product or make_product(), organization_state, plan, key_valid_until_ms)


def make_license_snapshot(license_: License | None = None, *, addresses: Iterable[str] = ()) -> LicenseSnapshot:
    """Return what a validation reads of a license."""
    return LicenseSnapshot.of(license_ or make_license(), addresses)


def make_call(**overrides: Any) -> Call:
    """Return a validation from a public address."""
    return Call(**{"key": KEY, "address": ADDRESS} | overrides)


def fixed_bytes(*chunks: bytes) -> Callable[[int], bytes]:
    """Return a source of chance that hands out these bytes in turn, cut to what is asked for."""
    rest: Iterator[int] = iter(b"".join(chunks))

    def random_bytes(count: int) -> bytes:
        found = bytes(byte for _, byte in zip(range(count), rest, strict=False))
        assert found, "the test's bytes are used up"
        return found

    return random_bytes


def seeded_bytes(seed: int = 0) -> Callable[[int], bytes]:
    """Return a source of chance that never runs out and is the same in every run."""
    return random.Random(seed).randbytes
