"""An answer that is remembered is true as long as it is given: whatever a verdict depends on settles it anew."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import pytest
from storage_world import OWNER, World

from licensing.choices import ActorKind, OrganizationState, ProductState, SigningKind, VersionState
from licensing.models import PLATFORM, Actor
from licensing.services import regulars
from licensing.services.blacklist import Target
from licensing.verdict import Call, Status

ADDRESS = "203.0.113.1"
DAY_MS = 86_400_000
OPERATOR = Actor(organization_id=1, kind=ActorKind.OPERATOR)
PLATFORM_OPERATOR = Actor(organization_id=PLATFORM, kind=ActorKind.OPERATOR)

Change = Callable[[World, str, int], Awaitable[object]]


async def a_day_passes(world: World, _key: str, _product_id: int) -> None:
    world.now_ms += 31 * DAY_MS


CHANGES: list[tuple[Change, Status]] = [
    (lambda world, key, _: world.licenses.revoke(OWNER, key), Status.REVOKED),
    (lambda world, key, _: world.changes.suspend(OWNER, key), Status.SUSPENDED),
    (a_day_passes, Status.EXPIRED),
    (lambda world, *_: world.catalog.change_state(OWNER, "Pro", ProductState.ARCHIVED), Status.PRODUCT_ARCHIVED),
    (lambda world, *_: world.organizations.change_state(OPERATOR, OrganizationState.SUSPENDED), Status.ORG_SUSPENDED),
    (lambda world, *_: world.blacklist.add(OWNER, network="203.0.113.0/24"), Status.IP_BLOCKED),
    (
        lambda world, key, _: world.blacklist.add(OWNER, network=ADDRESS, target=Target(license=key)),
        Status.IP_BLOCKED,
    ),
    (lambda world, *_: world.blacklist.add(PLATFORM_OPERATOR, network=ADDRESS), Status.IP_BLOCKED),
    (
        lambda world, *_: world.versions.set(OWNER, "Pro", spec="1.x", state=VersionState.BLOCKED),
        Status.VERSION_NOT_ALLOWED,
    ),
    (lambda world, key, _: world.changes.pin(OWNER, key, "2.0"), Status.VERSION_NOT_ALLOWED),
]


@pytest.mark.parametrize(("change", "status"), CHANGES)
async def test_what_a_change_refuses_is_refused_although_it_was_answered_before(
    world: World, change: Change, status: Status
) -> None:
    product = await world.product(versions="enforce", unlisted_versions="allow")
    issued = await world.issue(discord_id=20, expiry="30d")
    for _ in range(3):
        assert (await said(world, product.api_key, issued.key)).status is Status.ACTIVE
    await change(world, issued.key, product.product.id)
    assert (await said(world, product.api_key, issued.key)).status is status


async def test_a_caller_is_judged_by_its_own_address_version_and_device(world: World) -> None:
    product = await world.product(versions="enforce", unlisted_versions="allow", max_devices=1)
    issued = await world.issue(discord_id=20, max_ips=1)
    await world.versions.set(OWNER, "Pro", spec="9.x", state=VersionState.BLOCKED)
    for _ in range(3):
        assert (await said(world, product.api_key, issued.key)).valid
        assert (
            await said(world, product.api_key, issued.key, address="198.51.100.9")
        ).status is Status.IP_LIMIT_REACHED
        assert (await said(world, product.api_key, issued.key, version="9.1")).status is Status.VERSION_NOT_ALLOWED
        assert (await said(world, product.api_key, issued.key, device="b")).status is Status.DEVICE_LIMIT_REACHED


async def test_a_new_custom_response_is_answered_at_once(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    found = []
    for text in ('{"tier":"gold"}', '{"tier":"iron"}', None):
        await world.catalog.change_custom(OWNER, "Pro", text)
        found.append((await world.validation.validate(product.api_key, Call(issued.key, ADDRESS))).custom)
    assert found == ['{"tier":"gold"}', '{"tier":"iron"}', None]


async def test_a_new_signing_key_signs_what_was_answered_before(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    call = Call(issued.key, ADDRESS)
    unsigned = [await world.validation.validate(product.api_key, call) for _ in range(3)][-1]
    await world.signing.turn_on(OWNER, product.product.id, SigningKind.HMAC)
    signed = await world.validation.validate(product.api_key, call)
    assert unsigned.product is not None
    assert signed.product is not None
    assert (len(unsigned.product.signing_keys), len(signed.product.signing_keys)) == (0, 1)


async def test_callers_that_name_ever_new_versions_fill_no_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regulars, "SETTLED_ANSWERS", 16)
    product = await world.product()
    issued = await world.issue(discord_id=20)
    for number in range(48):
        assert (await said(world, product.api_key, issued.key, version=f"1.{number}")).valid
    found = await world.validation.product(product.api_key)
    assert found is not None
    assert 0 < len(found.settled) <= 16


async def test_licenses_of_one_product_at_one_address_are_answered_each_by_itself(world: World) -> None:
    product = await world.product()
    one, other = [await world.issue(discord_id=holder) for holder in (20, 21)]
    for _ in range(4):
        for issued in (one, other):
            verdict = await said(world, product.api_key, issued.key)
            assert verdict.license is not None
            assert verdict.license.id == issued.view.license.id


async def test_addresses_that_share_a_seat_are_blocked_one_by_one(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    await world.blacklist.add(OWNER, network="2001:db8::bad")
    for _ in range(4):
        good, bad = [
            (await world.validation.validate(product.api_key, Call(issued.key, "2001:db8::/64", ip=ip_address(ip))))
            for ip in ("2001:db8::1", "2001:db8::bad")
        ]
        assert (good.verdict.status, bad.verdict.status) == (Status.ACTIVE, Status.IP_BLOCKED)


async def test_a_call_that_comes_again_is_answered_without_being_judged(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    call = Call(issued.key, ADDRESS)
    *_, before, after = [await world.validation.validate(product.api_key, call) for _ in range(5)]
    assert before.regular is not None
    assert after is before


async def said(world, api_key, key, *, address=ADDRESS, version="1.4", device="a"):
    """Return the verdict on a call."""
    call = Call(key, address, version, device, ip_address(address))
    return (await world.validation.validate(api_key, call)).verdict


async def test_an_answer_is_remembered_from_the_second_time_on_for_many_come_but_once(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    await world.store.write(lambda tx: tx.seats.insert([(issued.view.license.id, ADDRESS, 1)]))
    found = []
    for _ in range(3):
        answer = await world.validation.validate(product.api_key, Call(issued.key, ADDRESS))
        found.append((answer.verdict.valid, answer.regular is not None))
    assert found == [(True, False), (True, True), (True, True)]
