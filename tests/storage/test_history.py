"""What validations leave behind: bounded in memory and on disk, never lost nor doubled, gone in time."""

import asyncio
import random

import pytest
from factories import DAY_MS
from refused_callers import HOLDER, ask, code_of, stored, suspended
from storage_world import NOON_MS, OWNER, World, member, store_away

from licensing.errors import LicenseNotFound, NotAllowed, SupportCodeUnknown
from licensing.ports import Unavailable
from licensing.services.attempts import MAX_ATTEMPTS, AttemptLog
from licensing.services.history import HistoryService, Keeping
from licensing.services.refusals import MAX_CODES, MAX_REFUSALS
from licensing.services.trails import attempt_of
from licensing.services.upkeep import UpkeepService
from licensing.verdict import Call, Status


async def rows(world: World, table: str) -> int:
    count = f"SELECT COUNT(*) FROM {table}"
    return await world.store._reader.call(lambda connection: connection.execute(count).fetchone()[0])


async def test_a_loop_over_addresses_fills_neither_memory_nor_disk(world: World) -> None:
    product, issued = await suspended(world)
    for number in range(MAX_CODES + 500):
        address = f"198.{18 + number // 65_536}.{number // 256 % 256}.{number % 256}"
        world.refusals.add(product.product, issued.view.license.id, Status.SUSPENDED, Call("", address), [], now_ms=1)
        world.refusals.add(product.product, None, Status.LICENSE_NOT_FOUND, Call("", address), [], now_ms=1)
        world.attempts.note(
            attempt_of(issued.view.license.id, Status.SUSPENDED, Call("", address, device_id="d")), now_ms=number
        )
    assert len(world.refusals) <= MAX_CODES + MAX_REFUSALS
    assert len(world.attempts) == MAX_ATTEMPTS
    for log in (world.refusals, world.attempts):
        await log.flush(world.store)
    assert (await rows(world, "refusals"), await rows(world, "attempts")) == (1_010, 50)


