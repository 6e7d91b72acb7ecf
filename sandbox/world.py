"""The world the sandbox holds in memory: who and what there is, and every change to it."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from typing import Any

from sandbox import errors, payloads
from sandbox.errors import Json
from sandbox.model import Attachment, Channel, ChannelType, Guild, Member, Overwrite, Role, User
from sandbox.permissions import BOT_DEFAULT, EVERYONE_DEFAULT

Emit = Callable[[str, Json], None]

FIRST_ID = 1_100_000_000_000_000_000
LOOK_AGAIN = 0.02
ID_STEP = 1 << 22  # one millisecond in a snowflake, so that ids also order by time


class Signal:
    """Lets tasks wait until something they can see has become true."""

    def __init__(self) -> None:
        self._turn = asyncio.Event()

    def notify(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def changed(self, *, timeout: float) -> None:  # noqa: ASYNC109 - a bound on the wait, which may end for nothing
        """Wait for the next change, or for `timeout` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._turn.wait(), timeout)

    async def wait_until(self, true: Callable[[], Any], *, timeout: float) -> bool:  # noqa: ASYNC109 - a bound on the predicate, told by the result
        """Wait until `true()` holds; False if it did not within `timeout` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not true():
            left = deadline - loop.time()
            if left <= 0:
                return False
            # What a bot knows changes without a signal from here: look again soon in any case.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._turn.wait(), min(left, LOOK_AGAIN))
        return True


class World:
    """Every user, guild and channel; changes are told to whoever listens by `emit`."""

    def __init__(self, *, clock: Callable[[], float], bot_name: str, privileged_intents: int) -> None:
        self.clock = clock
        self.signal = Signal()
        self.emit: Emit = lambda _event, _data: None
        self.cdn_base = ""
        self.privileged_intents = privileged_intents
        self._ids = itertools.count(FIRST_ID, ID_STEP)
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.unavailable: set[int] = set()
        self.channels: dict[int, Channel] = {}
        self.files: dict[int, Attachment] = {}
        self.bot = self.add_user(bot_name, bot=True)
        self.developer = self.add_user("Developer")

    @property
    def application_id(self) -> int:
        return self.bot.id  # as for every application created since 2016

    def new_id(self) -> int:
        return next(self._ids)

    def add_user(self, name: str, *, bot: bool = False, locale: str = "en-US") -> User:
        user = User(self.new_id(), name, bot=bot, locale=locale)
        self.users[user.id] = user
        return user

    # Guilds

    def add_guild(self, name: str, *, owner: User, locale: str = "en-US") -> Guild:
        guild = Guild(self.new_id(), name, owner.id, locale=locale)
        guild.roles[guild.id] = Role(guild.id, guild.id, "@everyone", permissions=EVERYONE_DEFAULT)
        self.guilds[guild.id] = guild
        self.add_member(guild, owner)
        return guild

    def bot_guilds(self) -> list[Guild]:
        return [guild for guild in self.guilds.values() if self.bot.id in guild.members]

    def guild_of_bot(self, guild_id: int) -> Guild:
        """Give the guild as the bot may see it."""
        guild = self.guilds.get(guild_id)
        if guild is None:
            raise errors.UNKNOWN_GUILD.error()
        if self.bot.id not in guild.members:
            raise errors.MISSING_ACCESS.error()
        return guild

    def me(self, guild: Guild) -> Member:
        return guild.members[self.bot.id]

    def add_bot(self, guild: Guild, *, permissions: int = BOT_DEFAULT) -> Member:
        """Invite the bot; its own role comes with it, above every role there is by now."""
        role = self.add_role(guild, self.bot.name, permissions=permissions, managed=True, bot_id=self.bot.id)
        member = Member(self.bot, guild, self.clock(), {role.id})
        guild.members[self.bot.id] = member
        self.emit("GUILD_CREATE", payloads.arriving_guild(guild, member))
        self.signal.notify()
        return member

    def remove_bot(self, guild: Guild) -> None:
        own = [role.id for role in guild.roles.values() if role.bot_id == self.bot.id]
        guild.members.pop(self.bot.id)
        self.unavailable.discard(guild.id)
        for role_id in own:
            del guild.roles[role_id]
        self.emit("GUILD_DELETE", {"id": str(guild.id)})
        self.signal.notify()

    def set_available(self, guild: Guild, *, available: bool) -> None:
        """Let the guild fall out, as in a partial outage of Discord's, or come back.

        A bot that connects meanwhile is told that it is in the guild, and nothing else of it.
        """
        if available:
            self.unavailable.discard(guild.id)
            self.emit("GUILD_CREATE", payloads.arriving_guild(guild, self.me(guild)))
        else:
            self.unavailable.add(guild.id)
            self.emit("GUILD_DELETE", {"id": str(guild.id), "unavailable": True})

    def set_command_permissions(self, guild: Guild, target: int, rows: list[Json]) -> None:
        """Set under Server Settings, Integrations, who may use a command (or all, by the application's id)."""
        guild.command_permissions[target] = rows
        told = {"id": str(target), "application_id": str(self.application_id), "permissions": rows}
        self._tell(guild, "APPLICATION_COMMAND_PERMISSIONS_UPDATE", told)

    # Roles

    def add_role(self, guild: Guild, name: str, *, position: int | None = None, **settings: Any) -> Role:
        role = Role(self.new_id(), guild.id, name, **settings)
        self._place(guild, role, len(guild.roles) if position is None else position)
        self._tell(guild, "GUILD_ROLE_CREATE", {"role": payloads.role(role)})
        return role

    def move_role(self, guild: Guild, role: Role, position: int) -> None:
        del guild.roles[role.id]
        self._place(guild, role, position)
        self.update_role(guild, role)

    def _place(self, guild: Guild, role: Role, position: int) -> None:
        ordered = sorted(guild.roles.values(), key=lambda each: each.position)
        ordered.insert(max(1, position), role)
        guild.roles = {each.id: each for each in ordered}
        for index, each in enumerate(ordered):
            moved, each.position = each.position != index, index
            if moved and each is not role:  # Discord tells of every role that had to make room
                self.update_role(guild, each)

    def update_role(self, guild: Guild, role: Role) -> None:
        """Tell of a role whose fields were changed."""
        self._tell(guild, "GUILD_ROLE_UPDATE", {"role": payloads.role(role)})

    def remove_role(self, guild: Guild, role: Role) -> None:
        del guild.roles[role.id]
        for member in guild.members.values():
            if role.id in member.role_ids:
                self.set_roles(member, member.role_ids - {role.id})
        self._tell(guild, "GUILD_ROLE_DELETE", {"role_id": str(role.id)})

    # Members

    def add_member(self, guild: Guild, user: User, *, role_ids: set[int] | None = None) -> Member:
        member = Member(user, guild, self.clock(), set(role_ids or ()))
        guild.members[user.id] = member
        self._tell(guild, "GUILD_MEMBER_ADD", payloads.member(member))
        return member

    def remove_member(self, member: Member) -> None:
        del member.guild.members[member.user.id]
        self._tell(member.guild, "GUILD_MEMBER_REMOVE", {"user": payloads.user(member.user)})

    def ban(self, member: Member, *, reason: str | None = None) -> None:
        member.guild.bans[member.user.id] = reason
        self._tell(member.guild, "GUILD_BAN_ADD", {"user": payloads.user(member.user)})
        self.remove_member(member)

    def unban(self, guild: Guild, user: User) -> None:
        del guild.bans[user.id]
        self._tell(guild, "GUILD_BAN_REMOVE", {"user": payloads.user(user)})

    def set_roles(self, member: Member, role_ids: set[int]) -> None:
        member.role_ids = set(role_ids)
        self.update_member(member)

    def update_member(self, member: Member) -> None:
        """Tell of a member whose fields were changed."""
        self._tell(member.guild, "GUILD_MEMBER_UPDATE", payloads.member(member))

    # Channels

    def add_channel(self, guild: Guild, name: str, *, topic: str | None = None) -> Channel:
        position = len(guild.channels)
        channel = Channel(self.new_id(), ChannelType.TEXT, name, guild, position=position, topic=topic)
        guild.channels[channel.id] = self.channels[channel.id] = channel
        self._tell(guild, "CHANNEL_CREATE", payloads.channel(channel))
        return channel

    def remove_channel(self, guild: Guild, channel: Channel) -> None:
        del guild.channels[channel.id], self.channels[channel.id]
        for message in channel.messages.values():
            message.deleted = True
        self._tell(guild, "CHANNEL_DELETE", payloads.channel(channel))

    def set_overwrite(self, guild: Guild, channel: Channel, overwrite: Overwrite) -> None:
        channel.overwrites[overwrite.target_id] = overwrite
        self._tell(guild, "CHANNEL_UPDATE", payloads.channel(channel))

    def dm_with(self, user: User) -> Channel:
        """Give the direct channel between the bot and the user, opened on first use."""
        for channel in self.channels.values():
            if channel.recipient is user:
                return channel
        channel = Channel(self.new_id(), ChannelType.DM, "", recipient=user)
        self.channels[channel.id] = channel
        return channel

    def can_message(self, user: User) -> bool:
        """Whether the user takes the bot's direct messages through some guild both are in."""
        shared = [guild.members[user.id] for guild in self.bot_guilds() if user.id in guild.members]
        return not user.bot and any(member.dms_open for member in shared)

    def add_file(self, channel_id: int, filename: str, data: bytes, content_type: str | None) -> Attachment:
        file_id = self.new_id()
        url = f"{self.cdn_base}/attachments/{channel_id}/{file_id}/{filename}"
        self.files[file_id] = Attachment(file_id, filename, data, url, content_type)
        return self.files[file_id]

    def _tell(self, guild: Guild, event: str, data: Json) -> None:
        if self.bot.id in guild.members:
            self.emit(event, {**data, "guild_id": str(guild.id)})
        self.signal.notify()
