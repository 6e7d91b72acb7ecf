"""The buttons and the form that block addresses, take blocks back and turn the pages of a blacklist."""

from collections.abc import Mapping
from dataclasses import replace

import discord

from cogs.actors import acknowledge, acknowledge_in_place
from cogs.context import Interaction, context_of
from cogs.ui import blacklist_layouts
from cogs.ui.forms import Field, Form
from cogs.ui.layouts import shown_text
from cogs.ui.persistent import Cancel, Persistent, button
from i18n import gettext as _
from licensing.models import NOTES_LIMIT, Actor
from licensing.services.blacklist import Entry
from licensing.services.block_targets import EVERYBODY, Target
from licensing.services.reach import Reach

ADDRESS_LENGTH = 100

_TARGET = r"(?P<target>e|[mcl]\d{1,20})"  # everybody, a member, a customer or a license


class Blacklist(Persistent, template=r"license:v1:(?P<license_id>\d{1,18}):blacklist"):
    """Asks which address shall not use the license."""

    def __init__(self, license_id: str) -> None:
        super().__init__(button(_("Blacklist…"), f"license:v1:{license_id}:blacklist"))
        self._license_id = license_id

    async def pressed(self, interaction: Interaction) -> None:
        await BlacklistForm(self._license_id).open(interaction)


class BlacklistForm(Form, template=r"license:v1:(?P<license_id>\d{1,18}):blacklist:form"):
    """Takes the address and the reason."""

    def __init__(self, license_id: str) -> None:
        super().__init__(
            custom_id=f"license:v1:{license_id}:blacklist:form",
            title=_("Block for license #{id}").format(id=license_id),
            fields=[
                Field(
                    "address",
                    _("Address or range"),
                    _("203.0.113.7, 203.0.113.0/24 or 2001:db8::/48"),
                    max_length=ADDRESS_LENGTH,
                    required=True,
                ),
                Field("reason", _("Reason"), _("Something only staff see"), max_length=NOTES_LIMIT, long=True),
            ],
        )
        self._license_id = license_id

    async def submitted(self, interaction: Interaction, typed: Mapping[str, str]) -> None:
        by = await acknowledge(interaction)
        target = Target(license=f"#{self._license_id}")
        await block(interaction, by, network=typed["address"], reason=typed["reason"], target=target)


class BlockNow(Persistent, template=rf"blacklist:v1:add:{_TARGET}:(?P<network>[0-9a-f.:]{{2,40}}(?:/\d{{1,3}})?)"):
    """Blocks what was asked about, with the reason and the member's name that its message shows, if any."""

    def __init__(self, target: str, network: str) -> None:
        super().__init__(button(_("Block it"), f"blacklist:v1:add:{target}:{network}", discord.ButtonStyle.danger))
        self._target, self._network = read(target), network

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        blacklist = context_of(interaction).services.blacklist
        reason = shown_text(interaction.message, blacklist_layouts.REASON_ID)
        target = replace(self._target, name=shown_text(interaction.message, blacklist_layouts.NAME_ID))
        entry = await blacklist.add(by, network=self._network, reason=reason, target=target)
        await interaction.edit_original_response(view=_blocked(interaction, entry, None))


class Unblock(Persistent, template=r"blacklist:v1:remove:(?P<block_id>\d{1,18})"):
    """Takes back what its message says was blocked."""

    def __init__(self, block_id: str) -> None:
        super().__init__(button(_("Unblock"), f"blacklist:v1:remove:{block_id}"))
        self._block_id = block_id

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        entry = await context_of(interaction).services.blacklist.remove(by, network=f"#{self._block_id}")
        await interaction.edit_original_response(view=blacklist_layouts.unblocked(entry))


class TurnBlocks(Persistent, template=rf"blacklist:v1:page:(?P<page>\d{{1,7}}):{_TARGET}"):
    """Turns to another page, as the list is now."""

    def __init__(self, page: str, target: str, *, label: str = "") -> None:
        super().__init__(button(label or page, f"blacklist:v1:page:{page}:{target}"))
        self._page, self._target = int(page), read(target)

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        shown = await listing(interaction, by, self._target, page=self._page)
        await interaction.edit_original_response(view=shown)


async def block(
    interaction: Interaction, by: Actor, *, network: str, reason: str | None, target: Target = EVERYBODY
) -> None:
    """Block an address and show what that concerns; a wide range is asked about first, and what many use.

    Raises: as `BlacklistService.add`.
    """
    blacklist = context_of(interaction).services.blacklist
    preview = await blacklist.preview(by, network=network, reason=reason, target=target)
    if preview.is_wide or preview.is_shared:
        items = [BlockNow(code(preview.target), preview.entry.block.network), Cancel()]
        shown = blacklist_layouts.question(preview, typed=network, hashed=_is_hashed(interaction), items=items)
    else:
        entry = await blacklist.add(by, network=network, reason=reason, target=target)
        shown = _blocked(interaction, entry, preview.reach, typed=network)
    await interaction.followup.send(view=shown, ephemeral=True)


async def listing(interaction: Interaction, by: Actor, target: Target, *, page: int = 0) -> discord.ui.LayoutView:
    """Return a page of what is blocked.

    Raises: as `BlacklistService.list`.
    """
    found = await context_of(interaction).services.blacklist.list(by, target=target, page=page)
    items: list[Persistent] = []
    if found.page:
        items.append(TurnBlocks(str(found.page - 1), code(found.target), label=_("Previous")))
    if found.page < found.last_page:
        items.append(TurnBlocks(str(found.page + 1), code(found.target), label=_("Next")))
    return blacklist_layouts.block_list(found, hashed=_is_hashed(interaction), items=items)


def code(target: Target) -> str:
    """Return a target that is named by ids as a button's id holds it."""
    if target.license is not None:
        return f"l{target.license.removeprefix('#')}"
    if target.customer_id is not None:
        return f"c{target.customer_id}"
    return f"m{target.discord_id}" if target.discord_id is not None else "e"


def read(text: str) -> Target:
    """Return the target that a button's id holds."""
    if text.startswith("l"):
        return Target(license=f"#{text[1:]}")
    if text.startswith("c"):
        return Target(customer_id=int(text[1:]))
    return Target(discord_id=int(text[1:])) if text.startswith("m") else EVERYBODY


def _blocked(
    interaction: Interaction, entry: Entry, reach: Reach | None, *, typed: str = ""
) -> discord.ui.LayoutView:
    items = [Unblock(str(entry.block.id))]
    return blacklist_layouts.blocked(entry, reach, typed=typed, hashed=_is_hashed(interaction), items=items)


def _is_hashed(interaction: Interaction) -> bool:
    """Tell whether registered addresses are kept as keyed hashes alone."""
    return context_of(interaction).counting.pseudonym is not None


ITEMS = (Blacklist, BlockNow, Unblock, TurnBlocks)
FORMS = (BlacklistForm,)
