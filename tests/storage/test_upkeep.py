"""What the clock brings about is noticed once, whatever was down meanwhile."""

import asyncio
from typing import Any

import pytest
from storage_world import OWNER, World, member, opened

from licensing.events import Action
from licensing.services import upkeep
from licensing.services.terms import Terms
from licensing.services.upkeep import ENDED_AT_ONCE
from licensing.verdict import Status
from storage import DatabaseSettings
from storage.sqlite import Work
from storage.store import SqliteStore

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


class WatchedStore:
    """A store that keeps in which order it was asked for what."""

    def __init__(self, store: SqliteStore) -> None:
        self.snapshots, self.vault, self.read = store.snapshots, store.vault, store.read
        self.asked: list[str] = []
        self._store = store

    async def write(self, work: Work[Any]) -> Any:
        self.asked.append("write")
        return await self._store.write(work)

    async def settle(self) -> None:
        self.asked.append("settle")
        await self._store.settle()


async def test_the_sweep_lets_the_log_be_emptied_between_any_two_lots_of_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "FOUND_AT_ONCE", 2 * ENDED_AT_ONCE)
    await world.product()
    await world.bulk.issue(OWNER, Terms("Pro", discord_id=20, expiry="1d"), 3 * ENDED_AT_ONCE)
    world.now_ms += 2 * DAY_MS
    store = WatchedStore(world.store)
    await World(store, now_ms=world.now_ms).upkeep.sweep()  # type: ignore[arg-type]
    assert store.asked[:6] == ["write", "settle"] * 3
    assert expired(await world.events()) == 3 * ENDED_AT_ONCE


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


async def test_an_end_that_enforcement_uncovers_again_is_told_again(world: World) -> None:
    product = await world.product()
    await world.issue(discord_id=20, expiry="1d")
    world.now_ms += 2 * DAY_MS
    await world.upkeep.sweep()
    for enforced in (False, True):
        await world.catalog.change_settings(OWNER, product.product.id, enforce_expiry=enforced)
        await world.upkeep.sweep()
    assert expired(await world.events()) == 2


async def test_a_revoked_license_does_not_expire_and_a_transfer_ends_with_its_license(world: World) -> None:
    await world.product()
    revoked = await world.issue(discord_id=20, expiry="1d")
    await world.licenses.revoke(OWNER, revoked.key)
    ending = await world.issue(discord_id=20, expiry="1d")
    await world.transfers.offer(member(20), ending.view.license.id, to_discord_id=21, to_name="Bob")
    world.now_ms += DAY_MS
    await world.upkeep.sweep()
    assert expired(await world.events()) == 1
    assert await world.transfers.mine(member(21)) == []
    assert [event.action for event in await world.events()].count(Action.TRANSFER_CANCELLED) == 1


async def test_two_processes_sweeping_one_file_notice_an_end_once(world: World, settings: DatabaseSettings) -> None:
    await world.product()
    for _ in range(50):
        await world.issue(discord_id=20, expiry="1d")
    async with opened(settings) as other:
        world.now_ms += 2 * DAY_MS
        other.now_ms = world.now_ms
        await asyncio.gather(world.upkeep.sweep(), other.upkeep.sweep())
    assert expired(await world.events()) == 50


async def test_seats_stay_while_the_address_system_is_off(world: World) -> None:
    product = await world.product(address_idle_days=1)
    issued = await world.issue(discord_id=20)
    await world.validate(product.api_key, issued.key, "203.0.113.1")
    await world.catalog.change_settings(OWNER, product.product.id, track_ip_on_validate=False)
    world.now_ms += 9 * DAY_MS
    await world.upkeep.sweep()
    assert len((await world.licenses.view(OWNER, issued.key)).addresses) == 1


async def test_a_server_that_is_left_twice_is_told_of_once(world: World) -> None:
    await world.organizations.left(1)
    await world.organizations.left(1)
    await world.organizations.joined(1, name="Back")
    await world.organizations.joined(1, name="Renamed")
    actions = [event.action for event in await world.events()]
    assert actions == [Action.ORGANIZATION_JOINED, Action.ORGANIZATION_LEFT, Action.ORGANIZATION_JOINED]
