"""How each thing in the world looks on the wire."""

from datetime import UTC, datetime

from sandbox import permissions
from sandbox.errors import Json
from sandbox.model import Attachment, Channel, ChannelType, Guild, Member, Message, MessageFlag, Role, User

ATTACHMENT_LIMIT = 10 * 1024 * 1024


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def user(found: User) -> Json:
    return {
        "id": str(found.id),
        "username": found.name.lower().replace(" ", "_") if not found.bot else found.name,
        "global_name": None if found.bot else found.name,
        "discriminator": "0",
        "avatar": None,
        "bot": found.bot,
        "public_flags": 0,
        "flags": 0,
        "banner": None,
        "accent_color": None,
    }


def role(found: Role) -> Json:
    wire: Json = {
        "id": str(found.id),
        "name": found.name,
        "permissions": str(found.permissions),
        "position": found.position,
        "color": found.color,
        "colors": {"primary_color": found.color, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "managed": found.managed,
        "mentionable": False,
        "flags": 0,
    }
    if found.bot_id is not None:
        wire["tags"] = {"bot_id": str(found.bot_id)}
    return wire


def member(found: Member, *, with_user: bool = True) -> Json:
    wire: Json = {
        "roles": [str(role_id) for role_id in sorted(found.role_ids)],
        "nick": found.nick,
        "avatar": None,
        "joined_at": moment(found.joined_at),
        "premium_since": None,
        "communication_disabled_until": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
    }
    if with_user:
        wire["user"] = user(found.user)
    return wire


def invoker(found: Member, channel: Channel) -> Json:
    """A member as interactions carry them: with their permissions in the channel."""
    return {**member(found), "permissions": str(int(permissions.in_channel(found, channel)))}


def channel(found: Channel) -> Json:
    if found.type == ChannelType.DM:
        recipients = [user(found.recipient)] if found.recipient else []
        return {
            "id": str(found.id),
            "type": int(found.type),
            "recipients": recipients,
            "last_message_id": _last_message(found),
            "flags": 0,
        }
    return {
        "id": str(found.id),
        "type": int(found.type),
        "guild_id": str(found.guild.id) if found.guild else None,
        "name": found.name,
        "position": found.position,
        "topic": found.topic,
        "nsfw": False,
        "parent_id": None,
        "rate_limit_per_user": 0,
        "last_message_id": _last_message(found),
        "flags": 0,
        "permission_overwrites": [
            {
                "id": str(each.target_id),
                "type": int(each.is_member),
                "allow": str(int(each.allow)),
                "deny": str(int(each.deny)),
            }
            for each in found.overwrites.values()
        ],
    }


def _last_message(found: Channel) -> str | None:
    return str(max(found.messages)) if found.messages else None


def resolved_channel(found: Channel, viewer: Member) -> Json:
    """A channel as interactions resolve it: with the invoker's permissions there."""
    return {**channel(found), "permissions": str(int(permissions.in_channel(viewer, found)))}


def guild(found: Guild) -> Json:
    return {
        "id": str(found.id),
        "name": found.name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "banner": None,
        "owner_id": str(found.owner_id),
        "roles": [role(each) for each in found.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": [],
        "preferred_locale": found.locale,
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "afk_channel_id": None,
        "afk_timeout": 300,
        "vanity_url_code": None,
        "description": None,
        "max_members": 500000,
        "max_video_channel_users": 25,
    }


def arriving_guild(found: Guild, me: Member) -> Json:
    """A guild as GUILD_CREATE brings it: of the members only the bot's own, as without presences."""
    return {
        **guild(found),
        "joined_at": moment(me.joined_at),
        "large": False,
        "unavailable": False,
        "member_count": len(found.members),
        "members": [member(me)],
        "channels": [channel(each) for each in found.channels.values()],
        "threads": [],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def attachment(found: Attachment) -> Json:
    wire = {
        "id": str(found.id),
        "filename": found.filename,
        "size": len(found.data),
        "url": found.url,
        "proxy_url": found.url,
    }
    if found.content_type:
        wire["content_type"] = found.content_type
    if found.description:
        wire["description"] = found.description
    return wire


def message(found: Message) -> Json:
    wire = {
        "id": str(found.id),
        "type": 0,
        "channel_id": str(found.channel.id),
        "author": user(found.author),
        "content": found.content,
        "timestamp": moment(found.created_at),
        "edited_timestamp": None if found.edited_at is None else moment(found.edited_at),
        "tts": found.tts,
        "mention_everyone": found.pinged_everyone,
        "mentions": [user(each) for each in found.pinged_users],
        "mention_roles": [str(role_id) for role_id in found.pinged_roles],
        "attachments": [attachment(each) for each in found.attachments],
        "embeds": found.embeds,
        "components": found.components,
        "pinned": found.pinned,
        "flags": int(found.flags),
    }
    if found.nonce is not None:
        wire["nonce"] = found.nonce
    if found.interaction is not None:
        wire["type"] = 20 if found.interaction.get("name") else 0
        wire["application_id"] = wire["webhook_id"] = str(found.author.id)
        wire["interaction_metadata"] = found.interaction["metadata"]
        if found.interaction.get("name"):
            wire["interaction"] = {key: found.interaction[key] for key in ("id", "type", "name", "user")}
    if found.reference is not None:
        wire |= _reference(found.reference)
    return wire


def _reference(to: Message) -> Json:
    guild_id = {"guild_id": str(to.channel.guild.id)} if to.channel.guild else {}
    return {
        "type": 19,
        "message_reference": {
            "type": 0,
            "message_id": str(to.id),
            "channel_id": str(to.channel.id),
            **guild_id,
        },
        "referenced_message": None if to.deleted else message(to),
    }


def dispatched_message(found: Message) -> Json:
    """A message as the gateway tells of it: an ephemeral one comes without its guild, as documented."""
    wire = message(found)
    home = found.channel.guild
    if home is not None and not found.has(MessageFlag.EPHEMERAL):
        wire["guild_id"] = str(home.id)
        author = home.members.get(found.author.id)
        if author is not None:
            wire["member"] = member(author, with_user=False)
    return wire
