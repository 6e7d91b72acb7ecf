"""Custom responses: JSON that every client reads alike, kept as JavaScript writes it, and merged.

The text that is stored is byte for byte `JSON.stringify(JSON.parse(typed))`, so that a client in any language
that reads an answer and writes it again has the same bytes to check a signature over.
"""

import json
import math
import re
from functools import lru_cache
from typing import Any

from licensing.input_errors import (
    CustomNotJson,
    CustomNotObject,
    CustomTooLarge,
    IntegerTooLarge,
    LoneSurrogate,
    MemberTwice,
    NameLikeInteger,
    NestedTooDeep,
    NumberUnknown,
)

CUSTOM_BYTES = 8_192

_TYPED_BYTES = 8 * CUSTOM_BYTES  # blanks and line breaks that somebody typed do not count, within reason
_MAX_DEPTH = 32
_MAX_INTEGER = 2**53
_MERGED = 4_096

_INTEGER_NAME = re.compile(r"0|[1-9][0-9]*")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|(?P<open>[\[{])|(?P<close>[\]}])', re.DOTALL)


class _Number(str):
    """A number as text, which goes into the answer as it is."""

    __slots__ = ()


class _Members(list[tuple[str, Any]]):
    """An object as it was typed, with members that occur twice."""


def canonical(text: str) -> str:
    """Return a JSON object as JavaScript writes it.

    Raises CustomNotJson, CustomNotObject, CustomTooLarge, CustomNotPortable and its kin.
    """
    typed = text.removeprefix("\ufeff")
    if _size(typed) > _TYPED_BYTES:
        raise CustomTooLarge(limit=CUSTOM_BYTES)
    _refuse_depth(typed)
    try:
        value = json.loads(
            typed, parse_int=_Number, parse_float=_Number, parse_constant=_Number, object_pairs_hook=_Members
        )
    except json.JSONDecodeError as error:
        raise CustomNotJson(line=error.lineno, column=error.colno) from None
    if not isinstance(value, _Members):
        raise CustomNotObject
    written = _write(_portable(value, ""))
    if _size(written) > CUSTOM_BYTES:
        raise CustomTooLarge(limit=CUSTOM_BYTES)
    return written


def merged(template: str | None, override: str | None) -> str | None:
    """Return a product's template with a license's override over it, both canonical; None where nothing is left."""
    if template is None or override is None:
        only = override if template is None else template
        return None if only == "{}" else only
    return _merged(template, override)


@lru_cache(_MERGED)
def _merged(template: str, override: str) -> str | None:
    written = _write(_merge(_read(template), _read(override)))
    return None if written == "{}" else written


def _read(text: str) -> Any:
    return json.loads(text, parse_int=_Number, parse_float=_Number)


def _merge(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    changed = {name: _merge(below[name], value) if name in below else value for name, value in above.items()}
    return below | changed


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _refuse_depth(text: str) -> None:
    """Refuse what is nested deeper than a JSON library may follow, before ours is asked to."""
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth += bool(found["open"]) - bool(found["close"])
        if depth > _MAX_DEPTH:
            raise NestedTooDeep(line=text.count("\n", 0, found.start()) + 1, limit=_MAX_DEPTH)


def _portable(value: Any, where: str) -> Any:
    """Return what was read with plain objects and JavaScript's numbers, or refuse what libraries read differently."""
    if isinstance(value, _Number):
        return _number(value, where)
    if isinstance(value, str):
        _refuse_surrogate(value, where)
    if isinstance(value, _Members):
        return _object(value, where)
    if isinstance(value, list):
        return [_portable(item, f"{where}[{position}]") for position, item in enumerate(value)]
    return value


def _object(members: _Members, where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in members:
        inside = f"{where}.{name}" if where else name
        _refuse_surrogate(name, _SURROGATE.sub("\ufffd", inside))
        if name in found:
            raise MemberTwice(where=inside)
        if _INTEGER_NAME.fullmatch(name):
            raise NameLikeInteger(where=inside)
        found[name] = _portable(value, inside)
    return found


def _refuse_surrogate(text: str, where: str) -> None:
    if _SURROGATE.search(text):
        raise LoneSurrogate(where=where)


def _number(typed: str, where: str) -> _Number:
    value = float(typed)
    if not math.isfinite(value):
        raise (IntegerTooLarge if _is_integer(typed) else NumberUnknown)(where=where)
    written = _javascript(value)
    # 1e20 is written 100000000000000000000, which other languages read as an integer too large for them
    if any(_is_integer(text) and abs(int(text)) > _MAX_INTEGER for text in (typed, written)):
        raise IntegerTooLarge(where=where)
    return _Number(written)


def _is_integer(number: str) -> bool:
    return number.removeprefix("-").isdecimal()


def _javascript(value: float) -> str:
    """Return a number as JavaScript prints it (ECMA-262, Number::toString)."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return sign + _placed(digits.rstrip("0"), point)


def _placed(digits: str, point: int) -> str:
    """Return digits with their decimal point after `point` of them, or with an exponent where that is far off."""
    if len(digits) <= point <= 21:  # noqa: PLR2004 - ECMA-262's own limits
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:  # noqa: PLR2004 - as above
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:  # noqa: PLR2004 - as above
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"


def _write(value: Any) -> str:
    if isinstance(value, _Number):
        return value
    if isinstance(value, dict):
        return "{" + ",".join(f"{_write(name)}:{_write(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_write(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
