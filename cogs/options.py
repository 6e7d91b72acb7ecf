"""What people pick in a command's options, checked for what only Discord knows."""

import discord

from licensing.addresses import IP, parse_ip
from licensing.choices import Permission
from licensing.errors import (
    HolderIsBot,
    ManageRolesMissing,
    NotAMember,
    RecipientNotAMember,
    RoleAboveAsker,
    RoleManaged,
    RoleTooHigh,
)
from licensing.expiry import parse_grace_ms
from licensing.input_errors import AddressInvalid, PermissionUnknown


def check_assignable(role: discord.Role, asker: discord.User | discord.Member) -> None:
    """Refuse a role that the bot could never give to a member, or that the asker may not give either.

    Raises: RoleManaged, RoleTooHigh, ManageRolesMissing, RoleAboveAsker.
    """
    if role.is_default() or role.managed:
        raise RoleManaged
    me = role.guild.me
    if not me.guild_permissions.manage_roles:
        raise ManageRolesMissing
    if not role.is_assignable():
        raise RoleTooHigh(bot_role=me.top_role.name)
    if not _may_give(asker, role):
        raise RoleAboveAsker


def _may_give(asker: discord.User | discord.Member, role: discord.Role) -> bool:
    if not isinstance(asker, discord.Member):
        return False
    if role.guild.owner_id == asker.id or asker.guild_permissions.administrator:
        return True
    return asker.guild_permissions.manage_roles and role < asker.top_role


def check_holder(user: discord.User | discord.Member | None) -> None:
    """Refuse a holder who is no member of the server, or no person.

    Raises: NotAMember, HolderIsBot.
    """
    if user is None:
        return
    if user.bot:
        raise HolderIsBot
    if not isinstance(user, discord.Member):
        raise NotAMember


def check_recipient(user: discord.User | discord.Member) -> None:
    """Refuse a recipient who is no member of the server, or no person.

    Raises: RecipientNotAMember, HolderIsBot.
    """
    if user.bot:
        raise HolderIsBot
    if not isinstance(user, discord.Member):
        raise RecipientNotAMember


def parse_permissions(text: str) -> list[Permission]:
    """Return the permissions that somebody listed, `all` being every one.

    Raises: PermissionUnknown.
    """
    typed = [word for word in text.lower().replace(",", " ").split() if word]
    if typed == ["all"]:
        return list(Permission)
    known = {permission.value for permission in Permission}
    for word in typed or [""]:
        if word not in known:
            raise PermissionUnknown(text=word)
    return list(dict.fromkeys(Permission(word) for word in typed))


def parse_grace_minutes(text: str | None, *, now_ms: int) -> int:
    """Return a grace period in whole minutes.

    Raises: GraceInvalid.
    """
    return parse_grace_ms(text or "", now_ms=now_ms) // 60_000


def parse_address(text: str | None) -> IP | None:
    """Return an address that was typed.

    Raises: AddressInvalid.
    """
    if text is None or not text.strip():
        return None
    address = parse_ip(text)
    if address is None:
        raise AddressInvalid(text=text)
    return address
