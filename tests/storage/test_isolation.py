"""Nothing crosses from one organization to another, and nobody does what their roles do not allow."""

import inspect
from collections.abc import Callable

import pytest
from storage_doors import HOLDER, RECIPIENT, Shop, stocked
from storage_world import NOON_MS, OTHER_OWNER, OWNER, World, member
from stored_rows import rows_of

from licensing.bulk import Meant
from licensing.choices import BlockLevel, LicenseState, Permission
from licensing.errors import GrantNotAllowed, KeyNotFound, LicenseNotFound, NotAllowed, ProductNotFound
from licensing.keys import tidy
from licensing.models import Block, RefusalRecord, StaffGrant
from licensing.ports import Search
from licensing.verdict import Call, Status
from storage import DatabaseSettings
from storage.statements import StatementTransaction

SUPPORT_ROLE = 77


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
            world.licenses.check(OTHER_OWNER, text, Call("")),
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
    granted = await world.staff.grant(deputy, role_id=5, permissions=[Permission.ROLES_EDIT])
    assert (granted.before, granted.after) == (frozenset(), {Permission.ROLES_EDIT})


async def test_whoever_may_issue_may_pick_a_product_without_looking_into_it(world: World) -> None:
    await world.product()
    await world.staff.grant(OWNER, role_id=SUPPORT_ROLE, permissions=[Permission.LICENSES_CREATE])
    staff = member(30, roles=frozenset({SUPPORT_ROLE}))
    assert [product.name for product in await world.catalog.list(staff)] == ["Pro"]
    with pytest.raises(NotAllowed):
        await world.catalog.view(staff, name="Pro")


BLOCK = Block(id=0, organization_id=1, level=BlockLevel.ORGANIZATION, network="203.0.113.99", created_at_ms=NOON_MS)


def refusal(product_id: int) -> RefusalRecord:
    return RefusalRecord(
        code="ABCD-EFGH",
        organization_id=1,
        product_id=product_id,
        status="expired",
        trace="[]",
        first_at_ms=NOON_MS,
        last_at_ms=NOON_MS,
    )


# What each statement is asked of an organization, besides the organization.
ASKED: dict[str, Callable[[World, Shop], tuple[tuple[object, ...], dict[str, object]]]] = {
    "products.get": lambda _, it: ((it.product_id,), {}),
    "products.lock": lambda _, it: ((it.product_id,), {}),
    "products.by_name": lambda _, it: ((it.product_name,), {}),
    "products.giving": lambda *_: ((900,), {}),
    "products.list": lambda *_: ((), {"starting": "", "limit": 9}),
    "products.count": lambda *_: ((), {}),
    "customers.get": lambda _, it: ((it.customer_id,), {}),
    "customers.by_discord": lambda *_: ((HOLDER,), {}),
    "customers.by_email": lambda *_: (("a@example.com",), {}),
    "licenses.lock": lambda _, it: ((it.license_id,), {}),
    "licenses.lock_by_key": lambda world, it: ((world.store.vault.digest(tidy(it.license)),), {}),
    "licenses.find_by_key": lambda world, it: ((world.store.vault.digest(tidy(it.license)),), {}),
    "licenses.view": lambda _, it: ((it.license_id,), {}),
    "licenses.count": lambda *_: ((), {}),
    "licenses.held_by": lambda *_: ((HOLDER,), {}),
    "search.page": lambda *_: ((Search(),), {}),
    "search.count": lambda *_: ((Search(),), {}),
    "bulk.standings": lambda *_: ((Meant(),), {}),
    "bulk.holders": lambda *_: ((Meant(), list(LicenseState)), {}),
    "bulk.page": lambda *_: ((Meant(), list(LicenseState)), {"after_id": 0, "limit": 9}),
    "bulk.lock": lambda _, it: ((Meant(), [it.license_id]), {}),
    "blacklist.of": lambda *_: ((), {}),
    "blacklist.count": lambda *_: ((), {}),
    "blacklist.seats": lambda *_: ((BlockLevel.ORGANIZATION, 0), {"starting": "203.", "limit": 9}),
    "blacklist.delete": lambda *_: ((BlockLevel.ORGANIZATION, 0, "203.0.113.99"), {}),
    "history.refusal": lambda *_: (("ABCD-EFGH",), {}),
    "transfers.view": lambda _, it: ((it.accepted_id,), {}),
    "transfers.of_member": lambda world, _: ((RECIPIENT,), {"now_ms": world.now_ms}),
    "transfers.accepted": lambda world, _: ((), {"now_ms": world.now_ms}),
    "staff.permissions": lambda *_: ((frozenset({SUPPORT_ROLE}),), {}),
    "staff.grants": lambda *_: ((), {}),
    "staff.revoke": lambda *_: ((StaffGrant(role_id=SUPPORT_ROLE, permission=Permission.LICENSES_VIEW),), {}),
    "staff.entitled_role": lambda world, _: ((HOLDER, 900), {"now_ms": world.now_ms}),
}
# What writes for the organization that it names, or is about the organization itself.
ABOUT_ONE = {"organizations.get", "organizations.lock", "organizations.mark_left", "staff.grant"}


def test_no_statement_that_names_an_organization_is_missing_here() -> None:
    found = {
        f"{area}.{name}"
        for area, statements in vars(StatementTransaction()).items()
        for name, method in inspect.getmembers(statements, inspect.ismethod)
        if not name.startswith("_") and "organization_id" in inspect.signature(method).parameters
    }
    assert found == ASKED.keys() | ABOUT_ONE


@pytest.mark.parametrize("name", ASKED)
async def test_a_statement_finds_things_in_their_organization_and_in_no_other(
    two_shops: World, settings: DatabaseSettings, name: str
) -> None:
    world = two_shops
    shop = await stocked(world)
    await world.issue(email="a@example.com")
    await world.catalog.change_settings(OWNER, shop.product_id, role_id=900)
    await world.staff.grant(OWNER, role_id=SUPPORT_ROLE, permissions=[Permission.LICENSES_VIEW])
    await world.store.write(lambda tx: tx.blacklist.insert(BLOCK))
    await world.store.write(lambda tx: tx.history.add_refusals([refusal(shop.product_id)], keep=9, keep_unknown=9))
    area, method = name.split(".")
    args, named = ASKED[name](world, shop)

    async def ask(organization_id: int) -> object:
        return await world.store.write(lambda tx: getattr(getattr(tx, area), method)(organization_id, *args, **named))

    before = rows_of(settings.path, 1)
    assert not await ask(2)
    assert rows_of(settings.path, 1) == before
    assert await ask(1)
