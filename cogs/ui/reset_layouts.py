"""What holders see of resets of their own: whether one is possible now, what it would do, what it did."""

import discord

from cogs.ui import license_layouts, words
from cogs.ui.layouts import Items
from i18n import N_
from i18n import gettext as _
from licensing.choices import AutoRegister, LicenseState
from licensing.resets import Hindrance, Standing
from licensing.services.history import Explanation
from licensing.services.resets import OwnReset
from licensing.verdict import Status

_WHETHER = {
    None: N_("possible now"),
    Hindrance.OFF: N_("by the staff of this server"),
    Hindrance.NOT_USABLE: N_("not while the license is {status}"),
    Hindrance.USED_UP: N_("none left of {limit} in 365 days; possible again {when}"),
    Hindrance.TOO_SOON: N_("possible again {when}"),
    Hindrance.LOCKS_OUT: N_("not possible, since {product} lets no new address register by itself; ask the staff"),
    Hindrance.NOTHING_TO_FREE: N_("not needed, since no address or device is registered"),
}
_FREES = {
    AutoRegister.UP_TO_MAX: N_("Every address and device loses its place; whatever asks next is registered anew."),
    AutoRegister.FIRST: N_(
        "Every address and device loses its place; of addresses, only the first that asks next is registered anew."
    ),
    AutoRegister.OFF: N_("Every device loses its place; addresses keep theirs, since none registers by itself here."),
}
_FREED = {
    AutoRegister.UP_TO_MAX: N_("License #{id} for {product} is reset; whatever asks next is registered anew."),
    AutoRegister.FIRST: N_(
        "License #{id} for {product} is reset; of addresses, only the first that asks next is registered anew."
    ),
    AutoRegister.OFF: N_("License #{id} for {product} is reset; devices that ask next are registered anew."),
}
_COUNTED = {None, Hindrance.TOO_SOON, Hindrance.NOTHING_TO_FREE}


def standing_line(found: Standing, *, now_ms: int) -> str:
    """Return whether a holder can reset their license now, and if not, why and when; empty where nobody wonders."""
    view = found.view
    if found.hindrance is Hindrance.OFF and not (view.addresses or view.devices):
        return ""
    if view.license.state is LicenseState.REVOKED:  # for good, so there is no "while"
        return ""
    return _("**Reset:** {whether}").format(whether=_whether(found, now_ms))


def _whether(found: Standing, now_ms: int) -> str:
    settings = found.view.product.settings
    text = _(_WHETHER[found.hindrance]).format(
        status=words.license_state(found.view, now_ms=now_ms),
        limit=settings.resets_per_year,
        when=words.when(found.again_at_ms),
        product=words.plain(found.view.product.name),
    )
    if found.left is None or found.hindrance not in _COUNTED:
        return text
    return f"{text} · " + _left(_("{left} of {limit} left in 365 days"), found, found.left)


def question(found: Standing, key_tail: str, *, items: Items) -> discord.ui.LayoutView:
    """Return what a reset would do, and when the next one is possible."""
    frees = _(_FREES[found.view.product.settings.auto_register])
    spent = [_("After that, the next reset is possible {when}.").format(when=words.when(found.then_at_ms))]
    if found.left is not None:
        spent.append(_left(_("You then have {left} of {limit} left in 365 days."), found, found.left - 1))
    return license_layouts.question(
        found.view,
        key_tail,
        asked=_("### Reset the addresses and devices of your license?"),
        consequence="\n".join([frees, *spent]),
        reason=None,
        items=items,
    )


def done(made: OwnReset) -> str:
    """Return what a reset freed, and when the next one is possible."""
    view = made.after.view
    said = _(_FREED[view.product.settings.auto_register]).format(
        id=view.license.id, product=words.plain(view.product.name)
    )
    freed = [
        *license_layouts.addresses_changed(made.before, view),
        *license_layouts.devices_changed(made.before, view),
    ]
    lines = [*freed, said, _("The next reset is possible {when}.").format(when=words.when(made.after.again_at_ms))]
    if made.after.left is not None:
        lines.append(_left(_("You have {left} of {limit} left in 365 days."), made.after, made.after.left))
    return "\n".join(lines)


def _left(text: str, found: Standing, left: int) -> str:
    return text.format(left=left, limit=found.view.product.settings.resets_per_year)


def mends(told: Explanation) -> bool:
    """Tell whether the holder can mend a refusal by a reset now."""
    return _frees_what_was_full(told) and told.standing is not None and told.standing.hindrance is None


def advice(told: Explanation) -> str:
    """Return what a reset has to do with a refusal, said to the holder; empty where nothing."""
    found = told.standing
    if found is None or not _frees_what_was_full(told):
        return ""
    if found.hindrance is None:
        return _("Run it where it ran before, or free its places yourself with *Reset addresses and devices…*.")
    if found.hindrance in {Hindrance.TOO_SOON, Hindrance.USED_UP}:
        text = _(
            "Run it where it ran before; you can free its places yourself again {when}, and until then the staff of "
            "this server can."
        )
        return text.format(when=words.when(found.again_at_ms))
    return ""


def _frees_what_was_full(told: Explanation) -> bool:
    if told.standing is None or told.has_room:
        return False
    view, after = told.standing.view, told.standing.after
    if told.refusal.status == Status.DEVICE_LIMIT_REACHED:
        return view.devices != after.devices
    return view.addresses != after.addresses
