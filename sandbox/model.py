"""What there is in the world: guilds, roles, channels, members, users, messages. Plain records, no rules."""

import time
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from sandbox.errors import Json


class ChannelType(IntEnum):
    """The kinds of channel the sandbox has."""

    TEXT = 0
    DM = 1


class MessageFlag(IntFlag):
    """The message flags that a bot can set or see."""

    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


@dataclass(eq=False, slots=True)
class User:
    id: int
    name: str
    bot: bool = False
    locale: str = "en-US"

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"


@dataclass(eq=False, slots=True)
class Role:
    id: int
    guild_id: int
    name: str
    permissions: int = 0
    position: int = 0
    managed: bool = False
    color: int = 0
    bot_id: int | None = None

    @property
    def mention(self) -> str:
        return f"<@&{self.id}>"


@dataclass(eq=False, slots=True)
class Overwrite:
    target_id: int
    is_member: bool
    allow: int = 0
    deny: int = 0


@dataclass(eq=False, slots=True)
class Attachment:
    id: int
    filename: str
    data: bytes
    url: str
    content_type: str | None = None
    description: str | None = None


@dataclass(eq=False, slots=True)
class Message:
    """One message; `seen_by` names the only user who sees an ephemeral one."""

    id: int
    channel: "Channel"
    author: User
    created_at: float
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    edited_at: float | None = None
    seen_by: int | None = None
    deleted: bool = False
    pinned: bool = False
    tts: bool = False
    nonce: str | None = None
    allowed_mentions: Json | None = None
    pinged_users: list[User] = field(default_factory=list)
    pinged_roles: list[int] = field(default_factory=list)
    pinged_everyone: bool = False
    reference: "Message | None" = None
    interaction: Json | None = None
    revision: int = 0
    changed_at: float = field(default_factory=time.monotonic)  # on the monotonic clock, whatever the world's says

    def has(self, flag: MessageFlag) -> bool:
        return bool(self.flags & flag)


@dataclass(eq=False, slots=True)
class Channel:
    id: int
    type: ChannelType
    name: str
    guild: "Guild | None" = None
    recipient: User | None = None
    position: int = 0
    topic: str | None = None
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)

    @property
    def mention(self) -> str:
        return f"<#{self.id}>"


@dataclass(eq=False, slots=True)
class Member:
    user: User
    guild: "Guild"
    joined_at: float
    role_ids: set[int] = field(default_factory=set)
    nick: str | None = None
    dms_open: bool = True


@dataclass(eq=False, slots=True)
class Guild:
    id: int
    name: str
    owner_id: int
    locale: str = "en-US"
    roles: dict[int, Role] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    bans: dict[int, str | None] = field(default_factory=dict)
    # What an administrator set under Server Settings, Integrations: target (command or application) to rows.
    command_permissions: dict[int, list[Json]] = field(default_factory=dict)
