"""Guilds, channels and people as a test or a demonstration handles them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sandbox import permissions
from sandbox.access import Actor, sees_channel, sees_message
from sandbox.errors import DriverError
from sandbox.hub import PATIENCE, Hub
from sandbox.interactions import Interaction
from sandbox.messages import Upload
from sandbox.model import Channel as ChannelRecord
from sandbox.model import Guild as GuildRecord
from sandbox.model import Member as MemberRecord
from sandbox.model import Overwrite, Role, User
from sandbox.permissions import BOT_DEFAULT, Asked, Permission, bits
from sandbox.reply import Posted, Reply
from sandbox.seen import plain

COMMANDS_NEED = Permission.VIEW_CHANNEL | Permission.SEND_MESSAGES | Permission.USE_APPLICATION_COMMANDS


class Choice(NamedTuple):
    """One line of an autocomplete list."""

    name: str
    value: Any


class Channel:
    """A channel of a guild."""

    def __init__(self, hub: Hub, record: ChannelRecord) -> None:
        self._hub = hub
        self.record = record
        self.id = record.id
        self.name = record.name
        self.mention = record.mention

    @property
    def messages(self) -> list[Posted]:
        """What everybody in the channel sees, oldest first."""
        shown = [each for each in self.record.messages.values() if each.seen_by is None]
        return [Posted(self._hub, each) for each in shown]

    def delete(self) -> None:
        if self.record.guild is not None:
            self._hub.world.remove_channel(self.record.guild, self.record)

    def set_permissions(self, target: "Role | Member", *, allow: Asked = 0, deny: Asked = 0) -> None:
        """Set the channel's overwrite for a role (`guild.everyone` too) or a member."""
        if self.record.guild is not None:
            overwrite = Overwrite(target.id, isinstance(target, Member), bits(allow), bits(deny))
            self._hub.world.set_overwrite(self.record.guild, self.record, overwrite)


class Guild:
    """A guild, seen by whoever administers it."""

    def __init__(self, hub: Hub, record: GuildRecord) -> None:
        self._hub = hub
        self.record = record
        self.id = record.id
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

    def channel(self, name: str) -> Channel:
        return next(each for each in self.channels if each.name == name)

    def member(self, name: str) -> "Member":
        found = next(each for each in self.record.members.values() if each.user.name == name)
        return Member(self._hub, found.user, self)

    def role(self, name: str) -> Role:
        return next(each for each in self.record.roles.values() if each.name == name)

    def add_channel(self, name: str) -> Channel:
        return Channel(self._hub, self._world.add_channel(self.record, name))

    def add_role(self, name: str, *, permissions: Asked = 0, above_bot: bool = False) -> Role:
        """Add a role, just below the bot's own role or above everything."""
        below = None if above_bot or not self.bot_present else self.bot_role.position
        return self._world.add_role(self.record, name, position=below, permissions=bits(permissions))

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


class Member:
    """A person, in a guild and before some channel there, or in direct conversation with the bot."""

    def __init__(self, hub: Hub, user: User, guild: Guild, place: ChannelRecord | None = None) -> None:
        self.user = user
        self.guild = guild
        self.id = user.id
        self.name = user.name
        self.mention = user.mention
        self._hub = hub
        self._place = place

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

    # What they can do

    @property
    def commands(self) -> list[str]:
        """The names of the commands Discord offers this person here."""
        return sorted(each["name"] for each in self._hub.people.commands(self.actor))

    def begin(self, path: str, /, **options: Any) -> Reply:
        """Send a command and do not wait for its answer."""
        return Reply(self._hub, self._hub.people.slash(self.actor, path, _plain_all(options)))

    async def slash(self, path: str, /, **options: Any) -> Reply:
        """Send a command, like "license issue", and wait for its real answer."""
        return await self.begin(path, **options).settled()

    async def complete(self, path: str, focused: str, typed: str = "", /, **options: Any) -> list[Choice]:
        """Type into an option and read what autocomplete offers."""
        given = _plain_all(options)
        interaction: Interaction = self._hub.people.complete(self.actor, path, focused, typed, given)
        reply = await Reply(self._hub, interaction).settled()
        if reply.failed:
            raise DriverError("Loading options failed.")
        return [Choice(each["name"], each["value"]) for each in interaction.choices]

    async def context_menu(self, name: str, target: "Member | Posted") -> Reply:
        """Use a command from the menu of a person or a message."""
        actor, subject = self.actor, target.id if isinstance(target, Member) else 0
        if isinstance(target, Posted) and target.message is not None:
            actor, subject = Actor(self.user, target.message.channel), target.message.id
        return await Reply(self._hub, self._hub.people.context_menu(actor, name, subject)).settled()

    def say(self, words: str, *files: tuple[str, bytes]) -> Posted:
        message = self._hub.people.say(self.actor, words, [Upload(*file) for file in files])
        return Posted(self._hub, message, self.user)

    # What they see

    @property
    def dms(self) -> list[Posted]:
        """The bot's direct messages to them, oldest first."""
        channel = self._hub.world.dm_with(self.user)
        mine = [each for each in channel.messages.values() if each.author is self._hub.world.bot]
        return [Posted(self._hub, each, self.user) for each in mine]

    async def wait_for_dm(self, words: str = "", timeout: float = PATIENCE) -> Posted:  # noqa: ASYNC109 - a bound on the bot's message
        """Wait until one of the bot's direct messages says this; give the latest that does."""
        await self._hub.wait_until(lambda: any(words in each.text for each in self.dms), timeout=timeout)
        return [each for each in self.dms if words in each.text][-1]

    def sees(self, channel: Channel) -> list[Posted]:
        """What they see in the channel, ephemeral notes to them included."""
        world = self._hub.world
        shown = [each for each in channel.record.messages.values() if sees_message(world, self.user, each)]
        return [Posted(self._hub, each, self.user) for each in shown]

    def can_see(self, channel: Channel) -> bool:
        return sees_channel(self._hub.world, self.user, channel.record)

    # What they are

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


def _plain_all(options: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in options.items()}
