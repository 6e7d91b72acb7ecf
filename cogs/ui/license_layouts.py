"""What people see of licenses: one with all its facts, many in lines, a change, a question before one."""

from collections.abc import Iterator, Sequence

import discord

from cogs.ui import trace_words, words
from cogs.ui.layouts import BAD, NEUTRAL, Items, clipped, panel
from i18n import gettext as _
from i18n import ngettext
from licensing.choices import VersionMode
from licensing.models import Device, License, LicenseView
from licensing.versions import pin_text

REASON_ID = 900_001

_NOTES_LENGTH = 1_000
_CHANGED_NOTES_LENGTH = 150
_ADDRESSES_ROOM = 700
_DEVICES_ROOM = 500
_FREED_ROOM = 300
_PIN_LENGTH = 140
_CUSTOM_LENGTH = 120
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
    if view.devices or view.product.settings.max_devices is not None:
        lines.append(_("**Devices:** {count}").format(count=_devices(view)))
    if staff:
        lines.insert(2, _("**Holder:** {holder}").format(holder=words.holder(view.customer)))
        lines.append(_("**Issued:** {when}").format(when=words.when(license_.created_at_ms)))
    if license_.claimed_at_ms is not None:
        lines.append(_("**Claimed:** {when}").format(when=words.when(license_.claimed_at_ms)))
    if license_.revoked_at_ms is not None:
        lines.append(_("**Revoked:** {when}").format(when=words.when(license_.revoked_at_ms)))
    if staff:
        lines += _own_terms(view)
    if staff and license_.notes:
        lines.append(_("**Notes:** {notes}").format(notes=words.plain(license_.notes, _NOTES_LENGTH)))
    return "\n".join(lines)


def _own_terms(view: LicenseView) -> Iterator[str]:
    """Yield what a license has of its own beside its product's versions and response."""
    license_, settings = view.license, view.product.settings
    if _pin(license_):
        unheard = "" if settings.versions is not VersionMode.OFF else " " + _("(versions are not looked at)")
        yield _("**Version pin:** {version}").format(version=words.code(_pin(license_), _PIN_LENGTH)) + unheard
    if license_.custom is not None:
        unsent = "" if settings.custom_response else " " + _("(custom responses are left out)")
        yield _("**Custom response:** {custom}").format(custom=words.code(license_.custom, _CUSTOM_LENGTH)) + unsent


def _pin(license_: License) -> str:
    return pin_text(license_.version_pinned, license_.version_min, license_.version_max)


def _devices(view: LicenseView) -> str:
    taken, limit = len(view.devices), view.product.settings.max_devices
    if limit is None:
        return _("{taken} (no limit)").format(taken=taken)
    return _("{taken} of {limit}").format(taken=taken, limit=limit)


def _device(seat: Device) -> str:
    if not seat.device:
        return _("Callers that name no device")
    return _("Device {name}").format(name=trace_words.device(seat.device))


def device_lines(view: LicenseView) -> str:
    """Return the devices that took a seat, the one seen last on top."""
    seats = sorted(view.devices, key=lambda seat: seat.last_seen_at_ms, reverse=True)
    text = _("{device} · last seen {when}")
    lines = [text.format(device=_device(seat), when=words.ago(seat.last_seen_at_ms)) for seat in seats]
    return clipped(lines, _DEVICES_ROOM)


def address_lines(view: LicenseView) -> str:
    """Return the addresses that took a seat, the one seen last on top."""
    seats = sorted(view.addresses, key=lambda seat: seat.last_seen_at_ms, reverse=True)
    text = _("{address} · last seen {when}")
    lines = [
        text.format(address=trace_words.address(seat.address), when=words.ago(seat.last_seen_at_ms)) for seat in seats
    ]
    return clipped(lines, _ADDRESSES_ROOM)


def _hashes(view: LicenseView) -> Sequence[str]:
    names = [seat.address for seat in view.addresses] + [seat.device for seat in view.devices]
    return trace_words.hashes_explained(names)


def license_panel(
    view: LicenseView,
    key_tail: str,
    *,
    now_ms: int,
    items: Items = (),
    lead: str = "",
    below: Sequence[str] = (),
    staff: bool = True,
) -> discord.ui.LayoutView:
    """Return a license with what can be done about it.

    `lead` says what has just happened; `below` is shown last, as far as there is room.
    """
    title = f"### {words.plain(view.product.name)} · #{view.license.id}"
    facts = license_facts(view, key_tail, now_ms=now_ms, staff=staff)
    seats = [address_lines(view), device_lines(view), *_hashes(view)] if staff else []
    bad = view.license.revoked_at_ms is not None
    parts = [part for part in (title, lead[:_LEAD_ROOM], facts, *seats, *below) if part]
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
    yield from addresses_changed(before, after)
    freed = sorted({seat.address for seat in before.addresses} - {seat.address for seat in after.addresses})
    if freed:
        yield _("**Freed:**")
        yield clipped([f"- {trace_words.address(address)}" for address in freed], _FREED_ROOM)
    yield from devices_changed(before, after)
    gone = [f"- {_device(seat)}" for seat in before.devices if seat not in after.devices]
    if gone:
        yield clipped(gone, _FREED_ROOM)
    yield from _changed_terms(old, new)
    if old.notes != new.notes:
        notes = [words.plain(text, _CHANGED_NOTES_LENGTH) if text else _("none") for text in (old.notes, new.notes)]
        yield _("**Notes:** {notes}").format(notes=words.change(*notes))


def addresses_changed(before: LicenseView, after: LicenseView) -> Iterator[str]:
    """Yield how many addresses there were and are, where a change touched them."""
    if before.addresses != after.addresses:
        counts = words.change(words.addresses(before), words.addresses(after))
        yield _("**Addresses:** {count}").format(count=counts)


def devices_changed(before: LicenseView, after: LicenseView) -> Iterator[str]:
    """Yield how many devices there were and are, where a change touched them."""
    if before.devices != after.devices:
        yield _("**Devices:** {count}").format(count=words.change(_devices(before), _devices(after)))


def _changed_terms(old: License, new: License) -> Iterator[str]:
    if _pin(old) != _pin(new):
        pins = [words.code(pin, _PIN_LENGTH) if pin else _("any") for pin in (_pin(old), _pin(new))]
        yield _("**Version pin:** {version}").format(version=words.change(*pins))
    if old.custom != new.custom:
        texts = [words.code(text, _CUSTOM_LENGTH) if text else _("none") for text in (old.custom, new.custom)]
        yield _("**Custom response:** {custom}").format(custom=words.change(*texts))


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
    if view.devices:
        known = len(view.devices)
        lines.append(ngettext("It knows {count} device.", "It knows {count} devices.", known).format(count=known))
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
