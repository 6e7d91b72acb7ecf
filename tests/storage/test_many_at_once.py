"""What is written down of one license among many: enough to deliver it apart, and to tell nobody unless asked."""

import pytest
from factories import DAY_MS
from storage_world import OWNER, World, member

from licensing.events import Action, Event
from licensing.services.bulk import BulkChange, Selection
from licensing.services.terms import Terms
from licensing.services.upkeep import MANY

HOLDER = 20
PRO = Selection(product="Pro")


async def told_of(world: World, action: Action) -> list[tuple[bool, bool]]:
    """Return of every event of a kind whether it is one of many, and whether it is silent."""
    return [marks(event) for event in await world.events() if event.action is action]


def marks(event: Event) -> tuple[bool, bool]:
    return event.is_one_of_many, event.is_silent


async def test_what_happens_to_one_license_is_no_matter_of_many_and_is_told(world: World):
    await world.product(transfers="recipient")
    await world.issue(discord_id=HOLDER)
    await world.transfers.offer(member(HOLDER), 1, to_discord_id=30, to_name="Bob")
    await world.licenses.revoke(OWNER, "#1")

    for action in (Action.LICENSE_CREATED, Action.LICENSE_REVOKED, Action.TRANSFER_CANCELLED):
        assert await told_of(world, action) == [(False, False)]


@pytest.mark.parametrize("tell", [False, True])
async def test_each_of_many_says_whether_its_people_are_told_and_so_does_the_transfer_that_ends_with_it(
    world: World, tell: bool
):
    await world.product(transfers="recipient")
    await world.bulk.issue(OWNER, Terms("Pro", discord_id=HOLDER), 3)
    await world.transfers.offer(member(HOLDER), 1, to_discord_id=30, to_name="Bob")

    await world.bulk.change(OWNER, BulkChange.REVOKE, PRO, tell=tell)

    assert await told_of(world, Action.LICENSE_CREATED) == [(True, True)] * 3
    assert await told_of(world, Action.LICENSE_REVOKED) == [(True, not tell)] * 3
    assert await told_of(world, Action.TRANSFER_CANCELLED) == [(True, not tell)]
    revoked = (await world.events())[-1]
    assert revoked.after == {"state": "revoked", "revoked_at_ms": world.now_ms, "told": tell}


@pytest.mark.parametrize(("count", "is_one_of_many"), [(MANY - 1, False), (MANY, True)])
async def test_ends_that_are_noticed_together_are_told_and_each_is_one_of_many_if_they_are(
    world: World, count: int, is_one_of_many: bool
):
    await world.product()
    await world.bulk.issue(OWNER, Terms("Pro", email="a@example.com", expiry="1d"), count)
    world.now_ms += 2 * DAY_MS

    await world.upkeep.sweep()

    assert await told_of(world, Action.LICENSE_EXPIRED) == [(is_one_of_many, False)] * count
