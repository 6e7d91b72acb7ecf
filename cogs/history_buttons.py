"""The button beside a license that shows how its last validations ended."""

from cogs.actors import acknowledge
from cogs.context import Interaction, context_of
from cogs.ui import history_layouts
from cogs.ui.persistent import Persistent, button
from i18n import gettext as _

SHOWN = 5


class LastValidations(Persistent, template=r"history:v1:(?P<license_id>\d{1,18})"):
    """Shows a license's last validations, to its presser alone."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Last validations"), f"history:v1:{license_id}"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        history = context_of(interaction).services.history
        attempts = await history.attempts(by, f"#{self._license_id}", limit=SHOWN)
        panel = history_layouts.attempts_panel(self._license_id, attempts)
        await interaction.followup.send(view=panel, ephemeral=True)


ITEMS = (LastValidations,)
