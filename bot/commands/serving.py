"""Commands that stay up: `run`, `api`, `sandbox`, and `start`, which chooses between run and sandbox."""

import asyncio
import errno
import importlib
import socket
from collections.abc import Awaitable
from typing import Any

from bot import app
from bot.commands.options import Refused
from bot.config import Config
from bot.maintenance import tidy_up
from i18n import gettext as _

_CANNOT_LISTEN = {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES}


def run(config: Config) -> None:
    """Run bot and API until told to stop."""
    if not config.discord.has_token:
        raise Refused(
            _(
                "There is no bot token: set discord.token in config.toml or KEYPORT_DISCORD__TOKEN, "
                "or try 'keyport sandbox', which needs none."
            )
        )
    tidy_up(config.database)
    _serve(config, app.run(config))


def api(config: Config) -> None:
    """Run the API alone until told to stop."""
    tidy_up(config.database)
    _serve(config, app.run_api(config))


def sandbox(config: Config, *, stay: bool) -> None:
    """Play the story against the stand-in for Discord."""
    from bot import sandboxed  # noqa: PLC0415 - no bot of a customer needs the stand-in

    _serve(config, sandboxed.run(config, stay=stay))


def start(config: Config) -> None:
    """Run the bot if there is a token, else the sandbox."""
    if config.discord.has_token:
        run(config)
    else:
        sandbox(config, stay=True)


def _serve(config: Config, serving: Awaitable[None]) -> None:
    try:
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            runner.run(_awaited(serving))
    except OSError as error:
        # A name that means no address is a listening matter too; what has a file name is about that file.
        if error.filename or not (error.errno in _CANNOT_LISTEN or isinstance(error, socket.gaierror)):
            raise
        raise Refused(_not_listening(config, error)) from error


def _not_listening(config: Config, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        sentence = _(
            "The API cannot listen on {host}, port {port}: another process has the port; stop that one or choose "
            "another api.port, or set api.reuse_port for each of them if processes of this machine are to share it."
        )
    else:
        sentence = _(
            "The API cannot listen on {host}, port {port}: the port is not allowed, or the address is not this "
            "machine's; choose another api.host or api.port."
        )
    return sentence.format(host=config.api.host, port=config.api.port)


async def _awaited(serving: Awaitable[None]) -> None:
    await serving


def _fast_loop() -> Any:
    try:
        return importlib.import_module("uvloop").new_event_loop
    except ImportError:
        return None
