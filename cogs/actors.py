"""Who asks: a member of a Discord server, as the interaction itself describes them at this moment."""

import discord

from cogs.context import Interaction, context_of
from licensing.errors import BotNotInServer, GuildOnly, ServerLeft
from licensing.models import Actor


async def acknowledge(interaction: Interaction) -> Actor:
    """Promise a private answer, then say who asks.

    Discord drops an interaction after 3 s, so the answer comes before anything that touches the store.

    Raises: GuildOnly, BotNotInServer, Unavailable.
    """
    await interaction.response.defer(ephemeral=True, thinking=True)
    return await admit(interaction)


async def acknowledge_in_place(interaction: Interaction) -> Actor:
    """Promise to change the message that was pressed, then say who asks.

    Raises: GuildOnly, BotNotInServer, Unavailable.
    """
    await interaction.response.defer()
    return await admit(interaction)


async def admit(interaction: Interaction) -> Actor:
    """Return the actor, their server known to the store.

    Raises: GuildOnly, BotNotInServer, Unavailable.
    """
    actor = actor_of(interaction)
    await _admit_server(interaction, actor.organization_id)
    return actor


async def _admit_server(interaction: Interaction, guild_id: int) -> discord.Guild:
    # The interaction's own guild is made up by discord.py where the bot is not in it; an unavailable one is known.
    guild: discord.Guild | None = interaction.client.get_guild(guild_id)
    if guild is None:
        raise BotNotInServer
    await context_of(interaction).roster.admit(guild)
    return guild


def actor_of(interaction: Interaction) -> Actor:
    """Return who asks, with the roles that Discord sent along.

    Raises: GuildOnly.
    """
    guild, member = interaction.guild, interaction.user
    if guild is None or not isinstance(member, discord.Member):
        raise GuildOnly
    return Actor(
        organization_id=guild.id,
        id=member.id,
        name=member.display_name,
        role_ids=role_ids(member),
        is_administrator=interaction.permissions.administrator or guild.owner_id == member.id,
    )


def role_ids(member: discord.Member) -> frozenset[int]:
    """Return the roles that Discord says a member has, `@everyone` among them.

    `Member.roles` leaves out what is not cached: all of them, while their server is unavailable.
    """
    return frozenset({member.guild.id, *member._roles})  # noqa: SLF001 - the ids have no public name


async def acknowledge_as_member(interaction: Interaction, guild_id: int) -> Actor:
    """Promise to change the message that was pressed, then say who asks, as a member of a server.

    In a direct message Discord tells of no server, so the button's id names it and Discord is asked who they are
    there. Roles are left out: this speaks for the member's own things alone.

    Raises: ServerLeft, BotNotInServer, Unavailable.
    """
    await interaction.response.defer()
    guild = await _admit_server(interaction, guild_id)
    try:
        member = await guild.fetch_member(interaction.user.id)
    except discord.NotFound as error:
        raise ServerLeft from error
    return Actor(organization_id=guild.id, id=member.id, name=member.display_name)
