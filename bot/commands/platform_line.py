"""The operator's decisions as typer sees them: names, arguments and help of `blacklist` and `server`."""
# ruff: noqa: PLC0415 - the help must not wait for what a command needs

from typing import Annotated

import typer

from bot.commands.options import ConfigPath, group, settings
from i18n import gettext as _

Network = Annotated[
    str, typer.Argument(metavar="ADDRESS", help=_("An address or a range, such as 203.0.113.7 or 2001:db8::/48."))
]
Server = Annotated[str, typer.Argument(metavar="SERVER", help=_("The Discord server, by name or id."))]
Plan = Annotated[
    str, typer.Argument(metavar="PLAN", help=_("A plan's name in the settings; '' gives the default back."))
]
WhyBlocked = Annotated[str | None, typer.Option("--reason", help=_("Why; it is kept with the entry."))]
Reason = Annotated[str | None, typer.Option("--reason", help=_("Why; it is kept with the server's history."))]
Billing = Annotated[bool, typer.Option("--billing", help=_("Over a bill: validations answer billing_suspended."))]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))]


def add_to(line: typer.Typer) -> None:
    """Add the commands that decide about every server, or about one as a whole."""
    blacklist = group(_("Block addresses for every server."))
    blacklist.command("add", help=_("Block an address or a range; asks where that is very many."))(_block)
    blacklist.command("remove", help=_("Take a block back."))(_unblock)
    blacklist.command("list", help=_("List what is blocked for every server."))(_list_blocks)
    servers = group(_("See, suspend and reinstate servers, and choose their plans."))
    servers.command("list", help=_("List every server, with its plan, its state and how much it has."))(_list_servers)
    servers.command("suspend", help=_("Have every validation of a server refused."))(_suspend)
    servers.command("reinstate", help=_("End a server's suspension."))(_reinstate)
    servers.command("plan", help=_("Put a server on a plan."))(_plan)
    line.add_typer(blacklist, name="blacklist")
    line.add_typer(servers, name="server")


def _block(
    context: typer.Context,
    network: Network,
    *,
    reason: WhyBlocked = None,
    yes: Yes = False,
    config: ConfigPath = None,
) -> None:
    loaded = settings(context, config)
    from bot.commands import platform

    platform.block(loaded, network, reason=reason, ask=not yes)


def _unblock(context: typer.Context, network: Network, *, config: ConfigPath = None) -> None:
    loaded = settings(context, config)
    from bot.commands import platform

    platform.unblock(loaded, network)


def _list_blocks(context: typer.Context, *, config: ConfigPath = None) -> None:
    loaded = settings(context, config)
    from bot.commands import platform

    platform.list_blocks(loaded)


def _list_servers(context: typer.Context, *, config: ConfigPath = None) -> None:
    loaded = settings(context, config)
    from bot.commands import platform

    platform.list_servers(loaded)


def _suspend(
    context: typer.Context,
    server: Server,
    *,
    billing: Billing = False,
    reason: Reason = None,
    config: ConfigPath = None,
) -> None:
    loaded = settings(context, config)
    from bot.commands import platform

    platform.suspend(loaded, server, billing=billing, reason=reason)


def _reinstate(context: typer.Context, server: Server, *, reason: Reason = None, config: ConfigPath = None) -> None:
    loaded = settings(context, config)
    from bot.commands import platform

    platform.reinstate(loaded, server, reason=reason)


def _plan(context: typer.Context, server: Server, plan: Plan, *, config: ConfigPath = None) -> None:
    loaded = settings(context, config)
    from bot.commands import platform

    platform.set_plan(loaded, server, plan)
