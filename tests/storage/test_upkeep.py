"""What the clock brings about is noticed once, whatever was down meanwhile."""

from storage_world import OWNER, World, opened

from licensing.events import Action
from licensing.verdict import Status
from storage import DatabaseSettings

DAY_MS = 86_400_000


def expired(world_events: list[object]) -> int:
    return sum(getattr(event, "action", None) is Action.LICENSE_EXPIRED for event in world_events)


async def test_an_end_is_noticed_once_after_a_restart_and_again_after_an_extension(
    settings: DatabaseSettings,
) -> None:
    async with opened(settings) as world:
        await world.product()
        issued = await world.issue(discord_id=20, expiry="1d")
        await world.issue(discord_id=20, expiry="9d")
        await world.upkeep.sweep()
        assert expired(await world.events()) == 0
        begun_ms = world.now_ms
    async with opened(settings) as world:
        world.now_ms = begun_ms + 2 * DAY_MS
        await world.upkeep.sweep()
        await world.upkeep.sweep()
        assert expired(await world.events()) == 1
        await world.changes.extend(OWNER, issued.key, "1d")
        await world.upkeep.sweep()
        assert expired(await world.events()) == 1
        world.now_ms += 2 * DAY_MS
        await world.upkeep.sweep()
        assert expired(await world.events()) == 2


async def test_many_ends_are_noticed_in_one_sweep(world: World) -> None:
    await world.product()
    for _ in range(450):
        await world.issue(discord_id=20, expiry="1d")
    world.now_ms += 2 * DAY_MS
    await world.upkeep.sweep()
    assert expired(await world.events()) == 450


async def test_where_expiry_is_not_enforced_nothing_expires(world: World) -> None:
    product = await world.product(enforce_expiry=False)
    issued = await world.issue(discord_id=20, expiry="1d")
    world.now_ms += 2 * DAY_MS
    await world.upkeep.sweep()
    assert expired(await world.events()) == 0
    assert (await world.validate(product.api_key, issued.key)).valid


async def test_a_seat_that_nobody_used_for_the_idle_days_is_free_for_another(world: World) -> None:
    product = await world.product(address_idle_days=30)
    issued = await world.issue(discord_id=20, max_ips=2)
    await world.validate(product.api_key, issued.key, "203.0.113.1")
    await world.validate(product.api_key, issued.key, "203.0.113.2")
    world.now_ms += 20 * DAY_MS
    await world.validate(product.api_key, issued.key, "203.0.113.2")
    await world.seen.flush(world.store)
    world.now_ms += 11 * DAY_MS
    assert (await world.validate(product.api_key, issued.key, "203.0.113.3")).status is Status.IP_LIMIT_REACHED
    await world.upkeep.sweep()
    assert (await world.validate(product.api_key, issued.key, "203.0.113.3")).valid
    removed = [event for event in await world.events() if event.action is Action.LICENSE_IP_REMOVED]
    assert [event.before for event in removed] == [{"addresses": ["203.0.113.1"]}]
