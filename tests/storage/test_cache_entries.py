"""Whoever holds on to a license is told when it is kept no longer as it was, and when nothing can be told."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from storage_world import OWNER, World, cache_on, digest_of

from licensing.keys import api_key_digest
from licensing.ports import Entry, Unavailable
from licensing.verdict import Status
from storage import DatabaseSettings
from storage.snapshots import SnapshotCache


async def test_whoever_holds_on_to_a_license_is_told_as_soon_as_it_is_kept_no_longer_as_it_was(
    world: World, settings: DatabaseSettings
) -> None:
    product, cache = await world.product(), cache_on(settings.path, size=3)
    issued = [await world.issue(discord_id=20 + number) for number in range(4)]
    ids = [each.view.license.id for each in issued]
    keys = [(product.product.id, digest_of(world, each.key)) for each in issued]
    found = await cache.product(api_key_digest(product.api_key))
    assert found is not None

    async def entry(number: int) -> Entry:
        for _ in range(2):
            license_ = await cache.license(*keys[number])
        assert license_ is not None
        kept_ = cache.entry(found, keys[number], license_)
        assert kept_ is not None
        assert cache.are_current(found, kept_)
        return kept_

    first = await cache.license(*keys[0])
    assert first is not None
    assert cache.entry(found, keys[0], first) is None  # who comes but once
    ends: Sequence[Callable[[], object]] = (
        lambda: cache.forget_licenses([ids[0]]),
        lambda: cache.renew({ids[0]: (10**9, first)}, log_id=10**9),
        lambda: cache.renew({ids[0]: (-1, first)}, log_id=10**9),
        cache._begin_anew,
    )
    for end in ends:
        before, others = await entry(0), await entry(1)
        assert (await entry(0)) is before
        end()
        assert not before.is_current
        assert others.is_current == (end is not ends[-1])
    found = await cache.product(api_key_digest(product.api_key))
    assert found is not None
    before = await entry(0)
    for number in (1, 2, 3):  # there is no room for it any more
        await cache.license(*keys[number])
    assert not before.is_current


async def test_nobody_holds_on_to_a_license_or_a_product_as_it_was_before_it_changed(
    world: World, settings: DatabaseSettings
) -> None:
    product, cache = await world.product(), cache_on(settings.path)
    issued = await world.issue(discord_id=20)
    key = product.product.id, digest_of(world, issued.key)
    found = await cache.product(api_key_digest(product.api_key))
    assert found is not None
    before = [await cache.license(*key) for _ in range(2)][-1]
    assert before is not None
    assert cache.entry(found, key, before) is not None
    cache.renew({before.id: (10**9, before._replace(max_ips=9))}, log_id=10**9)
    assert cache.entry(found, key, before) is None
    renewed = await cache.license(*key)
    assert renewed is not None
    assert cache.entry(found, key, renewed) is not None
    await world.catalog.change_settings(OWNER, product.product.id, max_devices=2)
    await asyncio.sleep(0)
    assert cache.entry(found, key, renewed) is None


@contextmanager
def unreadable(cache: SnapshotCache) -> Iterator[None]:
    """Let no statement come to its end that begins meanwhile."""
    cache._connection.set_progress_handler(lambda: 1, 1)
    yield
    cache._connection.set_progress_handler(None, 1)


async def test_a_database_that_cannot_be_read_is_away_for_all_who_ask(
    world: World, settings: DatabaseSettings
) -> None:
    product, issued = await world.product(), await world.issue(discord_id=20)
    cache, key = cache_on(settings.path), (product.product.id, digest_of(world, issued.key))
    found = await cache.product(api_key_digest(product.api_key))
    license_ = [await cache.license(*key) for _ in range(2)][-1]
    assert found is not None
    assert license_ is not None
    entry = cache.entry(found, key, license_)
    assert entry is not None
    asks: Sequence[Callable[[], object]] = (
        cache.follow,
        cache.check,
        lambda: cache.are_current(found, entry),
        lambda: cache.entry(found, key, license_),
        lambda: asyncio.ensure_future(cache.product(b"another API key's hash")),
        lambda: asyncio.ensure_future(cache.license(product.product.id, b"another key's hash")),
        lambda: asyncio.ensure_future(cache.calls(product.product.id, 1)),
    )

    async def answered(ask: Callable[[], object]) -> None:
        await asyncio.sleep(0)  # so that it looks at the database first
        answer = ask()
        if isinstance(answer, asyncio.Future):
            await answer

    for ask in asks:
        with unreadable(cache), pytest.raises(Unavailable):
            await answered(ask)
        await answered(ask)
    assert cache.are_current(found, entry)


async def test_what_is_written_while_nothing_can_be_read_is_heeded_as_soon_as_it_can(world: World) -> None:
    product, issued = await world.product(), await world.issue(discord_id=20)
    for _ in range(3):
        assert (await world.validate(product.api_key, issued.key)).valid
    with unreadable(world.store.snapshots):
        await world.licenses.revoke(OWNER, issued.key)
        with pytest.raises(Unavailable):
            await world.validate(product.api_key, issued.key)
    assert (await world.validate(product.api_key, issued.key)).status is Status.REVOKED
