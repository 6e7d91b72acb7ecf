"""Messages: what Discord accepts in one, and posting, editing and deleting them."""

import re
import time
from dataclasses import dataclass, field, replace

from sandbox import errors, payloads, permissions, rules
from sandbox.components import Kind, check_message, number, walk
from sandbox.embeds import check_embeds
from sandbox.errors import Form, Json
from sandbox.model import Attachment, Channel, Message, MessageFlag, User
from sandbox.permissions import Permission
from sandbox.world import World

MAX_CONTENT = 2000
MAX_FILES = 10
MAX_MENTIONS = 100
MAX_NONCE = 25
SETTABLE = (
    MessageFlag.SUPPRESS_EMBEDS
    | MessageFlag.EPHEMERAL
    | MessageFlag.SUPPRESS_NOTIFICATIONS
    | MessageFlag.COMPONENTS_V2
)
LEGACY = ("content", "embeds", "poll", "sticker_ids")
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")


@dataclass(frozen=True)
class Upload:
    """A file on its way in."""

    filename: str
    data: bytes
    content_type: str | None = None


@dataclass(frozen=True)
class Body:
    """What a request brought: its JSON and the files beside it, by the number in `files[n]`."""

    json: Json
    files: dict[int, Upload] = field(default_factory=dict)
    path: tuple[str, ...] = ()  # where in the request this part stood, for faults

    def inner(self, key: str) -> "Body":
        """The part of the JSON under a key, with the same files."""
        found = self.json.get(key)
        return replace(self, json=found if isinstance(found, dict) else {}, path=(*self.path, key))


def post(
    world: World,
    channel: Channel,
    body: Body,
    *,
    author: User,
    seen_by: int | None = None,
    interaction: Json | None = None,
) -> Message:
    """Put a new message into the channel; `seen_by` makes it ephemeral."""
    message = Message(world.new_id(), channel, author, world.clock(), seen_by=seen_by, interaction=interaction)
    if seen_by is not None:
        message.flags |= MessageFlag.EPHEMERAL
    message.reference = _referenced(channel, body.json)
    _write(world, message, body)
    return publish(world, message)


def publish(world: World, message: Message) -> Message:
    """Make a finished message appear."""
    message.channel.messages[message.id] = message
    _tell(world, message, "MESSAGE_CREATE", payloads.dispatched_message(message))
    return message


def edit(world: World, message: Message, body: Body) -> Message:
    """Change a message; fields that the body does not name stay."""
    _write(world, message, body)
    if message.has(MessageFlag.LOADING):
        message.flags &= ~MessageFlag.LOADING
    else:
        message.edited_at = world.clock()
    message.revision, message.changed_at = message.revision + 1, time.monotonic()
    _tell(world, message, "MESSAGE_UPDATE", payloads.dispatched_message(message))
    return message


def delete(world: World, message: Message) -> None:
    message.deleted = True
    message.channel.messages.pop(message.id, None)
    gone = {"id": str(message.id), "channel_id": str(message.channel.id)}
    if message.channel.guild is not None and not message.has(MessageFlag.EPHEMERAL):
        gone["guild_id"] = str(message.channel.guild.id)
    _tell(world, message, "MESSAGE_DELETE", gone)


def _tell(world: World, message: Message, event: str, data: Json) -> None:
    """Let the bot hear of it, if the message is its own private one or in a channel it sees."""
    guild, private = message.channel.guild, message.has(MessageFlag.EPHEMERAL)
    me = guild.members.get(world.bot.id) if guild else None
    sees = me is not None and bool(permissions.in_channel(me, message.channel) & Permission.VIEW_CHANNEL)
    if guild is None or private or sees:
        world.emit(event, data)
    world.signal.notify()


def _referenced(channel: Channel, body: Json) -> Message | None:
    reference = body.get("message_reference")
    if not isinstance(reference, dict):
        return None
    found = channel.messages.get(int(reference.get("message_id", 0)))
    if found is None and reference.get("fail_if_not_exists", True):
        raise errors.invalid_form("REPLIES_UNKNOWN_MESSAGE", "Unknown message", "message_reference")
    return found


def _write(world: World, message: Message, body: Body) -> None:
    form, given = Form(body.path), body.json
    layout = _check_flags(form, message, given)
    content = rules.text(form, given, "content", most=MAX_CONTENT) or ""
    if not rules.is_integer(given.get("nonce")):
        rules.text(form, given, "nonce", most=MAX_NONCE)
    embeds = check_embeds(form, given)
    components = message.components
    if "components" in given or (layout and not message.components):
        components = check_message(form, given, layout=layout)
    _check_files(form, given, body.files)
    _check_mentions(form, given)
    if layout:
        _check_layout(form, message, given)
    form.check()
    attachments = _attachments(world, message, body)
    components = number(_with_media(components, attachments))
    alone = bool(attachments or components)
    _fill(message, given, content=content, embeds=_with_images(embeds, attachments), alone=alone)
    message.components, message.attachments = components, attachments
    message.flags |= MessageFlag.COMPONENTS_V2 if layout else 0
    _ping(world, message, given)


