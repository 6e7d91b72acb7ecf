"""The page's addresses: its files, its live stream, its acts."""

import logging
import secrets
import traceback
from importlib import resources

from aiohttp import web

from sandbox.errors import Json
from sandbox.hub import Hub
from sandbox.page import acts, reading, stream, view
from sandbox.page.guard import Handler, guarded, refusal
from sandbox.page.guide import Guide
from sandbox.page.reading import BadRequestError
from sandbox.world import World

KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_log = logging.getLogger(__name__)


class Page:
    """One sandbox's page: every route, and the pages that are open."""

    def __init__(self, hub: Hub, guide: Guide) -> None:
        self._hub = hub
        self._guide = guide
        self._run = secrets.token_hex(8)  # tells an open page that the sandbox was started anew
        self._open: set[web.WebSocketResponse] = set()
        self._files = {each.name: each.read_bytes() for each in (resources.files(__package__) / "static").iterdir()}

    def application(self) -> web.Application:
        app = web.Application(middlewares=[guarded, self._answered])
        app.router.add_get("/events", self.events)
        app.router.add_get("/files/{file}/{name}", self.file)
        app.router.add_get("/api/people", self.people)
        app.router.add_get("/api/commands", self.commands)
        app.router.add_get("/api/history", self.history)
        app.router.add_post("/api/try", self.attempt)
        app.router.add_post("/api/call", self.call)
        app.router.add_post("/api/{act}", self.act)
        app.router.add_get("/{name}", self.static)
        app.router.add_get("/", self.index)
        app.on_shutdown.append(self._close)
        return app

    @web.middleware
    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except BadRequestError as error:
            return refusal(error.status, str(error))
        except web.HTTPException:
            raise
        except Exception:  # noqa: BLE001 - a fault of the page's own must show in its tests, and in one sentence
            _log.exception("%s %s", request.method, request.path)
            self._hub.crashes.append(traceback.format_exc())
            return refusal(500, "The page has a fault; the terminal tells of it.")

    async def index(self, _request: web.Request) -> web.Response:
        return self._sent("index.html")

    async def static(self, request: web.Request) -> web.Response:
        return self._sent(request.match_info["name"])

    def _sent(self, name: str) -> web.Response:
        kind = KINDS.get(name[name.rfind(".") :])
        if name not in self._files or kind is None:
            raise web.HTTPNotFound
        return web.Response(body=self._files[name], content_type=kind, charset="utf-8")

    async def file(self, request: web.Request) -> web.Response:
        """An attachment: a picture to look at, or anything else to keep."""
        found = self._world.files.get(reading.identifier(request.match_info["file"], "file"))
        if found is None:
            raise BadRequestError("This content is no longer available.", 404)
        if found.content_type in PICTURES:
            return web.Response(body=found.data, content_type=found.content_type)
        headers = {"Content-Disposition": "attachment"}
        return web.Response(body=found.data, content_type="application/octet-stream", headers=headers)

    async def events(self, request: web.Request) -> web.StreamResponse:
        me = reading.person(self._world, request.query.get("as"))
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise BadRequestError("This is a WebSocket.", 426)
        return await stream.serve(request, self._hub, self._guide, me, run=self._run, among=self._open)

    async def people(self, _request: web.Request) -> web.Response:
        return web.json_response({"people": view.people(self._hub), "run": self._run})

    async def commands(self, request: web.Request) -> web.Response:
        who = reading.actor(self._hub, dict(request.query))
        return web.json_response({"commands": view.commands(self._hub, who)})

    async def history(self, request: web.Request) -> web.Response:
        return web.json_response(acts.history(self._hub, dict(request.query)))

    async def act(self, request: web.Request) -> web.Response:
        body: Json = await reading.read_object(request)
        return web.json_response(await acts.act(self._hub, request.match_info["act"], body))

    async def attempt(self, request: web.Request) -> web.Response:
        return web.json_response(await acts.attempt(self._guide, await reading.read_object(request)))

    async def call(self, _request: web.Request) -> web.Response:
        return web.json_response(await acts.call(self._guide))

    async def _close(self, _app: web.Application) -> None:
        await stream.close_all(self._open)

    @property
    def _world(self) -> World:
        return self._hub.world


def mount(app: web.Application, hub: Hub, guide: Guide) -> None:
    """Put the page into the sandbox's application, with the plain address leading to it."""
    app.add_subapp("/page", Page(hub, guide).application())
    app.router.add_get("/", _lead)


async def _lead(request: web.Request) -> web.Response:
    query = f"?{request.query_string}" if request.query_string else ""
    raise web.HTTPFound(f"/page/{query}")
