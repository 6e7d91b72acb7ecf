"""Dates and durations as people type them: `30d`, `1y6mo`, `2027-01-01`, `2027-01-01 18:00`, `never`.

`31.12.2027`, `12/31/2027`, `today` and `tomorrow` are dates too; `01/02/2027` could be two, and is none.
Months and years are calendar ones. A day without a time means through its end, in UTC.
"""

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta

from licensing.input_errors import (
    DateAmbiguous,
    DurationInvalid,
    ExpiryAmbiguous,
    ExpiryInPast,
    ExpiryInvalid,
    ExpiryTooFar,
    GraceInvalid,
)

MAX_GRACE_DAYS = 30

_LAST_YEAR = 9998  # leaves room for zones east of UTC in whatever shows the date
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = frozenset({"never", "lifetime", "forever", "none", "-"})
_NOTHING = frozenset({"", "0", "none", "no", "now", "-"})
_DAYS_AHEAD = {"today": 0, "tomorrow": 1}
_MONTHS = 12
_DAY_AND_MONTH = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4})", re.ASCII)
_ISO_T = re.compile(r"(?<=\d)t(?=\d)")
_PART = re.compile(r"(\d{1,18})\s*([a-z]+)")
_UNITS = {
    "min": "minutes", "mins": "minutes", "minute": "minutes", "minutes": "minutes",
    "h": "hours", "hr": "hours", "hrs": "hours", "hour": "hours", "hours": "hours",
    "d": "days", "day": "days", "days": "days",
    "w": "weeks", "week": "weeks", "weeks": "weeks",
    "mo": "months", "mon": "months", "month": "months", "months": "months",
    "y": "years", "yr": "years", "yrs": "years", "year": "years", "years": "years",
}  # fmt: skip


def parse_expiry(text: str, *, now_ms: int) -> int | None:
    """Return the end that a person typed, or None for never.

    Raises: ExpiryInvalid, ExpiryAmbiguous (`1m`), ExpiryInPast, ExpiryTooFar.
    """
    typed = " ".join(text.lower().split())
    if typed in _NEVER:
        return None
    now = _from_ms(now_ms)
    end = _date(typed, now) or _after(typed, now)
    if end <= now:
        raise ExpiryInPast(text=text)
    return _to_ms(end)


def parse_extension(text: str, *, end_ms: int, now_ms: int) -> int | None:
    """Return a new end: a duration is added to the old end, or to now if that has passed; a date is taken as it is.

    Raises: ExpiryInvalid, ExpiryAmbiguous, ExpiryInPast, ExpiryTooFar.
    """
    typed = " ".join(text.lower().split())
    if typed in _NEVER:
        return None
    end = _date(typed, _from_ms(now_ms)) or _after(typed, _from_ms(max(end_ms, now_ms)))
    if end <= _from_ms(now_ms):
        raise ExpiryInPast(text=text)
    return _to_ms(end)


def parse_duration(text: str, *, now_ms: int) -> str | None:
    """Return a default duration as it is kept, or None for licenses without an end.

    Raises: DurationInvalid, ExpiryAmbiguous, ExpiryTooFar.
    """
    typed = " ".join(text.lower().split())
    if typed in _NEVER or typed in _NOTHING:
        return None
    now = _from_ms(now_ms)
    try:
        end = _after(typed, now)
    except ExpiryInvalid as error:
        raise DurationInvalid(text=text) from error
    if end <= now:
        raise DurationInvalid(text=text)
    return typed


def parse_grace_ms(text: str, *, now_ms: int) -> int:
    """Return how long an old API key lives on, in milliseconds; nothing typed means not at all.

    Raises: GraceInvalid, ExpiryAmbiguous.
    """
    typed = " ".join(text.lower().split())
    if typed in _NOTHING:
        return 0
    now = _from_ms(now_ms)
    try:
        grace = _after(typed, now) - now
    except (ExpiryInvalid, ExpiryTooFar) as error:
        raise GraceInvalid(text=text, limit_days=MAX_GRACE_DAYS) from error
    if not timedelta() < grace <= timedelta(days=MAX_GRACE_DAYS):
        raise GraceInvalid(text=text, limit_days=MAX_GRACE_DAYS)
    return grace // timedelta(milliseconds=1)


def _date(typed: str, now: datetime) -> datetime | None:
    day_text, _, time_text = _ISO_T.sub(" ", typed).removesuffix("z").partition(" ")
    try:
        day = _day(day_text, now)
        at = time.fromisoformat(time_text) if time_text else time.max
    except ValueError:
        return None
    if day is None:
        return None
    if day.year > _LAST_YEAR:
        raise ExpiryTooFar(limit=_LAST_YEAR)
    return datetime.combine(day, at, at.tzinfo or UTC)


def _day(typed: str, now: datetime) -> date | None:
    if typed in _DAYS_AHEAD:
        return now.date() + timedelta(days=_DAYS_AHEAD[typed])
    numbers = _DAY_AND_MONTH.fullmatch(typed)
    if numbers is None:
        return date.fromisoformat(typed) if "-" in typed else None
    first, second = int(numbers[1]), int(numbers[3])
    # Who writes the day first and who the month cannot be told, unless only one of the two can be the month.
    if first != second and min(first, second) > 0 and max(first, second) <= _MONTHS:
        raise DateAmbiguous(text=typed)
    day, month = max(first, second), min(first, second)
    return date(int(numbers[4]), month, day)


def _after(typed: str, now: datetime) -> datetime:
    compact = typed.removeprefix("in ").replace(" ", "").replace(",", "").removeprefix("+")
    parts = _PART.findall(compact)
    if not parts or "".join(amount + unit for amount, unit in parts) != compact:
        raise ExpiryInvalid(text=typed)
    if any(unit == "m" for _, unit in parts):
        raise ExpiryAmbiguous(text=typed)
    if any(unit not in _UNITS for _, unit in parts):
        raise ExpiryInvalid(text=typed)
    end = now
    for amount, unit in parts:
        end = _add(end, int(amount), _UNITS[unit])
    return end


def _add(start: datetime, amount: int, unit: str) -> datetime:
    try:
        if unit in ("months", "years"):
            end = _add_months(start, amount * (12 if unit == "years" else 1))
        else:
            end = start + timedelta(**{unit: amount})
    except (OverflowError, ValueError) as error:
        raise ExpiryTooFar(limit=_LAST_YEAR) from error
    if end.year > _LAST_YEAR:
        raise ExpiryTooFar(limit=_LAST_YEAR)
    return end


def _add_months(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


def _from_ms(at_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at_ms)


def _to_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
