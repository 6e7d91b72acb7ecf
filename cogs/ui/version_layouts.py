"""What people see of a product's versions: the list, what runs, and what a change comes to."""

from collections.abc import Iterator

import discord

from cogs.ui import switches, words
from cogs.ui.layouts import BAD, NEUTRAL, Items, clipped, panel
from i18n import N_, ngettext
from i18n import gettext as _
from licensing.choices import VersionMode, VersionState
from licensing.services.versions import VersionsChanged, VersionsView

STATES = {
    VersionState.LATEST: N_("latest"),
    VersionState.ALLOWED: N_("allowed"),
    VersionState.DEPRECATED: N_("deprecated"),
    VersionState.BLOCKED: N_("blocked"),
}

_LISTED_ROOM = 2_200
_UNLISTED_ROOM = 900


def version_list(view: VersionsView) -> discord.ui.LayoutView:
    """Return a product's list, how many licenses ran each, and what else ran."""
    settings = view.product.settings
    heading = _("### Versions of {product}").format(product=words.plain(view.product.name))
    parts = [f"{heading}\n{switches.line('versions', settings)}\n{switches.line('unlisted_versions', settings)}"]
    if view.listed:
        lines = [
            f"{words.code(it.rule.spec)} · {_(STATES[it.rule.state])} · {_licenses(it.licenses)}"
            for it in view.listed
        ]
        parts.append(clipped(lines, _LISTED_ROOM))
    else:
        parts.append(_("Nothing is listed yet; `/product version set` begins the list."))
    if view.unlisted:
        lines = [f"{words.code(version)} · {_licenses(count)}" for version, count in view.unlisted]
        parts.append(_("**Ran, without being listed:**") + "\n" + clipped(lines, _UNLISTED_ROOM))
    parts.append(_("-# Licenses are those that named the version within the last 30 days."))
    return panel(*parts, color=NEUTRAL)


def confirm_versions(found: VersionsChanged, *, items: Items) -> discord.ui.LayoutView:
    """Return which licenses a change of a product's versions would refuse."""
    title = _("### Change the versions of {product}?").format(product=words.plain(found.product.name))
    refused = ngettext(
        "**In the last 30 days, {count} license ran versions that are allowed now, and are refused from then on.**",
        "**In the last 30 days, {count} licenses ran versions that are allowed now, and are refused from then on.**",
        found.newly_refused,
    )
    lines = [title, *_rules(found), refused.format(count=found.newly_refused)]
    return panel("\n".join(lines), items=items, color=BAD)


def versions_changed(changed: VersionsChanged) -> discord.ui.LayoutView:
    """Return a rule as it was and as it is now, and whom that concerns."""
    lines = list(_rules(changed))
    about = ngettext(
        "In the last 30 days, {count} license ran versions that this is about.",
        "In the last 30 days, {count} licenses ran versions that this is about.",
        changed.licenses,
    )
    lines += [about.format(count=changed.licenses), _effect(changed)]
    return panel("\n".join(lines), color=NEUTRAL)


def _rules(changed: VersionsChanged) -> Iterator[str]:
    states = words.change(_state(changed.before), _state(changed.after))
    yield f"**{words.plain(changed.product.name)}** · {words.code(changed.spec)}: {states}"
    if changed.demoted is not None:
        states = words.change(_state(VersionState.LATEST), _state(VersionState.ALLOWED))
        yield f"{words.code(changed.demoted)}: {states}"


def _effect(changed: VersionsChanged) -> str:
    mode = changed.product.settings.versions
    if mode is VersionMode.OFF:
        return _("Versions are not looked at now, so nothing else changes; `/product settings` turns that on.")
    if not changed.refused:
        return _("None of those versions is refused.")
    if mode is VersionMode.REPORT:
        told = ngettext(
            "{count} of them is told that its version is not allowed, but is not refused.",
            "{count} of them are told that their version is not allowed, but are not refused.",
            changed.refused,
        )
        return told.format(count=changed.refused)
    refused = ngettext(
        "**{count} of them is refused with these versions now.**",
        "**{count} of them are refused with these versions now.**",
        changed.refused,
    )
    return refused.format(count=changed.refused)


def _state(state: VersionState | None) -> str:
    return _("not listed") if state is None else _(STATES[state])


def _licenses(count: int) -> str:
    return ngettext("{count} license", "{count} licenses", count).format(count=count)
