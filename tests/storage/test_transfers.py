"""A license changes hands: each step by the one who may take it, and of every race exactly one outcome."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from storage_world import OWNER, World, member, opened

from licensing.choices import TransferRule, TransferState
from licensing.errors import (
    LicenseNotFound,
    LicenseNotUsable,
    NotAllowed,
    Refusal,
    TransferEnded,
    TransferNotAccepted,
    TransferNotFound,
    TransferPending,
    TransfersOff,
    TransferToSelf,
)
from licensing.events import Action
from licensing.models import TransferView
from licensing.services.changes import Edit
from licensing.services.transfers import RECIPIENT_HAS_MS, STAFF_HAS_MS
from licensing.verdict import Status
from storage import DatabaseSettings

ALICE, BOB, CAROL = member(20), member(21), member(22)


async def offered(world: World, **settings: object) -> tuple[str, str, TransferView]:
    """Return an API key, Alice's license key, and her offer of it to Bob."""
    product = await world.product(**settings)
    issued = await world.issue(discord_id=20)
    await world.validate(product.api_key, issued.key, "203.0.113.1")
    offer = await world.transfers.offer(ALICE, issued.view.license.id, to_discord_id=21, to_name="Bob")
    return product.api_key, issued.key, offer


async def holder(world: World, key: str) -> int | None:
    customer = (await world.licenses.view(OWNER, key)).customer
    return customer.discord_id if customer else None


async def test_with_staff_in_between_the_license_moves_when_they_approve(world: World) -> None:
    api_key, key, offer = await offered(world)
    transfer_id = offer.transfer.id
    with pytest.raises(TransferNotAccepted):
        await world.transfers.approve(OWNER, transfer_id)
    accepted = await world.transfers.accept(BOB, transfer_id)
    assert accepted.transfer.state is TransferState.ACCEPTED
    assert await holder(world, key) == 20
    assert [waiting.transfer.id for waiting in await world.transfers.waiting(OWNER)] == [transfer_id]
    done = await world.transfers.approve(OWNER, transfer_id)
    assert done.transfer.state is TransferState.DONE
    assert await holder(world, key) == 21
    view = await world.licenses.view(OWNER, key)
    assert [seat.address for seat in view.addresses] == ["203.0.113.1"]
    assert (await world.validate(api_key, key, "203.0.113.1")).valid
    assert await world.transfers.waiting(OWNER) == []
    actions = [event.action for event in await world.events()][-3:]
    assert actions == [Action.TRANSFER_OFFERED, Action.TRANSFER_ACCEPTED, Action.TRANSFERRED]


async def test_where_the_recipient_is_enough_the_license_moves_when_they_accept(world: World) -> None:
    _, key, offer = await offered(world, transfers=TransferRule.RECIPIENT)
    assert (await world.transfers.accept(BOB, offer.transfer.id)).transfer.state is TransferState.DONE
    assert await holder(world, key) == 21
    assert await world.account.list(ALICE) == []


async def test_who_does_not_hold_a_license_cannot_offer_it_and_nobody_offers_it_twice_or_to_themselves(
    world: World,
) -> None:
    _, _, offer = await offered(world)
    license_id = offer.license.license.id
    with pytest.raises(LicenseNotFound):
        await world.transfers.offer(BOB, license_id, to_discord_id=22, to_name="Carol")
    with pytest.raises(TransferPending):
        await world.transfers.offer(ALICE, license_id, to_discord_id=22, to_name="Carol")
    with pytest.raises(TransferToSelf):
        await world.transfers.offer(ALICE, license_id, to_discord_id=20, to_name="Alice")


async def test_a_product_that_forbids_it_lets_no_license_change_hands(world: World) -> None:
    await world.product(transfers=TransferRule.OFF)
    issued = await world.issue(discord_id=20)
    with pytest.raises(TransfersOff):
        await world.transfers.offer(ALICE, issued.view.license.id, to_discord_id=21, to_name="Bob")


