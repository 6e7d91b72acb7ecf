"""`keyport blacklist …` and `keyport server …`: what the operator decides about every server or about one of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import typer

from bot import app
from bot.commands.operator import choose, tell
from bot.commands.options import Refused
from bot.commands.questions import agreed, require
from bot.commands.upkeep import refuse_missing
from bot.commands.words import minute, plain
from bot.config import Config
from bot.maintenance import tidy_up
from i18n import gettext as _
from i18n import ngettext
from licensing.choices import ActorKind, OrganizationState
from licensing.errors import BlockNotFound
from licensing.models import PLATFORM, Actor, Organization
from licensing.services.blacklist import BlacklistService, Blocks, Preview
from licensing.services.organizations import OrganizationChanged, OrganizationService, Plans
from licensing.tables import Standing

T = TypeVar("T")

_OPERATOR = Actor(organization_id=PLATFORM, kind=ActorKind.OPERATOR)


@dataclass(frozen=True, slots=True)
class _Desk:
    """The use cases that only the operator has."""

    plans: Plans
    organizations: OrganizationService
    blacklist: BlacklistService


def block(config: Config, network: str, *, reason: str | None, ask: bool) -> None:
    """Block an address or a range for every server; a wide range is asked about first."""

    async def look(desk: _Desk) -> Preview:
        return await desk.blacklist.preview(_OPERATOR, network=network, reason=reason)

    async def work(desk: _Desk) -> None:
        entry = await desk.blacklist.add(_OPERATOR, network=network, reason=reason)
        typer.echo(_("Blocked for every server: {network}").format(network=entry.block.network))

    # Asked between two short visits to the store, so that Ctrl-C ends the question at once.
    found = _run(config, look)
    if ask and found.is_wide:
        tell(_("{network} is a wide range: every call from it is refused.").format(network=found.entry.block.network))
        require(agreed(_("Block it for every server?")))
    _run(config, work)


def unblock(config: Config, network: str) -> None:
    """Take a block for every server back."""

    async def work(desk: _Desk) -> None:
        try:
            entry = await desk.blacklist.remove(_OPERATOR, network=network)
        except BlockNotFound as error:
            text = _("{network} is not blocked for every server; 'keyport blacklist list' shows what is.")
            raise Refused(text.format(network=plain(network))) from error
        typer.echo(_("No longer blocked for every server: {network}").format(network=entry.block.network))

    _run(config, work)


def list_blocks(config: Config) -> None:
    """Show what is blocked for every server, a line each."""

    async def work(desk: _Desk) -> None:
        page, last_page = 0, 0
        while page <= last_page:
            found = await desk.blacklist.list(_OPERATOR, page=page)
            _show_blocks(found)
            page, last_page = page + 1, found.last_page
        if not found.count:
            tell(_("Nothing is blocked for every server."))

    _run(config, work)


def list_servers(config: Config) -> None:
    """Show every server: its id, state, plan, how much it has, its name."""

    async def work(desk: _Desk) -> None:
        found = await desk.organizations.standings()
        for standing in found:
            typer.echo(_line(standing, desk.plans))
        if not found:
            tell(_("There is no server in this database yet; invite the bot to one first."))

    _run(config, work)


def suspend(config: Config, server: str, *, billing: bool, reason: str | None) -> None:
    """Have every validation of a server refused."""
    state = OrganizationState.BILLING_SUSPENDED if billing else OrganizationState.SUSPENDED
    _change(config, server, lambda desk, by: desk.organizations.change_state(by, state, reason=reason))


def reinstate(config: Config, server: str, *, reason: str | None) -> None:
    """End a server's suspension."""
    state = OrganizationState.ACTIVE
    _change(config, server, lambda desk, by: desk.organizations.change_state(by, state, reason=reason))


def set_plan(config: Config, server: str, plan: str) -> None:
    """Put a server on a plan."""
    _change(config, server, lambda desk, by: desk.organizations.change_plan(by, plan))


def _change(config: Config, server: str, change: Callable[[_Desk, Actor], Awaitable[OrganizationChanged]]) -> None:
    async def work(desk: _Desk) -> None:
        organization = choose(await desk.organizations.all(), server)
        changed = await change(desk, Actor(organization_id=organization.id, kind=ActorKind.OPERATOR))
        before, after = (_facts(each, desk.plans) for each in (changed.before, changed.after))
        text = _("{server} ({id}): {before} → {after}")
        typer.echo(text.format(server=plain(organization.name), id=organization.id, before=before, after=after))

    _run(config, work)


def _facts(organization: Organization, plans: Plans) -> str:
    return _("{state}, plan {plan}").format(state=organization.state, plan=plans.named(organization.plan).name)


def _line(standing: Standing, plans: Plans) -> str:
    organization = standing.organization
    products = ngettext("{count} product", "{count} products", standing.products).format(count=standing.products)
    licenses = ngettext("{count} license", "{count} licenses", standing.licenses).format(count=standing.licenses)
    name = plain(organization.name)
    if not standing.present:
        name = _("{name} (the bot has left)").format(name=name)
    plan = plans.named(organization.plan).name
    return f"{organization.id:<19}  {organization.state:<17}  {plan:<10}  {products:>12}  {licenses:>14}  {name}"


def _show_blocks(found: Blocks) -> None:
    for entry in found.entries:
        block = entry.block
        typer.echo(f"{block.network:<43}  {minute(block.created_at_ms)}  {plain(block.reason or '')}".rstrip())


def _run(config: Config, work: Callable[[_Desk], Awaitable[T]]) -> T:
    """Open the store, do one thing, and close it again.

    Raises: Refused, and whatever the work refuses with.
    """
    refuse_missing(config.database)
    tidy_up(config.database)

    async def at_desk() -> T:
        async with _desk(config) as desk:
            return await work(desk)

    return asyncio.run(at_desk())


@asynccontextmanager
async def _desk(config: Config) -> AsyncIterator[_Desk]:
    async with app.stored(config) as house:
        yield _Desk(
            plans=house.plans,
            organizations=OrganizationService(house.store, plans=house.plans, clock=house.clock),
            blacklist=BlacklistService(house.store, house.store.vault, clock=house.clock),
        )
