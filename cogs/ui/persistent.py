"""Buttons and menus that carry their state in a versioned id, so that they outlive a restart of the bot.

Everything here has no time-out: when a view with one ends, discord.py forgets the patterns of its items for
every message.
"""

import re
from typing import Any, Self

import discord

from cogs.context import Interaction, context_of
from cogs.ui.errors import report
from i18n import gettext as _
from i18n import set_locale

NEVER = r"(?!)"


class Persistent(discord.ui.DynamicItem[discord.ui.Item[Any]], template=NEVER):
    """An item made anew from its id each time somebody uses it: the groups of its pattern are its arguments."""

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        arguments: dict[str, Any] = match.groupdict()
        return cls(**arguments)

    async def callback(self, interaction: Interaction) -> None:
        """Do what it is for; discord.py only logs what a dynamic item raises, so everything ends here."""
        set_locale(str(interaction.locale))
        try:
            await self.pressed(interaction)
            context_of(interaction).outbox.wake.set()
        except Exception as error:  # noqa: BLE001 - the last door
            await report(interaction, error)

    async def pressed(self, interaction: Interaction) -> None:
        """Acknowledge, ask a service, show."""
        raise NotImplementedError


class Cancel(Persistent, template=r"confirm:v1:cancel"):
    """Leaves everything as it is."""

    def __init__(self) -> None:
        super().__init__(button(_("Cancel"), "confirm:v1:cancel"))

    async def pressed(self, interaction: Interaction) -> None:
        await interaction.response.edit_message(view=note(_("Nothing was changed.")))


def button(
    label: str, custom_id: str, style: discord.ButtonStyle = discord.ButtonStyle.secondary
) -> discord.ui.Item[Any]:
    """Return a button for a persistent item to wrap."""
    return discord.ui.Button(label=label, custom_id=custom_id, style=style)


def picked(interaction: Interaction) -> list[str]:
    """Return the values that were picked from a menu."""
    data: Any = interaction.data
    return list(data["values"])


def note(text: str) -> discord.ui.LayoutView:
    """Return a panel of one text, without anything to press."""
    return discord.ui.LayoutView(timeout=None).add_item(discord.ui.TextDisplay(text))
