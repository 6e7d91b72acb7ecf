"""What an operator does to a database by hand: migrate it, copy it while it is in use, look into a copy."""

import contextlib
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from licensing.models import PLATFORM
from storage.errors import StoreRefused
from storage.revisions import HEAD, REVISIONS
from storage.settings import DatabaseSettings
from storage.sqlite import connect, require_sqlite
from storage.store import is_empty, require_key_file, require_revision, revision_of
from storage.vault import KeyFile

_COUNTS = f"""SELECT (SELECT COUNT(*) FROM organizations WHERE id <> {PLATFORM}), (SELECT COUNT(*) FROM products),
 (SELECT COUNT(*) FROM licenses), (SELECT MAX(at_ms) FROM events)"""


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """From which revision to which a database was brought; the same twice when there was nothing to do."""

    from_revision: str | None
    to_revision: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds, and when it last changed."""

    organizations: int
    products: int
    licenses: int
    changed_at_ms: int | None


def needs_migration(database: DatabaseSettings) -> bool:
    """Tell whether a database is older than this program.

    Raises: StoreRefused (database_unreadable, database_newer).
    """
    require_sqlite()
    if is_empty(database.path):
        return False
    revision = revision_of(database.path)
    if revision is None:
        raise StoreRefused("database_unreadable", path=str(database.path))
    if revision and revision not in REVISIONS:
        raise StoreRefused("database_newer", path=str(database.path), found=revision, needed=HEAD)
    return revision != HEAD


def migrate(database: DatabaseSettings) -> MigrationReport:
    """Bring a database to the newest schema, all or nothing; back it up first.

    Raises: StoreRefused (database_unreadable, database_newer, database_in_use).
    """
    if not needs_migration(database):
        return MigrationReport(HEAD, HEAD)
    if is_in_use(database):
        raise StoreRefused("database_in_use", path=str(database.path))
    from storage.migrate import upgrade  # noqa: PLC0415 - Alembic is slow to import and only needed here

    before = revision_of(database.path)
    upgrade(database.path)
    return MigrationReport(before, HEAD)


def snapshot(database: DatabaseSettings, target: Path) -> None:
    """Copy a database into a file, made readable by its owner alone, while others go on writing to it.

    Raises: StoreRefused (database_unreadable).
    """
    if is_empty(database.path):
        raise StoreRefused("database_unreadable", path=str(database.path))
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600))
    try:
        with (
            contextlib.closing(connect(database.path, read_only=True)) as source,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole in itself
    except sqlite3.Error as error:
        raise StoreRefused("database_unreadable", path=str(database.path)) from error


def inspect(database_file: Path, key_file: Path) -> Contents:
    """Return what a database holds, once it is sure that it is whole and that its key file fits.

    Raises: StoreRefused (database_unreadable, database_newer, database_older, key_file_missing, key_file_wrong,
    key_file_exposed, key_file_damaged).
    """
    require_sqlite()
    require_revision(database_file)
    require_key_file(database_file, KeyFile.read(key_file), key_file=key_file)
    try:
        with contextlib.closing(connect(database_file, read_only=True)) as connection:
            if connection.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
                raise StoreRefused("database_unreadable", path=str(database_file))
            return Contents(*connection.execute(_COUNTS).fetchone())
    except sqlite3.Error as error:
        raise StoreRefused("database_unreadable", path=str(database_file)) from error


def is_in_use(database: DatabaseSettings) -> bool:
    """Tell whether another process has the database open.

    Every connection of ours holds a shared lock for as long as it is open in WAL mode; only one that is alone can
    take the file for itself.
    """
    if not database.path.exists():
        return False
    with contextlib.closing(sqlite3.connect(database.path, isolation_level=None, timeout=0)) as connection:
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        except sqlite3.DatabaseError as error:
            raise StoreRefused("database_unreadable", path=str(database.path)) from error
    return False
