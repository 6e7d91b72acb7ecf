"""What the store promises, each promise on a real file."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

import pytest
from storage_world import ORGANIZATION, OWNER, World, member, opened

from licensing.errors import KeyClaimedByOther, LimitReached, NameTaken, Refusal
from licensing.events import Action
from licensing.models import LicenseView, Plan
from licensing.ports import Steps, Transaction, Unavailable
from licensing.services.changes import Edit
from licensing.verdict import Status
from storage import DatabaseSettings

ROOT = Path(__file__).parents[2]


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


async def test_a_revocation_is_seen_by_the_very_next_validation_through_another_store_on_the_file(
    world: World, settings: DatabaseSettings
) -> None:
    product = await world.product()
    async with opened(settings) as other:
        for _ in range(50):
            issued = await world.issue(discord_id=20)
            assert (await other.validate(product.api_key, issued.key)).status is Status.ACTIVE
            await world.licenses.revoke(OWNER, issued.key)
            assert (await other.validate(product.api_key, issued.key)).status is Status.REVOKED


async def test_seats_are_not_oversold_between_two_stores_on_one_file(
    world: World, settings: DatabaseSettings
) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20, max_ips=3)
    async with opened(settings) as other:
        verdicts = await asyncio.gather(
            *((world, other)[n % 2].validate(product.api_key, issued.key, f"203.0.113.{n}") for n in range(40))
        )
    assert [verdict.status for verdict in verdicts].count(Status.ACTIVE) == 3


WRITER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, "tests")
from storage_world import opened, OWNER
from storage import DatabaseSettings

async def main():
    async with opened(DatabaseSettings(Path(sys.argv[1]), Path(sys.argv[2]))) as world:
        await world.product()
        async def issue_for_ever(discord_id):
            while True:
                issued = await world.issue(discord_id=discord_id)
                print(issued.key, flush=True)
        await asyncio.gather(*(issue_for_ever(n) for n in range(1, 9)))

asyncio.run(main())
"""


async def test_a_process_killed_in_mid_write_keeps_what_it_acknowledged_and_nothing_half_done(
    settings: DatabaseSettings,
) -> None:
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(settings.path), str(settings.key_file),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert writer.stdout is not None
    acknowledged = [(await writer.stdout.readline()).decode().strip() for _ in range(300)]
    writer.send_signal(signal.SIGKILL)
    rest = (await writer.stdout.read()).decode()
    acknowledged += [line for line in rest.splitlines(keepends=False) if rest.endswith("\n") or len(line) == 19]
    await writer.wait()

    async with opened(settings) as world:
        for key in acknowledged[-100:]:
            await world.licenses.view(OWNER, key)
    with sqlite3.connect(settings.path) as connection:
        licenses, keys, created = connection.execute(
            "SELECT (SELECT COUNT(*) FROM licenses), (SELECT COUNT(*) FROM license_keys),"
            " (SELECT COUNT(*) FROM events WHERE action = 'license.created')"
        ).fetchone()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert licenses == keys == created >= len(acknowledged)


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


async def test_a_validation_by_another_api_process_sees_a_revocation_at_once(settings: DatabaseSettings) -> None:
    async with opened(settings) as world:
        product = await world.product()
        issued = await world.issue(discord_id=20)
        async with ApiProcess(settings) as validate:
            assert await validate(product.api_key, issued.key) == "active"
            await world.licenses.revoke(OWNER, issued.key)
            assert await validate(product.api_key, issued.key) == "revoked"


class ApiProcess:
    """`keyport api` on a free port, asked over HTTP."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KEYPORT_")},
            "KEYPORT_DATABASE__URL": f"sqlite:///{settings.path}",
            "KEYPORT_API__PORT": "0",
            "KEYPORT_LOG__FORMAT": "json",
        }

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "api", cwd=ROOT, env=self._environ, stderr=asyncio.subprocess.PIPE
        )
        assert self._process.stderr is not None
        line = (await self._process.stderr.readline()).decode()
        self._port = int(line.partition("http://127.0.0.1:")[2].partition('"')[0])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await self._process.communicate()
        assert self._process.returncode == 0

    async def __call__(self, api_key: str, key: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        body = json.dumps({"license_key": key}).encode()
        head = (
            f"POST /api/v1/validate HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {api_key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = (await reader.read()).partition(b"\r\n\r\n")[2]
        writer.close()
        await writer.wait_closed()
        return str(json.loads(answer)["status"])
