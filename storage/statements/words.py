"""How texts come apart into the words that licenses are found by: what is stored and what is typed, alike."""

import re
import unicodedata

WORD_LENGTH = 64  # longer ones are known by their start

_ASCII_WORD = re.compile(r"[a-z0-9]+")


def words_of(*texts: str | None) -> str | None:
    """Return each word of some texts once, without case and one space apart, or None where there is none.

    A word is letters and digits alone: nothing in it has to be quoted in JSON or in a LIKE pattern.
    """
    found = dict.fromkeys(word[:WORD_LENGTH] for text in texts if text for word in _words(text))
    return " ".join(found) or None


def _words(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(symbol if _is_of_a_word(symbol) else " " for symbol in folded).split()


def _is_of_a_word(symbol: str) -> bool:
    # Marks belong to the letter before them: vowels of Hindi, accents that no single letter has.
    return symbol.isalnum() or unicodedata.category(symbol).startswith("M")
