"""The bot's own account: its user, its application, its guilds, its direct channels, the gateway's address."""

from aiohttp import web

from sandbox import errors, payloads
from sandbox.errors import Json
from sandbox.rest.wire import PREFIX, hub, nothing, read_object, reply, snowflake
from sandbox.rules import required
from sandbox.world import World

ROUTES = web.RouteTableDef()
_APPLICATION_FLAGS = {1 << 1: 1 << 15, 1 << 8: 1 << 13, 1 << 15: 1 << 19}  # privileged intent: its "limited" flag


@ROUTES.get(f"{PREFIX}/gateway")
async def gateway(request: web.Request) -> web.Response:
    return reply({"url": hub(request).gateway.url})


@ROUTES.get(f"{PREFIX}/gateway/bot")
async def gateway_bot(request: web.Request) -> web.Response:
    limit = {"total": 1000, "remaining": 999, "reset_after": 14400000, "max_concurrency": 1}
    return reply({"url": hub(request).gateway.url, "shards": 1, "session_start_limit": limit})


@ROUTES.get(f"{PREFIX}/users/@me")
async def me(request: web.Request) -> web.Response:
    user = payloads.user(hub(request).world.bot)
    return reply({**user, "verified": True, "mfa_enabled": False, "locale": "en-US", "email": None})


@ROUTES.get(f"{PREFIX}/users/{{user}}")
async def get_user(request: web.Request) -> web.Response:
    user = hub(request).world.users.get(snowflake(request, "user"))
    if user is None:
        raise errors.UNKNOWN_USER.error()
    return reply(payloads.user(user))


@ROUTES.get(f"{PREFIX}/users/@me/guilds")
async def my_guilds(request: web.Request) -> web.Response:
    world = hub(request).world
    keys = ("id", "name", "icon", "banner", "features")
    return reply([{key: payloads.guild(each)[key] for key in keys} for each in world.bot_guilds()])


@ROUTES.delete(f"{PREFIX}/users/@me/guilds/{{guild}}")
async def leave(request: web.Request) -> web.Response:
    world = hub(request).world
    guild = world.guilds.get(snowflake(request, "guild"))
    if guild is None or world.bot.id not in guild.members:
        raise errors.UNKNOWN_GUILD.error()
    world.remove_bot(guild)
    return nothing()


@ROUTES.post(f"{PREFIX}/users/@me/channels")
async def open_dm(request: web.Request) -> web.Response:
    world, body, form = hub(request).world, await read_object(request), errors.Form()
    recipient = body.get("recipient_id")
    if recipient is None:
        required(form.at("recipient_id"))
    form.check()
    user = world.users.get(int(str(recipient))) if str(recipient).isdigit() else None
    if user is None:
        raise errors.UNKNOWN_USER.error()
    if user.bot:
        raise errors.CANNOT_MESSAGE_USER.error()
    return reply(payloads.channel(world.dm_with(user)))


@ROUTES.get(f"{PREFIX}/oauth2/applications/@me")
@ROUTES.get(f"{PREFIX}/applications/@me")
async def application(request: web.Request) -> web.Response:
    return reply(_application(hub(request).world))


def _application(world: World) -> Json:
    flags = sum(flag for intent, flag in _APPLICATION_FLAGS.items() if world.privileged_intents & intent)
    return {
        "id": str(world.application_id),
        "name": world.bot.name,
        "description": "",
        "icon": None,
        "bot_public": True,
        "bot_require_code_grant": False,
        "owner": payloads.user(world.developer),
        "team": None,
        "verify_key": "0" * 64,
        "flags": flags,
        "tags": [],
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "approximate_guild_count": len(world.bot_guilds()),
        "integration_types_config": {"0": {}},
    }
