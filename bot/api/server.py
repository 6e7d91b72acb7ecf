"""The API on a socket: bound, served and shut down without losing a request in flight.

Everything that holds for each connection and each answer, whoever made it, is here: the request's id, our name, the
one shape of errors even for what is no HTTP, and how many connections there may be and how long one may hesitate.
"""

import asyncio
import itertools
import logging
import re
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import hdrs, web
from aiohttp.http import HttpProcessingError

from bot.api.errors import Handler, Seldom, in_one_shape, no_http, unavailable
from bot.api.limits import (
    CONNECTIONS_AT_MOST,
    CROWD_LOGGED_EVERY_S,
    HEADERS_LIMIT,
    HEADERS_TIMEOUT_S,
    KEEPALIVE_S,
    LINE_LIMIT,
    LINGER_S,
    SHUTDOWN_S,
)
from bot.api.metrics import Traffic
from bot.api.ready import REQUEST_ID, SERVER_NAME, ReadyResponse
from bot.log import request_id

# Handlers that are found without asking the router, by method and path.
DIRECT: web.AppKey[Mapping[tuple[str, str], Handler]] = web.AppKey("DIRECT", Mapping)
_NOWHERE: Mapping[tuple[str, str], Handler] = {}

_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")

_log = logging.getLogger(__name__)


@asynccontextmanager
async def serve(
    app: web.Application, *, host: str, port: int, reuse_port: bool = False, traffic: Traffic | None = None
) -> AsyncIterator[tuple[str, int]]:
    """Serve an application and yield the address it is bound to; on leaving, answer what was begun.

    Raises: OSError, when the address is taken or not ours.
    """
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        if runner.server is not None:
            _find_directly(runner.server, app.get(DIRECT, _NOWHERE))
        listening = await _listen(runner, traffic or Traffic(), host=host, port=port, reuse_port=reuse_port)
        try:
            bound = listening.sockets[0].getsockname()
            yield str(bound[0]), int(bound[1])
        finally:
            listening.close()
    finally:
        await runner.cleanup()


async def _listen(
    runner: web.AppRunner, traffic: Traffic, *, host: str, port: int, reuse_port: bool
) -> asyncio.Server:
    """Do what `web.TCPSite` does, but with connections of our own kind."""
    server, loop, log = runner.server, asyncio.get_running_loop(), _wire_log()
    if server is None:
        raise RuntimeError("the runner is not set up")
    _name_requests(server, RequestIds(secrets.token_hex(4)))
    crowd = Crowd(traffic, at_most=_room())
    return await loop.create_server(
        lambda: Connection(server, crowd, loop=loop, log=log), host, port, reuse_port=reuse_port or None
    )


