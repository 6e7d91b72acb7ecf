"""The question before many licenses are changed, and the button that does it to exactly those that were shown.

The button's id holds what was selected, how many licenses that was and a digest of which, so it does the same after a
restart. If they are not the same when somebody presses, they are asked again.
"""

import asyncio
from dataclasses import dataclass, replace

import discord

from cogs.actors import acknowledge_in_place
from cogs.bulk_answers import LongAnswer, Part
from cogs.context import Interaction, context_of
from cogs.ui import bulk_layouts, license_layouts
from cogs.ui.layouts import shown_text
from cogs.ui.persistent import Cancel, Persistent, button, note
from i18n import gettext as _
from licensing.errors import Refusal
from licensing.models import Actor
from licensing.ports import Unavailable
from licensing.services.bulk import BulkChange, Preview, Selection
from licensing.verdict import Status

_ID = (
    r"bulk:v1:(?P<change>revoke|suspend|reinstate):(?P<product_id>\d{1,12}):(?P<status>[a-z_]{0,11})"
    r":(?P<holder_id>\d{1,20}):(?P<up_to_id>\d{1,12}):(?P<count>\d{1,9}):(?P<digest>[0-9a-f]{1,8}):(?P<tell>[01])"
)


@dataclass(frozen=True, slots=True)
class Meant:
    """A change, to which licenses, and whether their holders are told; `count` and `digest` are what was shown."""

    change: BulkChange
    selection: Selection
    tell: bool
    count: int = 0
    digest: int = 0

    def shown(self, preview: Preview) -> "Meant":
        """Return the same as it was shown."""
        selection = replace(preview.selection, product=preview.product.id if preview.product else None)
        return replace(self, selection=selection, count=preview.count, digest=preview.digest)

    def is_what_was_shown(self, preview: Preview) -> bool:
        """Tell whether the very licenses are meant that were shown."""
        return (preview.count, preview.digest) == (self.count, self.digest)

    @property
    def custom_id(self) -> str:
        """Everything in at most 100 characters; 0 and nothing are any."""
        it = self.selection
        named = it.product or 0, it.status or "", it.discord_id or 0, it.up_to_id or 0
        return ":".join(
            map(str, ("bulk:v1", self.change.value, *named, self.count, f"{self.digest:x}", int(self.tell)))
        )


class Now(Persistent, template=_ID):
    """Does it, with the reason that its message shows, if any."""

    def __init__(  # noqa: PLR0917 - the groups of its id
        self,
        change: str,
        product_id: str,
        status: str,
        holder_id: str,
        up_to_id: str,
        count: str,
        digest: str,
        tell: str,
    ) -> None:
        selection = Selection(
            product=int(product_id) or None,
            status=Status(status) if status else None,
            discord_id=int(holder_id) or None,
            up_to_id=int(up_to_id),
        )
        self._meant = Meant(BulkChange(change), selection, tell == "1", int(count), int(digest, 16))
        label = _(bulk_layouts.WORDINGS[self._meant.change].confirm).format(count=count)
        super().__init__(button(label, self._meant.custom_id, discord.ButtonStyle.danger))

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        jobs, message = context_of(interaction).jobs, interaction.message
        message_id = message.id if message else interaction.id
        if message_id in jobs:
            await interaction.followup.send(_("This is being done already."), ephemeral=True)
        elif jobs.is_finished(message_id):
            await interaction.followup.send(_("This is done already; see the message itself."), ephemeral=True)
        else:
            with jobs.running(message_id):
                reason = shown_text(message, license_layouts.REASON_ID)
                if await _confirmed(interaction, by, self._meant, reason):
                    jobs.finish(message_id)


async def question(interaction: Interaction, by: Actor, meant: Meant, *, reason: str | None) -> discord.ui.LayoutView:
    """Return the question whether to do it, or that there is nothing to do.

    Raises: as `BulkService.preview`.
    """
    preview = await context_of(interaction).services.bulk.preview(by, meant.change, meant.selection)
    return _asked(interaction, meant, preview, reason=reason)


def _asked(
    interaction: Interaction, meant: Meant, preview: Preview, *, reason: str | None, lead: str = ""
) -> discord.ui.LayoutView:
    if not preview.count:
        return bulk_layouts.nothing(meant.change, preview)
    context = context_of(interaction)
    return bulk_layouts.question(
        meant.change,
        preview,
        [context.services.licenses.key_tail(view) for view in preview.sample],
        now_ms=context.clock(),
        reason=reason,
        tell=meant.tell,
        items=[_button(meant.shown(preview)), Cancel()],
        lead=lead,
    )


def _button(meant: Meant) -> Now:
    return Now(*meant.custom_id.removeprefix("bulk:v1:").split(":"))


async def _confirmed(interaction: Interaction, by: Actor, meant: Meant, reason: str | None) -> bool:
    """Do it, if that is to the very licenses that were shown, else ask again; tell whether it was done."""
    preview = await context_of(interaction).services.bulk.preview(by, meant.change, meant.selection)
    if meant.is_what_was_shown(preview):
        await _apply(interaction, by, meant, preview, reason=reason)
        return True
    shown = _asked(interaction, meant, preview, reason=reason, lead=_what_differs(meant, preview))
    await interaction.edit_original_response(view=shown)
    return False


def _what_differs(meant: Meant, preview: Preview) -> str:
    if preview.count == meant.count:
        return _("**It is not the same any more:** other licenses were meant when you were asked.")
    return _("**It is not the same any more:** there were {count} when you were asked.").format(count=meant.count)


async def _apply(interaction: Interaction, by: Actor, meant: Meant, preview: Preview, *, reason: str | None) -> None:
    change, bulk, nothing_yet = meant.change, context_of(interaction).services.bulk, (0, preview.count)
    answer = LongAnswer(interaction, lambda done, total: bulk_layouts.going_on(change, done, total))
    await interaction.edit_original_response(view=note(bulk_layouts.going_on(change, *nothing_yet)))
    try:
        async with answer:
            applied = await bulk.change(
                by, change, preview.selection, reason=reason, tell=meant.tell, progress=answer.reached
            )
    except asyncio.CancelledError:
        await answer.finish([Part(view=note(bulk_layouts.interrupted(change, answer.at or nothing_yet)))])
        raise
    except Exception:
        await answer.finish([Part(view=await _asked_anew(interaction, by, meant, preview, reason=reason))])
        raise
    await answer.finish([Part(view=bulk_layouts.done(change, preview, applied, tell=meant.tell))])


async def _asked_anew(
    interaction: Interaction, by: Actor, meant: Meant, preview: Preview, *, reason: str | None
) -> discord.ui.LayoutView:
    """Return the question as it stands after a fault, before which a part may have been done."""
    try:
        now = await context_of(interaction).services.bulk.preview(by, meant.change, meant.selection)
    except (Refusal, Unavailable):
        return _asked(interaction, meant, preview, reason=reason)
    lead = "" if meant.is_what_was_shown(now) else _what_differs(meant, now)
    return _asked(interaction, meant, now, reason=reason, lead=lead)


ITEMS = (Now,)
