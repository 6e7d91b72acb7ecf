"""What commands share: where the settings come from, and how a refusal is raised."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.config import Config, load
from i18n import gettext as _

ConfigPath = Annotated[
    Path | None,
    typer.Option("--config", "-c", help=_("The settings file; config.toml in the working folder if left out.")),
]


class Format(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSON = "json"


class Refused(Exception):  # noqa: N818 - a refusal is the house's word for an expected error
    """The command is not carried out; the text is one sentence for the operator."""


def settings(context: typer.Context, path: Path | None) -> Config:
    """Read the settings and switch the log on; `--config` may stand before or behind the command's name."""
    from bot import log  # noqa: PLC0415 - `version` and the help need no log

    config = load(path or context.obj, os.environ)
    log.configure(level=config.log.level, format=config.log.format)
    return config


def group(text: str) -> typer.Typer:
    """Return a command that only has commands below it."""
    return typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
