"""Answering interactions, and what may follow through their tokens."""

from aiohttp import web

from sandbox import messages, payloads
from sandbox.model import Message
from sandbox.rest.wire import PREFIX, hub, nothing, read_body, reply, snowflake

ROUTES = web.RouteTableDef()
_WEBHOOK = f"{PREFIX}/webhooks/{{application}}/{{token}}"
_MESSAGE = f"{_WEBHOOK}/messages/{{message}}"


@ROUTES.post(f"{PREFIX}/interactions/{{interaction}}/{{token}}/callback")
async def callback(request: web.Request) -> web.Response:
    interaction, body = snowflake(request, "interaction"), await read_body(request)
    told = hub(request).interactions.callback(interaction, request.match_info["token"], body)
    wanted = request.query.get("with_response", "").lower() in {"1", "true"}
    return reply(told) if wanted else nothing()


@ROUTES.post(_WEBHOOK)
async def follow_up(request: web.Request) -> web.Response:
    application, body = snowflake(request, "application"), await read_body(request)
    message = hub(request).interactions.follow_up(application, request.match_info["token"], body)
    return reply(payloads.message(message))


@ROUTES.get(_MESSAGE)
async def get_message(request: web.Request) -> web.Response:
    return reply(payloads.message(_message(request)))


@ROUTES.patch(_MESSAGE)
async def edit_message(request: web.Request) -> web.Response:
    message, body = _message(request), await read_body(request)
    return reply(payloads.message(messages.edit(hub(request).world, message, body)))


@ROUTES.delete(_MESSAGE)
async def delete_message(request: web.Request) -> web.Response:
    messages.delete(hub(request).world, _message(request))
    return nothing()


def _message(request: web.Request) -> Message:
    found = request.match_info
    application = snowflake(request, "application")
    return hub(request).interactions.message(application, found["token"], found["message"])
