"""Opens the store: checks that database, key file and program fit each other, and closes everything again."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from licensing.keys import RandomBytes
from licensing.ports import Unavailable
from storage.checkpoints import Checkpoints, rewrite
from storage.errors import StoreRefused
from storage.revisions import HEAD, REVISIONS
from storage.settings import DatabaseSettings
from storage.snapshots import SnapshotCache
from storage.sqlite import (
    Readers,
    Work,
    Worker,
    connect,
    connect_writer,
    read_together,
    require_sqlite,
    unavailable,
)
from storage.vault import FileVault, KeyFile
from storage.writer import Left, Writer

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

_NAME_BYTES = 8  # no two stores on one database ever sign what they write alike
_REST_S = 0.001  # the least that event loops count; the writer's thread is at work for as long, or a few times that


class SqliteStore:
    """See `licensing.ports.Store`; `vault` keeps the license keys, `name` is what others know its writes by."""

    def __init__(
        self,
        writer: Worker,
        reader: Readers,
        snapshots: SnapshotCache,
        vault: FileVault,
        checkpoints: Checkpoints,
        *,
        name: str,
        sleep: Sleep,
    ) -> None:
        self._worker = writer
        self._writer = Writer(writer, self._committed, name=name)
        self._reader = reader
        self._checkpoints = checkpoints
        self._sleep = sleep
        self._open = True
        self.snapshots = snapshots
        self.vault = vault

    async def write(self, work: Work[T]) -> T:
        """Run a transaction; when this returns it is durable and every cache knows.

        Raises: Unavailable, and whatever the work refuses with.
        """
        self._require_open()
        return await self._writer.run(work)

    async def read(self, work: Work[T]) -> T:
        """Run a transaction that only reads, on one consistent state.

        Raises: Unavailable.
        """
        self._require_open()
        return await self._reader.call(lambda connection: read_together(connection, work))

    async def follow(self) -> None:
        """Have the caches follow what other processes changed: asked now and then, it is little each time.

        Raises: Unavailable.
        """
        self._require_open()
        self.snapshots.follow()

    async def settle(self) -> None:
        """Let the log be emptied where it grows too fast, and others have the core that the writer's thread was on.

        Asked between the transactions of whoever writes much.
        """
        await self._checkpoints.finish()
        await self._sleep(_REST_S)

    async def scrub(self) -> bool:
        """Write the file anew without the bytes of what was deleted from it; False where there is no room for that.

        Nothing else may be written meanwhile.
        """
        try:
            return await self._worker.call(rewrite)
        except sqlite3.Error as error:
            if unavailable(error) is None:
                raise
            return False

    @property
    def waiting(self) -> int:
        """How many transactions wait to be written."""
        return self._writer.waiting

    async def close(self) -> None:
        """Write what was asked for, and take nothing more."""
        self._open = False
        await self._writer.finish()
        await self._checkpoints.finish()

    def _committed(self, left: Left) -> None:
        self.snapshots.forget_licenses(left.touched)
        self.snapshots.renew(left.renewed, log_id=left.log_id)
        # A database that cannot be read now is looked at again by the next request.
        with contextlib.suppress(Unavailable, sqlite3.Error):
            self.snapshots.follow()
        self._checkpoints.look()

    def _require_open(self) -> None:
        if not self._open:
            raise Unavailable("closed")


@asynccontextmanager
async def open_store(
    settings: DatabaseSettings, *, random_bytes: RandomBytes = os.urandom, sleep: Sleep = asyncio.sleep
) -> AsyncIterator[SqliteStore]:
    """Open the database and its key file, made anew where there is no database yet.

    Raises: StoreRefused.
    """
    vault = FileVault(await asyncio.to_thread(prepare, settings, random_bytes), random_bytes)
    async with (
        _worker(settings.path) as writer,
        _worker(settings.path, read_only=True) as one,
        _worker(settings.path, read_only=True) as other,
    ):
        connection = connect(settings.path, read_only=True)
        try:
            name = random_bytes(_NAME_BYTES).hex()
            cache = SnapshotCache(connection, size=settings.cached_licenses, writer=name)
            readers = Readers(one, other)
            checkpoints = Checkpoints(readers, settings.path)
            store = SqliteStore(writer, readers, cache, vault, checkpoints, name=name, sleep=sleep)
            try:
                yield store
            finally:
                await store.close()
        finally:
            connection.close()


def prepare(settings: DatabaseSettings, random_bytes: RandomBytes) -> KeyFile:
    """Make the database fit to open and return its key file's secrets.

    Raises: StoreRefused.
    """
    require_sqlite()
    if is_empty(settings.path):
        return _create(settings, random_bytes)
    require_revision(settings.path)
    return _recognise(settings)


def is_empty(path: Path) -> bool:
    """Tell whether there is no database yet.

    Raises: StoreRefused (database_unreadable).
    """
    if not path.exists():
        return True
    return not _ask(path, "SELECT 1 FROM sqlite_master LIMIT 1")


def revision_of(path: Path) -> str | None:
    """Return the schema's revision, empty before the first; None for a file that is no database of ours.

    Raises: StoreRefused (database_unreadable).
    """
    if not _ask(path, "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"):
        return None
    rows = _ask(path, "SELECT version_num FROM alembic_version")
    return rows[0][0] if rows else ""


def require_revision(path: Path) -> None:
    """Refuse a database that this program does not fit.

    Raises: StoreRefused (database_unreadable, database_newer, database_older).
    """
    revision = revision_of(path)
    if revision is None:
        raise StoreRefused("database_unreadable", path=str(path))
    if revision and revision not in REVISIONS:
        raise StoreRefused("database_newer", path=str(path), found=revision, needed=HEAD)
    if revision != HEAD:
        raise StoreRefused("database_older", path=str(path), found=revision, needed=HEAD)


def require_key_file(path: Path, keys: KeyFile, *, key_file: Path) -> None:
    """Refuse a key file that is not the one this database was made with.

    Raises: StoreRefused (key_file_wrong).
    """
    known: dict[str, str] = dict(_ask(path, "SELECT name, value FROM facts WHERE name LIKE 'vault.%'"))
    shown = keys.fingerprints()
    if not known or any(shown.get(name) != value for name, value in known.items()):
        raise StoreRefused("key_file_wrong", path=str(key_file))


def _create(settings: DatabaseSettings, random_bytes: RandomBytes) -> KeyFile:
    from storage.migrate import upgrade  # noqa: PLC0415 - Alembic is slow to import and only needed here

    _make_private_file(settings.path)
    if not settings.key_file.exists():
        settings.key_file.parent.mkdir(parents=True, exist_ok=True)
        KeyFile.make(random_bytes).write(settings.key_file)
    keys = KeyFile.read(settings.key_file)
    connect(settings.path).close()
    upgrade(settings.path, facts=keys.fingerprints())
    return keys


def _recognise(settings: DatabaseSettings) -> KeyFile:
    keys = KeyFile.read(settings.key_file)
    require_key_file(settings.path, keys, key_file=settings.key_file)
    return keys


def _make_private_file(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreRefused("database_unreadable", path=str(path)) from error


def _ask(path: Path, sql: str) -> list[Any]:
    try:
        with contextlib.closing(connect(path, read_only=True)) as connection:
            return connection.execute(sql).fetchall()
    except sqlite3.Error as error:
        raise StoreRefused("database_unreadable", path=str(path)) from error


@asynccontextmanager
async def _worker(path: Path, *, read_only: bool = False) -> AsyncIterator[Worker]:
    try:
        worker = Worker(
            lambda: connect(path, read_only=True) if read_only else connect_writer(path), iter_chunk_size=64
        )
        await worker
    except sqlite3.Error as error:
        raise StoreRefused("database_unreadable", path=str(path)) from error
    try:
        yield worker
    finally:
        await worker.close()
