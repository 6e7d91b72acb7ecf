"""Reading what the page sends: strictly, so that whatever is wrong gets one sentence and a 4xx."""

import base64
import binascii
import json
from typing import Any

from aiohttp import web

from sandbox.access import Actor, sees_channel, sees_message
from sandbox.errors import Json
from sandbox.hub import Hub
from sandbox.messages import MAX_FILES, Upload
from sandbox.model import Message, User
from sandbox.payloads import ATTACHMENT_LIMIT
from sandbox.world import World

MAX_BODY = 140 * 1024 * 1024  # ten files of ten megabytes in Base64
MAX_DIGITS = 20
MAX_NAME = 200


class BadRequestError(Exception):
    """Something the page would not send; worded for whoever wrote the request."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


async def read_object(request: web.Request) -> Json:
    """Read the body: a JSON object, declared as JSON."""
    if request.content_type != "application/json":
        raise BadRequestError("The body must be application/json.", 415)
    try:
        # The outermost application's limit holds for every route beneath it; the page's is larger.
        found = json.loads(await request.clone(client_max_size=MAX_BODY).read())
    except (ValueError, RecursionError) as error:
        raise BadRequestError("The body is not valid JSON.") from error
    if not isinstance(found, dict):
        raise BadRequestError("The body must be a JSON object.")
    return found


def identifier(value: Any, name: str) -> int:
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > MAX_DIGITS:
        raise BadRequestError(f"{name!r} must be an id: a string of digits.")
    return int(value)


def text(body: Json, name: str, *, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise BadRequestError(f"{name!r} must be a string.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadRequestError(f"{name!r} is not valid Unicode.") from error
    return value


def mapping(body: Json, name: str) -> Json:
    value = body.get(name, {})
    if not isinstance(value, dict):
        raise BadRequestError(f"{name!r} must be an object.")
    return value


def person(world: World, value: Any) -> User:
    """Find who acts: somebody who is no bot."""
    found = world.users.get(identifier(value, "as"))
    if found is None or found.bot or found is world.developer:
        raise BadRequestError("There is no such person.", 404)
    return found


def actor(hub: Hub, body: Json) -> Actor:
    """Find the person and the place they act in, which they must see."""
    user = person(hub.world, body.get("as"))
    channel = hub.world.channels.get(identifier(body.get("at"), "at"))
    if channel is None or not sees_channel(hub.world, user, channel):
        raise BadRequestError("There is no such channel before this person.", 404)
    return Actor(user, channel)


def message(hub: Hub, who: Actor, body: Json) -> Message:
    found = who.channel.messages.get(identifier(body.get("message"), "message"))
    if found is None or not sees_message(hub.world, who.user, found):
        raise BadRequestError("This message is gone.", 404)
    return found


def upload(value: Any) -> Upload:
    """Read one file, which comes as Base64."""
    if not isinstance(value, dict):
        raise BadRequestError("A file must be an object with a name and data.")
    name, kind = text(value, "name").strip(), text(value, "type", default="")
    try:
        data = base64.b64decode(text(value, "data"), validate=True)
    except binascii.Error as error:
        raise BadRequestError("A file's data must be Base64.") from error
    if not name or len(name) > MAX_NAME:
        raise BadRequestError(f"A file's name must have 1 to {MAX_NAME} characters.")
    if len(data) > ATTACHMENT_LIMIT:
        raise BadRequestError("Your files are too powerful! The limit is 10 MB.", 413)
    safe = "".join(each if each.isalnum() or each in "-_." else "_" for each in name)
    return Upload(safe, data, kind if kind.isascii() and kind.isprintable() and kind else None)


def uploads(value: Any) -> list[Upload]:
    if not isinstance(value, list) or len(value) > MAX_FILES:
        raise BadRequestError(f"Files must be a list of at most {MAX_FILES}.")
    return [upload(each) for each in value]


def values(given: Json) -> Json:
    """Read what was put into options or fields: text, numbers, booleans, lists of text, files."""
    return {name: _value(name, value) for name, value in given.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return text({name: value}, name)
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, dict):
        return upload(value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return uploads(value)
    raise BadRequestError(f"{name!r} holds what no field takes.")


def texts(body: Json, name: str) -> list[str]:
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadRequestError(f"{name!r} must be a list of strings.")
    return value


def path(body: Json) -> str:
    """Read a command's name and subcommands."""
    words = text(body, "path").split()
    if not words:
        raise BadRequestError("'path' must name a command.")
    return " ".join(words)
