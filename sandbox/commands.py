"""Application commands: what Discord accepts as a definition, and what is registered where."""

import re
import unicodedata
from enum import IntEnum
from typing import Any

from sandbox import errors, rules
from sandbox.errors import Form, Json
from sandbox.permissions import ALL
from sandbox.world import World


class CommandType(IntEnum):
    """Where a command is found: typed, on a user, on a message."""

    CHAT = 1
    USER = 2
    MESSAGE = 3


class Option(IntEnum):
    """Option types by their documented numbers."""

    SUBCOMMAND = 1
    GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10
    ATTACHMENT = 11


NESTED = frozenset({Option.SUBCOMMAND, Option.GROUP})
WITH_CHOICES = frozenset({Option.STRING, Option.INTEGER, Option.NUMBER})
MAX_OPTIONS = 25
MAX_CHOICES = 25
MAX_SIZE = 8000
MOST = {CommandType.CHAT: 100, CommandType.USER: 15, CommandType.MESSAGE: 15}
SAFE_INTEGER = 2**53
# Scripts whose vowel signs are marks, not letters, and are allowed all the same.
_MARKED_SCRIPTS = re.compile("[\u0900-\u097f\ua8e0-\ua8ff\u0e00-\u0e7f]")


def is_name(name: str) -> bool:
    """Whether it fits Discord's pattern for names of chat input commands and options."""
    fits = all(
        letter in "-_'" or unicodedata.category(letter)[0] in "LN" or _MARKED_SCRIPTS.match(letter) for letter in name
    )
    return bool(name) and fits and name == name.lower()


def check_command(form: Form, body: Json) -> Json:
    """Check a whole definition; give it with its defaults filled in."""
    kind = rules.one_of(form, body, "type", set(CommandType), needed=False) or CommandType.CHAT
    if kind == CommandType.CHAT:
        _check_name(form, body)
        _check_described(form, body)
        _check_options(form, body, {*Option}, depth=0)
        if _size(body) > MAX_SIZE:
            form.add("APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({MAX_SIZE})")
    else:
        rules.text(form, body, "name", least=1, most=32, needed=True)
        if body.get("description"):
            form.at("description").add(
                "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_CONTEXT_MENU",
                "Context menu commands cannot have description",
            )
    _check_access(form, body)
    return _complete(body, kind)


def _check_access(form: Form, body: Json) -> None:
    needed = body.get("default_member_permissions")
    if needed is not None and not (str(needed).isdigit() and int(needed) <= ALL):
        form.at("default_member_permissions").add("BITFIELD_PARSE_INVALID", "Invalid permission bitfield")
    for key, allowed in (("contexts", {0, 1, 2}), ("integration_types", {0, 1})):
        values = body.get(key)
        if values is not None and not (isinstance(values, list) and set(values) <= allowed):
            form.at(key).add("BASE_TYPE_CHOICES", f"Values must be of {sorted(allowed)}.")


def _complete(body: Json, kind: int) -> Json:
    keys = ("name_localizations", "description_localizations", "contexts", "nsfw")
    needed = body.get("default_member_permissions")
    return {
        **{key: body.get(key) for key in keys},
        "type": int(kind),
        "name": body.get("name"),
        "description": body.get("description") or "",
        "options": body.get("options") or [],
        "default_member_permissions": None if needed is None else str(needed),
        "dm_permission": body.get("dm_permission", True) is not False,
        "integration_types": body.get("integration_types") or [0],
        "nsfw": bool(body.get("nsfw")),
    }


