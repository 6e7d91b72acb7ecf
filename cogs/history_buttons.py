"""The buttons beside a license that show how its last validations ended, page by page."""

import discord

from cogs.actors import acknowledge, acknowledge_in_place
from cogs.context import Interaction, context_of
from cogs.ui import history_layouts
from cogs.ui.persistent import Persistent, button
from i18n import gettext as _
from licensing.models import Actor

PAGE = 10

_ALL = 10_000  # of what is kept, which is less


class LastValidations(Persistent, template=r"history:v1:(?P<license_id>\d{1,18})"):
    """Shows a license's last validations, to its presser alone."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Last validations"), f"history:v1:{license_id}"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        await interaction.followup.send(view=await _shown(interaction, by, self._license_id, 0), ephemeral=True)


class TurnValidations(Persistent, template=r"history:v1:(?P<license_id>\d{1,18}):page:(?P<page>\d{1,5})"):
    """Turns to another page, as the validations are now."""

    def __init__(self, license_id: str, page: str, *, label: str = "") -> None:
        super().__init__(button(label or page, f"history:v1:{license_id}:page:{page}"))
        self._license_id, self._page = license_id, int(page)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        await interaction.edit_original_response(view=await _shown(interaction, by, self._license_id, self._page))


async def _shown(interaction: Interaction, by: Actor, license_id: str, page: int) -> discord.ui.LayoutView:
    found = await context_of(interaction).services.history.attempts(by, f"#{license_id}", limit=_ALL)
    last = max(0, -(-len(found) // PAGE) - 1)
    page = min(page, last)
    items = [TurnValidations(license_id, str(page - 1), label=_("Previous"))] if page else []
    items += [TurnValidations(license_id, str(page + 1), label=_("Next"))] if page < last else []
    of = (page + 1, last + 1) if last else None
    return history_layouts.attempts_panel(license_id, found[page * PAGE : (page + 1) * PAGE], page=of, items=items)


ITEMS = (LastValidations, TurnValidations)
