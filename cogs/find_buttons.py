"""Licenses that staff look for: pages of them, the menu to open one, and the file to take them away in.

The ids hold page and filters; the text that was sought may be long, so it stands in the message itself.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import discord

from cogs import export, license_buttons
from cogs.actors import acknowledge, acknowledge_in_place
from cogs.context import Interaction, context_of
from cogs.ui import layouts, license_layouts, words
from cogs.ui.persistent import Persistent, button, picked
from i18n import gettext as _
from i18n import ngettext
from licensing.errors import ExportTooLarge
from licensing.models import Actor
from licensing.services.finder import FIRST, LAST, Found, Place
from licensing.verdict import Status

_TEXT_ID = 920_001
_FILTERS = r"(?P<status>[a-z_]{0,20}):(?P<product_id>\d{1,18}):(?P<holder_id>\d{1,20})"


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; nothing and 0 are any. A holder is looked for alone."""

    text: str = ""
    status: Status | None = None
    product_id: int = 0
    holder_id: int = 0

    @classmethod
    def read(cls, status: str, product_id: str, holder_id: str) -> Self:
        """Return the filters that an id holds."""
        return cls(status=Status(status) if status else None, product_id=int(product_id), holder_id=int(holder_id))

    @property
    def filters(self) -> tuple[str, str, str]:
        """The filters as an id holds them."""
        return self.status.value if self.status else "", str(self.product_id), str(self.holder_id)

    def shown_in(self, message: discord.Message | None) -> "Sought":
        """Return the same with the text that a message shows."""
        text = layouts.shown_text(message, _TEXT_ID) or ""
        return Sought(text, self.status, self.product_id, self.holder_id)


class Turn(Persistent, template=rf"find:v2:page:(?P<place>\d{{0,7}}[nol]\d{{0,18}}):{_FILTERS}"):
    """Turns to the page of newer or older licenses than one, or to the last, as the licenses are now."""

    def __init__(self, place: str, status: str, product_id: str, holder_id: str, *, label: str = "") -> None:
        super().__init__(button(label or place, f"find:v2:page:{place}:{status}:{product_id}:{holder_id}"))
        self._place, self._sought = _place(place), Sought.read(status, product_id, holder_id)

    async def pressed(self, interaction: Interaction) -> None:
        await _turn(interaction, self._sought, self._place)


class EarlierTurn(Persistent, template=rf"find:v1:page:(?P<page>\d{{1,7}}):{_FILTERS}"):
    """Turns to a page by its number alone: what messages of earlier versions show."""

    def __init__(self, page: str, status: str, product_id: str, holder_id: str) -> None:
        super().__init__(button(page, f"find:v1:page:{page}:{status}:{product_id}:{holder_id}"))
        self._page, self._sought = int(page), Sought.read(status, product_id, holder_id)

    async def pressed(self, interaction: Interaction) -> None:
        await _turn(interaction, self._sought, Place(self._page))


class Export(Persistent, template=rf"find:v1:export:{_FILTERS}"):
    """Hands over everything that is sought as a file, whole keys and all."""

    def __init__(self, status: str, product_id: str, holder_id: str) -> None:
        super().__init__(button(_("Export CSV"), f"find:v1:export:{status}:{product_id}:{holder_id}"))
        self._sought = Sought.read(status, product_id, holder_id)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        sought = self._sought.shown_in(interaction.message)
        await send_export(interaction, by, sought)


class Open(Persistent, template=r"find:v1:open"):
    """Shows the license that was picked from the menu."""

    def __init__(self, options: Sequence[discord.SelectOption] = ()) -> None:
        super().__init__(
            discord.ui.Select(
                custom_id="find:v1:open", placeholder=_("Choose a license to see it"), options=list(options)
            )
        )

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        view = await context_of(interaction).services.licenses.view(by, f"#{picked(interaction)[0]}")
        await interaction.followup.send(view=license_buttons.panel(interaction, view), ephemeral=True)


async def results(
    interaction: Interaction, by: Actor, sought: Sought, *, place: Place = FIRST
) -> discord.ui.LayoutView:
    """Return a page of what is sought.

    Raises: NotAllowed, ProductNotFound.
    """
    finder = context_of(interaction).services.finder
    if sought.holder_id:
        found = await finder.held(by, sought.holder_id, place=place)
    else:
        product = sought.product_id or None
        found = await finder.find(by, text=sought.text, product=product, status=sought.status, place=place)
    return _page(interaction, found, sought)


