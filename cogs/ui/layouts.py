"""Panels: plain data in, a layout out; nothing here asks anybody anything."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import discord

from cogs.ui import trace_words, words
from i18n import gettext as _
from i18n import ngettext
from licensing.choices import ProductState
from licensing.models import Product, StaffGrant
from licensing.services.catalog import ProductView
from licensing.services.licenses import Checked
from licensing.verdict import STRICT

TEXT_LIMIT = 3_600  # of the 4,000 characters that a layout may show
GOOD, BAD, NEUTRAL = discord.Color.green(), discord.Color.red(), discord.Color.blurple()

Items = Sequence[discord.ui.Item[Any]]
Part = str | discord.ui.TextDisplay[Any] | discord.ui.Section[Any] | discord.ui.ActionRow[Any]

_ALL_TEXT = 3_950
_ROW = 5


def panel(
    *parts: Part,
    items: Items = (),
    menu: discord.ui.Item[Any] | None = None,
    color: discord.Color | None = None,
) -> discord.ui.LayoutView:
    """Return texts over a menu and rows of buttons; a text for which there is no room any more is cut."""
    container = discord.ui.Container[discord.ui.LayoutView](accent_color=color)
    for part in _fitting(parts):
        container.add_item(part)
    if menu is not None:
        container.add_item(discord.ui.ActionRow(menu))
    for start in range(0, len(items), _ROW):
        container.add_item(discord.ui.ActionRow(*items[start : start + _ROW]))
    return discord.ui.LayoutView(timeout=None).add_item(container)


def _fitting(parts: Sequence[Part]) -> Iterator[discord.ui.Item[Any]]:
    room = _ALL_TEXT
    for part in parts:
        if isinstance(part, str):
            shown = part if len(part) <= room else part[: max(room - 1, 0)] + "…"
            room = max(room - len(shown), 1)
            yield discord.ui.TextDisplay(shown)
        else:
            room -= part.content_length() if isinstance(part, discord.ui.Section) else 0
            room -= len(part.content) if isinstance(part, discord.ui.TextDisplay) else 0
            yield part


def shown_text(message: discord.Message | None, text_id: int) -> str | None:
    """Return the text that a message shows under this id: what a button needs and no custom id can hold."""
    for component in message.components if message else ():
        for child in (component, *getattr(component, "children", ())):
            if isinstance(child, discord.TextDisplay) and child.id == text_id:
                return child.content
    return None


def check_panel(checked: Checked, key_tail: str, *, typed: Mapping[str, str]) -> discord.ui.LayoutView:
    """Return what a validation would answer now, with every check in its order and the fact that decided it.

    `typed` says what somebody typed where a hash of it was judged.
    """
    verdict, settings = checked.verdict, checked.view.product.settings
    accepted, refused = _("### {product} · {key} would be accepted"), _("### {product} · {key} would be refused")
    title = (accepted if verdict.valid else refused).format(
        product=words.plain(checked.view.product.name), key=words.tail(key_tail)
    )
    status = STRICT.get(verdict.status, verdict.status) if settings.strict_statuses else verdict.status
    version_valid = {True: "true", False: "false", None: "null"}[verdict.version_valid]
    answer = _("**Answer:** `status` is `{status}`, `version_valid` is `{version_valid}`.")
    parts = [title, "\n".join(trace_words.lines(checked.steps, typed=typed))]
    parts.append(answer.format(status=status, version_valid=version_valid))
    if any(step.check == "address" and step.fact.get("address", "") is None for step in checked.steps):
        parts.append(_("-# No address was given, so the address limit was not checked."))
    if status is not verdict.status:
        parts.append(_("-# With strict statuses on, `{status}` is answered so.").format(status=verdict.status))
    return panel(*parts, color=GOOD if verdict.valid else BAD)


def confirm_rotation(found: ProductView, *, until_ms: int | None, items: Items) -> discord.ui.LayoutView:
    """Return what a new API key would break."""
    title = _("### Give {product} a new API key?").format(product=words.plain(found.product.name))
    if until_ms is not None:
        fate = _("The current key goes on working until {when}.").format(when=words.when(until_ms))
    else:
        fate = _("The current key dies at once: every running copy that uses it is refused from then on.")
    return panel("\n".join((title, licenses_in_use(found.holders), fate)), items=items, color=BAD)


def licenses_in_use(count: int) -> str:
    """Return how many licenses a product's new key concerns."""
    text = ngettext(
        "{count} license of this product is in use.", "{count} licenses of this product are in use.", count
    )
    return text.format(count=count)


def confirm_state(found: ProductView, state: ProductState, *, items: Items) -> discord.ui.LayoutView:
    """Return what archiving or disabling a product would stop."""
    if state is ProductState.ARCHIVED:
        asked, fate = (
            _("### Archive {product}?"),
            _("No license is issued for it, and each validation answers `product_archived`, until it is back."),
        )
    else:
        asked, fate = (
            _("### Disable {product}?"),
            _("No license is issued for it, and each validation answers `product_disabled`, until it is back."),
        )
    stopped = ngettext(
        "**{count} license that works now stops validating.**",
        "**{count} licenses that work now stop validating.**",
        found.working,
    )
    title = asked.format(product=words.plain(found.product.name))
    return panel("\n".join((title, stopped.format(count=found.working), fate)), items=items, color=BAD)


def product_panel(found: ProductView, *, switches: Sequence[str]) -> discord.ui.LayoutView:
    """Return a product with its switches and its keys' visible starts."""
    product = found.product
    lines = [
        _("**State:** {state}").format(state=words.product_state(product)),
        _("**Licenses not revoked:** {count}").format(count=found.holders),
        *switches,
        _("**Created:** {when}").format(when=words.when(product.created_at_ms)),
        _("**Number:** {id}").format(id=product.id),
    ]
    for key in found.api_keys:
        if key.valid_until_ms is None:
            lines.append(_("**API key:** `{prefix}…`").format(prefix=key.prefix))
        else:
            until = words.when(key.valid_until_ms)
            lines.append(_("**API key:** `{prefix}…` until {when}").format(prefix=key.prefix, when=until))
    for key in found.named_keys:
        text = _("**API key {name}:** `{prefix}…`, may only validate")
        lines.append(text.format(name=words.plain(key.name or ""), prefix=key.prefix))
    return panel(f"### {words.plain(product.name)}", clipped(lines), color=NEUTRAL)


def product_list(products: Sequence[Product], *, more: bool) -> discord.ui.LayoutView:
    """Return products by name."""
    if not products:
        return panel(_("There is no product here yet; `/product create` makes one."))
    lines = [f"- {words.plain(product.name)} · {words.product_state(product)}" for product in products]
    if more:
        lines.append(_("-# There are more; type how the name starts."))
    return panel(_("### Products"), clipped(lines), color=NEUTRAL)


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
    return panel(_("### Staff"), clipped(lines), color=NEUTRAL)


def clipped(lines: Sequence[str], room: int = TEXT_LIMIT) -> str:
    """Return as many lines as there is room for, and how many were left out."""
    shown, length = [], 0
    for line in lines:
        length += len(line) + 1
        if length > room:
            break
        shown.append(line)
    left = len(lines) - len(shown)
    if left:
        shown.append(ngettext("… and {count} more", "… and {count} more", left).format(count=left))
    return "\n".join(shown)
