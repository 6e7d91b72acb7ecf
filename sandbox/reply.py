"""What a person sees of the bot's answers, and what they can do with it: read, press, choose, submit."""

from collections.abc import Callable
from typing import Any, Protocol

from sandbox import seen
from sandbox.access import Actor, sees_message
from sandbox.errors import DriverError, Json
from sandbox.hub import PATIENCE, Hub
from sandbox.interaction import ON_SOURCE, POSTED, Answer, Interaction
from sandbox.messages import Upload
from sandbox.model import Message, MessageFlag, User
from sandbox.seen import Button, Modal, Select, message_text, plain


class Person(Protocol):
    """Whoever acts: anything with a user."""

    @property
    def user(self) -> User: ...


class Surface:
    """Some messages before a person's eyes; they stay live as the bot edits them."""

    def __init__(self, hub: Hub, viewer: User | None) -> None:
        self._hub = hub
        self._viewer = viewer

    def _found(self) -> list[Message]:
        raise NotImplementedError

    @property
    def messages(self) -> list[Message]:
        """The messages that are there now and visible to the person."""
        return [each for each in self._found() if not each.deleted and self._visible(each)]

    def _visible(self, message: Message) -> bool:
        return self._viewer is None or message.seen_by in {None, self._viewer.id}

    @property
    def message(self) -> Message | None:
        """The latest of the messages."""
        return self.messages[-1] if self.messages else None

    @property
    def text(self) -> str:
        return "\n".join(map(message_text, self.messages))

    @property
    def content(self) -> str:
        return self.message.content if self.message else ""

    @property
    def embeds(self) -> list[Json]:
        return [embed for message in self.messages for embed in message.embeds]

    @property
    def components(self) -> list[Json]:
        return [component for message in self.messages for component in message.components]

    @property
    def ephemeral(self) -> bool:
        """Whether nobody else sees any of it."""
        return bool(self.messages) and all(each.has(MessageFlag.EPHEMERAL) for each in self.messages)

    @property
    def pings(self) -> list[str]:
        """The names of those whom the messages notify."""
        return [user.name for message in self.messages for user in message.pinged_users]

    @property
    def files(self) -> dict[str, bytes]:
        return {each.filename: each.data for message in self.messages for each in message.attachments}

    @property
    def buttons(self) -> list[Button]:
        return seen.buttons(self.messages)

    @property
    def selects(self) -> list[Select]:
        return seen.selects(self.messages)

    def button(self, what: str) -> Button:
        """Find a button by label or custom id; the latest message counts first."""
        found: Button = _one(self.buttons, what, lambda each: (each.label, each.custom_id))
        return found

    async def click(self, what: str, *, by: Person | None = None) -> "Reply":
        """Press a button, by its label or custom id; `by` another person who sees it too."""
        found = self.button(what)
        if found.url:
            raise DriverError(f"{what!r} is a link to {found.url}.")
        actor = self._actor(found.message, by)
        interaction = self._hub.people.press(actor, found.message, found.custom_id or "")
        return await Reply(self._hub, interaction).settled()

    async def select(self, what: str, *values: Any, by: Person | None = None) -> "Reply":
        """Choose option labels or values, or people, roles, channels; the menu by placeholder or custom id."""
        found = _one(self.selects, what, lambda each: (each.placeholder, each.custom_id))
        actor = self._actor(found.message, by)
        chosen = [found.options.get(value, str(plain(value))) for value in values]
        interaction = self._hub.people.choose(actor, found.message, found.custom_id, chosen)
        return await Reply(self._hub, interaction).settled()

    def _actor(self, message: Message, by: Person | None) -> Actor:
        user = by.user if by else self._viewer
        if user is None:
            raise DriverError("Say by= whom.")
        if not sees_message(self._hub.world, user, message):
            raise DriverError(f"{user.name} does not see that message.")
        return Actor(user, message.channel)


