"""Switching to hashed addresses leaves none in clear, loses no seat, and says what no longer matches."""

import contextlib
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from storage_world import OWNER, World, opened

from licensing.addresses import Counting, is_pseudonym
from licensing.choices import BlockLevel
from licensing.models import Block
from licensing.ports import Unavailable
from licensing.services.trails import attempt_of
from licensing.verdict import Call, Status
from storage import DatabaseSettings
from storage.recount import CHUNK, FACT, Recounted, Way, recount

HOLDER = 20
HOME, OFFICE, IPV6 = "203.0.113.77", "198.51.100.88", "2001:db8:77::/64"
SECRETS = (HOME, OFFICE, "2001:db8:77", "laptop-of-ada", "nul\x00device", "192.0.2.99")


def hashing(world: World, *, ipv6_prefix: int = 64) -> Counting:
    return Counting(ipv6_prefix, world.store.vault.pseudonym)


def in_files(path: Path) -> set[str]:
    """Return which of the secrets stand in the database's files, freed pages and log included."""
    raw = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    return {secret for secret in SECRETS if secret.encode() in raw}


async def lived_in(world: World) -> tuple[str, str]:
    """Leave traces of addresses and devices in every place that keeps them; return the API key and the license's."""
    product = await world.product(max_devices=9)
    issued = await world.issue(discord_id=HOLDER, max_ips=3)
    api_key, key = product.api_key, issued.key
    await world.validate(api_key, key, "192.0.2.99")
    await world.changes.reset_ips(OWNER, key)
    for address, device in ((HOME, "laptop-of-ada"), (OFFICE, "nul\x00device"), (IPV6, None)):
        await world.validation.validate(api_key, Call(key, address, "1.0", device))
    await world.validation.validate(api_key, Call(key, "192.0.2.99", "1.0", "laptop-of-ada"))
    blocked = ip_address(OFFICE)
    await world.store.write(lambda tx: tx.blacklist.insert(block(OFFICE, issued.view.license.id)))
    async with opened_again(world) as fresh:
        refused = await fresh.validation.validate(api_key, Call(key, OFFICE, ip=blocked))
        assert refused.status is Status.IP_BLOCKED
        await fresh.refusals.flush(world.store)
    await world.store.write(lambda tx: tx.blacklist.delete(1, BlockLevel.LICENSE, issued.view.license.id, OFFICE))
    for log in (world.seen, world.attempts, world.refusals):
        await log.flush(world.store)
    return api_key, key


def block(network: str, license_id: int) -> Block:
    return Block(
        id=0, organization_id=1, level=BlockLevel.LICENSE, target_id=license_id, network=network, created_at_ms=1
    )


@contextlib.asynccontextmanager
async def opened_again(world: World) -> AsyncIterator[World]:
    """Give a world whose caches know nothing yet."""
    world.store.snapshots._blacklists.clear()
    world.store.snapshots._products.clear()
    yield World(world.store, now_ms=world.now_ms)


async def seats(world: World) -> list[str]:
    return [seat.address for seat in await world.store.read(lambda tx: tx.addresses.of(1))]


async def test_after_it_no_byte_of_an_address_or_a_device_is_left_in_the_database(settings: DatabaseSettings) -> None:
    async with opened(settings) as world:
        await lived_in(world)
    assert in_files(settings.path) == set(SECRETS)
    async with opened(settings, organizations=()) as world:
        done = await recount(world.store, hashing(world))
        assert done.now == Way(64, hashed=True)
        assert done.hashed > 10
        assert in_files(settings.path) == set()
    assert in_files(settings.path) == set()


async def test_every_seat_is_found_again_by_its_hash_and_frees_itself_as_before(world: World) -> None:
    api_key, key = await lived_in(world)
    counting = hashing(world)
    await recount(world.store, counting)
    assert {is_pseudonym(seat) for seat in await seats(world)} == {True}
    for address, device in ((HOME, "laptop-of-ada"), (OFFICE, "nul\x00device"), ("2001:db8:77::5", None)):
        call = Call(key, counting.address(ip_address(address)), "1.0", counting.device(device))
        verdict = (await world.validation.validate(api_key, call)).verdict
        assert (verdict.status, verdict.registers, verdict.registers_device) == (Status.ACTIVE, None, None)
    stranger = counting.address(ip_address("203.0.113.1"))
    assert (await world.validate(api_key, key, stranger)).status is Status.IP_LIMIT_REACHED
    await world.changes.reset_ips(OWNER, key)
    assert (await world.validate(api_key, key, stranger)).valid


async def test_what_was_kept_goes_on_being_told_with_hashes_in_it(world: World) -> None:
    _, key = await lived_in(world)
    before = await world.history.attempts(OWNER, key)
    await recount(world.store, hashing(world))
    after = await world.history.attempts(OWNER, key)
    assert [(it.status, it.count, it.last_at_ms) for it in before] == [
        (it.status, it.count, it.last_at_ms) for it in after
    ]
    assert all(is_pseudonym(it.address or "") for it in after)
    events = [event for event in await world.events() if event.before and "addresses" in event.before]
    assert [len(event.before["addresses"]) for event in events if event.before] == [1]
    traces = await world.store._reader.call(lambda it: it.execute("SELECT trace FROM refusals").fetchall())
    assert len(traces) == 2
    assert all('"check": "address"' in trace for (trace,) in traces)


