"""Answers whose bytes are ready: for what is asked again and again, putting headers together is most of the work.

aiohttp gathers a response's headers in a dictionary, completes them and serializes them for each answer. Here all of
them but two are known from the first time on; the request's id and the date are filled in.
"""

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter

from bot.api.errors import HEADERS
from bot.log import request_id

SERVER_NAME = "KeyPort"  # versions would tell an attacker where to look
REQUEST_ID = "X-Request-Id"
NO_HEADERS: Mapping[str, str] = {}

_LINES = "".join(f"{name}: {value}\r\n" for name, value in (*HEADERS.items(), (hdrs.SERVER, SERVER_NAME)))
_OPENING = f"HTTP/1.1 200 OK\r\n{_LINES}{hdrs.CONTENT_LENGTH}: "


class ReadyAnswer:
    """A body and the headers before it."""

    __slots__ = ("_head", "_headers", "body")

    def __init__(self, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items()) if headers else ""
        self._head = f"{_OPENING}{len(body)}\r\n{more}{REQUEST_ID}: ".encode()
        self._headers = headers
        self.body = body

    def response(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return the answer to a request; aiohttp says what there is to say where a connection does not stay open."""
        if request.version == HttpVersion11 and request.keep_alive:
            return ReadyResponse(self)
        return web.Response(body=self.body, headers={**HEADERS, **self._headers})

    def as_bytes(self) -> bytes:
        """Return what is written now, for the request that is answered here."""
        return b"".join((self._head, request_id.get().encode(), _date(int(time.time())), self.body))


class ReadyResponse(web.StreamResponse):
    """An answer that is written in one piece, on a connection that stays open."""

    def __init__(self, answer: ReadyAnswer) -> None:
        super().__init__()
        self._answer = answer
        self._request: web.BaseRequest | None = None

    @property
    def keep_alive(self) -> bool:
        """Tell that the connection stays open."""
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Keep what is answered; there are no headers to complete."""
        self._request = request
        return None

    async def write_eof(self, _data: bytes = b"") -> None:
        """Write everything, and wait for a caller who asks on without reading: memory is no place for their answers.

        Raises: ConnectionResetError, when the caller has gone.
        """
        request = self._request
        transport = request.transport if request is not None else None
        if request is None or transport is None or transport.is_closing():
            raise ConnectionResetError
        transport.write(self._answer.as_bytes())
        if request.protocol.writing_paused:
            await request.writer.drain()


@lru_cache(maxsize=2)
def _date(now_s: int) -> bytes:
    """Return what stands between a request's id and the body."""
    return f"\r\n{hdrs.DATE}: {formatdate(now_s, usegmt=True)}\r\n\r\n".encode()
