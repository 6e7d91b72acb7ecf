"""`/license issue` of more than one: a few keys as messages to be copied, many as a file."""

import asyncio
import logging
from collections.abc import Sequence

from cogs.bulk_answers import LongAnswer, Part
from cogs.context import Interaction, context_of
from cogs.ui import bulk_layouts
from cogs.ui.persistent import note
from i18n import ngettext
from licensing.choices import ActorKind
from licensing.errors import Refusal
from licensing.models import Actor, LicenseView
from licensing.ports import Unavailable
from licensing.services.bulk import Lot
from licensing.services.terms import Terms
from licensing.spreadsheet import COLUMNS, csv_of, row_of
from licensing.verdict import license_status

MOST = 10_000

log = logging.getLogger(__name__)

_AS_MESSAGES = 10


async def issue_many(interaction: Interaction, by: Actor, terms: Terms, count: int) -> None:
    """Issue so many licenses on the same terms and hand over their keys; if it gets stuck, those that there are.

    Raises: as `BulkService.issue`; and a fault that came in between, after the keys are handed over.
    """
    context, done = context_of(interaction), list[tuple[int, str]]()
    answer = LongAnswer(interaction, lambda _done, total: bulk_layouts.issuing(_ids(done), total))
    try:
        with context.jobs.running(interaction.id):
            async with answer:
                lot = await context.services.bulk.issue(by, terms, count, progress=answer.reached, done=done)
                view = await _first_of(interaction, by, lot)
    except asyncio.CancelledError:
        await answer.finish([Part(view=note(bulk_layouts.issue_interrupted(_ids(done), count)))])
        raise
    await _hand_over(interaction, answer, lot, view, bulk_layouts.Asked(terms, count))
    if not isinstance(lot.stopped_by, Refusal | Unavailable | None):
        raise lot.stopped_by


async def _hand_over(
    interaction: Interaction, answer: LongAnswer, lot: Lot, view: LicenseView | None, asked: bulk_layouts.Asked
) -> None:
    keys, has_notes = await _keys(interaction, lot, view)
    panel = bulk_layouts.issued(lot, view, asked, as_file=keys[0].filename != "", has_notes=has_notes)
    if not await answer.finish([Part(view=panel), *keys]):
        said = "%s licenses (#%s to #%s) of server %s are issued; their keys reached nobody, and an export has them"
        log.warning(said, len(lot.keys), lot.keys[0][0], lot.keys[-1][0], lot.license.organization_id)


def _ids(keys: Sequence[tuple[int, str]]) -> Sequence[int]:
    return [license_id for license_id, _ in keys]


async def _first_of(interaction: Interaction, by: Actor, lot: Lot) -> LicenseView | None:
    """Return one that shows what all are alike in; None if the store is away, which no key may be lost over."""
    itself = Actor(organization_id=by.organization_id, kind=ActorKind.SYSTEM)
    try:
        return await context_of(interaction).services.licenses.view(itself, f"#{lot.keys[0][0]}")
    except Unavailable:
        return None


async def _keys(interaction: Interaction, lot: Lot, view: LicenseView | None) -> tuple[Sequence[Part], bool]:
    """Return what hands the keys over, and whether the notes could be kept in it."""
    if len(lot.keys) <= _AS_MESSAGES:
        return [Part(text=key) for _id, key in lot.keys], True
    most = interaction.guild.filesize_limit if interaction.guild else 0
    data, has_notes = await asyncio.to_thread(_table, lot, view, now_ms=context_of(interaction).clock(), most=most)
    text = ngettext("{count} license with its whole key.", "{count} licenses with their whole keys.", len(lot.keys))
    return [Part(text=text.format(count=len(lot.keys)), data=data, filename="licenses.csv")], has_notes


def _table(lot: Lot, view: LicenseView | None, *, now_ms: int, most: int) -> tuple[bytes, bool]:
    """Return the file of an export; without the notes, which stand in every line, if a file could not be so large."""
    alike = dict.fromkeys(COLUMNS)
    if view is not None:
        status = license_status(view.license, view.product, now_ms=now_ms)
        alike = row_of(view, key="", status=status.value)
    rows = [{**alike, "license_id": license_id, "license_key": key} for license_id, key in lot.keys]
    data = _encoded(rows)
    if len(data) <= most or alike["notes"] is None:
        return data, True
    return _encoded([{**row, "notes": None} for row in rows]), False


def _encoded(rows: Sequence[dict[str, object]]) -> bytes:
    return csv_of(rows).encode("utf-8-sig")
