"""What people see of past validations: how a license's last ones ended, and why one was refused."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import discord

from cogs.ui import reset_layouts, trace_words, words
from cogs.ui.layouts import BAD, NEUTRAL, Items, clipped, panel
from i18n import N_, ngettext
from i18n import gettext as _
from licensing.choices import AutoRegister, BlockLevel, ProductState
from licensing.models import Attempt
from licensing.services.history import OF_SEATS, Explanation
from licensing.verdict import Outcome, Status, license_status

NOTHING: Mapping[str, Any] = {}


class Why(NamedTuple):
    """A refusal in sentences: what was found, and what mends it, for a member and for staff."""

    found: str
    member: str
    staff: str


_OF_LICENSES = frozenset({Status.SUSPENDED, Status.NOT_CLAIMED, Status.EXPIRED, Status.REVOKED})
_ASK = N_("Ask the staff of this server.")
_WHY = {
    Status.PRODUCT_NOT_FOUND: Why(N_("The product was gone."), _ASK, N_("There is nothing to mend.")),
    Status.PRODUCT_ARCHIVED: Why(
        N_("{product} was archived, so none of its licenses validates."),
        _ASK,
        N_("`/product unarchive` brings it back."),
    ),
    Status.PRODUCT_DISABLED: Why(
        N_("{product} was switched off, so none of its licenses validates."),
        _ASK,
        N_("`/product enable` switches it on."),
    ),
    Status.ORG_SUSPENDED: Why(
        N_("Whoever runs this bot has suspended this server."), _ASK, N_("Ask whoever runs this bot.")
    ),
    Status.BILLING_SUSPENDED: Why(
        N_("Whoever runs this bot has suspended this server over billing."), _ASK, N_("Ask whoever runs this bot.")
    ),
    Status.LICENSE_NOT_FOUND: Why(
        N_("The key that was sent belongs to no license of {product}."),
        N_("Compare the key with the one you were given."),
        N_("Compare it with the customer's; the key of another product is not found either."),
    ),
    Status.REVOKED: Why(
        N_("The license was revoked, and that is final."), _ASK, N_("`/license issue` makes a new one.")
    ),
    Status.SUSPENDED: Why(N_("The license was suspended."), _ASK, N_("`/license reinstate` ends that.")),
    Status.NOT_CLAIMED: Why(
        N_("The license had no holder yet."),
        N_("It is yours now, so try again."),
        N_("It works once a member has claimed it, with `/claim` and its key."),
    ),
    Status.EXPIRED: Why(
        N_("The license had ended."),
        N_("Ask the staff of this server for more time."),
        N_("`/license extend` gives it more time."),
    ),
    Status.IP_BLOCKED: Why(
        N_("The address that asked is blocked."), _ASK, N_("`/blacklist list` shows what is blocked, and for whom.")
    ),
    Status.IP_NOT_REGISTERED: Why(
        N_("The address that asked is not registered, and {product} lets only a license's first register by itself."),
        N_("Run it where it ran before, or ask the staff of this server to reset the addresses."),
        N_("`/license reset-ips` frees the seats, and then the next address that asks is the first."),
    ),
    Status.IP_LIMIT_REACHED: Why(
        N_("The license ran on {seats} addresses already, and the one that asked was not among them."),
        N_("Run it where it ran before, or ask the staff of this server to reset the addresses."),
        N_("`/license reset-ips` frees the seats; `/license edit` raises the limit."),
    ),
    Status.DEVICE_LIMIT_REACHED: Why(
        N_("The license ran on {seats} devices already, and the one that asked was not among them."),
        N_("Run it where it ran before, or ask the staff of this server to reset the devices."),
        N_("`/license reset-ips` frees the seats of devices too; `/product settings` raises the limit."),
    ),
    Status.VERSION_NOT_ALLOWED: Why(
        N_("Version {version} may not run with this license."),
        N_("Install another version, or ask the staff of this server which."),
        N_("`/product version list` shows what is allowed, and `/license view` what the license is pinned to."),
    ),
    Status.RATE_LIMIT_EXCEEDED: Why(
        N_("The call was turned away before any license was looked at: {reason}."),
        N_("Wait a little, and try again."),
        N_("It goes by with time; the limits are the plan's and the operator's."),
    ),
}
# Where the fact that decided makes another sentence true than its status alone does.
_REGISTERS_NONE = Why(
    N_("The address that asked is not registered, and {product} lets none register by itself."),
    N_("Run it where it ran before, or ask the staff of this server to let the address register."),
    N_(
        "`/product settings`, *New addresses*, lets addresses register; freeing seats would lock out those that are "
        "registered too."
    ),
)
_BLOCKED_BY_OPERATOR = Why(
    N_("The address that asked is blocked by whoever runs this bot."),
    N_("Ask whoever runs this bot."),
    N_("Ask whoever runs this bot: `/blacklist` cannot take that back."),
)
_NO_VERSION_NAMED = Why(
    N_("The call named no version, and {product} has no latest one that could stand for it."),
    N_("Update the program, or ask the staff of this server."),
    N_("`/product version set` makes a version the latest, which stands for a call that names none."),
)


def attempts_panel(
    license_id: str, attempts: Sequence[Attempt], *, page: tuple[int, int] | None = None, items: Items = ()
) -> discord.ui.LayoutView:
    """Return how a license's last validations ended, the latest on top; `page` is which of how many, if several."""
    title = _("### Last validations of license #{id}").format(id=license_id)
    if not attempts:
        return panel(title, _("Nothing has asked about it lately."), color=NEUTRAL)
    parts = [title, clipped([_attempt(attempt) for attempt in attempts])]
    if page is not None:
        parts[0] += "\n" + _("Page {page} of {pages}").format(page=page[0], pages=page[1])
    parts += trace_words.hashes_explained(text for it in attempts for text in (it.address, it.device))
    return panel(*parts, items=items, color=NEUTRAL)


