"""`/claim` and `/licenses`: what members do with their own licenses."""

from discord import app_commands
from discord.ext import commands

from cogs import account_buttons
from cogs.actors import acknowledge
from cogs.context import Context, Interaction
from cogs.ui import words
from i18n import N_
from i18n import gettext as _
from licensing.models import LicenseView
from licensing.resets import Past, stand

KEY_OPTION_LENGTH = 6_000  # Discord's own limit; the service words what is too long


class Account(commands.Cog):
    """Acknowledges, asks the account service, shows."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account = context.services.account

    @app_commands.command(description=N_("Claim a license key you were given; it becomes yours"))
    @app_commands.describe(key=N_("The key, like ABCD-EFGH-JKMN-PQRS"))
    @app_commands.guild_only()
    async def claim(self, interaction: Interaction, key: app_commands.Range[str, 1, KEY_OPTION_LENGTH]) -> None:
        by = await acknowledge(interaction)
        view = await self._account.claim(by, key)
        # Nobody held it before, so nobody reset it: nothing more is asked of the store, which could fail by now.
        standing = stand(view, Past(), now_ms=self._context.clock())
        panel = account_buttons.panel(interaction, standing, lead=_claimed(view))
        await interaction.followup.send(view=panel, ephemeral=True)

    @app_commands.command(description=N_("Your licenses: their keys, expiry and addresses"))
    @app_commands.guild_only()
    async def licenses(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        held = await self._account.list(by)
        await interaction.followup.send(view=account_buttons.overview(interaction, held, page=0), ephemeral=True)


def _claimed(view: LicenseView) -> str:
    text = _("This license is yours now. Type the key where {product} asks for it.")
    return text.format(product=words.plain(view.product.name))