async def test_it_is_done_once_and_a_second_start_finds_nothing_to_do(world: World) -> None:
    await lived_in(world)
    assert (await recount(world.store, hashing(world))).hashed > 0
    assert await recount(world.store, hashing(world)) == Recounted(Way(64, hashed=True))


async def test_what_a_process_that_was_told_otherwise_wrote_meanwhile_is_found_at_the_next_start(
    world: World, settings: DatabaseSettings
) -> None:
    api_key, key = await lived_in(world)
    await recount(world.store, hashing(world))
    await world.validation.validate(api_key, Call(key, HOME, "1.0", "laptop-of-ada"))
    for log in (world.seen, world.attempts, world.refusals):
        await log.flush(world.store)
    assert HOME in in_files(settings.path)
    assert (await recount(world.store, hashing(world))).hashed > 0
    assert in_files(settings.path) == set()


async def test_many_seats_are_done_in_chunks_and_an_interrupted_run_goes_on(world: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=HOLDER)
    count, counting, chunks = 2 * CHUNK + 7, hashing(world), 0
    license_id = issued.view.license.id
    seats_taken = [(license_id, f"198.18.{number // 250}.{number % 250}", 1) for number in range(count)]
    await world.store.write(lambda tx: tx.seats.insert(seats_taken))

    def breaks_down(text: str) -> str:
        nonlocal chunks
        chunks += 1
        if chunks > CHUNK + 5:
            raise Unavailable
        return world.store.vault.pseudonym(text)

    with pytest.raises(Unavailable):
        await recount(world.store, Counting(64, breaks_down))
    assert sum(map(is_pseudonym, await seats(world))) == CHUNK
    done = await recount(world.store, counting)
    assert done.hashed == count - CHUNK
    assert sorted(await seats(world)) == sorted(
        counting.address(ip_address(f"198.18.{number // 250}.{number % 250}")) for number in range(count)
    )


async def test_a_seat_that_was_kept_both_ways_becomes_one_that_was_seen_as_long_as_both(world: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=HOLDER)
    license_id, hashed = issued.view.license.id, world.store.vault.pseudonym(HOME)
    await world.store.write(lambda tx: tx.seats.insert([(license_id, hashed, 5), (license_id, HOME, 9)]))
    await recount(world.store, hashing(world))
    [seat] = await world.store.read(lambda tx: tx.addresses.of(license_id))
    assert (seat.address, seat.first_seen_at_ms, seat.last_seen_at_ms) == (hashed, 5, 9)


async def test_attempts_that_become_alike_are_added_up(world: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=HOLDER)
    license_id, hashed = issued.view.license.id, world.store.vault.pseudonym(HOME)
    for address, at_ms in ((hashed, 5), (HOME, 9), (HOME, 11)):
        world.attempts.note(attempt_of(license_id, Status.ACTIVE, Call("", address)), now_ms=at_ms)
    await world.attempts.flush(world.store)
    await recount(world.store, hashing(world))
    [attempt] = await world.store.read(lambda tx: tx.history.attempts(license_id, since_ms=0, limit=9))
    assert (attempt.address, attempt.count, attempt.first_at_ms, attempt.last_at_ms) == (hashed, 3, 5, 11)


async def test_switched_off_again_it_tells_how_many_seats_match_nobody(world: World) -> None:
    await lived_in(world)
    await recount(world.store, hashing(world))
    done = await recount(world.store, Counting(64))
    assert (done.now, done.hashed, done.lost_addresses, done.lost_devices) == (Way(64, hashed=False), 0, 3, 2)
    assert await recount(world.store, Counting(64)) == Recounted(Way(64, hashed=False))


@pytest.mark.parametrize(("hashed", "lost"), [(False, 1), (True, 3)])
async def test_another_ipv6_prefix_tells_how_many_seats_may_match_nobody(
    world: World, *, hashed: bool, lost: int
) -> None:
    await lived_in(world)
    pseudonym = world.store.vault.pseudonym if hashed else None
    assert (await recount(world.store, Counting(64, pseudonym))).lost_addresses == 0
    assert (await recount(world.store, Counting(56, pseudonym))).lost_addresses == lost
    assert (await recount(world.store, Counting(56, pseudonym))).lost_addresses == 0


async def test_while_somebody_reads_the_old_bytes_stay_and_the_next_start_removes_them(world: World) -> None:
    await lived_in(world)
    reader = world.store.snapshots._connection
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM facts").fetchone()
    assert not (await recount(world.store, hashing(world))).now.scrubbed
    reader.execute("ROLLBACK")
    assert (await recount(world.store, hashing(world))).now.scrubbed


async def test_a_store_that_takes_no_writes_keeps_nobody_from_serving_in_clear(world: World) -> None:
    worker = world.store._writer._worker
    await worker.call(lambda it: it.execute("PRAGMA query_only = ON"))
    assert await recount(world.store, Counting(64)) == Recounted(Way(64, hashed=False))
    await worker.call(lambda it: it.execute("PRAGMA query_only = OFF"))
    assert await world.store.read(lambda tx: tx.ledger.fact(FACT)) is None
