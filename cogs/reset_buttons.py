"""The buttons by which holders reset their own licenses, as far as the product lets them."""

import discord

from cogs.actors import acknowledge, acknowledge_in_place
from cogs.context import Interaction, context_of
from cogs.ui import reset_layouts
from cogs.ui.persistent import Cancel, Persistent, button, note
from i18n import gettext as _


class AskReset(Persistent, template=r"account:v1:(?P<license_id>\d{1,18}):reset"):
    """Asks whether to free the seats of one's own license, and says what that costs."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Reset addresses and devices…"), f"account:v1:{license_id}:reset"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by, services = await acknowledge(interaction), context_of(interaction).services
        found = await services.resets.resettable(by, int(self._license_id))
        items = [ResetNow(self._license_id), Cancel()]
        question = reset_layouts.question(found, services.account.key_tail(found.view), items=items)
        await interaction.followup.send(view=question, ephemeral=True)


class ResetNow(Persistent, template=r"account:v1:(?P<license_id>\d{1,18}):reset:now"):
    """Frees the seats of one's own license."""

    def __init__(self, license_id: str) -> None:
        custom_id = f"account:v1:{license_id}:reset:now"
        super().__init__(button(_("Reset addresses and devices"), custom_id, discord.ButtonStyle.danger))
        self._license_id = int(license_id)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        made = await context_of(interaction).services.resets.reset(by, self._license_id)
        await interaction.edit_original_response(view=note(reset_layouts.done(made)))


ITEMS = (AskReset, ResetNow)
