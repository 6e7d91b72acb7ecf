"""One interaction: what a person did, how the bot answered, and how it looks on the wire."""

from dataclasses import dataclass, field
from enum import IntEnum

from sandbox import payloads, permissions
from sandbox.access import DM_CONTEXT, GUILD_CONTEXT, Actor
from sandbox.errors import Json
from sandbox.model import Message
from sandbox.world import World


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
    answered_at: float = 0.0
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


def payload(world: World, interaction: Interaction) -> Json:
    """The interaction as the gateway brings it."""
    actor = interaction.actor
    wire: Json = {
        "id": str(interaction.id),
        "application_id": str(world.application_id),
        "type": int(interaction.kind),
        "token": interaction.token,
        "version": 1,
        "data": interaction.data,
        "channel_id": str(actor.channel.id),
        "locale": actor.user.locale,
        "entitlements": [],
        "attachment_size_limit": payloads.ATTACHMENT_LIMIT,
        **place(world, actor),
    }
    if interaction.source is not None:
        wire["message"] = payloads.message(interaction.source)
    return wire


def place(world: World, actor: Actor) -> Json:
    if actor.guild is None or actor.member is None:
        return {
            "channel": payloads.channel(actor.channel),
            "user": payloads.user(actor.user),
            "app_permissions": str(int(permissions.DIRECT_MESSAGE)),
            "authorizing_integration_owners": {"0": "0"},
            "context": DM_CONTEXT,
        }
    me = world.me(actor.guild)
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


def about(interaction: Interaction) -> Json:
    """What a message tells of the interaction it came from."""
    user, home = payloads.user(interaction.actor.user), interaction.actor.guild
    metadata = {
        "id": str(interaction.id),
        "type": int(interaction.kind),
        "user": user,
        "authorizing_integration_owners": {"0": str(home.id if home else 0)},
    }
    if interaction.source is not None:
        metadata["interacted_message_id"] = str(interaction.source.id)
    told = {"id": str(interaction.id), "type": int(interaction.kind), "metadata": metadata, "user": user}
    if interaction.kind is not Kind.COMMAND:
        return told
    return {**told, "name": interaction.name, "command_type": interaction.data["type"]}
