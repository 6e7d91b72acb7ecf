"""Guilds and their members as a test or a demonstration handles them."""

from collections.abc import Iterable

from sandbox import permissions
from sandbox.access import Actor
from sandbox.errors import DriverError
from sandbox.hub import Hub
from sandbox.model import Channel as ChannelRecord
from sandbox.model import Guild as GuildRecord
from sandbox.model import Member as MemberRecord
from sandbox.model import Role, User
from sandbox.permissions import BOT_DEFAULT, Asked, Permission, bits
from sandbox.person import Channel, Person

COMMANDS_NEED = Permission.VIEW_CHANNEL | Permission.SEND_MESSAGES | Permission.USE_APPLICATION_COMMANDS


class Guild:
    """A guild, seen by whoever administers it."""

    def __init__(self, hub: Hub, record: GuildRecord) -> None:
        self._hub = hub
        self.record = record
        self.id = record.id
        self.name = record.name
        self._world = hub.world

    @property
    def owner(self) -> "Member":
        return Member(self._hub, self._world.users[self.record.owner_id], self)

    @property
    def everyone(self) -> Role:
        return self.record.roles[self.id]

    @property
    def bot_role(self) -> Role:
        return next(role for role in self.record.roles.values() if role.bot_id == self._world.bot.id)

    @property
    def channels(self) -> list[Channel]:
        return [Channel(self._hub, each) for each in self.record.channels.values()]

    @property
    def members(self) -> "list[Member]":
        return [Member(self._hub, each.user, self) for each in self.record.members.values()]

    def channel(self, name: str) -> Channel:
        return next(each for each in self.channels if each.name == name)

    def member(self, name: str) -> "Member":
        found = next(each for each in self.record.members.values() if each.user.name == name)
        return Member(self._hub, found.user, self)

    def role(self, name: str) -> Role:
        return next(each for each in self.record.roles.values() if each.name == name)

    def add_channel(self, name: str) -> Channel:
        return Channel(self._hub, self._world.add_channel(self.record, name))

    def add_role(self, name: str, *, permissions: Asked = 0, color: int = 0, above_bot: bool = False) -> Role:
        """Add a role, just below the bot's own role or above everything."""
        below = None if above_bot or not self.bot_present else self.bot_role.position
        return self._world.add_role(self.record, name, position=below, permissions=bits(permissions), color=color)

    def add_managed_role(self, name: str) -> Role:
        """Add a role that some integration manages and nobody can give away."""
        return self._world.add_role(self.record, name, position=1, managed=True)

    def move_role(self, role: Role, position: int) -> None:
        self._world.move_role(self.record, role, position)

    def set_permissions(self, role: Role, permissions: Asked) -> None:
        role.permissions = bits(permissions)
        self._world.update_role(self.record, role)

    def remove_role(self, role: Role) -> None:
        self._world.remove_role(self.record, role)

    def add_member(self, who: "str | Member", *, roles: Iterable[Role | str] = (), locale: str = "en-US") -> "Member":
        """Let somebody join: a new person by name, or one who is in another guild already."""
        user = self._world.add_user(who, locale=locale) if isinstance(who, str) else who.user
        role_ids = {(self.role(role) if isinstance(role, str) else role).id for role in roles}
        self._world.add_member(self.record, user, role_ids=role_ids)
        return Member(self._hub, user, self)

    @property
    def bot_present(self) -> bool:
        return self._world.bot.id in self.record.members

    def add_bot(self, *, permissions: Asked = BOT_DEFAULT) -> None:
        self._world.add_bot(self.record, permissions=bits(permissions))

    def remove_bot(self) -> None:
        self._world.remove_bot(self.record)

    def fall_out(self) -> None:
        """Become unavailable, as in a partial outage: the bot is told so, and it is no removal."""
        self._world.set_available(self.record, available=False)

    def come_back(self) -> None:
        self._world.set_available(self.record, available=True)

    def allow_command(self, name: str | None, target: "Role | Member | Channel", *, allowed: bool) -> None:
        """Set under Server Settings, Integrations, who may use a command; None means all of the bot's."""
        registry = self._hub.registry
        found = registry.all(self.id) + registry.all(None)
        key = self._world.application_id
        if name is not None:
            key = next(int(each["id"]) for each in found if each["name"] == name)
        kind = 2 if isinstance(target, Member) else 3 if isinstance(target, Channel) else 1
        rows = [each for each in self.record.command_permissions.get(key, []) if each["id"] != str(target.id)]
        rows.append({"id": str(target.id), "type": kind, "permission": allowed})
        self._world.set_command_permissions(self.record, key, rows)


class Member(Person):
    """A person, in a guild and before some channel there, or in direct conversation with the bot."""

    def __init__(self, hub: Hub, user: User, guild: Guild, place: ChannelRecord | None = None) -> None:
        super().__init__(hub, user)
        self.guild = guild
        self._place = place

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Member) and (other.id, other.guild.id) == (self.id, self.guild.id)

    def __hash__(self) -> int:
        return hash((self.id, self.guild.id))

    def __repr__(self) -> str:
        return f"<Member {self.name} of {self.guild.record.name}>"

    def at(self, channel: Channel) -> "Member":
        """The same person, looking at this channel."""
        return Member(self._hub, self.user, self.guild, channel.record)

    @property
    def in_dm(self) -> "Member":
        """The same person, in direct conversation with the bot."""
        return Member(self._hub, self.user, self.guild, self._hub.world.dm_with(self.user))

    @property
    def actor(self) -> Actor:
        return Actor(self.user, self._place or self._first_channel())

    def _first_channel(self) -> ChannelRecord:
        channels = list(self.guild.record.channels.values())
        usable = (each for each in channels if Actor(self.user, each).permissions & COMMANDS_NEED == COMMANDS_NEED)
        return next(usable, channels[0])

    @property
    def record(self) -> MemberRecord:
        found = self.guild.record.members.get(self.id)
        if found is None:
            raise DriverError(f"{self.name} is not in {self.guild.record.name}.")
        return found

    @property
    def roles(self) -> list[Role]:
        roles = [self.guild.record.roles[role_id] for role_id in self.record.role_ids]
        return sorted(roles, key=lambda role: role.position)

    @property
    def role_names(self) -> list[str]:
        return [role.name for role in self.roles]

    @property
    def permissions(self) -> int:
        return permissions.in_guild(self.record)

    def add_role(self, role: Role) -> None:
        self._hub.world.set_roles(self.record, self.record.role_ids | {role.id})

    def remove_role(self, role: Role) -> None:
        self._hub.world.set_roles(self.record, self.record.role_ids - {role.id})

    def close_dms(self) -> None:
        self.record.dms_open = False

    def open_dms(self) -> None:
        self.record.dms_open = True

    def leave(self) -> None:
        self._hub.world.remove_member(self.record)

    def ban(self, *, reason: str | None = None) -> None:
        self._hub.world.ban(self.record, reason=reason)

    def unban(self) -> None:
        self._hub.world.unban(self.guild.record, self.user)

    def rejoin(self) -> None:
        self._hub.world.add_member(self.guild.record, self.user)
