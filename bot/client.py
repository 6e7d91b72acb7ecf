"""The Discord client: intents, cogs, buttons, command sync; one is built for every attempt to connect."""

import asyncio
import logging
import time
from dataclasses import dataclass
from enum import Enum
from typing import cast

import aiohttp
import discord
import yarl
from discord import app_commands
from discord.ext import commands

from cogs import (
    account_buttons,
    approvals,
    blacklist_buttons,
    bulk_questions,
    custom_responses,
    find_buttons,
    history_buttons,
    license_buttons,
    license_questions,
    product_buttons,
    product_keys,
    product_signing,
    product_versions,
    reset_buttons,
    settings_buttons,
    transfer_buttons,
)
from cogs.account import Account
from cogs.approvals import Approvals
from cogs.blacklist import Blacklist
from cogs.bulk import Bulk
from cogs.context import Context, Services
from cogs.deliveries import Deliveries, Pace
from cogs.guilds import Guilds, Roster
from cogs.lanes import MANY, SINGLE
from cogs.letters import Letters
from cogs.licenses import Licenses
from cogs.menus import Menus
from cogs.outbox import PAUSES_S, POLL_S, Outbox
from cogs.products import Products
from cogs.role_keeper import RoleKeeper
from cogs.roles import Roles
from cogs.staff import Staff
from cogs.transfers import Transfers
from cogs.tree import Catalogues, Tree
from cogs.ui.forms import Forms, TryAgain
from cogs.ui.persistent import Cancel
from cogs.why import Why
from licensing.addresses import EVERYTHING_PLAIN, Counting
from licensing.ports import Clock, Store, Unavailable

log = logging.getLogger(__name__)

GUILDS_ARRIVE_S = 2.0  # after the last guild for so long, all have arrived

_ITEMS = (
    *account_buttons.ITEMS,
    *approvals.ITEMS,
    *blacklist_buttons.ITEMS,
    *bulk_questions.ITEMS,
    *find_buttons.ITEMS,
    *history_buttons.ITEMS,
    *license_buttons.ITEMS,
    *license_questions.ITEMS,
    *product_buttons.ITEMS,
    *product_keys.ITEMS,
    *product_versions.ITEMS,
    *product_signing.ITEMS,
    *reset_buttons.ITEMS,
    *settings_buttons.ITEMS,
    *transfer_buttons.ITEMS,
    Cancel,
    TryAgain,
)
_FORMS = (
    *approvals.FORMS,
    *blacklist_buttons.FORMS,
    *custom_responses.FORMS,
    *license_buttons.FORMS,
    *license_questions.FORMS,
    *product_signing.FORMS,
    *settings_buttons.FORMS,
)

_STOP_S = 1.0

_AUTHENTICATION_FAILED = 4004
_DISALLOWED_INTENTS = 4014
_UNAUTHORIZED = 401
_RATE_LIMITED = 429
_SERVER_ERROR = 500


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where Discord is; None keeps discord.py's own."""

    rest: str
    gateway: str | None = None
    cdn: str | None = None


class Trouble(Enum):
    """Why a client could not connect, as far as it decides what to do next."""

    TOKEN_REFUSED = "token_refused"  # noqa: S105 - not a token, but its fate
    INTENT_MISSING = "intent_missing"
    UNREACHABLE = "unreachable"
    STORE_UNAVAILABLE = "store_unavailable"
    FAULT = "fault"


