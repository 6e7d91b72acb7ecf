"""The command in the menu of a member: everything that they hold, for staff."""

import discord
from discord import app_commands
from discord.ext import commands

from cogs import find_buttons
from cogs.actors import acknowledge
from cogs.context import Interaction

NAME = "Licenses"


class Menus(commands.Cog):
    """Adds the command to the tree; discord.py collects slash commands alone from a cog."""

    def __init__(self, tree: app_commands.CommandTree[discord.Client]) -> None:
        self._tree = tree
        self._menu = app_commands.ContextMenu(name=NAME, callback=_licenses)
        self._menu.default_permissions = discord.Permissions(manage_messages=True)
        self._menu.guild_only = True

    async def cog_load(self) -> None:
        self._tree.add_command(self._menu)

    async def cog_unload(self) -> None:
        self._tree.remove_command(NAME, type=self._menu.type)


async def _licenses(interaction: Interaction, member: discord.User) -> None:
    by = await acknowledge(interaction)
    sought = find_buttons.Sought(holder_id=member.id)
    await interaction.followup.send(view=await find_buttons.results(interaction, by, sought), ephemeral=True)
