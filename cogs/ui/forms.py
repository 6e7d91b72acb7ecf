"""Forms that carry their state in a versioned id, as buttons do: a submission is served even after a restart.

discord.py keeps a modal in memory and drops what it does not know, so these are never given to it to keep. A form
that is refused is offered again with everything filled in: what was typed stands in the refusal itself, or is
attached to it where there is no room.
"""

import asyncio
import io
import re
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, Self, TypeVar, cast

import discord
from discord.ext import commands

from cogs.context import Interaction, context_of
from cogs.ui import layouts
from cogs.ui.errors import report
from cogs.ui.persistent import Persistent, button, note
from i18n import gettext as _
from i18n import set_locale
from i18n.refusals import sentence
from licensing.errors import Refusal
from licensing.ports import Unavailable

FILLED_WITHIN_S = 2.0  # of the 3 s that Discord waits for a form: it must be the first answer

_TYPED_ID = 910_000
_TYPED_ROOM = 3_000  # of a message's text, beside labels and the sentence
_ATTACHED = ".txt"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Field:
    """One text to type; `name` is how the submission calls it."""

    name: str
    label: str
    description: str | None = None
    value: str = ""
    max_length: int = 100
    long: bool = False
    required: bool = False

    def shown(self) -> discord.ui.Label[Any]:
        """Return the field as Discord shows it."""
        style = discord.TextStyle.paragraph if self.long else discord.TextStyle.short
        text: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id=self.name,
            style=style,
            max_length=self.max_length,
            default=self.value[: self.max_length] or None,
            required=self.required,
        )
        return discord.ui.Label(text=self.label, description=self.description, component=text)


class Form:
    """A modal made anew from its id: the groups of its template are its arguments, as with `Persistent`."""

    template: ClassVar[re.Pattern[str]]

    def __init_subclass__(cls, *, template: str) -> None:
        super().__init_subclass__()
        cls.template = re.compile(template)

    def __init__(self, *, custom_id: str, title: str, fields: Sequence[Field]) -> None:
        self.custom_id = custom_id
        self.title = title
        self.fields = list(fields)

    @classmethod
    def made_from(cls, custom_id: str) -> Self | None:
        """Return the form that an id stands for, or None where it is no form of this kind."""
        match = cls.template.fullmatch(custom_id)
        arguments: dict[str, Any] = match.groupdict() if match else {}
        return cls(**arguments) if match else None

    async def open(self, interaction: Interaction, filled: Mapping[str, str] | None = None) -> None:
        """Show the form; a modal must be the first answer."""
        modal = discord.ui.Modal(title=self.title[:45], custom_id=self.custom_id)
        for field in self.fields:
            modal.add_item(replace(field, value=(filled or {}).get(field.name, field.value)).shown())
        modal.stop()  # or discord.py would keep it
        await interaction.response.send_modal(modal)

    async def submit(self, interaction: Interaction) -> None:
        """Serve what was typed; a refusal offers the form again."""
        typed = dict(_typed(interaction))
        try:
            await self.submitted(interaction, typed)
        except (Refusal, Unavailable) as error:
            await self._offer_again(interaction, error, typed)
        context_of(interaction).outbox.wake.set()

    async def submitted(self, interaction: Interaction, typed: Mapping[str, str]) -> None:
        """Acknowledge, ask a service, show."""
        raise NotImplementedError

    async def _offer_again(
        self, interaction: Interaction, error: Refusal | Unavailable, typed: Mapping[str, str]
    ) -> None:
        said, again = sentence(error) or "", TryAgain(self.custom_id)
        if sum(map(len, typed.values())) <= _TYPED_ROOM:
            await interaction.followup.send(view=self._refused(said, typed, again), ephemeral=True)
            return
        files = [discord.File(io.BytesIO(text.encode()), name + _ATTACHED) for name, text in typed.items() if text]
        view = discord.ui.View(timeout=None).add_item(again)
        await interaction.followup.send(said, files=files, view=view, ephemeral=True)

    def _refused(self, said: str, typed: Mapping[str, str], again: "TryAgain") -> discord.ui.LayoutView:
        parts: list[layouts.Part] = [said]
        for number, field in enumerate(self.fields):
            if typed.get(field.name):
                parts.append(f"-# {field.label}")
                parts.append(discord.ui.TextDisplay(typed[field.name], id=_TYPED_ID + number))
        return layouts.panel(*parts, items=[again])


class TryAgain(Persistent, template=r"form:v1:again:(?P<form_id>.{1,85})"):
    """Opens a refused form again, with what its message shows filled in."""

    def __init__(self, form_id: str) -> None:
        super().__init__(button(_("Try again"), f"form:v1:again:{form_id}", discord.ButtonStyle.primary))
        self._form_id = form_id

    async def pressed(self, interaction: Interaction) -> None:
        form = _form_of(interaction, self._form_id)
        if form is None:
            await interaction.response.send_message(view=_outdated(), ephemeral=True)
            return
        texts = {
            each.name: layouts.shown_text(interaction.message, _TYPED_ID + number) or ""
            for number, each in enumerate(form.fields)
        }
        await form.open(interaction, texts | await in_time(_attached_texts(interaction.message)))


class Forms(commands.Cog):
    """Listens for submitted forms and serves them."""

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        set_locale(str(interaction.locale))
        try:
            data: Any = interaction.data
            form = _form_of(interaction, str(data["custom_id"]))
            if form is None:
                await interaction.response.send_message(view=_outdated(), ephemeral=True)
            else:
                await form.submit(interaction)
        except Exception as error:  # noqa: BLE001 - the last door
            await report(interaction, error)


async def in_time(asked: Awaitable[T]) -> T:
    """Return what a form is filled in with, or give up while the form can still be answered.

    Raises: Unavailable, and whatever the question raises.
    """
    try:
        async with asyncio.timeout(FILLED_WITHIN_S):
            return await asked
    except TimeoutError as error:
        raise Unavailable from error


async def _attached_texts(message: discord.Message | None) -> dict[str, str]:
    """Return what was typed and had no room in a refusal, by the names of its fields."""
    attached = message.attachments if message else []
    return {each.filename.removesuffix(_ATTACHED): (await each.read()).decode() for each in attached}


def _outdated() -> discord.ui.LayoutView:
    return note(_("This form is of an older version; close it and open it again."))


class _Bot(Protocol):
    """The part of the client that knows every kind of form."""

    forms: Sequence[type[Form]]


def _form_of(interaction: Interaction, custom_id: str) -> Form | None:
    kinds = cast(_Bot, interaction.client).forms
    return next((form for kind in kinds if (form := kind.made_from(custom_id)) is not None), None)


def _typed(interaction: Interaction) -> Sequence[tuple[str, str]]:
    data: Any = interaction.data
    inputs = [each["component"] for each in data["components"] if "component" in each]
    return [(each["custom_id"], (each.get("value") or "").strip()) for each in inputs]
