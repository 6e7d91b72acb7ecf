"""What people see of licenses that change hands: lists with what can be done, and the steps in words."""

from collections.abc import Callable, Sequence
from typing import Any

import discord

from cogs.ui import words
from cogs.ui.layouts import NEUTRAL, Part, panel
from i18n import N_
from i18n import gettext as _
from licensing.choices import TransferState
from licensing.models import TransferView

LISTED = 8  # a page: each takes four of the forty components that a message may have

_LINE_ROOM = 400
_STATES = {
    TransferState.OFFERED: N_("waits for the recipient until {when}"),
    TransferState.ACCEPTED: N_("accepted; waits for staff until {when}"),
}


def subject(found: TransferView) -> str:
    """Return which license goes from whom to whom."""
    transfer, license_ = found.transfer, found.license
    return _("**{product}** · #{id}: {holder} → {recipient}").format(
        product=words.plain(license_.product.name, 80),
        id=license_.license.id,
        holder=words.person(found.holder.discord_id, found.holder.name),
        recipient=words.person(transfer.to_discord_id, transfer.to_name),
    )


def line(found: TransferView) -> str:
    """Return a pending transfer and what it waits for."""
    state = _(_STATES.get(found.transfer.state, found.transfer.state.value))
    return f"{subject(found)}\n-# {state.format(when=words.when(found.transfer.expires_at_ms))}"[:_LINE_ROOM]


def transfer_list(
    title: str,
    rows: Sequence[tuple[TransferView, Sequence[discord.ui.Item[Any]]]],
    *,
    empty: str,
    turn: Callable[[int, str], discord.ui.Item[Any]],
    page: int = 0,
    lead: str = "",
    items: Sequence[discord.ui.Item[Any]] = (),
) -> discord.ui.LayoutView:
    """Return a page of pending transfers, each over its buttons; `lead` says what has just happened.

    `turn` makes the button to a page; a page that is no longer there is the last one that is.
    """
    last = max(len(rows) - 1, 0) // LISTED
    page = min(page, last)
    if last:
        title += "\n" + _("Page {page} of {pages}").format(page=page + 1, pages=last + 1)
    parts: list[Part] = [part for part in (title, lead) if part]
    if not rows:
        parts.append(empty)
    for found, buttons in rows[page * LISTED : (page + 1) * LISTED]:
        parts.append(line(found))
        parts.append(discord.ui.ActionRow(*buttons))
    turns = [turn(page - 1, _("Previous"))] if page else []
    if page < last:
        turns.append(turn(page + 1, _("Next")))
    return panel(*parts, items=[*turns, *items], color=NEUTRAL)
