"""Holders free the seats of their own licenses: as often as the product allows, decided under the lock."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from storage_world import OWNER, World, member, opened

from licensing.choices import ActorKind, AutoRegister, Permission, TransferRule
from licensing.errors import (
    LicenseNotFound,
    NoAddresses,
    Refusal,
    ResetLocksOut,
    ResetNotUsable,
    ResetsOff,
    ResetsUsedUp,
    ResetTooSoon,
)
from licensing.events import Action, Event
from licensing.models import Actor
from licensing.resets import DAY_MS, YEAR_MS, Hindrance
from licensing.services.resets import OwnReset
from licensing.verdict import Call
from storage import DatabaseSettings

ALICE, BOB = member(20), member(21)
HOME, OFFICE = "203.0.113.1", "203.0.113.2"


class Held:
    """A license that Alice holds, one seat of which is taken."""

    def __init__(self, world: World, api_key: str, key: str, license_id: int, product_id: int) -> None:
        self.world, self.api_key, self.key = world, api_key, key
        self.license_id, self.product_id = license_id, product_id

    async def run(self, address: str = HOME, *, on: World | None = None) -> str:
        return (await (on or self.world).validate(self.api_key, self.key, address)).status.value

    async def reset(self, by: Actor = ALICE) -> OwnReset:
        return await self.world.resets.reset(by, self.license_id)

    async def change(self, **switches: object) -> None:
        await self.world.catalog.change_settings(OWNER, self.product_id, **switches)

    async def resets(self) -> list[Event]:
        return [event for event in await self.world.events() if event.action is Action.LICENSE_IPS_RESET]


async def held_by_alice(world: World, **switches: object) -> Held:
    product = await world.product(**{"reset_cooldown_days": 7, **switches})
    issued = await world.issue(discord_id=20, max_ips=1)
    held = Held(world, product.api_key, issued.key, issued.view.license.id, product.product.id)
    assert await held.run() == "active"
    return held


@pytest.fixture
async def held(world: World) -> Held:
    return await held_by_alice(world)


@pytest.fixture(params=["one store", "two stores on one file"])
async def rival(world: World, settings: DatabaseSettings, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The second racer's world: the same one, or another process's view of the same file."""
    if request.param == "one store":
        yield world
        return
    async with opened(settings) as other:
        yield other


async def test_a_reset_frees_every_seat_for_the_very_next_call_and_the_ledger_names_the_holder(
    world: World, rival: World
) -> None:
    held = await held_by_alice(world, max_devices=1)
    assert await held.run(on=rival) == "active"
    assert await held.run(OFFICE, on=rival) == "ip_limit_reached"

    made = await held.reset()

    assert [seat.address for seat in made.before.addresses] == [HOME]
    assert made.after.view.addresses == made.after.view.devices == ()
    assert made.after.hindrance is Hindrance.TOO_SOON
    assert made.after.again_at_ms == world.now_ms + 7 * DAY_MS
    assert await held.run(OFFICE, on=rival) == "active"
    assert await held.run(HOME) == "ip_limit_reached"
    [event] = await held.resets()
    assert (event.actor_kind, event.actor_id, event.license_id) == (ActorKind.MEMBER, 20, held.license_id)
    assert event.before == {"addresses": [HOME], "devices": [""]}
    assert event.after == {"addresses": [], "devices": [], "by_holder": True}


