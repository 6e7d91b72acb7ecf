"""A product's switches in words, page by page, and the panel that shows them beside what changes them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import discord

from cogs.ui import words
from cogs.ui.layouts import BAD, NEUTRAL, Items, Part, panel
from i18n import N_, ngettext
from i18n import gettext as _
from licensing.choices import AutoRegister, DurationFrom, SigningKind, TransferRule, UnlistedVersions, VersionMode
from licensing.models import Product, ProductSettings
from licensing.services.impact import SettingsImpact

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
VERSIONS = {
    VersionMode.OFF: N_("not looked at"),
    VersionMode.REPORT: N_("looked at and told, but never refused"),
    VersionMode.ENFORCE: N_("enforced: one that is not allowed is refused"),
}
UNLISTED = {
    UnlistedVersions.REFUSE: N_("not allowed"),
    UnlistedVersions.ALLOW: N_("allowed"),
    UnlistedVersions.ALLOW_NEWER: N_("allowed where newer than the latest"),
}
DURATION_FROM = {DurationFrom.ISSUE: N_("the issue"), DurationFrom.CLAIM: N_("the claim")}
_HEADERS = {SigningKind.ED25519: "Ed25519", SigningKind.RSA: "RSA", SigningKind.HMAC: "HMAC", None: N_("off")}


def _either(name: str, on: str, off: str) -> Callable[[ProductSettings], str]:
    return lambda settings: _(on) if getattr(settings, name) else _(off)


def _idle(settings: ProductSettings) -> str:
    days = settings.address_idle_days
    if days is None:
        return _("kept for ever")
    return ngettext("freed after {count} day", "freed after {count} days", days).format(count=days)


def _files(settings: ProductSettings) -> str:
    days = settings.license_file_days
    if days is None:
        return _("not issued")
    return ngettext("good for {count} day", "good for {count} days", days).format(count=days)


def _resets(settings: ProductSettings) -> str:
    days = settings.reset_cooldown_days
    if days is None:
        return _("not allowed, only staff reset")
    text = ngettext("at most once in {count} day", "at most once in {count} days", days)
    return text.format(count=days)


def _role(settings: ProductSettings) -> str:
    return f"<@&{settings.role_id}>" if settings.role_id else _("none")


SWITCHES: Mapping[str, tuple[str, Callable[[ProductSettings], str]]] = {
    "enforce_expiry": (
        N_("**Expiry:** {value}"),
        _either("enforce_expiry", N_("enforced"), N_("shown, not enforced")),
    ),
    "default_duration": (N_("**Default duration:** {value}"), lambda it: it.default_duration or _("never ends")),
    "duration_from": (N_("**It counts from:** {value}"), lambda it: _(DURATION_FROM[it.duration_from])),
    "role_id": (N_("**Role for holders:** {value}"), _role),
    "transfers": (N_("**Transfers:** {value}"), lambda it: _(TRANSFERS[it.transfers])),
    "track_ip_on_validate": (
        N_("**IP system:** {value}"),
        _either("track_ip_on_validate", N_("on"), N_("off")),
    ),
    "auto_register": (N_("**New addresses:** {value}"), lambda it: _(AUTO_REGISTER[it.auto_register])),
    "default_max_ips": (N_("**Addresses per license:** {value}"), lambda it: words.limit(it.default_max_ips)),
    "address_idle_days": (N_("**Unused addresses:** {value}"), _idle),
    "max_devices": (N_("**Devices per license:** {value}"), lambda it: words.limit(it.max_devices)),
    "reset_cooldown_days": (N_("**Resets by holders:** {value}"), _resets),
    "resets_per_year": (
        N_("**Resets per holder and license in 365 days:** {value}"),
        lambda it: words.limit(it.resets_per_year),
    ),
    "versions": (N_("**Versions:** {value}"), lambda it: _(VERSIONS[it.versions])),
    "unlisted_versions": (
        N_("**Versions not on the list:** {value}"),
        lambda it: _(UNLISTED[it.unlisted_versions]),
    ),
    "custom_response": (
        N_("**Custom response:** {value}"),
        _either("custom_response", N_("sent where there is one"), N_("left out")),
    ),
    "explain": (
        N_("**Refused answers:** {value}"),
        _either("explain", N_("with a sentence and a support code"), N_("with their status alone")),
    ),
    "strict_statuses": (
        N_("**Statuses:** {value}"),
        _either("strict_statuses", N_("KeyPort's own alone"), N_("all, the finer ones too")),
    ),
    "license_file_days": (N_("**License files:** {value}"), _files),
    "sign_hmac": (N_("**Signature in the body:** {value}"), _either("sign_hmac", N_("on"), N_("off"))),
    "sign_headers": (N_("**Signature in headers:** {value}"), lambda it: _(_HEADERS[it.sign_headers])),
}
PAGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "general": (
        N_("General"),
        ("enforce_expiry", "default_duration", "duration_from", "role_id", "transfers"),
    ),
    "seats": (
        N_("Addresses and devices"),
        (
            *("track_ip_on_validate", "auto_register", "default_max_ips", "address_idle_days", "max_devices"),
            *("reset_cooldown_days", "resets_per_year"),
        ),
    ),
    "versions": (N_("Versions"), ("versions", "unlisted_versions")),
    "answers": (
        N_("Answers"),
        ("custom_response", "explain", "strict_statuses", "license_file_days", "sign_hmac", "sign_headers"),
    ),
}
_HINTS = {
    "seats": N_(
        "-# A holder's reset, in `/licenses`, frees every address and device of their license without asking staff: "
        "with a short cooldown one license serves many people, one after the other."
    ),
    "versions": N_("-# The list itself is kept with `/product version set`, `list` and `remove`."),
    "answers": N_("-# Signatures are set up with `/product signing`, the custom response with `/product response`."),
}


def page_of(switch: str) -> str:
    """Return the page on which a switch is."""
    return next(page for page, (_title, names) in PAGES.items() if switch in names)


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
    page: str,
    *,
    buttons: Mapping[str, discord.ui.Item[Any]],
    menus: Mapping[str, discord.ui.Item[Any]],
    items: Items,
    lead: str = "",
) -> discord.ui.LayoutView:
    """Return a page of switches, each beside its button or over its menu; `lead` says what has just changed."""
    title, names = PAGES[page]
    heading = _("### Settings of {product}").format(product=words.plain(product.name))
    parts: list[Part] = [f"{heading} · {_(title)}"]
    if lead:
        parts.append(lead)
    for name in names:
        text = line(name, product.settings)
        if name in buttons:
            parts.append(discord.ui.Section(text, accessory=buttons[name]))
        else:
            parts += [text, discord.ui.ActionRow(menus[name])] if name in menus else [text]
    if page in _HINTS:
        parts.append(_(_HINTS[page]))
    return panel(*parts, items=items, color=NEUTRAL)


def confirm_settings(found: SettingsImpact, *, items: Items) -> discord.ui.LayoutView:
    """Return which customers a change of a product's switches would refuse."""
    title = _("### Change the settings of {product}?").format(product=words.plain(found.product.name))
    lines = [title, changes(found.product.settings, found.after), *_impact(found)]
    return panel("\n".join(lines), items=items, color=BAD)


