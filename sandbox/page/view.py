"""What one person sees, as the page is told it: places, people, messages, and what became of their acts."""

from typing import Any

from sandbox import payloads, permissions
from sandbox.access import Actor, sees_channel, sees_message, visible_commands
from sandbox.commands import CommandType
from sandbox.errors import Json
from sandbox.hub import Hub
from sandbox.interaction import Interaction, Kind
from sandbox.model import Channel, Guild, Member, Message, User
from sandbox.page.guide import Guide
from sandbox.permissions import Permission

RECENT_MESSAGES = 100  # per channel; older ones are asked for
RECENT_INTERACTIONS = 40
LOCALIZED = ("name", "description")


def places(hub: Hub, guide: Guide, me: User) -> Json:
    """Everything around the messages: who there is, where one can be, who holds which role."""
    world = hub.world
    homes = [each for each in world.guilds.values() if me.id in each.members]
    return {
        "bot": {"id": str(world.bot.id), "name": world.bot.name, "online": bool(hub.gateway.live)},
        "me": {"id": str(me.id), "name": me.name},
        "people": people(hub),
        "guilds": [_guild(hub, each, me) for each in homes],
        "dm": str(world.dm_with(me).id) if any(world.bot.id in each.members for each in homes) else None,
        "guide": guide.told(),
        "commands": [each["version"] for scope in (None, *world.guilds) for each in hub.registry.all(scope)],
    }


def people(hub: Hub) -> list[Json]:
    """Everybody one can be, those who run a guild first."""
    world = hub.world
    found = [each for each in world.users.values() if not each.bot and each is not world.developer]
    told = [{"id": str(each.id), "name": each.name, "part": _part(hub, each)} for each in found]
    return sorted(told, key=lambda each: each["part"] != "owner")


def _part(hub: Hub, user: User) -> str:
    """What somebody is called beside their name in the list of people."""
    held: list[str] = []
    for guild in hub.world.guilds.values():
        if guild.owner_id == user.id:
            return "owner"
        if user.id in guild.members:
            roles = sorted((guild.roles[each] for each in guild.members[user.id].role_ids), key=_by_position)
            held += [role.name for role in roles]
    return ", ".join(held) or "member"


def _by_position(role: Any) -> int:
    return -int(role.position)


def _guild(hub: Hub, guild: Guild, me: User) -> Json:
    channels = [each for each in guild.channels.values() if sees_channel(hub.world, me, each)]
    roles = sorted(guild.roles.values(), key=_by_position)
    return {
        "id": str(guild.id),
        "name": guild.name,
        "owner": str(guild.owner_id),
        "channels": [_channel(each, me) for each in channels],
        "roles": [
            {"id": str(each.id), "name": each.name, "color": each.color} for each in roles if each.id != guild.id
        ],
        "members": [_member(each) for each in guild.members.values()],
    }


def _channel(channel: Channel, me: User) -> Json:
    writes = bool(Actor(me, channel).permissions & Permission.SEND_MESSAGES)
    return {"id": str(channel.id), "name": channel.name, "topic": channel.topic, "writes": writes}


def _member(member: Member) -> Json:
    held = sorted((member.guild.roles[each] for each in member.role_ids), key=_by_position)
    return {
        "id": str(member.user.id),
        "name": member.nick or member.user.name,
        "bot": member.user.bot,
        "roles": [str(each.id) for each in held],
        "top": permissions.top_position(member),
    }


def channels(hub: Hub, me: User) -> list[Channel]:
    """Where the person reads: the channels they see, and their conversation with the bot."""
    return [each for each in hub.world.channels.values() if sees_channel(hub.world, me, each)]


def shown(hub: Hub, me: User, channel: Channel, *, before: int | None = None) -> list[Message]:
    """The latest messages of a channel that the person sees, oldest first."""
    found = [each for key, each in channel.messages.items() if before is None or key < before]
    seen = [each for each in found if sees_message(hub.world, me, each)]
    return sorted(seen, key=lambda each: each.id)[-RECENT_MESSAGES:]


def message(found: Message) -> Json:
    wire = payloads.message(found)
    wire["author"]["name"] = found.author.name
    wire["private"] = found.seen_by is not None
    if "interaction" in wire and found.interaction is not None:
        wire["interaction"]["typed"] = found.interaction["command_type"] == CommandType.CHAT
    if found.interaction is not None and found.interaction["metadata"].get("interacted_message_id"):
        wire["answers"] = found.interaction["metadata"]["interacted_message_id"]
    return wire


def interactions(hub: Hub, me: User) -> list[Interaction]:
    """The person's latest acts towards the bot, without what they merely typed."""
    mine = [each for each in hub.interactions.all if each.actor.user is me and each.kind is not Kind.AUTOCOMPLETE]
    return mine[-RECENT_INTERACTIONS:]


def interaction(found: Interaction) -> Json:
    status = "failed" if found.failed else "waiting" if found.answer is None else "answered"
    return {
        "id": str(found.id),
        "kind": int(found.kind),
        "name": found.name,
        "typed": found.data.get("type") == CommandType.CHAT,
        "custom_id": found.data.get("custom_id"),
        "channel_id": str(found.actor.channel.id),
        "source": str(found.source.id) if found.source else None,
        "status": status,
        "modal": found.modal,
        "at": payloads.moment(found.created_at),
    }


def commands(hub: Hub, who: Actor) -> list[Json]:
    """The commands offered there, in the person's language where the bot speaks it."""
    offered = visible_commands(hub.world, hub.registry, who)
    return [_spoken(each, who.user.locale) for each in offered]


def _spoken(part: Json, locale: str) -> Json:
    kept = {key: value for key, value in part.items() if not key.endswith("_localizations")}
    for key in LOCALIZED:
        kept[f"shown_{key}"] = (part.get(f"{key}_localizations") or {}).get(locale) or part.get(key, "")
    for key in ("options", "choices"):
        if part.get(key):
            kept[key] = [_spoken(each, locale) for each in part[key]]
    return kept