async def send_export(interaction: Interaction, by: Actor, sought: Sought) -> None:
    """Send everything that is sought as a file that nobody else sees.

    Raises: NotAllowed, ProductNotFound, ExportTooLarge.
    """
    product = sought.product_id or None
    finder = context_of(interaction).services.finder
    rows = await finder.export(by, text=sought.text, product=product, status=sought.status)
    data = await asyncio.to_thread(export.table_of, rows)
    if interaction.guild is not None and len(data) > interaction.guild.filesize_limit:
        raise ExportTooLarge(count=len(rows))
    text = ngettext("{count} license with its whole key.", "{count} licenses with their whole keys.", len(rows))
    await interaction.followup.send(
        text.format(count=len(rows)), file=discord.File(export.readable(data), "licenses.csv"), ephemeral=True
    )


def _page(interaction: Interaction, found: Found, sought: Sought) -> discord.ui.LayoutView:
    services, now_ms = context_of(interaction).services, context_of(interaction).clock()
    tails = [services.licenses.key_tail(view) for view in found.views]
    parts: list[Any] = ["\n".join([_title(found), *_filters(found, sought)])]
    if sought.text:
        parts.append(discord.ui.TextDisplay(sought.text, id=_TEXT_ID))
    if not found.views:
        hint = [_("Words are found by their start; accents count.")] if sought.text else []
        return layouts.panel(*parts, *hint)
    parts.append(license_layouts.license_list(found.views, tails, now_ms=now_ms))
    options = [
        discord.SelectOption(label=words.choice(view, tail, now_ms=now_ms), value=str(view.license.id))
        for view, tail in zip(found.views, tails, strict=True)
    ]
    return layouts.panel(*parts, menu=Open(options), items=_buttons(found, sought))


def _title(found: Found) -> str:
    if found.is_more:
        return _("### More than {count} licenses found").format(count=found.count)
    return ngettext("### {count} license found", "### {count} licenses found", found.count).format(count=found.count)


def _filters(found: Found, sought: Sought) -> list[str]:
    lines = []
    if sought.holder_id:
        lines.append(_("**Holder:** {holder}").format(holder=f"<@{sought.holder_id}>"))
    if sought.product_id and found.views:
        lines.append(_("**Product:** {product}").format(product=words.plain(found.views[0].product.name)))
    if sought.status:
        lines.append(_("**Status:** {status}").format(status=words.status(sought.status)))
    lines += _page_number(found)
    if sought.text:
        lines.append(_("**Search:**"))
    return lines


def _page_number(found: Found) -> list[str]:
    if found.page is None:
        return [_("A page between the first and the last") if found.has_older else _("Last page")]
    if found.last_page is None:
        return [_("Page {page}").format(page=found.page + 1)]
    if not found.last_page:
        return []
    return [_("Page {page} of {pages}").format(page=found.page + 1, pages=found.last_page + 1)]


def _buttons(found: Found, sought: Sought) -> list[Persistent]:
    filters = status, product_id, holder_id = sought.filters
    items: list[Persistent] = []
    if found.has_newer:
        page = "" if found.page is None else max(found.page - 1, 0)
        items.append(Turn(f"{page}n{found.views[0].license.id}", *filters, label=_("Previous")))
    if found.has_older:
        page = "" if found.page is None else found.page + 1
        items.append(Turn(f"{page}o{found.views[-1].license.id}", *filters, label=_("Next")))
        if found.is_more:
            items.append(Turn("l", *filters, label=_("Last")))
    return items if sought.holder_id else [*items, Export(status, product_id, holder_id)]


def _place(text: str) -> Place:
    """Return the page that an id names: its number if it has one, which way it lies, and from which license."""
    page, way, id_ = re.split("([nol])", text)
    if way == "l":
        return LAST
    number, edge = int(page) if page else None, int(id_ or 0)
    return Place(number, after_id=edge) if way == "n" else Place(number, before_id=edge)


async def _turn(interaction: Interaction, sought: Sought, place: Place) -> None:
    by = await acknowledge_in_place(interaction)
    shown = sought.shown_in(interaction.message)
    await interaction.edit_original_response(view=await results(interaction, by, shown, place=place))


ITEMS = (Turn, EarlierTurn, Export, Open)