def _one(found: list[Any], what: str, names: Callable[[Any], tuple[str | None, str | None]]) -> Any:
    matching = [each for each in found if what in names(each)]
    if not matching:
        raise DriverError(f"There is no {what!r}; there are {[names(each) for each in found]}.")
    latest = [each for each in matching if each.message is matching[-1].message]
    if len(latest) > 1:
        raise DriverError(f"{what!r} is there more than once: {[names(each) for each in latest]}.")
    return latest[0]


class Posted(Surface):
    """One message in a channel or a direct conversation."""

    def __init__(self, hub: Hub, message: Message, viewer: User | None = None) -> None:
        super().__init__(hub, viewer)
        self._message = message

    def _found(self) -> list[Message]:
        return [self._message]

    @property
    def author(self) -> str:
        return self._message.author.name


class Reply(Surface):
    """What came of one thing a person did."""

    def __init__(self, hub: Hub, interaction: Interaction) -> None:
        super().__init__(hub, interaction.actor.user)
        self.interaction = interaction
        self._modal = interaction.modal

    def _found(self) -> list[Message]:
        interaction = self.interaction
        first = interaction.original if interaction.answer in POSTED else None
        first = interaction.source if interaction.answer in ON_SOURCE else first
        return [*([first] if first else []), *interaction.followups]

    @property
    def failed(self) -> bool:
        """The bot did not answer in time: "The application did not respond"."""
        return self.interaction.failed

    @property
    def deferred(self) -> bool:
        """Whether the first answer was a defer, whatever came after it."""
        return self.interaction.answer in {Answer.DEFER, Answer.DEFER_UPDATE}

    @property
    def thinking(self) -> bool:
        """Whether there is still only a defer to see."""
        return not self.failed and not self._answered()

    @property
    def modal(self) -> Modal | None:
        """The form that is open before the person."""
        form = self.interaction.modal
        return None if form is None else seen.modal(form)

    async def settled(self, timeout: float = PATIENCE) -> "Reply":  # noqa: ASYNC109 - a bound on the bot's answer
        """Wait until there is a real answer, no mere defer; after `timeout` the reply is left `thinking`."""
        await self._hub.world.signal.wait_until(self._answered, timeout=timeout)
        return self

    async def wait_for(self, what: "str | Callable[[Reply], Any]", timeout: float = PATIENCE) -> "Reply":  # noqa: ASYNC109 - a bound on the bot's answer
        """Wait until a text is to be read, or something holds of the reply; raise if it never does."""

        def there() -> bool:
            return what in self.text if isinstance(what, str) else bool(what(self))

        if not await self._hub.world.signal.wait_until(there, timeout=timeout):
            raise DriverError(f"Waited {timeout} s for {what!r}; the reply says {self.text!r}.")
        return self

    def _answered(self) -> bool:
        interaction = self.interaction
        if interaction.failed or interaction.followups:
            return True
        if interaction.answer is Answer.DEFER and interaction.original is not None:
            return interaction.original.deleted or not interaction.original.has(MessageFlag.LOADING)
        if interaction.answer is Answer.DEFER_UPDATE and interaction.source is not None:
            return interaction.source.deleted or interaction.source.revision > interaction.source_revision
        return interaction.answer is not None

    async def submit(self, fields: dict[str, Any] | None = None, /, **more: Any) -> "Reply":
        """Fill in the open form, by label or custom id, and send it."""
        modal = self.modal
        if modal is None:
            raise DriverError("No form is open.")
        names = {field.label: field.custom_id for field in modal.fields}
        names |= {field.custom_id: field.custom_id for field in modal.fields}
        given = {**(fields or {}), **more}
        unknown = [name for name in given if name not in names]
        if unknown:
            raise DriverError(
                f"The form has no field {unknown[0]!r}; it has {[each.label for each in modal.fields]}."
            )
        values = {names[name]: _filled(value) for name, value in given.items()}
        interaction = self._hub.people.submit(self.interaction.actor, self.interaction, values)
        return await Reply(self._hub, interaction).settled()


def _filled(value: Any) -> Any:
    if isinstance(value, str | bool):
        return value
    many = value if isinstance(value, list) else [value]
    return [each if isinstance(each := plain(one), Upload) else str(each) for one in many]
