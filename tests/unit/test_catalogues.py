"""Every language says everything that the code says, with the same data in it and within Discord's limits."""

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import polib
import pytest
from discord.app_commands import ContextMenu

from bot.client import KeyPortClient, build_client
from cogs import settings_buttons, transfer_buttons
from cogs.license_questions import QUESTIONS
from cogs.tree import Catalogues
from cogs.ui.bulk_layouts import WORDINGS
from i18n import gettext, languages, ngettext, using_locale
from i18n.extract import ROOMS, catalogues, extracted, updated

ROOT = Path(__file__).parents[2]
FILES = list(catalogues(ROOT))
MARKED_ELSEWHERE = {  # they show what N_() marked
    *("bot/api/handlers.py", "cogs/bulk_questions.py", "cogs/letters.py", "cogs/license_questions.py"),
    *("cogs/settings_buttons.py", "cogs/transfer_buttons.py", "cogs/tree.py", "cogs/ui/bulk_layouts.py"),
    *("cogs/ui/history_layouts.py", "cogs/ui/key_layouts.py", "cogs/ui/switches.py", "cogs/ui/trace_words.py"),
    *("cogs/ui/reset_layouts.py",),
    *("cogs/ui/transfer_layouts.py", "cogs/ui/version_layouts.py", "cogs/ui/words.py", "i18n/refusals.py"),
}
LONGEST_ID = "9" * 18
DESCRIPTION = 100
LIMITS = {  # Discord's own, by the call that shows a text and the argument that takes it
    ("button", 0): 80,
    ("Select", "placeholder"): 150,
    ("__init__", "title"): 45,
    ("Field", 1): 45,
    ("Field", "label"): 45,
    ("Field", 2): 100,
    ("Field", "description"): 100,
    ("add_roles", "reason"): 512,
}

each_language = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@cache
def texts() -> dict[tuple[str, str], list[str]]:
    """Return every text of the code, singular and plural, with the files it stands in."""
    found = {}
    for message in extracted(ROOT):
        if message.id:
            pair = message.id if isinstance(message.id, tuple) else (message.id, "")
            found[pair] = [name for name, _line in message.locations]
    return found


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and called(node) in names:
                    yield f"{file.relative_to(ROOT).as_posix()}", node


def called(node: ast.Call) -> str:
    function = node.func.value if isinstance(node.func, ast.Subscript) else node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def placeholders(text: str) -> set[str | None]:
    return {name for _before, name, _spec, _conversion in string.Formatter().parse(text)} - {None}


def forms(entry: polib.POEntry) -> list[tuple[str, str]]:
    """Return each translation beside the source it stands for."""
    if not entry.msgid_plural:
        return [(entry.msgid, entry.msgstr)]
    return [(entry.msgid_plural, text) for text in entry.msgstr_plural.values()]


def test_there_is_a_second_language():
    assert "de" in languages()
    assert {file.stem for file in FILES} == languages()


@each_language
def test_a_catalogue_holds_every_text_of_the_code_and_no_other(file: Path):
    held = {(entry.msgid, entry.msgid_plural) for entry in polib.pofile(file)}

    assert set(texts()) - held == set(), "run 'make messages', then translate what is new"
    assert held - set(texts()) == set(), "run 'make messages'"


@each_language
def test_everything_is_translated_and_nothing_is_a_guess(file: Path):
    catalogue = polib.pofile(file)

    assert [entry.msgid for entry in catalogue if not all(text for _source, text in forms(entry))] == []
    assert [entry.msgid for entry in catalogue if entry.obsolete or entry.fuzzy] == []


@each_language
def test_a_translation_keeps_data_commands_and_layout(file: Path):
    for entry in polib.pofile(file):
        for source, text in forms(entry):
            assert placeholders(text) == placeholders(source), source
            assert set(re.findall("`[^`]*`", text)) == set(re.findall("`[^`]*`", source)), source
            assert text.count("**") == source.count("**"), source
            assert layout(text) == layout(source), source


def layout(text: str) -> list[str]:
    """Return how each line begins and ends: headings, small print, blanks that join it to what follows."""
    return [
        re.match(r"(?:#{1,3} |-# |```\w*)?\s*", line)[0] + "|" + re.search(r"\s*$", line)[0]
        for line in text.split("\n")
    ]


class Nothing:
    """Stands where a service would: building the commands asks none."""

    def __getattr__(self, _name: str) -> "Nothing":
        return self


@pytest.fixture
async def bot() -> KeyPortClient:
    built = build_client(Nothing(), Nothing(), members_intent=True, public_api_url="")
    await built.add_cogs()
    return built


async def test_every_description_is_offered_in_every_language_and_fits(bot: KeyPortClient):
    slash = [each for each in bot.tree.get_commands() if not isinstance(each, ContextMenu)]
    payloads = [await each.get_translated_payload(bot.tree, Catalogues()) for each in slash]
    described = [each for payload in payloads for each in walk(payload)]

    assert len(described) > 30
    for each in described:
        assert len(each["description"]) <= DESCRIPTION
        # A text that does not fit is left out by the translator, so that it cannot stop the others.
        assert set(each.get("description_localizations", {})) == languages(), each["description"]
        assert not each.get("name_localizations"), each["name"]


def walk(payload: dict) -> Iterator[dict]:
    yield payload
    for option in payload.get("options", ()):
        yield from walk(option)


