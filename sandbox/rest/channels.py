"""Channels and their messages, with the bot's permissions there."""

from aiohttp import web

from sandbox import errors, messages, payloads, permissions, rules
from sandbox.errors import Json
from sandbox.messages import Body
from sandbox.model import Channel, Message, MessageFlag, Overwrite
from sandbox.permissions import Permission
from sandbox.rest.wire import PREFIX, hub, nothing, query_integer, read_body, reply, snowflake, too_many

ROUTES = web.RouteTableDef()
_CHANNEL = f"{PREFIX}/channels/{{channel}}"
_MESSAGE = f"{_CHANNEL}/messages/{{message}}"


def _held(request: web.Request, channel: Channel) -> int:
    if channel.guild is None:
        return permissions.DIRECT_MESSAGE
    return permissions.in_channel(hub(request).world.me(channel.guild), channel)


def _channel(request: web.Request, needed: Permission = Permission.VIEW_CHANNEL) -> Channel:
    """Give the channel if the bot sees it and holds what is needed there."""
    world = hub(request).world
    channel = world.channels.get(snowflake(request, "channel"))
    if channel is None:
        raise errors.UNKNOWN_CHANNEL.error()
    if channel.guild is not None and world.bot.id not in channel.guild.members:
        raise errors.MISSING_ACCESS.error()
    held = _held(request, channel)
    if not held & Permission.VIEW_CHANNEL:
        raise errors.MISSING_ACCESS.error()
    if held & needed != needed:
        raise errors.MISSING_PERMISSIONS.error()
    return channel


def _message(request: web.Request, channel: Channel) -> Message:
    found = channel.messages.get(snowflake(request, "message"))
    # An ephemeral message is reached through its interaction's token alone.
    if found is None or found.has(MessageFlag.EPHEMERAL):
        raise errors.UNKNOWN_MESSAGE.error()
    return found


@ROUTES.get(_CHANNEL)
async def get_channel(request: web.Request) -> web.Response:
    return reply(payloads.channel(_channel(request)))


@ROUTES.delete(_CHANNEL)
async def delete_channel(request: web.Request) -> web.Response:
    channel = _channel(request, Permission.MANAGE_CHANNELS)
    if channel.guild is not None:
        hub(request).world.remove_channel(channel.guild, channel)
    return reply(payloads.channel(channel))


@ROUTES.post(f"{_CHANNEL}/typing")
async def typing(request: web.Request) -> web.Response:
    _channel(request, Permission.SEND_MESSAGES)
    return nothing()


@ROUTES.get(f"{_CHANNEL}/messages")
async def get_messages(request: web.Request) -> web.Response:
    channel = _channel(request)
    if not _held(request, channel) & Permission.READ_MESSAGE_HISTORY:
        return reply([])
    limit = query_integer(request, "limit", default=50, least=1, most=100)
    shown = [each for each in channel.messages.values() if not each.has(MessageFlag.EPHEMERAL)]
    shown.sort(key=lambda each: each.id, reverse="after" not in request.query)
    if "before" in request.query:
        shown = [each for each in shown if each.id < int(request.query["before"])]
    if "after" in request.query:
        shown = [each for each in shown if each.id > int(request.query["after"])]
    newest_first = sorted(shown[:limit], key=lambda each: each.id, reverse=True)
    return reply([payloads.message(each) for each in newest_first])


# Pins stand before single messages, whose routes would take "pins" for an id.


@ROUTES.get(f"{_CHANNEL}/messages/pins")
async def get_pins(request: web.Request) -> web.Response:
    shown = [each for each in _channel(request).messages.values() if each.pinned]
    items: list[Json] = [
        {"pinned_at": payloads.moment(each.created_at), "message": payloads.message(each)} for each in shown
    ]
    return reply({"items": items, "has_more": False})


@ROUTES.put(f"{_CHANNEL}/messages/pins/{{message}}")
async def pin(request: web.Request) -> web.Response:
    _message(request, _channel(request, Permission.MANAGE_MESSAGES)).pinned = True
    return nothing()


