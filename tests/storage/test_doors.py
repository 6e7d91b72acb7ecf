"""Every door of the services: which permission opens it, and that none leads into another organization."""

import inspect
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

import pytest
from storage_doors import MEMBERS, ROLE, STAFF, Door, Shop, stocked
from storage_world import OWNER, World, member, opened
from stored_rows import rows_of

from licensing import services
from licensing.choices import ActorKind, Permission
from licensing.errors import (
    BlockNotFound,
    CustomerNotFound,
    KeyNotFound,
    LicenseNotFound,
    NotAllowed,
    ProductNotFound,
    SupportCodeUnknown,
    TransferNotFound,
)
from licensing.models import Actor
from licensing.services.blacklist import Blocks
from licensing.services.bulk import Applied, Preview
from licensing.services.finder import Found
from licensing.services.staff import RoleChanged
from storage import DatabaseSettings

OTHER = 2
NOT_FOUND = (
    BlockNotFound,
    CustomerNotFound,
    KeyNotFound,
    LicenseNotFound,
    ProductNotFound,
    SupportCodeUnknown,
    TransferNotFound,
)
STRANGER = member(30, roles=frozenset({ROLE}))
EXEMPT = {"staff.permissions": "tells an asker what they themselves may do"}


def methods_with_an_actor() -> Iterator[str]:
    """Find every public method of a service that takes an actor, named as a door is."""
    for module in iter_modules(services.__path__, f"{services.__name__}."):
        for _, service in inspect.getmembers(import_module(module.name), inspect.isclass):
            if service.__module__ == module.name:
                yield from (f"{module.name.rpartition('.')[2]}.{name}" for name in _acting(service))


def _acting(service: type) -> Iterator[str]:
    for name, method in inspect.getmembers(service, inspect.isfunction):
        kinds = [parameter.annotation for parameter in inspect.signature(method).parameters.values()]
        if not name.startswith("_") and Actor in kinds:
            yield name


def named(doors: list[Door]) -> list[object]:
    """Name each case after its door, numbered where one door is tried in several ways."""
    names = [door.name for door in doors]
    return [
        pytest.param(door, id=door.name + f"-{names[:at].count(door.name) + 1}" * (names.count(door.name) > 1))
        for at, door in enumerate(doors)
    ]


def test_no_method_that_acts_for_somebody_is_missing_from_the_doors() -> None:
    assert set(methods_with_an_actor()) == {door.name for door in (*STAFF, *MEMBERS)} | EXEMPT.keys()
    assert {permission for door in STAFF for permission in door.permissions} == set(Permission)


@pytest.mark.parametrize("door", named(STAFF))
async def test_a_door_opens_with_its_permission_and_with_no_other(
    world: World, settings: DatabaseSettings, door: Door
) -> None:
    shop = await stocked(world)
    others = [permission for permission in Permission if permission not in door.permissions]
    await world.staff.grant(OWNER, role_id=ROLE, permissions=others)
    before = rows_of(settings.path, 1)
    with pytest.raises(NotAllowed) as refusal:
        await door.open(world, STRANGER, shop)
    assert rows_of(settings.path, 1) == before
    if not door.permissions:
        await door.open(world, Actor(organization_id=1, kind=ActorKind.OPERATOR), shop)
        return
    assert refusal.value.data == {"permission": door.permissions[0]}
    await world.staff.revoke(OWNER, role_id=ROLE, permissions=others)
    await world.staff.grant(OWNER, role_id=ROLE, permissions=[door.permissions[-1]])
    await door.open(world, STRANGER, shop)


def caller(door: Door, organization_id: int) -> Actor:
    """Return who may use a door in an organization: for a member's, the one whom it concerns in the first."""
    if door.as_member is not None:
        return member(door.as_member, organization_id=organization_id)
    if not door.permissions:
        return Actor(organization_id=organization_id, kind=ActorKind.OPERATOR)
    return Actor(organization_id=organization_id, id=10, name="Olivia", is_administrator=True)


def ways(shop: Shop) -> list[Shop]:
    """Return the same shop named by names and keys, and by ids and references."""
    return [shop, replace(shop, product=shop.product_id, license=f"#{shop.license_id}")]


@pytest.mark.parametrize("door", named([*STAFF, *MEMBERS]))
async def test_a_door_opens_where_things_are_and_finds_nothing_from_another_organization(
    settings: DatabaseSettings, door: Door
) -> None:
    async with opened(settings, organizations=(1, OTHER)) as world:
        shop = await stocked(world)
        await world.staff.grant(OWNER, role_id=ROLE, permissions=list(Permission))
        before = rows_of(settings.path, 1)
        for way in ways(shop):
            try:
                answer = await door.open(world, caller(door, OTHER), way)
            except NOT_FOUND:
                continue
            assert door.makes_own or is_nothing(answer)
        assert rows_of(settings.path, 1) == before
        answer = await door.open(world, caller(door, 1), shop)
        assert door.makes_own or not is_nothing(answer)


def is_nothing(answer: object) -> bool:
    if isinstance(answer, Found):
        return not answer.views and answer.count == 0
    if isinstance(answer, Blocks):
        return not answer.entries and answer.count == 0
    if isinstance(answer, Preview):
        return answer.count == 0 and not answer.sample
    if isinstance(answer, Applied):
        return answer.changed == 0
    if isinstance(answer, RoleChanged):
        return not answer.before | answer.after
    return answer in ([], (), 0)


async def test_what_the_bot_itself_asks_finds_nothing_from_another_organization(settings: DatabaseSettings) -> None:
    async with opened(settings, organizations=(1, OTHER)) as world:
        shop = await stocked(world)
        await world.catalog.change_settings(OWNER, shop.product_id, role_id=900)
        assert await world.roles.needs(1, shop.product_id, shop.customer_id) is not None
        assert await world.roles.needs(OTHER, shop.product_id, shop.customer_id) is None
        assert len(await world.roles.of_member(1, 20)) == 1
        assert await world.roles.of_member(OTHER, 20) == []
        with pytest.raises(TransferNotFound):
            await world.transfers.view(OTHER, shop.offered_id)
