"""The web application: who may ask, what goes wrong on purpose, what is not imitated."""

import logging
import traceback
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from sandbox import errors
from sandbox.errors import ApiError
from sandbox.hub import Hub, Refusal, Request
from sandbox.page.guard import misnamed
from sandbox.page.guide import Guide
from sandbox.page.routes import mount
from sandbox.rest import account, channels, commands, guilds, interactions
from sandbox.rest.wire import HUB, PREFIX, check_reason, hub, reason, refusal, reply, too_many

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_BODY = 30 * 1024 * 1024
_log = logging.getLogger(__name__)


def build(shared: Hub, guide: Guide) -> web.Application:
    """Put every route together."""
    app = web.Application(middlewares=[_gate], client_max_size=MAX_BODY)
    app[HUB] = shared
    app.router.add_get("/gateway", shared.gateway.serve)
    app.router.add_get("/gateway/", shared.gateway.serve)
    app.router.add_get("/cdn/attachments/{channel}/{attachment:[0-9]{1,20}}/{filename}", _file)
    for module in (account, channels, commands, guilds, interactions):
        app.router.add_routes(module.ROUTES)
    mount(app, shared, guide)
    return app


async def _file(request: web.Request) -> web.Response:
    found = hub(request).world.files.get(int(request.match_info["attachment"]))
    if found is None:
        return web.Response(status=404, text="This content is no longer available.")
    return web.Response(body=found.data, content_type="application/octet-stream")


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    stranger = misnamed(request)
    if stranger is not None:
        return stranger
    if not request.path.startswith("/api/"):
        return await handler(request)
    shared = hub(request)
    response = await _answer(shared, request, handler)
    path = request.path.removeprefix(PREFIX)
    shared.record(Request(request.method, path, response.status, reason(request)))
    shared.world.signal.notify()
    return response


async def _answer(shared: Hub, request: web.Request, handler: Handler) -> web.StreamResponse:
    if shared.trouble.outage:
        return web.Response(status=503, text="upstream connect error or disconnect/reset before headers")
    refused = shared.trouble.refusal(request.method, request.path.removeprefix(PREFIX))
    if refused is not None:
        return _on_purpose(refused)
    try:
        _authorize(shared, request)
        check_reason(request)
        return await handler(request)
    except ApiError as error:
        return refusal(error)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed, web.HTTPRequestEntityTooLarge) as error:
        return refusal(_unserved(shared, request, error))
    except Exception:  # noqa: BLE001 - a fault of the sandbox itself must show in its tests, not as a hung client
        _log.exception("%s %s", request.method, request.path)
        shared.crashes.append(traceback.format_exc())
        return reply({"message": "500: Internal Server Error", "code": 0}, 500)


def _unserved(shared: Hub, request: web.Request, error: web.HTTPException) -> ApiError:
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return errors.REQUEST_TOO_LARGE.error()
    shared.unknown_requests.append(f"{request.method} {request.path}")
    known = isinstance(error, web.HTTPMethodNotAllowed)
    return (errors.METHOD_NOT_ALLOWED if known else errors.NOT_FOUND).error()


def _on_purpose(refused: Refusal) -> web.Response:
    if refused.status == HTTPStatus.TOO_MANY_REQUESTS:
        return too_many(refused.retry_after)
    return refusal(ApiError(refused.status, refused.code, "Refused on purpose"))


def _authorize(shared: Hub, request: web.Request) -> None:
    path = request.path.removeprefix(PREFIX)
    # An interaction's token is the credential of these two.
    if path.startswith(("/interactions/", "/webhooks/")):
        return
    if request.headers.get("Authorization") != f"Bot {shared.gateway.token}":
        raise errors.UNAUTHORIZED.error()
