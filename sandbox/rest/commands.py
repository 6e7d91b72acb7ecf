"""Application commands: registering them, and reading who an administrator lets use them."""

from aiohttp import web

from sandbox import errors
from sandbox.errors import Json, invalid_form
from sandbox.rest.wire import PREFIX, hub, nothing, read_json, read_object, reply, snowflake

ROUTES = web.RouteTableDef()
_GLOBAL = f"{PREFIX}/applications/{{application}}/commands"
_GUILD = f"{PREFIX}/applications/{{application}}/guilds/{{guild}}/commands"
_LOCALIZED = ("name_localizations", "description_localizations")


def _scope(request: web.Request) -> int | None:
    """The guild of the route, or None for global commands; only the bot's own application is its to change."""
    world = hub(request).world
    application = snowflake(request, "application")
    if application != world.application_id:
        raise errors.OTHER_APPLICATION.error()
    if "guild" not in request.match_info:
        return None
    guild = world.guilds.get(snowflake(request, "guild"))
    if guild is None or world.bot.id not in guild.members:
        raise errors.MISSING_ACCESS.error()
    return guild.id


def _shown(request: web.Request, command: Json) -> Json:
    wanted = request.query.get("with_localizations", "").lower() in {"1", "true"}
    return command if wanted else {key: value for key, value in command.items() if key not in _LOCALIZED}


@ROUTES.get(_GLOBAL)
@ROUTES.get(_GUILD)
async def list_commands(request: web.Request) -> web.Response:
    found = hub(request).registry.all(_scope(request))
    return reply([_shown(request, each) for each in found])


@ROUTES.put(_GLOBAL)
@ROUTES.put(_GUILD)
async def overwrite(request: web.Request) -> web.Response:
    scope, bodies = _scope(request), await read_json(request)
    if not isinstance(bodies, list) or not all(isinstance(each, dict) for each in bodies):
        raise invalid_form("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    return reply(hub(request).registry.overwrite(scope, bodies))


@ROUTES.post(_GLOBAL)
@ROUTES.post(_GUILD)
async def create(request: web.Request) -> web.Response:
    command, new = hub(request).registry.create(_scope(request), await read_object(request))
    return reply(command, 201 if new else 200)


@ROUTES.get(f"{_GLOBAL}/{{command}}")
@ROUTES.get(f"{_GUILD}/{{command:\\d+}}")
async def get_command(request: web.Request) -> web.Response:
    return reply(hub(request).registry.get(_scope(request), snowflake(request, "command")))


@ROUTES.patch(f"{_GLOBAL}/{{command}}")
@ROUTES.patch(f"{_GUILD}/{{command:\\d+}}")
async def edit_command(request: web.Request) -> web.Response:
    body = await read_object(request)
    return reply(hub(request).registry.edit(_scope(request), snowflake(request, "command"), body))


@ROUTES.delete(f"{_GLOBAL}/{{command}}")
@ROUTES.delete(f"{_GUILD}/{{command:\\d+}}")
async def delete_command(request: web.Request) -> web.Response:
    hub(request).registry.delete(_scope(request), snowflake(request, "command"))
    return nothing()


@ROUTES.get(f"{_GUILD}/permissions")
async def list_permissions(request: web.Request) -> web.Response:
    scope = _scope(request) or 0
    rows = hub(request).world.guilds[scope].command_permissions
    return reply([_permissions(request, scope, target) for target in rows])


@ROUTES.get(f"{_GUILD}/{{command:\\d+}}/permissions")
async def get_permissions(request: web.Request) -> web.Response:
    scope, target = _scope(request) or 0, snowflake(request, "command")
    if target not in hub(request).world.guilds[scope].command_permissions:
        raise errors.UNKNOWN_COMMAND_PERMISSIONS.error()
    return reply(_permissions(request, scope, target))


@ROUTES.put(f"{_GUILD}/{{command:\\d+}}/permissions")
async def set_permissions(request: web.Request) -> web.Response:
    # Discord takes this from a person's bearer token alone, never from a bot.
    _scope(request)
    raise errors.Fault(403, 20001, "Bots cannot use this endpoint").error()


def _permissions(request: web.Request, scope: int, target: int) -> Json:
    world = hub(request).world
    return {
        "id": str(target),
        "application_id": str(world.application_id),
        "guild_id": str(scope),
        "permissions": world.guilds[scope].command_permissions[target],
    }
