"""A member's own licenses: the menu, its pages, and the buttons beside one of them."""

from collections.abc import Sequence

import discord

from cogs.actors import acknowledge, acknowledge_in_place
from cogs.context import Interaction, context_of
from cogs.reset_buttons import AskReset
from cogs.transfer_buttons import Give
from cogs.ui import layouts, license_layouts, reset_layouts, words
from cogs.ui.persistent import Persistent, button, picked
from i18n import gettext as _
from i18n import ngettext
from licensing.lifecycle import is_transferable
from licensing.models import LicenseView
from licensing.resets import Standing

PAGE = 25  # options that one menu holds


class Reveal(Persistent, template=r"account:v1:(?P<license_id>\d{1,18}):reveal"):
    """Shows the whole key of one's own license, alone in a message."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Show key"), f"account:v1:{license_id}:reveal"))
        self._license_id = int(license_id)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        key = await context_of(interaction).services.account.reveal(by, self._license_id)
        await interaction.followup.send(key, ephemeral=True)


class Refresh(Persistent, template=r"account:v1:(?P<license_id>\d{1,18}):refresh"):
    """Shows one's own license as it is now."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Refresh"), f"account:v1:{license_id}:refresh"))
        self._license_id = int(license_id)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        found = await context_of(interaction).services.resets.standing(by, self._license_id)
        await interaction.edit_original_response(view=panel(interaction, found))


class Page(Persistent, template=r"account:v1:page:(?P<page>\d{1,6})"):
    """Turns to another page of one's own licenses."""

    def __init__(self, page: str, label: str = "") -> None:
        super().__init__(button(label or page, f"account:v1:page:{page}"))
        self._page = int(page)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        held = await context_of(interaction).services.account.list(by)
        await interaction.edit_original_response(view=overview(interaction, held, page=self._page))


class Choose(Persistent, template=r"account:v1:choose"):
    """Shows the license that was picked from the menu."""

    def __init__(self, options: Sequence[discord.SelectOption] = ()) -> None:
        super().__init__(
            discord.ui.Select(
                custom_id="account:v1:choose",
                placeholder=_("Choose a license to see it"),
                options=list(options),
            )
        )

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        chosen = int(picked(interaction)[0])
        found = await context_of(interaction).services.resets.standing(by, chosen)
        await interaction.followup.send(view=panel(interaction, found), ephemeral=True)


def panel(interaction: Interaction, found: Standing, *, lead: str = "") -> discord.ui.LayoutView:
    """Return what members see of their own license."""
    view = found.view
    key_tail = context_of(interaction).services.account.key_tail(view)
    items: list[Persistent] = [Reveal(str(view.license.id)), Refresh(str(view.license.id))]
    now_ms = context_of(interaction).clock()
    if is_transferable(view.license, view.product, now_ms=now_ms):
        items.append(Give(str(view.license.id)))
    if found.hindrance is None:
        items.append(AskReset(str(view.license.id)))
    below = [reset_layouts.standing_line(found, now_ms=now_ms)]
    return license_layouts.license_panel(
        view, key_tail, now_ms=now_ms, items=items, lead=lead, below=below, staff=False
    )


def overview(interaction: Interaction, held: Sequence[LicenseView], *, page: int) -> discord.ui.LayoutView:
    """Return a member's licenses, a page of them in a menu."""
    if not held:
        return layouts.panel(_("You hold no license here yet; if you were given a key, use `/claim`."))
    last = (len(held) - 1) // PAGE
    page = min(page, last)
    shown = held[page * PAGE : (page + 1) * PAGE]
    title = ngettext("### You hold {count} license here", "### You hold {count} licenses here", len(held))
    parts = [title.format(count=len(held))]
    items = []
    if last:
        parts.append(_("Page {page} of {pages}").format(page=page + 1, pages=last + 1))
        items += [Page(str(page - 1), _("Previous"))] if page else []
        items += [Page(str(page + 1), _("Next"))] if page < last else []
    menu = Choose([_option(interaction, view) for view in shown])
    return layouts.panel(*parts, menu=menu, items=items)


def _option(interaction: Interaction, view: LicenseView) -> discord.SelectOption:
    key_tail = context_of(interaction).services.account.key_tail(view)
    label = words.choice(view, key_tail, now_ms=context_of(interaction).clock(), with_holder=False)
    return discord.SelectOption(label=label, value=str(view.license.id))


ITEMS = (Reveal, Refresh, Page, Choose)
