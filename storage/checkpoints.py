"""Moves what was written from SQLite's log into the database, on a reader's thread, while transactions go on.

SQLite by itself has the writer do it within a commit, every 1,000 pages: whoever waits for that commit, and all who
come behind, wait for the disk too. And the more is moved at once, the less it costs: a page that was written several
times is moved once, and all of them in their order.
"""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

from storage.sqlite import BUSY_TIMEOUT_MS, Readers

_GROWN = 32 * 1024 * 1024  # bytes: commits meanwhile share the disk with the moving, so not too much at a time


class Checkpoints:
    """Begins a checkpoint when the log has grown enough since the last one."""

    def __init__(self, readers: Readers, database: Path) -> None:
        self._readers = readers
        self._log = database.with_name(f"{database.name}-wal")
        self._size = 0
        self._running: asyncio.Task[None] | None = None

    def look(self) -> None:
        """See how far the log has grown since the last one."""
        size = 0
        with contextlib.suppress(OSError):  # not there yet, or the disk fails, which is for others to tell
            size = self._log.stat().st_size
        if self._running is None and size - self._size >= _GROWN:
            self._size = size
            self._running = asyncio.create_task(self._run(), name="checkpoint")

    async def finish(self) -> None:
        """Wait for the one that runs, if any."""
        if self._running is not None:
            await asyncio.shield(self._running)

    async def _run(self) -> None:
        # What fails now is tried after the next growth; the writer does it itself before the log grows for ever.
        try:
            with contextlib.suppress(sqlite3.Error):
                if await self._readers.call(_checkpoint):
                    self._size = 0
        finally:
            self._running = None


def _checkpoint(connection: sqlite3.Connection) -> bool:
    """Move what no reader needs; tell whether that was all: then the next commit cuts the log short."""
    [(is_busy, frames, moved)] = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    return not is_busy and bool(frames == moved)  # while another one runs both are -1


def rewrite(connection: sqlite3.Connection) -> bool:
    """Write the database's file anew, and empty its log; tell whether nothing of the old one is left.

    What is deleted goes on standing in freed pages and in the log; only a whole new file is free of it.
    """
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    try:
        connection.execute("VACUUM")
        is_busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.execute("PRAGMA busy_timeout = 0")
    return not is_busy
