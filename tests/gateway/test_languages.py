"""People read their own language; what has no translation stays English."""

import pytest
from discord_shop import Shop

from i18n import gettext, languages, using_locale
from i18n.refusals import SENTENCES
from licensing.errors import KeyNotFound


@pytest.mark.parametrize("language", sorted(languages()) or ["en-US"])
async def test_a_member_is_answered_in_the_language_of_their_client(shop: Shop, language: str):
    reader = shop.guild.add_member("Reader", locale=language)
    with using_locale(language):
        expected = gettext(SENTENCES[KeyNotFound])

    replies = [await reader.slash("claim", key="nothing"), await shop.bob.slash("claim", key="nothing")]

    assert replies[0].text == expected
    assert replies[1].text == SENTENCES[KeyNotFound]


async def test_command_names_stay_english_and_descriptions_follow_the_catalogues(shop: Shop):
    for command in shop.sandbox.commands():
        assert not command.get("name_localizations"), command["name"]
        for language, text in (command.get("description_localizations") or {}).items():
            with using_locale(language):
                assert gettext(command["description"]) == text
    translated = [command for command in shop.sandbox.commands() if command.get("description_localizations")]
    assert bool(translated) is bool(languages())
