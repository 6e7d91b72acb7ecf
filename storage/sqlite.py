"""The SQLite driver: how connections are opened, and how a transaction's statements are run on one.

A whole transaction runs in one hop on aiosqlite's worker thread, so no caller that is cancelled can leave one open.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from licensing.ports import Steps, Unavailable
from storage.errors import StoreRefused
from storage.statements import StatementTransaction
from storage.statements.base import Statement

T = TypeVar("T")
Work = Callable[[StatementTransaction], Steps[T]]
Sleep = Callable[[float], None]

OLDEST_SQLITE = (3, 38)  # STRICT tables came with 3.37, the ->> operator with 3.38
BUSY_TIMEOUT_MS = 2_000  # twice this, for the write in hand and the last one, fits into the 5 s of a stop
_LOOK_EVERY_S = 0.001
_BREATH_S = 0.000_001  # it comes to some 50 us: what counts is that the thread sleeps
_LOG_KEPT = 24 * 1024 * 1024  # bytes, less than what begins a checkpoint: a file that has to grow is dearer to write
_NOT_OUR_FAULT = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


def require_sqlite() -> None:
    """Refuse a SQLite library that lacks what the schema needs.

    Raises: StoreRefused (sqlite_too_old).
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise StoreRefused("sqlite_too_old", found=sqlite3.sqlite_version, needed=needed)


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open the connection that writes: it waits for its lock in `begin`, and for nothing else."""
    connection = connect(path)
    connection.execute("PRAGMA busy_timeout = 0")
    return connection


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a connection of ours; transactions are always begun and ended by hand.

    The busy timeout comes first, since switching to WAL already needs the lock. FULL makes a commit survive a
    power cut, not only a killed process.
    """
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            # The writer moves the log's pages as a last resort alone, see `storage.checkpoints`.
            connection.execute("PRAGMA wal_autocheckpoint = 50000")
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_KEPT}")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def begin(
    connection: sqlite3.Connection,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Sleep = time.sleep,
) -> None:
    """Take the lock to write, for which another process may have to be waited for.

    SQLite's own waiting soon looks only every 100 ms: whoever commits group after group would have the lock again
    each time, until this process gives up. Who looks every millisecond meets a gap between two groups.
    """
    give_up_at = clock() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or clock() >= give_up_at:
                raise
            sleep(_LOOK_EVERY_S)
        else:
            return


def drive(connection: sqlite3.Connection, steps: Generator[Statement, Any, T], *, sleep: Sleep = time.sleep) -> T:
    """Run a transaction's statements one after another and return what it returns."""
    try:
        statement = next(steps)
        while True:
            # fetchall: an open cursor would hold its snapshot of the database fast
            rows = connection.execute(statement.sql, statement.values).fetchall()
            if statement.writes_many:  # a thread that never sleeps keeps a core from the loop until the next tick
                sleep(_BREATH_S)
            statement = steps.send(rows)
    except StopIteration as done:
        result: T = done.value
        return result


class Worker(aiosqlite.Connection):
    """An aiosqlite connection that runs a whole function on its thread."""

    async def call(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function with the raw connection, in one hop."""
        result: T = await self._execute(function, self._conn)  # type: ignore[no-untyped-call]
        return result


class Readers:
    """Connections that only read: each read takes the one that has least to do, so a long one holds up no other."""

    def __init__(self, *workers: Worker) -> None:
        self.workers = workers
        self._at_work = dict.fromkeys(workers, 0)

    async def call(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function with a raw connection, in one hop."""
        worker = min(self.workers, key=self._at_work.__getitem__)
        self._at_work[worker] += 1
        reading = asyncio.ensure_future(worker.call(function))
        reading.add_done_callback(lambda _: self._is_done(worker))
        # A caller that goes away leaves the connection busy until the function ends.
        return await asyncio.shield(reading)

    def _is_done(self, worker: Worker) -> None:
        self._at_work[worker] -= 1


def read_together(connection: sqlite3.Connection, work: Work[T]) -> T:
    """Run a transaction that only reads on one consistent state.

    Raises: Unavailable.
    """
    try:
        connection.execute("BEGIN")
        try:
            return drive(connection, work(StatementTransaction()))
        finally:
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise unavailable(error) or error from error


def unavailable(error: BaseException) -> Unavailable | None:
    """Return Unavailable for what the disk or another process did; anything else is a fault of the program."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None or code & 0xFF not in _NOT_OUR_FAULT:  # extended codes carry the primary one in their low byte
        return None
    return Unavailable(getattr(error, "sqlite_errorname", ""))
