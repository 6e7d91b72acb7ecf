"""`/staff`: which roles may do what."""

import discord
from discord import app_commands
from discord.ext import commands

from cogs import completions
from cogs.actors import acknowledge
from cogs.context import Context, Interaction
from cogs.options import parse_permissions
from cogs.ui import layouts, words
from cogs.visibility import hidden_from
from i18n import N_, ngettext
from i18n import gettext as _
from licensing.services.staff import RoleChanged

_CODES = app_commands.Range[str, 1, 500]


@app_commands.guild_only()
@app_commands.default_permissions(manage_messages=True)
class Staff(
    commands.GroupCog, group_name="staff", group_description=N_("Decide which roles may use which staff powers")
):
    """Acknowledges, asks the staff service, shows."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._staff = context.services.staff

    @app_commands.command(description=N_("Give permissions to a role"))
    @app_commands.describe(
        role=N_("The role whose members this is about"),
        permissions=N_("What they may do; several with commas, or all"),
    )
    @app_commands.autocomplete(permissions=completions.permissions)
    async def grant(self, interaction: Interaction, role: discord.Role, permissions: _CODES) -> None:
        by = await acknowledge(interaction)
        codes = parse_permissions(permissions)
        changed = await self._staff.grant(by, role_id=role.id, permissions=codes)
        given = changed.after - changed.before
        text = ngettext("{role} was given {count} permission.", "{role} was given {count} permissions.", len(given))
        hint = _hidden_hint(role, await hidden_from(interaction.client, role))
        parts = [_before_and_after(changed), text.format(role=role.mention, count=len(given)), hint]
        panel = layouts.panel(*(part for part in parts if part))
        await interaction.followup.send(view=panel, ephemeral=True)

    @app_commands.command(description=N_("Take permissions from a role"))
    @app_commands.describe(
        role=N_("The role whose members this is about"),
        permissions=N_("What they may no longer do; several with commas, or all"),
    )
    @app_commands.autocomplete(permissions=completions.permissions)
    async def revoke(self, interaction: Interaction, role: discord.Role, permissions: _CODES) -> None:
        by = await acknowledge(interaction)
        codes = parse_permissions(permissions)
        changed = await self._staff.revoke(by, role_id=role.id, permissions=codes)
        taken = changed.before - changed.after
        text = ngettext("{role} lost {count} permission.", "{role} lost {count} permissions.", len(taken))
        parts = [_before_and_after(changed), text.format(role=role.mention, count=len(taken))]
        panel = layouts.panel(*(part for part in parts if part))
        await interaction.followup.send(view=panel, ephemeral=True)

    @app_commands.command(description=N_("List which roles may do what"))
    async def list(self, interaction: Interaction) -> None:
        by = await acknowledge(interaction)
        grants = await self._staff.list(by)
        roles = interaction.guild.roles if interaction.guild else ()
        panel = layouts.staff_list(grants, role_ids={role.id for role in roles})
        await interaction.followup.send(view=panel, ephemeral=True)


def _before_and_after(changed: RoleChanged) -> str:
    """Return what a role may do, before and after, and the difference, which is easily lost in two long lists."""
    given, taken = changed.after - changed.before, changed.before - changed.after
    lines = []
    if given or taken:
        states = words.change(words.permissions(changed.before), words.permissions(changed.after))
        lines.append(_("**Permissions:** {permissions}").format(permissions=states))
    if given:
        lines.append(_("**Given:** {permissions}").format(permissions=words.permissions(given)))
    if taken:
        lines.append(_("**Taken:** {permissions}").format(permissions=words.permissions(taken)))
    return "\n".join(lines)


def _hidden_hint(role: discord.Role, hidden: list[str]) -> str:
    if not hidden:
        return ""
    return _(
        "Members with only {role} cannot see {commands}: give the role Manage Messages, "
        "or allow it under Server Settings → Integrations."
    ).format(role=role.mention, commands=", ".join(f"`/{name}`" for name in hidden))
