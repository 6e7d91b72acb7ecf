"""What people see of licenses: one with all its facts, many in lines, a change, a question before one."""

from collections.abc import Iterator, Sequence

import discord

from cogs.ui import words
from cogs.ui.layouts import BAD, NEUTRAL, Items, clipped, panel
from i18n import gettext as _
from i18n import ngettext
from licensing.models import LicenseView

REASON_ID = 900_001

_NOTES_LENGTH = 1_000
_CHANGED_NOTES_LENGTH = 150
_ADDRESSES_ROOM = 1_200
_FREED_ROOM = 600
_LEAD_ROOM = 1_000


def license_facts(view: LicenseView, key_tail: str, *, now_ms: int, staff: bool) -> str:
    """Return what a panel says of a license; notes are for staff alone."""
    license_ = view.license
    lines = [
        _("**Status:** {status}").format(status=words.license_state(view, now_ms=now_ms)),
        _("**Key:** {key}").format(key=words.tail(key_tail)),
        _("**Expires:** {when}").format(when=words.expiry(license_)),
        _("**Addresses:** {count}").format(count=words.addresses(view)),
    ]
    if staff:
        lines.insert(2, _("**Holder:** {holder}").format(holder=words.holder(view.customer)))
        lines.append(_("**Issued:** {when}").format(when=words.when(license_.created_at_ms)))
    if license_.claimed_at_ms is not None:
        lines.append(_("**Claimed:** {when}").format(when=words.when(license_.claimed_at_ms)))
    if license_.revoked_at_ms is not None:
        lines.append(_("**Revoked:** {when}").format(when=words.when(license_.revoked_at_ms)))
    if staff and license_.notes:
        lines.append(_("**Notes:** {notes}").format(notes=words.plain(license_.notes, _NOTES_LENGTH)))
    return "\n".join(lines)


def address_lines(view: LicenseView) -> str:
    """Return the addresses that took a seat, the one seen last on top."""
    seats = sorted(view.addresses, key=lambda seat: seat.last_seen_at_ms, reverse=True)
    text = _("`{address}` · last seen {when}")
    lines = [text.format(address=seat.address, when=words.ago(seat.last_seen_at_ms)) for seat in seats]
    return clipped(lines, _ADDRESSES_ROOM)


def license_panel(
    view: LicenseView, key_tail: str, *, now_ms: int, items: Items = (), lead: str = "", staff: bool = True
) -> discord.ui.LayoutView:
    """Return a license with what can be done about it; `lead` says what has just happened."""
    title = f"### {words.plain(view.product.name)} · #{view.license.id}"
    facts = license_facts(view, key_tail, now_ms=now_ms, staff=staff)
    seats = address_lines(view) if staff else ""
    bad = view.license.revoked_at_ms is not None
    parts = [part for part in (title, lead[:_LEAD_ROOM], facts, seats) if part]
    return panel(*parts, items=items, color=BAD if bad else NEUTRAL)


def changes(before: LicenseView, after: LicenseView, *, now_ms: int) -> str:
    """Return every fact that a change touched, as it was and as it is now."""
    return "\n".join(_changes(before, after, now_ms))


def _changes(before: LicenseView, after: LicenseView, now_ms: int) -> Iterator[str]:
    old, new = before.license, after.license
    states = [words.license_state(view, now_ms=now_ms) for view in (before, after)]
    if states[0] != states[1]:
        yield _("**Status:** {status}").format(status=words.change(*states))
    if (old.expires_at_ms, old.duration) != (new.expires_at_ms, new.duration):
        yield _("**Expires:** {when}").format(when=words.change(words.expiry(old), words.expiry(new)))
    if old.max_ips != new.max_ips:
        limits = words.change(words.limit(old.max_ips), words.limit(new.max_ips))
        yield _("**Address limit:** {limit}").format(limit=limits)
    if before.addresses != after.addresses:
        counts = words.change(words.addresses(before), words.addresses(after))
        yield _("**Addresses:** {count}").format(count=counts)
    freed = sorted({seat.address for seat in before.addresses} - {seat.address for seat in after.addresses})
    if freed:
        yield _("**Freed:**")
        yield clipped([f"- `{address}`" for address in freed], _FREED_ROOM)
    if old.notes != new.notes:
        notes = [words.plain(text, _CHANGED_NOTES_LENGTH) if text else _("none") for text in (old.notes, new.notes)]
        yield _("**Notes:** {notes}").format(notes=words.change(*notes))


def question(
    view: LicenseView, key_tail: str, *, asked: str, consequence: str, reason: str | None, items: Items
) -> discord.ui.LayoutView:
    """Return what a change would do, and to whom; the message itself keeps the reason."""
    about = _("{product} · #{id} · {key}\n**Holder:** {holder}").format(
        product=words.plain(view.product.name),
        id=view.license.id,
        key=words.tail(key_tail),
        holder=words.holder(view.customer),
    )
    lines = [asked, about, consequence]
    taken = len(view.addresses)
    if taken:
        used = ngettext("It runs on {count} address.", "It runs on {count} addresses.", taken)
        lines.append(used.format(count=taken))
    if reason is None:
        return panel("\n".join(lines), items=items, color=BAD)
    lines.append(_("**Reason, as the holder will read it:**"))
    return panel("\n".join(lines), discord.ui.TextDisplay(reason, id=REASON_ID), items=items, color=BAD)


def license_line(view: LicenseView, key_tail: str, *, now_ms: int) -> str:
    """Return a license in one line of a list."""
    parts = [
        f"`#{view.license.id}` {words.plain(view.product.name, 40)}",
        words.holder(view.customer, 40),
        words.license_state(view, now_ms=now_ms),
        words.tail(key_tail),
    ]
    return " · ".join(parts)


def license_list(views: Sequence[LicenseView], tails: Sequence[str], *, now_ms: int) -> str:
    """Return licenses, a line each."""
    return clipped([license_line(view, tail, now_ms=now_ms) for view, tail in zip(views, tails, strict=True)], 3_200)
