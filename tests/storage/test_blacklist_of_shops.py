"""Blocked addresses, from the press of staff to the next validation, on a real file."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from storage_world import ORGANIZATION, OWNER, World, member, opened

from licensing.addresses import Counting, parse_ip
from licensing.choices import ActorKind, BlockLevel, Permission
from licensing.errors import (
    BlockedAlready,
    BlockNotFound,
    CustomerNotFound,
    LicenseNotFound,
    NotAllowed,
    Refusal,
    TooManyBlocks,
)
from licensing.events import Action
from licensing.input_errors import BlockAmbiguous, NetworkInvalid, NetworkTooWide, NotesTooLong
from licensing.models import PLATFORM, Actor, Block
from licensing.services.blacklist import BLOCKS_LIMIT, PAGE
from licensing.services.block_targets import EVERYBODY, Target
from licensing.services.reach import Reach, common_start
from licensing.verdict import Call, Outcome, Status
from storage import DatabaseSettings

BOB, EVE = 20, 21
OPERATOR = Actor(organization_id=PLATFORM, kind=ActorKind.OPERATOR)
OTHER_OWNER = OWNER.model_copy(update={"organization_id": 2})
HERE = "203.0.113.7"


class Sold:
    """A product with one license of Bob's."""

    def __init__(self, world: World, api_key: str, key: str, reference: str) -> None:
        self.world, self.api_key, self.key, self.reference = world, api_key, key, reference

    async def status(self, address: str = HERE) -> Status:
        return (await self.world.validate(self.api_key, self.key, address)).status


async def sold(world: World, *, by: Actor = OWNER, name: str = "Pro", **terms: object) -> Sold:
    product = await world.product(name, by=by)
    issued = await world.issue(name, by=by, **({"discord_id": BOB} | terms))
    return Sold(world, product.api_key, issued.key, f"#{issued.view.license.id}")


@pytest.fixture
async def pro(world: World) -> Sold:
    return await sold(world)


@pytest.fixture
async def two_shops(settings: DatabaseSettings) -> AsyncIterator[World]:
    async with opened(settings, organizations=(1, 2)) as world:
        yield world


def targets(pro: Sold) -> dict[BlockLevel, tuple[Actor, Target]]:
    return {
        BlockLevel.PLATFORM: (OPERATOR, EVERYBODY),
        BlockLevel.ORGANIZATION: (OWNER, EVERYBODY),
        BlockLevel.CUSTOMER: (OWNER, Target(discord_id=BOB)),
        BlockLevel.LICENSE: (OWNER, Target(license=pro.reference)),
    }


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


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"network": "nonsense"}, NetworkInvalid),
        ({"network": ""}, NetworkInvalid),
        ({"network": "203.0.113.0/33"}, NetworkInvalid),
        ({"network": "0.0.0.0/0"}, NetworkTooWide),
        ({"network": "2001::/8"}, NetworkTooWide),
        ({"network": HERE, "reason": "x" * 1_001}, NotesTooLong),
        ({"network": HERE, "target": Target(license="#99")}, LicenseNotFound),
        ({"network": HERE, "target": Target(license="#1", discord_id=BOB)}, BlockAmbiguous),
        ({"network": HERE, "target": Target(email="a@example.com", discord_id=BOB)}, BlockAmbiguous),
        ({"network": HERE, "target": Target(customer_id=99)}, CustomerNotFound),
        ({"network": "198.51.100.7/32"}, BlockedAlready),
        ({"network": "::ffff:198.51.100.7"}, BlockedAlready),
    ],
)
async def test_what_cannot_be_blocked_is_refused_before_it_is_asked_and_when_it_is_done(
    pro: Sold, given: dict, refusal: type[Refusal]
) -> None:
    await pro.world.blacklist.add(OWNER, network="198.51.100.7")
    before = await pro.world.events()
    for attempt in (pro.world.blacklist.preview, pro.world.blacklist.add):
        with pytest.raises(refusal):
            await attempt(OWNER, **given)
    assert await pro.world.events() == before


