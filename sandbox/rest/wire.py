"""Reading requests and writing answers as Discord does."""

import json
from typing import Any
from urllib.parse import unquote

from aiohttp import BodyPartReader, web

from sandbox import errors
from sandbox.errors import ApiError, Json, invalid_form
from sandbox.hub import Hub
from sandbox.messages import Body, Upload

HUB = web.AppKey("hub", Hub)
PREFIX = "/api/v10"
MAX_DIGITS = 20
MAX_REASON = 512


def hub(request: web.Request) -> Hub:
    return request.app[HUB]


def reply(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Answer with JSON; the content type carries no charset, which clients compare exactly."""
    body = json.dumps(data).encode()
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


def nothing() -> web.Response:
    return web.Response(status=204)


def refusal(error: ApiError) -> web.Response:
    return reply(error.body(), error.status)


def too_many(wait: float, headers: dict[str, str] | None = None) -> web.Response:
    """The answer to a request that came too soon."""
    body = {"message": "You are being rate limited.", "retry_after": wait, "global": False}
    told = {**(headers or {}), "Retry-After": str(max(1, round(wait))), "Via": "1.1 google"}
    return reply(body, 429, told)


def snowflake(request: web.Request, name: str) -> int:
    """Read an id from the path."""
    value = request.match_info[name]
    if not _is_figure(value):
        raise invalid_form("NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.', f"{name}_id")
    return int(value)


def _is_figure(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS


def query_integer(request: web.Request, name: str, *, default: int, least: int, most: int) -> int:
    value = request.query.get(name, str(default))
    if not _is_figure(value) or not least <= int(value) <= most:
        raise invalid_form("NUMBER_TYPE_MAX", f"int value should be from {least} to {most}.", name)
    return int(value)


def reason(request: web.Request) -> str | None:
    given = request.headers.get("X-Audit-Log-Reason")
    return None if given is None else unquote(given)


def check_reason(request: web.Request) -> None:
    """Refuse a reason longer than the audit log takes."""
    if len(reason(request) or "") > MAX_REASON:
        raise invalid_form("BASE_TYPE_MAX_LENGTH", f"Must be {MAX_REASON} or fewer in length.", "reason")


async def read_json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise errors.INVALID_JSON.error() from error


async def read_object(request: web.Request) -> Json:
    found = await read_json(request)
    if not isinstance(found, dict):
        raise invalid_form("MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
    return found


async def read_body(request: web.Request) -> Body:
    """Read a body that may bring files: JSON, or multipart with `payload_json` and `files[n]`."""
    if not request.content_type.startswith("multipart/"):
        return Body(await read_object(request))
    found: Json = {}
    files: dict[int, Upload] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        name, data = part.name or "", bytes(await part.read(decode=True))
        if name == "payload_json":
            found = _parsed(data)
        elif name.startswith("files["):
            index = name.removeprefix("files[").removesuffix("]")
            if not _is_figure(index):
                raise invalid_form("NUMBER_TYPE_COERCE", f'Value "{index}" is not int.', "files")
            files[int(index)] = Upload(part.filename or "file", data, part.headers.get("Content-Type"))
    return Body(found, files)


def _parsed(data: bytes) -> Json:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise errors.INVALID_JSON.error() from error
    if not isinstance(found, dict):
        raise errors.INVALID_JSON.error()
    return found
