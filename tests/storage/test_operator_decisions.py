"""What the operator decides about servers: felt at the next validation, in every process."""

import pytest
from storage_world import OTHER_OWNER, OWNER, World, opened

from licensing.choices import ActorKind, OrganizationState
from licensing.errors import LimitReached, NotAllowed, NothingToChange
from licensing.events import Action
from licensing.input_errors import NotesTooLong, PlanUnknown
from licensing.models import PLATFORM, Actor, Plan
from licensing.verdict import Status
from storage import DatabaseSettings

OPERATOR = Actor(organization_id=1, kind=ActorKind.OPERATOR)
ACTIVE, SUSPENDED, BILLING = OrganizationState


async def test_another_process_knows_at_its_next_validation_that_a_server_was_suspended_or_reinstated(
    settings: DatabaseSettings,
) -> None:
    async with opened(settings, organizations=(1, 2)) as here, opened(settings, organizations=()) as there:
        product, other = await here.product(), await here.product(by=OTHER_OWNER)
        key, others = (await here.issue(discord_id=20)).key, (await here.issue(by=OTHER_OWNER, discord_id=20)).key
        for state, status in (
            (SUSPENDED, Status.ORG_SUSPENDED),
            (BILLING, Status.BILLING_SUSPENDED),
            (ACTIVE, Status.ACTIVE),
        ):
            changed = await there.organizations.change_state(OPERATOR, state, reason="unpaid")
            assert changed.after.state is state
            assert (await here.validate(product.api_key, key)).status is status
            assert (await here.validate(other.api_key, others)).status is Status.ACTIVE


async def test_another_process_knows_a_new_plan_at_its_next_validation(settings: DatabaseSettings) -> None:
    async with opened(settings) as here, opened(settings, organizations=()) as there:
        here.plans["large"] = Plan(calls_per_product_per_day=1)
        product = await here.product()
        key = (await here.issue(discord_id=20)).key
        assert [(await here.validate(product.api_key, key)).status for _ in range(2)] == [Status.ACTIVE] * 2
        await there.organizations.change_plan(OPERATOR, "large")
        assert (await here.validate(product.api_key, key)).status is Status.RATE_LIMIT_EXCEEDED
        await there.organizations.change_plan(OPERATOR, "")
        assert (await here.validate(product.api_key, key)).status is Status.ACTIVE


async def test_a_plan_limits_what_is_made_from_then_on(world: World) -> None:
    world.plans["small"] = Plan(products=1)
    await world.product("One")
    await world.organizations.change_plan(OPERATOR, "small")
    with pytest.raises(LimitReached):
        await world.product("Two")
    await world.organizations.change_plan(OPERATOR, " default ")
    await world.product("Two")
    assert [it.organization.plan for it in await world.organizations.standings()] == [""]


async def test_each_decision_is_written_down_with_before_and_after(world: World) -> None:
    await world.organizations.change_state(OPERATOR, BILLING, reason=" unpaid ")
    await world.organizations.change_state(OPERATOR, ACTIVE)
    await world.organizations.change_plan(OPERATOR, "large")

    told = [(it.action, it.before, it.after, it.reason) for it in (await world.events())[-3:]]

    assert told == [
        (Action.ORGANIZATION_SUSPENDED, {"state": "active"}, {"state": "billing_suspended"}, "unpaid"),
        (Action.ORGANIZATION_REINSTATED, {"state": "billing_suspended"}, {"state": "active"}, None),
        (Action.ORGANIZATION_PLAN_CHANGED, {"plan": ""}, {"plan": "large"}, None),
    ]


async def test_what_changes_nothing_or_is_unknown_is_refused(world: World) -> None:
    before = await world.events()
    for attempt, refusal in (
        (world.organizations.change_state(OPERATOR, ACTIVE), NothingToChange),
        (world.organizations.change_state(OPERATOR, SUSPENDED, reason="x" * 1_001), NotesTooLong),
        (world.organizations.change_plan(OPERATOR, "default"), NothingToChange),
        (world.organizations.change_plan(OPERATOR, "gold"), PlanUnknown),
        (
            world.organizations.change_state(OPERATOR.model_copy(update={"organization_id": 9}), SUSPENDED),
            NothingToChange,
        ),
    ):
        with pytest.raises(refusal):
            await attempt
    assert await world.events() == before


async def test_an_administrator_decides_nothing_about_their_server_and_nobody_about_the_platform(
    world: World,
) -> None:
    platform = Actor(organization_id=PLATFORM, kind=ActorKind.OPERATOR)
    for by in (OWNER, OPERATOR.model_copy(update={"kind": ActorKind.SYSTEM}), platform):
        with pytest.raises(NotAllowed):
            await world.organizations.change_state(by, SUSPENDED)
        with pytest.raises(NotAllowed):
            await world.organizations.change_plan(by, "large")


async def test_servers_are_listed_with_what_they_have_and_without_the_platform(settings: DatabaseSettings) -> None:
    async with opened(settings, organizations=(1, 2)) as world:
        await world.product("One")
        await world.product("Two")
        await world.issue("One")
        await world.organizations.left(2)

        listed = await world.organizations.standings()

        assert [(it.organization.id, it.products, it.licenses, it.present) for it in listed] == [
            (1, 2, 1, True),
            (2, 0, 0, False),
        ]
