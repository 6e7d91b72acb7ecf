"""Panels: plain data in, a layout out; nothing here asks anybody anything."""

from collections.abc import Collection, Sequence
from typing import Any

import discord

from cogs.ui import words
from i18n import gettext as _
from i18n import ngettext
from licensing.models import LicenseView, Product, StaffGrant
from licensing.services.catalog import ProductView
from licensing.services.licenses import Checked
from licensing.verdict import Outcome

TEXT_LIMIT = 3_600  # of the 4,000 characters that a layout may show

Items = Sequence[discord.ui.Item[Any]]

_REASON_ID = 900_001
_MARKS = {Outcome.PASSED: "✅", Outcome.FAILED: "❌", Outcome.SKIPPED: "⏭️"}
_GOOD, _BAD, _NEUTRAL = discord.Color.green(), discord.Color.red(), discord.Color.blurple()


def panel(
    *parts: str | discord.ui.TextDisplay[Any],
    items: Items = (),
    menu: discord.ui.Item[Any] | None = None,
    color: discord.Color | None = None,
) -> discord.ui.LayoutView:
    """Return texts over a menu and a row of buttons."""
    container = discord.ui.Container[discord.ui.LayoutView](accent_color=color)
    for part in parts:
        container.add_item(discord.ui.TextDisplay(part) if isinstance(part, str) else part)
    for row in ([menu] if menu else [], items):
        if row:
            container.add_item(discord.ui.ActionRow(*row))
    return discord.ui.LayoutView(timeout=None).add_item(container)


