"""Checks of single fields, worded as Discord words them in an invalid form."""

import math
from collections.abc import Collection
from typing import Any

from sandbox.errors import Form, Json

LOCALES = frozenset(
    {
        "id",
        "da",
        "de",
        "en-GB",
        "en-US",
        "es-ES",
        "es-419",
        "fr",
        "hr",
        "it",
        "lt",
        "hu",
        "nl",
        "no",
        "pl",
        "pt-BR",
        "ro",
        "fi",
        "sv-SE",
        "vi",
        "tr",
        "cs",
        "el",
        "bg",
        "ru",
        "uk",
        "hi",
        "th",
        "zh-CN",
        "ja",
        "zh-TW",
        "ko",
    }
)


def required(form: Form) -> None:
    form.add("BASE_TYPE_REQUIRED", "This field is required")


def text(form: Form, body: Json, key: str, *, least: int = 0, most: int, needed: bool = False) -> str | None:
    """Read a string of `least` to `most` characters, space around it not counted, as Discord cuts it off.

    None where it is absent, null or no string.
    """
    value = body.get(key)
    if value is None:
        if needed:
            required(form.at(key))
        return None
    if not isinstance(value, str):
        form.at(key).add("STRING_TYPE_CONVERT", f'Could not interpret "{value}" as string.')
        return None
    length = len(value.strip())
    if not least <= length <= most:
        _wrong_length(form.at(key), least, most)
    elif needed and not length:
        required(form.at(key))
    return value


def _wrong_length(form: Form, least: int, most: int) -> None:
    if least:
        form.add("BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
    else:
        form.add("BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")


def integer(form: Form, body: Json, key: str, *, least: int, most: int, needed: bool = False) -> int | None:
    """Read an integer within its bounds; None where it is absent, null or wrong."""
    value = body.get(key)
    if value is None:
        if needed:
            required(form.at(key))
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        form.at(key).add("NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        return None
    if value < least:
        form.at(key).add("NUMBER_TYPE_MIN", f"int value should be greater than or equal to {least}.")
    elif value > most:
        form.at(key).add("NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")
    return value


def one_of(form: Form, body: Json, key: str, allowed: Collection[int], *, needed: bool = True) -> int | None:
    """Read an integer out of a closed set; None where it is absent or wrong."""
    value = body.get(key)
    if value is None:
        if needed:
            required(form.at(key))
        return None
    if isinstance(value, bool) or value not in allowed:
        listed = ", ".join(str(int(each)) for each in sorted(allowed))
        form.at(key).add("BASE_TYPE_CHOICES", f"Value must be one of ({listed}).")
        return None
    return int(value)


def words(form: Form, body: Json, key: str, allowed: Collection[str]) -> None:
    """Check that a list, if given, holds words out of a closed set alone."""
    value = body.get(key)
    if value is None:
        return
    if not isinstance(value, list):
        form.at(key).add("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    listed = ", ".join(repr(each) for each in sorted(allowed))
    for index, each in enumerate(value):
        if not isinstance(each, str) or each not in allowed:
            form.at(key, index).add("BASE_TYPE_CHOICES", f"Value must be one of ({listed}).")


def flag(form: Form, body: Json, key: str) -> bool:
    """Read a boolean; an absent one is False."""
    value = body.get(key)
    if value is not None and not isinstance(value, bool):
        form.at(key).add("BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    return bool(value)


def rows(form: Form, body: Json, key: str, *, least: int = 0, most: int) -> list[Json]:
    """Read a list of objects; what is not an object is noted and left out."""
    value = body.get(key)
    if value is None:
        if least:
            required(form.at(key))
        return []
    if not isinstance(value, list):
        form.at(key).add("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return []
    if not least <= len(value) <= most:
        _wrong_length(form.at(key), least, most)
    for index, each in enumerate(value):
        if not isinstance(each, dict):
            form.at(key, index).add("MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
    return [each for each in value if isinstance(each, dict)]


def address(
    form: Form, body: Json, key: str, *, schemes: Collection[str] = ("http", "https"), most: int = 2048
) -> None:
    """Check that a URL, if given, is one of the allowed schemes and not too long."""
    value = text(form, body, key, most=most)
    if value and value.partition("://")[0] not in schemes:
        listed = ", ".join(repr(scheme) for scheme in schemes)
        form.at(key).add(
            "URL_TYPE_INVALID_SCHEME",
            f'Scheme "{value.partition("://")[0]}" is not supported. Scheme must be one of ({listed}).',
        )


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
