"""Follows the ledger and has every event of a lane delivered to Discord, at least once and in order.

The position moves after the delivery, so a crash repeats at most one event that somebody is told of. What
Discord refuses for good is the delivery's business; what it refuses for now is tried again here, and nothing
overtakes it: while Discord as a whole is away without an end, while it fails at this one event for a bounded time.
"""

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import aiohttp
import discord

from cogs.lanes import SINGLE, Lane
from licensing.events import Event
from licensing.ports import Steps, Store, Transaction, Unavailable

log = logging.getLogger(__name__)

POLL_S = 2.0
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
TOO_FAST_PAUSE_S = 120.0
GIVE_UP_S = 900.0

_REMEMBERED = 500
_ATTEMPTS_AT_BUGS = 3
_UNAUTHORIZED = 401
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_OPENING_TOO_FAST = 40003  # Discord's limit on opening direct messages; insisting makes it last longer
_WARN_AFTER_S = 60.0
_STOP_S = 1.0


class Outcome(Enum):
    """What became of the message that an event sends to its holder."""

    DELIVERED = "delivered"
    CLOSED = "closed"
    NOBODY = "nobody"
    PENDING = "pending"
    LOST = "lost"


class Away(Exception):  # noqa: N818 - a state of Discord's, not a fault
    """The connection to Discord is down, so no event is to blame for what failed."""


Deliver = Callable[[Event], Awaitable[Outcome]]


def is_transient(error: BaseException) -> bool:
    """Tell whether Discord or the network may do later what it did not do now.

    A refused token is one of those: the operator mends it, and nothing may be lost until then.
    """
    if isinstance(error, discord.HTTPException):
        limited = error.status in (_UNAUTHORIZED, _TOO_MANY_REQUESTS) or _is_too_fast(error)
        return limited or error.status >= _SERVER_ERROR
    return isinstance(error, Unavailable | Away | aiohttp.ClientError | OSError | discord.GatewayNotFound)


