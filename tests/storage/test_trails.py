"""Callers who come again and again are counted in trails of their own; nothing of them is lost or counted twice."""

import asyncio
from contextlib import suppress

import pytest
from factories import ADDRESS
from storage_world import World, store_away

from licensing.ports import Unavailable
from licensing.services import attempts
from licensing.services.attempts import REST_MS, AttemptLog
from licensing.services.trails import Trail, attempt_of
from licensing.services.usage import LastSeen, fold_seen
from licensing.verdict import Call, Status

DEVICE = "laptop"


async def trail_of(world: World, address: str = ADDRESS) -> Trail:
    """Sell a license, and return the trail of a caller who sits on it."""
    await world.product(max_devices=3)
    license_id = (await world.issue(discord_id=20)).view.license.id
    await world.store.write(lambda tx: tx.seats.insert([(license_id, address, 1)]))
    await world.store.write(lambda tx: tx.seats.insert_devices([(license_id, DEVICE, 1)]))
    call = Call("", address, "1.0", DEVICE)
    return Trail(attempt_of(license_id, Status.ACTIVE, call), (license_id, address), (license_id, DEVICE))


def follow(world: World, trail: Trail, *, calls: int = 1) -> None:
    for _ in range(calls):
        world.now_ms += 10
        world.traces.follow(trail, now_ms=world.now_ms)


async def written(world: World) -> list[tuple[int, int, int]]:
    """Return how often, first and last each caller's calls are told to have come."""
    text = "SELECT count, first_at_ms, last_at_ms FROM attempts ORDER BY last_at_ms"
    return await world.store._reader.call(lambda it: it.execute(text).fetchall())


async def last_seen(world: World, license_id: int) -> list[int]:
    addresses = await world.store.read(lambda tx: tx.addresses.of(license_id))
    devices = await world.store.read(lambda tx: tx.addresses.devices_of(license_id))
    return [seat.last_seen_at_ms for seat in (*addresses, *devices)]


async def test_each_call_of_a_trail_is_counted_once_with_its_first_and_its_last_time(world: World) -> None:
    trail, began_ms = await trail_of(world), world.now_ms
    follow(world, trail, calls=3)
    world.attempts.note(trail.attempt, now_ms=world.now_ms)
    await world.attempts.flush(world.store)
    await world.attempts.flush(world.store)
    assert await written(world) == [(4, began_ms + 10, began_ms + 30)]
    follow(world, trail, calls=2)
    world.attempts.note(trail.attempt, now_ms=world.now_ms + 10)
    await world.attempts.flush(world.store)
    assert await written(world) == [(7, began_ms + 10, began_ms + 60)]


async def test_who_comes_all_the_time_is_written_at_once_and_then_twice_a_minute(world: World) -> None:
    trail, counts = await trail_of(world), []
    for _ in range(12):
        follow(world, trail)
        await world.attempts.flush(world.store, now_ms=world.now_ms)
        world.now_ms += REST_MS // 3 - 10
        counts.append((await written(world))[0][0])
    assert counts == [1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10]
    await world.attempts.flush(world.store)
    assert (await written(world))[0][0] == 12


async def test_a_clock_that_was_set_back_keeps_no_trail_from_being_written(world: World) -> None:
    trail = await trail_of(world)
    follow(world, trail)
    await world.attempts.flush(world.store, now_ms=world.now_ms)
    world.now_ms -= 100 * REST_MS
    follow(world, trail)
    await world.attempts.flush(world.store, now_ms=world.now_ms)
    assert (await written(world))[0][0] == 2


async def test_a_trail_is_kept_while_the_store_is_away_and_counted_once_when_it_is_back(world: World) -> None:
    trail, began_ms = await trail_of(world), world.now_ms
    for _ in range(3):
        follow(world, trail, calls=2)
        async with store_away(world):
            with pytest.raises(Unavailable):
                await world.attempts.flush(world.store)
            with pytest.raises(Unavailable):
                await world.seen.flush(world.store)
    follow(world, trail)
    await world.attempts.flush(world.store)
    await world.seen.flush(world.store)
    await fold_seen(world.store)
    assert await written(world) == [(7, began_ms + 10, began_ms + 70)]
    assert await last_seen(world, trail.attempt[0]) == [began_ms + 70] * 2


