"""Gives members who rejoin the roles of the licenses that they still hold."""

import logging

import discord
from discord.ext import commands

from cogs.outbox import is_transient
from cogs.role_keeper import RoleKeeper
from licensing.services.roles import RoleService

log = logging.getLogger(__name__)


class Roles(commands.Cog):
    """Listens for members who join; Discord tells only with the Server Members intent."""

    def __init__(self, roles: RoleService, keeper: RoleKeeper) -> None:
        self._roles = roles
        self._keeper = keeper

    @commands.Cog.listener()
    async def on_member_join(self, member: discord.Member) -> None:
        try:
            for need in await self._roles.of_member(member.guild.id, member.id):
                if need.entitled:
                    await self._keeper.give(need.held, member.guild, given_by_bot=need.given_by_bot)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("the roles of a member who rejoined could not be given: %s", type(error).__name__)
