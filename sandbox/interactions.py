"""An interaction's life: three seconds for one answer, then fifteen minutes of edits and follow-ups."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from sandbox import errors, messages, payloads, permissions, rules
from sandbox.access import DM_CONTEXT, GUILD_CONTEXT, Actor
from sandbox.commands import Option, check_choices
from sandbox.errors import Form, Json
from sandbox.messages import Body
from sandbox.modals import check_modal
from sandbox.model import Message, MessageFlag
from sandbox.world import World

TOKEN_SECONDS = 15 * 60


class Kind(IntEnum):
    """Interaction types by their documented numbers."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Answer(IntEnum):
    """Callback types by their documented numbers."""

    MESSAGE = 4
    DEFER = 5
    DEFER_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


POSTED = frozenset({Answer.MESSAGE, Answer.DEFER})
ON_SOURCE = frozenset({Answer.DEFER_UPDATE, Answer.UPDATE})


@dataclass(eq=False)
class Interaction:
    """One thing a person did, and all that came of it."""

    id: int
    token: str
    kind: Kind
    actor: Actor
    data: Json
    created_at: float
    name: str = ""
    source: Message | None = None
    answer: Answer | None = None
    failed: bool = False
    original: Message | None = None
    source_revision: int = 0
    modal: Json | None = None
    choices: list[Json] = field(default_factory=list)
    followups: list[Message] = field(default_factory=list)
    opened_by: "Interaction | None" = None
    form: Json | None = None

    def allowed(self) -> set[Answer]:
        if self.kind is Kind.AUTOCOMPLETE:
            return {Answer.CHOICES}
        found = {Answer.MESSAGE, Answer.DEFER}
        if self.source is not None:
            found |= ON_SOURCE
        # A modal cannot follow a modal.
        return found if self.kind is Kind.MODAL else found | {Answer.MODAL}


