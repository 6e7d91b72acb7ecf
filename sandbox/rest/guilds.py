"""Guilds: their roles, members, channels and bans, and who may change them."""

from aiohttp import web

from sandbox import errors, payloads, permissions, rules
from sandbox.errors import Form, Json, invalid_form
from sandbox.model import Guild, Member, Role
from sandbox.permissions import Permission
from sandbox.rest.wire import PREFIX, hub, nothing, query_integer, read_object, reply, snowflake
from sandbox.sessions import Intent
from sandbox.world import World

ROUTES = web.RouteTableDef()
_GUILD = f"{PREFIX}/guilds/{{guild}}"
_MEMBER = f"{_GUILD}/members/{{user}}"


def _guild(request: web.Request) -> Guild:
    return hub(request).world.guild_of_bot(snowflake(request, "guild"))


def _member(request: web.Request, guild: Guild) -> Member:
    user_id = snowflake(request, "user")
    if user_id not in hub(request).world.users:
        raise errors.UNKNOWN_USER.error()
    if user_id not in guild.members:
        raise errors.UNKNOWN_MEMBER.error()
    return guild.members[user_id]


def _require(world: World, guild: Guild, needed: Permission) -> None:
    if not permissions.in_guild(world.me(guild)) & needed:
        raise errors.MISSING_PERMISSIONS.error()


@ROUTES.get(_GUILD)
async def get_guild(request: web.Request) -> web.Response:
    guild = _guild(request)
    counts = {"approximate_member_count": len(guild.members), "approximate_presence_count": 0}
    return reply({**payloads.guild(guild), **(counts if "with_counts" in request.query else {})})


@ROUTES.get(f"{_GUILD}/channels")
async def get_channels(request: web.Request) -> web.Response:
    return reply([payloads.channel(channel) for channel in _guild(request).channels.values()])


@ROUTES.post(f"{_GUILD}/channels")
async def create_channel(request: web.Request) -> web.Response:
    world, guild, body, form = hub(request).world, _guild(request), await read_object(request), Form()
    name = rules.text(form, body, "name", least=1, most=100, needed=True)
    topic = rules.text(form, body, "topic", most=1024)
    form.check()
    _require(world, guild, Permission.MANAGE_CHANNELS)
    return reply(payloads.channel(world.add_channel(guild, name or "", topic=topic)), 201)


# Roles


@ROUTES.get(f"{_GUILD}/roles")
async def get_roles(request: web.Request) -> web.Response:
    return reply([payloads.role(role) for role in _guild(request).roles.values()])


@ROUTES.get(f"{_GUILD}/roles/{{role}}")
async def get_role(request: web.Request) -> web.Response:
    return reply(payloads.role(_role(_guild(request), snowflake(request, "role"))))


@ROUTES.post(f"{_GUILD}/roles")
async def create_role(request: web.Request) -> web.Response:
    world, guild, body, form = hub(request).world, _guild(request), await read_object(request), Form()
    name = rules.text(form, body, "name", most=100)
    form.check()
    _require(world, guild, Permission.MANAGE_ROLES)
    asked = int(body.get("permissions") or 0)
    if asked & ~permissions.in_guild(world.me(guild)):
        raise errors.MISSING_PERMISSIONS.error()
    role = world.add_role(guild, name or "new role", position=1, permissions=asked, color=body.get("color") or 0)
    return reply(payloads.role(role))


def _role(guild: Guild, role_id: int) -> Role:
    if role_id not in guild.roles:
        raise errors.UNKNOWN_ROLE.error()
    return guild.roles[role_id]


def _require_rank(world: World, guild: Guild, role: Role) -> None:
    """The bot must hold Manage Roles and stand above the role, and a managed role is nobody's to give."""
    _require(world, guild, Permission.MANAGE_ROLES)
    if role.managed or not permissions.outranks(world.me(guild), guild, role.position):
        raise errors.MISSING_PERMISSIONS.error()


@ROUTES.put(f"{_MEMBER}/roles/{{role}}")
async def give_role(request: web.Request) -> web.Response:
    member, role = _member_and_role(request)
    if role.id not in member.role_ids:
        hub(request).world.set_roles(member, member.role_ids | {role.id})
    return nothing()


@ROUTES.delete(f"{_MEMBER}/roles/{{role}}")
async def take_role(request: web.Request) -> web.Response:
    member, role = _member_and_role(request)
    if role.id in member.role_ids:
        hub(request).world.set_roles(member, member.role_ids - {role.id})
    return nothing()


