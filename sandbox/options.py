"""Turning what a person types into an option into what Discord sends, as the definition asks."""

from typing import Any

from sandbox import payloads
from sandbox.access import Actor, sees_channel
from sandbox.commands import NESTED, SAFE_INTEGER, Option
from sandbox.errors import DriverError, Json
from sandbox.messages import Upload
from sandbox.rules import is_integer, is_number
from sandbox.world import World

MAX_TYPED = 6000
LONGEST_ID = 20


class Resolved:
    """Collects the things an interaction names by id, in full."""

    def __init__(self, world: World, actor: Actor) -> None:
        self._world = world
        self._actor = actor
        self.found: Json = {}

    def user(self, user_id: int) -> str:
        user = self._world.users.get(user_id)
        if user is None:
            raise DriverError(f"There is no user {user_id}.")
        self._add("users", user_id, payloads.user(user))
        member = self._actor.guild.members.get(user_id) if self._actor.guild else None
        if member is not None:
            seen = payloads.invoker(member, self._actor.channel)
            self._add("members", user_id, {key: seen[key] for key in seen if key not in {"user", "deaf", "mute"}})
        return str(user_id)

    def role(self, role_id: int) -> str:
        role = self._actor.guild.roles.get(role_id) if self._actor.guild else None
        if role is None:
            raise DriverError(f"There is no role {role_id} here.")
        self._add("roles", role_id, payloads.role(role))
        return str(role_id)

    def channel(self, channel_id: int, kinds: list[int] | None = None) -> str:
        channel = self._actor.guild.channels.get(channel_id) if self._actor.guild else None
        if channel is None or not sees_channel(self._world, self._actor.user, channel):
            raise DriverError(f"{self._actor.user.name} sees no channel {channel_id} here.")
        if kinds and channel.type not in kinds:
            raise DriverError(f"#{channel.name} is no channel of the kind that is asked for.")
        if self._actor.member is not None:
            self._add("channels", channel_id, payloads.resolved_channel(channel, self._actor.member))
        return str(channel_id)

    def mentionable(self, target_id: int) -> str:
        roles = self._actor.guild.roles if self._actor.guild else {}
        return self.role(target_id) if target_id in roles else self.user(target_id)

    def attachment(self, upload: Upload) -> str:
        added = self._world.add_file(self._actor.channel.id, upload.filename, upload.data, upload.content_type)
        self._add("attachments", added.id, {**payloads.attachment(added), "ephemeral": True})
        return str(added.id)

    def message(self, found: Json) -> str:
        self._add("messages", int(found["id"]), found)
        return str(found["id"])

    def _add(self, kind: str, key: int, wire: Json) -> None:
        self.found.setdefault(kind, {})[str(key)] = wire


def is_snowflake(value: str) -> bool:
    """Whether a text could be an id: digits, as many as 64 bits need."""
    return value.isascii() and value.isdigit() and len(value) <= LONGEST_ID


def descend(command: Json, words: list[str]) -> tuple[list[Json], list[Json]]:
    """Follow the words behind a command's name; give the subcommands passed and the options at the end."""
    passed: list[Json] = []
    options = command["options"]
    for word in words:
        following = [each for each in options if each["name"] == word and each["type"] in NESTED]
        if not following:
            names = [each["name"] for each in options if each["type"] in NESTED]
            raise DriverError(f"/{command['name']} has no subcommand {word!r}; it has {names}.")
        passed.append(following[0])
        options = following[0].get("options") or []
    if any(each["type"] in NESTED for each in options):
        names = [each["name"] for each in options]
        raise DriverError(f"/{command['name']} {' '.join(words)} goes on with one of {names}.")
    return passed, options


def nest(passed: list[Json], values: list[Json]) -> list[Json]:
    """Wrap option values into the subcommands that lead to them."""
    for each in reversed(passed):
        values = [{"type": each["type"], "name": each["name"], "options": values}]
    return values


def given_values(resolved: Resolved, options: list[Json], given: dict[str, Any], *, partly: bool) -> list[Json]:
    """The values as Discord sends them; `partly` is for autocomplete, where nothing is required yet."""
    known = {each["name"] for each in options}
    for name in given:
        if name not in known:
            raise DriverError(f"There is no option {name!r}; there are {sorted(known)}.")
    found = []
    for option in options:
        value = given.get(option["name"])
        if value is not None:
            wire = _value(resolved, option, value)
            found.append({"name": option["name"], "type": option["type"], "value": wire})
        elif option.get("required") and not partly:
            raise DriverError(f"The option {option['name']!r} is required.")
    return found


def _value(resolved: Resolved, option: Json, value: Any) -> Any:
    kind = Option(option["type"])
    if option.get("choices"):
        return _choice(option, value)
    if kind is Option.STRING:
        return _typed(option, value)
    if kind in {Option.INTEGER, Option.NUMBER}:
        return _number(option, value)
    if kind is Option.BOOLEAN:
        if not isinstance(value, bool):
            raise DriverError(f"{option['name']!r} takes True or False, not {value!r}.")
        return value
    if kind is Option.ATTACHMENT:
        if not isinstance(value, Upload):
            raise DriverError(f"{option['name']!r} takes a file, not {value!r}.")
        return resolved.attachment(value)
    return _named(resolved, option, value)


def _named(resolved: Resolved, option: Json, value: Any) -> str:
    if not (is_integer(value) or (isinstance(value, str) and is_snowflake(value))):
        raise DriverError(f"{option['name']!r} takes somebody or something of the guild, not {value!r}.")
    target = int(value)
    if option["type"] == Option.USER:
        return resolved.user(target)
    if option["type"] == Option.ROLE:
        return resolved.role(target)
    if option["type"] == Option.CHANNEL:
        return resolved.channel(target, option.get("channel_types"))
    return resolved.mentionable(target)


def _choice(option: Json, value: Any) -> Any:
    for choice in option["choices"]:
        if value in (choice["name"], choice["value"]):
            return choice["value"]
    names = [choice["name"] for choice in option["choices"]]
    raise DriverError(f"{option['name']!r} has no choice {value!r}; it has {names}.")


def _typed(option: Json, value: Any) -> str:
    if not isinstance(value, str):
        raise DriverError(f"{option['name']!r} takes text, not {value!r}.")
    # Discord's client takes no line breaks in an option; pasted ones become spaces.
    typed = " ".join(value.splitlines())
    least, most = option.get("min_length") or 0, option.get("max_length") or MAX_TYPED
    if not least <= len(typed) <= most:
        raise DriverError(f"{option['name']!r} takes {least} to {most} characters, not {len(typed)}.")
    return typed


def _number(option: Json, value: Any) -> Any:
    fits = is_integer(value) if option["type"] == Option.INTEGER else is_number(value)
    if not fits or abs(value) > SAFE_INTEGER:
        raise DriverError(f"{option['name']!r} takes a number, not {value!r}.")
    least, most = option.get("min_value"), option.get("max_value")
    if (least is not None and value < least) or (most is not None and value > most):
        raise DriverError(f"{option['name']!r} takes a number from {least} to {most}, not {value}.")
    return value
