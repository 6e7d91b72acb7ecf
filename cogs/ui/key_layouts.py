"""Panels of a product's keys: those that sign its answers, and the API keys that may only validate."""

from collections.abc import Iterator, Mapping
from typing import Any

import discord

from cogs.ui import layouts, words
from cogs.ui.layouts import BAD, NEUTRAL, Items, Part, clipped, panel
from i18n import N_, ngettext
from i18n import gettext as _
from licensing.choices import SigningKind
from licensing.services.api_keys import NAMED_KEYS_LIMIT, NamedKey, NamedKeys
from licensing.services.signing import ShownKey, SigningView

KINDS: Mapping[SigningKind, str] = {
    SigningKind.HMAC: "HMAC",
    SigningKind.ED25519: "Ed25519",
    SigningKind.RSA: "RSA",
}
_SHOWN = 3  # of a kind: one that signs, one that follows, and seldom one more

_TITLES = {
    SigningKind.HMAC: N_("**HMAC, a shared secret, in the body:** {state}"),
    SigningKind.ED25519: N_("**Ed25519, a key pair, in the headers:** {state}"),
    SigningKind.RSA: N_("**RSA, a key pair, in the headers:** {state}"),
}
_FIT_FOR = {
    SigningKind.HMAC: N_(
        "-# For programs on your own machines. A secret inside a program that you ship can be read out of it, and "
        "whoever has it can sign answers as this server does."
    ),
    SigningKind.ED25519: N_(
        "-# For programs that you ship: they hold the public key alone. It signs license files too."
    ),
    SigningKind.RSA: N_("-# The same, where there is no Ed25519: Java 8, .NET Framework."),
}


def signing_panel(
    view: SigningView,
    *,
    buttons: Mapping[SigningKind, discord.ui.Item[Any]],
    items: Items,
    now_ms: int,
    lead: str = "",
) -> discord.ui.LayoutView:
    """Return what signs a product's answers, each kind beside what turns it on or off; `lead` says what changed."""
    parts: list[Part] = [_("### How answers of {product} are signed").format(product=words.plain(view.product.name))]
    if lead:
        parts.append(lead)
    for kind, shown in buttons.items():
        parts.append(discord.ui.Section("\n".join(_kind(view, kind, now_ms)), accessory=shown))
    parts.append(_files(view))
    return panel(*parts, items=items, color=NEUTRAL)


def _kind(view: SigningView, kind: SigningKind, now_ms: int) -> Iterator[str]:
    yield _(_TITLES[kind]).format(state=_("on") if view.is_on(kind) else _("off"))
    yield _(_FIT_FOR[kind])
    keys = [shown for shown in view.keys if shown.key.kind is kind]
    if keys and not _is_used(view, kind):
        yield _("Its key is kept: turned on again, it signs with the same one.")
        return
    if keys and kind is SigningKind.HMAC:
        yield _("-# If the secret is lost, rotate: nobody can show it again.")
    for shown in keys[:_SHOWN]:
        yield _when(shown, now_ms)
        yield from _public(shown)
    left = len(keys) - _SHOWN
    if left > 0:
        yield ngettext("… and {count} more", "… and {count} more", left).format(count=left)


def _is_used(view: SigningView, kind: SigningKind) -> bool:
    """Tell whether anything is signed in a way now, license files among it."""
    files = kind is SigningKind.ED25519 and view.product.settings.license_file_days is not None
    return files or view.is_on(kind)


def _when(shown: ShownKey, now_ms: int) -> str:
    key = shown.key
    if key.signs_from_ms > now_ms:
        text = _("Key `{id}` signs from {when}.").format(id=key.id, when=words.when(key.signs_from_ms))
    elif key.signs_until_ms is not None:
        text = _("Key `{id}` signs until {when}.").format(id=key.id, when=words.when(key.signs_until_ms))
    else:
        text = _("Key `{id}`, since {when}.").format(id=key.id, when=words.when(key.created_at_ms))
    return text


