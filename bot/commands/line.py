"""The command line as typer sees it: names, arguments, help; what a command does is imported when it runs."""
# ruff: noqa: PLC0415 - `version`, `check-config` and the help must not wait for Discord, SQL and cryptography

from pathlib import Path
from typing import Annotated

import typer

from bot.commands import operator_line, platform_line
from bot.commands.options import ConfigPath, settings
from bot.commands.versions import described, program_version
from i18n import gettext as _

Once = Annotated[bool, typer.Option("--once", help=_("Play the story and exit, instead of staying up."))]
Target = Annotated[Path, typer.Argument(metavar="TARGET", help=_("The file to write, or a folder for it."))]
Archive = Annotated[Path, typer.Argument(metavar="ARCHIVE", help=_("A file that 'keyport backup' wrote."))]
Overwrite = Annotated[bool, typer.Option("--overwrite", help=_("Replace TARGET if it exists."))]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))]


def build() -> typer.Typer:
    """Put the commands together."""
    line = typer.Typer(
        name="keyport",
        help=_("KeyPort for Discord: software licenses, issued and claimed in Discord, validated over HTTP."),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    line.callback()(_remember_config)
    line.command("run", help=_("Run the bot and the HTTP API."))(_run)
    line.command("api", help=_("Run the HTTP API alone, on the same database as a bot."))(_api)
    line.command("sandbox", help=_("Try everything without Discord, on a database of its own."))(_sandbox)
    line.command("start", hidden=True, help=_("Run the bot if a token is configured, else the sandbox."))(_start)
    operator_line.add_to(line)
    platform_line.add_to(line)
    line.command("check-config", help=_("Check the settings and show those in force."))(_check_config)
    line.command("migrate", help=_("Bring the database to this version, after a copy was made."))(_migrate)
    line.command("backup", help=_("Write database and key file into one encrypted archive."))(_backup)
    line.command("restore", help=_("Put a backup in place; the old files are kept aside."))(_restore)
    line.command("version", help=_("Show the version."))(_version)
    return line


def _remember_config(context: typer.Context, config: ConfigPath = None) -> None:
    context.obj = config


def _run(context: typer.Context, config: ConfigPath = None) -> None:
    loaded = settings(context, config)
    from bot.commands import serving

    serving.run(loaded)


def _api(context: typer.Context, config: ConfigPath = None) -> None:
    loaded = settings(context, config)
    from bot.commands import serving

    serving.api(loaded)


def _sandbox(context: typer.Context, *, config: ConfigPath = None, once: Once = False) -> None:
    loaded = settings(context, config)
    from bot.commands import serving

    serving.sandbox(loaded, stay=not once)


def _start(context: typer.Context, config: ConfigPath = None) -> None:
    loaded = settings(context, config)
    from bot.commands import serving

    serving.start(loaded)


def _check_config(context: typer.Context, config: ConfigPath = None) -> None:
    loaded = settings(context, config)
    for line in loaded.describe():
        typer.echo(line)
    typer.echo(_("The settings are in order."))
    if not loaded.discord.has_token:
        typer.echo(_("There is no bot token yet: 'keyport run' needs one, 'keyport sandbox' does not."))


def _migrate(context: typer.Context, config: ConfigPath = None) -> None:
    database = settings(context, config).database
    from bot.commands import upkeep

    upkeep.migrate(database)


def _backup(
    context: typer.Context, target: Target, *, config: ConfigPath = None, overwrite: Overwrite = False
) -> None:
    database = settings(context, config).database
    from bot.commands import upkeep

    upkeep.backup(database, target, overwrite=overwrite, program_version=program_version())


def _restore(context: typer.Context, archive: Archive, *, config: ConfigPath = None, yes: Yes = False) -> None:
    database = settings(context, config).database
    from bot.commands import upkeep

    upkeep.restore(database, archive, ask=not yes)


def _version() -> None:
    typer.echo(described())
