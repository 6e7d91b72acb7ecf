"""`/transfer`: how members hand a license on to somebody else."""

import discord
from discord import app_commands
from discord.ext import commands

from cogs import completions, transfer_buttons
from cogs.actors import acknowledge
from cogs.context import Context, Interaction
from cogs.ui.persistent import note
from i18n import N_
from licensing.errors import TransferNotFound

_TEXT = app_commands.Range[str, 1, 300]


@app_commands.guild_only()
class Transfers(
    commands.GroupCog, group_name="transfer", group_description=N_("Hand a license on to another member")
):
    """Acknowledges, asks the transfer service, shows."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._account = context.services.account
        self._transfers = context.services.transfers

    @app_commands.command(description=N_("Offer one of your licenses to another member; they are asked first"))
    @app_commands.describe(license=N_("Which of your licenses"), member=N_("Who is to have it"))
    @app_commands.autocomplete(license=completions.own_license)
    async def request(self, interaction: Interaction, license: _TEXT, member: discord.User) -> None:  # noqa: A002 - the option's name
        by = await acknowledge(interaction)
        view = await self._account.named(by, license)
        found = await transfer_buttons.offer(interaction, by, view.license.id, member)
        await interaction.followup.send(view=transfer_buttons.offered(found), ephemeral=True)

    @app_commands.command(description=N_("Licenses on their way to you and from you"))
    async def list(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        pending = await self._transfers.mine(by)
        await interaction.followup.send(view=transfer_buttons.overview(by, pending), ephemeral=True)

    @app_commands.command(description=N_("Take back an offer of yours"))
    @app_commands.describe(license=N_("Which license you offered"))
    @app_commands.autocomplete(license=completions.offered_license)
    async def cancel(self, interaction: Interaction, license: _TEXT) -> None:  # noqa: A002 - the option's name
        by = await acknowledge(interaction)
        view = await self._account.named(by, license)
        mine = {each.license.license.id: each.transfer.id for each in await self._transfers.mine(by)}
        if view.license.id not in mine:
            raise TransferNotFound
        found = await self._transfers.cancel(by, mine[view.license.id])
        await interaction.followup.send(view=note(transfer_buttons.happened(found)), ephemeral=True)
