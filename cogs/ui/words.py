"""Single facts in words: times, states, holders, keys by their ends."""

import re
import unicodedata
from collections.abc import Collection

import discord

from i18n import N_
from i18n import gettext as _
from licensing.choices import Permission, ProductState
from licensing.models import Customer, License, LicenseView, Product
from licensing.verdict import Status, license_status

CHOICE_LENGTH = 100

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_DIRECTIONS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_ISOLATED = "\u2068{}\u2069"  # so that a name from right to left leaves what stands beside it where it is

# What Discord makes a link, a mention, a time, a command or an emoji of: broken right behind each of these by a
# space that nobody sees.
_ALIVE = re.compile(r"<(?=[@#:/A-Za-z])|:(?=//)|\bdiscord(?=\.gg/)|\bdiscord(?:app)?(?=\.com/invite/)", re.IGNORECASE)
_BREAK = "\u200b"

_STATUS = {
    Status.ACTIVE: N_("active"),
    Status.REVOKED: N_("revoked"),
    Status.SUSPENDED: N_("suspended"),
    Status.NOT_CLAIMED: N_("waiting to be claimed"),
    Status.EXPIRED: N_("expired"),
    Status.PRODUCT_NOT_FOUND: N_("product not found"),
    Status.PRODUCT_ARCHIVED: N_("product archived"),
    Status.PRODUCT_DISABLED: N_("product disabled"),
    Status.ORG_SUSPENDED: N_("server suspended"),
    Status.BILLING_SUSPENDED: N_("server suspended over billing"),
    Status.LICENSE_NOT_FOUND: N_("license not found"),
    Status.IP_BLOCKED: N_("address blocked"),
    Status.IP_NOT_REGISTERED: N_("address not registered"),
    Status.IP_LIMIT_REACHED: N_("address limit reached"),
    Status.DEVICE_LIMIT_REACHED: N_("device limit reached"),
    Status.VERSION_NOT_ALLOWED: N_("version not allowed"),
    Status.RATE_LIMIT_EXCEEDED: N_("too many calls"),
}
_PRODUCT_STATES = {
    ProductState.ACTIVE: N_("active"),
    ProductState.ARCHIVED: N_("archived"),
    ProductState.DISABLED: N_("disabled"),
}


def plain(text: str, limit: int = 200) -> str:
    """Return what somebody typed, on one line, so that it formats, mentions, links and turns around nothing."""
    directions = [unicodedata.bidirectional(symbol) for symbol in text]
    straight = "".join(symbol for symbol, way in zip(text, directions, strict=True) if way not in _DIRECTIONS)
    flat = " ".join(straight.split())
    marked = discord.utils.escape_markdown(flat, ignore_links=False)
    escaped = _ALIVE.sub(lambda found: f"{found[0]}{_BREAK}", discord.utils.escape_mentions(marked))
    if len(escaped) > limit:
        escaped = escaped[: limit - 1].rstrip("\\") + "…"
    return _ISOLATED.format(escaped) if _RIGHT_TO_LEFT.intersection(directions) else escaped


def code(text: str, limit: int = 64) -> str:
    """Return what somebody or some program typed, between backticks that it cannot break out of."""
    flat = "".join(symbol for symbol in " ".join(text.split()) if symbol.isprintable()).replace("`", "'") or "?"
    return f"`{flat[: limit - 1]}…`" if len(flat) > limit else f"`{flat}`"


def when(at_ms: int) -> str:
    """Return a time in the reader's own zone, with how far away it is."""
    return f"<t:{at_ms // 1000}:f> (<t:{at_ms // 1000}:R>)"


def ago(at_ms: int) -> str:
    """Return how far away a time is."""
    return f"<t:{at_ms // 1000}:R>"


def change(before: str, after: str) -> str:
    """Return a fact as it was and as it is now."""
    return f"{before} → {after}"


def expiry(license_: License) -> str:
    """Return when a license ends."""
    if license_.duration is not None:
        return _("{duration} after it is claimed").format(duration=license_.duration)
    return _("never") if license_.expires_at_ms is None else when(license_.expires_at_ms)


def limit(count: int | None) -> str:
    """Return how many there may be."""
    return _("no limit") if count is None else f"{count}"


def status(found: Status) -> str:
    """Return a validation's status in words."""
    return _(_STATUS.get(found, found.value))


def license_state(view: LicenseView, *, now_ms: int) -> str:
    """Return a license's own status in words."""
    return status(license_status(view.license, view.product, now_ms=now_ms))


def product_state(product: Product) -> str:
    """Return a product's state in words."""
    return _(_PRODUCT_STATES[product.state])


def permissions(held: Collection[Permission]) -> str:
    """Return permissions by their codes."""
    return ", ".join(f"`{code.value}`" for code in sorted(held)) or _("none")


def holder(customer: Customer | None, limit: int = 200) -> str:
    """Return who holds a license, as a panel shows it."""
    if customer is None:
        return _("nobody yet (stock)")
    parts = [f"<@{customer.discord_id}>"] if customer.discord_id else []
    if customer.email:
        parts.append(plain(customer.email, limit))
    return " · ".join(parts) or _("nobody yet (stock)")


def person(discord_id: int | None, name: str | None) -> str:
    """Return a member by mention and name: what a mention shows depends on what the reader's client knows."""
    known = plain(name) if name else ""
    return f"<@{discord_id}> ({known})" if discord_id and known else f"<@{discord_id}>" if discord_id else known


def tail(key_tail: str) -> str:
    """Return a key by its end alone."""
    return f"`••••-{key_tail}`"


def choice(view: LicenseView, key_tail: str, *, now_ms: int, with_holder: bool = True) -> str:
    """Return a license in one line of a completion or a menu."""
    parts = [f"#{view.license.id} …-{key_tail}", view.product.name, license_state(view, now_ms=now_ms)]
    if with_holder:
        parts.insert(2, _who(view.customer))
    line = " · ".join(parts)
    return line if len(line) <= CHOICE_LENGTH else line[: CHOICE_LENGTH - 1] + "…"


def _who(customer: Customer | None) -> str:
    if customer is None:
        return _("stock")
    return f"@{customer.name}" if customer.name else customer.email or f"{customer.discord_id}"


def addresses(view: LicenseView) -> str:
    """Return how many seats a license has taken."""
    taken = len(view.addresses)
    if view.license.max_ips is None:
        return _("{taken} (no limit)").format(taken=taken)
    return _("{taken} of {limit}").format(taken=taken, limit=view.license.max_ips)
