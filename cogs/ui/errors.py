"""The one error path: whatever a command, button, modal or completion raises ends here as one sentence."""

import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import discord
from discord import app_commands

from cogs.context import Interaction
from cogs.outbox import is_transient
from i18n import gettext as _
from i18n import set_locale
from i18n.refusals import sentence

log = logging.getLogger(__name__)

# Discord's codes for an interaction that nobody can answer any more: too late, answered twice, or its channel gone.
_GONE = frozenset({10003, 10015, 10062, 40060, 50001, 50027})

Choices = list[app_commands.Choice[str]]
Completion = Callable[[Interaction, str], Coroutine[Any, Any, Choices]]


async def report(interaction: Interaction, error: BaseException) -> None:
    """Tell the person who asked what went wrong; if they cannot be told any more, the log."""
    cause = _cause(error)
    if isinstance(cause, discord.HTTPException) and cause.code in _GONE:
        log.warning("an interaction can no longer be answered (code %s)", cause.code)
        return
    await say(interaction, sentence(cause) or _command_sentence(cause) or _away_sentence(cause) or _reference(cause))


async def say(interaction: Interaction, text: str) -> None:
    """Show one private sentence, as first answer or as a later one; a closed channel is no error."""
    try:
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True)
        else:
            await interaction.response.send_message(text, ephemeral=True)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.warning("an answer could not be shown: %s", type(error).__name__)


def completes(find: Completion) -> Completion:
    """Wrap a completion: discord.py only logs what it raises, and a refusal means nothing to choose from."""

    async def complete(interaction: Interaction, current: str) -> Choices:
        set_locale(str(interaction.locale))
        try:
            return await find(interaction, current)
        except Exception as error:  # noqa: BLE001 - the last door; a completion shows no sentences
            if sentence(error) is None:
                _reference(error)
            return []

    return complete


def _cause(error: BaseException) -> BaseException:
    return error.original if isinstance(error, app_commands.CommandInvokeError) else error


def _command_sentence(error: BaseException) -> str | None:
    if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        return _("This command has changed since you opened it; reload Discord (Ctrl+R) and try again.")
    if isinstance(error, app_commands.TransformerError):
        return _("One of the options cannot be used; pick what Discord suggests and try again.")
    return None


def _away_sentence(error: BaseException) -> str | None:
    if not isinstance(error, discord.HTTPException | aiohttp.ClientError) or not is_transient(error):
        return None
    log.warning("Discord did not answer during an interaction: %s", error)
    return _("Discord did not answer; try again in a minute.")


def _reference(error: BaseException) -> str:
    """Log a bug with its traceback, and return the sentence that names it."""
    reference = secrets.token_hex(4)
    log.error("unexpected error, reference %s", reference, exc_info=error)
    return _(
        "This did not work, and it is not your fault; tell whoever runs this bot the reference `{reference}`."
    ).format(reference=reference)
