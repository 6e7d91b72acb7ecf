"""Follows the ledger and has every event delivered to Discord, at least once and in order.

The position moves after the delivery, so a crash repeats at most one event. What Discord refuses for good is
the delivery's business; what it refuses for now is tried again here, and nothing overtakes it.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum

import aiohttp
import discord

from licensing.events import Event
from licensing.ports import Store, Unavailable

log = logging.getLogger(__name__)

FOLLOWER = "discord"
POLL_S = 2.0
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)

_BATCH = 100
_REMEMBERED = 500
_ATTEMPTS_AT_BUGS = 3
_UNAUTHORIZED = 401
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


class Outcome(Enum):
    """What became of the message that an event sends to its holder."""

    DELIVERED = "delivered"
    CLOSED = "closed"
    NOBODY = "nobody"
    PENDING = "pending"


Deliver = Callable[[Event], Awaitable[Outcome]]


def is_transient(error: BaseException) -> bool:
    """Tell whether Discord or the network may do later what it did not do now.

    A refused token is one of those: the operator mends it, and nothing may be lost until then.
    """
    if isinstance(error, discord.HTTPException):
        return error.status >= _SERVER_ERROR or error.status in (_UNAUTHORIZED, _TOO_MANY_REQUESTS)
    return isinstance(error, Unavailable | aiohttp.ClientError | OSError | discord.GatewayNotFound)


class Outbox:
    """One follower of the ledger; woken when something was written here, and by a poll for other processes."""

    def __init__(self, store: Store, *, poll_s: float = POLL_S, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self.wake = asyncio.Event()
        self._store = store
        self._poll_s = poll_s
        self._pauses_s = pauses_s
        self._position: int | None = None
        self._outcomes: OrderedDict[int, Outcome] = OrderedDict()
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    def start(self, deliver: Deliver) -> None:
        """Begin to deliver in the background."""
        self._task = asyncio.create_task(self._follow(deliver), name="outbox")

    async def stop(self) -> None:
        """Stop; what was not delivered is delivered by the next start."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    async def outcome(self, event_id: int, *, within_s: float) -> Outcome:
        """Return what became of an event's message, or PENDING if that is not known in time."""
        self.wake.set()
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(lambda: event_id in self._outcomes)
        except TimeoutError:
            return Outcome.PENDING
        return self._outcomes[event_id]

    async def _follow(self, deliver: Deliver) -> None:
        failures = 0
        while True:
            try:
                await self._deliver_new(deliver)
                failures = 0
                await self._rest(self._poll_s)
            except Exception as error:
                if not is_transient(error):
                    log.exception("the outbox met an unexpected error and goes on")
                pause_s = self._pauses_s[min(failures, len(self._pauses_s) - 1)]
                failures += 1
                log.info("delivery to Discord waits %s s: %s", pause_s, type(error).__name__)
                await self._rest(pause_s)

    async def _deliver_new(self, deliver: Deliver) -> None:
        if self._position is None:
            self._position = await self._store.read(lambda tx: tx.ledger.position(FOLLOWER))
        while True:
            self.wake.clear()
            events = await self._after(self._position)
            for event in events:
                await self._deliver_one(deliver, event)
            if not events:
                return

    async def _after(self, position: int) -> Sequence[Event]:
        return await self._store.read(lambda tx: tx.ledger.after(position, limit=_BATCH))

    async def _deliver_one(self, deliver: Deliver, event: Event) -> None:
        outcome = await self._attempt(deliver, event)
        await self._store.write(lambda tx: tx.ledger.move(FOLLOWER, event.id))
        self._position = event.id
        async with self._news:
            self._outcomes[event.id] = outcome
            if len(self._outcomes) > _REMEMBERED:
                self._outcomes.popitem(last=False)
            self._news.notify_all()

    async def _attempt(self, deliver: Deliver, event: Event) -> Outcome:
        """Deliver an event; one that meets a bug every time is given up, or nothing after it would arrive."""
        for attempt in range(1, _ATTEMPTS_AT_BUGS + 1):
            try:
                return await deliver(event)
            except Exception as error:
                if is_transient(error):
                    raise
                log.exception("event %s could not be delivered (attempt %s)", event.id, attempt)
        return Outcome.CLOSED

    async def _rest(self, longest_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self.wake.wait()