async def test_a_trail_that_is_written_late_moves_no_time_back(world: World) -> None:
    trail = await trail_of(world)
    follow(world, trail)
    await world.attempts.flush(world.store, now_ms=world.now_ms)
    follow(world, trail)  # and rests, while a call is judged anew and written at once
    later_ms = world.now_ms + 1_000
    world.attempts.note(trail.attempt, now_ms=later_ms)
    await world.attempts.flush(world.store, now_ms=later_ms)
    await world.attempts.flush(world.store)
    assert [(count, last_ms) for count, _, last_ms in await written(world)] == [(3, later_ms)]


async def test_a_seat_of_several_trails_was_last_seen_with_the_last_call_of_any_of_them(world: World) -> None:
    first = await trail_of(world)
    others = [Trail(first.attempt, first.address, first.device) for _ in range(2)]
    for trail in (first, *others, first):
        follow(world, trail)
    await world.write_seen()
    assert await last_seen(world, first.attempt[0]) == [world.now_ms] * 2
    follow(world, first)
    world.now_ms += 10
    world.traces.note(first.attempt, first.address, first.device, now_ms=world.now_ms)
    await world.write_seen()
    assert await last_seen(world, first.attempt[0]) == [world.now_ms] * 2


async def test_what_no_batch_came_to_while_the_store_was_away_is_kept_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "_BATCH", 1)
    trail = await trail_of(world)
    others = [Trail((trail.attempt[0], Status.ACTIVE, ADDRESS, None, version)) for version in ("1.1", "1.2")]
    for it in (trail, *others):
        follow(world, it)
    async with store_away(world):
        with pytest.raises(Unavailable):
            await world.attempts.flush(world.store)
    await world.attempts.flush(world.store)
    assert [count for count, _, _ in await written(world)] == [1, 1, 1]


async def test_the_seats_of_a_trail_were_last_seen_with_its_last_call(world: World) -> None:
    trail = await trail_of(world)
    for calls in (3, 1):
        follow(world, trail, calls=calls)
        assert world.seen._trails == [trail]
        await world.seen.flush(world.store)
        await fold_seen(world.store)
        assert await last_seen(world, trail.attempt[0]) == [world.now_ms] * 2


async def test_a_seat_that_has_a_trail_and_was_noted_too_has_the_later_time_after_a_failure(world: World) -> None:
    trail, seen = await trail_of(world), LastSeen()
    trail.last_ms = 20
    seen.follow(trail)
    async with store_away(world):
        with pytest.raises(Unavailable):
            await seen.flush(world.store)
    trail.last_ms = 30
    seen.follow(trail)
    async with store_away(world):
        with pytest.raises(Unavailable):
            await seen.flush(world.store)
    await seen.flush(world.store)
    await fold_seen(world.store)
    assert await last_seen(world, trail.attempt[0]) == [30, 30]


async def test_no_more_attempts_wait_than_there_is_room_for_however_often_the_store_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MAX_ATTEMPTS", 2)
    log = AttemptLog(keep=5)
    async with store_away(world):
        for turn in range(3):
            flushing = asyncio.ensure_future(log.flush(world.store))
            await asyncio.sleep(0)  # it is on its way, and there is room again
            for number in range(2):
                log.note((2 * turn + number, Status.ACTIVE, ADDRESS, None, None), now_ms=REST_MS)
            with suppress(Unavailable):  # there was nothing to write at first
                await flushing
    assert len(log) == 2


async def test_no_more_trails_wait_than_there_is_room_for_and_none_where_no_attempts_are_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MAX_TRAILS", 2)
    monkeypatch.setattr(attempts, "MAX_ATTEMPTS", 1)
    some = [Trail((number, Status.ACTIVE, ADDRESS, None, None)) for number in range(3)]
    none, few = AttemptLog(keep=0), AttemptLog(keep=5)
    for log in (none, few):
        for trail in some:
            log.follow(trail, now_ms=REST_MS)
    assert (len(none), len(few)) == (0, 2)
    assert [trail.count for trail in some] == [1, 1, 0]
    await few.flush(world.store, now_ms=2 * REST_MS)
    assert len(few) == 1  # the other's turn comes with the next flush
    await few.flush(world.store, now_ms=2 * REST_MS)
    assert len(few) == 0
    for trail in some:
        few.follow(trail, now_ms=REST_MS)
    await few.flush(world.store)  # the last time there are no turns
    assert len(few) == 0
