"""What a person can do in Discord's client: type a command, press, choose, submit, write."""

from typing import Any

from sandbox import messages, payloads
from sandbox.access import Actor, require_presence, sees_message, visible_commands
from sandbox.commands import CommandType, Registry
from sandbox.components import SELECTS, Style, bounds, walk
from sandbox.components import Kind as Component
from sandbox.errors import ApiError, DriverError, Json
from sandbox.interaction import Interaction, Kind
from sandbox.interactions import Interactions
from sandbox.messages import Body, Upload
from sandbox.modals import filled, uploads
from sandbox.model import Message
from sandbox.options import Resolved, descend, given_values, is_snowflake, nest
from sandbox.permissions import Permission
from sandbox.world import World


class People:
    """Every act of a person, each refused where Discord's client would not offer it."""

    def __init__(self, world: World, registry: Registry, interactions: Interactions) -> None:
        self._world = world
        self._registry = registry
        self._interactions = interactions

    def commands(self, actor: Actor) -> list[Json]:
        return visible_commands(self._world, self._registry, actor)

    def slash(self, actor: Actor, path: str, given: dict[str, Any]) -> Interaction:
        """Send a chat input command, `path` being its name and subcommands."""
        command, passed, options = self._pick(actor, path)
        resolved = Resolved(self._world, actor)
        values = nest(passed, given_values(resolved, options, given, partly=False))
        data = self._command_data(command, options=values, resolved=resolved)
        return self._interactions.open(Kind.COMMAND, actor, data, name=path)

    def complete(self, actor: Actor, path: str, focused: str, typed: str, given: dict[str, Any]) -> Interaction:
        """Type into an option with autocomplete, other options having been given or not."""
        command, passed, options = self._pick(actor, path)
        option = next((each for each in options if each["name"] == focused), None)
        if option is None or not option.get("autocomplete"):
            raise DriverError(f"/{path} has no option {focused!r} with autocomplete.")
        resolved = Resolved(self._world, actor)
        values = given_values(resolved, options, given, partly=True)
        values.append({"name": focused, "type": option["type"], "value": typed, "focused": True})
        data = self._command_data(command, options=nest(passed, values), resolved=resolved)
        return self._interactions.open(Kind.AUTOCOMPLETE, actor, data, name=path)

    def context_menu(self, actor: Actor, name: str, target: int) -> Interaction:
        """Use a command from the menu of a user, or of a message in the actor's channel."""
        require_presence(actor)
        message = actor.channel.messages.get(target)
        kind = CommandType.USER if message is None else CommandType.MESSAGE
        found = [each for each in self.commands(actor) if each["type"] == kind and each["name"] == name]
        if not found:
            raise DriverError(f"{actor.user.name} sees no {name!r} in that menu.")
        resolved = Resolved(self._world, actor)
        target_id = resolved.message(payloads.message(message)) if message else resolved.user(target)
        data = self._command_data(found[0], resolved=resolved) | {"target_id": target_id}
        return self._interactions.open(Kind.COMMAND, actor, data, name=name)

    def press(self, actor: Actor, message: Message, custom_id: str) -> Interaction:
        """Press a button."""
        button = self._usable(actor, message, custom_id, {Component.BUTTON})
        if button["style"] >= Style.LINK:
            raise DriverError(f"{button.get('label')!r} is a link to {button.get('url')}.")
        return self._component(actor, message, button)

    def choose(self, actor: Actor, message: Message, custom_id: str, values: list[str]) -> Interaction:
        """Choose in a select menu: values of its options, or ids of users, roles or channels."""
        select = self._usable(actor, message, custom_id, SELECTS)
        least, most = bounds(select)
        if not least <= len(values) <= most:
            raise DriverError(f"The menu takes {least} to {most} choices, not {len(values)}.")
        resolved = Resolved(self._world, actor)
        chosen = [_chosen(resolved, select, value) for value in values]
        named = {} if select["type"] == Component.STRING_SELECT else {"resolved": resolved.found}
        return self._component(actor, message, select, values=chosen, **named)

    def submit(self, actor: Actor, opened_by: Interaction, given: dict[str, Any]) -> Interaction:
        """Fill in and send the modal that an interaction opened; values by custom id."""
        modal = opened_by.modal
        if modal is None or opened_by.actor.user is not actor.user:
            raise DriverError(f"No modal is open before {actor.user.name}.")
        resolved = Resolved(self._world, actor)
        for custom_id in uploads(modal) & set(given):
            files = given[custom_id] if isinstance(given[custom_id], list | tuple) else [given[custom_id]]
            if not all(isinstance(each, Upload) for each in files):
                raise DriverError("A file field takes files.")
            given = {**given, custom_id: [resolved.attachment(each) for each in files]}
        _name_chosen(resolved, modal, given)
        data = {"custom_id": modal["custom_id"], "components": filled(modal, given), "resolved": resolved.found}
        sent = self._interactions.open(
            Kind.MODAL, actor, data, source=opened_by.source, seen_since=opened_by.answered_at
        )
        sent.opened_by, sent.form, opened_by.modal = opened_by, modal, modal if sent.failed else None
        return sent

    def say(self, actor: Actor, words: str, uploads: list[Upload] | None = None) -> Message:
        """Write a message."""
        require_presence(actor)
        if not actor.permissions & Permission.SEND_MESSAGES:
            raise DriverError(f"{actor.user.name} cannot write in #{actor.channel.name}.")
        body = Body({"content": words}, dict(enumerate(uploads or [])))
        try:
            return messages.post(self._world, actor.channel, body, author=actor.user)
        except ApiError as error:
            raise DriverError(f"That cannot be written: {error.body()}") from error

    def _pick(self, actor: Actor, path: str) -> tuple[Json, list[Json], list[Json]]:
        require_presence(actor)
        name, *words = path.removeprefix("/").split()
        offered = [each for each in self.commands(actor) if each["type"] == CommandType.CHAT]
        found = [each for each in offered if each["name"] == name]
        if not found:
            names = sorted(each["name"] for each in offered)
            raise DriverError(f"{actor.user.name} sees no command /{name} here, only {names}.")
        return (found[0], *descend(found[0], words))

    @staticmethod
    def _command_data(command: Json, *, resolved: Resolved, options: list[Json] | None = None) -> Json:
        data: Json = {key: command[key] for key in ("id", "name", "type", "guild_id") if key in command}
        if options:
            data["options"] = options
        if resolved.found:
            data["resolved"] = resolved.found
        return data

    def _usable(self, actor: Actor, message: Message, custom_id: str, kinds: Any) -> Json:
        require_presence(actor)
        if not sees_message(self._world, actor.user, message):
            raise DriverError(f"{actor.user.name} does not see that message.")
        for component in walk(message.components):
            if component["type"] in kinds and component.get("custom_id") == custom_id:
                if component.get("disabled"):
                    raise DriverError(f"{component.get('label') or custom_id!r} is disabled.")
                return component
        raise DriverError(f"The message has nothing called {custom_id!r} to press or choose from.")

    def _component(self, actor: Actor, message: Message, component: Json, **more: Any) -> Interaction:
        data = {
            "custom_id": component["custom_id"],
            "component_type": component["type"],
            "id": component["id"],
            **more,
        }
        return self._interactions.open(Kind.COMPONENT, actor, data, source=message, seen_since=message.changed_at)


