"""`/bulk`: what staff do to many licenses at once; each command asks first."""

import discord
from discord import app_commands
from discord.ext import commands

from cogs import bulk_questions, completions
from cogs.actors import acknowledge
from cogs.bulk_questions import Meant
from cogs.context import Interaction
from cogs.license_changes import REASON, TEXT
from i18n import N_
from licensing.choices import Permission
from licensing.services.bulk import BulkChange, Selection
from licensing.verdict import Status

_PRODUCT = N_("Only licenses of this product")
_STATUS = N_("Only licenses in this state")
_STATUSES = {  # others could not be changed so
    BulkChange.REVOKE: [it for it in completions.STATUSES if it.value != Status.REVOKED.value],
    BulkChange.SUSPEND: [
        it for it in completions.STATUSES if it.value not in {Status.REVOKED.value, Status.SUSPENDED.value}
    ],
    BulkChange.REINSTATE: [it for it in completions.STATUSES if it.value == Status.SUSPENDED.value],
}
_HOLDER = N_("Only licenses that this member holds")
_TELL = N_("Whether the holders are told by direct message; no unless you say yes")


@app_commands.guild_only()
@app_commands.default_permissions(manage_messages=True)
class Bulk(
    commands.GroupCog, group_name="bulk", group_description=N_("Revoke, suspend and reinstate many licenses at once")
):
    """Acknowledges, asks the bulk service what would be, shows the question."""

    @app_commands.command(description=N_("Revoke many licenses for good; you are asked first"))
    @app_commands.describe(
        product=_PRODUCT,
        status=_STATUS,
        holder=_HOLDER,
        reason=N_("Why; the holders are told only with tell_members"),
        tell_members=_TELL,
    )
    @app_commands.autocomplete(product=completions.product(Permission.LICENSES_REVOKE))
    @app_commands.choices(status=_STATUSES[BulkChange.REVOKE])
    async def revoke(  # noqa: PLR0917 - an argument for each of the command's options
        self,
        interaction: Interaction,
        product: TEXT | None = None,
        status: str | None = None,
        holder: discord.User | None = None,
        reason: REASON | None = None,
        tell_members: bool = False,  # noqa: FBT001, FBT002 - an option
    ) -> None:
        meant = Meant(BulkChange.REVOKE, _selection(product, status, holder), tell=tell_members)
        await _ask(interaction, meant, reason)

    @app_commands.command(description=N_("Suspend many licenses; you are asked first"))
    @app_commands.describe(
        product=_PRODUCT,
        status=_STATUS,
        holder=_HOLDER,
        reason=N_("Why; the holders are told only with tell_members"),
        tell_members=_TELL,
    )
    @app_commands.autocomplete(product=completions.product(Permission.LICENSES_EDIT))
    @app_commands.choices(status=_STATUSES[BulkChange.SUSPEND])
    async def suspend(  # noqa: PLR0917 - as in revoke
        self,
        interaction: Interaction,
        product: TEXT | None = None,
        status: str | None = None,
        holder: discord.User | None = None,
        reason: REASON | None = None,
        tell_members: bool = False,  # noqa: FBT001, FBT002 - an option
    ) -> None:
        meant = Meant(BulkChange.SUSPEND, _selection(product, status, holder), tell=tell_members)
        await _ask(interaction, meant, reason)

    @app_commands.command(description=N_("End the suspension of many licenses; you are asked first"))
    @app_commands.describe(product=_PRODUCT, holder=_HOLDER, status=_STATUS, tell_members=_TELL)
    @app_commands.autocomplete(product=completions.product(Permission.LICENSES_EDIT))
    @app_commands.choices(status=_STATUSES[BulkChange.REINSTATE])
    async def reinstate(
        self,
        interaction: Interaction,
        product: TEXT | None = None,
        status: str | None = None,
        holder: discord.User | None = None,
        tell_members: bool = False,  # noqa: FBT001, FBT002 - an option
    ) -> None:
        meant = Meant(BulkChange.REINSTATE, _selection(product, status, holder), tell=tell_members)
        await _ask(interaction, meant, None)


def _selection(product: str | None, status: str | None, holder: discord.User | None) -> Selection:
    return Selection(
        product=product, status=Status(status) if status else None, discord_id=holder.id if holder else None
    )


async def _ask(interaction: Interaction, meant: Meant, reason: str | None) -> None:
    by = await acknowledge(interaction)
    shown = await bulk_questions.question(interaction, by, meant, reason=(reason or "").strip() or None)
    await interaction.followup.send(view=shown, ephemeral=True)
