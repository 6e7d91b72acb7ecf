"""The entries of a blacklist: what may be one, how many there may be, and how they are shown and found."""

import asyncio

import pytest
from sold_license import BOB, EVE, HERE, OPERATOR, Sold, targets
from storage_world import ORGANIZATION, OWNER, World, member

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
from licensing.input_errors import BlockAmbiguous, NetworkInvalid, NetworkTooWide, NotesTooLong
from licensing.models import PLATFORM, Actor, Block
from licensing.services.blacklist import BLOCKS_LIMIT, PAGE
from licensing.services.block_targets import EVERYBODY, Target
from licensing.services.reach import Reach, common_start
from licensing.verdict import Call, Status


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