class Interactions:
    """Every interaction there was; what a person does opens one, what the bot sends answers it."""

    def __init__(self, world: World, *, deadline: float, listening: Callable[[], bool]) -> None:
        self._world = world
        self._deadline = deadline
        self._listening = listening
        self._by_id: dict[int, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}

    @property
    def all(self) -> list[Interaction]:
        return list(self._by_id.values())

    def open(
        self, kind: Kind, actor: Actor, data: Json, *, name: str = "", source: Message | None = None
    ) -> Interaction:
        """Hand the bot an interaction; it fails unless it is answered in time."""
        new_id = self._world.new_id()
        interaction = Interaction(
            new_id, f"interaction-{new_id:x}", kind, actor, data, self._world.clock(), name=name, source=source
        )
        interaction.source_revision = source.revision if source else 0
        self._by_id[new_id] = self._by_token[interaction.token] = interaction
        guild = actor.guild
        if self._listening() and (guild is None or self._world.bot.id in guild.members):
            self._world.emit("INTERACTION_CREATE", self._payload(interaction))
            asyncio.get_running_loop().call_later(self._deadline, self._expire, interaction)
        else:
            self._expire(interaction)
        return interaction

    def _expire(self, interaction: Interaction) -> None:
        if interaction.answer is None:
            interaction.failed = True
            if interaction.opened_by is not None:
                interaction.opened_by.modal = interaction.form  # an unanswered form stays open, to be sent again
            self._world.signal.notify()

    def _payload(self, interaction: Interaction) -> Json:
        actor = interaction.actor
        wire: Json = {
            "id": str(interaction.id),
            "application_id": str(self._world.application_id),
            "type": int(interaction.kind),
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(actor.channel.id),
            "locale": actor.user.locale,
            "entitlements": [],
            "attachment_size_limit": payloads.ATTACHMENT_LIMIT,
            **self._place(actor),
        }
        if interaction.source is not None:
            wire["message"] = payloads.message(interaction.source)
        return wire

    def _place(self, actor: Actor) -> Json:
        if actor.guild is None or actor.member is None:
            return {
                "channel": payloads.channel(actor.channel),
                "user": payloads.user(actor.user),
                "app_permissions": str(int(permissions.DIRECT_MESSAGE)),
                "authorizing_integration_owners": {"0": "0"},
                "context": DM_CONTEXT,
            }
        me = self._world.me(actor.guild)
        return {
            "guild_id": str(actor.guild.id),
            "guild": {"id": str(actor.guild.id), "locale": actor.guild.locale, "features": []},
            "guild_locale": actor.guild.locale,
            "channel": payloads.resolved_channel(actor.channel, actor.member),
            "member": payloads.invoker(actor.member, actor.channel),
            "app_permissions": str(int(permissions.in_channel(me, actor.channel))),
            "authorizing_integration_owners": {"0": str(actor.guild.id)},
            "context": GUILD_CONTEXT,
        }

    # The one answer

    def callback(self, interaction_id: int, token: str, body: Body) -> Json:
        """Take the answer to an interaction; give what `with_response` shows of it."""
        interaction = self._by_id.get(interaction_id)
        if interaction is None or interaction.token != token or interaction.failed or self._stale(interaction):
            raise errors.UNKNOWN_INTERACTION.error()
        if interaction.answer is not None:
            raise errors.ALREADY_ACKNOWLEDGED.error()
        form = Form()
        answer = rules.one_of(form, body.json, "type", interaction.allowed())
        form.check()
        self._answer(interaction, Answer(answer or 0), body.inner("data"))
        interaction.answer = Answer(answer or 0)
        self._world.signal.notify()
        return self._response(interaction)

    def _answer(self, interaction: Interaction, answer: Answer, data: Body) -> None:
        if answer is Answer.MESSAGE:
            interaction.original = self._post(interaction, data)
        elif answer is Answer.DEFER:
            interaction.original = self._think(interaction, data.json)
        elif answer is Answer.UPDATE:
            messages.edit(self._world, self._source(interaction), data)
        elif answer is Answer.CHOICES:
            interaction.choices = self._choices(interaction, data.json)
        elif answer is Answer.MODAL:
            interaction.modal = check_modal(Form().at("data"), data.json)

    def _post(self, interaction: Interaction, data: Body) -> Message:
        self._require_channel(interaction)
        flags = data.json.get("flags")
        private = isinstance(flags, int) and bool(flags & MessageFlag.EPHEMERAL)
        return messages.post(
            self._world,
            interaction.actor.channel,
            data,
            author=self._world.bot,
            seen_by=interaction.actor.user.id if private else None,
            interaction=self._about(interaction),
        )

    def _require_channel(self, interaction: Interaction) -> None:
        if interaction.actor.channel.id not in self._world.channels:
            raise errors.UNKNOWN_CHANNEL.error()

    def _think(self, interaction: Interaction, data: Json) -> Message:
        self._require_channel(interaction)
        private = bool((data.get("flags") or 0) & MessageFlag.EPHEMERAL)
        message = Message(
            self._world.new_id(),
            interaction.actor.channel,
            self._world.bot,
            self._world.clock(),
            flags=MessageFlag.LOADING | (MessageFlag.EPHEMERAL if private else 0),
            seen_by=interaction.actor.user.id if private else None,
            interaction=self._about(interaction),
        )
        return messages.publish(self._world, message)

    def _about(self, interaction: Interaction) -> Json:
        user = payloads.user(interaction.actor.user)
        metadata = {
            "id": str(interaction.id),
            "type": int(interaction.kind),
            "user": user,
            "authorizing_integration_owners": self._place(interaction.actor)["authorizing_integration_owners"],
        }
        if interaction.source is not None:
            metadata["interacted_message_id"] = str(interaction.source.id)
        about = {"id": str(interaction.id), "type": int(interaction.kind), "metadata": metadata, "user": user}
        return {**about, "name": interaction.name} if interaction.kind is Kind.COMMAND else about

    @staticmethod
    def _choices(interaction: Interaction, data: Json) -> list[Json]:
        form = Form().at("data")
        if not isinstance(data.get("choices"), list):
            rules.required(form.at("choices"))
        found = check_choices(form, data, Option(_focused_type(interaction.data["options"])))
        form.check()
        return found

    def _response(self, interaction: Interaction) -> Json:
        told: Json = {"id": str(interaction.id), "type": int(interaction.kind)}
        resource: Json = {"type": int(interaction.answer or 0)}
        message = interaction.original or (interaction.source if interaction.answer is Answer.UPDATE else None)
        if message is not None:
            told |= {
                "response_message_id": str(message.id),
                "response_message_loading": message.has(MessageFlag.LOADING),
                "response_message_ephemeral": message.has(MessageFlag.EPHEMERAL),
            }
            resource["message"] = payloads.message(message)
        return {"interaction": told, "resource": resource}

    # What may follow it

    def _stale(self, interaction: Interaction) -> bool:
        return self._world.clock() - interaction.created_at > TOKEN_SECONDS

    def _answered(self, application_id: int, token: str) -> Interaction:
        if application_id != self._world.application_id:
            raise errors.UNKNOWN_WEBHOOK.error()
        interaction = self._by_token.get(token)
        if interaction is None or self._stale(interaction):
            raise errors.INVALID_WEBHOOK_TOKEN.error()
        if interaction.answer in {None, Answer.CHOICES}:
            raise errors.UNKNOWN_WEBHOOK.error()
        return interaction

    def _source(self, interaction: Interaction) -> Message:
        if interaction.source is None or interaction.source.deleted:
            raise errors.UNKNOWN_MESSAGE.error()
        return interaction.source

    def message(self, application_id: int, token: str, which: str) -> Message:
        """Find a message by the interaction's token: `@original` or an id."""
        interaction = self._answered(application_id, token)
        if which == "@original":
            found = interaction.original if interaction.answer in POSTED else interaction.source
            found = None if interaction.answer is Answer.MODAL else found
        else:
            mine = [interaction.original, interaction.source, *interaction.followups]
            found = next((each for each in mine if each and str(each.id) == which), None)
        if found is None or found.deleted:
            raise errors.UNKNOWN_MESSAGE.error()
        return found

    def follow_up(self, application_id: int, token: str, body: Body) -> Message:
        """Post a further message; the first one after a defer takes the place the defer holds, visibility and all."""
        interaction = self._answered(application_id, token)
        held = interaction.original
        if held is not None and held.has(MessageFlag.LOADING) and not held.deleted:
            return messages.edit(self._world, held, body)
        message = self._post(interaction, body)
        interaction.followups.append(message)
        self._world.signal.notify()
        return message


def _focused_type(options: list[Json]) -> int:
    for option in options:
        if option.get("focused"):
            return int(option["type"])
        if option.get("options"):
            return _focused_type(option["options"])
    return int(Option.STRING)
