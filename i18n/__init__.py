"""What a person reads, in their language: gettext over the catalogues in `locales/`.

English is the source text. A language is added by adding one file, `locales/<language>.po`.
"""

import gettext as stdlib_gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import polib

__all__ = ["N_", "gettext", "languages", "ngettext", "set_locale", "using_locale"]

_LOCALE: ContextVar[str] = ContextVar("locale", default="en")


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "translate this later"
    """Mark a text for extraction where it is translated only when it is shown."""
    return message


def gettext(message: str) -> str:
    """Translate into the current locale; English where a translation is missing."""
    return _catalogue(_LOCALE.get()).gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """Translate the form that fits `count` into the current locale."""
    return _catalogue(_LOCALE.get()).ngettext(singular, plural, count)


def set_locale(locale: str) -> None:
    """Speak this locale (Discord's names: `en-US`, `de`) for the rest of the current task."""
    _LOCALE.set(locale)


@contextmanager
def using_locale(locale: str) -> Iterator[None]:
    """Speak this locale within the block."""
    token = _LOCALE.set(locale)
    try:
        yield
    finally:
        _LOCALE.reset(token)


@cache
def languages() -> frozenset[str]:
    """Return the languages there is a catalogue for, besides English."""
    return frozenset(path.name.removesuffix(".po") for path in _folder().iterdir() if path.name.endswith(".po"))


@cache
def _catalogue(locale: str) -> stdlib_gettext.NullTranslations:
    language = next((name for name in (locale, locale.partition("-")[0]) if name in languages()), None)
    if language is None:
        return stdlib_gettext.NullTranslations()
    source = polib.pofile((_folder() / f"{language}.po").read_text(encoding="utf-8"))
    return stdlib_gettext.GNUTranslations(io.BytesIO(source.to_binary()))


def _folder() -> Traversable:
    return files("i18n") / "locales"
