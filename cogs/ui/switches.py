"""A product's switches in words, and the panel that shows them all beside what changes them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import discord

from cogs.ui import words
from cogs.ui.layouts import NEUTRAL, Items, Part, panel
from i18n import N_, ngettext
from i18n import gettext as _
from licensing.choices import AutoRegister, DurationFrom, TransferRule
from licensing.models import Product, ProductSettings

AUTO_REGISTER = {
    AutoRegister.UP_TO_MAX: N_("registered up to the limit"),
    AutoRegister.FIRST: N_("the first is registered, all others are refused"),
    AutoRegister.OFF: N_("refused"),
}
TRANSFERS = {
    TransferRule.OFF: N_("not allowed"),
    TransferRule.STAFF: N_("staff approve each"),
    TransferRule.RECIPIENT: N_("the recipient's acceptance is enough"),
}
DURATION_FROM = {DurationFrom.ISSUE: N_("the issue"), DurationFrom.CLAIM: N_("the claim")}


def _enforced(settings: ProductSettings) -> str:
    return _("enforced") if settings.enforce_expiry else _("shown, not enforced")


def _tracked(settings: ProductSettings) -> str:
    return _("on") if settings.track_ip_on_validate else _("off")


def _idle(settings: ProductSettings) -> str:
    days = settings.address_idle_days
    if days is None:
        return _("kept for ever")
    return ngettext("freed after {count} day", "freed after {count} days", days).format(count=days)


def _role(settings: ProductSettings) -> str:
    return f"<@&{settings.role_id}>" if settings.role_id else _("none")


SWITCHES: Mapping[str, tuple[str, Callable[[ProductSettings], str]]] = {
    "enforce_expiry": (N_("**Expiry:** {value}"), _enforced),
    "track_ip_on_validate": (N_("**IP system:** {value}"), _tracked),
    "auto_register": (N_("**New addresses:** {value}"), lambda it: _(AUTO_REGISTER[it.auto_register])),
    "default_max_ips": (N_("**Addresses per license:** {value}"), lambda it: words.limit(it.default_max_ips)),
    "address_idle_days": (N_("**Unused addresses:** {value}"), _idle),
    "default_duration": (N_("**Default duration:** {value}"), lambda it: it.default_duration or _("never ends")),
    "duration_from": (N_("**It counts from:** {value}"), lambda it: _(DURATION_FROM[it.duration_from])),
    "role_id": (N_("**Role for holders:** {value}"), _role),
    "transfers": (N_("**Transfers:** {value}"), lambda it: _(TRANSFERS[it.transfers])),
}


def line(name: str, settings: ProductSettings) -> str:
    """Return a switch and how it is set."""
    template, value = SWITCHES[name]
    return _(template).format(value=value(settings))


def lines(settings: ProductSettings) -> list[str]:
    """Return every switch and how it is set."""
    return [line(name, settings) for name in SWITCHES]


def changes(before: ProductSettings, after: ProductSettings) -> str:
    """Return every switch that a change touched, as it was and as it is now."""
    changed = [name for name in SWITCHES if getattr(before, name) != getattr(after, name)]
    return "\n".join(
        _(SWITCHES[name][0]).format(value=words.change(*(SWITCHES[name][1](it) for it in (before, after))))
        for name in changed
    )


def settings_panel(
    product: Product,
    *,
    buttons: Mapping[str, discord.ui.Item[Any]],
    menus: Mapping[str, discord.ui.Item[Any]],
    items: Items,
    lead: str = "",
) -> discord.ui.LayoutView:
    """Return every switch beside its button, or over its menu; `lead` says what has just changed."""
    parts: list[Part] = [_("### Settings of {product}").format(product=words.plain(product.name))]
    if lead:
        parts.append(lead)
    for name in SWITCHES:
        text = line(name, product.settings)
        if name in buttons:
            parts.append(discord.ui.Section(text, accessory=buttons[name]))
        else:
            parts += [text, discord.ui.ActionRow(menus[name])]
    return panel(*parts, items=items, color=NEUTRAL)


def options(
    texts: Mapping[AutoRegister, str] | Mapping[TransferRule, str], current: str
) -> Sequence[discord.SelectOption]:
    """Return what a menu offers, the present choice marked."""
    return [
        discord.SelectOption(label=_(text), value=value.value, default=value.value == current)
        for value, text in texts.items()
    ]