def license_facts(view: LicenseView, key_tail: str, *, now_ms: int, staff: bool) -> str:
    """Return what a panel says of a license; notes are for staff alone."""
    license_ = view.license
    lines = [
        _("**Status:** {status}").format(status=words.license_state(view, now_ms=now_ms)),
        _("**Key:** {key}").format(key=words.tail(key_tail)),
        _("**Expires:** {when}").format(when=words.expiry(license_.expires_at_ms)),
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
        lines.append(_("**Notes:** {notes}").format(notes=words.plain(license_.notes, 1_000)))
    return "\n".join(lines)


def license_panel(
    view: LicenseView, key_tail: str, *, now_ms: int, items: Items = (), lead: str = "", staff: bool = True
) -> discord.ui.LayoutView:
    """Return a license with what can be done about it; `lead` says what has just happened."""
    title = f"### {words.plain(view.product.name)} · #{view.license.id}"
    facts = license_facts(view, key_tail, now_ms=now_ms, staff=staff)
    bad = view.license.revoked_at_ms is not None
    parts = [part for part in (title, lead, facts) if part]
    return panel(*parts, items=items, color=_BAD if bad else _NEUTRAL)


def check_panel(checked: Checked, key_tail: str, *, address: str | None) -> discord.ui.LayoutView:
    """Return what a validation would answer now, with every check in its order."""
    valid = checked.verdict.valid
    title = _("### {product} · {key} would be {answer}").format(
        product=words.plain(checked.view.product.name),
        key=words.tail(key_tail),
        answer=_("accepted") if valid else _("refused"),
    )
    lines = []
    for step in checked.steps:
        asked = not (step.check == "address" and address is None and step.outcome is Outcome.PASSED)
        found = step.outcome if asked else Outcome.SKIPPED
        line = f"{_MARKS[found]} {words.check(step.check)}: {words.outcome(found)}"
        lines.append(line if step.status is None else f"{line} ({words.status(step.status)})")
    if address is None:
        lines.append(_("-# No address was given, so seats were not looked at."))
    answer = _("Status: `{status}`").format(status=checked.verdict.status.value)
    return panel(title, "\n".join(lines), answer, color=_GOOD if valid else _BAD)


def confirm_revoke(view: LicenseView, key_tail: str, *, reason: str | None, items: Items) -> discord.ui.LayoutView:
    """Return what revoking a license would do, and to whom; the message itself keeps the reason."""
    text = _(
        "### Revoke this license for good?\n"
        "{product} · #{id} · {key}\n"
        "**Holder:** {holder}\n"
        "The very next validation is refused, and nobody can take this back: "
        "to restore access, a new license must be issued."
    ).format(
        product=words.plain(view.product.name),
        id=view.license.id,
        key=words.tail(key_tail),
        holder=words.holder(view.customer),
    )
    taken = len(view.addresses)
    if taken:
        used = ngettext("It runs on {count} address.", "It runs on {count} addresses.", taken)
        text += "\n" + used.format(count=taken)
    if reason is None:
        return panel(text, items=items, color=_BAD)
    text += "\n" + _("**Reason, as the holder will read it:**")
    return panel(text, discord.ui.TextDisplay(reason, id=_REASON_ID), items=items, color=_BAD)


def shown_reason(message: discord.Message | None) -> str | None:
    """Return the reason that a question shows, if it shows one."""
    for component in message.components if message else ():
        for child in getattr(component, "children", ()):
            if isinstance(child, discord.TextDisplay) and child.id == _REASON_ID:
                return child.content
    return None


def confirm_rotation(found: ProductView, *, minutes: int, items: Items) -> discord.ui.LayoutView:
    """Return what a new API key would break."""
    holders = ngettext("{count} license", "{count} licenses", found.holders).format(count=found.holders)
    if minutes:
        fate = _("The current key goes on working for {minutes} minutes.").format(minutes=minutes)
    else:
        fate = _("The current key dies at once: every running copy that uses it is refused from then on.")
    text = _("### Give {product} a new API key?\nThe product has {holders} in use.\n{fate}").format(
        product=words.plain(found.product.name), holders=holders, fate=fate
    )
    return panel(text, items=items, color=_BAD)


def product_panel(found: ProductView) -> discord.ui.LayoutView:
    """Return a product with its switches and its keys' visible starts."""
    product, settings = found.product, found.product.settings
    role = f"<@&{settings.role_id}>" if settings.role_id else _("none")
    limit = settings.default_max_ips
    lines = [
        _("**State:** {state}").format(state=words.product_state(product)),
        _("**Licenses in use:** {count}").format(count=found.holders),
        _("**Role for holders:** {role}").format(role=role),
        _("**Expiry:** {rule}").format(rule=_("enforced") if settings.enforce_expiry else _("shown, not enforced")),
        _("**Addresses per license:** {limit}").format(limit=_("no limit") if limit is None else limit),
        _("**Created:** {when}").format(when=words.when(product.created_at_ms)),
    ]
    for key in found.api_keys:
        until = "" if key.valid_until_ms is None else _(" until {when}").format(when=words.when(key.valid_until_ms))
        lines.append(_("**API key:** `{prefix}…`{until}").format(prefix=key.prefix, until=until))
    return panel(f"### {words.plain(product.name)}", "\n".join(lines), color=_NEUTRAL)


def product_list(products: Sequence[Product], *, more: bool) -> discord.ui.LayoutView:
    """Return products by name."""
    if not products:
        return panel(_("There is no product here yet; `/product create` makes one."))
    lines = [f"- {words.plain(product.name)} · {words.product_state(product)}" for product in products]
    if more:
        lines.append(_("-# There are more; type how the name starts."))
    return panel(_("### Products"), clipped(lines), color=_NEUTRAL)


def staff_list(grants: Sequence[StaffGrant], *, role_ids: Collection[int]) -> discord.ui.LayoutView:
    """Return who may do what."""
    if not grants:
        return panel(
            _(
                "No role was granted anything yet, so only administrators may use staff commands; "
                "`/staff grant` changes that."
            )
        )
    by_role: dict[int, list[str]] = {}
    for grant in grants:
        by_role.setdefault(grant.role_id, []).append(f"`{grant.permission.value}`")
    lines = []
    for role_id, codes in by_role.items():
        gone = "" if role_id in role_ids else " " + _("(deleted role)")
        lines.append(f"<@&{role_id}>{gone}: {', '.join(codes)}")
    return panel(_("### Staff"), clipped(lines), color=_NEUTRAL)


def clipped(lines: Sequence[str]) -> str:
    """Return as many lines as a panel holds, and how many were left out."""
    shown, length = [], 0
    for line in lines:
        length += len(line) + 1
        if length > TEXT_LIMIT:
            break
        shown.append(line)
    left = len(lines) - len(shown)
    if left:
        shown.append(ngettext("… and {count} more", "… and {count} more", left).format(count=left))
    return "\n".join(shown)