def _check_name(form: Form, body: Json) -> None:
    name = rules.text(form, body, "name", least=1, most=32, needed=True)
    if name and not is_name(name):
        form.at("name").add("APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    for locale, other in _translations(form, body, "name_localizations").items():
        if not isinstance(other, str) or not 1 <= len(other) <= 32 or not is_name(other):  # noqa: PLR2004 - the limit above
            form.at("name_localizations", locale).add("APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_described(form: Form, body: Json) -> None:
    rules.text(form, body, "description", least=1, most=100, needed=True)
    for locale, other in _translations(form, body, "description_localizations").items():
        rules.text(form.at("description_localizations"), {locale: other}, locale, least=1, most=100)


def _translations(form: Form, body: Json, key: str) -> Json:
    found = body.get(key) or {}
    for locale in found:
        if locale not in rules.LOCALES:
            form.at(key, locale).add("DICT_TYPE_INVALID_KEY", f"{locale!r} is no locale of Discord's")
    return {locale: value for locale, value in found.items() if value is not None}


def _check_options(form: Form, body: Json, allowed: set[Option], *, depth: int) -> None:
    options = rules.rows(form, body, "options", most=MAX_OPTIONS)
    names = [option.get("name") for option in options]
    optional_seen = False
    for index, option in enumerate(options):
        at = form.at("options", index)
        _check_option(at, option, allowed, depth=depth)
        if names.index(option.get("name")) != index:
            at.at("name").add("APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists")
        if option.get("required") and optional_seen:
            at.add(
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional_seen = optional_seen or not option.get("required")
    kinds = {option.get("type") in NESTED for option in options}
    if len(kinds) > 1:
        form.at("options").add(
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            "Sub-command and sub-command group option types are mutually exclusive to all other types",
        )


def _check_option(form: Form, option: Json, allowed: set[Option], *, depth: int) -> None:
    _check_name(form, option)
    _check_described(form, option)
    kind = rules.one_of(form, option, "type", allowed)
    if kind == Option.GROUP:
        _check_options(form, option, {Option.SUBCOMMAND}, depth=depth + 1)
    elif kind == Option.SUBCOMMAND:
        _check_options(form, option, set(Option) - NESTED, depth=depth + 1)
    elif kind is not None:
        _check_choices(form, option, Option(kind))
        _check_bounds(form, option, Option(kind))


def _check_choices(form: Form, option: Json, kind: Option) -> None:
    choices = check_choices(form, option, kind)
    if (choices or option.get("autocomplete")) and kind not in WITH_CHOICES:
        form.add("APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID", "Options of this type take no choices")
    if choices and option.get("autocomplete"):
        form.add("APPLICATION_COMMAND_AUTOCOMPLETE_WITH_CHOICES", "Autocomplete and choices exclude each other")
    values = [choice.get("name") for choice in choices]
    if len(set(values)) < len(values):
        form.at("choices").add(
            "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS", "Option choice name already exists"
        )


def check_choices(form: Form, body: Json, kind: Option) -> list[Json]:
    """Check choices, of a definition or of an autocomplete answer, against the option's type."""
    choices = rules.rows(form, body, "choices", most=MAX_CHOICES)
    for index, choice in enumerate(choices):
        at = form.at("choices", index)
        rules.text(at, choice, "name", least=1, most=100, needed=True)
        value: Any = choice.get("value")
        if kind == Option.STRING:
            rules.text(at, choice, "value", least=1, most=100, needed=True)
        elif kind == Option.INTEGER:
            rules.integer(at, choice, "value", least=-SAFE_INTEGER, most=SAFE_INTEGER, needed=True)
        elif not rules.is_number(value):
            at.at("value").add("NUMBER_TYPE_COERCE", f'Value "{value}" is not double.')
    return choices


def _check_bounds(form: Form, option: Json, kind: Option) -> None:
    numeric = kind in {Option.INTEGER, Option.NUMBER}
    for key in ("min_value", "max_value"):
        value = option.get(key)
        if value is not None and not (numeric and rules.is_number(value) and abs(value) <= SAFE_INTEGER):
            form.at(key).add("APPLICATION_COMMAND_OPTION_BOUND_INVALID", "This bound does not fit the option")
    for key in ("min_length", "max_length"):
        if option.get(key) is not None and kind != Option.STRING:
            form.at(key).add("APPLICATION_COMMAND_OPTION_BOUND_INVALID", "Only strings have a length")
    rules.integer(form, option, "min_length", least=0, most=6000)
    rules.integer(form, option, "max_length", least=1, most=6000)


def _size(body: Json) -> int:
    size = sum(_longest(body, key) for key in ("name", "description"))
    for choice in body.get("choices") or []:
        size += _longest(choice, "name") + (len(choice["value"]) if isinstance(choice.get("value"), str) else 0)
    return size + sum(_size(option) for option in body.get("options") or [] if isinstance(option, dict))


def _longest(body: Json, key: str) -> int:
    values = [body.get(key), *(body.get(f"{key}_localizations") or {}).values()]
    return max((len(value) for value in values if isinstance(value, str)), default=0)


class Registry:
    """The commands registered for the application: globally (scope None) and per guild."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._scopes: dict[int | None, dict[int, Json]] = {}

    def all(self, scope: int | None) -> list[Json]:
        return list(self._scopes.get(scope, {}).values())

    def get(self, scope: int | None, command_id: int) -> Json:
        found = self._scopes.get(scope, {}).get(command_id)
        if found is None:
            raise errors.UNKNOWN_COMMAND.error()
        return found

    def create(self, scope: int | None, body: Json) -> tuple[Json, bool]:
        """Register a command, over one of the same name and type if there is; tell whether it is new."""
        form = Form()
        checked = check_command(form, body)
        form.check()
        new = self._named(scope, checked) is None
        if new and self._count(scope, checked["type"]) >= MOST[CommandType(checked["type"])]:
            raise errors.TOO_MANY_COMMANDS.error()
        return self._keep(scope, checked), new

    def edit(self, scope: int | None, command_id: int, body: Json) -> Json:
        current = self.get(scope, command_id)
        form = Form()
        checked = check_command(form, {**current, **body, "type": current["type"]})
        form.check()
        changed = {**checked, **_identity(current), "version": str(self._world.new_id())}
        self._scopes[scope][command_id] = changed
        return changed

    def delete(self, scope: int | None, command_id: int) -> None:
        self.get(scope, command_id)
        del self._scopes[scope][command_id]

    def overwrite(self, scope: int | None, bodies: list[Json]) -> list[Json]:
        """Replace everything in the scope; a command that stays keeps its id."""
        form = Form()
        checked = [check_command(form.at(index), body) for index, body in enumerate(bodies)]
        seen = [(each["name"], each["type"]) for each in checked]
        for index, key in enumerate(seen):
            if seen.index(key) != index:
                form.at(index).add("APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        form.check()
        if any(sum(each[1] == kind for each in seen) > most for kind, most in MOST.items()):
            raise errors.TOO_MANY_COMMANDS.error()
        kept = [self._keep(scope, each) for each in checked]
        self._scopes[scope] = {int(each["id"]): each for each in kept}
        return kept

    def _count(self, scope: int | None, kind: int) -> int:
        return sum(each["type"] == kind for each in self.all(scope))

    def _named(self, scope: int | None, body: Json) -> Json | None:
        same = (each for each in self.all(scope) if (each["name"], each["type"]) == (body["name"], body["type"]))
        return next(same, None)

    def _keep(self, scope: int | None, checked: Json) -> Json:
        current = self._named(scope, checked)
        if current is not None and {**current, **checked} == current:
            return current
        identity = _identity(current) if current else self._new_identity(scope)
        command = {**checked, **identity, "version": str(self._world.new_id())}
        self._scopes.setdefault(scope, {})[int(command["id"])] = command
        self._world.signal.notify()
        return command

    def _new_identity(self, scope: int | None) -> Json:
        identity = {"id": str(self._world.new_id()), "application_id": str(self._world.application_id)}
        return identity if scope is None else {**identity, "guild_id": str(scope)}


def _identity(command: Json) -> Json:
    return {key: command[key] for key in ("id", "application_id", "guild_id") if key in command}
