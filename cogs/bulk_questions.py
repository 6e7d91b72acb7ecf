"""The question before many licenses are changed, and the button that does it to exactly those that were shown.

The button's id holds what was selected and how many licenses that was, so it does the same after a restart. If it is
another number when somebody presses, they are asked again.
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
from licensing.models import Actor
from licensing.services.bulk import BulkChange, Preview, Selection
from licensing.verdict import Status

_ID = (
    r"bulk:v1:(?P<change>revoke|suspend|reinstate):(?P<product_id>\d{1,18}):(?P<status>[a-z_]{0,11})"
    r":(?P<holder_id>\d{1,20}):(?P<up_to_id>\d{1,18}):(?P<count>\d{1,9}):(?P<tell>[01])"
)


@dataclass(frozen=True, slots=True)
class Meant:
    """A change, to which licenses, and whether their holders are told; `count` is how many were shown."""

    change: BulkChange
    selection: Selection
    tell: bool
    count: int = 0

    def shown(self, preview: Preview) -> "Meant":
        """Return the same as it was shown."""
        product_id = preview.sample[0].product.id if preview.sample and self.selection.product is not None else None
        return replace(self, selection=replace(preview.selection, product=product_id), count=preview.count)

    @property
    def custom_id(self) -> str:
        """Everything in at most 100 characters; 0 and nothing are any."""
        it = self.selection
        named = it.product or 0, it.status or "", it.discord_id or 0, it.up_to_id or 0
        return ":".join(map(str, ("bulk:v1", self.change.value, *named, self.count, int(self.tell))))


class Now(Persistent, template=_ID):
    """Does it, with the reason that its message shows, if any."""

    def __init__(  # noqa: PLR0917 - the groups of its id
        self, change: str, product_id: str, status: str, holder_id: str, up_to_id: str, count: str, tell: str
    ) -> None:
        selection = Selection(
            product=int(product_id) or None,
            status=Status(status) if status else None,
            discord_id=int(holder_id) or None,
            up_to_id=int(up_to_id),
        )
        self._meant = Meant(BulkChange(change), selection, tell == "1", int(count))
        label = _(bulk_layouts.WORDINGS[self._meant.change].confirm).format(count=count)
        super().__init__(button(label, self._meant.custom_id, discord.ButtonStyle.danger))

    async def pressed(self, interaction: Interaction) -> None:
        by = await acknowledge_in_place(interaction)
        jobs, message = context_of(interaction).jobs, interaction.message
        message_id = message.id if message else interaction.id
        if message_id in jobs:
            await interaction.followup.send(_("This is being done already."), ephemeral=True)
            return
        with jobs.running(message_id):
            await _confirmed(interaction, by, self._meant, shown_text(message, license_layouts.REASON_ID))


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


async def _confirmed(interaction: Interaction, by: Actor, meant: Meant, reason: str | None) -> None:
    """Do it, if that is to as many licenses as were shown; else ask again."""
    preview = await context_of(interaction).services.bulk.preview(by, meant.change, meant.selection)
    if preview.count == meant.count:
        await _apply(interaction, by, meant, preview, reason=reason)
        return
    lead = _("**It is not the same any more:** there were {count} when you were asked.").format(count=meant.count)
    await interaction.edit_original_response(view=_asked(interaction, meant, preview, reason=reason, lead=lead))


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
    except Exception:  # nothing was changed, so the question stands again
        await answer.finish([Part(view=_asked(interaction, meant, preview, reason=reason))])
        raise
    await answer.finish([Part(view=bulk_layouts.done(change, preview, applied, tell=meant.tell))])


ITEMS = (Now,)
