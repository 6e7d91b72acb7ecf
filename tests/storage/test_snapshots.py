"""What is kept of licenses in memory: what a validation looks at, no more of them than there is room for."""

import asyncio
import gc
from collections.abc import Mapping
from contextlib import closing

import pytest
from storage_world import OWNER, World, cache_on, digest_of, opened

from licensing.choices import LicenseState
from licensing.keys import api_key_digest
from licensing.models import License
from licensing.ports import Steps
from licensing.verdict import LicenseSnapshot, Status
from storage import DatabaseSettings, following, kept
from storage.snapshots import _LICENSE
from storage.sqlite import connect
from storage.statements.base import Statement

DEVICES = ("", "a b", 'quo"te, comma', "[]", "é\n", "a\0b")
ADDRESSES = ("203.0.113.1", "2001:db8::/64", "~" + "a" * 26)
MANY = tuple(f"198.51.100.{last}" for last in range(20))


def write(text: str, values: Mapping[str, object]) -> Steps[None]:
    yield Statement(text, values)


async def seated(world: World, license_id: int, addresses: tuple[str, ...], devices: tuple[str, ...]) -> None:
    await world.store.write(lambda tx: tx.seats.insert([(license_id, address, 1) for address in addresses]))
    await world.store.write(lambda tx: tx.seats.insert_devices([(license_id, device, 1) for device in devices]))


@pytest.mark.parametrize(
    ("addresses", "devices"), [((), ()), (ADDRESSES[:1], DEVICES[:1]), (ADDRESSES, DEVICES), (MANY, MANY)]
)
async def test_a_snapshot_read_for_a_call_is_the_one_that_is_judged_under_the_lock(
    world: World, settings: DatabaseSettings, addresses: tuple[str, ...], devices: tuple[str, ...]
) -> None:
    product = await world.product(max_devices=9)
    issued = await world.issue(discord_id=20, max_ips=7, expiry="30d")
    await world.changes.pin(OWNER, issued.key, ">=1.2 <3")
    await world.changes.override(OWNER, issued.key, '{"tier":"gold"}')
    await world.changes.suspend(OWNER, issued.key)
    await seated(world, issued.view.license.id, addresses, devices)
    key = digest_of(world, issued.key)
    read = await cache_on(settings.path).license(product.product.id, key)
    locked = (await world.store.write(lambda tx: tx.seats.lock([issued.view.license.id])))[issued.view.license.id]
    assert read is not None
    assert sorted(read.addresses) == sorted(addresses)
    assert sorted(read.devices) == sorted(devices)
    assert read._replace(addresses=locked.addresses, devices=locked.devices) == locked
    assert type(read.state) is type(locked.state)


async def test_no_more_licenses_are_kept_than_there_is_room_for_and_the_latest_stay(
    world: World, settings: DatabaseSettings
) -> None:
    product, cache = await world.product(), cache_on(settings.path, size=3)
    issued = [await world.issue(discord_id=20 + number) for number in range(8)]
    digests = [digest_of(world, each.key) for each in issued]
    for digest in digests:
        assert await cache.license(product.product.id, digest) is not None
        assert len(cache) == len(cache._licenses._key_of) <= 3
    misses = cache.misses
    for digest in digests[-2:]:
        await cache.license(product.product.id, digest)
    assert cache.misses == misses


async def test_no_garbage_collection_looks_at_licenses_that_were_asked_for_once(
    world: World, settings: DatabaseSettings
) -> None:
    product, cache = await world.product(), cache_on(settings.path)
    issued = await world.issue(discord_id=20)
    await seated(world, issued.view.license.id, ADDRESSES, DEVICES)
    await cache.license(product.product.id, digest_of(world, issued.key))
    gc.collect()  # which finds out that there is nothing to look at
    assert [gc.is_tracked(row) for row in cache._licenses._rows.values()] == [False]


async def test_a_license_that_is_asked_for_again_and_again_stays_one_and_the_same(
    world: World, settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "IN_USE", 4)
    product, cache = await world.product(), cache_on(settings.path)
    digests = [digest_of(world, (await world.issue(discord_id=20 + number)).key) for number in range(12)]
    found = await cache.product(api_key_digest(product.api_key))
    assert found is not None
    read = [await cache.license(product.product.id, digest) for digest in digests]
    regular = [await cache.license(product.product.id, digest) for digest in digests[:2]]
    for passing in digests[2:]:
        for digest, before in zip(digests[:2], regular, strict=True):
            assert await cache.license(product.product.id, digest) is before
            assert before is not None
            assert cache.entry(found, (product.product.id, digest), before) is not None
        await cache.license(product.product.id, passing)
    assert [await cache.license(product.product.id, digest) for digest in digests] == read
    assert cache.misses == len(digests)
    assert len(cache._licenses._young) + len(cache._licenses._old) <= 4


async def test_a_license_with_two_keys_is_forgotten_by_both(world: World) -> None:
    product, issued, other = await world.product(), await world.issue(discord_id=20), b"another key's hash"
    text = "INSERT INTO license_keys SELECT organization_id, :other, license_id, prefix, key_id, ciphertext FROM"
    await world.store.write(lambda _: write(f"{text} license_keys", {"other": other}))
    cache, keys = world.store.snapshots, (digest_of(world, issued.key), other)
    for _ in range(2):
        for key in keys:
            license_ = await cache.license(product.product.id, key)
            assert license_ is not None
            assert license_.state is LicenseState.ACTIVE
    await world.changes.suspend(OWNER, issued.key)
    for key in keys:
        license_ = await cache.license(product.product.id, key)
        assert license_ is not None
        assert license_.state is LicenseState.SUSPENDED


