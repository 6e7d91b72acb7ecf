"""What the operator does to a store that is not serving: migrate it, back it up, restore it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot import archive
from bot.config import Database
from bot.replacement import Pair, put_in_place, settle
from bot.scratch import folder_beside, remove_leftovers
from storage import maintenance as store
from storage.errors import StoreRefused
from storage.maintenance import Contents, MigrationReport
from storage.settings import DatabaseSettings

__all__ = [
    "Contents",
    "Migrated",
    "StoreRefused",
    "Unpacked",
    "back_up",
    "is_in_use",
    "migrate",
    "needs_migration",
    "replace",
    "tidy_up",
    "unpacked",
]


_UNFIT = {"database_unreadable", "key_file_damaged", "key_file_missing", "key_file_wrong"}


@dataclass(frozen=True, kw_only=True)
class Migrated:
    """Which way the database went, and the copy of how it was before."""

    report: MigrationReport
    backup: Path


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """An archive's content, decrypted beside the target and found to fit together."""

    files: Pair
    manifest: archive.Manifest
    contents: Contents


def is_in_use(database: Database) -> bool:
    """Whether a process has the database open."""
    return _is_sqlite(database.path) and store.is_in_use(_settings(database))


def needs_migration(database: Database) -> bool:
    """Whether there is a database that is older than this program."""
    return store.needs_migration(_settings(database))


def migrate(database: Database) -> Migrated:
    """Bring the database to this program's schema; keep a copy of how it was."""
    settings = _settings(database)
    before = database.path.with_name(f"{database.path.name}.before-migration.bak")
    # Left from a migration that failed: it holds what is being copied again.
    before.unlink(missing_ok=True)
    store.snapshot(settings, before)
    report = store.migrate(settings)
    return Migrated(report=report, backup=_named_after(before, report.to_revision))


def back_up(
    database: Database, target: Path, *, passphrase: str, created_at_ms: int, program_version: str
) -> Contents:
    """Write one archive of database and key file while others go on using them; say what it holds."""
    # The copy in clear stays on the disk that holds the database anyway, not on the target's.
    with folder_beside(database.path, "backup") as folder:
        copy = Pair(database=folder / "copy.db", key_file=folder / "copy.key")
        shutil.copyfile(database.key_path, copy.key_file)
        copy.key_file.chmod(0o600)
        store.snapshot(_settings(database), copy.database)
        contents = _inspected_as(copy, database)
        archive.write(
            target,
            passphrase=passphrase,
            database=copy.database,
            key_file=copy.key_file,
            created_at_ms=created_at_ms,
            program_version=program_version,
        )
        return contents


@contextmanager
def unpacked(source: Path, database: Database, *, passphrase: str) -> Iterator[Unpacked]:
    """Decrypt an archive beside the target and prove that its parts fit; remove what was not put in place.

    Raises:
        ArchiveRefused: it is damaged, newer, its parts do not fit, or the passphrase is another.
    """
    database.path.parent.mkdir(parents=True, exist_ok=True)
    with folder_beside(database.path, "restore") as folder:
        files = Pair(database=folder / "restored.db", key_file=folder / "restored.key")
        manifest = archive.read(source, passphrase=passphrase, database=files.database, key_file=files.key_file)
        yield Unpacked(files=files, manifest=manifest, contents=_brought_up_to_date(files))


def replace(database: Database, new: Pair, *, stamp: str) -> list[Path]:
    """Put the restored files in place; return where the old ones are kept."""
    return put_in_place(new, pair(database), stamp=stamp)


def pair(database: Database) -> Pair:
    """Return the files that make up the store."""
    return Pair(database=database.path, key_file=database.key_path)


def tidy_up(database: Database) -> None:
    """Finish a restore that a crash cut off, and remove what killed commands left beside the database."""
    settle(pair(database))
    remove_leftovers(database.path)


def _is_sqlite(path: Path) -> bool:
    """Whether it is worth asking SQLite; restoring over a ruined file must be possible."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        return file.read(16) in {b"", b"SQLite format 3\0"}


def _brought_up_to_date(files: Pair) -> Contents:
    """Inspect what came out of an archive; one of an older version is migrated where it lies."""
    try:
        return _inspected(files)
    except StoreRefused as error:
        if error.code != "database_older":
            raise
        store.migrate(DatabaseSettings(path=files.database, key_file=files.key_file))
        return _inspected(files)


def _inspected(files: Pair) -> Contents:
    """Look into the files; a refusal speaks of the archive, for their own paths mean nothing to a reader."""
    try:
        return store.inspect(files.database, files.key_file)
    except StoreRefused as error:
        if error.code == "database_newer":
            raise archive.ArchiveNewer from error
        if error.code in _UNFIT:
            raise archive.ArchiveUnfit from error
        raise


def _inspected_as(copy: Pair, original: Database) -> Contents:
    """Inspect a copy; a refusal names the files it was copied from."""
    try:
        return store.inspect(copy.database, copy.key_file)
    except StoreRefused as error:
        path = original.key_path if error.code.startswith("key_file") else original.path
        raise StoreRefused(error.code, **error.data | {"path": path}) from error


def _settings(database: Database) -> DatabaseSettings:
    return DatabaseSettings(path=database.path, key_file=database.key_path)


def _named_after(backup: Path, revision: str) -> Path:
    """Rename the copy after the revision it precedes, beside older copies of the same name."""
    stem = backup.name.removesuffix("migration.bak") + revision
    name, number = f"{stem}.bak", 1
    while backup.with_name(name).exists():
        number += 1
        name = f"{stem}.{number}.bak"
    return backup.rename(backup.with_name(name))
