"""Who sees what: channels, messages, and the commands that are not hidden from a person."""

from dataclasses import dataclass

from sandbox import permissions
from sandbox.commands import CommandType, Registry
from sandbox.errors import DriverError, Json
from sandbox.model import Channel, Guild, Member, Message, User
from sandbox.permissions import Permission
from sandbox.world import World

GUILD_CONTEXT = 0
DM_CONTEXT = 1


@dataclass(frozen=True)
class Actor:
    """A person at a place: the channel they are looking at."""

    user: User
    channel: Channel

    @property
    def guild(self) -> Guild | None:
        return self.channel.guild

    @property
    def member(self) -> Member | None:
        return self.guild.members.get(self.user.id) if self.guild else None

    @property
    def permissions(self) -> int:
        if self.guild is None:
            return int(permissions.DIRECT_MESSAGE)
        return int(permissions.in_channel(self.member, self.channel)) if self.member else 0


def sees_channel(world: World, user: User, channel: Channel) -> bool:
    if channel.id not in world.channels:
        return False
    if channel.guild is None:
        return user in {channel.recipient, world.bot}
    return bool(Actor(user, channel).permissions & Permission.VIEW_CHANNEL)


def sees_message(world: World, user: User, message: Message) -> bool:
    if message.deleted or message.seen_by not in {None, user.id}:
        return False
    return sees_channel(world, user, message.channel)


def visible_commands(world: World, registry: Registry, actor: Actor) -> list[Json]:
    """The commands Discord offers the person there, the guild's own before global ones."""
    if actor.guild is None:
        shared = any(actor.user.id in guild.members for guild in world.bot_guilds())
        return [each for each in registry.all(None) if shared and _in_direct_messages(each)]
    if world.bot.id not in actor.guild.members or actor.member is None:
        return []
    found = registry.all(actor.guild.id) + registry.all(None)
    return [each for each in found if _may_use(world, each, actor, actor.member)]


def _in_direct_messages(command: Json) -> bool:
    contexts = command["contexts"]
    return command["dm_permission"] if contexts is None else DM_CONTEXT in contexts


def _may_use(world: World, command: Json, actor: Actor, member: Member) -> bool:
    if command["contexts"] is not None and GUILD_CONTEXT not in command["contexts"]:
        return False
    needed = Permission.VIEW_CHANNEL | Permission.USE_APPLICATION_COMMANDS
    if command["type"] == CommandType.CHAT:
        needed |= Permission.SEND_MESSAGES
    held = actor.permissions
    if held & needed != needed:
        return False
    if permissions.in_guild(member) & Permission.ADMINISTRATOR:
        return True
    for target in (int(command["id"]), world.application_id):
        rows = member.guild.command_permissions.get(target, [])
        if not _channel_allowed(rows, actor.channel):
            return False
        verdict = _person_allowed(rows, member)
        if verdict is not None:
            return verdict
    return _allowed_by_default(command, held)


def _allowed_by_default(command: Json, held: int) -> bool:
    needed = command["default_member_permissions"]
    if needed is None:
        return True
    # Zero means: nobody but administrators.
    return int(needed) != 0 and held & int(needed) == int(needed)


def _channel_allowed(rows: list[Json], channel: Channel) -> bool:
    by_id = {int(row["id"]): bool(row["permission"]) for row in rows if row["type"] == _CHANNEL}
    every_channel = channel.guild.id - 1 if channel.guild else 0
    return by_id.get(channel.id, by_id.get(every_channel, True))


_ROLE, _USER, _CHANNEL = 1, 2, 3


def _person_allowed(rows: list[Json], member: Member) -> bool | None:
    users = {int(row["id"]): bool(row["permission"]) for row in rows if row["type"] == _USER}
    if member.user.id in users:
        return users[member.user.id]
    roles = {int(row["id"]): bool(row["permission"]) for row in rows if row["type"] == _ROLE}
    mine = [roles[role_id] for role_id in member.role_ids if role_id in roles]
    if mine:
        return any(mine)
    return roles.get(member.guild.id)


def require_presence(actor: Actor) -> None:
    """Refuse what somebody tries to do in a guild they are not in."""
    if actor.guild is not None and actor.member is None:
        raise DriverError(f"{actor.user.name} is not in {actor.guild.name}.")