def why_panel(told: Explanation, key_tail: str | None, *, now_ms: int, items: Items = ()) -> discord.ui.LayoutView:
    """Return why a validation was refused: to its holder in two sentences, to staff with everything that is known."""
    refusal, why = told.refusal, _why(told)
    mends = _(why.staff) if told.for_staff else reset_layouts.advice(told) or _(why.member)
    if _is_mended(told, now_ms):
        mends = _("That has changed since: try again.")
    parts = [_title(told, key_tail), f"{_(why.found).format_map(_said(told))} {mends}"]
    if told.for_staff:
        parts += ["\n".join(trace_words.lines(told.steps)), _caller(told)]
    times = ngettext("-# Refused once, {when}.", "-# Refused {count} times, last {when}.", refusal.count)
    parts.append(times.format(count=refusal.count, when=words.when(refusal.last_at_ms)))
    if told.for_staff:
        parts += trace_words.hashes_explained([refusal.address, refusal.device])
    return panel(*parts, items=items, color=BAD)


def _attempt(attempt: Attempt) -> str:
    valid = attempt.status == Status.ACTIVE
    mark = trace_words.MARKS[Outcome.PASSED if valid else Outcome.FAILED]
    parts = [f"{mark} **{words.status(Status(attempt.status))}**", trace_words.address(attempt.address)]
    if attempt.version:
        parts.append(_("version {version}").format(version=words.code(attempt.version)))
    if attempt.device:
        parts.append(_("device {device}").format(device=trace_words.device(attempt.device)))
    if attempt.count > 1:
        parts.append(_("{count} times, last {when}").format(count=attempt.count, when=words.ago(attempt.last_at_ms)))
    else:
        parts.append(words.ago(attempt.last_at_ms))
    return " · ".join(parts)


def _title(told: Explanation, key_tail: str | None) -> str:
    product = words.plain(told.product.name)
    if told.view is None or key_tail is None:
        return _("### {product} · refused: {status}").format(
            product=product, status=words.status(Status(told.refusal.status))
        )
    return _("### {product} · #{id} · {key} · refused: {status}").format(
        product=product,
        id=told.view.license.id,
        key=words.tail(key_tail),
        status=words.status(Status(told.refusal.status)),
    )


def _caller(told: Explanation) -> str:
    refusal = told.refusal
    lines = [_("**Address:** {address}").format(address=trace_words.address(refusal.address))]
    if refusal.device:
        lines.append(_("**Device:** {device}").format(device=trace_words.device(refusal.device)))
    if refusal.version:
        lines.append(_("**Version:** {version}").format(version=words.code(refusal.version)))
    return "\n".join(lines)


def _why(told: Explanation) -> Why:
    status, fact = Status(told.refusal.status), _deciding(told)
    if status is Status.IP_NOT_REGISTERED and fact.get("auto_register") == AutoRegister.OFF:
        return _REGISTERS_NONE
    if status is Status.IP_BLOCKED and fact.get("level") == BlockLevel.PLATFORM:
        return _BLOCKED_BY_OPERATOR
    if status is Status.VERSION_NOT_ALLOWED and not (fact.get("version") or told.refusal.version):
        return _NO_VERSION_NAMED
    return _WHY[status]


def _deciding(told: Explanation) -> Mapping[str, Any]:
    return next((step.fact for step in told.steps if step.outcome is Outcome.FAILED), NOTHING)


def _said(told: Explanation) -> Mapping[str, str]:
    fact = _deciding(told)
    taken, limit, version = fact.get("taken", 0), fact.get("limit"), fact.get("version") or told.refusal.version
    return {
        "product": words.plain(told.product.name),
        "seats": f"{taken}" if limit is None else _("{taken} of {limit}").format(taken=taken, limit=limit),
        "version": words.code(version) if version else _("(none)"),
        "reason": trace_words.turned_away(fact.get("reason", "")),
    }


def _is_mended(told: Explanation, now_ms: int) -> bool:
    """Tell whether what refused is not so any more, as far as that can be told without the caller."""
    status = Status(told.refusal.status)
    if status in {Status.PRODUCT_ARCHIVED, Status.PRODUCT_DISABLED}:
        return told.product.state is ProductState.ACTIVE
    if told.view is None or not (status in _OF_LICENSES or (status in OF_SEATS and told.has_room)):
        return False
    return license_status(told.view.license, told.product, now_ms=now_ms) is Status.ACTIVE
