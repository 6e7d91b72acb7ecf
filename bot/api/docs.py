"""Serves the API's description, the page to try it on, and the drop-in clients: files that come with the program."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from pathlib import PurePath
from typing import NamedTuple

from aiohttp import hdrs, web

from bot.api.errors import Handler, bad_request, json_response
from bot.api.openapi import document
from i18n import gettext as _

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Asked for anew each time, and answered 304 while nothing changed: an upgrade shows at once.
HEADERS: dict[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    str(hdrs.CACHE_CONTROL): "no-cache",
}
INDEX = "index.html"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# Which files are clients, what they are written in, and in which order they are shown.
LANGUAGES = {
    ".sh": "curl",
    ".py": "Python",
    ".js": "JavaScript",
    ".mjs": "JavaScript",
    ".java": "Java 8 and later",
    ".cs": "C#",
    ".lua": "Lua",
    ".go": "Go",
}


class File(NamedTuple):
    """A file as it is sent."""

    body: bytes
    kind: str
    tag: str


def _file(body: bytes, kind: str) -> File:
    return File(body, kind, f'"{hashlib.sha256(body).hexdigest()[:24]}"')


def _contents(folder: str) -> Iterator[tuple[str, bytes]]:
    place = resources.files(__package__) / folder
    if place.is_dir():
        yield from ((each.name, each.read_bytes()) for each in place.iterdir() if each.is_file())


def _suffix(name: str) -> str:
    return PurePath(name).suffix


@lru_cache(maxsize=1)
def page_files() -> dict[str, File]:
    """Return the page's files; they are read at the first request and kept."""
    return {name: _file(body, KINDS[_suffix(name)]) for name, body in _contents("page") if _suffix(name) in KINDS}


@lru_cache(maxsize=1)
def client_files() -> dict[str, File]:
    """Return the drop-in clients in the order of their languages; as plain text, to be looked at and copied."""
    order = list(LANGUAGES)
    found = [(name, body) for name, body in _contents("clients") if _suffix(name) in LANGUAGES]
    found.sort(key=lambda each: (order.index(_suffix(each[0])), each[0]))
    return {name: _file(body, "text/plain") for name, body in found}


class DocsHandlers:
    """Answers what a browser needs to show the API; nobody has to be known for it."""

    def __init__(self, version: str) -> None:
        self._version = version

    def places(self) -> Mapping[str, Handler]:
        """Return which address leads to which handler, the more particular ones first."""
        return {
            "/openapi.json": self.openapi,
            "/docs": self.index,
            "/docs/": self.slashed,
            "/docs/clients": self.clients,
            "/docs/clients/{name}": self.client_file,
            "/docs/{name}": self.page_file,
        }

    async def openapi(self, request: web.Request) -> web.Response:
        """Answer the description."""
        return _sent(request, _file(document(self._version), "application/json"))

    async def index(self, request: web.Request) -> web.Response:
        """Answer the page."""
        return _sent(request, page_files().get(INDEX))

    async def slashed(self, _request: web.Request) -> web.Response:
        """Lead from `/docs/` to `/docs`, relative to it, so that it works under any prefix of a proxy."""
        return web.Response(status=308, headers={hdrs.LOCATION: "../docs", **HEADERS})

    async def page_file(self, request: web.Request) -> web.Response:
        """Answer a part of the page."""
        name = request.match_info["name"]
        return _sent(request, None if name == INDEX else page_files().get(name))

    async def clients(self, _request: web.Request) -> web.Response:
        """Answer which clients there are."""
        found = [{"name": name, "language": LANGUAGES[_suffix(name)]} for name in client_files()]
        return json_response({"clients": found}, headers=HEADERS)

    async def client_file(self, request: web.Request) -> web.Response:
        """Answer a client's source."""
        return _sent(request, client_files().get(request.match_info["name"]))


def _sent(request: web.Request, file: File | None) -> web.Response:
    """Answer a file, or that it is still the one the browser has.

    Raises: Refused, if there is none.
    """
    if file is None:
        raise bad_request(404, _("There is nothing at this address; the page to try the API on is /docs."))
    headers = {**HEADERS, str(hdrs.ETAG): file.tag}
    if request.headers.get(hdrs.IF_NONE_MATCH) == file.tag:
        return web.Response(status=304, headers=headers)
    charset = None if file.kind == "application/json" else "utf-8"
    return web.Response(body=file.body, content_type=file.kind, charset=charset, headers=headers)
