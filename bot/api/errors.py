"""Every answer that is no verdict, in one shape: `valid`, `status`, `message`, and when to try again."""

import asyncio
import json
import logging
import math
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any

from aiohttp import hdrs, web

from bot.api.limits import BODY_LIMIT, OUTAGE_LOGGED_EVERY_S, RETRY_UNAVAILABLE_S
from i18n import gettext as _
from licensing.ports import Unavailable
from licensing.verdict import Status

# No answer may be kept by a cache in between: the next one can differ.
HEADERS: dict[str, str] = {hdrs.CONTENT_TYPE: "application/json", hdrs.CACHE_CONTROL: "no-store"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)


class Refused(Exception):  # noqa: N818 - what the caller is told, not a fault of ours
    """An answer that is no verdict."""

    def __init__(
        self,
        code: int,
        status: Status,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        retry_after_s: int | None = None,
        closes: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.retry_after_s = retry_after_s
        self.closes = closes

    def response(self) -> web.Response:
        """Return what goes over the wire."""
        body: dict[str, Any] = {"valid": False, "status": self.status, "message": self.message}
        if self.retry_after_s is not None:
            body["retry_after"] = self.retry_after_s
            self.headers[hdrs.RETRY_AFTER] = str(self.retry_after_s)
        response = json_response(body, code=self.code, headers=self.headers)
        if self.closes:
            response.force_close()
        return response


def json_response(
    body: Mapping[str, Any], *, code: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a compact JSON answer, its text unescaped."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(body=text.encode(), status=code, headers={**HEADERS, **(headers or {})})


def bad_request(code: int, message: str, *, closes: bool = False) -> Refused:
    """Return the refusal of a request that cannot be understood."""
    return Refused(code, Status.INVALID_REQUEST, message, closes=closes)


def body_too_large() -> Refused:
    """Return the refusal of a body over the limit; the rest of it is not waited for."""
    message = _("The body must have at most {limit} bytes.").format(limit=BODY_LIMIT)
    return bad_request(413, message, closes=True)


def invalid_api_key(message: str, *, closes: bool = False) -> Refused:
    """Return the refusal of a bearer that is missing, malformed or unknown."""
    headers = {str(hdrs.WWW_AUTHENTICATE): "Bearer"}
    return Refused(401, Status.INVALID_API_KEY, message, headers=headers, closes=closes)


def unavailable(reference: str | None = None) -> Refused:
    """Return what is answered when the truth is not known now; to a client it means neither yes nor no."""
    message = _("Licenses cannot be checked right now. This says nothing about the license; try again.")
    if reference is not None:
        message += " " + _("(reference {reference})").format(reference=reference)
    return Refused(503, Status.UNAVAILABLE, message, headers={str(hdrs.RETRY_AFTER): str(RETRY_UNAVAILABLE_S)})


def no_http() -> Refused:
    """Return the refusal of bytes that are no well-formed request; nothing of them is repeated."""
    message = _(
        "The request is not well-formed HTTP/1.1; look for what is missing (Host), doubled, broken or too long."
    )
    return bad_request(400, message, closes=True)


def nothing_here() -> Refused:
    """Return the refusal of an address that leads nowhere."""
    return bad_request(
        404, _("There is nothing at this address; see POST /api/v1/validate and GET /api/v1/license/KEY.")
    )


def in_one_shape(error: web.HTTPException) -> web.Response:
    """Return our answer in place of one that aiohttp itself would give, before any handler of ours is asked."""
    match error.status:
        case 404:
            return nothing_here().response()
        case 413:
            return body_too_large().response()
        case 417:
            message = _("The only Expect header that is understood is: Expect: 100-continue.")
            return bad_request(417, message, closes=True).response()
        case code if code < 500:  # noqa: PLR2004 - where the server's own errors begin
            return bad_request(code, _("This request cannot be answered.")).response()
        case _other:
            return unavailable().response()


class Seldom:
    """Lets a line into the log only so often: each request could write one, and fill the disk as well."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._next_s = -math.inf

    def is_due(self, *, now_s: float) -> bool:
        """Return whether the line may be written; if so, the next may not for a while."""
        if now_s < self._next_s:
            return False
        self._next_s = now_s + self._every_s
        return True


def answering(handler: Handler, *, refused: Callable[[Status], None] = lambda _: None) -> Handler:
    """Turn whatever a handler raises into a documented answer, never a 500; `refused` is told its status.

    One wrapper and no aiohttp middlewares: each of those costs every request several percent.
    """
    refusal_of = _Translation()

    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Exception as error:  # noqa: BLE001 - logged there, and the caller gets an answer that is no 500
            refusal = refusal_of(error)
            refused(refusal.status)
            return refusal.response()

    return answer


class _Translation:
    """Says what a caller is told of an error, and the log, which a lasting fault must not fill either."""

    def __init__(self) -> None:
        self._logged: dict[type[Exception], Seldom] = defaultdict(lambda: Seldom(OUTAGE_LOGGED_EVERY_S))

    def __call__(self, error: Exception) -> Refused:
        if isinstance(error, Refused):
            return error
        if isinstance(error, web.HTTPRequestEntityTooLarge):
            return body_too_large()
        is_due = self._logged[type(error)].is_due(now_s=asyncio.get_running_loop().time())
        if isinstance(error, Unavailable):
            if is_due:
                _log.warning("Requests are answered 503, because the store is unavailable: %s", error)
            return unavailable()
        reference = secrets.token_hex(4)
        if is_due:
            _log.error("A request could not be answered (reference %s)", reference, exc_info=error)
        else:
            fault = type(error).__name__
            _log.error("A request could not be answered (reference %s): %s again, see above", reference, fault)
        return unavailable(reference)
