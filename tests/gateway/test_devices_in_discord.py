"""Devices on the license panel: counted against the product's limit, shown by name, freed by a reset."""

from discord_shop import Shop

from licensing.choices import ActorKind
from licensing.models import Actor
from licensing.verdict import Call


async def call(shop: Shop, api_key: str, key: str, address: str = "203.0.113.1", **members: str) -> str:
    answer = await shop.world.validation.validate(api_key, Call(key, address, **members))
    return answer.verdict.status.value


async def limited(shop: Shop, devices: int) -> str:
    api_key = await shop.product()
    panel = await shop.owner.slash("product settings", product="Pro")
    await panel.click("Addresses and devices")
    await (await panel.click("Set device limit…")).submit({"Devices per license": str(devices)})
    await panel.click("Change it")
    await panel.wait_for(f"· Addresses and devices\n**Devices per license:** no limit → {devices}")
    return api_key


async def test_devices_are_shown_with_their_limit_and_freed_by_a_reset(shop: Shop):
    api_key = await limited(shop, 2)
    key = await shop.stock(email="a@example.com")
    panel = await shop.owner.slash("license view", license=key)
    assert "**Devices:** 0 of 2" in panel.text
    assert await call(shop, api_key, key, device_id="`tower`\n@everyone") == "active"
    assert await call(shop, api_key, key) == "active"
    assert await call(shop, api_key, key, device_id="laptop") == "device_limit_reached"

    await panel.click("Refresh")
    await panel.wait_for("**Devices:** 2 of 2")
    assert "Device `'tower' @everyone` · last seen <t:" in panel.text
    assert "Callers that name no device · last seen <t:" in panel.text
    question = await panel.click("Reset addresses and devices…")
    assert "It runs on 1 address.\nIt knows 2 devices." in question.text
    done = await question.click("Reset addresses and devices")
    assert "**Devices:** 2 of 2 → 0 of 2\n- Callers that name no device\n- Device `'tower' @everyone`" in done.text
    assert await call(shop, api_key, key, device_id="laptop") == "active"


async def test_a_license_with_devices_and_no_addresses_can_be_reset_and_then_has_nothing_left(shop: Shop):
    api_key = await limited(shop, 1)
    key = await shop.stock(email="a@example.com")
    switches = await shop.owner.slash("product settings", product="Pro")
    await switches.click("Addresses and devices")
    await switches.click("Turn off")
    assert await call(shop, api_key, key, device_id="tower") == "active"

    done = await (await shop.owner.slash("license reset-ips", license=key)).click("Reset addresses and devices")

    assert "has no registered addresses or devices any more" in done.text
    again = await shop.owner.slash("license reset-ips", license=key)
    assert "no registered address or device" in again.text


async def test_a_holder_sees_how_many_devices_are_used_and_none_of_what_staff_see(shop: Shop):
    api_key = await limited(shop, 3)
    await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    key = (await shop.bob.wait_for_dm("-")).content
    await call(shop, api_key, key, device_id="tower")
    await shop.owner.slash("license edit", license=key, version="1.x")
    mine = await (await shop.bob.slash("licenses")).select("Choose a license to see it", "1")
    assert "**Devices:** 1 of 3" in mine.text
    assert "tower" not in mine.text
    assert "Version pin" not in mine.text


async def test_a_panel_with_pins_responses_devices_and_addresses_is_within_discords_limits(shop: Shop):
    api_key = await limited(shop, 100)
    key = await shop.stock(email=f"{'e' * 64}@{'x' * 180}.example", notes="_" * 1000, expiry="10d")
    for number in range(30):
        device, address = f"device {number} " + "`" * 200, f"2001:db8:ffff:{number:04x}::"
        assert await call(shop, api_key, key, address, device_id=device) == "active"
    operator = Actor(organization_id=shop.guild.id, kind=ActorKind.OPERATOR)
    await shop.world.changes.override(operator, key, '{"a":"' + "`*_" * 2_000 + '"}')
    version = "1.0.0-" + "x" * 58
    pinned = await shop.owner.slash(
        "license edit", license=key, version=f">={version} <2.0.0-{'y' * 58}", notes="@" * 1000
    )

    assert "**Version pin:** any → `>=1.0.0-xxx" in pinned.text
    assert '**Custom response:** `{"a":"\'*_' in pinned.text
    assert "Device `device" in pinned.text
    assert "2001:db8:ffff" in pinned.text
    assert "**Devices:** 30 of 100" in pinned.text
    done = await (await pinned.click("Reset addresses and devices…")).click("Reset addresses and devices")
    assert "**Devices:** 30 of 100 → 0 of 100" in done.text
