"""`/why`: explains a refused validation to whoever holds its license, and to staff."""

from discord import app_commands
from discord.ext import commands

from cogs.actors import acknowledge
from cogs.context import Context, Interaction
from cogs.license_buttons import OpenLicense
from cogs.reset_buttons import AskReset
from cogs.ui import history_layouts, reset_layouts
from cogs.ui.persistent import Persistent
from i18n import N_


class Why(commands.Cog):
    """Acknowledges, asks the history, shows."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @app_commands.command(description=N_("Learn why a license was refused, by the support code that came with it"))
    @app_commands.describe(code=N_("The code, like K7QF-2MXR"))
    @app_commands.guild_only()
    async def why(self, interaction: Interaction, code: app_commands.Range[str, 1, 100]) -> None:
        by = await acknowledge(interaction)
        services = self._context.services
        told = await services.history.explain(by, code)
        key_tail = services.licenses.key_tail(told.view) if told.view else None
        license_id = str(told.view.license.id) if told.view else ""
        items: list[Persistent] = [OpenLicense(license_id)] if told.view and told.for_staff else []
        if reset_layouts.mends(told):
            items.append(AskReset(license_id))
        panel = history_layouts.why_panel(told, key_tail, now_ms=self._context.clock(), items=items)
        await interaction.followup.send(view=panel, ephemeral=True)
