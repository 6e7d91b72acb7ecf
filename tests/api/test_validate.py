"""Guarantees of POST /api/v1/validate, over real HTTP on a real database."""

import asyncio

import pytest
from factories import DAY_MS, NOW_MS, make_actor, make_organization, make_plan

from licensing.choices import AutoRegister, LicenseState, OrganizationState, ProductState

FIELDS = [
    "valid", "status", "expires", "ip_registered", "ip_count", "max_ips",
    "version", "version_valid", "custom", "signature",
]  # fmt: skip
ELSEWHERE = "198.51.100.9"


async def test_a_good_license_answers_the_ten_fields_in_their_order(shop):
    product = await shop.product()
    issued = await shop.issue(expiry="2026-01-31", max_ips=3)
    reply = await shop.validate(product.api_key, issued.key, version="2.1.0")
    assert reply.raw == (
        b'{"valid":true,"status":"active","expires":"2026-01-31T23:59:59.999Z","ip_registered":true,'
        b'"ip_count":1,"max_ips":3,"version":"2.1.0","version_valid":null,"custom":null,"signature":null}'
    )
    assert reply.code == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"


async def test_a_nonce_is_echoed_behind_the_ten_fields_unescaped(shop):
    product = await shop.product()
    issued = await shop.issue()
    reply = await shop.validate(product.api_key, issued.key, nonce='né"🔑')
    assert list(reply.body) == [*FIELDS, "nonce"]
    assert reply.raw.endswith('"nonce":"né\\"🔑"}'.encode())


async def test_a_key_is_forgiven_its_case_blanks_and_dashes(shop):
    product = await shop.product()
    issued = await shop.issue()
    typed = f"  {issued.key.replace('-', ' ').lower()} "
    assert (await shop.validate(product.api_key, typed)).seen == (200, "active")


async def suspend(shop, issued):
    paused = issued.view.license.model_copy(update={"state": LicenseState.SUSPENDED})
    await shop.store.write(lambda tx: tx.licenses.save(paused))


async def revoke(shop, issued):
    await shop.licenses.revoke(shop.staff, issued.key)


async def let_expire(shop, issued):
    shop.clock.now_ms = issued.view.license.expires_at_ms


async def change_product(shop, state):
    await shop.catalog.change_state(shop.staff, "Widget", state)


@pytest.mark.parametrize(
    ("terms", "event", "status"),
    [
        ({}, None, "active"),
        ({"email": "Ada@Example.com"}, None, "active"),
        ({"discord_id": None}, None, "not_claimed"),
        ({}, suspend, "suspended"),
        ({}, revoke, "revoked"),
        ({"expiry": "30d"}, let_expire, "expired"),
        ({}, lambda shop, _: change_product(shop, ProductState.ARCHIVED), "product_archived"),
        ({}, lambda shop, _: change_product(shop, ProductState.DISABLED), "product_disabled"),
    ],
)
async def test_every_state_has_its_status_and_the_ten_fields(shop, terms, event, status):
    product = await shop.product()
    issued = await shop.issue(**terms)
    if event:
        await event(shop, issued)
    reply = await shop.validate(product.api_key, issued.key)
    assert reply.seen == (200, status)
    assert reply.body["valid"] is (status == "active")
    assert list(reply.body) == FIELDS


@pytest.mark.parametrize("state", [OrganizationState.SUSPENDED, OrganizationState.BILLING_SUSPENDED])
async def test_a_suspended_organization_validates_nothing(open_shop, state):
    async with open_shop(organization=make_organization(state=state)) as shop:
        product = await shop.product()
        issued = await shop.issue()
        reply = await shop.validate(product.api_key, issued.key)
    refused = {"suspended": "org_suspended", "billing_suspended": "billing_suspended"}
    assert reply.seen == (200, refused[state])


async def test_an_unknown_key_is_not_found_and_has_no_facts(shop):
    product = await shop.product()
    reply = await shop.validate(product.api_key, "ABCD-EFGH-JKMN-PQRS", version="1")
    assert reply.code == 200
    assert reply.body == dict.fromkeys(FIELDS) | {
        "valid": False,
        "status": "license_not_found",
        "version": "1",
    }


