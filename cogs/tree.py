"""The command tree: speaks the asker's language, has one error path, and syncs only what changed."""

import hashlib
import json
import logging
from functools import cache

import discord
from discord import app_commands

from cogs.context import Interaction
from cogs.ui.errors import report
from i18n import gettext, languages, set_locale, using_locale
from licensing.ports import Store

log = logging.getLogger(__name__)

FACT = "discord.commands"

_DESCRIPTION_LENGTH = 100
_UNTRANSLATED = frozenset(
    {
        app_commands.TranslationContextLocation.command_name,
        app_commands.TranslationContextLocation.group_name,
        app_commands.TranslationContextLocation.parameter_name,
    }
)


class Tree(app_commands.CommandTree[discord.Client]):
    """Every door that a command can fail through leads to `report`."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        set_locale(str(interaction.locale))
        return True

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        if interaction.type is discord.InteractionType.autocomplete:
            log.warning("a completion could not be answered: %s", type(error).__name__)
            return
        await report(interaction, error)

    async def sync_changes(self, store: Store) -> bool:
        """Register the commands if they differ from those registered last; tell whether they did.

        Raises: discord.HTTPException, Unavailable.
        """
        digest = f"{self.client.application_id}:{await self._digest()}"
        stored = await store.read(lambda tx: tx.ledger.fact(FACT))
        registered = {command.name for command in await self.fetch_commands()}
        if stored == digest and registered == {command.name for command in self.get_commands()}:
            return False
        await self.sync()
        await store.write(lambda tx: tx.ledger.save_fact(FACT, digest))
        return True

    async def _digest(self) -> str:
        payload = [await command.get_translated_payload(self, _CATALOGUES) for command in self.get_commands()]
        return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


class Catalogues(app_commands.Translator):
    """Translates descriptions by the same catalogues as everything else; names stay English."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        if context.location in _UNTRANSLATED or not _has_catalogue(locale):
            return None
        with using_locale(str(locale)):
            translated = gettext(string.message)
        return translated if len(translated) <= _DESCRIPTION_LENGTH else None


@cache  # asked for every text in each of Discord's thirty languages whenever the bot starts
def _has_catalogue(locale: discord.Locale) -> bool:
    return bool({str(locale), str(locale).partition("-")[0]} & languages())


_CATALOGUES = Catalogues()