class KeyPortClient(commands.Bot):
    """Everything that lives as long as one connection to Discord."""

    def __init__(
        self, context: Context, store: Store, *, many: Outbox, members_intent: bool, ready_after_s: float
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            tree_cls=Tree,
            help_command=None,
            intents=discord.Intents(guilds=True, members=members_intent),
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            guild_ready_timeout=ready_after_s,
        )
        self._tree = cast(Tree, self.tree)
        self.context = context
        self.forms = _FORMS
        self._store = store
        self._many = many

    async def setup_hook(self) -> None:
        """Add the cogs and buttons, register changed commands, begin to deliver."""
        await self.add_cogs()
        self.add_dynamic_items(*_ITEMS)
        await self._tree.set_translator(Catalogues())
        if await self._tree.sync_changes(self._store):
            log.info("commands registered with Discord")
        services = self.context.services
        keeper = RoleKeeper(services.roles)
        await self.add_cog(Roles(services.roles, keeper))
        await self._many.branch_off(SINGLE)
        letters, pace = Letters(services, clock=self.context.clock), Pace()
        for outbox in (self.context.outbox, self._many):
            outbox.start(Deliveries(self, letters, keeper, pace=pace).deliver)

    async def add_cogs(self) -> None:
        """Add every command and listener."""
        await self.add_cog(Products(self.context))
        await self.add_cog(Licenses(self.context))
        await self.add_cog(Account(self.context))
        await self.add_cog(Transfers(self.context))
        await self.add_cog(Why(self.context))
        await self.add_cog(Approvals())
        await self.add_cog(Blacklist(self.context))
        await self.add_cog(Bulk())
        await self.add_cog(Staff(self.context))
        await self.add_cog(Menus(self.tree))
        await self.add_cog(Forms())
        await self.add_cog(Guilds(self, self.context.roster))

    async def close(self) -> None:
        """Stop what takes long and delivering, then disconnect."""
        stopped = self.context.jobs.close(within_s=_STOP_S)
        await asyncio.gather(stopped, self.context.outbox.stop(), self._many.stop())
        await super().close()

    async def on_app_command_completion(self, _interaction: object, _command: object) -> None:
        """Deliver at once what a command may have brought about."""
        self.context.outbox.wake.set()

    async def on_resumed(self) -> None:
        """Deliver at once what waited for the connection."""
        self.context.outbox.wake.set()


def build_client(
    services: Services,
    store: Store,
    *,
    members_intent: bool,
    public_api_url: str,
    counting: Counting = EVERYTHING_PLAIN,
    clock: Clock = _now_ms,
    poll_s: float = POLL_S,
    ready_after_s: float = GUILDS_ARRIVE_S,
) -> KeyPortClient:
    """Return a client that has not connected yet; a client that was closed cannot be used again."""
    context = Context(
        services=services,
        roster=Roster(services.organizations),
        outbox=Outbox(store, poll_s=poll_s, pauses_s=PAUSES_S),
        public_api_url=public_api_url,
        counting=counting,
        clock=clock,
    )
    many = Outbox(store, lane=MANY, poll_s=poll_s, pauses_s=PAUSES_S)
    return KeyPortClient(context, store, many=many, members_intent=members_intent, ready_after_s=ready_after_s)


def point_discord_at(endpoints: Endpoints) -> None:
    """Have discord.py talk to another address, for the whole process."""
    discord.http.Route.BASE = endpoints.rest
    if endpoints.gateway is not None:  # a client never asks REST where the gateway is
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(endpoints.gateway)
    if endpoints.cdn is not None:
        discord.asset.Asset.BASE = endpoints.cdn


def classify(error: BaseException) -> Trouble:
    """Tell what ended a connection; what neither Discord, the network nor the store explains is a fault of ours."""
    if isinstance(error, Unavailable):
        return Trouble.STORE_UNAVAILABLE
    if isinstance(error, discord.LoginFailure):
        return Trouble.TOKEN_REFUSED
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return Trouble.INTENT_MISSING
    if isinstance(error, discord.HTTPException):
        return _of_status(error.status)
    if isinstance(error, discord.ConnectionClosed):
        closed = {
            _AUTHENTICATION_FAILED: Trouble.TOKEN_REFUSED,
            _DISALLOWED_INTENTS: Trouble.INTENT_MISSING,
        }
        return closed.get(error.code, Trouble.UNREACHABLE)
    away = isinstance(error, OSError | aiohttp.ClientError | discord.GatewayNotFound | discord.RateLimited)
    return Trouble.UNREACHABLE if away else Trouble.FAULT


def _of_status(status: int) -> Trouble:
    if status == _UNAUTHORIZED:
        return Trouble.TOKEN_REFUSED
    # Any other answer of Discord's is about what was asked, and asking again changes nothing.
    return Trouble.UNREACHABLE if status >= _SERVER_ERROR or status == _RATE_LIMITED else Trouble.FAULT