async def test_a_license_whose_seats_changed_is_read_anew_once_it_is_no_longer_in_use(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "IN_USE", 2)
    product, cache = await world.product(), world.store.snapshots
    issued = [await world.issue(discord_id=20 + number) for number in range(4)]
    monkeypatch.setattr(cache, "_licenses", kept.KeptLicenses(size=9))
    for each in issued:
        assert (await world.validate(product.api_key, each.key)).registers is not None
    for _ in range(2):
        for each in issued:
            assert (await world.validate(product.api_key, each.key)).registers is None
    assert len(cache._licenses._young) + len(cache._licenses._old) <= 2


def test_a_snapshot_holds_all_that_the_license_has_of_the_same_name() -> None:
    values = dict.fromkeys(License.model_fields) | {
        name: f"its {name}" for name in LicenseSnapshot._fields if name in License.model_fields
    }
    found = LicenseSnapshot.of(License.model_construct(**values))._asdict()
    assert {name: found[name] for name in found if name in License.model_fields} == {
        name: f"its {name}" for name in found if name in License.model_fields
    }


async def test_a_license_is_found_by_the_keys_of_tables_alone(world: World, settings: DatabaseSettings) -> None:
    assert await world.events() != []
    plan = connect(settings.path).execute(f"EXPLAIN QUERY PLAN {_LICENSE}", {"product": 1, "digest": b""}).fetchall()
    assert [line[3] for line in plan if line[3].startswith("SCAN")] == []


async def test_no_state_is_read_from_for_longer_than_a_turn_of_the_event_loop(
    world: World, settings: DatabaseSettings
) -> None:
    product, cache = await world.product(), cache_on(settings.path)
    issued = await world.issue(discord_id=20)
    await cache.product(api_key_digest(product.api_key))
    await cache.license(product.product.id, digest_of(world, issued.key))
    assert cache._connection.in_transaction
    await asyncio.sleep(0)
    assert not cache._connection.in_transaction


async def test_what_was_committed_within_a_turn_is_read_by_the_misses_that_follow_in_it(
    world: World, settings: DatabaseSettings
) -> None:
    product, cache = await world.product(), cache_on(settings.path)
    one, other = [await world.issue(discord_id=20 + number) for number in range(2)]
    await asyncio.sleep(0)
    await cache.product(api_key_digest(product.api_key))
    await cache.license(product.product.id, digest_of(world, one.key))
    with closing(connect(settings.path)) as writer:
        taken = f"INSERT INTO license_addresses VALUES ({other.view.license.id}, '203.0.113.9', 1, 1)"
        writer.execute(taken)
    cache.forget_licenses({other.view.license.id})
    cache.follow()
    found = await cache.license(product.product.id, digest_of(world, other.key))
    assert found is not None
    assert list(found.addresses) == ["203.0.113.9"]


def many_events(count: int) -> Steps[None]:
    yield Statement(
        "INSERT INTO events (organization_id, at_ms, action, actor_kind, product_id, license_id)"
        " WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < :count)"
        " SELECT 1, 1, 'license.created', 'system', 1, 1000 + x FROM n",
        {"count": count},
    )


async def test_whoever_missed_very_many_events_reads_few_of_them_and_answers_nothing_stale(
    world: World, settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_MAX_EVENTS", 50)
    product = await world.product()
    revoked, kept_, later = [await world.issue(discord_id=20 + number) for number in range(3)]
    for _ in range(2):
        for each in (revoked, kept_, later):
            assert (await world.validate(product.api_key, each.key)).valid
    read = list[int]()
    async with opened(settings) as other:
        await other.licenses.revoke(OWNER, revoked.key)
        await other.blacklist.add(OWNER, network="203.0.113.7")
        await other.store.write(lambda _tx: many_events(9_000))
        world.store.snapshots._connection.row_factory = lambda _cursor, row: read.append(1) or row
        assert (await world.validate(product.api_key, revoked.key)).status is Status.REVOKED
        assert len(read) < 80
        assert (await world.validate(product.api_key, kept_.key)).valid
        assert (await world.validate(product.api_key, kept_.key, "203.0.113.7")).status is Status.IP_BLOCKED
        assert (await world.validate(product.api_key, later.key)).valid
        await other.changes.suspend(OWNER, later.key)
        assert (await world.validate(product.api_key, later.key)).status is Status.SUSPENDED
        hits = world.store.snapshots.hits
        assert (await world.validate(product.api_key, kept_.key)).valid
        assert world.store.snapshots.hits > hits


async def test_a_store_that_is_asked_nothing_follows_what_others_change(
    world: World, settings: DatabaseSettings
) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    assert (await world.validate(product.api_key, issued.key)).valid
    async with opened(settings) as other:
        await other.licenses.revoke(OWNER, issued.key)
        assert len(world.store.snapshots) == 1
        await world.store.follow()
        assert len(world.store.snapshots) == 0
    assert (await world.validate(product.api_key, issued.key)).status is Status.REVOKED


async def test_a_state_that_a_failing_disk_let_go_of_by_itself_is_no_hindrance(world: World) -> None:
    product, cache = await world.product(), world.store.snapshots
    issued = await world.issue(discord_id=20)
    await cache.product(api_key_digest(product.api_key))
    await cache.license(product.product.id, digest_of(world, issued.key))
    cache._connection.execute("ROLLBACK")
    cache.follow()
    assert (await world.validate(product.api_key, issued.key)).valid
