"""Work that goes on beside requests: repeated, supervised, and ended cleanly."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from licensing.ports import Unavailable

_STOP_TIMEOUT_S = 1.0
_LAST_TIMEOUT_S = 1.5
_REST_PART = 10  # of its time even work that never gets done in time leaves to others

log = logging.getLogger(__name__)


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None], *, name: str) -> AsyncIterator[None]:
    """Run a task for the length of the block; its fault is logged, its end is waited for, but not for ever."""
    task = asyncio.create_task(_guarded(work, name), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=_STOP_TIMEOUT_S)


async def _guarded(work: Coroutine[Any, Any, None], name: str) -> None:
    try:
        await work
    except Exception:
        log.exception("%s stopped because of a fault of the program", name)


async def repeat(work: Callable[[], Awaitable[None]], *, every_s: float, name: str) -> None:
    """Do something again and again; a store that is away is said once, and when it is back."""
    away, took_s, clock = False, 0.0, asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(pause_s(every_s, took_s=took_s))
        began = clock()
        try:
            await work()
        except Unavailable:
            if not away:
                log.warning("%s: the database cannot be written; what waits is kept and tried again", name)
            away = True
        except Exception:
            log.exception("%s failed and goes on", name)
        else:
            if away:
                log.info("%s: the database can be written again", name)
            away = False
        took_s = clock() - began


def pause_s(every_s: float, *, took_s: float) -> float:
    """Return how long to rest, so that a turn begins in time after the last one began, however long that took."""
    return max(every_s / _REST_PART, every_s - took_s)


async def last_time(work: Callable[[], Awaitable[None]], *, name: str) -> None:
    """Do it once more before the end; what fails now is lost, and said."""
    with contextlib.suppress(asyncio.CancelledError):
        try:
            async with asyncio.timeout(_LAST_TIMEOUT_S):
                await work()
        except (Unavailable, TimeoutError):
            log.warning("%s: the database cannot be written; what was counted since the last write is lost", name)
        except Exception:
            log.exception("%s failed at the end", name)
