"""Nothing crosses from one organization to another, and nobody does what their roles do not allow."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from storage_world import OWNER, World, member, opened

from licensing.errors import GrantNotAllowed, KeyNotFound, LicenseNotFound, NotAllowed, ProductNotFound
from licensing.models import Actor, Permission
from licensing.verdict import Status
from storage import DatabaseSettings

OTHER_OWNER = Actor(organization_id=2, id=10, name="Olivia", is_administrator=True)
SUPPORT_ROLE = 77


@pytest.fixture
async def two_shops(settings: DatabaseSettings) -> AsyncIterator[World]:
    async with opened(settings, organizations=(1, 2)) as world:
        yield world


async def test_a_license_of_one_organization_does_not_exist_in_another(two_shops: World) -> None:
    world = two_shops
    product, other = await world.product(), await world.product(by=OTHER_OWNER)
    issued = await world.issue(discord_id=20, notes="secret note")
    reference = f"#{issued.view.license.id}"
    assert (await world.validate(other.api_key, issued.key)).status is Status.LICENSE_NOT_FOUND
    assert (await world.validate(product.api_key, issued.key)).status is Status.ACTIVE
    for text in (issued.key, reference):
        for attempt in (
            world.licenses.view(OTHER_OWNER, text),
            world.licenses.revoke(OTHER_OWNER, text),
            world.licenses.reveal(OTHER_OWNER, text),
            world.licenses.check(OTHER_OWNER, text, address=None, version=None),
        ):
            with pytest.raises(LicenseNotFound):
                await attempt
        assert await world.finder.search(OTHER_OWNER, text) == []
    assert await world.finder.search(OTHER_OWNER, "secret") == []
    assert [found.license.id for found in await world.finder.search(OWNER, "secret")] == [issued.view.license.id]


async def test_a_key_is_claimed_only_where_it_was_issued(two_shops: World) -> None:
    world = two_shops
    await world.product()
    issued = await world.issue()
    with pytest.raises(KeyNotFound):
        await world.account.claim(member(20, organization_id=2), issued.key)
    await world.account.claim(member(20), issued.key)
    assert await world.account.list(member(20, organization_id=2)) == []
    assert len(await world.account.list(member(20))) == 1


async def test_a_product_of_one_organization_does_not_exist_in_another(two_shops: World) -> None:
    world = two_shops
    await world.product("Pro")
    with pytest.raises(ProductNotFound):
        await world.catalog.view(OTHER_OWNER, name="Pro")
    with pytest.raises(ProductNotFound):
        await world.catalog.rotate_key(OTHER_OWNER, name="Pro")
    with pytest.raises(ProductNotFound):
        await world.issue("Pro", by=OTHER_OWNER)
    assert await world.catalog.list(OTHER_OWNER) == []


async def test_a_key_of_another_product_is_not_found_so_that_its_existence_never_leaks(world: World) -> None:
    pro, lite = await world.product("Pro"), await world.product("Lite")
    issued = await world.issue("Pro", discord_id=20)
    assert (await world.validate(lite.api_key, issued.key)).status is Status.LICENSE_NOT_FOUND
    assert await world.validate(lite.api_key, issued.key) == await world.validate(lite.api_key, "NO-SUCH-KEY")
    assert (await world.validate(pro.api_key, issued.key)).valid


DOORS: dict[Permission, Callable[[World, Actor, str], Awaitable[object]]] = {
    Permission.PRODUCTS_EDIT: lambda world, by, _: world.product("New", by=by),
    Permission.PRODUCTS_VIEW: lambda world, by, _: world.catalog.view(by, name="Pro"),
    Permission.LICENSES_CREATE: lambda world, by, _: world.issue(by=by),
    Permission.LICENSES_VIEW: lambda world, by, key: world.licenses.view(by, key),
    Permission.LICENSES_REVEAL: lambda world, by, key: world.licenses.reveal(by, key),
    Permission.LICENSES_EDIT: lambda world, by, key: world.changes.suspend(by, key),
    Permission.LICENSES_RESET_IPS: lambda world, by, key: world.changes.reset_ips(by, key),
    Permission.LICENSES_EXPORT: lambda world, by, _: world.finder.export(by),
    Permission.TRANSFERS_DECIDE: lambda world, by, _: world.transfers.waiting(by),
    Permission.LICENSES_REVOKE: lambda world, by, key: world.licenses.revoke(by, key),
    Permission.ROLES_EDIT: lambda world, by, _: world.staff.list(by),
}


@pytest.mark.parametrize("permission", list(Permission))
async def test_each_door_opens_with_its_permission_and_with_no_other(world: World, permission: Permission) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    await world.validate(product.api_key, issued.key)
    staff = member(30, roles=frozenset({SUPPORT_ROLE}))
    others = [other for other in Permission if other is not permission]
    await world.staff.grant(OWNER, role_id=SUPPORT_ROLE, permissions=others)
    with pytest.raises(NotAllowed) as refusal:
        await DOORS[permission](world, staff, issued.key)
    assert refusal.value.data == {"permission": permission}
    await world.staff.revoke(OWNER, role_id=SUPPORT_ROLE, permissions=others)
    await world.staff.grant(OWNER, role_id=SUPPORT_ROLE, permissions=[permission])
    await DOORS[permission](world, staff, issued.key)


async def test_a_role_of_another_organization_opens_nothing(two_shops: World) -> None:
    world = two_shops
    await world.staff.grant(OTHER_OWNER, role_id=SUPPORT_ROLE, permissions=list(Permission))
    with pytest.raises(NotAllowed):
        await world.catalog.list(member(30, roles=frozenset({SUPPORT_ROLE})))


async def test_nobody_grants_or_takes_a_permission_that_they_lack(world: World) -> None:
    await world.staff.grant(OWNER, role_id=SUPPORT_ROLE, permissions=[Permission.ROLES_EDIT])
    deputy = member(30, roles=frozenset({SUPPORT_ROLE}))
    for change in (world.staff.grant, world.staff.revoke):
        with pytest.raises(GrantNotAllowed):
            await change(deputy, role_id=5, permissions=[Permission.LICENSES_REVOKE])
    assert await world.staff.grant(deputy, role_id=5, permissions=[Permission.ROLES_EDIT]) == 1


async def test_whoever_may_issue_may_pick_a_product_without_looking_into_it(world: World) -> None:
    await world.product()
    await world.staff.grant(OWNER, role_id=SUPPORT_ROLE, permissions=[Permission.LICENSES_CREATE])
    staff = member(30, roles=frozenset({SUPPORT_ROLE}))
    assert [product.name for product in await world.catalog.list(staff)] == ["Pro"]
    with pytest.raises(NotAllowed):
        await world.catalog.view(staff, name="Pro")