def _fill(message: Message, given: Json, *, content: str, embeds: list[Json], alone: bool) -> None:
    now_content = content.strip() if "content" in given else message.content
    now_embeds = embeds if "embeds" in given else message.embeds
    if not (now_content or now_embeds or alone or given.get("poll")):
        raise errors.EMPTY_MESSAGE.error()
    message.content, message.embeds = now_content, now_embeds
    message.tts = bool(given.get("tts"))
    message.nonce = given.get("nonce", message.nonce)
    if given.get("flags"):
        message.flags |= given["flags"] & SETTABLE & ~MessageFlag.EPHEMERAL


def _check_flags(form: Form, message: Message, given: Json) -> bool:
    flags = rules.integer(form, given, "flags", least=0, most=2**31 - 1) or 0
    return bool((flags | message.flags) & MessageFlag.COMPONENTS_V2)


def _check_layout(form: Form, message: Message, given: Json) -> None:
    kept = {"content": message.content, "embeds": message.embeds}
    for key in LEGACY:
        if given.get(key) or (key not in given and kept.get(key)):
            form.at(key).add(
                "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
            )


def _check_mentions(form: Form, given: Json) -> None:
    allowed = given.get("allowed_mentions")
    if not isinstance(allowed, dict):
        return
    rules.words(form.at("allowed_mentions"), allowed, "parse", {"users", "roles", "everyone"})
    for key in ("users", "roles"):
        if allowed.get(key) and key in (allowed.get("parse") or []):
            form.at("allowed_mentions").add(
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{key}"] and {key}: [ids...] are mutually exclusive',
            )
        if len(allowed.get(key) or []) > MAX_MENTIONS:
            form.at("allowed_mentions", key).add(
                "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_MENTIONS} or fewer in length."
            )


def _check_files(form: Form, given: Json, files: dict[int, Upload]) -> None:
    rules.rows(form, given, "attachments", most=MAX_FILES)
    if len(files) > MAX_FILES:
        form.at("files").add("BASE_TYPE_MAX_LENGTH", f"Must be {MAX_FILES} or fewer in length.")
    if sum(len(upload.data) for upload in files.values()) > payloads.ATTACHMENT_LIMIT:
        raise errors.REQUEST_TOO_LARGE.error()


def _attachments(world: World, message: Message, body: Body) -> list[Attachment]:
    """What hangs on the message from now on: what the body keeps of the old, and what was uploaded."""
    listed = body.json.get("attachments")
    named = {str(each.get("id")): each for each in listed or []}
    kept = [each for each in message.attachments if listed is None or str(each.id) in named]
    for index, upload in sorted(body.files.items()):
        about = named.get(str(index), {})
        filename = about.get("filename") or upload.filename
        added = world.add_file(message.channel.id, filename, upload.data, upload.content_type)
        added.description = about.get("description")
        kept.append(added)
    return kept


def _with_media(components: list[Json], attachments: list[Attachment]) -> list[Json]:
    for component in walk(components):
        items = component.get("items") if component["type"] == Kind.GALLERY else [component]
        for item in items or []:
            for key in ("media", "file"):
                if isinstance(item.get(key), dict):
                    item[key] = _media(item[key], attachments)
        if component["type"] == Kind.FILE:
            found = [each for each in attachments if each.url == component["file"]["url"]]
            component.update({"name": found[0].filename, "size": len(found[0].data)} if found else {})
    return components


def _media(media: Json, attachments: list[Attachment]) -> Json:
    url = _resolve(media["url"], attachments)
    found = next((each for each in attachments if each.url == url), None)
    known = {"attachment_id": str(found.id), "content_type": found.content_type} if found else {}
    return {"url": url, "proxy_url": url, "width": None, "height": None, "loading_state": 2, "flags": 0, **known}


def _with_images(embeds: list[Json], attachments: list[Attachment]) -> list[Json]:
    for embed in embeds:
        for key in ("image", "thumbnail"):
            if isinstance(embed.get(key), dict) and embed[key].get("url"):
                embed[key] = {"url": _resolve(embed[key]["url"], attachments)}
    return embeds


def _resolve(url: str, attachments: list[Attachment]) -> str:
    if not url.startswith("attachment://"):
        return url
    name = url.removeprefix("attachment://")
    for each in attachments:
        if each.filename == name:
            return each.url
    raise errors.invalid_form(
        "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
        f"The referenced attachment '{name}' was not found",
        "components",
    )


def _ping(world: World, message: Message, given: Json) -> None:
    """Work out whom the message notifies, by its words and the allowed mentions."""
    if "allowed_mentions" in given:
        message.allowed_mentions = given["allowed_mentions"]
    allowed = message.allowed_mentions
    words = "\n".join([message.content, *(each.get("content", "") for each in walk(message.components))])
    users = {int(found) for found in _USER.findall(words)}
    roles = {int(found) for found in _ROLE.findall(words)}
    everyone = "@everyone" in words or "@here" in words
    if isinstance(allowed, dict):
        parse = allowed.get("parse") or []
        users = users if "users" in parse else users & set(map(int, allowed.get("users") or []))
        roles = roles if "roles" in parse else roles & set(map(int, allowed.get("roles") or []))
        everyone = everyone and "everyone" in parse
    message.pinged_users = [world.users[each] for each in sorted(users) if each in world.users]
    message.pinged_roles = sorted(roles)
    message.pinged_everyone = everyone
