"""The operator's hand: what staff do, done from the command line, beside a running bot or while there is none."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import typer

from bot import app
from bot.commands.options import Refused
from bot.commands.upkeep import refuse_missing
from bot.commands.words import plain
from bot.config import Config
from bot.maintenance import tidy_up
from i18n import gettext as _
from licensing.choices import ActorKind
from licensing.errors import LicenseNotFound
from licensing.models import Actor, LicenseView, Organization
from licensing.ports import Clock
from licensing.services.catalog import CatalogService
from licensing.services.changes import ChangeService
from licensing.services.finder import FinderService
from licensing.services.licenses import LicenseService
from licensing.services.organizations import OrganizationService

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """The use cases, and in whose name and in which server they are called."""

    by: Actor
    clock: Clock
    catalog: CatalogService
    licenses: LicenseService
    changes: ChangeService
    finder: FinderService

    async def find(self, text: str) -> LicenseView:
        """Return the license that was typed: its key, `#12`, or `12`, since shells take `#12` for a comment.

        Raises: LicenseNotFound.
        """
        try:
            return await self.licenses.view(self.by, text)
        except LicenseNotFound:
            if not text.strip().isdecimal():
                raise
            return await self.licenses.view(self.by, f"#{text.strip()}")


def run_at_desk(config: Config, server: str | None, work: Callable[[Desk], Awaitable[T]]) -> T:
    """Open the store, do one thing in one server, and close it again.

    Raises: Refused, and whatever the work refuses with.
    """
    refuse_missing(config.database)
    tidy_up(config.database)

    async def at_desk() -> T:
        async with _desk(config, server) as desk:
            return await work(desk)

    return asyncio.run(at_desk())


def listed(organizations: Sequence[Organization]) -> str:
    """Return servers in one line, as a person picks one."""
    return ", ".join(f"{plain(it.name)} ({it.id})" for it in organizations)


def choose(organizations: Sequence[Organization], wanted: str | None) -> Organization:
    """Return the server that is meant: the only one, or the one of this name or id.

    Raises: Refused, with the servers there are.
    """
    if not organizations:
        raise Refused(_("There is no server in this database yet; invite the bot to one first."))
    if wanted is None:
        if len(organizations) == 1:
            return organizations[0]
        raise Refused(
            _("There are several servers; add --server with one of them: {servers}.").format(
                servers=listed(organizations)
            )
        )
    found = [it for it in organizations if str(it.id) == wanted] or _named(organizations, wanted)
    if not found:
        raise Refused(
            _("There is no server {wanted}; there is: {servers}.").format(
                wanted=plain(wanted), servers=listed(organizations)
            )
        )
    if len(found) > 1:
        raise Refused(
            _("Several servers have that name; give the number of one of them: {servers}.").format(
                servers=listed(found)
            )
        )
    return found[0]


def tell(line: str) -> None:
    """Say something to the operator, apart from what a command puts out."""
    typer.echo(line, err=True)


def _named(organizations: Sequence[Organization], name: str) -> list[Organization]:
    return [it for it in organizations if it.name.casefold() == name.strip().casefold()]


@asynccontextmanager
async def _desk(config: Config, server: str | None) -> AsyncIterator[Desk]:
    async with app.stored(config) as house:
        store, vault, clock = house.store, house.store.vault, house.clock
        organization = choose(await OrganizationService(store, plans=house.plans, clock=clock).all(), server)
        yield Desk(
            by=Actor(organization_id=organization.id, kind=ActorKind.OPERATOR),
            clock=clock,
            catalog=CatalogService(store, plans=house.plans, clock=clock, random_bytes=os.urandom),
            licenses=LicenseService(store, vault, plans=house.plans, clock=clock, random_bytes=os.urandom),
            changes=ChangeService(store, vault, clock=clock),
            finder=FinderService(store, vault, clock=clock),
        )
