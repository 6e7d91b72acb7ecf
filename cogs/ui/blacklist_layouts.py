"""What staff see of blocked addresses: a question, what was done, and lists; plain data in, a layout out."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, ip_network
from typing import Any

import discord

from cogs.ui import words
from cogs.ui.layouts import BAD, NEUTRAL, Items, Part, clipped, panel
from i18n import gettext as _
from i18n import ngettext
from licensing.addresses import parse_ip
from licensing.choices import BlockLevel
from licensing.services.blacklist import Blocks, Entry, Preview
from licensing.services.block_targets import EVERYBODY, Target
from licensing.services.reach import Reach

REASON_ID = 930_001
NAME_ID = 930_002

_HOLDER_LENGTH = 60
_REASON_LENGTH = 60


def whom(entry: Entry) -> str:
    """Return for whom an address is blocked."""
    if entry.block.level is BlockLevel.LICENSE:
        return _("license #{id}").format(id=entry.block.target_id)
    if entry.block.level is BlockLevel.CUSTOMER and entry.customer is not None:
        return words.holder(entry.customer, _HOLDER_LENGTH)
    return _("everybody")


def choice(entry: Entry) -> str:
    """Return a block in one line of a completion, where mentions are shown as they are typed."""
    named = whom(entry)
    if entry.block.level is BlockLevel.CUSTOMER and entry.customer is not None:
        customer = entry.customer
        named = f"@{customer.name}" if customer.name else customer.email or f"{customer.discord_id}"
    parts = [entry.block.network, named, *([entry.block.reason] if entry.block.reason else [])]
    line = " ".join(" · ".join(parts).split())
    return line if len(line) <= words.CHOICE_LENGTH else line[: words.CHOICE_LENGTH - 1] + "…"


def question(preview: Preview, *, typed: str, hashed: bool, items: Items) -> discord.ui.LayoutView:
    """Return what a block would keep out; the message itself keeps the reason, and a new customer's name."""
    block = preview.entry.block
    lines = [
        _("### Block {network}?").format(network=f"`{block.network}`"),
        _("**For:** {whom}").format(whom=whom(preview.entry)),
        *_became(typed, block.network),
    ]
    if preview.is_wide:
        text = _("That is a wide range: it holds {count} addresses, and whoever calls from one of them is refused.")
        lines.append(text.format(count=_size(block.network)))
    lines += _reach(preview.reach, hashed=hashed)
    if preview.is_shared:
        lines.append(
            _("Whoever runs there is refused from then on; `/blacklist add` can also block it for one license alone.")
        )
    parts: list[Part] = ["\n".join(lines)]
    customer = preview.entry.customer
    if customer is not None and not customer.id and customer.name:
        parts += [_("**Name:**"), discord.ui.TextDisplay(customer.name, id=NAME_ID)]
    if block.reason:
        parts += [_("**Reason:**"), discord.ui.TextDisplay(block.reason, id=REASON_ID)]
    return panel(*parts, items=items, color=BAD)


def blocked(
    entry: Entry, reach: Reach | None, *, typed: str = "", hashed: bool, items: Items
) -> discord.ui.LayoutView:
    """Return what is blocked from now on, and whom that concerns."""
    lines = [
        _("### {network} is blocked").format(network=f"`{entry.block.network}`"),
        _("**For:** {whom}").format(whom=whom(entry)),
        *_reason(entry),
        *_became(typed, entry.block.network),
        _("The very next validation from there is answered with `ip_blocked`."),
        *_reach(reach, hashed=hashed),
    ]
    return panel("\n".join(lines), items=items, color=BAD)


def unblocked(entry: Entry) -> discord.ui.LayoutView:
    """Return what is no longer blocked."""
    lines = [
        _("### {network} is no longer blocked").format(network=f"`{entry.block.network}`"),
        _("**For:** {whom}").format(whom=whom(entry)),
        *_reason(entry),
        _("-# Another block can still hold it: a wider range, or one for somebody else."),
    ]
    return panel("\n".join(lines), color=NEUTRAL)


def block_list(found: Blocks, *, hashed: bool, items: Sequence[discord.ui.Item[Any]]) -> discord.ui.LayoutView:
    """Return a page of blocks, a line each."""
    title = ngettext("### {count} blocked address or range", "### {count} blocked addresses and ranges", found.count)
    lines = [title.format(count=found.count)]
    if found.last_page:
        lines.append(_("Page {page} of {pages}").format(page=found.page + 1, pages=found.last_page + 1))
    if hashed:
        lines.append(_hashed_note())
    if not found.entries and found.may_edit:
        lines.append(_("`/blacklist add` blocks one."))
    parts = ["\n".join(lines)]
    if found.entries:
        parts.append(clipped([_line(entry) for entry in found.entries]))
    parts += _also(found.target)
    return panel(*parts, items=items, color=NEUTRAL)


def _also(target: Target) -> Iterator[str]:
    if target.license is not None:
        yield _("-# Blocks for its holder and for everybody hold for it too; `/blacklist list` shows all there are.")
    elif target != EVERYBODY:
        yield _("-# Blocks for everybody hold for them too; `/blacklist list` shows all there are.")


def _became(typed: str, network: str) -> Iterator[str]:
    """Yield that a range was typed by an address in its middle."""
    address, slash, _length = typed.partition("/")
    if slash and parse_ip(address) != ip_network(network).network_address:
        yield _("{typed} lies in this range, which is blocked as a whole.").format(typed=words.code(typed))


def _line(entry: Entry) -> str:
    reason = words.plain(entry.block.reason, _REASON_LENGTH) if entry.block.reason else ""
    parts = (f"`{entry.block.network}`", whom(entry), reason, words.ago(entry.block.created_at_ms))
    return "- " + " · ".join(part for part in parts if part)


def _reason(entry: Entry) -> Iterator[str]:
    if entry.block.reason:
        yield _("**Reason:** {reason}").format(reason=words.plain(entry.block.reason, 1_000))


def _reach(reach: Reach | None, *, hashed: bool) -> Iterator[str]:
    if hashed:
        yield _hashed_note()
    elif reach is not None and not reach.seats:
        yield _("No registered address lies there now.")
    elif reach is not None:
        seats = ngettext("{count} registered address", "{count} registered addresses", reach.seats)
        licenses = ngettext("{count} license", "{count} licenses", reach.licenses)
        yield _("**In use there now:** {seats} of {licenses}").format(
            seats=seats.format(count=reach.seats), licenses=licenses.format(count=reach.licenses)
        )


def _hashed_note() -> str:
    return _(
        "-# Registered addresses are kept as hashes here, so nobody can tell whom a block concerns; "
        "it is compared with the address that a call comes from."
    )


def _size(network: str) -> str:
    parsed = ip_network(network)
    free_bits = parsed.max_prefixlen - parsed.prefixlen
    return str(parsed.num_addresses) if isinstance(parsed, IPv4Network) else f"2^{free_bits}"