async def test_each_step_is_taken_only_by_the_one_who_may_take_it(world: World) -> None:
    _, _, offer = await offered(world)
    transfer_id = offer.transfer.id
    for stranger_step in (
        world.transfers.accept(CAROL, transfer_id),
        world.transfers.accept(ALICE, transfer_id),
        world.transfers.decline(CAROL, transfer_id),
        world.transfers.cancel(BOB, transfer_id),
        world.transfers.accept(member(21, organization_id=2), transfer_id),
    ):
        with pytest.raises(TransferNotFound):
            await stranger_step
    for staff_step in (world.transfers.approve(BOB, transfer_id), world.transfers.deny(BOB, transfer_id)):
        with pytest.raises(NotAllowed):
            await staff_step
    assert [mine.transfer.id for mine in await world.transfers.mine(BOB)] == [transfer_id]
    assert [mine.transfer.id for mine in await world.transfers.mine(ALICE)] == [transfer_id]
    assert await world.transfers.mine(CAROL) == []


@pytest.mark.parametrize("ending", ["declined", "cancelled", "denied"])
async def test_a_transfer_that_has_ended_is_over_and_leaves_the_license_where_it_was(
    world: World, ending: str
) -> None:
    _, key, offer = await offered(world)
    transfer_id = offer.transfer.id
    if ending == "declined":
        ended = await world.transfers.decline(BOB, transfer_id)
    elif ending == "cancelled":
        await world.transfers.accept(BOB, transfer_id)
        ended = await world.transfers.cancel(ALICE, transfer_id)
    else:
        await world.transfers.accept(BOB, transfer_id)
        ended = await world.transfers.deny(OWNER, transfer_id, reason="No")
    assert ended.transfer.state == ending
    for step in (
        world.transfers.accept(BOB, transfer_id),
        world.transfers.cancel(ALICE, transfer_id),
        world.transfers.approve(OWNER, transfer_id),
    ):
        with pytest.raises(TransferEnded):
            await step
    assert await holder(world, key) == 20
    await world.transfers.offer(ALICE, offer.license.license.id, to_discord_id=22, to_name="Carol")


async def test_an_offer_lapses_after_three_days_and_a_decision_after_two_weeks(world: World) -> None:
    _, key, offer = await offered(world)
    world.now_ms += RECIPIENT_HAS_MS
    with pytest.raises(TransferEnded):
        await world.transfers.accept(BOB, offer.transfer.id)
    await world.upkeep.sweep()
    again = await world.transfers.offer(ALICE, offer.license.license.id, to_discord_id=21, to_name="Bob")
    await world.transfers.accept(BOB, again.transfer.id)
    world.now_ms += RECIPIENT_HAS_MS + 1
    await world.upkeep.sweep()
    assert len(await world.transfers.waiting(OWNER)) == 1
    world.now_ms += STAFF_HAS_MS
    await world.upkeep.sweep()
    await world.upkeep.sweep()
    assert await world.transfers.waiting(OWNER) == []
    lapsed = [event for event in await world.events() if event.action is Action.TRANSFER_CANCELLED]
    assert [(event.after or {})["state"] for event in lapsed] == ["expired", "expired"]
    assert await holder(world, key) == 20


async def test_a_license_that_is_revoked_suspended_or_expired_does_not_change_hands(world: World) -> None:
    _, key, offer = await offered(world)
    await world.transfers.accept(BOB, offer.transfer.id)
    await world.changes.suspend(OWNER, key)
    with pytest.raises(LicenseNotUsable):
        await world.transfers.approve(OWNER, offer.transfer.id)
    await world.licenses.revoke(OWNER, key)
    with pytest.raises(TransferEnded):
        await world.transfers.approve(OWNER, offer.transfer.id)
    assert await world.transfers.waiting(OWNER) == []


@pytest.mark.parametrize("accepted", [False, True], ids=["accept", "approve"])
@pytest.mark.parametrize("hurdle", ["off", "suspended", "expired"])
async def test_what_has_come_in_the_way_since_the_offer_stops_the_next_step(
    world: World, hurdle: str, accepted: bool
) -> None:
    _, key, offer = await offered(world)
    transfer_id = offer.transfer.id
    if accepted:
        await world.transfers.accept(BOB, transfer_id)
    if hurdle == "off":
        await world.catalog.change_settings(OWNER, offer.license.product.id, transfers=TransferRule.OFF)
    elif hurdle == "suspended":
        await world.changes.suspend(OWNER, key)
    else:
        await world.changes.edit(OWNER, key, Edit(expiry="1d"))
        world.now_ms += 86_400_000
    with pytest.raises(TransfersOff if hurdle == "off" else LicenseNotUsable):
        await (world.transfers.approve(OWNER, transfer_id) if accepted else world.transfers.accept(BOB, transfer_id))
    assert await holder(world, key) == 20
    assert Action.TRANSFERRED not in [event.action for event in await world.events()]


