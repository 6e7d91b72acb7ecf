"""`/approvals`: what waits for the decision of staff, with the buttons to decide it."""

from collections.abc import Mapping

import discord
from discord import app_commands
from discord.ext import commands

from cogs.actors import acknowledge, acknowledge_in_place
from cogs.context import Interaction, context_of
from cogs.ui import transfer_layouts
from cogs.ui.forms import Field, Form
from cogs.ui.persistent import Persistent, button
from i18n import N_
from i18n import gettext as _
from licensing.models import NOTES_LIMIT, Actor, TransferView

_TRANSFER = r"approval:v1:(?P<transfer_id>\d{1,18})"


class Approvals(commands.Cog):
    """Acknowledges, asks the transfer service, shows."""

    @app_commands.command(description=N_("Transfers that wait for your decision"))
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_messages=True)
    async def approvals(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        await interaction.followup.send(view=await _waiting(interaction, by), ephemeral=True)


class Approve(Persistent, template=_TRANSFER + ":approve"):
    """Lets the transfer happen."""

    def __init__(self, transfer_id: str) -> None:
        style = discord.ButtonStyle.success
        super().__init__(button(_("Approve"), f"approval:v1:{transfer_id}:approve", style))
        self._transfer_id = int(transfer_id)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        found = await context_of(interaction).services.transfers.approve(by, self._transfer_id)
        await _decided(interaction, by, _("Approved: {subject}"), found)


class Deny(Persistent, template=_TRANSFER + ":deny"):
    """Asks for the reason first."""

    def __init__(self, transfer_id: str) -> None:
        super().__init__(button(_("Deny…"), f"approval:v1:{transfer_id}:deny", discord.ButtonStyle.danger))
        self._transfer_id = transfer_id

    async def pressed(self, interaction: Interaction) -> None:
        await DenyForm(self._transfer_id).open(interaction)


class DenyForm(Form, template=_TRANSFER + ":deny:form"):
    """Takes the reason, if there is one; both members are told it."""

    def __init__(self, transfer_id: str) -> None:
        field = Field(
            "reason", _("Reason"), _("Both members are told this; may be empty."), max_length=NOTES_LIMIT, long=True
        )
        super().__init__(
            custom_id=f"approval:v1:{transfer_id}:deny:form", title=_("Deny this transfer"), fields=[field]
        )
        self._transfer_id = int(transfer_id)

    async def submitted(self, interaction: Interaction, typed: Mapping[str, str]) -> None:
        by = await acknowledge_in_place(interaction)
        transfers = context_of(interaction).services.transfers
        found = await transfers.deny(by, self._transfer_id, reason=typed["reason"] or None)
        await _decided(interaction, by, _("Denied: {subject}"), found)


class RefreshApprovals(Persistent, template=r"approval:v1:list"):
    """Shows what waits now."""

    def __init__(self) -> None:
        super().__init__(button(_("Refresh"), "approval:v1:list"))

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        await interaction.edit_original_response(view=await _waiting(interaction, by))


class TurnApprovals(Persistent, template=r"approval:v1:page:(?P<page>\d{1,7})"):
    """Turns to another page of what waits now."""

    def __init__(self, page: str, *, label: str = "") -> None:
        super().__init__(button(label or page, f"approval:v1:page:{page}"))
        self._page = int(page)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        await interaction.edit_original_response(view=await _waiting(interaction, by, page=self._page))


async def _decided(interaction: Interaction, by: Actor, text: str, found: TransferView) -> None:
    lead = text.format(subject=transfer_layouts.subject(found))
    await interaction.edit_original_response(view=await _waiting(interaction, by, lead=lead))


async def _waiting(interaction: Interaction, by: Actor, *, page: int = 0, lead: str = "") -> discord.ui.LayoutView:
    waiting = await context_of(interaction).services.transfers.waiting(by)
    rows = [(each, [Approve(str(each.transfer.id)), Deny(str(each.transfer.id))]) for each in waiting]
    return transfer_layouts.transfer_list(
        _("### Waiting for a decision"),
        rows,
        empty=_("Nothing waits for a decision."),
        turn=lambda number, label: TurnApprovals(str(number), label=label),
        page=page,
        lead=lead,
        items=[RefreshApprovals()],
    )


ITEMS = (Approve, Deny, RefreshApprovals, TurnApprovals)
FORMS = (DenyForm,)
