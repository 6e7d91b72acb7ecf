"""Everything one running sandbox shares, and the trouble that can be made for a bot."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.commands import Registry
from sandbox.errors import DriverError
from sandbox.gateway import Gateway
from sandbox.interactions import Interactions
from sandbox.people import People
from sandbox.world import World

MAX_REQUESTS = 10_000  # remembered, twice as many at times
PATIENCE = 10.0  # seconds a driver waits for the bot


@dataclass(frozen=True)
class Request:
    """One request the bot made and how it was answered."""

    method: str
    path: str
    status: int
    reason: str | None = None


@dataclass(frozen=True)
class Refusal:
    """How a request is refused on purpose, and which: 429 with a time to wait, or any other status."""

    status: int
    code: int = 0
    retry_after: float = 0.0
    method: str = ""
    path_prefix: str = ""


class Trouble:
    """Switches for what can go wrong at Discord's end; all off at first."""

    def __init__(self) -> None:
        self.outage = False
        self._refusals: list[Refusal] = []
        self.channel_limit: tuple[int, float] | None = None
        self._posts: defaultdict[str, deque[float]] = defaultdict(deque)

    def refuse(self, count: int, refusal: Refusal) -> None:
        """Refuse the next `count` requests that fit."""
        self._refusals += [refusal] * count

    def refusal(self, method: str, path: str) -> Refusal | None:
        """What is to befall this request; each refusal is used once."""
        for each in self._refusals:
            if path.startswith(each.path_prefix) and each.method in {"", method}:
                self._refusals.remove(each)
                return each
        return None

    def count_post(self, channel: str) -> tuple[dict[str, str], float | None]:
        """Count a message to a channel; give the headers to send and the seconds to wait, if any."""
        if self.channel_limit is None:
            return {}, None
        most, window = self.channel_limit
        now, posts = asyncio.get_running_loop().time(), self._posts[channel]
        while posts and posts[0] <= now - window:
            posts.popleft()
        full = len(posts) >= most
        if not full:
            posts.append(now)
        reset = posts[0] + window - now
        headers = {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(most - len(posts)),
            "X-RateLimit-Reset-After": f"{reset:.3f}",
            "X-RateLimit-Bucket": "channel-messages",
        }
        return headers, reset if full else None


@dataclass(frozen=True)
class Hub:
    """The parts of one sandbox, for the routes and the driver alike."""

    world: World
    registry: Registry
    interactions: Interactions
    people: People
    gateway: Gateway
    trouble: Trouble = field(default_factory=Trouble)
    requests: list[Request] = field(default_factory=list)
    unknown_requests: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)

    def record(self, request: Request) -> None:
        """Remember a request; the oldest are forgotten, for a sandbox may run for weeks."""
        self.requests.append(request)
        if len(self.requests) > 2 * MAX_REQUESTS:
            del self.requests[:-MAX_REQUESTS]

    async def wait_until(self, true: Callable[[], Any], *, timeout: float = PATIENCE) -> None:  # noqa: ASYNC109 - a bound on the condition
        """Wait until something holds in the sandbox; raise if it never does."""
        if not await self.world.signal.wait_until(true, timeout=timeout):
            raise DriverError(f"Waited {timeout} s in vain.")