def _is_too_fast(error: BaseException) -> bool:
    return isinstance(error, discord.HTTPException) and error.code == _OPENING_TOO_FAST


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to rest when Discord says too fast, and after how long an event that it fails at is given up."""

    too_fast_pause_s: float = TOO_FAST_PAUSE_S
    give_up_s: float = GIVE_UP_S
    clock: Callable[[], float] = time.monotonic


_PATIENCE = Patience()


class Wait:
    """What holds the outbox up, and since when."""

    def __init__(self, pauses_s: Sequence[float], patience: Patience) -> None:
        self._pauses_s = pauses_s
        self._patience = patience
        self._clock = patience.clock
        self.over()

    def over(self) -> None:
        """Note that something was delivered."""
        self._failures = 0
        self._since: float | None = None
        self._warned = False
        self._culprit: tuple[int, float] | None = None  # the event that Discord fails at, and since when

    def is_vain(self, event: Event, error: BaseException) -> bool:
        """Tell whether Discord, although connected, has failed at this one event for too long."""
        if not isinstance(error, discord.DiscordServerError):
            self._culprit = None
            return False
        if self._culprit is None or self._culprit[0] != event.id:
            self._culprit = event.id, self._clock()
        return self._clock() - self._culprit[1] >= self._patience.give_up_s

    def pause_s(self, error: BaseException) -> float:
        """Return how long to wait now; a wait that has become long is told once."""
        now = self._clock()
        if self._since is None:
            self._since = now
        pause_s = self._pauses_s[min(self._failures, len(self._pauses_s) - 1)]
        if _is_too_fast(error):
            pause_s = self._patience.too_fast_pause_s
        self._failures += 1
        log.info("delivery to Discord waits %s s: %s", pause_s, type(error).__name__)
        if now - self._since >= _WARN_AFTER_S and not self._warned:
            self._warned = True
            log.warning("messages and roles have been waiting for %d s: %s", now - self._since, error)
        return pause_s


class Outbox:
    """One follower of the ledger; woken when something was written here, and by a poll for other processes."""

    def __init__(
        self,
        store: Store,
        *,
        lane: Lane = SINGLE,
        poll_s: float = POLL_S,
        pauses_s: Sequence[float] = PAUSES_S,
        patience: Patience = _PATIENCE,
    ) -> None:
        self.wake = asyncio.Event()
        self._store = store
        self._lane = lane
        self._poll_s = poll_s
        self._wait = Wait(pauses_s, patience)
        self._position: int | None = None
        self._saved: int | None = None
        self._outcomes: OrderedDict[int, Outcome] = OrderedDict()
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def branch_off(self, lane: Lane) -> None:
        """Begin where another lane is, if this one has never moved: until then its events went there.

        Raises: Unavailable.
        """

        def work(tx: Transaction) -> Steps[None]:
            if not (yield from tx.ledger.position(self._lane.follower)):
                yield from tx.ledger.move(self._lane.follower, (yield from tx.ledger.position(lane.follower)))

        await self._store.write(work)

    def start(self, deliver: Deliver) -> None:
        """Begin to deliver in the background."""
        self._task = asyncio.create_task(self._follow(deliver), name="outbox")

    async def stop(self) -> None:
        """Stop; what was not delivered is delivered by the next start.

        An attempt that does not let itself be cancelled in time is left alone, and delivers nothing after it.
        """
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        _, running = await asyncio.wait({task}, timeout=_STOP_S)
        if running:
            log.warning("a delivery did not end in time; it is the last of its kind")

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
        while self._is_mine():
            try:
                await self._deliver_new(deliver)
                self._wait.over()
                await self._rest(self._poll_s)
            except Exception as error:
                if not is_transient(error):
                    log.exception("the outbox met an unexpected error and goes on")
                pause_s = self._wait.pause_s(error)
                # A command wakes the outbox early, which is what Discord must be spared when it says too fast.
                await (asyncio.sleep(pause_s) if _is_too_fast(error) else self._rest(pause_s))

    def _is_mine(self) -> bool:
        """Tell whether the task that asks is the one to deliver: none is, after `stop`."""
        return asyncio.current_task() is self._task

    async def _deliver_new(self, deliver: Deliver) -> None:
        if self._position is None:
            self._position = self._saved = await self._store.read(lambda tx: tx.ledger.position(self._lane.follower))
        while self._is_mine():
            self.wake.clear()
            events = await self._after(self._position)
            for event in self._lane.pick(events):
                if not self._is_mine():
                    return
                await self._deliver_one(deliver, event)
            if events:
                self._position = events[-1].id
            await self._save(self._position)
            if not events:
                return

    async def _after(self, position: int) -> Sequence[Event]:
        return await self._store.read(lambda tx: tx.ledger.after(position, limit=self._lane.batch))

    async def _deliver_one(self, deliver: Deliver, event: Event) -> None:
        outcome = await self._attempt(deliver, event)
        if outcome is not Outcome.NOBODY:  # what nobody is told of may be looked at twice: one write for all of it
            await self._save(event.id)
        self._position = event.id
        self._wait.over()
        async with self._news:
            self._outcomes[event.id] = outcome
            if len(self._outcomes) > _REMEMBERED:
                self._outcomes.popitem(last=False)
            self._news.notify_all()

    async def _save(self, position: int) -> None:
        if position != self._saved and self._is_mine():
            await self._store.write(lambda tx: tx.ledger.move(self._lane.follower, position))
            self._saved = position

    async def _attempt(self, deliver: Deliver, event: Event) -> Outcome:
        """Deliver an event; one that meets a bug every time is given up, or nothing after it would arrive."""
        for attempt in range(1, _ATTEMPTS_AT_BUGS + 1):
            try:
                return await deliver(event)
            except Exception as error:
                if not is_transient(error):
                    log.exception("event %s could not be delivered (attempt %s)", event.id, attempt)
                elif self._wait.is_vain(event, error):
                    log.exception("event %s is given up: Discord failed at it for too long", event.id)
                    break
                else:
                    raise
        return Outcome.LOST

    async def _rest(self, longest_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self.wake.wait()