def limited() -> Iterator[tuple[str, int]]:
    for _file, node in calls(*(name for name, _argument in LIMITS)):
        given = {**dict(enumerate(node.args)), **{each.arg: each.value for each in node.keywords}}
        for argument, value in given.items():
            limit = LIMITS.get((called(node), argument))
            shown = [each for each in ast.walk(value) if isinstance(each, ast.Call) and called(each) == "_"]
            yield from ((each.args[0].value, limit) for each in shown if limit and is_literal(each.args[0]))


def test_labels_and_titles_fit_in_every_language():
    found = list(limited())
    assert {limit for _text, limit in found} == set(LIMITS.values())

    for text, limit in found:
        for language in {"en", *languages()}:
            with using_locale(language):
                shown = gettext(text).format_map(dict.fromkeys(placeholders(text), LONGEST_ID))
            assert len(shown) <= limit, (language, shown)


@pytest.mark.parametrize("language", ["en", *sorted(languages())])
def test_labels_that_stand_in_tables_fit(language: str):
    asked = [text for each in QUESTIONS.values() for text in (each.label, each.confirm)]
    openers, titles, descriptions = zip(*settings_buttons._TYPED.values(), strict=True)
    toggles = [text for pair in settings_buttons._TOGGLES.values() for text in pair]
    changes = [each.confirm for each in WORDINGS.values()]
    buttons = [*asked, *changes, *openers, *toggles, *transfer_buttons._STEPS.values()]
    options = [text for _kind, texts in settings_buttons._CHOICES.values() for text in texts.values()]

    with using_locale(language):
        assert [text for text in buttons if len(gettext(text)) > 80] == []
        assert [text for text in titles if len(gettext(text)) > 45] == []
        assert [text for text in (*options, *descriptions) if len(gettext(text)) > 100] == []


def test_a_text_is_marked_as_a_literal_or_it_could_not_be_found():
    unmarked = [
        f"{name}:{node.lineno}"
        for name, node in calls("N_", "_", "gettext", "ngettext")
        if name != "i18n/__init__.py" and not (called(node) in {"_", "gettext"} and name in MARKED_ELSEWHERE)
        for text in node.args[: 2 if called(node) == "ngettext" else 1]
        if not is_literal(text)
    ]

    assert unmarked == []


def test_the_catalogues_are_made_of_what_the_code_marks_and_of_nothing_else():
    marked = {
        node.args[0].value for _name, node in calls("N_", "_", "gettext", "ngettext") if is_literal(node.args[0])
    }

    found = {singular for singular, _plural in texts()}
    assert marked - found == set(), "nothing is found between the braces of an f-string"
    assert found - marked == set(), "text anywhere in a call of `_` is taken for text to translate"


@pytest.mark.parametrize("locale", ["de", "de-AT"])
def test_german_is_spoken_to_whoever_reads_german(locale: str):
    with using_locale(locale):
        assert gettext("Show key") == "Schlüssel zeigen"
        count = {number: ngettext("{count} license", "{count} licenses", number) for number in (0, 1, 2)}

    assert count == {0: "{count} Lizenzen", 1: "{count} Lizenz", 2: "{count} Lizenzen"}


@pytest.mark.parametrize("locale", ["en", "en-US", "en-GB", "xx", "", "../de", "DE"])
def test_english_is_spoken_to_everybody_else(locale: str):
    with using_locale(locale):
        assert gettext("Show key") == "Show key"
        assert ngettext("{count} license", "{count} licenses", 1) == "{count} license"


def test_a_text_that_no_catalogue_has_is_shown_in_english():
    with using_locale("de"):
        assert gettext("Not in the catalogue.") == "Not in the catalogue."


@each_language
def test_bringing_a_catalogue_up_to_date_twice_changes_nothing_more(file: Path):
    once = updated(file.read_text("utf-8"), extracted(ROOT), language=file.stem)

    assert updated(once, extracted(ROOT), language=file.stem) == once


@pytest.mark.parametrize(("language", "count"), [("fr", 2), ("pl", 3), ("pt-BR", 2), ("zh-TW", 1)])
def test_a_language_is_added_by_an_empty_file(language: str, count: int):
    new = polib.pofile(updated("", extracted(ROOT), language=language))

    assert len(new) == len(texts())
    assert new.metadata["Language"] == language
    assert new.find("{count} license").msgstr_plural == dict.fromkeys(range(count), "")


def test_bringing_a_catalogue_up_to_date_keeps_translations_adds_new_texts_and_drops_old_ones():
    header = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=3; plural=0;\\n"\n\n'
    old = header + 'msgid "Show key"\nmsgstr "Pokaż klucz"\n\nmsgid "Gone"\nmsgstr "Nie ma"\n'

    new = {entry.msgid: entry for entry in polib.pofile(updated(old, extracted(ROOT), language="pl"))}

    assert new["Show key"].msgstr == "Pokaż klucz"
    assert "Gone" not in new
    assert new["Refresh"].msgstr == ""
    assert new["{count} license"].msgstr_plural == {0: "", 1: "", 2: ""}


def test_no_number_has_a_separator_which_another_language_would_read_as_a_fraction():
    shown = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "openapi" not in path.name]
    assert [path.name for path in shown if re.search(r":[,_]\w?\}", path.read_text("utf-8"))] == []
