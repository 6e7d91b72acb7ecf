"""What callers send fills neither memory nor disk, and nobody can use up what belongs to others."""

import gc
from ipaddress import ip_address

import pytest
from storage_world import ORGANIZATION, OWNER, World, member

from licensing.choices import BlockLevel
from licensing.models import Plan
from licensing.services import seats
from licensing.services.blacklist import Target
from licensing.services.limits import DAY_MS, Rates, Reason
from licensing.services.regulars import SETTLED_LENGTH, SETTLED_SEATS
from licensing.subject import LicenseSnapshot, ProductSnapshot
from licensing.verdict import Call, Status

ADDRESS, NEIGHBOUR = "203.0.113.1", "198.51.100.1"


def limited(world: World, *, quota: int | None = None, **rates: int) -> World:
    """Return the same shop with limits of its own."""
    world.plans["default"] = Plan(calls_per_product_per_day=quota)
    return World(world.store, plans=world.plans, rates=Rates(**rates), now_ms=world.now_ms)


async def asked(world: World, api_key: str, key: str, address: str = ADDRESS):
    return await world.validation.validate(api_key, Call(key, address, None, None, ip_address(address)))


async def test_a_product_that_changed_is_forgotten_with_all_that_was_answered_on_it(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    for limit in range(1, 30):
        for _ in range(3):
            await asked(world, product.api_key, issued.key)
        await world.catalog.change_settings(OWNER, product.product.id, default_max_ips=limit)
    gc.collect()
    assert sum(isinstance(each, ProductSnapshot) for each in gc.get_objects()) <= 2


async def test_what_is_named_at_length_is_not_remembered(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    await asked(world, product.api_key, issued.key)
    for at in range(5):
        long_version = Call(issued.key, ADDRESS, f"{at}" * (SETTLED_LENGTH + 1))
        long_key = Call(f"{issued.key[:at]}{' ' * SETTLED_LENGTH}{issued.key[at:]}", ADDRESS)
        for call in (long_version, long_version, long_key, long_key):
            assert (await world.validation.validate(product.api_key, call)).verdict.valid
    found = await world.validation.product(product.api_key)
    assert found is not None
    assert found.settled == {}


async def test_a_license_that_everybody_shares_is_not_kept_as_it_was_for_each_of_them(world: World) -> None:
    product = await world.product(default_max_ips=None)
    issued = await world.issue(discord_id=20)
    for last in range(1, SETTLED_SEATS + 41):
        for _ in range(3):
            assert (await asked(world, product.api_key, issued.key, f"198.51.100.{last}")).verdict.valid
    gc.collect()
    assert sum(isinstance(each, LicenseSnapshot) for each in gc.get_objects()) <= SETTLED_SEATS + 5


async def test_a_license_without_a_limit_keeps_the_addresses_that_it_used_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "SEATS_KEPT", 3)
    product = await world.product()
    issued = await world.issue(discord_id=20)
    for last in range(1, 7):
        world.now_ms += 1
        verdict = await world.validate(product.api_key, issued.key, f"203.0.113.{last}")
        assert (verdict.status, verdict.ip_count) == (Status.ACTIVE, min(last, 3))
    kept = {seat.address for seat in (await world.licenses.view(OWNER, issued.key)).addresses}
    assert kept == {"203.0.113.4", "203.0.113.5", "203.0.113.6"}


async def test_no_license_takes_more_of_the_day_than_its_share(world: World) -> None:
    product = await world.product()
    greedy, modest = [(await world.issue(discord_id=number)).key for number in (20, 21)]
    shop = limited(world, quota=100, license_quota_percent=25)
    answers = [await asked(shop, product.api_key, greedy) for _ in range(40)]
    assert [answer.verdict.status for answer in answers] == [Status.ACTIVE] * 25 + [Status.RATE_LIMIT_EXCEEDED] * 15
    assert answers[-1].reason is Reason.LICENSE
    assert (await asked(shop, product.api_key, modest)).verdict.valid
    shop.now_ms += 1000 * (answers[-1].retry_after_s or 0)
    assert shop.now_ms % DAY_MS < 1000
    assert (await asked(shop, product.api_key, greedy)).verdict.valid


async def test_no_address_takes_more_of_the_day_than_its_share(world: World) -> None:
    product = await world.product()
    keys = [(await world.issue(discord_id=number)).key for number in range(20, 30)]
    shop = limited(world, quota=10, address_quota_percent=50)
    answers = [(await asked(shop, product.api_key, key)) for key in keys]
    assert [answer.verdict.valid for answer in answers] == [True] * 5 + [False] * 5
    assert answers[-1].reason is Reason.ADDRESS
    assert (await asked(shop, product.api_key, keys[-1], NEIGHBOUR)).verdict.valid


async def test_whoever_guesses_keys_of_one_product_locks_nobody_out_of_another(world: World) -> None:
    pro, lite = await world.product("Pro"), await world.product("Lite")
    issued = await world.issue("Lite", discord_id=20)
    shop = limited(world, failures_per_minute=3)
    guesses = [(await asked(shop, pro.api_key, f"GUESS-{number}")).verdict.status for number in range(6)]
    assert guesses == [Status.LICENSE_NOT_FOUND] * 3 + [Status.RATE_LIMIT_EXCEEDED] * 3
    assert (await asked(shop, lite.api_key, issued.key)).verdict.valid
    assert (await asked(shop, "kp_live_unknown", issued.key)).verdict.status is Status.INVALID_API_KEY


@pytest.mark.parametrize("tracked", [True, False])
async def test_a_customer_who_was_good_at_an_address_stays_so_whoever_guesses_there(
    world: World, tracked: bool
) -> None:
    product = await world.product(track_ip_on_validate=tracked)
    known, new = [(await world.issue(discord_id=number)).key for number in (20, 21)]
    shop = limited(world, failures_per_minute=3)
    for _ in range(2):
        assert (await asked(shop, product.api_key, known)).verdict.valid
    for number in range(6):
        await asked(shop, product.api_key, f"GUESS-{number}")
    assert (await asked(shop, product.api_key, known)).verdict.valid
    assert (await asked(shop, product.api_key, new)).reason is Reason.FAILURES
    assert (await asked(shop, product.api_key, new, NEIGHBOUR)).verdict.valid


async def test_a_shops_server_may_look_up_what_its_visitors_mistype(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    shop = limited(world, failures_per_minute=2)
    for number in range(6):
        await shop.validation.lookup(product.api_key, f"WRONG-{number}", address=ADDRESS)
    found = await shop.validation.lookup(product.api_key, issued.key, address=ADDRESS)
    assert getattr(found, "status", None) is Status.ACTIVE
    assert (await asked(shop, product.api_key, issued.key)).verdict.valid


async def test_what_was_blocked_for_an_email_is_blocked_for_the_member_who_claims_its_license(world: World) -> None:
    product = await world.product()
    first, second = [(await world.issue(email="a@example.com")).key for _ in range(2)]
    await world.blacklist.add(OWNER, network=ADDRESS, target=Target(email="a@example.com"))
    assert (await asked(world, product.api_key, first)).verdict.status is Status.IP_BLOCKED
    await world.account.claim(member(20), first)
    for key in (first, second):
        assert (await asked(world, product.api_key, key)).verdict.status is Status.IP_BLOCKED
    blocks = await world.store.read(lambda tx: tx.blacklist.of(ORGANIZATION))
    assert [block.level for block in blocks] == [BlockLevel.CUSTOMER] * 2
