"""A product's switches: each set on its own, whoever sets another at the same moment."""

import asyncio

import pytest
from storage_world import OWNER, World, member

from licensing.choices import AutoRegister, Permission, ProductState, TransferRule
from licensing.errors import (
    LicenseNotActive,
    LicenseNotFound,
    NotAllowed,
    NothingToChange,
    ProductNotFound,
    Refusal,
    RoleCarriesPermissions,
    RoleIsGiven,
)
from licensing.events import Action
from licensing.input_errors import DurationInvalid, ExpiryAmbiguous, IdleDaysInvalid, MaxIpsInvalid
from licensing.models import MAX_IDLE_DAYS, MAX_IPS_LIMIT
from licensing.services.finder import Place

STAFF = member(30, roles=frozenset({77}))


async def test_staff_who_set_two_switches_at_once_lose_neither(world: World) -> None:
    product = (await world.product()).product
    values: list[dict[str, object]] = [
        {"enforce_expiry": False},
        {"auto_register": AutoRegister.OFF},
        {"default_max_ips": "3"},
        {"transfers": TransferRule.OFF},
        {"address_idle_days": 30},
        {"default_duration": " 1Y "},
    ]
    await asyncio.gather(*(world.catalog.change_settings(OWNER, product.id, **each) for each in values))
    settings = (await world.catalog.view(OWNER, name=product.id)).product.settings
    assert (settings.enforce_expiry, settings.auto_register, settings.default_max_ips) == (False, "off", 3)
    assert (settings.transfers, settings.address_idle_days, settings.default_duration) == ("off", 30, "1y")


async def test_a_change_knows_before_and_after_and_so_does_the_ledger(world: World) -> None:
    product = (await world.product(default_max_ips=2)).product
    changed = await world.catalog.change_settings(OWNER, product.id, default_max_ips="0")
    assert (changed.before.settings.default_max_ips, changed.after.settings.default_max_ips) == (2, None)
    event = (await world.events())[-1]
    assert event.action is Action.PRODUCT_UPDATED
    assert (event.before or {})["settings"]["default_max_ips"] == 2
    with pytest.raises(NothingToChange):
        await world.catalog.change_settings(OWNER, product.id, default_max_ips="")
    assert len([each for each in await world.events() if each.action is Action.PRODUCT_UPDATED]) == 1


@pytest.mark.parametrize(
    ("switch", "typed", "refusal"),
    [
        ("default_max_ips", "-1", MaxIpsInvalid),
        ("default_max_ips", str(MAX_IPS_LIMIT + 1), MaxIpsInvalid),
        ("default_max_ips", "three", MaxIpsInvalid),
        ("default_max_ips", "9" * 5_000, MaxIpsInvalid),
        ("default_max_ips", "٣", MaxIpsInvalid),
        ("default_max_ips", "²", MaxIpsInvalid),
        ("address_idle_days", str(MAX_IDLE_DAYS + 1), IdleDaysInvalid),
        ("default_duration", "2027-01-01", DurationInvalid),
        ("default_duration", "soon", DurationInvalid),
        ("default_duration", "1m", ExpiryAmbiguous),
    ],
)
async def test_what_no_switch_can_hold_is_refused(
    world: World, switch: str, typed: str, refusal: type[Refusal]
) -> None:
    product = (await world.product()).product
    with pytest.raises(refusal):
        await world.catalog.change_settings(OWNER, product.id, **{switch: typed})


async def test_who_may_not_edit_products_is_neither_asked_nor_obeyed(world: World) -> None:
    product = (await world.product()).product
    await world.staff.grant(OWNER, role_id=77, permissions=[Permission.PRODUCTS_VIEW])
    for attempt in (
        world.catalog.changeable(STAFF, product.id, ProductState.ARCHIVED),
        world.catalog.change_settings(STAFF, product.id, enforce_expiry=False),
        world.catalog.change_state(STAFF, product.id, ProductState.ARCHIVED),
    ):
        with pytest.raises(NotAllowed):
            await attempt
    with pytest.raises(ProductNotFound):
        await world.catalog.changeable(OWNER, product.id + 1)


async def test_a_product_counts_the_licenses_that_validate_now(world: World) -> None:
    product = (await world.product()).product
    for expiry in ("10d", "never", "1d"):
        await world.issue(discord_id=20, expiry=expiry)
    await world.issue()
    world.now_ms += 2 * 86_400_000
    view = await world.catalog.changeable(OWNER, product.id, ProductState.ARCHIVED)
    assert (view.holders, view.working) == (4, 2)
    await world.catalog.change_state(OWNER, product.id, ProductState.ARCHIVED)
    with pytest.raises(NothingToChange):
        await world.catalog.changeable(OWNER, product.id, ProductState.ARCHIVED)
    with pytest.raises(NothingToChange):
        await world.catalog.change_state(OWNER, product.id, ProductState.ARCHIVED)


async def test_what_cannot_be_changed_is_refused_before_anything_is_asked(world: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=20)
    with pytest.raises(NothingToChange):
        await world.changes.resettable(OWNER, issued.key)
    assert (await world.changes.suspendable(OWNER, issued.key)).license.id == issued.view.license.id
    await world.changes.suspend(OWNER, issued.key)
    with pytest.raises(NothingToChange):
        await world.changes.suspendable(OWNER, issued.key)
    await world.licenses.revoke(OWNER, issued.key)
    with pytest.raises(LicenseNotActive):
        await world.changes.editable(OWNER, issued.key)
    for attempt in (world.changes.editable(STAFF, issued.key), world.changes.resettable(STAFF, issued.key)):
        with pytest.raises(NotAllowed):
            await attempt


async def test_everything_that_a_member_holds_is_found_page_by_page(world: World) -> None:
    await world.product()
    for _ in range(30):
        await world.issue(discord_id=20)
    await world.issue(discord_id=21, notes="20")
    first, last = await world.finder.held(OWNER, 20), await world.finder.held(OWNER, 20, place=Place(9))
    assert (first.count, first.page, first.last_page, len(first.views)) == (30, 0, 1, 25)
    assert (last.page, len(last.views)) == (1, 5)
    assert (await world.finder.held(OWNER, 99)).count == 0
    with pytest.raises(NotAllowed):
        await world.finder.held(STAFF, 20)


async def test_a_member_names_their_own_licenses_alone(world: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=20)
    for text in (issued.key, f"#{issued.view.license.id}"):
        assert (await world.account.named(member(20), text)).license.id == issued.view.license.id
        with pytest.raises(LicenseNotFound):
            await world.account.named(member(21), text)


async def test_a_role_never_both_comes_with_licenses_and_carries_permissions_of_staff(world: World) -> None:
    product = await world.product("Pro", role_id=900)
    with pytest.raises(RoleIsGiven):
        await world.staff.grant(OWNER, role_id=900, permissions=[Permission.LICENSES_VIEW])
    await world.staff.grant(OWNER, role_id=901, permissions=[Permission.LICENSES_VIEW])
    with pytest.raises(RoleCarriesPermissions):
        await world.product("Lite", role_id=901)
    with pytest.raises(RoleCarriesPermissions):
        await world.catalog.change_settings(OWNER, product.product.id, role_id=901)
    await world.staff.revoke(OWNER, role_id=901, permissions=[Permission.LICENSES_VIEW])
    await world.catalog.change_settings(OWNER, product.product.id, role_id=901)
