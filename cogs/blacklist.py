"""`/blacklist`: which addresses may not validate, for everybody here, for one customer or for one license."""

import discord
from discord import app_commands
from discord.ext import commands

from cogs import blacklist_buttons, completions
from cogs.actors import acknowledge, actor_of
from cogs.blacklist_buttons import ADDRESS_LENGTH
from cogs.context import Context, Interaction, context_of
from cogs.ui import blacklist_layouts
from cogs.ui.errors import Choices, completes
from i18n import N_
from licensing.choices import Permission
from licensing.errors import HolderIsBot
from licensing.models import NOTES_LIMIT
from licensing.services.block_targets import Target

_ADDRESS = app_commands.Range[str, 1, ADDRESS_LENGTH]
_TEXT = app_commands.Range[str, 1, 300]


@completes
async def entry_(interaction: Interaction, current: str) -> Choices:
    """Suggest blocks by address, by a range's text or by reason."""
    found = await context_of(interaction).services.blacklist.search(actor_of(interaction), current)
    return [app_commands.Choice(name=blacklist_layouts.choice(each), value=f"#{each.block.id}") for each in found]


@app_commands.guild_only()
@app_commands.default_permissions(manage_messages=True)
class Blacklist(
    commands.GroupCog, group_name="blacklist", group_description=N_("Keep addresses and ranges from validating")
):
    """Acknowledges, asks the blacklist service, shows."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._blacklist = context.services.blacklist

    @app_commands.command(description=N_("Block an address or a range; the next validation from there is refused"))
    @app_commands.describe(
        address=N_("203.0.113.7, 203.0.113.0/24, 2001:db8::7 or 2001:db8::/48"),
        member=N_("Only for this member's licenses; nobody named: for everybody here"),
        email=N_("Only for the licenses of this email address"),
        license=N_("Only for this license: part of its key, its holder, an email or a note"),
        reason=N_("Why; only staff see it"),
    )
    @app_commands.autocomplete(license=completions.license_(Permission.BLACKLIST_EDIT, Permission.LICENSES_VIEW))
    async def add(  # noqa: PLR0917 - an argument for each of the command's options
        self,
        interaction: Interaction,
        address: _ADDRESS,
        member: discord.User | None = None,
        email: _TEXT | None = None,
        license: _TEXT | None = None,  # noqa: A002 - the option's name
        reason: app_commands.Range[str, 1, NOTES_LIMIT] | None = None,
    ) -> None:
        by = await acknowledge(interaction)
        target = _target(member, email=email, license_=license)
        await blacklist_buttons.block(interaction, by, network=address, reason=reason, target=target)

    @app_commands.command(description=N_("Unblock an address or a range"))
    @app_commands.describe(
        entry=N_("Pick it from the list, or type the address or range as it was blocked"),
        member=N_("If it was typed and blocked for this member alone"),
        email=N_("If it was typed and blocked for this email address alone"),
        license=N_("If it was typed and blocked for this license alone"),
    )
    @app_commands.autocomplete(
        entry=entry_, license=completions.license_(Permission.BLACKLIST_EDIT, Permission.LICENSES_VIEW)
    )
    async def remove(
        self,
        interaction: Interaction,
        entry: _ADDRESS,
        member: discord.User | None = None,
        email: _TEXT | None = None,
        license: _TEXT | None = None,  # noqa: A002 - the option's name
    ) -> None:
        by = await acknowledge(interaction)
        target = _target(member, email=email, license_=license)
        removed = await self._blacklist.remove(by, network=entry, target=target)
        await interaction.followup.send(view=blacklist_layouts.unblocked(removed), ephemeral=True)

    @app_commands.command(description=N_("List what is blocked here, page by page"))
    @app_commands.describe(
        member=N_("Only what is blocked for this member"),
        email=N_("Only what is blocked for this email address"),
        license=N_("Only what is blocked for this license"),
    )
    @app_commands.autocomplete(license=completions.license_(Permission.LICENSES_VIEW))
    async def list(
        self,
        interaction: Interaction,
        member: discord.User | None = None,
        email: _TEXT | None = None,
        license: _TEXT | None = None,  # noqa: A002 - the option's name
    ) -> None:
        by = await acknowledge(interaction)
        target = _target(member, email=email, license_=license)
        shown = await blacklist_buttons.listing(interaction, by, target)
        await interaction.followup.send(view=shown, ephemeral=True)


def _target(
    member: discord.User | discord.Member | None, *, email: str | None = None, license_: str | None = None
) -> Target:
    """Return whom the options name.

    Raises: HolderIsBot.
    """
    if member is not None and member.bot:
        raise HolderIsBot
    discord_id, name = (member.id, member.display_name) if member else (None, None)
    return Target(discord_id=discord_id, name=name, email=email, license=license_)
