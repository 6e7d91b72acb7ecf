"""Which Discord servers the bot is in, told to the organization service as they come and go."""

import logging

import discord
from discord.ext import commands

from licensing.ports import Unavailable
from licensing.services.organizations import OrganizationService

log = logging.getLogger(__name__)


class Roster:
    """Remembers which servers the store knows, so that only a new or renamed one costs a write."""

    def __init__(self, organizations: OrganizationService) -> None:
        self._organizations = organizations
        self._names: dict[int, str] = {}

    async def admit(self, guild: discord.Guild) -> None:
        """See to it that the store knows a server that the bot is in before anything is written for it.

        Raises: Unavailable.
        """
        if self._names.get(guild.id) == guild.name or (guild.unavailable and guild.id in self._names):
            return
        # A server that was unavailable when the bot connected has no name yet.
        name = guild.name or await self._organizations.name_of(guild.id) or str(guild.id)
        await self._organizations.joined(guild.id, name=name)
        self._names[guild.id] = name

    async def dismiss(self, guild_id: int) -> None:
        """Note that the bot was removed from a server; its data stays.

        Raises: Unavailable.
        """
        self._names.pop(guild_id, None)
        await self._organizations.left(guild_id)

    async def dismiss_all_but(self, guild_ids: set[int]) -> None:
        """Note that the bot is in no other servers than these.

        Raises: Unavailable.
        """
        for guild_id in await self._organizations.present() - guild_ids:
            await self.dismiss(guild_id)


class Guilds(commands.Cog):
    """Listens for servers that come and go."""

    def __init__(self, bot: commands.Bot, roster: Roster) -> None:
        self._bot = bot
        self._roster = roster

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        for guild in self._bot.guilds:
            if not guild.unavailable:
                await self._admit(guild)
        await self._dismiss_missing()

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self._admit(guild)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        await self._admit(guild)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        try:
            await self._roster.dismiss(guild.id)
        except Unavailable:
            log.warning("server %s removed the bot, but the store could not be told", guild.id)

    async def _dismiss_missing(self) -> None:
        """Note which servers removed the bot while it was away: Discord's list at READY names all it is in."""
        try:
            await self._roster.dismiss_all_but({guild.id for guild in self._bot.guilds})
        except Unavailable:
            log.warning("the store could not be told which servers removed the bot")

    async def _admit(self, guild: discord.Guild) -> None:
        try:
            await self._roster.admit(guild)
        except Unavailable:  # the next command in this server does it
            log.warning("the store could not be told of server %s", guild.id)