async def test_a_key_of_another_product_is_not_found(shop):
    await shop.product()
    other = await shop.product("Gadget")
    issued = await shop.issue()
    reply = await shop.validate(other.api_key, issued.key)
    assert reply.seen == (200, "license_not_found")
    assert reply.body["ip_count"] is None


async def test_a_key_of_another_organization_is_not_found(shop):
    await shop.product()
    issued = await shop.issue()
    organization = make_organization(id=2, name="Other")
    await shop.store.write(lambda tx: tx.organizations.save_joined(organization, now_ms=NOW_MS))
    shop.staff = make_actor(organization_id=2)
    other = await shop.product()
    assert (await shop.validate(other.api_key, issued.key)).seen == (200, "license_not_found")
    assert (await shop.get(f"/api/v1/license/{issued.key}", other.api_key)).code == 404


async def test_the_very_next_validation_after_a_revocation_is_refused(shop):
    product = await shop.product()
    issued = await shop.issue()
    for _ in range(3):
        assert (await shop.validate(product.api_key, issued.key)).seen == (200, "active")
    await shop.licenses.revoke(shop.staff, issued.key)
    assert (await shop.validate(product.api_key, issued.key)).seen == (200, "revoked")


async def test_an_end_is_reached_to_the_millisecond_and_only_where_enforced(shop):
    enforcing = await shop.product()
    lenient = await shop.product("Lenient", enforce_expiry=False)
    strict, lax = await shop.issue(expiry="1d"), await shop.issue("Lenient", expiry="1d")
    shop.clock.now_ms = NOW_MS + DAY_MS - 1
    assert (await shop.validate(enforcing.api_key, strict.key)).seen == (200, "active")
    shop.clock.now_ms += 1
    assert (await shop.validate(enforcing.api_key, strict.key)).seen == (200, "expired")
    assert (await shop.validate(lenient.api_key, lax.key)).seen == (200, "active")


async def seats(shop, product, issued, *addresses):
    replies = [await shop.validate(product.api_key, issued.key, address=one) for one in addresses]
    return [
        (reply.body["status"], reply.body["ip_registered"], reply.body["ip_count"], reply.body["max_ips"])
        for reply in replies
    ]


async def test_up_to_max_registers_addresses_until_the_seats_are_taken(shop):
    product = await shop.product(auto_register=AutoRegister.UP_TO_MAX)
    issued = await shop.issue(max_ips=2)
    assert await seats(shop, product, issued, "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1") == [
        ("active", True, 1, 2),
        ("active", True, 2, 2),
        ("ip_limit_reached", False, 2, 2),
        ("active", True, 2, 2),
    ]


async def test_first_registers_one_address_and_no_other(shop):
    product = await shop.product(auto_register=AutoRegister.FIRST)
    issued = await shop.issue(max_ips=5)
    assert await seats(shop, product, issued, "192.0.2.1", "192.0.2.2", "192.0.2.1") == [
        ("active", True, 1, 5),
        ("ip_not_registered", False, 1, 5),
        ("active", True, 1, 5),
    ]


async def test_off_registers_nothing(shop):
    product = await shop.product(auto_register=AutoRegister.OFF)
    issued = await shop.issue()
    assert await seats(shop, product, issued, "192.0.2.1") == [("ip_not_registered", False, 0, None)]


async def test_without_the_ip_system_its_three_fields_are_null(shop):
    product = await shop.product(track_ip_on_validate=False)
    issued = await shop.issue(max_ips=1)
    assert await seats(shop, product, issued, "192.0.2.1", "192.0.2.2") == [("active", None, None, None)] * 2


async def test_no_limit_registers_every_address(shop):
    product = await shop.product()
    issued = await shop.issue(max_ips=0)
    found = await seats(shop, product, issued, *(f"192.0.2.{last}" for last in range(5)))
    assert found[-1] == ("active", True, 5, None)


