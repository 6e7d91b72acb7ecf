"""The steps that members take of a transfer, by buttons that work in the server and in direct messages alike.

Their ids name the server: in a direct message Discord does not.
"""

from collections.abc import Sequence

import discord

from cogs.actors import acknowledge, acknowledge_as_member, acknowledge_in_place
from cogs.context import Interaction, context_of
from cogs.options import check_recipient
from cogs.ui import layouts, transfer_layouts, words
from cogs.ui.persistent import Persistent, button, note
from i18n import N_
from i18n import gettext as _
from licensing.choices import TransferRule, TransferState
from licensing.errors import RecipientNotAMember
from licensing.models import Actor, TransferView

_STEPS = {"accept": N_("Accept"), "decline": N_("Decline"), "cancel": N_("Cancel the transfer")}
_STYLES = {"accept": discord.ButtonStyle.success}


class Step(
    Persistent,
    template=r"transfer:v1:(?P<guild_id>\d{1,20}):(?P<transfer_id>\d{1,18}):(?P<step>accept|decline|cancel)",
):
    """Accepts, declines or cancels, as far as the service lets whoever presses it."""

    def __init__(self, guild_id: str, transfer_id: str, step: str) -> None:
        style = _STYLES.get(step, discord.ButtonStyle.secondary)
        super().__init__(button(_(_STEPS[step]), f"transfer:v1:{guild_id}:{transfer_id}:{step}", style))
        self._guild_id, self._transfer_id, self._step = int(guild_id), int(transfer_id), step

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_as_member(interaction, self._guild_id)
        transfers = context_of(interaction).services.transfers
        steps = {"accept": transfers.accept, "decline": transfers.decline, "cancel": transfers.cancel}
        found = await steps[self._step](by, self._transfer_id)
        await interaction.edit_original_response(view=note(happened(found)))


class Give(Persistent, template=r"account:v1:(?P<license_id>\d{1,18}):transfer"):
    """Asks whom to give one's own license to."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Transfer…"), f"account:v1:{license_id}:transfer"))
        self._license_id = int(license_id)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        view = await context_of(interaction).services.account.view(by, self._license_id)
        text = _("### Transfer {product} · #{id}\nWhoever you choose is asked first; until then nothing changes.")
        asked = text.format(product=words.plain(view.product.name), id=view.license.id)
        await interaction.followup.send(view=layouts.panel(asked, menu=GiveTo(str(self._license_id))), ephemeral=True)


class GiveTo(Persistent, template=r"account:v1:(?P<license_id>\d{1,18}):transfer:to"):
    """Offers one's own license to the member who was picked."""

    def __init__(self, license_id: str) -> None:
        super().__init__(
            discord.ui.UserSelect(custom_id=f"account:v1:{license_id}:transfer:to", placeholder=_("Choose a member"))
        )
        self._license_id = int(license_id)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        menu = self.item
        chosen = menu.values[0] if isinstance(menu, discord.ui.UserSelect) else None
        if chosen is None:
            raise RecipientNotAMember
        found = await offer(interaction, by, self._license_id, chosen)
        await interaction.followup.send(view=offered(found), ephemeral=True)


async def offer(
    interaction: Interaction, by: Actor, license_id: int, to: discord.User | discord.Member
) -> TransferView:
    """Offer a license to a member.

    Raises: RecipientNotAMember, HolderIsBot, and what the service refuses.
    """
    check_recipient(to)
    transfers = context_of(interaction).services.transfers
    return await transfers.offer(by, license_id, to_discord_id=to.id, to_name=to.display_name)


def offered(found: TransferView) -> discord.ui.LayoutView:
    """Return what the holder is told after offering a license, with the way back."""
    transfer = found.transfer
    text = _(
        "{subject}\nThey are asked by direct message; if they take none, they find the offer under `/transfer list`. "
        "It ends {when}."
    ).format(subject=transfer_layouts.subject(found), when=words.when(transfer.expires_at_ms))
    if found.license.product.settings.transfers is TransferRule.STAFF:
        text += "\n" + _("Until they accept and staff approve, nothing changes.")
    else:
        text += "\n" + _("Until they accept, nothing changes.")
    return layouts.panel(text, items=[Step(str(transfer.organization_id), str(transfer.id), "cancel")])


def happened(found: TransferView) -> str:
    """Return what a step has led to."""
    texts = {
        TransferState.ACCEPTED: _("You accepted; the license is yours once the staff of the server approve."),
        TransferState.DONE: _("The license is yours now; its key is under `/licenses`."),
        TransferState.DECLINED: _("You declined; the license stays where it is."),
        TransferState.CANCELLED: _("The transfer is cancelled; the license stays yours."),
    }
    return f"{transfer_layouts.subject(found)}\n{texts[found.transfer.state]}"


class Turn(Persistent, template=r"transfer:v1:page:(?P<page>\d{1,7})"):
    """Turns to another page of a member's transfers, as they are now."""

    def __init__(self, page: str, *, label: str = "") -> None:
        super().__init__(button(label or page, f"transfer:v1:page:{page}"))
        self._page = int(page)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        pending = await context_of(interaction).services.transfers.mine(by)
        await interaction.edit_original_response(view=overview(by, pending, page=self._page))


def overview(by: Actor, pending: Sequence[TransferView], *, page: int = 0) -> discord.ui.LayoutView:
    """Return a page of a member's transfers, coming and going."""
    return transfer_layouts.transfer_list(
        _("### Transfers"),
        [(found, _steps(by, found)) for found in pending],
        empty=_("Nothing is being transferred from you or to you; `/transfer request` offers a license to a member."),
        turn=lambda number, label: Turn(str(number), label=label),
        page=page,
    )


def _steps(by: Actor, found: TransferView) -> list[Persistent]:
    ids = str(found.transfer.organization_id), str(found.transfer.id)
    if found.holder.discord_id == by.id:
        return [Step(*ids, "cancel")]
    if found.transfer.state is TransferState.OFFERED:
        return [Step(*ids, "accept"), Step(*ids, "decline")]
    return [Step(*ids, "decline")]


ITEMS = (Step, Give, GiveTo, Turn)
