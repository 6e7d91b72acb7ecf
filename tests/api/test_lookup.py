"""Guarantees of GET /api/v1/license/KEY, over real HTTP on a real database."""


async def test_a_look_up_answers_the_record_in_the_contracts_order(shop, organization_id):
    product = await shop.product()
    issued = await shop.issue(email="ada@example.com", expiry="2026-01-31", max_ips=3, notes="Größe №5")
    await shop.validate(product.api_key, issued.key)
    reply = await shop.get(f"/api/v1/license/{issued.key.lower()}", product.api_key)
    created = "2025-06-15T15:06:40.000Z"
    assert reply.code == 200
    assert list(reply.body.items()) == [
        ("id", str(issued.view.license.id)),
        ("organization_id", str(organization_id)),
        ("product_id", str(product.product.id)),
        ("global_customer_id", str(issued.view.license.customer_id)),
        ("license_key", issued.key),
        ("status", "active"),
        ("expires_at", "2026-01-31T23:59:59.999Z"),
        ("is_lifetime", False),
        ("ip_system_enabled", True),
        ("max_ips", 3),
        ("current_unique_ip_count", 1),
        ("notes", "Größe №5"),
        ("version_pin_mode", None),
        ("version_pinned", None),
        ("version_range_min", None),
        ("version_range_max", None),
        ("revoked_at", None),
        ("created_at", created),
        ("updated_at", created),
        ("customer_email", "ada@example.com"),
        ("customer_name", None),
        ("customer_discord_id", None),
    ]
    assert "Größe №5".encode() in reply.raw


async def test_a_look_up_of_stock_and_of_a_revoked_license_says_so(shop):
    product = await shop.product()
    stock, revoked = await shop.issue(discord_id=None), await shop.issue(holder_name="Ada")
    await shop.licenses.revoke(shop.staff, revoked.key)
    first = (await shop.get(f"/api/v1/license/{stock.key}", product.api_key)).body
    second = (await shop.get(f"/api/v1/license/{revoked.key}", product.api_key)).body
    assert (first["status"], first["global_customer_id"], first["is_lifetime"]) == ("not_claimed", None, True)
    assert (second["status"], second["revoked_at"]) == ("revoked", "2025-06-15T15:06:40.000Z")
    assert (second["customer_name"], second["customer_discord_id"]) == ("Ada", "7")


async def test_a_look_up_changes_nothing(shop):
    product = await shop.product()
    issued = await shop.issue()
    for _ in range(2):
        reply = await shop.get(f"/api/v1/license/{issued.key}", product.api_key)
        assert reply.body["current_unique_ip_count"] == 0