async def test_addresses_of_one_ipv6_prefix_share_a_seat_and_mapped_ones_are_ipv4(shop):
    product = await shop.product()
    issued = await shop.issue(max_ips=2)
    addresses = ["2a01:4f8:1:2::1", "2a01:4f8:1:2:ffff::9", "::ffff:192.0.2.1", "192.0.2.1", "2a01:4f8:1:3::1"]
    found = await seats(shop, product, issued, *addresses)
    assert [(status, count) for status, _, count, _ in found] == [
        ("active", 1),
        ("active", 1),
        ("active", 2),
        ("active", 2),
        ("ip_limit_reached", 2),
    ]
    stored = await shop.store.read(lambda tx: tx.addresses.of(issued.view.license.id))
    assert {seat.address for seat in stored} == {"2a01:4f8:1:2::/64", "192.0.2.1"}


async def test_a_proxy_that_is_not_trusted_registers_nothing_and_shows_in_readyz(open_shop, caplog):
    async with open_shop(trusted=()) as shop:
        product = await shop.product()
        issued = await shop.issue(max_ips=1)
        assert await seats(shop, product, issued, "192.0.2.1", "192.0.2.2") == [("active", False, 0, 1)] * 2
        ready = await shop.get("/readyz")
    assert (ready.code, ready.body["proxy"], ready.body["proxy_peers"]) == (200, "misconfigured", ["127.0.0.1"])
    assert "api.trusted_proxies" in caplog.text


async def test_a_used_up_quota_answers_429_until_midnight_utc_and_counts_nothing_more(open_shop, midnight_ms):
    async with open_shop(plan=make_plan(calls_per_product_per_day=2)) as shop:
        product, other = await shop.product(), await shop.product("Gadget")
        issued, elsewhere = await shop.issue(), await shop.issue("Gadget")
        shop.clock.now_ms = midnight_ms - 90_500
        assert (await shop.validate(product.api_key, "unknown")).code == 200
        assert (await shop.get(f"/api/v1/license/{issued.key}", product.api_key)).code == 200
        refused = await shop.validate(product.api_key, issued.key)
        looked_up = await shop.get(f"/api/v1/license/{issued.key}", product.api_key)
        assert (await shop.validate(other.api_key, elsewhere.key)).seen == (200, "active")
        shop.clock.now_ms = midnight_ms
        assert (await shop.validate(product.api_key, issued.key)).seen == (200, "active")
    assert list(refused.body) == ["valid", "status", "message", "retry_after"]
    assert refused.seen == looked_up.seen == (429, "rate_limit_exceeded")
    assert (refused.body["retry_after"], refused.headers["Retry-After"]) == (91, "91")


async def test_what_was_counted_survives_a_restart(open_shop):
    plan = make_plan(calls_per_product_per_day=2)
    async with open_shop(plan=plan) as shop:
        product = await shop.product()
        assert (await shop.validate(product.api_key, "unknown")).code == 200
        await shop.usage.flush(shop.store)
    async with open_shop(plan=plan) as shop:
        codes = [(await shop.validate(product.api_key, "unknown")).code for _ in range(2)]
    assert codes == [200, 429]


async def test_a_rotated_api_key_is_refused_at_once(shop):
    product = await shop.product()
    assert (await shop.validate(product.api_key, "unknown")).code == 200
    rotated = await shop.catalog.rotate_key(shop.staff, name="Widget")
    assert (await shop.validate(product.api_key, "unknown")).seen == (401, "invalid_api_key")
    assert (await shop.validate(rotated.api_key, "unknown")).code == 200


async def test_fifty_first_calls_racing_for_three_seats_take_exactly_three(shop):
    product = await shop.product()
    issued = await shop.issue(max_ips=3)
    calls = [shop.validate(product.api_key, issued.key, address=f"192.0.2.{last}") for last in range(50)]
    replies = await asyncio.gather(*calls)
    statuses = [reply.body["status"] for reply in replies]
    assert (statuses.count("active"), statuses.count("ip_limit_reached")) == (3, 47)
