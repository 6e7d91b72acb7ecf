"""What a cog may know: the services, and a few facts about the bot it belongs to."""

from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import discord

from cogs.bulk_jobs import Jobs
from cogs.guilds import Roster
from cogs.outbox import Outbox
from licensing.addresses import EVERYTHING_PLAIN, Counting
from licensing.ports import Clock
from licensing.services.account import AccountService
from licensing.services.api_keys import ApiKeyService
from licensing.services.blacklist import BlacklistService
from licensing.services.bulk import BulkService
from licensing.services.catalog import CatalogService
from licensing.services.changes import ChangeService
from licensing.services.finder import FinderService
from licensing.services.history import HistoryService
from licensing.services.licenses import LicenseService
from licensing.services.organizations import OrganizationService
from licensing.services.resets import ResetService
from licensing.services.roles import RoleService
from licensing.services.signing import SigningService
from licensing.services.staff import StaffService
from licensing.services.transfers import TransferService
from licensing.services.versions import VersionService

Interaction = discord.Interaction[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Every use case that Discord offers."""

    catalog: CatalogService
    versions: VersionService
    signing: SigningService
    api_keys: ApiKeyService
    licenses: LicenseService
    bulk: BulkService
    finder: FinderService
    changes: ChangeService
    resets: ResetService
    transfers: TransferService
    account: AccountService
    staff: StaffService
    blacklist: BlacklistService
    organizations: OrganizationService
    roles: RoleService
    history: HistoryService


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What cogs and buttons are given; `public_api_url` is where products reach the HTTP API."""

    services: Services
    roster: Roster
    outbox: Outbox
    public_api_url: str
    clock: Clock
    counting: Counting = EVERYTHING_PLAIN
    jobs: Jobs = field(default_factory=Jobs)


class Bot(Protocol):
    """The part of the client that buttons and completions see."""

    context: Context


def context_of(interaction: Interaction) -> Context:
    """Return what belongs to the client that received an interaction; buttons have no constructor of ours."""
    return cast(Bot, interaction.client).context
