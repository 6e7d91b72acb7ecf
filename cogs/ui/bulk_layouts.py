"""What people see of many licenses at once: how far it is, a question before a change, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import discord

from cogs.ui import words
from cogs.ui.layouts import BAD, GOOD, NEUTRAL, Items, panel
from cogs.ui.license_layouts import REASON_ID, license_list
from i18n import N_
from i18n import gettext as _
from i18n.refusals import sentence
from licensing.models import LicenseView
from licensing.ports import Unavailable
from licensing.services.bulk import Applied, BulkChange, Lot, Preview
from licensing.services.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How a change of many licenses is spoken of; `left_alone` are those that it cannot be done to."""

    asked: str
    confirm: str
    consequence: str
    going_on: str
    done: str
    left_alone: str
    nothing: str


WORDINGS: Mapping[BulkChange, Wording] = {
    BulkChange.REVOKE: Wording(
        asked=N_("### Revoke these licenses for good?"),
        confirm=N_("Revoke for good ({count})"),
        consequence=N_(
            "The very next validation is refused, and nobody in Discord can take this back: "
            "to restore access, a new license must be issued."
        ),
        going_on=N_("Revoking… {done} of {total}"),
        done=N_("### Revoked: {changed} of {total} licenses"),
        left_alone=N_("**Left alone:** {count}, revoked already"),
        nothing=N_("None of these licenses can be revoked; nothing was changed."),
    ),
    BulkChange.SUSPEND: Wording(
        asked=N_("### Suspend these licenses?"),
        confirm=N_("Suspend ({count})"),
        consequence=N_("The very next validation is refused, until somebody reinstates the license."),
        going_on=N_("Suspending… {done} of {total}"),
        done=N_("### Suspended: {changed} of {total} licenses"),
        left_alone=N_("**Left alone:** {count}, suspended or revoked already"),
        nothing=N_("None of these licenses can be suspended; nothing was changed."),
    ),
    BulkChange.REINSTATE: Wording(
        asked=N_("### Reinstate these licenses?"),
        confirm=N_("Reinstate ({count})"),
        consequence=N_("The very next validation is accepted again, unless something else stands against it."),
        going_on=N_("Reinstating… {done} of {total}"),
        done=N_("### Reinstated: {changed} of {total} licenses"),
        left_alone=N_("**Left alone:** {count}, not suspended"),
        nothing=N_("None of these licenses can be reinstated; nothing was changed."),
    ),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked to be issued: on which terms, and how many."""

    terms: Terms
    count: int


def issuing(ids: Sequence[int], total: int) -> str:
    """Return how far the issue of many licenses is, and who has the keys if it never ends."""
    far = _("Issuing… {done} of {total}").format(done=len(ids), total=total)
    lost = _("-# If no keys come in the end, neither here nor by direct message:")
    return f"{far} ({_numbers(ids)})\n{lost} {_export_has_them()}"


def issue_interrupted(ids: Sequence[int], total: int) -> str:
    """Return what is said when the bot stops before all are issued; what was under way may be issued or not."""
    if not ids:
        return _("The bot was stopped before it could tell whether any was issued; see `/license find`.")
    said = _("**The bot was stopped:** {count} of {total} licenses were issued ({numbers}), perhaps some more.")
    return f"{said.format(count=len(ids), total=total, numbers=_numbers(ids))} {_export_has_them()}"


def _export_has_them() -> str:
    return _(
        "What was issued is on top in `/license find`, and whoever has the permission `licenses:export` gets the "
        "keys there with *Export CSV*."
    )


def _numbers(ids: Sequence[int]) -> str:
    return _("#{first} to #{last}").format(first=ids[0], last=ids[-1])


def issued(
    lot: Lot, view: LicenseView | None, asked: Asked, *, as_file: bool, has_notes: bool
) -> discord.ui.LayoutView:
    """Return what was issued, and where its keys are."""
    parts = [_("### Issued: {count} of {total} licenses").format(count=len(lot.keys), total=asked.count)]
    if lot.stopped_by is not None:
        parts.append(_("**It stopped there:** {why}").format(why=_why(lot.stopped_by)))
    parts.append(_terms(lot, view, asked.terms))
    said = [_("Their keys are in the file below.") if as_file else _("Their keys are in the messages below.")]
    if not has_notes:
        said.append(_("With the notes it would be too large, so they were left out of it."))
    if asked.terms.discord_id is not None:
        said.append(_("The member was not told: hand the keys over."))
    elif asked.terms.email is not None:
        said.append(_("Nothing is mailed: hand the keys over."))
    parts.append(" ".join(said))
    return panel(*parts, color=NEUTRAL if lot.stopped_by is None else BAD)


def _terms(lot: Lot, view: LicenseView | None, terms: Terms) -> str:
    numbers = _numbers([license_id for license_id, _key in lot.keys])
    lines = [
        _("**Product:** {product}").format(product=words.plain(view.product.name if view else terms.product)),
        _("**Numbers:** {numbers}").format(numbers=numbers),
        _("**Expires:** {when}").format(when=words.expiry(lot.license)),
        _("**Address limit:** {limit}").format(limit=words.limit(lot.license.max_ips)),
    ]
    if view is not None:
        lines.insert(1, _("**Holder:** {holder}").format(holder=words.holder(view.customer)))
        if terms.expiry is None and view.product.settings.default_duration is not None:
            lines.append(_("The end comes from the product's default duration."))
    return "\n".join(lines)


def question(
    change: BulkChange,
    preview: Preview,
    tails: Sequence[str],
    *,
    now_ms: int,
    reason: str | None,
    tell: bool,
    items: Items,
    lead: str = "",
) -> discord.ui.LayoutView:
    """Return which licenses are meant, whose, and what would become of them; the message itself keeps the reason."""
    wording = WORDINGS[change]
    lines = [_(wording.asked), *([lead] if lead else []), *_selected(preview)]
    if preview.left_alone:
        lines.append(_(wording.left_alone).format(count=preview.left_alone))
    some = license_list(preview.sample, tails, now_ms=now_ms)
    more = "\n…" if preview.count > len(preview.sample) else ""
    later = _("Licenses that are issued from now on are not meant.")
    parts = ["\n".join(lines), some + more, "\n".join((_(wording.consequence), later, _who_is_told(preview, tell)))]
    if reason is None:
        return panel(*parts, items=items, color=BAD)
    is_read = tell and preview.holders.in_discord
    heard = _("**Reason, as the holders will read it:**") if is_read else _("**Reason, which is only written down:**")
    return panel(*parts, heard, discord.ui.TextDisplay(reason, id=REASON_ID), items=items, color=BAD)


def nothing(change: BulkChange, preview: Preview) -> discord.ui.LayoutView:
    """Return that nothing is selected that could be changed so."""
    wording, none = WORDINGS[change], _("There are no such licenses; nothing was changed.")
    lines = [_(wording.nothing) if preview.left_alone else none, *_selection(preview)]
    if preview.left_alone:
        lines.append(_(wording.left_alone).format(count=preview.left_alone))
    return panel("\n".join(lines), color=NEUTRAL)


def going_on(change: BulkChange, done: int, total: int) -> str:
    """Return how far a change is, and what to do if it never ends."""
    far = _(WORDINGS[change].going_on).format(done=done, total=total)
    stuck = _("-# If this stands still, the bot was stopped: the same command goes on with the rest.")
    return f"{far}\n{stuck}"


def interrupted(change: BulkChange, reached: tuple[int, int]) -> str:
    """Return what is said when the bot stops in between."""
    far = _(WORDINGS[change].going_on).format(done=reached[0], total=reached[1])
    stopped = _("The bot was stopped here. What is done stays done: the same command goes on with the rest.")
    return f"{far}\n{stopped}"


def done(change: BulkChange, preview: Preview, applied: Applied, *, tell: bool) -> discord.ui.LayoutView:
    """Return what a change did, what it left alone, and who hears of it."""
    wording = WORDINGS[change]
    lines = [_(wording.done).format(changed=applied.changed, total=applied.total), *_selection(preview)]
    if preview.left_alone:
        lines.append(_(wording.left_alone).format(count=preview.left_alone))
    if applied.stopped_by is not None:
        stopped = _("**It stopped there:** {why} The same command goes on with the rest.")
        lines.append(stopped.format(why=_why(applied.stopped_by)))
    elif applied.changed < applied.total:
        lines.append(_("What is missing was changed by somebody else in the meantime."))
    lines.append(_who_is_told(preview, tell))
    return panel("\n".join(lines), color=GOOD if applied.stopped_by is None else BAD)


def _selected(preview: Preview) -> list[str]:
    return [
        _("**Licenses:** {count}").format(count=preview.count),
        _("**People who hold them:** {count}").format(count=preview.holders.count),
        *_selection(preview),
    ]


def _selection(preview: Preview) -> list[str]:
    selection, lines = preview.selection, []
    if selection.product is None:
        lines.append(_("**Product:** {product}").format(product=_("every product of this server")))
    elif preview.product is not None:
        name = words.plain(preview.product.name)
        lines.append(_("**Product:** {product}").format(product=name))
    if selection.status is not None:
        lines.append(_("**Status:** {status}").format(status=words.status(selection.status)))
    if selection.discord_id is not None:
        lines.append(_("**Holder:** {holder}").format(holder=f"<@{selection.discord_id}>"))
    return lines


def _who_is_told(preview: Preview, tell: bool) -> str:  # noqa: FBT001 - the one thing it is about
    """Return who hears of it; roles are spoken of only where somebody in Discord holds a license."""
    people = preview.holders
    if not people.in_discord:
        if tell and people:
            return _("Nobody is told: of the holders, only email addresses are known, and nothing is mailed.")
        return _("Nobody is told by direct message.")
    if not tell:
        return _("Nobody is told by direct message; roles follow by themselves.")
    if people.in_discord == people.count:
        return _("The holders are told by direct message, one after another; roles follow by themselves.")
    return _(
        "The holders in Discord ({count}) are told by direct message, one after another; of the others, only email "
        "addresses are known. Roles follow by themselves."
    ).format(count=people.in_discord)


def _why(stopped_by: Exception) -> str:
    """Return what came in between; that nothing was changed, as is said of a store that is away, is not so here."""
    if isinstance(stopped_by, Unavailable):
        return _("The license database could not be reached any more.")
    return sentence(stopped_by) or _("Something did not work, and it is not your fault.")
