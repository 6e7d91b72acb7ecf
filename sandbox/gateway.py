"""Gateway v10: what a client must send, and which events its intents let through."""

import asyncio
import json
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from sandbox import payloads
from sandbox.errors import Json
from sandbox.sessions import Close, Connection, Intent, Op, Session
from sandbox.world import World

HEARTBEAT_MS = 41250
CHUNK = 1000
MAX_PAYLOAD = 4096
CLOSE_SECONDS = 1.0  # a client that does not answer a close is cut off
PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
ALL_INTENTS = (1 << 26) - 1
_BY_PREFIX = (
    ("GUILD_MEMBER", Intent.GUILD_MEMBERS),
    ("GUILD_BAN", Intent.GUILD_MODERATION),
    ("GUILD_", Intent.GUILDS),
    ("CHANNEL_", Intent.GUILDS),
)
NEEDS_NO_INTENT = ("INTERACTION_", "APPLICATION_COMMAND_")
PRIVATE_FIELDS: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


class Gateway:
    """Every session and connection; turns what happens in the world into dispatches."""

    def __init__(self, world: World, *, token: str) -> None:
        self._world = world
        self.token = token
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        self._made = 0
        self.refusing = False
        world.emit = self.dispatch

    @property
    def live(self) -> list[Session]:
        """The sessions whose client is connected and has worked through READY and its guilds, or RESUMED."""
        return [session for session in self.sessions.values() if session.connection and session.ready]

    def dispatch(self, event: str, data: Json) -> None:
        for session in self.sessions.values():
            wanted = self._as_seen(session, event, data)
            if wanted is not None:
                self._send(session, event, wanted)

    def _send(self, session: Session, event: str, data: Json) -> None:
        payload = session.record(event, data)
        if session.connection is not None:
            session.connection.send(payload)

    def _as_seen(self, session: Session, event: str, data: Json) -> Json | None:
        own = event == "GUILD_MEMBER_UPDATE" and data["user"]["id"] == str(self._world.bot.id)
        if own or event.startswith(NEEDS_NO_INTENT):
            return data
        if event.startswith("MESSAGE_"):
            return self._message_as_seen(session, data)
        needed = next(intent for prefix, intent in _BY_PREFIX if event.startswith(prefix))
        return data if session.intents & needed else None

    def _message_as_seen(self, session: Session, data: Json) -> Json | None:
        needed = Intent.GUILD_MESSAGES if "guild_id" in data else Intent.DIRECT_MESSAGES
        if not session.intents & needed:
            return None
        if "author" not in data or needed == Intent.DIRECT_MESSAGES:
            return data
        own = str(self._world.bot.id)
        about_it = data["author"]["id"] == own or any(each["id"] == own for each in data["mentions"])
        return data if about_it or session.intents & Intent.MESSAGE_CONTENT else {**data, **PRIVATE_FIELDS}

    # Connections

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self.refusing:
            return web.Response(status=503, text="upstream connect error")
        socket = web.WebSocketResponse(timeout=CLOSE_SECONDS, autoping=False)
        await socket.prepare(request)
        connection = Connection(socket, compress=request.query.get("compress") == "zlib-stream")
        self.connections.add(connection)
        sender = asyncio.create_task(connection.pump())
        try:
            await self._converse(request, connection)
        finally:
            cut = connection.closing
            connection.close(WSCloseCode.OK)
            await sender
            self._forget(connection, cut=cut)
        return socket

    def _forget(self, connection: Connection, *, cut: bool) -> None:
        self.connections.discard(connection)
        if connection.session is not None and connection.session.connection is connection:
            connection.session.connection = None
            # Code 1000 or 1001 from the client ends its session for good; any other close can be resumed.
            if not cut and connection.socket.close_code in {WSCloseCode.OK, WSCloseCode.GOING_AWAY}:
                self.sessions.pop(connection.session.id, None)
        self._world.signal.notify()

    async def _converse(self, request: web.Request, connection: Connection) -> None:
        if request.query.get("v", "10") != "10":
            connection.close(Close.INVALID_VERSION)
        connection.send({"op": int(Op.HELLO), "t": None, "s": None, "d": {"heartbeat_interval": HEARTBEAT_MS}})
        async for frame in connection.socket:
            if frame.type is WSMsgType.TEXT:
                self._receive(connection, frame.data)
            elif frame.type is WSMsgType.PING:
                await connection.socket.pong(frame.data)
            elif frame.type is WSMsgType.PONG:
                self._caught_up(connection)

    def _caught_up(self, connection: Connection) -> None:
        session = connection.session
        if session is not None and session.connection is connection and not connection.closing:
            session.ready = True
            self._world.signal.notify()

    def _receive(self, connection: Connection, line: str) -> None:
        try:
            payload = json.loads(line if len(line) <= MAX_PAYLOAD else "")
            op, data = Op(payload["op"]), payload.get("d")
        except (TypeError, KeyError, json.JSONDecodeError):
            connection.close(Close.DECODE_ERROR)
        except ValueError:
            connection.close(Close.UNKNOWN_OPCODE)
        else:
            self._obey(connection, op, data)

    def _obey(self, connection: Connection, op: Op, data: Any) -> None:
        if op is Op.HEARTBEAT:
            connection.send({"op": int(Op.ACK)})
        elif op in {Op.IDENTIFY, Op.RESUME}:
            if connection.session is not None:
                connection.close(Close.ALREADY_AUTHENTICATED)
            elif data.get("token", "").removeprefix("Bot ") != self.token:
                connection.close(Close.AUTHENTICATION_FAILED)
            else:
                (self._identify if op is Op.IDENTIFY else self._resume)(connection, data)
        elif connection.session is None:
            connection.close(Close.NOT_AUTHENTICATED)
        elif op is Op.REQUEST_MEMBERS:
            self._chunk(connection.session, data)

    def _identify(self, connection: Connection, data: Json) -> None:
        intents = data.get("intents")
        if not isinstance(intents, int) or intents < 0 or intents > ALL_INTENTS:
            connection.close(Close.INVALID_INTENTS)
        elif intents & PRIVILEGED & ~self._world.privileged_intents:
            connection.close(Close.DISALLOWED_INTENTS)
        else:
            # A session nobody came back for is over once the client starts anew.
            self.sessions = {key: each for key, each in self.sessions.items() if each.connection}
            self._made += 1
            session = Session(f"{self._made:032x}", intents)
            self.sessions[session.id] = session
            self._attach(connection, session)
            self._greet(session, data)
            connection.ping()

    def _attach(self, connection: Connection, session: Session) -> None:
        connection.session, session.connection = session, connection

    def _greet(self, session: Session, data: Json) -> None:
        guilds = self._world.bot_guilds()
        ready = {
            "v": 10,
            "user": {**payloads.user(self._world.bot), "verified": True, "mfa_enabled": False},
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "shard": data.get("shard", [0, 1]),
            "application": {"id": str(self._world.application_id), "flags": 0},
            "private_channels": [],
        }
        self._send(session, "READY", ready)
        if session.intents & Intent.GUILDS:
            for guild in (each for each in guilds if each.id not in self._world.unavailable):
                self._send(session, "GUILD_CREATE", payloads.arriving_guild(guild, self._world.me(guild)))

    def _resume(self, connection: Connection, data: Json) -> None:
        session = self.sessions.get(data.get("session_id", ""))
        sequence = data.get("seq") or 0
        if session is None or not session.remembers(sequence):
            connection.send({"op": int(Op.INVALID_SESSION), "d": False})
            return
        for payload in session.history:
            if payload["s"] > sequence:
                connection.send(payload)
        self._attach(connection, session)
        self._send(session, "RESUMED", {})
        connection.ping()

    def _chunk(self, session: Session, data: Json) -> None:
        guild = self._world.guilds.get(int(data["guild_id"]))
        if guild is None or self._world.bot.id not in guild.members:
            return
        wanted = self._wanted_members(session, list(guild.members.values()), data)
        pieces = [wanted[at : at + CHUNK] for at in range(0, len(wanted), CHUNK)] or [[]]
        for index, piece in enumerate(pieces):
            chunk = {
                "guild_id": str(guild.id),
                "members": [payloads.member(member) for member in piece],
                "chunk_index": index,
                "chunk_count": len(pieces),
                "not_found": [],
                "nonce": data.get("nonce"),
            }
            self._send(session, "GUILD_MEMBERS_CHUNK", chunk)

    def _wanted_members(self, session: Session, members: list[Any], data: Json) -> list[Any]:
        if data.get("user_ids"):
            ids = data["user_ids"] if isinstance(data["user_ids"], list) else [data["user_ids"]]
            return [member for member in members if str(member.user.id) in map(str, ids)]
        query, limit = data.get("query", "").lower(), data.get("limit", 0)
        if not query and not session.intents & Intent.GUILD_MEMBERS:
            return []  # the whole list needs the privileged intent
        found = [member for member in members if member.user.name.lower().startswith(query)]
        return found[:limit] if limit else found

    # What befalls the gateway

    def drop(self, *, resumable: bool, code: int = Close.UNKNOWN_ERROR) -> None:
        """Close every connection; without `resumable` the sessions are forgotten too."""
        for session in self.sessions.values():
            session.ready = False
        if not resumable:
            self.sessions.clear()
        for connection in self.connections:
            connection.close(code)
        self._world.signal.notify()
