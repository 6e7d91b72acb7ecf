"""Who can see the staff commands: Discord hides them by permission, and an administrator may have changed that.

A bot can read these rules (Server Settings, Integrations) and not change them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import aiohttp
import discord

STAFF_COMMANDS = ("approvals", "blacklist", "bulk", "license", "product", "staff")

Rules = Mapping[int, Sequence[Mapping[str, Any]]]


async def hidden_from(client: discord.Client, role: discord.Role) -> list[str]:
    """Return the staff commands that members with only this role do not see; none if that cannot be read."""
    application_id = client.application_id
    if application_id is None:
        return []
    try:
        commands = await client.http.get_global_commands(application_id)
        rows = await client.http.get_guild_application_command_permissions(application_id, role.guild.id)
    except (discord.HTTPException, aiohttp.ClientError, OSError):
        return []
    rules = {int(row["id"]): row["permissions"] for row in rows}
    ids = {command["name"]: int(command["id"]) for command in commands}
    return [
        name
        for name in STAFF_COMMANDS
        if name in ids and not is_visible(role, rules, command_id=ids[name], application_id=application_id)
    ]


def is_visible(role: discord.Role, rules: Rules, *, command_id: int, application_id: int) -> bool:
    """Tell whether a role sees a command: its own rules first, then the application's, then the default."""
    if role.permissions.administrator:
        return True
    everyone = role.guild.default_role
    for target in (command_id, application_id):
        said = _said(rules.get(target, ()), (role.id, everyone.id))
        if said is not None:
            return said
    return role.permissions.manage_messages or everyone.permissions.manage_messages


def _said(rows: Sequence[Mapping[str, Any]], ids: Iterable[int]) -> bool | None:
    allowed = {int(row["id"]): bool(row["permission"]) for row in rows}
    return next((allowed[each] for each in ids if each in allowed), None)