async def test_nobody_but_the_operator_touches_the_platforms_blacklist(world: World) -> None:
    await world.blacklist.add(OPERATOR, network=HERE)
    for by in (
        Actor(organization_id=PLATFORM, id=1, is_administrator=True),
        Actor(organization_id=PLATFORM, kind=ActorKind.SYSTEM),
    ):
        for attempt in (
            world.blacklist.add(by, network="203.0.113.8"),
            world.blacklist.remove(by, network=HERE),
            world.blacklist.remove(by, network="#1"),
            world.blacklist.preview(by, network="203.0.113.8"),
            world.blacklist.list(by),
            world.blacklist.search(by, ""),
        ):
            with pytest.raises(NotAllowed):
                await attempt
    with pytest.raises(BlockNotFound):
        await world.blacklist.remove(OWNER, network="#1")
    assert (await world.blacklist.list(OPERATOR)).count == 1


async def fill(world: World, organization_id: int, count: int) -> None:
    """Block so many addresses at once."""

    def work(tx):
        for number in range(count):
            yield from tx.blacklist.insert(
                Block(
                    id=0,
                    organization_id=organization_id,
                    level=BlockLevel.ORGANIZATION,
                    network=f"10.0.{number >> 8}.{number & 255}",
                    created_at_ms=world.now_ms,
                )
            )

    await world.store.write(work)


async def test_five_racers_for_the_last_two_places_of_a_blacklist_get_exactly_two(world: World) -> None:
    await fill(world, ORGANIZATION, BLOCKS_LIMIT - 2)

    racers = [world.blacklist.add(OWNER, network=f"203.0.113.{number}") for number in range(5)]
    ended = await asyncio.gather(*racers, return_exceptions=True)

    assert sorted(isinstance(each, TooManyBlocks) for each in ended) == [False, False, True, True, True]
    assert (await world.blacklist.list(OWNER)).count == BLOCKS_LIMIT
    with pytest.raises(TooManyBlocks):
        await world.blacklist.preview(OWNER, network="203.0.113.99")
    await world.blacklist.add(OPERATOR, network=HERE)  # whose list is another
    await world.blacklist.remove(OWNER, network="10.0.0.0")
    await world.blacklist.add(OWNER, network="203.0.113.99")