@ROUTES.delete(f"{_CHANNEL}/messages/pins/{{message}}")
async def unpin(request: web.Request) -> web.Response:
    _message(request, _channel(request, Permission.MANAGE_MESSAGES)).pinned = False
    return nothing()


@ROUTES.get(_MESSAGE)
async def get_message(request: web.Request) -> web.Response:
    channel = _channel(request, Permission.READ_MESSAGE_HISTORY)
    return reply(payloads.message(_message(request, channel)))


@ROUTES.post(f"{_CHANNEL}/messages")
async def post_message(request: web.Request) -> web.Response:
    world, body = hub(request).world, await read_body(request)
    channel = _channel(request, Permission.SEND_MESSAGES)
    _require_for(request, channel, body)
    if channel.recipient is not None and not world.can_message(channel.recipient):
        raise errors.CANNOT_MESSAGE_USER.error()
    headers, wait = hub(request).trouble.count_post(request.match_info["channel"])
    if wait is not None:
        return too_many(wait, headers)
    if (body.json.get("flags") or 0) & MessageFlag.EPHEMERAL:
        raise errors.invalid_form("MESSAGE_FLAGS_INVALID", "Only interactions post ephemeral messages", "flags")
    message = _same(channel, body) or messages.post(world, channel, body, author=world.bot)
    return reply(payloads.message(message), headers=headers)


def _same(channel: Channel, body: Body) -> Message | None:
    """The message that was sent before with the same nonce, if the sender wants it but once."""
    nonce = body.json.get("nonce")
    if nonce is None or not body.json.get("enforce_nonce"):
        return None
    return next((each for each in channel.messages.values() if each.nonce == nonce), None)


def _require_for(request: web.Request, channel: Channel, body: Body) -> None:
    held, given = _held(request, channel), body.json
    if given.get("embeds") and not held & Permission.EMBED_LINKS:
        raise errors.MISSING_PERMISSIONS.error()
    if body.files and not held & Permission.ATTACH_FILES:
        raise errors.MISSING_PERMISSIONS.error()


@ROUTES.post(f"{_CHANNEL}/messages/bulk-delete")
async def delete_messages(request: web.Request) -> web.Response:
    world, body = hub(request).world, await read_body(request)
    channel, form = _channel(request, Permission.MANAGE_MESSAGES), errors.Form()
    ids = body.json.get("messages")
    if not isinstance(ids, list) or not 2 <= len(ids) <= 100:  # noqa: PLR2004 - Discord's bounds
        form.at("messages").add("BASE_TYPE_BAD_LENGTH", "Must be between 2 and 100 in length.")
    form.check()
    for found in [channel.messages.get(int(each)) for each in ids or []]:
        if found is not None and not found.has(MessageFlag.EPHEMERAL):
            messages.delete(world, found)
    return nothing()


@ROUTES.put(f"{_CHANNEL}/permissions/{{target}}")
async def set_overwrite(request: web.Request) -> web.Response:
    world, body = hub(request).world, (await read_body(request)).json
    channel, form = _channel(request), errors.Form()
    kind = rules.one_of(form, body, "type", {0, 1})
    form.check()
    if channel.guild is None or not _held(request, channel) & Permission.MANAGE_ROLES:
        raise errors.MISSING_PERMISSIONS.error()
    overwrite = Overwrite(
        snowflake(request, "target"), kind == 1, int(body.get("allow") or 0), int(body.get("deny") or 0)
    )
    world.set_overwrite(channel.guild, channel, overwrite)
    return nothing()


@ROUTES.patch(_MESSAGE)
async def edit_message(request: web.Request) -> web.Response:
    world, body = hub(request).world, await read_body(request)
    message = _message(request, _channel(request))
    if message.author is not world.bot:
        raise errors.NOT_THE_AUTHOR.error()
    return reply(payloads.message(messages.edit(world, message, body)))


@ROUTES.delete(_MESSAGE)
async def delete_message(request: web.Request) -> web.Response:
    world, channel = hub(request).world, _channel(request)
    message = _message(request, channel)
    if message.author is not world.bot and not _held(request, channel) & Permission.MANAGE_MESSAGES:
        raise errors.MISSING_PERMISSIONS.error()
    messages.delete(world, message)
    return nothing()
