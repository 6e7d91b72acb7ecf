"""An interaction's life: three seconds for one answer, then fifteen minutes of edits and follow-ups."""

import asyncio
import time
from collections.abc import Callable

from sandbox import errors, messages, payloads, rules
from sandbox.access import Actor
from sandbox.commands import Option, check_choices
from sandbox.errors import Form, Json
from sandbox.interaction import POSTED, Answer, Interaction, Kind, about
from sandbox.interaction import payload as interaction_payload
from sandbox.messages import Body
from sandbox.modals import check_modal
from sandbox.model import Message, MessageFlag
from sandbox.world import World

TOKEN_SECONDS = 15 * 60
REACTION_SECONDS = 0.05
MOST_KEPT = 5000


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
        self,
        kind: Kind,
        actor: Actor,
        data: Json,
        *,
        name: str = "",
        source: Message | None = None,
        seen_since: float = 0.0,
    ) -> Interaction:
        """Hand the bot an interaction; it fails unless it is answered in time.

        `seen_since` is when (on the monotonic clock) the person came to see what they use.
        """
        new_id = self._world.new_id()
        interaction = Interaction(
            new_id, f"interaction-{new_id:x}", kind, actor, data, self._world.clock(), name=name, source=source
        )
        interaction.source_revision = source.revision if source else 0
        self._keep(interaction)
        guild = actor.guild
        if self._listening() and (guild is None or self._world.bot.id in guild.members):
            self._when_reacted(seen_since, interaction)
        else:
            self._expire(interaction)
        return interaction

    def _keep(self, interaction: Interaction) -> None:
        """Remember an interaction; the oldest is forgotten, for a sandbox may run for weeks."""
        self._by_id[interaction.id] = self._by_token[interaction.token] = interaction
        if len(self._by_id) > MOST_KEPT:
            oldest = self._by_id.pop(next(iter(self._by_id)))
            del self._by_token[oldest.token]

    def _when_reacted(self, seen_since: float, interaction: Interaction) -> None:
        """Hand it over once a person can have reacted.

        A client knows the buttons of its message only when its own request has returned, and nobody is quicker.
        """
        early = seen_since + REACTION_SECONDS - time.monotonic()
        if early > 0:
            asyncio.get_running_loop().call_later(early, self._hand_over, interaction)
        else:
            self._hand_over(interaction)

    def _hand_over(self, interaction: Interaction) -> None:
        guild = interaction.actor.guild
        if guild is None or self._world.bot.id in guild.members:
            self._world.emit("INTERACTION_CREATE", interaction_payload(self._world, interaction))
        asyncio.get_running_loop().call_later(self._deadline, self._expire, interaction)

    def _expire(self, interaction: Interaction) -> None:
        if interaction.answer is None:
            interaction.failed = True
            if interaction.opened_by is not None:
                interaction.opened_by.modal = interaction.form  # an unanswered form stays open, to be sent again
            self._world.signal.notify()

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
        interaction.answer, interaction.answered_at = Answer(answer or 0), time.monotonic()
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
            interaction=about(interaction),
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
            interaction=about(interaction),
        )
        return messages.publish(self._world, message)

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