def _member_and_role(request: web.Request) -> tuple[Member, Role]:
    world, guild = hub(request).world, _guild(request)
    member = _member(request, guild)
    role = _role(guild, snowflake(request, "role"))
    if role.id == guild.id:
        raise errors.INVALID_ROLE.error()
    _require_rank(world, guild, role)
    return member, role


# Members


@ROUTES.get(f"{_GUILD}/members")
async def get_members(request: web.Request) -> web.Response:
    world, guild = hub(request).world, _guild(request)
    if not world.privileged_intents & Intent.GUILD_MEMBERS:
        raise errors.MISSING_ACCESS.error()
    limit = query_integer(request, "limit", default=1, least=1, most=1000)
    after = query_integer(request, "after", default=0, least=0, most=2**63)
    found = sorted((member for member in guild.members.values() if member.user.id > after), key=_by_id)
    return reply([payloads.member(member) for member in found[:limit]])


def _by_id(member: Member) -> int:
    return member.user.id


@ROUTES.get(f"{_GUILD}/members/search")
async def search_members(request: web.Request) -> web.Response:
    guild, query = _guild(request), request.query.get("query", "").lower()
    if not query:
        raise invalid_form("BASE_TYPE_REQUIRED", "This field is required", "query")
    limit = query_integer(request, "limit", default=1, least=1, most=1000)
    found = [each for each in guild.members.values() if _called(each, query)]
    return reply([payloads.member(member) for member in found[:limit]])


def _called(member: Member, query: str) -> bool:
    return any(name.lower().startswith(query) for name in (member.user.name, member.nick) if name)


@ROUTES.get(_MEMBER)
async def get_member(request: web.Request) -> web.Response:
    return reply(payloads.member(_member(request, _guild(request))))


@ROUTES.patch(_MEMBER)
async def edit_member(request: web.Request) -> web.Response:
    world, guild, body = hub(request).world, _guild(request), await read_object(request)
    own = request.match_info["user"] == "@me"
    member = world.me(guild) if own else _member(request, guild)
    if body.get("roles") is not None:
        _change_roles(world, guild, member, {int(role_id) for role_id in body["roles"]})
    if "nick" in body:
        _rename(world, guild, member, body)
    world.update_member(member)
    return reply(payloads.member(member))


def _change_roles(world: World, guild: Guild, member: Member, wanted: set[int]) -> None:
    for role_id in wanted ^ member.role_ids:
        _require_rank(world, guild, _role(guild, role_id))
    member.role_ids = wanted


def _rename(world: World, guild: Guild, member: Member, body: Json) -> None:
    form, me = Form(), world.me(guild)
    nick = rules.text(form, body, "nick", most=32)
    form.check()
    _require(world, guild, Permission.CHANGE_NICKNAME if member is me else Permission.MANAGE_NICKNAMES)
    if member is not me and not _above(me, member):
        raise errors.MISSING_PERMISSIONS.error()
    member.nick = nick or None


def _above(me: Member, member: Member) -> bool:
    owner = member.user.id == member.guild.owner_id
    return not owner and permissions.outranks(me, me.guild, permissions.top_position(member))


@ROUTES.delete(_MEMBER)
async def kick(request: web.Request) -> web.Response:
    world, guild = hub(request).world, _guild(request)
    member = _member(request, guild)
    _require(world, guild, Permission.KICK_MEMBERS)
    if not _above(world.me(guild), member):
        raise errors.MISSING_PERMISSIONS.error()
    world.remove_member(member)
    return nothing()


# Bans


@ROUTES.get(f"{_GUILD}/bans")
async def get_bans(request: web.Request) -> web.Response:
    world, guild = hub(request).world, _guild(request)
    _require(world, guild, Permission.BAN_MEMBERS)
    return reply([_ban(world, user_id, why) for user_id, why in guild.bans.items()])


@ROUTES.get(f"{_GUILD}/bans/{{user}}")
async def get_ban(request: web.Request) -> web.Response:
    world, guild, user_id = hub(request).world, _guild(request), snowflake(request, "user")
    _require(world, guild, Permission.BAN_MEMBERS)
    if user_id not in guild.bans:
        raise errors.UNKNOWN_BAN.error()
    return reply(_ban(world, user_id, guild.bans[user_id]))


def _ban(world: World, user_id: int, why: str | None) -> Json:
    return {"user": payloads.user(world.users[user_id]), "reason": why}
