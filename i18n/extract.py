"""Brings the catalogues up to date with the texts in the code: `make messages`; needs Babel, a development tool."""

import sys
from collections.abc import Iterator
from pathlib import Path

import polib
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.plurals import get_plural

ROOMS = ("bot", "cogs", "i18n", "licensing")

_KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}


def extracted(root: Path) -> Catalog:
    """Return every text in the code below a folder, and the files it stands in."""
    catalog = Catalog()
    for room in ROOMS:
        for name, _line, text, _comments, _context in extract_from_dir(root / room, keywords=_KEYWORDS):
            catalog.add(text, locations=[(f"{room}/{name}", 0)])
    return catalog


def updated(translated: str, texts: Catalog, *, language: str) -> str:
    """Return a catalogue with the code's texts and no others: new ones untranslated, in the code's order.

    Dates, line numbers and names of machines stay out, so that a second run changes nothing.
    """
    old = polib.pofile(translated) if translated.strip() else polib.POFile()
    new = polib.POFile()
    new.header, new.metadata = old.header, {**_first_header(language), **old.metadata}
    forms = int(new.metadata["Plural-Forms"].partition("nplurals=")[2].partition(";")[0])
    known = {(entry.msgid, entry.msgid_plural): entry for entry in old if not entry.obsolete}
    for message in texts:
        if message.id:
            entry = _entry(message, forms)
            _translate(entry, known.get((entry.msgid, entry.msgid_plural)))
            new.append(entry)
    return str(new).rstrip() + "\n"


def _first_header(language: str) -> dict[str, str]:
    return {
        "Project-Id-Version": "KeyPort for Discord",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": get_plural(language.replace("-", "_")).plural_forms,
    }


def _entry(message: Message, forms: int) -> polib.POEntry:
    singular, plural = message.id if isinstance(message.id, tuple) else (message.id, "")
    return polib.POEntry(
        msgid=singular,
        msgid_plural=plural,
        msgstr_plural=dict.fromkeys(range(forms), "") if plural else {},
        occurrences=[(name, "") for name in dict.fromkeys(name for name, _line in message.locations)],
        flags=["python-brace-format"] if message.python_brace_format else [],
    )


def _translate(entry: polib.POEntry, known: polib.POEntry | None) -> None:
    if known is None:
        return
    entry.msgstr, entry.tcomment = known.msgstr, known.tcomment
    entry.msgstr_plural = known.msgstr_plural or entry.msgstr_plural
    if known.fuzzy:
        entry.flags.append("fuzzy")


def catalogues(root: Path) -> Iterator[Path]:
    """Return the file of every language besides English."""
    yield from sorted((root / "i18n" / "locales").glob("*.po"))


def main() -> None:
    """Bring every catalogue up to date in place and tell how much is left to translate."""
    root = Path(__file__).parents[1]
    texts = extracted(root)
    for file in catalogues(root):
        catalogue = updated(file.read_text("utf-8"), texts, language=file.stem)
        file.write_text(catalogue, "utf-8")
        left = len(polib.pofile(catalogue).untranslated_entries())
        sys.stdout.write(f"{file.name}: {left} of {len(texts)} texts left to translate\n")


if __name__ == "__main__":
    main()
