"""The buttons beside a license that staff look at; each asks the service for permission again."""

import discord

from cogs.actors import acknowledge, acknowledge_in_place
from cogs.context import Interaction, context_of
from cogs.ui import layouts, words
from cogs.ui.errors import report
from cogs.ui.persistent import Cancel, Persistent, button, note
from i18n import gettext as _
from i18n import set_locale
from licensing.models import NOTES_LIMIT, LicenseView

_MODAL_OPEN_S = 15 * 60


class Reveal(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):reveal"):
    """Shows the whole key, alone in a message, and has it written down who asked."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Show key"), f"license:v1:{license_id}:reveal"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        key = await context_of(interaction).services.licenses.reveal(by, f"#{self._license_id}")
        await interaction.followup.send(key, ephemeral=True)


class Refresh(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):refresh"):
    """Shows the license as it is now."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Refresh"), f"license:v1:{license_id}:refresh"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        view = await context_of(interaction).services.licenses.view(by, f"#{self._license_id}")
        await interaction.edit_original_response(view=panel(interaction, view))


class Revoke(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):revoke"):
    """Asks whether to revoke, and says what that would do."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Revoke…"), f"license:v1:{license_id}:revoke", discord.ButtonStyle.danger))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        view = await context_of(interaction).services.licenses.view(by, f"#{self._license_id}")
        await interaction.followup.send(view=confirmation(interaction, view), ephemeral=True)


class RevokeNow(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):revoke:now"):
    """Revokes, with the reason that its message shows, if any."""

    def __init__(self, license_id: str) -> None:
        style = discord.ButtonStyle.danger
        super().__init__(button(_("Revoke for good"), f"license:v1:{license_id}:revoke:now", style))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        reason = layouts.shown_reason(interaction.message)
        view = await context_of(interaction).services.licenses.revoke(by, f"#{self._license_id}", reason=reason)
        await interaction.edit_original_response(view=revoked(view))


class RevokeBecause(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):revoke:because"):
    """Asks for the reason first."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Give a reason…"), f"license:v1:{license_id}:revoke:because"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        await interaction.response.send_modal(Reason(self._license_id))


class Reason(discord.ui.Modal):
    """Takes the reason for a revocation; the holder is told it."""

    def __init__(self, license_id: str, *, typed: str | None = None) -> None:
        super().__init__(title=_("Revoke license #{id}").format(id=license_id), timeout=_MODAL_OPEN_S)
        self._license_id = license_id
        self.reason = discord.ui.TextInput["Reason"](
            style=discord.TextStyle.paragraph, max_length=NOTES_LIMIT, default=typed
        )
        label = discord.ui.Label["Reason"](
            text=_("Reason"), description=_("The holder is told this."), component=self.reason
        )
        self.add_item(label)

    async def on_submit(self, interaction: Interaction) -> None:
        set_locale(str(interaction.locale))
        by = await acknowledge_in_place(interaction)
        licenses = context_of(interaction).services.licenses
        view = await licenses.revoke(by, f"#{self._license_id}", reason=self.reason.value)
        await interaction.edit_original_response(view=revoked(view))
        context_of(interaction).outbox.wake.set()

    async def on_error(self, interaction: Interaction, error: Exception) -> None:  # type: ignore[override]  # discord.py says View's signature holds, and calls it with this one
        await report(interaction, error)


def panel(interaction: Interaction, view: LicenseView, *, lead: str = "") -> discord.ui.LayoutView:
    """Return what staff see of a license, with what can be done about it."""
    license_id = str(view.license.id)
    items: list[Persistent] = [Reveal(license_id), Refresh(license_id)]
    if view.license.revoked_at_ms is None:
        items.append(Revoke(license_id))
    key_tail = context_of(interaction).services.licenses.key_tail(view)
    now_ms = context_of(interaction).clock()
    return layouts.license_panel(view, key_tail, now_ms=now_ms, items=items, lead=lead)


def confirmation(interaction: Interaction, view: LicenseView, *, reason: str | None = None) -> discord.ui.LayoutView:
    """Return the question whether to revoke."""
    license_id = str(view.license.id)
    key_tail = context_of(interaction).services.licenses.key_tail(view)
    items: list[Persistent] = [RevokeNow(license_id), Cancel()]
    if reason is None:
        items.insert(1, RevokeBecause(license_id))
    return layouts.confirm_revoke(view, key_tail, reason=reason, items=items)


def revoked(view: LicenseView) -> discord.ui.LayoutView:
    """Return what is said after a revocation."""
    return note(
        _("License #{id} for {product} is revoked; its next validation is refused.").format(
            id=view.license.id, product=words.plain(view.product.name)
        )
    )


ITEMS = (Reveal, Refresh, Revoke, RevokeNow, RevokeBecause)
