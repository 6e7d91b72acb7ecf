"""Dates as people write them at home: taken where they can be read only one way."""

from datetime import UTC, datetime

import pytest

from i18n.refusals import explain
from licensing.expiry import parse_expiry, parse_extension
from licensing.input_errors import DateAmbiguous, ExpiryInPast, ExpiryInvalid

NOW_MS = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("31.12.2026", "2026-12-31"),
        ("31/12/2026", "2026-12-31"),
        ("12/31/2026", "2026-12-31"),
        ("1.1.2027", "2027-01-01"),
        ("12.12.2026", "2026-12-12"),
        ("today", "2026-11-30"),
        (" Tomorrow ", "2026-12-01"),
        ("31.12.2026 18:00", "2026-12-31 18:00"),
        ("tomorrow 18:00", "2026-12-01 18:00"),
    ],
)
@pytest.mark.parametrize("parse", [parse_expiry, lambda text, **now: parse_extension(text, end_ms=0, **now)])
def test_a_date_that_reads_one_way_is_that_date(parse, typed: str, day: str):
    assert parse(typed, now_ms=NOW_MS) == parse_expiry(day, now_ms=NOW_MS)


@pytest.mark.parametrize("typed", ["01.02.2027", "1/2/2027", "12.11.2027"])
def test_a_date_that_reads_two_ways_is_refused_with_how_to_write_it(typed: str):
    with pytest.raises(DateAmbiguous) as refused:
        parse_expiry(typed, now_ms=NOW_MS)

    assert explain(refused.value) == (
        f"`{typed}` could be read as two dates; type it as year, month and day, like `2026-12-31`."
    )


@pytest.mark.parametrize("typed", ["32.1.2027", "31.2.2027", "13/13/2027", "0.1.2027", "1.1/2027", "31.12.27", "1.1"])
def test_what_is_no_date_is_refused_as_none(typed: str):
    with pytest.raises(ExpiryInvalid):
        parse_expiry(typed, now_ms=NOW_MS)


def test_a_date_of_the_past_has_passed():
    with pytest.raises(ExpiryInPast):
        parse_expiry("31.12.2025", now_ms=NOW_MS)
