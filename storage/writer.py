"""The only writer of this process: it commits in groups, and tells other processes what no event tells them."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from licensing.ports import Steps
from storage.sqlite import Work, Worker, begin, drive, unavailable
from storage.statements import StatementTransaction
from storage.statements.seats import Renewed

T = TypeVar("T")

_MAX_BATCH = 500
# Other processes look at every request, or each half second: nobody who is well misses so many groups.
_TOLD = 1_000
_CLEARED_AT_ONCE = 100

log = logging.getLogger(__name__)


class Left(NamedTuple):
    """How a group left the licenses that it wrote without an event, and the row of the log that tells of them."""

    touched: set[int]  # nobody knows for certain how they are now
    renewed: dict[int, Renewed]
    log_id: int


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
    """Commits together whatever waits when it is free.

    One commit makes many transactions durable. Grouping needs no timer: while one group is written the next gathers.
    """

    def __init__(self, worker: Worker, committed: Callable[[Left], None], *, name: str) -> None:
        self._worker = worker
        self._committed = committed
        self._name = name
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
        log_id: int | None = None
        try:
            log_id = await self._worker.call(lambda connection: _commit_together(connection, batch, self._name))
        except Exception as error:  # noqa: BLE001 - every caller of the group gets its answer
            failure = unavailable(error) or error
        try:
            # The caches learn of the commit here, before any caller does: a caller may be gone.
            self._committed(_left_by(batch, log_id))
        except Exception:  # what is stored is stored, and whoever waits next is to be written too
            log.exception("what follows a commit failed")
        finally:
            for unit in batch:
                unit.settle(failure)


def _left_by(batch: Sequence[Unit[Any]], log_id: int | None) -> Left:
    """Return which licenses a group touched, and how it left those of which that is known for certain.

    Nothing is of a group that was not stored, which has no row of the log.
    """
    touched: set[int] = set().union(*(unit.touched for unit in batch))
    renewed: dict[int, Renewed] = {}
    for unit in batch:  # a later one has seen what the earlier ones did
        renewed |= unit.renewed
    # Whichever came first of a unit that touched a license and one that knows how it is: nobody is sure any more.
    sure = {} if log_id is None else {each: known for each, known in renewed.items() if each not in touched}
    return Left(touched | (renewed.keys() - sure.keys()), sure, log_id or 0)


def _commit_together(connection: sqlite3.Connection, batch: Sequence[Unit[Any]], name: str) -> int:
    """Commit a group and return the row of the log that tells others of it, 0 where there is nothing to tell."""
    begin(connection)
    try:
        for unit in batch:
            unit.run(connection)
        written = {license_id for unit in batch for license_id in (*unit.touched, *unit.renewed)}
        log_id = drive(connection, _tell(StatementTransaction(), name, written)) if written else 0
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return log_id


def _tell(tx: StatementTransaction, name: str, license_ids: Collection[int]) -> Steps[int]:
    """Tell other processes of licenses, and now and then clear what all of them have read long since."""
    log_id = yield from tx.touched.append(name, license_ids)
    if log_id % _CLEARED_AT_ONCE == 0:
        yield from tx.touched.forget(last_id=log_id - _TOLD)
    return log_id
