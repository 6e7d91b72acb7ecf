"""What people type for an end or a grace period becomes a moment, or a refusal that says why."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.errors import Refusal
from licensing.expiry import MAX_GRACE_DAYS, parse_expiry, parse_grace_ms
from licensing.input_errors import (
    DateAmbiguous,
    ExpiryAmbiguous,
    ExpiryInPast,
    ExpiryInvalid,
    ExpiryTooFar,
    GraceInvalid,
)

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
LAST_MOMENT = timedelta(milliseconds=1)


def ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def through(year: int, month: int, day: int) -> datetime:
    return at(year, month, day) + timedelta(days=1) - LAST_MOMENT


TYPED = {
    "30d": at(2026, 3, 2, 12, 30),
    "30 days": at(2026, 3, 2, 12, 30),
    "  30   D  ": at(2026, 3, 2, 12, 30),
    "in 30 days": at(2026, 3, 2, 12, 30),
    "+30d": at(2026, 3, 2, 12, 30),
    "1d": at(2026, 2, 1, 12, 30),
    "1 day": at(2026, 2, 1, 12, 30),
    "2w": at(2026, 2, 14, 12, 30),
    "90min": at(2026, 1, 31, 14, 0),
    "90 minutes": at(2026, 1, 31, 14, 0),
    "12h": at(2026, 2, 1, 0, 30),
    "12 hrs": at(2026, 2, 1, 0, 30),
    "1d12h30min": at(2026, 2, 2, 1, 0),
    "1mo": at(2026, 2, 28, 12, 30),
    "1 month": at(2026, 2, 28, 12, 30),
    "2mo": at(2026, 3, 31, 12, 30),
    "3MO": at(2026, 4, 30, 12, 30),
    "1y": at(2027, 1, 31, 12, 30),
    "1yr": at(2027, 1, 31, 12, 30),
    "1y6mo": at(2027, 7, 31, 12, 30),
    "1 year 6 months": at(2027, 7, 31, 12, 30),
    "1 year, 6 months": at(2027, 7, 31, 12, 30),
    "1 Year 1 Month": at(2027, 2, 28, 12, 30),
    "25mo": at(2028, 2, 29, 12, 30),
    "2 years 1 month": at(2028, 2, 29, 12, 30),
    "\u0663\u0660d": at(2026, 3, 2, 12, 30),
    "30\u00a0days": at(2026, 3, 2, 12, 30),
    "2027-01-01": through(2027, 1, 1),
    "2028-02-29": through(2028, 2, 29),
    "2026-01-31": through(2026, 1, 31),
    "2027-01-01 18:00": at(2027, 1, 1, 18),
    "2027-01-01T18:00": at(2027, 1, 1, 18),
    "2027-01-01T18:00:30Z": at(2027, 1, 1, 18, 0, 30),
    "2027-01-01 18:00+02:00": at(2027, 1, 1, 16),
    "2027-01-01 00:00": at(2027, 1, 1),
    "9998-12-31": through(9998, 12, 31),
    "7972y": at(9998, 1, 31, 12, 30),
}


@pytest.mark.parametrize(("typed", "end"), TYPED.items())
def test_what_people_type_means_what_they_mean(typed: str, end: datetime):
    assert parse_expiry(typed, now_ms=ms(NOW)) == ms(end)


@pytest.mark.parametrize("typed", ["never", "Never", " LIFETIME ", "forever", "none", "-"])
def test_a_lifetime_has_no_end(typed: str):
    assert parse_expiry(typed, now_ms=ms(NOW)) is None


@pytest.mark.parametrize(
    ("start", "typed", "end"),
    [
        (at(2027, 1, 31), "1mo", at(2027, 2, 28)),
        (at(2028, 1, 31), "1mo", at(2028, 2, 29)),
        (at(2028, 2, 29), "1y", at(2029, 2, 28)),
        (at(2028, 2, 29), "4y", at(2032, 2, 29)),
        (at(2096, 2, 29), "4y", at(2100, 2, 28)),
        (at(2026, 12, 31), "2mo", at(2027, 2, 28)),
        (at(2026, 11, 15), "1mo", at(2026, 12, 15)),
        (at(2026, 11, 15), "14mo", at(2028, 1, 15)),
        (at(2026, 2, 28, 23, 59), "1min", at(2026, 3, 1)),
    ],
)
def test_months_and_years_are_those_of_the_calendar(start: datetime, typed: str, end: datetime):
    assert parse_expiry(typed, now_ms=ms(start)) == ms(end)


REFUSED = {
    "1m": ExpiryAmbiguous,
    "5 M": ExpiryAmbiguous,
    "1y6m": ExpiryAmbiguous,
    "": ExpiryInvalid,
    "   ": ExpiryInvalid,
    "30": ExpiryInvalid,
    "d": ExpiryInvalid,
    "d30": ExpiryInvalid,
    "-5d": ExpiryInvalid,
    "1.5y": ExpiryInvalid,
    "30 fortnights": ExpiryInvalid,
    "30d!": ExpiryInvalid,
    "yesterday": ExpiryInvalid,
    "2027-13-01": ExpiryInvalid,
    "2027-02-29": ExpiryInvalid,
    "2027-00-00": ExpiryInvalid,
    "2027-1-1": ExpiryInvalid,
    "01.01.27": ExpiryInvalid,
    "01/02/2027": DateAmbiguous,
    "2027-01-01 25:00": ExpiryInvalid,
    "2027-01-01 noon": ExpiryInvalid,
    "2027-01-01 18:00 30d": ExpiryInvalid,
    "🗝️": ExpiryInvalid,
    "30🗝️": ExpiryInvalid,
    "\x00": ExpiryInvalid,
    "30d\x00": ExpiryInvalid,
    "\ud800": ExpiryInvalid,
    "²d": ExpiryInvalid,
    "'; DROP TABLE licenses; --": ExpiryInvalid,
    "9" * 10_000: ExpiryInvalid,
    "9" * 10_000 + "d": ExpiryInvalid,
    "0d": ExpiryInPast,
    "0 years": ExpiryInPast,
    "2020-01-01": ExpiryInPast,
    "2026-01-30": ExpiryInPast,
    "2026-01-31 12:30": ExpiryInPast,
    "2026-01-31 14:29+02:00": ExpiryInPast,
    "0001-01-01": ExpiryInPast,
    "0001-01-01 00:00+23:59": ExpiryInPast,
    "9999-12-31": ExpiryTooFar,
    "9999-12-31 23:59-23:59": ExpiryTooFar,
    "7973y": ExpiryTooFar,
    "999999y": ExpiryTooFar,
    "999999mo": ExpiryTooFar,
    "999999999d": ExpiryTooFar,
    "999999999999 years": ExpiryTooFar,
    "999999999999999999w": ExpiryTooFar,
    "7000y 7000y": ExpiryTooFar,
}


@pytest.mark.parametrize(("typed", "refusal"), REFUSED.items(), ids=lambda value: ascii(value)[:40])
def test_what_cannot_be_meant_is_refused_with_the_reason(typed: str, refusal: type[Refusal]):
    with pytest.raises(refusal) as refused:
        parse_expiry(typed, now_ms=ms(NOW))
    assert refused.type is refusal


def test_an_end_is_refused_up_to_this_very_moment_and_taken_from_the_next_on():
    start = at(2026, 1, 31, 12, 30)
    with pytest.raises(ExpiryInPast):
        parse_expiry("2026-01-31 12:30", now_ms=ms(start))
    assert parse_expiry("2026-01-31 12:30", now_ms=ms(start) - 1) == ms(start)


typed_text = st.one_of(
    st.text(),
    st.text(st.characters(codec=None, categories=None), max_size=30),
    st.text(st.sampled_from("0123456789 -:+.,tzTZdwmohyinrs\u0663"), max_size=20),
    st.from_regex(r"\A(in )?(\d{1,20} ?(min|h|d|w|mo|m|y|yrs) ?){1,4}\Z"),
    st.from_regex(r"\A\d{4}-\d\d-\d\d([ t]\d\d:\d\d(:\d\d)?(z|[+-]\d\d:\d\d)?)?\Z"),
)
moments = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2500, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(typed=typed_text, now=moments)
def test_any_text_is_an_end_in_the_future_or_a_refusal_of_expiry(typed: str, now: datetime):
    try:
        end = parse_expiry(typed, now_ms=ms(now))
    except (ExpiryInvalid, ExpiryAmbiguous, ExpiryInPast, ExpiryTooFar):
        return
    assert end is None or ms(now) <= end < ms(at(9999, 12, 31, 23, 59))
    if end is not None:
        assert datetime.fromtimestamp(end / 1000, UTC).year <= 9999


@given(now=moments, days=st.integers(1, 9_999))
def test_days_are_exactly_that_many_times_24_hours_to_the_millisecond(now: datetime, days: int):
    assert parse_expiry(f"{days}d", now_ms=ms(now)) == ms(now) + days * 86_400_000


@given(now=moments, months=st.integers(1, 600))
def test_months_keep_the_day_or_end_with_their_month(now: datetime, months: int):
    end = parse_expiry(f"{months}mo", now_ms=ms(now))
    assert end is not None
    found = datetime.fromtimestamp(end / 1000, UTC)
    assert (found.year * 12 + found.month) - (now.year * 12 + now.month) == months
    assert found.day == now.day or (found.day < now.day and (found + timedelta(days=1)).day == 1)
    assert (found.hour, found.minute, found.second) == (now.hour, now.minute, now.second)


@pytest.mark.parametrize("typed", ["", "  ", "0", "none", "no", "now", "-", "NONE"])
def test_no_grace_means_none(typed: str):
    assert parse_grace_ms(typed, now_ms=ms(NOW)) == 0


@pytest.mark.parametrize(
    ("typed", "hours"),
    [("24h", 24), ("1 day", 24), ("1w", 168), ("30d", 720), ("1mo", 28 * 24), ("1d12h", 36)],
)
def test_a_grace_period_is_a_duration(typed: str, hours: int):
    assert parse_grace_ms(typed, now_ms=ms(NOW)) == hours * 3_600_000


@pytest.mark.parametrize(
    "typed",
    ["31d", "30d1min", "1y", "never", "0h", "-1d", "2027-01-01", "🗝️", "9" * 5_000, "999999999y"],
)
def test_a_grace_that_is_no_duration_or_too_long_is_refused_with_the_limit(typed: str):
    with pytest.raises(GraceInvalid) as refused:
        parse_grace_ms(typed, now_ms=ms(NOW))
    assert refused.value.data == {"text": typed, "limit_days": MAX_GRACE_DAYS}


@given(typed=typed_text, now=moments)
def test_any_text_is_a_grace_within_the_limit_or_refused(typed: str, now: datetime):
    try:
        grace_ms = parse_grace_ms(typed, now_ms=ms(now))
    except (GraceInvalid, ExpiryAmbiguous):
        return
    assert 0 <= grace_ms <= MAX_GRACE_DAYS * 86_400_000