def _public(shown: ShownKey) -> Iterator[str]:
    texts = [shown.jwk[name].strip() for name in ("public_key_hex", "public_key_pem") if name in shown.jwk]
    yield from (f"```\n{text}\n```" for text in texts)


def _files(view: SigningView) -> str:
    days = view.product.settings.license_file_days
    if days is None:
        return _("**License files:** off; `/product settings` turns them on.")
    return ngettext(
        "**License files:** good for {count} day, signed with the Ed25519 key.",
        "**License files:** good for {count} days, signed with the Ed25519 key.",
        days,
    ).format(count=days)


def confirm_switch(
    view: SigningView, kind: SigningKind, *, off: SigningKind | None, items: Items
) -> discord.ui.LayoutView:
    """Return what stops when `off` is no longer signed with, because it is turned off or `kind` takes its place."""
    name, product = KINDS[off or kind], words.plain(view.product.name)
    if off is None or off is kind:
        title = _("### Stop signing answers of {product} with {kind}?").format(product=product, kind=name)
    else:
        text = _("### Sign answers of {product} with {new} in place of {kind}?")
        title = text.format(product=product, new=KINDS[kind], kind=name)
    fate = _(
        "Every running program that expects this signature believes no answer without it. The key is kept: turning "
        "{kind} on again signs with the same one."
    ).format(kind=name)
    return panel(f"{title}\n{fate}", items=items, color=BAD)


def confirm_signing_rotation(
    view: SigningView, kind: SigningKind, *, holders: int, until_ms: int | None, items: Items
) -> discord.ui.LayoutView:
    """Return what a new signing key would break, and for how many licenses."""
    title = _("### Give {product} a new {kind} key?").format(product=words.plain(view.product.name), kind=KINDS[kind])
    lines = [title, layouts.licenses_in_use(holders), *_fate(view.newest(kind).id, until_ms)]
    if kind is SigningKind.ED25519 and view.product.settings.license_file_days is not None:
        lines.append(
            _(
                "License files change keys too: those that are fetched once the new key signs are believed only by "
                "programs that know it."
            )
        )
    return panel("\n".join(lines), items=items, color=BAD)


def _fate(key_id: str, until_ms: int | None) -> Iterator[str]:
    if until_ms is None:
        text = _(
            "Key `{id}` is gone at once: every running program that knows no other believes no answer from then on."
        )
        yield text.format(id=key_id)
        return
    text = _(
        "Key `{id}` goes on signing until {when}. The new one is there at once: put it into your program beside the "
        "old one before then."
    )
    yield text.format(id=key_id, when=words.when(until_ms))
    yield _("If the old key may have leaked, give no grace: whoever has it can sign as this server does until then.")


def named_keys(found: NamedKeys) -> discord.ui.LayoutView:
    """Return a product's API keys that may only validate, by their visible starts."""
    title = _("### API keys of {product} that may only validate").format(product=words.plain(found.product.name))
    if not found.keys:
        return panel(title, _("There is none yet; `/product key add` makes one."), color=NEUTRAL)
    lines = [
        _("- {name}: `{prefix}…`, since {when}").format(
            name=words.plain(key.name or ""), prefix=key.prefix, when=words.when(key.created_at_ms)
        )
        for key in found.keys
    ]
    lines.append(_("-# {count} of {limit}").format(count=len(found.keys), limit=NAMED_KEYS_LIMIT))
    return panel(title, clipped(lines), color=NEUTRAL)


def confirm_removal(found: NamedKey, *, items: Items) -> discord.ui.LayoutView:
    """Return what the end of a named API key would break."""
    name = words.plain(found.key.name or "")
    title = _("### Remove the API key {name} of {product}?").format(
        name=name, product=words.plain(found.product.name)
    )
    fate = _("`{prefix}…` dies at once: every running copy that uses it is refused from then on.")
    return panel("\n".join((title, fate.format(prefix=found.key.prefix))), items=items, color=BAD)
