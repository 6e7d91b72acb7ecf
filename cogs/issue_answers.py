"""The answer to `/license issue`: what became of the message with the key, also if that takes a while."""

import asyncio
from dataclasses import dataclass

import discord

from cogs import license_buttons
from cogs.context import Interaction
from cogs.outbox import Outbox, Outcome
from cogs.ui.errors import report
from i18n import gettext as _
from licensing.services.licenses import Issued

DM_WAIT_S = 8.0
ANSWER_LIFE_S = 14 * 60.0  # Discord lets an answer be changed for 15 minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long to hold the answer back for the outcome, and how long to watch for it afterwards."""

    first_s: float = DM_WAIT_S
    longest_s: float = ANSWER_LIFE_S


class IssueAnswers:
    """Shows an issued license, and corrects what was said once more is known."""

    def __init__(self, outbox: Outbox, waits: Waits) -> None:
        self._outbox = outbox
        self._waits = waits
        self._watches: set[asyncio.Task[None]] = set()

    async def show(self, interaction: Interaction, issued: Issued, *, told: bool, note: str) -> None:
        """Answer at once where nobody is told, else when the outcome is known or has kept staff waiting."""
        outcome = Outcome.NOBODY
        if told:
            outcome = await self._outbox.outcome(issued.event_id, within_s=self._waits.first_s)
        await interaction.followup.send(view=_panel(interaction, issued, _said(outcome) + note), ephemeral=True)
        await _hand_over(interaction, issued, outcome)
        if outcome is Outcome.PENDING:
            watch = asyncio.create_task(self._watch(interaction, issued, note), name="issue answer")
            self._watches.add(watch)
            watch.add_done_callback(self._watches.discard)

    async def close(self) -> None:
        """Stop watching."""
        watches = list(self._watches)
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)

    async def _watch(self, interaction: Interaction, issued: Issued, note: str) -> None:
        try:
            left_s = self._waits.longest_s - self._waits.first_s
            outcome = await self._outbox.outcome(issued.event_id, within_s=left_s)
            said = _too_late() if outcome is Outcome.PENDING else _said(outcome)
            await interaction.edit_original_response(view=_panel(interaction, issued, said + note))
            await _hand_over(interaction, issued, outcome)
        except Exception as error:  # noqa: BLE001 - the last door of a task that nobody awaits
            await report(interaction, error)


async def _hand_over(interaction: Interaction, issued: Issued, outcome: Outcome) -> None:
    if outcome in (Outcome.CLOSED, Outcome.LOST, Outcome.NOBODY):
        await interaction.followup.send(issued.key, ephemeral=True)


def _panel(interaction: Interaction, issued: Issued, lead: str) -> discord.ui.LayoutView:
    return license_buttons.panel(interaction, issued.view, lead=lead)


def _said(outcome: Outcome) -> str:
    if outcome is Outcome.DELIVERED:
        return _("Issued; the member was sent the key by direct message.")
    if outcome is Outcome.CLOSED:
        return _("Issued, but the member takes no direct messages: hand over the key from the next message.")
    if outcome is Outcome.LOST:
        return _("Issued, but the member could not be sent the key: hand it over from the next message.")
    if outcome is Outcome.PENDING:
        return _("Issued; the direct message with the key is on its way.")
    return _("Issued; hand over the key from the next message.")


def _too_late() -> str:
    return _("Issued; the direct message with the key is still on its way. To hand it over yourself, press Show key.")
