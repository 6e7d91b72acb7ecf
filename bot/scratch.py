"""A private folder beside the database for copies in clear; what a killed process left of one is removed.

Each folder is locked for as long as it is used, and the system lets go of the lock however its process ends: one
that can be locked belongs to nobody any more.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["folder_beside", "remove_leftovers"]

_PREFIX = ".keyport-"
_PURPOSES = ("backup", "restore")


@contextmanager
def folder_beside(file: Path, purpose: str) -> Iterator[Path]:
    """Make a folder of its owner alone, gone at the end with everything in it."""
    with contextlib.ExitStack() as held:
        with _locked(file.parent):
            _sweep(file.parent)
            folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{purpose}-", dir=file.parent))
            held.enter_context(_locked(folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def remove_leftovers(file: Path) -> None:
    """Remove what killed processes left beside a file; what cannot be removed now is left to the next time."""
    with contextlib.suppress(OSError), _locked(file.parent):
        _sweep(file.parent)


def _sweep(parent: Path) -> None:
    for purpose in _PURPOSES:
        for folder in parent.glob(f"{_PREFIX}{purpose}-*"):
            # Locked by somebody: in use. Of another user, or a link: none of ours.
            with contextlib.suppress(OSError), _locked(folder, flags=os.O_NOFOLLOW, wait=False):
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, *, flags: int = 0, wait: bool = True) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | flags)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)