async def test_a_full_blacklist_is_met_at_its_first_and_last_entry_and_is_paged_through(pro: Sold) -> None:
    world = pro.world
    await fill(world, ORGANIZATION, BLOCKS_LIMIT - 1)
    await world.blacklist.add(OWNER, network=HERE)
    for address in (HERE, "10.0.0.0", "10.0.19.134"):
        assert await pro.status(address) is Status.IP_BLOCKED
    assert await pro.status("10.0.19.135") is Status.ACTIVE

    first, last = await world.blacklist.list(OWNER), await world.blacklist.list(OWNER, page=10**6)

    assert (first.count, first.last_page, len(first.entries)) == (BLOCKS_LIMIT, -(-BLOCKS_LIMIT // PAGE) - 1, PAGE)
    assert first.entries[0].block.network == HERE
    assert (last.page, last.entries[-1].block.network) == (first.last_page, "10.0.0.0")


async def test_a_list_shows_everything_or_what_is_blocked_for_one(pro: Sold) -> None:
    world = pro.world
    for _, target in list(targets(pro).values())[1:]:
        await world.blacklist.add(OWNER, network=HERE, target=target)

    levels = [entry.block.level for entry in (await world.blacklist.list(OWNER)).entries]
    [of_bob] = (await world.blacklist.list(OWNER, target=Target(discord_id=BOB))).entries
    [of_license] = (await world.blacklist.list(OWNER, target=Target(license=pro.key))).entries

    assert levels == [BlockLevel.LICENSE, BlockLevel.CUSTOMER, BlockLevel.ORGANIZATION]
    assert (of_bob.block.level, of_bob.customer.discord_id) == (BlockLevel.CUSTOMER, BOB)  # type: ignore[union-attr]
    assert of_license.block.level is BlockLevel.LICENSE
    assert (await world.blacklist.list(OWNER, target=Target(discord_id=EVE))).entries == []


async def test_an_entry_is_found_by_its_text_its_reason_or_an_address_within_it_and_removed_by_number(
    pro: Sold,
) -> None:
    world = pro.world
    await world.blacklist.add(OWNER, network="203.0.113.0/24", reason="Scans at night")
    await world.blacklist.add(OWNER, network="2001:db8::/32", target=Target(license=pro.reference))

    async def found(text: str) -> list[str]:
        return [entry.block.network for entry in await world.blacklist.search(OWNER, text)]

    assert await found("") == ["2001:db8::/32", "203.0.113.0/24"]
    assert await found("203.0.113.200") == await found("113.0") == await found("NIGHT") == ["203.0.113.0/24"]
    assert await found("2001:db8:1::1") == ["2001:db8::/32"]
    assert await found("198.51.100.1") == []
    await world.blacklist.remove(OWNER, network="#2")
    with pytest.raises(BlockNotFound):
        await world.blacklist.remove(OWNER, network="#2")
    assert await found("") == ["203.0.113.0/24"]


@pytest.mark.parametrize(
    ("network", "target", "reach"),
    [
        ("203.0.113.0/24", EVERYBODY, Reach(3, 2)),
        ("203.0.113.7", EVERYBODY, Reach(2, 2)),
        ("203.0.0.0/11", EVERYBODY, Reach(3, 2)),
        ("203.0.113.0/24", Target(license="#1"), Reach(2, 1)),
        ("203.0.113.0/24", Target(discord_id=EVE), Reach(1, 1)),
        ("203.0.113.0/24", Target(discord_id=99), Reach(0, 0)),
        ("2001:db8:1:2::5", EVERYBODY, Reach(1, 1)),
        ("2001:db8::/32", EVERYBODY, Reach(1, 1)),
        ("2001:db9::/32", EVERYBODY, Reach(0, 0)),
        ("20.0.0.0/8", EVERYBODY, Reach(0, 0)),
    ],
)
async def test_a_preview_counts_the_seats_and_licenses_that_a_block_keeps_out(
    pro: Sold, network: str, target: Target, reach: Reach
) -> None:
    world = pro.world
    eves, revoked = await world.issue(discord_id=EVE), await world.issue(discord_id=BOB)
    seats = ((pro.key, "203.0.113.7"), (pro.key, "203.0.113.8"), (eves.key, "203.0.113.7"), (revoked.key, HERE))
    for key, address in (*seats, (eves.key, Counting().address(parse_ip("2001:db8:1:2::5")))):  # type: ignore[arg-type]
        answer = await world.validation.validate(pro.api_key, Call(key, address))
        assert answer.verdict.valid
    await world.licenses.revoke(OWNER, revoked.key)

    assert (await world.blacklist.preview(OWNER, network=network, target=target)).reach == reach


async def test_the_reach_of_the_platform_is_not_counted(world: World) -> None:
    assert (await world.blacklist.preview(OPERATOR, network=HERE)).reach is None


@pytest.mark.parametrize(
    ("network", "is_wide"),
    [
        ("203.0.0.0/16", False),
        ("203.0.0.0/15", True),
        (HERE, False),
        ("2001:db8::/32", False),
        ("2001:d00::/31", True),
    ],
)
async def test_a_range_that_holds_very_many_is_marked_as_wide(world: World, network: str, is_wide: bool) -> None:
    assert (await world.blacklist.preview(OWNER, network=network)).is_wide is is_wide


@pytest.mark.parametrize(
    ("network", "start"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.0/25", "203.0.113."),
        ("203.0.0.0/11", "203."),
        ("2001:db8::7", "2001:"),
        ("2001:8000::/17", "2001:"),
        ("::7", ""),
    ],
)
def test_the_common_start_of_a_network_is_that_of_each_of_its_addresses(network: str, start: str) -> None:
    assert common_start(network) == start


async def test_whoever_may_look_at_licenses_may_see_the_blacklist_and_not_change_it(world: World) -> None:
    await world.staff.grant(OWNER, role_id=5, permissions=[Permission.LICENSES_VIEW])
    viewer = member(30, roles=frozenset({5}))
    assert (await world.blacklist.list(viewer)).count == 0
    with pytest.raises(NotAllowed):
        await world.blacklist.search(viewer, "")