async def test_a_revocation_ends_the_transfer_and_says_so_once(world: World) -> None:
    _, key, _ = await offered(world)
    await world.licenses.revoke(OWNER, key)
    assert await world.transfers.mine(BOB) == []
    ended = [event for event in await world.events() if event.action is Action.TRANSFER_CANCELLED]
    assert [(event.after or {})["state"] for event in ended] == [TransferState.CANCELLED]


Step = Callable[[World, TransferView], Awaitable[object]]


async def accept(world: World, offer: TransferView) -> object:
    return await world.transfers.accept(BOB, offer.transfer.id)


async def cancel(world: World, offer: TransferView) -> object:
    return await world.transfers.cancel(ALICE, offer.transfer.id)


async def approve(world: World, offer: TransferView) -> object:
    return await world.transfers.approve(OWNER, offer.transfer.id)


async def revoke(world: World, offer: TransferView) -> object:
    return await world.licenses.revoke(OWNER, f"#{offer.license.license.id}")


async def won(step: Step, world: World, offer: TransferView) -> bool:
    try:
        await step(world, offer)
    except Refusal:
        return False
    return True


@pytest.fixture(params=["one store", "two stores on one file"])
async def rival(world: World, settings: DatabaseSettings, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The second racer's world: the same one, or another process's view of the same file."""
    if request.param == "one store":
        yield world
        return
    async with opened(settings) as other:
        yield other


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("race", [(accept, cancel), (accept, accept)])
async def test_two_steps_that_race_for_an_offer_have_one_winner(
    world: World, rival: World, race: tuple[Step, ...], order: int
) -> None:
    _, key, offer = await offered(world, transfers=TransferRule.RECIPIENT)
    racers = zip(race[::order], (world, rival), strict=True)
    wins = await asyncio.gather(*(won(step, theirs, offer) for step, theirs in racers))
    assert sum(wins) == 1
    moved = await holder(world, key) == 21
    events = [event.action for event in await world.events()]
    assert events.count(Action.TRANSFERRED) == moved
    assert events.count(Action.TRANSFERRED) + events.count(Action.TRANSFER_CANCELLED) == 1


@pytest.mark.parametrize("order", [1, -1])
async def test_of_a_revocation_and_an_approval_that_race_the_license_ends_revoked_either_way(
    world: World, rival: World, order: int
) -> None:
    api_key, key, offer = await offered(world)
    await world.transfers.accept(BOB, offer.transfer.id)
    racers = ((revoke, world), (approve, rival))[::order]
    revoked, approved = (await asyncio.gather(*(won(step, theirs, offer) for step, theirs in racers)))[::order]
    assert revoked
    assert (await world.validate(api_key, key)).status is Status.REVOKED
    assert await holder(world, key) == (21 if approved else 20)
    ends = {Action.TRANSFERRED, Action.TRANSFER_CANCELLED}
    assert len([event for event in await world.events() if event.action in ends]) == 1


async def test_twenty_offers_of_one_license_at_once_make_one_offer(world: World, rival: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=20)
    offers = await asyncio.gather(
        *(
            (world, rival)[n % 2].transfers.offer(
                ALICE, issued.view.license.id, to_discord_id=100 + n, to_name=f"{n}"
            )
            for n in range(20)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(offer, TransferView) for offer in offers) == 1
    assert sum(isinstance(offer, TransferPending) for offer in offers) == 19


async def test_a_stranger_learns_nothing_of_a_transfer_not_even_that_it_has_ended(world: World) -> None:
    _, _, offer = await offered(world)
    await world.transfers.cancel(ALICE, offer.transfer.id)
    stranger = member(99, roles=frozenset({1}))  # Discord sends @everyone, whose id is the server's, with everybody
    for step in (world.transfers.accept, world.transfers.decline, world.transfers.cancel):
        with pytest.raises(TransferNotFound):
            await step(stranger, offer.transfer.id)


async def test_an_offer_that_lapsed_unnoticed_makes_way_for_a_new_one(world: World) -> None:
    _, _, offer = await offered(world)
    world.now_ms += RECIPIENT_HAS_MS
    assert await world.transfers.mine(ALICE) == []
    again = await world.transfers.offer(ALICE, offer.license.license.id, to_discord_id=22, to_name="Carol")
    assert [mine.transfer.id for mine in await world.transfers.mine(ALICE)] == [again.transfer.id]