def _impact(found: SettingsImpact) -> Iterator[str]:
    count = found.licenses
    if found.tightened == "max_devices":
        yield from _devices_impact(found)
    elif found.tightened == "auto_register":
        text = ngettext(
            "**{count} license that has a holder has no registered address: from then on it runs nowhere.**",
            "**{count} licenses that have a holder have no registered address: from then on they run nowhere.**",
            count,
        )
        yield text.format(count=count)
        yield _("The others run only on the addresses that are registered now; no new one is.")
    else:
        text = ngettext(
            "**Of the licenses that ran in the last 30 days, {count} ran a version that is refused from then on.**",
            "**Of the licenses that ran in the last 30 days, {count} ran versions that are refused from then on.**",
            count,
        )
        yield text.format(count=count)
        yield _("`/product version list` shows which versions run. Pins of single licenses are not counted here.")


def _devices_impact(found: SettingsImpact) -> Iterator[str]:
    if found.product.settings.max_devices is None:
        text = ngettext(
            "**In the last 30 days, {count} license ran on more devices than that.**",
            "**In the last 30 days, {count} licenses ran on more devices than that.**",
            found.licenses,
        )
        then = _(
            "Devices were not counted before: whichever call next take the places, and any further one is refused."
        )
    else:
        text = ngettext(
            "**{count} license has more devices registered than that.**",
            "**{count} licenses have more devices registered than that.**",
            found.licenses,
        )
        then = _("Devices that are registered go on running; no new one is let in before a reset.")
    yield text.format(count=found.licenses)
    yield then


def options(texts: Mapping[Any, str], current: str) -> Sequence[discord.SelectOption]:
    """Return what a menu offers, the present choice marked."""
    return [
        discord.SelectOption(label=_(text), value=value.value, default=value.value == current)
        for value, text in texts.items()
    ]
