"""What Discord suggests while somebody types: within their server, and only what they may see."""

from collections.abc import Mapping

from discord import app_commands

from cogs.actors import actor_of
from cogs.context import Interaction, context_of
from cogs.ui import words
from cogs.ui.errors import Choices, Completion, completes
from i18n import N_
from licensing.choices import Permission, ProductState
from licensing.verdict import Status

STATUSES = [  # what a license can be by itself
    app_commands.Choice(name=N_("active"), value=Status.ACTIVE.value),
    app_commands.Choice(name=N_("waiting to be claimed"), value=Status.NOT_CLAIMED.value),
    app_commands.Choice(name=N_("suspended"), value=Status.SUSPENDED.value),
    app_commands.Choice(name=N_("expired"), value=Status.EXPIRED.value),
    app_commands.Choice(name=N_("revoked"), value=Status.REVOKED.value),
]

_LIMIT = 25


def product(permission: Permission, state: ProductState | None = None) -> Completion:
    """Return what suggests products by the start of their name, to whoever may use the command that asks."""

    @completes
    async def complete(interaction: Interaction, current: str) -> Choices:
        finder, by = context_of(interaction).services.finder, actor_of(interaction)
        found = await finder.products(by, current, permission=permission, state=state, limit=_LIMIT)
        return [app_commands.Choice(name=each.name, value=each.name) for each in found]

    return complete


@completes
async def api_key(interaction: Interaction, current: str) -> Choices:
    """Suggest the names of the API keys that may only validate, of the product that was picked."""
    product = str(interaction.namespace.product or "")
    found = await context_of(interaction).services.api_keys.list(actor_of(interaction), product)
    return _containing({str(key.name): str(key.name) for key in found.keys}, current)


def license_(permission: Permission, *besides: Permission) -> Completion:
    """Return what suggests licenses by key, holder, email or note, to whoever may use the command that asks.

    `besides` are what else it takes to see them, where the command itself does not show any.
    """

    @completes
    async def complete(interaction: Interaction, current: str) -> Choices:
        services, now_ms = context_of(interaction).services, context_of(interaction).clock()
        by = actor_of(interaction)
        if besides and not await services.staff.permissions(by) >= set(besides):
            return []
        found = await services.finder.search(by, current, permission=permission, limit=_LIMIT)
        return [
            app_commands.Choice(
                name=words.choice(view, services.licenses.key_tail(view), now_ms=now_ms), value=f"#{view.license.id}"
            )
            for view in found
        ]

    return complete


@completes
async def settable_version(interaction: Interaction, current: str) -> Choices:
    """Suggest the versions of the product that was named which run somewhere, then those on its list."""
    versions = context_of(interaction).services.versions
    found = await versions.settable(actor_of(interaction), interaction.namespace.product or "")
    return _containing({version: version for version in found}, current)


@completes
async def listed_version(interaction: Interaction, current: str) -> Choices:
    """Suggest what is on the list of the product that was named."""
    versions = context_of(interaction).services.versions
    found = await versions.removable(actor_of(interaction), interaction.namespace.product or "")
    return _containing({rule.spec: rule.spec for rule in found}, current)


@completes
async def own_license(interaction: Interaction, current: str) -> Choices:
    """Suggest the asker's own licenses by number, end of the key or product."""
    services, now_ms = context_of(interaction).services, context_of(interaction).clock()
    held = await services.account.list(actor_of(interaction))
    named = {
        words.choice(view, services.account.key_tail(view), now_ms=now_ms, with_holder=False): f"#{view.license.id}"
        for view in held
    }
    return _containing(named, current)


@completes
async def offered_license(interaction: Interaction, current: str) -> Choices:
    """Suggest the licenses that the asker has offered to somebody."""
    services, by = context_of(interaction).services, actor_of(interaction)
    named = {
        f"#{each.license.license.id} · {each.license.product.name} → @{each.transfer.to_name}"[
            : words.CHOICE_LENGTH
        ]: f"#{each.license.license.id}"
        for each in await services.transfers.mine(by)
        if each.holder.discord_id == by.id
    }
    return _containing(named, current)


def _containing(named: Mapping[str, str], current: str) -> Choices:
    sought = current.strip().casefold()
    fitting = [(name, value) for name, value in named.items() if sought in name.casefold()]
    return [app_commands.Choice(name=name, value=value) for name, value in fitting[:_LIMIT]]


@completes
async def permissions(interaction: Interaction, current: str) -> Choices:
    """Suggest the next of several permissions, out of those that the asker holds."""
    mine = await context_of(interaction).services.staff.permissions(actor_of(interaction))
    if Permission.ROLES_EDIT not in mine:
        return []
    before, _, last = current.lower().rpartition(",")
    start = f"{before.strip()}, " if before.strip() else ""
    fitting = sorted(code for code in mine if code.value.startswith(last.strip()) and code.value not in before)
    lists = [start + code.value for code in fitting if len(start + code.value) <= words.CHOICE_LENGTH]
    return [app_commands.Choice(name=text, value=text) for text in lists[:_LIMIT]]
