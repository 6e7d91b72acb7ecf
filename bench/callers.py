"""Callers that notice what they are answered: connections of one event loop, each asking again as soon as it can."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast

_STATUS = b'"status":"'

Ask = Callable[[], tuple[bytes, Any]]
Answered = Callable[[Any, str, bytes], None]


class Caller(asyncio.Protocol):
    """One keep-alive connection: `ask` gives a request and a note, `answered` gets the note back with the answer."""

    def __init__(self, ask: Ask, answered: Answered, ended: Callable[[], None]) -> None:
        self._ask = ask
        self._answered = answered
        self._ended = ended
        self._note: Any = None
        self._transport: asyncio.Transport | None = None
        self._resting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        # Answers are small and written at once, so they arrive whole.
        if not data.startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")):
            raise SystemExit(data.decode(errors="replace"))
        begins = data.index(_STATUS) + len(_STATUS)
        self._answered(self._note, data[begins : data.index(b'"', begins)].decode(), data)
        if self._resting:
            assert self._transport
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        self._ended()

    def rest(self) -> None:
        """Ask no more once the answer that is awaited has come."""
        self._resting = True

    def _send(self) -> None:
        assert self._transport
        request, self._note = self._ask()
        self._transport.write(request)


class Crowd:
    """Several callers on one port, until told to rest or cut off by the server's end."""

    def __init__(self, port: int, ask: Ask, answered: Answered) -> None:
        self._port = port
        self._ask = ask
        self._answered = answered
        self._callers: list[Caller] = []
        self._open = 0
        self._all_ended = asyncio.Event()

    async def begin(self, connections: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            caller = Caller(self._ask, self._answered, self._ended)
            self._open += 1
            await loop.create_connection(lambda caller=caller: caller, "127.0.0.1", self._port)
            self._callers.append(caller)

    async def rest(self) -> None:
        """Wait for what is on its way, and end."""
        for caller in self._callers:
            caller.rest()
        await self.ended()

    async def ended(self) -> None:
        async with asyncio.timeout(10):
            await self._all_ended.wait()

    def _ended(self) -> None:
        self._open -= 1
        if self._open == 0:
            self._all_ended.set()


def wall_ms() -> int:
    """Return the time as the server writes it down."""
    return time.time_ns() // 1_000_000