async def test_memory_stays_bounded_while_the_store_is_away_for_long(world: World) -> None:
    product, issued = await suspended(world)
    license_id = issued.view.license.id
    async with store_away(world):
        for round_ in range(4):
            for number in range(MAX_CODES // 2):
                call = Call("", f"{round_}.{number}", device_id=f"{number}")
                if world.refusals.known(1, license_id, Status.SUSPENDED, call, now_ms=1) is None:
                    world.refusals.add(product.product, license_id, Status.SUSPENDED, call, [], now_ms=1)
                world.refusals.known(1, license_id, Status.SUSPENDED, call, now_ms=1)
                world.attempts.note(attempt_of(license_id, Status.SUSPENDED, call), now_ms=1)
            for log in (world.refusals, world.attempts):
                with pytest.raises(Unavailable):
                    await log.flush(world.store)
    assert len(world.refusals) <= 2 * MAX_CODES + MAX_REFUSALS
    assert len(world.attempts) <= MAX_ATTEMPTS


async def test_whatever_fails_and_comes_back_each_refusal_and_attempt_is_counted_once(world: World) -> None:
    product, issued = await suspended(world)
    chance, asked = random.Random(4), 0
    for _ in range(60):
        for _ in range(chance.randrange(4)):
            await ask(world, product, issued.key, f"203.0.113.{chance.randrange(3)}")
            asked += 1
        logs = (world.refusals, world.attempts)
        match chance.randrange(3):
            case 0:
                await asyncio.gather(*(log.flush(world.store) for log in logs))
            case 1:
                async with store_away(world):
                    ended = await asyncio.gather(*(log.flush(world.store) for log in logs), return_exceptions=True)
                assert all(each is None or isinstance(each, Unavailable) for each in ended)
            case _:
                flushes = [asyncio.create_task(log.flush(world.store)) for log in logs]
                await asyncio.sleep(0)
                for flush in flushes:
                    flush.cancel()
                await asyncio.wait(flushes)
                await world.store.write(lambda tx: tx.ledger.fact("behind them"))
    await asyncio.gather(*(log.flush(world.store) for log in logs))
    for table in ("refusals", "attempts"):
        total = f"SELECT SUM(count) FROM {table}"
        assert await world.store._reader.call(lambda it, total=total: it.execute(total).fetchone()[0]) == asked


async def test_what_belongs_to_a_license_that_is_gone_holds_up_nothing_else(world: World) -> None:
    product, issued = await suspended(world)
    code = await code_of(world, product, issued.key)
    call = Call("", "203.0.113.5")
    lost = world.refusals.add(product.product, 999, Status.SUSPENDED, call, [], now_ms=1)
    world.attempts.note(attempt_of(999, Status.SUSPENDED, call), now_ms=1)
    for log in (world.refusals, world.attempts):
        await log.flush(world.store)
    assert (await stored(world, lost), (await stored(world, code)) is None) == (None, False)
    assert await rows(world, "attempts") == 1


async def test_a_refusal_is_forgotten_after_its_days_and_until_it_is_swept_away_not_told(world: World) -> None:
    product, issued = await suspended(world)
    code = await code_of(world, product, issued.key)
    await world.refusals.flush(world.store)
    world.now_ms += 30 * DAY_MS
    await world.upkeep.sweep()
    assert (await world.history.explain(OWNER, code)).refusal.code == code
    world.now_ms += 1
    with pytest.raises(SupportCodeUnknown):
        await world.history.explain(OWNER, code)
    assert await rows(world, "refusals") == 1
    await world.upkeep.sweep()
    assert await rows(world, "refusals") == 0


async def test_attempts_that_are_alike_are_one_with_a_count_and_the_latest_comes_first(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=HOLDER)
    for _ in range(3):
        world.now_ms += 1_000
        await ask(world, product, issued.key, version="1.4.0", device_id="pc")
        await world.attempts.flush(world.store)
    world.now_ms += 1_000
    await ask(world, product, issued.key, "203.0.113.2")
    await world.attempts.flush(world.store)
    found = await world.history.attempts(OWNER, issued.key)
    assert [(it.status, it.address, it.device, it.version, it.count) for it in found] == [
        ("active", "203.0.113.2", None, None, 1),
        ("active", "203.0.113.1", "pc", "1.4.0", 3),
    ]
    assert (found[1].first_at_ms, found[1].last_at_ms) == (NOON_MS + 1_000, NOON_MS + 3_000)


async def test_of_a_licenses_attempts_the_latest_stay_and_only_for_their_days(world: World) -> None:
    product = await world.product()
    issued, other = await world.issue(discord_id=HOLDER), await world.issue(discord_id=HOLDER)
    await ask(world, product, other.key)
    for number in range(60):
        world.now_ms += 1
        await ask(world, product, issued.key, f"203.0.113.{number}")
        await world.attempts.flush(world.store)
    found = await world.history.attempts(OWNER, issued.key, limit=100)
    assert [it.address for it in found] == [f"203.0.113.{number}" for number in range(59, 9, -1)]
    assert len(await world.history.attempts(OWNER, other.key)) == 1
    world.now_ms += 30 * DAY_MS + 1
    assert await world.history.attempts(OWNER, issued.key) == []
    assert await rows(world, "attempts") == 51
    await world.upkeep.sweep()
    assert await rows(world, "attempts") == 0


async def test_who_keeps_no_attempts_has_none_and_those_there_were_go(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=HOLDER)
    await ask(world, product, issued.key)
    await world.attempts.flush(world.store)
    none = Keeping(attempts_per_license=0)
    log, upkeep = AttemptLog(keep=0), UpkeepService(world.store, keeping=none, clock=world.clock)
    history = HistoryService(world.store, world.store.vault, keeping=none, clock=world.clock)
    log.note(attempt_of(issued.view.license.id, Status.ACTIVE, Call("", "203.0.113.3")), now_ms=1)
    await log.flush(world.store)
    assert await history.attempts(OWNER, issued.key) == []
    world.now_ms += 1
    await upkeep.sweep()
    assert await rows(world, "attempts") == 0


async def test_only_who_may_see_licenses_sees_their_attempts(world: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=HOLDER)
    with pytest.raises(NotAllowed):
        await world.history.attempts(member(HOLDER), issued.key)
    with pytest.raises(LicenseNotFound):
        await world.history.attempts(OWNER.model_copy(update={"organization_id": 2}), issued.key)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a\x00b", "a\ufffdb"),
        ("x" * 200, "x" * 128),
        ("\u202egnp", "\ufffdgnp"),
        ("\ud800", "\ufffd"),
        ("Büro 1", "Büro 1"),
    ],
)
async def test_whatever_device_is_named_it_is_kept_so_that_it_can_be_shown(
    world: World, sent: str, kept: str
) -> None:
    product, issued = await suspended(world)
    code = await code_of(world, product, issued.key, device_id=sent, version=sent)
    for log in (world.refusals, world.attempts):
        await log.flush(world.store)
    [attempt] = await world.history.attempts(OWNER, issued.key)
    refusal = await stored(world, code)
    assert refusal is not None
    assert attempt.device == refusal.device == kept
    assert attempt.version == refusal.version == kept[:64]
