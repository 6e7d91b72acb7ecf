"""Permission bits and how Discord computes what a member may do in a channel."""

from collections.abc import Iterable
from enum import IntFlag

from sandbox.model import Channel, Guild, Member


class Permission(IntFlag):
    """The bits of Discord's permission integers that the sandbox knows by name."""

    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_AUDIT_LOG = 1 << 7
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CHANGE_NICKNAME = 1 << 26
    MANAGE_NICKNAMES = 1 << 27
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40


Asked = int | Iterable[str]

ALL = (1 << 53) - 1

EVERYONE_DEFAULT = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.CHANGE_NICKNAME
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.SEND_MESSAGES_IN_THREADS
)

BOT_DEFAULT = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.MANAGE_ROLES
)

DIRECT_MESSAGE = EVERYONE_DEFAULT


def bits(asked: Asked) -> int:
    """Read permissions given as an integer or as names like `manage_messages`."""
    if isinstance(asked, int):
        return int(asked)
    found = 0
    for name in [asked] if isinstance(asked, str) else asked:
        found |= Permission[name.upper()]
    return found


def in_guild(member: Member) -> int:
    """What the member may do in the guild, before any channel has its say."""
    guild = member.guild
    if member.user.id == guild.owner_id:
        return ALL
    found = guild.roles[guild.id].permissions
    for role_id in member.role_ids:
        found |= guild.roles[role_id].permissions
    return ALL if found & Permission.ADMINISTRATOR else found


def in_channel(member: Member, channel: Channel) -> int:
    """What the member may do in the channel: everyone's overwrite, the roles' together, the member's own."""
    found = in_guild(member)
    if found & Permission.ADMINISTRATOR:
        return ALL
    everyone = channel.overwrites.get(member.guild.id)
    if everyone:
        found = found & ~everyone.deny | everyone.allow
    mine = [channel.overwrites[role_id] for role_id in member.role_ids if role_id in channel.overwrites]
    for overwrite in mine:
        found &= ~overwrite.deny
    for overwrite in mine:
        found |= overwrite.allow
    own = channel.overwrites.get(member.user.id)
    if own:
        found = found & ~own.deny | own.allow
    return _implied(found)


def _implied(found: int) -> int:
    if not found & Permission.VIEW_CHANNEL:
        return 0
    if not found & Permission.SEND_MESSAGES:
        found &= ~(Permission.EMBED_LINKS | Permission.ATTACH_FILES | Permission.MENTION_EVERYONE)
    return found


def top_position(member: Member) -> int:
    """The position of the member's highest role."""
    return max((member.guild.roles[role_id].position for role_id in member.role_ids), default=0)


def outranks(member: Member, guild: Guild, position: int) -> bool:
    """Whether the member may manage roles at this position."""
    return member.user.id == guild.owner_id or top_position(member) > position