def _name_chosen(resolved: Resolved, modal: Json, given: dict[str, Any]) -> None:
    """Bring along whoever and whatever was chosen in a form's menus of people, roles and channels."""
    for menu in walk(modal["components"]):
        if menu["type"] in _RESOLVE:
            values = given.get(menu.get("custom_id", ""))
            for value in values if isinstance(values, list | tuple) else [] if values is None else [values]:
                _RESOLVE[menu["type"]](resolved, _id(value))


def _id(value: Any) -> int:
    if not is_snowflake(str(value)):
        raise DriverError(f"{value!r} is nobody and nothing that could be chosen.")
    return int(value)


def _chosen(resolved: Resolved, select: Json, value: str) -> str:
    if select["type"] != Component.STRING_SELECT:
        return str(_RESOLVE[select["type"]](resolved, _id(value)))
    values = [option["value"] for option in select["options"]]
    if value not in values:
        raise DriverError(f"The menu has no option {value!r}; it has {values}.")
    return value


_RESOLVE: dict[int, Any] = {
    Component.USER_SELECT: Resolved.user,
    Component.ROLE_SELECT: Resolved.role,
    Component.MENTIONABLE_SELECT: Resolved.mentionable,
    Component.CHANNEL_SELECT: Resolved.channel,
}