async def test_the_next_reset_waits_for_the_cooldown_and_a_refused_one_changes_nothing(held: Held) -> None:
    await held.reset()
    await held.run()
    held.world.now_ms += 7 * DAY_MS - 1
    with pytest.raises(ResetTooSoon) as refused:
        await held.reset()
    assert refused.value.data == {"at_s": (held.world.now_ms + 1) // 1000}
    assert await held.run(OFFICE) == "ip_limit_reached"
    assert len(await held.resets()) == 1
    held.world.now_ms += 1
    await held.reset()
    assert await held.run(OFFICE) == "active"


async def test_the_yearly_cap_is_rolling_and_frees_one_reset_as_the_oldest_becomes_a_year_old(world: World) -> None:
    held = await held_by_alice(world, reset_cooldown_days=1, resets_per_year=2)
    first_ms = world.now_ms
    for left in (1, 0):
        assert (await held.reset()).after.left == left
        await held.run()
        world.now_ms += 30 * DAY_MS
    with pytest.raises(ResetsUsedUp) as refused:
        await held.reset()
    assert refused.value.data == {"limit": 2, "at_s": (first_ms + YEAR_MS) // 1000}
    world.now_ms = first_ms + YEAR_MS - 1
    with pytest.raises(ResetsUsedUp):
        await held.reset()
    world.now_ms += 1
    await held.run()
    assert (await held.reset()).after.left == 0


async def test_of_many_presses_at_once_one_resets_and_the_license_is_reset_once(world: World, rival: World) -> None:
    held = await held_by_alice(world, reset_cooldown_days=1, resets_per_year=1)

    made = await asyncio.gather(
        *((world, rival)[n % 2].resets.reset(ALICE, held.license_id) for n in range(20)), return_exceptions=True
    )

    assert sum(isinstance(each, OwnReset) for each in made) == 1
    assert sum(isinstance(each, ResetsUsedUp) for each in made) == 19
    assert len(await held.resets()) == 1


async def test_resets_amid_a_race_for_seats_never_leave_more_of_them_than_there_are(world: World) -> None:
    held = await held_by_alice(world)
    racers = [held.run(f"203.0.113.{last}") for last in range(10, 30)]
    await asyncio.gather(*racers[:10], held.reset(), *racers[10:])
    assert len((await world.licenses.view(OWNER, held.key)).addresses) <= 1
    assert len(await held.resets()) == 1


async def test_a_reset_with_nothing_to_free_is_refused_and_costs_nothing(held: Held) -> None:
    await held.world.changes.reset_ips(OWNER, held.key)
    for attempt in (held.reset(), held.world.resets.resettable(ALICE, held.license_id)):
        with pytest.raises(NoAddresses):
            await attempt
    assert await held.run() == "active"
    await held.reset()


async def test_the_resets_of_one_license_count_for_no_other_of_the_same_holder(world: World) -> None:
    held = await held_by_alice(world, resets_per_year=1)
    other = await world.issue(discord_id=20, max_ips=1)
    await world.validate(held.api_key, other.key, HOME)
    await held.reset()
    assert (await world.resets.reset(ALICE, other.view.license.id)).before.addresses


async def test_what_staff_reset_counts_neither_as_cooldown_nor_against_the_cap(world: World) -> None:
    held = await held_by_alice(world, resets_per_year=1)
    chief = Actor(organization_id=1, id=20, name="Alice", is_administrator=True)  # staff who holds the license
    await world.changes.reset_ips(chief, held.key)
    await held.run()
    standing = await world.resets.standing(ALICE, held.license_id)
    assert (standing.hindrance, standing.left) == (None, 1)


@pytest.mark.parametrize(
    "who",
    [
        BOB,
        member(20, organization_id=2),
        Actor(organization_id=1, id=10, is_administrator=True),
        Actor(organization_id=1, kind=ActorKind.OPERATOR),
    ],
)
async def test_nobody_but_the_holder_resets_whatever_else_they_may(settings: DatabaseSettings, who: Actor) -> None:
    async with opened(settings, organizations=(1, 2)) as world:
        held = await held_by_alice(world)
        await world.staff.grant(OWNER, role_id=77, permissions=list(Permission))
        by = who.model_copy(update={"role_ids": frozenset({77})})
        for ask in (world.resets.standing, world.resets.resettable, world.resets.reset):
            with pytest.raises(LicenseNotFound):
                await ask(by, held.license_id)
        assert await held.resets() == []


async def test_a_license_that_only_an_email_address_holds_is_reset_by_nobody(world: World) -> None:
    product = await world.product(reset_cooldown_days=1)
    issued = await world.issue(email="a@example.com")
    await world.validate(product.api_key, issued.key)
    for by in (ALICE, Actor(organization_id=1, kind=ActorKind.OPERATOR)):
        with pytest.raises(LicenseNotFound):
            await world.resets.reset(by, issued.view.license.id)


async def test_settings_that_changed_after_the_question_decide(held: Held) -> None:
    assert (await held.world.resets.resettable(ALICE, held.license_id)).hindrance is None
    await held.change(reset_cooldown_days=0)
    with pytest.raises(ResetsOff) as refused:
        await held.reset()
    assert refused.value.data == {"product": "Pro"}
    await held.change(reset_cooldown_days=30)
    await held.reset()
    await held.run()
    held.world.now_ms += 20 * DAY_MS
    with pytest.raises(ResetTooSoon):
        await held.reset()
    await held.change(reset_cooldown_days=20, resets_per_year=1)
    with pytest.raises(ResetsUsedUp):
        await held.reset()
    await held.change(resets_per_year=2)
    await held.reset()


async def test_a_license_that_does_not_work_keeps_its_seats_for_staff_to_see(world: World) -> None:
    held = await held_by_alice(world)
    await world.changes.suspend(OWNER, held.key)
    with pytest.raises(ResetNotUsable):
        await held.reset()
    await world.changes.reinstate(OWNER, held.key)
    await world.licenses.revoke(OWNER, held.key)
    with pytest.raises(ResetNotUsable):
        await held.reset()
    assert len((await world.licenses.view(OWNER, held.key)).addresses) == 1


async def test_where_no_address_registers_by_itself_the_holder_cannot_lock_themselves_out(world: World) -> None:
    held = await held_by_alice(world)
    await held.change(auto_register=AutoRegister.OFF)
    with pytest.raises(ResetLocksOut):
        await held.reset()
    await held.change(max_devices=1)
    call = Call(held.key, HOME, device_id="tower")
    assert (await world.validation.validate(held.api_key, call)).verdict.valid
    await held.reset()
    assert await held.run() == "active"  # the address kept its place, the device's was free
    assert (await held.resets())[-1].before == {"addresses": [], "devices": ["tower"]}


async def hand_over(held: Held, giver: Actor, taker: Actor) -> None:
    world = held.world
    offer = await world.transfers.offer(giver, held.license_id, to_discord_id=taker.id or 0, to_name="x")
    await world.transfers.accept(taker, offer.transfer.id)


async def test_a_transfer_ends_no_cooldown_and_the_new_holder_has_all_resets_of_a_year(world: World) -> None:
    held = await held_by_alice(world, resets_per_year=1, transfers=TransferRule.RECIPIENT)
    await held.reset()
    await held.run()
    await hand_over(held, ALICE, BOB)
    with pytest.raises(ResetTooSoon):
        await held.reset(BOB)
    with pytest.raises(LicenseNotFound):
        await held.reset(ALICE)
    world.now_ms += 7 * DAY_MS
    await held.reset(BOB)


async def test_a_license_that_comes_back_brings_nobody_their_resets_back(world: World) -> None:
    held = await held_by_alice(world, resets_per_year=1, transfers=TransferRule.RECIPIENT)
    await held.reset()
    await hand_over(held, ALICE, BOB)
    await hand_over(held, BOB, ALICE)
    await held.run()
    world.now_ms += 30 * DAY_MS
    with pytest.raises(ResetsUsedUp):
        await held.reset()


async def test_a_reset_that_races_a_revocation_is_done_before_it_or_not_at_all(world: World, rival: World) -> None:
    held = await held_by_alice(world)

    async def reset() -> bool:
        try:
            await rival.resets.reset(ALICE, held.license_id)
        except Refusal:
            return False
        return True

    won, _ = await asyncio.gather(reset(), world.licenses.revoke(OWNER, held.key))
    actions = [event.action for event in await world.events()]
    assert actions.count(Action.LICENSE_IPS_RESET) == won
    if won:
        assert actions.index(Action.LICENSE_IPS_RESET) < actions.index(Action.LICENSE_REVOKED)
    assert await held.run() == "revoked"
