"""The SQLite driver: one writer that commits in groups, two readers, and how connections are opened.

A whole transaction runs in one hop on aiosqlite's worker thread, so no caller that is cancelled can leave one open.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import aiosqlite

from licensing.ports import Steps, Unavailable
from storage.errors import StoreRefused
from storage.statements import StatementTransaction
from storage.statements.base import Statement
from storage.statements.seats import Renewed

T = TypeVar("T")
Work = Callable[[StatementTransaction], Steps[T]]
Sleep = Callable[[float], None]
Committed = Callable[[set[int], dict[int, Renewed]], None]

OLDEST_SQLITE = (3, 38)  # STRICT tables came with 3.37, the ->> operator with 3.38
BUSY_TIMEOUT_MS = 2_000  # twice this, for the write in hand and the last one, fits into the 5 s of a stop
_LOOK_EVERY_S = 0.001
_BREATH_S = 0.000_001  # it comes to some 50 us: what counts is that the thread sleeps
_LOG_KEPT = 24 * 1024 * 1024  # bytes, less than what begins a checkpoint: a file that has to grow is dearer to write
_MAX_BATCH = 500
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

log = logging.getLogger(__name__)


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


class Unit(Generic[T]):
    """One transaction in a group: its work, and how it ended."""

    def __init__(self, work: Work[T], future: asyncio.Future[T]) -> None:
        self.work = work
        self.future = future
        self.touched: set[int] = set()
        self.renewed: dict[int, Renewed] = {}
        self._result: T | None = None
        self._error: Exception | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        """Do the work within the group's transaction; a refusal undoes this unit alone."""
        tx = StatementTransaction()
        connection.execute("SAVEPOINT unit")
        try:
            self._result = drive(connection, self.work(tx))
            self.touched, self.renewed = tx.touched_licenses, tx.renewed_licenses
        except Exception as error:
            if not connection.in_transaction:  # a full disk rolls everything back by itself
                raise
            connection.execute("ROLLBACK TO unit")
            self._error = unavailable(error) or error
        connection.execute("RELEASE unit")

    def settle(self, failure: Exception | None = None) -> None:
        """Tell the caller, unless it has gone away."""
        error = failure or self._error
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(self._result)  # type: ignore[arg-type]


class Writer:
    """The only writer of this process: whatever waits when it is free is committed together.

    One commit makes many transactions durable. Grouping needs no timer: while one group is written the next gathers.
    """

    def __init__(self, worker: Worker, committed: Committed) -> None:
        self._worker = worker
        self._committed = committed
        self._waiting: list[Unit[Any]] = []
        self._draining: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many transactions are not begun yet."""
        return len(self._waiting)

    async def run(self, work: Work[T]) -> T:
        """Run a transaction; a caller that is cancelled meanwhile leaves it to finish by itself.

        Raises: Unavailable, and whatever the work refuses with.
        """
        unit: Unit[T] = Unit(work, asyncio.get_running_loop().create_future())
        self._waiting.append(unit)
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await unit.future

    async def finish(self) -> None:
        """Wait until everything that was asked for is written."""
        while self._draining is not None:
            await asyncio.shield(self._draining)

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MAX_BATCH], self._waiting[_MAX_BATCH:]
                await self._write(batch)
        finally:
            self._draining = None

    async def _write(self, batch: Sequence[Unit[Any]]) -> None:
        failure: Exception | None = None
        try:
            await self._worker.call(lambda connection: _commit_together(connection, batch))
        except Exception as error:  # noqa: BLE001 - every caller of the group gets its answer
            failure = unavailable(error) or error
        try:
            # The caches learn of the commit here, before any caller does: a caller may be gone.
            self._committed(*_left_by(batch, is_stored=failure is None))
        except Exception:  # what is stored is stored, and whoever waits next is to be written too
            log.exception("what follows a commit failed")
        finally:
            for unit in batch:
                unit.settle(failure)


def _left_by(batch: Sequence[Unit[Any]], *, is_stored: bool) -> tuple[set[int], dict[int, Renewed]]:
    """Return which licenses a group touched, and how it left those of which that is known for certain."""
    touched: set[int] = set().union(*(unit.touched for unit in batch))
    renewed: dict[int, Renewed] = {}
    for unit in batch:  # a later one has seen what the earlier ones did
        renewed |= unit.renewed
    # Whichever came first of a unit that touched a license and one that knows how it is: nobody is sure any more.
    sure = {} if not is_stored else {each: known for each, known in renewed.items() if each not in touched}
    return touched | (renewed.keys() - sure.keys()), sure


def _commit_together(connection: sqlite3.Connection, batch: Sequence[Unit[Any]]) -> None:
    begin(connection)
    try:
        for unit in batch:
            unit.run(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


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
