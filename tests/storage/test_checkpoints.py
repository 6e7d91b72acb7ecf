"""SQLite's log is emptied beside the transactions: it does not grow for ever, and nothing is lost with it."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from storage_world import OWNER, World

from licensing.services.terms import Terms
from storage import DatabaseSettings, checkpoints, sqlite

SMALL = 200_000


@pytest.fixture(autouse=True)
def _small_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_GROWN", SMALL)
    monkeypatch.setattr(sqlite, "_LOG_KEPT", 3 * SMALL // 4)


async def test_a_log_that_has_grown_is_moved_into_the_database_and_begins_anew(
    world: World, settings: DatabaseSettings
) -> None:
    log = settings.path.with_name(f"{settings.path.name}-wal")
    await world.product()
    longest = 0
    for _ in range(30):
        await world.bulk.issue(OWNER, Terms("Pro", discord_id=20), 100)
        await world.store.settle()
        longest = max(longest, log.stat().st_size)
    assert SMALL <= longest < 4 * SMALL
    with closing(sqlite3.connect(f"file:{settings.path}?immutable=1", uri=True)) as without_log:
        assert without_log.execute("SELECT COUNT(*) FROM licenses").fetchone()[0] > 2_000
    assert await world.store.read(lambda tx: tx.licenses.count(1)) == 3_000


async def test_a_reader_who_holds_on_to_an_older_state_delays_the_emptying_and_nothing_else(
    world: World, settings: DatabaseSettings
) -> None:
    product = await world.product()
    first = await world.issue(discord_id=20)
    with closing(sqlite3.connect(settings.path, isolation_level=None)) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT COUNT(*) FROM licenses").fetchall() == [(1,)]
        for _ in range(10):
            await world.bulk.issue(OWNER, Terms("Pro", discord_id=20), 100)
            await world.store.settle()
        assert other.execute("SELECT COUNT(*) FROM licenses").fetchall() == [(1,)]
    assert await world.store.read(lambda tx: tx.licenses.count(1)) == 1_001
    assert (await world.validate(product.api_key, first.key)).valid


async def test_a_log_that_cannot_be_looked_at_keeps_nobody_from_writing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing = list[Path]()

    def fail(path: Path) -> None:
        failing.append(path)
        raise OSError(5, "EIO")

    monkeypatch.setattr(Path, "stat", lambda path, **_: fail(path))
    writes = [world.store.write(lambda tx: tx.ledger.move("x", 1)) for _ in range(700)]
    with caplog.at_level(logging.ERROR):
        await asyncio.wait_for(asyncio.gather(*writes), timeout=20)
    assert len(failing) >= 2
    assert caplog.messages == []


async def test_what_goes_wrong_after_a_commit_is_logged_and_every_writer_is_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_checkpoints: checkpoints.Checkpoints) -> None:
        raise OSError(5, "EIO")

    monkeypatch.setattr(checkpoints.Checkpoints, "look", fail)
    writes = [world.store.write(lambda tx: tx.ledger.move("x", 1)) for _ in range(700)]
    with caplog.at_level(logging.ERROR):
        await asyncio.wait_for(asyncio.gather(*writes), timeout=20)
    assert set(caplog.messages) == {"what follows a commit failed"}
    assert await world.store.read(lambda tx: tx.ledger.position("x")) == 1
