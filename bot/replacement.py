"""Putting a restored database and key file where the old ones are, so that a crash leaves either pair, whole.

The two files lie side by side and cannot be renamed in one step. So the new ones first wait beside their
places as `.restoring`, the key file before the database. Once the database waits too there is no way back:
whoever opens the store next calls `settle`, which finishes the exchange from any point it was cut off at.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Pair", "put_in_place", "settle"]

# What SQLite keeps beside a database; it belongs to that database and would spoil another.
_BESIDE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A database, and the key file that makes its secrets readable."""

    database: Path
    key_file: Path

    def exists(self) -> bool:
        """Whether there is anything of it."""
        return self.database.exists() or self.key_file.exists()


def put_in_place(new: Pair, target: Pair, *, stamp: str) -> list[Path]:
    """Exchange the pairs; return where the old files are kept, named `.replaced-<stamp>`."""
    for place in (target.database, target.key_file):
        place.parent.mkdir(parents=True, exist_ok=True)
    kept = list(_keep_aside(target, stamp))
    _copy(new.key_file, _waiting(target.key_file))
    _rename(new.database, _waiting(target.database))
    settle(target)
    return kept


def settle(target: Pair) -> bool:
    """Finish a restore that was cut off after its point of no return; return whether there was one."""
    database, key_file = _waiting(target.database), _waiting(target.key_file)
    if not database.exists():
        return False
    if key_file.exists():
        _rename(key_file, target.key_file)
    for suffix in _BESIDE:
        _beside(target.database, suffix).unlink(missing_ok=True)
    # Last, because that it waits is the sign that something is left to do.
    _rename(database, target.database)
    return True


def _keep_aside(target: Pair, stamp: str) -> Iterator[Path]:
    kept = _beside(target.database, f".replaced-{stamp}")
    copies = {target.database: kept, target.key_file: _beside(target.key_file, f".replaced-{stamp}")}
    # A database that was not closed well keeps its last changes beside it, under its own new name.
    copies |= {_beside(target.database, suffix): _beside(kept, suffix) for suffix in _BESIDE}
    for source, copy in copies.items():
        if source.exists():
            _link(source, copy)
            yield copy


def _waiting(place: Path) -> Path:
    return _beside(place, ".restoring")


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def _link(source: Path, copy: Path) -> None:
    """Give the file a second name; a copy where the file system knows no links."""
    try:
        copy.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:
        _copy(source, copy)


def _copy(source: Path, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as target, source.open("rb") as content:
        shutil.copyfileobj(content, target, 1 << 20)
        target.flush()
        os.fsync(descriptor)
    _sync_folder(copy)


def _rename(source: Path, place: Path) -> None:
    source.replace(place)
    _sync_folder(place)


def _sync_folder(file: Path) -> None:
    """Make a new name last through a power cut; Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
