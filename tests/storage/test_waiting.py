"""Two processes write to one file: who waits for the other has its turn, or is told after two seconds."""

import asyncio
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from storage_world import World, opened

from storage import DatabaseSettings
from storage.sqlite import begin, connect_writer, unavailable

BACK_TO_BACK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA busy_timeout = 30000")
print("ready", flush=True)
while True:
    connection.execute("BEGIN IMMEDIATE")
    for _ in range(300):
        connection.execute("UPDATE facts SET value = value")
    connection.execute("COMMIT")
"""


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.looks = 0
        self.on_look: Callable[[int], object] = lambda _: None

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.looks += 1
        self.on_look(self.looks)


@pytest.fixture
async def path(settings: DatabaseSettings) -> Path:
    async with opened(settings):
        return settings.path


@contextmanager
def writers(path: Path) -> Iterator[tuple[sqlite3.Connection, sqlite3.Connection]]:
    with closing(connect_writer(path)) as holder, closing(connect_writer(path)) as waiter:
        begin(holder)
        yield holder, waiter


def test_a_lock_is_had_within_a_millisecond_of_its_coming_free_however_long_it_was_waited_for(path: Path) -> None:
    with writers(path) as (holder, waiter):
        clock = Clock()
        clock.on_look = lambda _: clock.now_s > 1.5 and holder.in_transaction and holder.execute("COMMIT")
        begin(waiter, clock=clock, sleep=clock.sleep)
        assert waiter.in_transaction
        assert clock.now_s == pytest.approx(1.5, abs=0.0021)


def test_a_lock_that_never_comes_free_is_waited_for_two_seconds_and_then_the_store_is_away(path: Path) -> None:
    with writers(path) as (_, waiter):
        clock = Clock()
        with pytest.raises(sqlite3.OperationalError) as refused:
            begin(waiter, clock=clock, sleep=clock.sleep)
        assert clock.now_s == pytest.approx(2, abs=0.1)
        assert unavailable(refused.value) is not None


def test_what_is_no_matter_of_waiting_is_not_waited_for(path: Path) -> None:
    with closing(connect_writer(path)) as writer:
        clock = Clock()
        writer.execute("BEGIN")
        with pytest.raises(sqlite3.OperationalError):
            begin(writer, clock=clock, sleep=clock.sleep)
        assert clock.looks == 0


async def test_changes_are_written_while_another_process_commits_back_to_back(
    settings: DatabaseSettings, world: World
) -> None:
    await world.product()
    rival = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BACK_TO_BACK, str(settings.path), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert rival.stdout is not None
        assert await rival.stdout.readline()
        for number in range(60):
            await world.issue(notes=str(number))
        assert rival.returncode is None
    finally:
        rival.kill()
        await rival.wait()