def _room() -> int:
    """Return how many connections may be open; a quarter of the files is left to the database and to Discord."""
    try:
        import resource  # noqa: PLC0415 - not there on Windows
    except ImportError:
        return CONNECTIONS_AT_MOST
    files, _most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS_AT_MOST if files == resource.RLIM_INFINITY else min(CONNECTIONS_AT_MOST, files * 3 // 4)


class RequestIds:
    """Names requests: by what the caller calls them if that is well-formed, else by a prefix and a counter."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._counter = itertools.count(1)

    def of(self, headers: Mapping[str, str]) -> str:
        """Return the id of a request."""
        given = headers.get(REQUEST_ID)
        if given is not None and _WELL_FORMED.fullmatch(given):
            return given
        return f"{self._prefix}-{next(self._counter):x}"


def _name_requests(server: web.Server, ids: RequestIds) -> None:
    """Give each request its id the moment it is read; a middleware would cost every request several percent."""
    make_request = server.request_factory

    def named(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        protocol.begin()
        # This is the connection's task, whose variables the request's own task inherits.
        request_id.set(ids.of(message.headers))
        return make_request(message, payload, protocol, writer, task)

    server.request_factory = named


def _find_directly(server: web.Server, places: Mapping[tuple[str, str], Handler]) -> None:
    """Lead what is asked all the time past the router, which costs as much as judging a license."""
    routed = server.request_handler

    def lead(request: Any) -> Awaitable[web.StreamResponse]:
        handler = places.get((request.method, request.raw_path))
        # The router knows what to do about "Expect: 100-continue".
        return routed(request) if handler is None or hdrs.EXPECT in request.headers else handler(request)

    server.request_handler = lead


class Crowd:
    """All open connections, of which there may be so many; for a new one the one goes that was idle longest."""

    def __init__(self, traffic: Traffic, *, at_most: int) -> None:
        self.traffic = traffic
        self._at_most = at_most
        self._idle: OrderedDict[Connection, None] = OrderedDict()
        self._warning = Seldom(CROWD_LOGGED_EVERY_S)

    def enter(self, connection: "Connection") -> bool:
        """Count a connection and return whether there is room for it, or could be made."""
        self.traffic.connections += 1
        if self.traffic.connections > self._at_most:
            self.traffic.turned_away += 1
            if self._warning.is_due(now_s=asyncio.get_running_loop().time()):
                _log.warning("More than %s connections are open; idle ones are closed first.", self._at_most)
            if not self._idle:
                return False
            self._idle.popitem(last=False)[0].force_close()
        self.rest(connection)
        return True

    def work(self, connection: "Connection") -> None:
        """Note that a connection has a request to be answered."""
        self._idle.pop(connection, None)

    def rest(self, connection: "Connection") -> None:
        """Note that a connection waits for a request from now on."""
        self._idle[connection] = None

    def leave(self, connection: "Connection") -> None:
        """Count a connection that ended, turned away or not."""
        self.traffic.connections -= 1
        self._idle.pop(connection, None)


class Connection(web.RequestHandler):
    """One caller's connection: aiohttp's, with our headers on every answer and no patience for half a request."""

    __slots__ = ("_crowd", "deadline")

    def __init__(
        self, server: web.Server, crowd: Crowd, *, loop: asyncio.AbstractEventLoop, log: logging.Logger
    ) -> None:
        super().__init__(
            server,
            loop=loop,
            logger=log,
            # Writing an access log would cost nearly half of all requests a second.
            access_log=None,  # type: ignore[arg-type] # documented as optional
            keepalive_timeout=KEEPALIVE_S,
            lingering_time=LINGER_S,
            max_line_size=LINE_LIMIT,
            max_headers=HEADERS_LIMIT,
            # A small body must not become a huge one: compressed bodies are refused, so none is unpacked.
            auto_decompress=False,
        )
        self._crowd = crowd
        self.deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read, unless there are too many connections already."""
        if not self._crowd.enter(self):
            transport.close()
            return
        super().connection_made(transport)
        # Later requests on the same connection have the keep-alive time to arrive in, which aiohttp watches.
        self.deadline = asyncio.get_running_loop().call_later(HEADERS_TIMEOUT_S, self.force_close)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self.begin()
        self._crowd.leave(self)
        super().connection_lost(exc)

    def begin(self) -> None:
        """Note that a request has arrived, or never will."""
        self._crowd.work(self)
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    # Returns the coroutine instead of awaiting it: another layer of those would cost every request.
    def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> Coroutine[Any, Any, tuple[web.StreamResponse, bool]]:
        """Send an answer, whoever made it: a handler, aiohttp's router or its parser."""
        if resp.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
            if isinstance(resp, web.HTTPException):
                resp = in_one_shape(resp)
            self._crowd.traffic.errors[resp.status] += 1
        if type(resp) is not ReadyResponse:  # which has them
            headers = resp.headers
            headers[REQUEST_ID] = request_id.get()
            headers[hdrs.SERVER] = SERVER_NAME
        if self.transport is not None:
            # Before anything else runs the answer is in the transport's buffer, which is sent whatever happens.
            self._crowd.rest(self)
        return super().finish_response(request, resp, start_time)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, in the one shape; aiohttp's words would repeat the request, secrets and all."""
        super().handle_error(request, status, exc, message)  # logs it, and gives up where an answer has begun
        refused = no_http() if isinstance(exc, HttpProcessingError) else unavailable()
        response = refused.response()
        response.force_close()
        return response


def _wire_log() -> logging.Logger:
    """Return aiohttp's log without tracebacks for what is no HTTP: anyone could fill the disk with them."""
    log = logging.getLogger("bot.api.wire")
    if not log.filters:
        log.addFilter(_is_our_fault)
    return log


def _is_our_fault(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
