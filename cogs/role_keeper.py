"""Gives members the roles of their licenses and takes back what the bot itself gave.

What Discord refuses for good (a role out of reach, a member who left) is logged once and skipped.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any
from weakref import WeakValueDictionary

import discord

from cogs.actors import role_ids
from cogs.outbox import is_transient
from i18n import gettext as _
from licensing.models import HeldRole
from licensing.services.roles import RoleService

log = logging.getLogger(__name__)


class RoleKeeper:
    """Brings Discord's roles in line with what the role service says."""

    def __init__(self, roles: RoleService) -> None:
        self._roles = roles
        self._reported: set[int] = set()
        # Two lanes of events may look at one member at once: neither may act on what was before the other acted.
        self._turns = WeakValueDictionary[tuple[int, int], asyncio.Lock]()

    async def see_to(self, guild: discord.Guild, *, product_id: int, customer_id: int) -> None:
        """Give or take a customer's role for a product, as they are entitled to it now.

        Raises: whatever may work later.
        """
        async with self._turns.setdefault((guild.id, customer_id), asyncio.Lock()):
            need = await self._roles.needs(guild.id, product_id, customer_id)
            if need is None:
                return
            if need.entitled:
                await self.give(need.held, guild, given_by_bot=need.given_by_bot)
            elif need.given_by_bot:
                await self._take(need.held, guild)

    async def give(self, held: HeldRole, guild: discord.Guild, *, given_by_bot: bool) -> None:
        """Give a role that the member lacks; whoever has it from somebody else keeps it for good.

        It is written down first: a crash in between must not leave a role that nobody dares to take back.
        """
        try:
            member = await self._member(held, guild)
        except discord.Forbidden:
            self._report(held)
            return
        if member is None or held.role_id in role_ids(member):
            return
        if not given_by_bot:
            await self._roles.gave(held)
        role = discord.Object(held.role_id)
        if not await self._on_role(held, member.add_roles(role, reason=_("KeyPort: holds a license"))):
            await self._roles.took(held)

    async def _take(self, held: HeldRole, guild: discord.Guild) -> None:
        """Take a role back; it is forgotten only when the member certainly has it no longer."""
        try:
            member = await self._member(held, guild)
        except discord.Forbidden:
            self._report(held)
            return
        if member is not None:
            role = discord.Object(held.role_id)
            reason = _("KeyPort: no longer holds a license")
            if not await self._on_role(held, member.remove_roles(role, reason=reason)):
                return
        await self._roles.took(held)

    async def _member(self, held: HeldRole, guild: discord.Guild) -> discord.Member | None:
        try:
            return await guild.fetch_member(held.discord_id)
        except discord.NotFound:
            return None

    async def _on_role(self, held: HeldRole, change: Awaitable[Any]) -> bool:
        try:
            await change
        except discord.HTTPException as error:
            if is_transient(error):
                raise
            self._report(held)
            return False
        return True

    def _report(self, held: HeldRole) -> None:
        if held.role_id not in self._reported:
            self._reported.add(held.role_id)
            log.warning(
                "role %s in server %s is out of the bot's reach: give the bot Manage Roles, "
                "and drag its role above that one",
                held.role_id,
                held.organization_id,
            )
