"""Gateway sessions and connections: what is remembered of a client, and the socket it is on."""

import asyncio
import contextlib
import json
import zlib
from collections import deque
from enum import IntEnum, IntFlag

from aiohttp import WSCloseCode, web

from sandbox.errors import Json

HISTORY = 1000  # events a session keeps for a client that resumes


class Op(IntEnum):
    """Gateway operations by their documented numbers."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    ACK = 11


class Close(IntEnum):
    """Gateway close codes by their documented numbers."""

    UNKNOWN_ERROR = 4000
    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_VERSION = 4012
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


class Intent(IntFlag):
    """The intents the sandbox has events for, and the privileged ones."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_MODERATION = 1 << 2
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    DIRECT_MESSAGES = 1 << 12
    MESSAGE_CONTENT = 1 << 15


class Session:
    """What the gateway remembers of one identified client, also while it is away."""

    def __init__(self, session_id: str, intents: int) -> None:
        self.id = session_id
        self.intents = intents
        self.connection: Connection | None = None
        self.ready = False
        self.sequence = 0
        self.history: deque[Json] = deque(maxlen=HISTORY)

    def remembers(self, sequence: int) -> bool:
        """Whether everything after this event can still be replayed."""
        oldest = self.history[0]["s"] if self.history else 1
        return oldest - 1 <= sequence <= self.sequence

    def record(self, event: str, data: Json) -> Json:
        self.sequence += 1
        payload = {"op": int(Op.DISPATCH), "t": event, "s": self.sequence, "d": data}
        self.history.append(payload)
        return payload


class Connection:
    """One socket; what is sent goes through a queue, so that events keep their order."""

    def __init__(self, socket: web.WebSocketResponse, *, compress: bool) -> None:
        self.socket = socket
        self.session: Session | None = None
        self._deflate = zlib.compressobj() if compress else None
        self._outbox: asyncio.Queue[Json | bytes | None] = asyncio.Queue()
        self._close_code: int | None = None

    def send(self, payload: Json) -> None:
        self._outbox.put_nowait(payload)

    def ping(self) -> None:
        """Ask for a pong, which a client sends once it has worked through everything before."""
        self._outbox.put_nowait(b"")

    @property
    def closing(self) -> bool:
        """Whether this end has decided to close."""
        return self._close_code is not None

    def close(self, code: int) -> None:
        """Close after what has been sent so far."""
        if self._close_code is None:
            self._close_code = code
            self._outbox.put_nowait(None)

    async def pump(self) -> None:
        """Send what is queued until the socket closes."""
        while (payload := await self._outbox.get()) is not None:
            await self._write(payload)
        await self.socket.close(code=self._close_code or WSCloseCode.OK)

    async def _write(self, payload: Json | bytes) -> None:
        # Where the client went away, its session stays and can be resumed.
        with contextlib.suppress(ConnectionError):
            if isinstance(payload, bytes):
                await self.socket.ping(payload)
            elif self._deflate is None:
                await self.socket.send_str(json.dumps(payload))
            else:
                line = json.dumps(payload).encode()
                await self.socket.send_bytes(self._deflate.compress(line) + self._deflate.flush(zlib.Z_SYNC_FLUSH))
