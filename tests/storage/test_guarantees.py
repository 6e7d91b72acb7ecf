"""What the store promises, each promise on a real file."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable

import pytest
from storage_world import ORGANIZATION, OWNER, World, member, opened

from licensing.errors import KeyClaimedByOther, LimitReached, NameTaken, Refusal
from licensing.events import Action
from licensing.models import LicenseView, Plan
from licensing.ports import Steps, Transaction, Unavailable
from licensing.services.changes import Edit
from licensing.verdict import Status
from storage import DatabaseSettings


async def test_of_two_hundred_members_claiming_one_key_exactly_one_gets_it(world: World) -> None:
    await world.product()
    issued = await world.issue()

    async def claim(discord_id: int) -> LicenseView | Refusal:
        try:
            return await world.account.claim(member(discord_id), issued.key)
        except Refusal as refusal:
            return refusal

    ends = await asyncio.gather(*(claim(discord_id) for discord_id in range(1000, 1200)))
    winners = [end for end in ends if isinstance(end, LicenseView)]
    assert len(winners) == 1
    assert [type(end) for end in ends if isinstance(end, Refusal)] == [KeyClaimedByOther] * 199
    assert [event.action for event in await world.events()].count(Action.LICENSE_CLAIMED) == 1
    held = await world.licenses.view(OWNER, issued.key)
    assert held.customer == winners[0].customer


async def test_forty_addresses_racing_for_three_seats_get_exactly_three(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20, max_ips=3)
    verdicts = await asyncio.gather(
        *(world.validate(product.api_key, issued.key, f"203.0.113.{n}") for n in range(40))
    )
    assert [verdict.status for verdict in verdicts].count(Status.ACTIVE) == 3
    assert len((await world.licenses.view(OWNER, issued.key)).addresses) == 3
    assert {verdict.ip_count for verdict in verdicts if not verdict.valid} == {3}


async def test_a_plan_with_room_for_two_products_has_room_for_two_whoever_races(world: World) -> None:
    world.plans["default"] = Plan(products=2)
    ends = await asyncio.gather(*(world.product(f"P{n}") for n in range(20)), return_exceptions=True)
    assert sum(isinstance(end, LimitReached) for end in ends) == 18
    assert len(await world.catalog.list(OWNER)) == 2


async def test_a_cancelled_revocation_leaves_no_open_transaction_and_no_stale_cache(world: World) -> None:
    product = await world.product()
    for number in range(30):
        issued = await world.issue(discord_id=20)
        assert (await world.validate(product.api_key, issued.key)).status is Status.ACTIVE
        caller = asyncio.ensure_future(world.licenses.revoke(OWNER, issued.key))
        for _ in range(number % 6):
            await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        await world.issue()  # the writer is free: nothing was left open
        stored = (await world.licenses.view(OWNER, issued.key)).license.state
        answered = (await world.validate(product.api_key, issued.key)).status
        assert answered == stored


async def test_a_revocation_is_seen_by_the_very_next_validation(world: World) -> None:
    product = await world.product()
    for _ in range(50):
        issued = await world.issue(discord_id=20)
        assert (await world.validate(product.api_key, issued.key)).status is Status.ACTIVE
        await world.licenses.revoke(OWNER, issued.key)
        assert (await world.validate(product.api_key, issued.key)).status is Status.REVOKED


async def test_every_change_writes_its_event_in_the_same_transaction(world: World) -> None:
    def change_and_fail(tx: Transaction) -> Steps[None]:
        license_ = yield from tx.licenses.lock(1, 1)
        assert license_ is not None
        yield from tx.licenses.save(license_.model_copy(update={"notes": "half done"}))
        raise NameTaken(name="x")

    await world.product()
    issued = await world.issue(notes="whole")
    before = await world.events()
    with pytest.raises(NameTaken):
        await world.store.write(change_and_fail)
    assert (await world.licenses.view(OWNER, issued.key)).license.notes == "whole"
    assert await world.events() == before


async def test_a_read_that_takes_long_holds_up_no_other_even_when_its_caller_is_gone(world: World) -> None:
    begun, done = threading.Event(), threading.Event()

    def long_one(tx: Transaction) -> Steps[int]:
        begun.set()
        assert done.wait(30)
        return (yield from tx.products.count(ORGANIZATION))

    reading = asyncio.create_task(world.store.read(long_one))
    assert await asyncio.to_thread(begun.wait, 30)
    reading.cancel()
    for _ in range(3):
        assert await world.store.read(lambda tx: tx.products.count(ORGANIZATION)) == 0
    assert not done.is_set()
    done.set()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_refusal_in_a_group_undoes_itself_alone(world: World) -> None:
    ends = await asyncio.gather(
        *(world.product(name) for name in ("One", "Two", "one", "Three", "TWO")), return_exceptions=True
    )
    assert [isinstance(end, NameTaken) for end in ends] == [False, False, True, False, True]
    assert [product.name for product in await world.catalog.list(OWNER)] == ["One", "Three", "Two"]


async def test_on_a_full_disk_who_needs_no_write_is_served_and_the_rest_is_told_unavailable(world: World) -> None:
    product = await world.product()
    issued, spare = await world.issue(discord_id=20), await world.issue(discord_id=21)
    assert (await world.validate(product.api_key, issued.key, "203.0.113.1")).valid
    await world.store._writer._worker.call(_fill_the_disk)

    with pytest.raises(Unavailable):
        await _again_and_again(lambda n: world.issue(notes="x" * 900 + str(n)))
    with pytest.raises(Unavailable):
        await _again_and_again(lambda n: world.validate(product.api_key, issued.key, f"198.51.{n >> 8}.{n & 255}"))
    with pytest.raises(Unavailable):
        await _again_and_again(lambda n: world.changes.edit(OWNER, spare.key, Edit(notes=f"{n} " + "x" * 900)))
    for _ in range(10):
        assert (await world.validate(product.api_key, issued.key, "203.0.113.1")).valid

    await world.store._writer._worker.call(lambda connection: connection.execute("PRAGMA max_page_count = 1000000"))
    assert (await world.validate(product.api_key, spare.key)).valid
    await world.licenses.revoke(OWNER, issued.key)
    assert (await world.validate(product.api_key, issued.key, "203.0.113.1")).status is Status.REVOKED


def _fill_the_disk(connection: sqlite3.Connection) -> None:
    """Let SQLite find no page beyond those it has: it fails as on a full disk (SQLITE_FULL)."""
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")


async def _again_and_again(write: Callable[[int], Awaitable[object]]) -> None:
    """Write until the room in the last pages is used up."""
    for number in range(10_000):
        await write(number)


async def test_no_key_stands_in_clear_in_any_file(world: World, settings: DatabaseSettings) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    await world.account.claim(member(20), issued.key)
    await world.licenses.reveal(OWNER, issued.key)
    stored = b"".join(path.read_bytes() for path in settings.path.parent.iterdir())
    tidied = issued.key.replace("-", "")
    assert product.api_key.encode() not in stored
    assert product.api_key[12:].encode() not in stored
    for clear in (issued.key, tidied, tidied[4:], tidied[:8]):
        assert clear.encode() not in stored


async def test_the_database_and_the_key_file_are_readable_by_their_owner_alone(
    world: World, settings: DatabaseSettings
) -> None:
    await world.product()
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in settings.path.parent.iterdir()}
    assert set(modes.values()) == {"0o600"}, modes


async def test_usage_and_last_seen_are_written_behind_and_survive_a_restart(settings: DatabaseSettings) -> None:
    async with opened(settings) as world:
        product = await world.product()
        issued = await world.issue(discord_id=20)
        for _ in range(5):
            world.now_ms += 1000
            await world.validate(product.api_key, issued.key)
        await world.usage.flush(world.store)
        await world.write_seen()
        last_ms = world.now_ms
    async with opened(settings) as world:
        world.now_ms, world.plans["default"] = last_ms, Plan(calls_per_product_per_day=6)
        (seat,) = (await world.licenses.view(OWNER, issued.key)).addresses
        assert (seat.first_seen_at_ms, seat.last_seen_at_ms) == (last_ms - 4000, last_ms)
        assert (await world.validate(product.api_key, issued.key)).valid
        assert (await world.validate(product.api_key, issued.key)).status is Status.RATE_LIMIT_EXCEEDED
