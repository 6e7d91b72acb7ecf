"""What may be set of a product's switches and of its custom response, as people type it."""

from collections.abc import Callable
from typing import Any

from licensing.custom import canonical
from licensing.errors import Refusal
from licensing.expiry import parse_duration
from licensing.input_errors import (
    FileDaysInvalid,
    IdleDaysInvalid,
    MaxDevicesInvalid,
    MaxIpsInvalid,
    ResetDaysInvalid,
    ResetsInvalid,
)
from licensing.models import (
    MAX_DEVICES_LIMIT,
    MAX_FILE_DAYS,
    MAX_IDLE_DAYS,
    MAX_IPS_LIMIT,
    MAX_RESET_DAYS,
    MAX_RESETS,
)


def checked_switches(values: dict[str, Any], *, now_ms: int) -> dict[str, Any]:
    """Return switches as a product keeps them; numbers and durations may be typed, and 0 is none.

    Raises: MaxIpsInvalid, MaxDevicesInvalid, IdleDaysInvalid, FileDaysInvalid, ResetDaysInvalid, ResetsInvalid,
    DurationInvalid and its kin.
    """
    return {name: _CHECKS[name](value, now_ms) if name in _CHECKS else value for name, value in values.items()}


def whole_number(value: str | int | None, *, most: int, refusal: type[Refusal]) -> int | None:
    """Return a number between 1 and `most`, or None for 0 or nothing.

    Raises: the refusal, with its `limit`.
    """
    typed = str(value or "").strip() or "0"
    if not typed.isascii() or not typed.isdigit() or len(typed) > len(str(most)) or int(typed) > most:
        raise refusal(limit=most)
    return int(typed) or None


def checked_custom(text: str | None) -> str | None:
    """Return a custom response as it is kept: nothing, blanks and an empty object are none.

    Raises: CustomNotJson, CustomNotObject, CustomTooLarge, CustomNotPortable.
    """
    written = canonical(text) if text is not None and text.strip() else "{}"
    return None if written == "{}" else written


_CHECKS: dict[str, Callable[[Any, int], Any]] = {
    "default_max_ips": lambda value, _: whole_number(value, most=MAX_IPS_LIMIT, refusal=MaxIpsInvalid),
    "address_idle_days": lambda value, _: whole_number(value, most=MAX_IDLE_DAYS, refusal=IdleDaysInvalid),
    "max_devices": lambda value, _: whole_number(value, most=MAX_DEVICES_LIMIT, refusal=MaxDevicesInvalid),
    "license_file_days": lambda value, _: whole_number(value, most=MAX_FILE_DAYS, refusal=FileDaysInvalid),
    "reset_cooldown_days": lambda value, _: whole_number(value, most=MAX_RESET_DAYS, refusal=ResetDaysInvalid),
    "resets_per_year": lambda value, _: whole_number(value, most=MAX_RESETS, refusal=ResetsInvalid),
    "default_duration": lambda value, now_ms: parse_duration(value or "", now_ms=now_ms),
}
