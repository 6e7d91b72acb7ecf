"""Who may ask: this machine alone, and the page's acts the page itself; and what the page may load."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
OWN_HEADER = "X-Sandbox-Page"
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost"})


def refusal(status: int, words: str) -> web.Response:
    return web.json_response({"error": words}, status=status)


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer none but the page's own requests, each under the page's policy."""
    response = _stranger(request) or await _answered(request, handler)
    if not response.prepared:
        response.headers.update(HEADERS)
    return response


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        return refusal(error.status, error.reason)


def _stranger(request: web.Request) -> web.Response | None:
    """Refuse another site: by origin, or by a form of its own."""
    origin = request.headers.get("Origin")
    elsewhere = request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}
    if "/api/" in request.path or "/events" in request.path:
        if elsewhere or origin not in {None, f"http://{request.host}"}:
            return refusal(403, "Only the page itself may ask this.")
        if request.method == "POST" and OWN_HEADER not in request.headers:
            return refusal(403, f"The header {OWN_HEADER} is missing.")
    return None


def misnamed(request: web.Request) -> web.Response | None:
    """Refuse whoever asks under another name than this machine's: a DNS entry that was rebound to it."""
    try:
        known = urlsplit(f"//{request.host}").hostname in LOOPBACK_NAMES
    except ValueError:
        known = False
    return None if known else refusal(421, "The sandbox serves this machine alone, as 127.0.0.1 or localhost.")
