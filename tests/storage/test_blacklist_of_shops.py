"""Blocked addresses, from the press of staff to the next validation, on a real file."""

import pytest
from sold_license import BOB, EVE, HERE, OPERATOR, Sold, sold, targets
from storage_world import OTHER_OWNER, OWNER, World, member, opened

from licensing.addresses import parse_ip
from licensing.choices import BlockLevel
from licensing.errors import BlockNotFound, CustomerNotFound
from licensing.events import Action
from licensing.services.block_targets import Target
from licensing.verdict import Call, Outcome, Status
from storage import DatabaseSettings


@pytest.mark.parametrize("level", BlockLevel)
@pytest.mark.parametrize(
    ("typed", "met", "missed"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
        ("203.0.113.7", "::ffff:203.0.113.7", "203.0.113.8"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.8"),
        ("203.0.113.99/24", "203.0.113.7", "203.0.112.255"),
        ("2001:db8::7", "2001:db8::7", "2001:db8::8"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
    ],
)
async def test_the_next_validation_from_a_blocked_address_is_refused_at_every_level_until_it_is_unblocked(
    pro: Sold, level: BlockLevel, typed: str, met: str, missed: str
) -> None:
    by, target = targets(pro)[level]
    assert await pro.status(met) is Status.ACTIVE

    entry = await pro.world.blacklist.add(by, network=typed, target=target)

    assert entry.block.level is level
    assert await pro.status(met) is Status.IP_BLOCKED
    assert await pro.status(missed) is Status.ACTIVE
    await pro.world.blacklist.remove(by, network=typed, target=target)
    assert await pro.status(met) is Status.ACTIVE


async def test_the_levels_are_looked_at_in_their_order_and_the_trace_names_the_block(pro: Sold) -> None:
    world, call = pro.world, Call("", HERE, ip=parse_ip(HERE))
    ranges = dict(zip(BlockLevel, ("203.0.0.0/16", "203.0.113.0/24", "203.0.113.0/28", HERE), strict=True))
    for level, (by, target) in targets(pro).items():
        await world.blacklist.add(by, network=ranges[level], target=target)
    for level, (by, target) in targets(pro).items():
        steps = {step.check: step for step in (await world.licenses.check(OWNER, pro.reference, call)).steps}
        assert steps["blacklist"].outcome is Outcome.FAILED
        told = {"level": level} if level is BlockLevel.PLATFORM else {"level": level, "network": ranges[level]}
        assert steps["blacklist"].fact == told  # the operator's own list is the operator's alone
        await world.blacklist.remove(by, network=ranges[level], target=target)
    assert await pro.status() is Status.ACTIVE


async def test_what_one_organization_blocks_is_open_in_another_and_the_platform_blocks_in_all(
    two_shops: World,
) -> None:
    shops = [await sold(two_shops), await sold(two_shops, by=OTHER_OWNER)]
    await two_shops.blacklist.add(OWNER, network=HERE)
    assert [await shop.status() for shop in shops] == [Status.IP_BLOCKED, Status.ACTIVE]
    assert (await two_shops.blacklist.list(OTHER_OWNER)).count == 0
    with pytest.raises(BlockNotFound):
        await two_shops.blacklist.remove(OTHER_OWNER, network=HERE)

    await two_shops.blacklist.add(OPERATOR, network="203.0.113.0/24")
    await two_shops.blacklist.remove(OWNER, network=HERE)
    assert [await shop.status() for shop in shops] == [Status.IP_BLOCKED] * 2
    await two_shops.blacklist.remove(OPERATOR, network="203.0.113.0/24")
    assert [await shop.status() for shop in shops] == [Status.ACTIVE] * 2


async def test_a_block_of_one_customer_or_license_leaves_everybody_else_alone(pro: Sold) -> None:
    world = pro.world
    second, eves = await world.issue(discord_id=BOB), await world.issue(discord_id=EVE)

    async def statuses() -> list[Status]:
        keys = (pro.key, second.key, eves.key)
        return [(await world.validate(pro.api_key, key, HERE)).status for key in keys]

    await world.blacklist.add(OWNER, network=HERE, target=Target(license=pro.key))
    assert await statuses() == [Status.IP_BLOCKED, Status.ACTIVE, Status.ACTIVE]
    await world.blacklist.add(OWNER, network=HERE, target=Target(discord_id=BOB))
    assert await statuses() == [Status.IP_BLOCKED, Status.IP_BLOCKED, Status.ACTIVE]


async def test_another_process_sees_a_block_at_its_very_next_validation(settings: DatabaseSettings) -> None:
    async with opened(settings) as here, opened(settings, organizations=()) as there:
        pro = await sold(here)
        for by in (OWNER, OPERATOR):
            assert await pro.status() is Status.ACTIVE
            await there.blacklist.add(by, network=HERE)
            assert await pro.status() is Status.IP_BLOCKED
            await there.blacklist.remove(by, network=HERE)
            assert await pro.status() is Status.ACTIVE


async def test_a_member_is_blocked_before_they_hold_anything(pro: Sold) -> None:
    world = pro.world
    entry = await world.blacklist.add(OWNER, network=HERE, target=Target(discord_id=EVE, name="Eve"))
    assert (entry.customer.discord_id, entry.customer.name) == (EVE, "Eve")  # type: ignore[union-attr]
    stock = await world.issue()
    await world.account.claim(member(EVE), stock.key)
    assert (await world.validate(pro.api_key, stock.key, HERE)).status is Status.IP_BLOCKED


async def test_a_customer_known_by_email_is_blocked_by_it_and_an_unknown_one_is_not_made_up(pro: Sold) -> None:
    world = pro.world
    issued = await world.issue(email="ada@example.com")
    await world.blacklist.add(OWNER, network=HERE, target=Target(email=" Ada@Example.com "))
    assert (await world.validate(pro.api_key, issued.key, HERE)).status is Status.IP_BLOCKED
    with pytest.raises(CustomerNotFound):
        await world.blacklist.add(OWNER, network=HERE, target=Target(email="adda@example.com"))


async def test_what_was_blocked_and_unblocked_is_written_down_with_whom_it_was_for(pro: Sold) -> None:
    world = pro.world
    await world.blacklist.add(OWNER, network=HERE, reason=" scans ", target=Target(license=pro.reference))
    await world.blacklist.remove(OWNER, network=HERE, target=Target(license=pro.reference))

    blocked, unblocked = (await world.events())[-2:]

    facts = {"level": "license", "network": HERE, "reason": "scans", "license_id": int(pro.reference[1:])}
    assert (blocked.action, blocked.before, blocked.after) == (Action.ADDRESS_BLOCKED, None, facts)
    assert (unblocked.action, unblocked.before, unblocked.after) == (Action.ADDRESS_UNBLOCKED, facts, None)
    assert blocked.reason == "scans"
    assert blocked.product_id is not None
    assert blocked.customer_id is not None
    # Whoever follows the events reads a license anew for one of its own, and the whole blacklist for one without.
    assert blocked.license_id is unblocked.license_id is None
