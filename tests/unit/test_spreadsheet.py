"""The table that is taken away holds what was typed, and no spreadsheet runs any of it."""

import csv
import io

import pytest

from licensing.spreadsheet import COLUMNS, csv_of, safe


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("=1", "'=1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\t=1", "\t'=1"),
        ("\rx", "'\rx"),
        ("\uff1d1", "'\uff1d1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20x", "'\uff20x"),
        ("a;=1", "a;'=1"),
        ("a, \t+1;@x", "a, \t'+1;'@x"),
        ("first\n=1", "first\n'=1"),
    ],
)
def test_wherever_a_program_may_begin_a_cell_no_formula_stands(typed, written):
    assert safe(typed) == written


@pytest.mark.parametrize("typed", ["a=1", "one; two, three", "x-y", "ada@example.com", "2027-01-31", "мир"])
def test_what_is_no_formula_is_left_alone(typed):
    assert safe(typed) == typed


def test_every_cell_is_in_quotes():
    row = dict.fromkeys(COLUMNS) | {"license_id": 7, "notes": 'said "yes"; no'}
    text = csv_of([row])
    assert text.startswith('"license_id","product",')
    assert '"7","",' in text
    header, cells = csv.reader(io.StringIO(text))
    assert dict(zip(header, cells, strict=True))["notes"] == 'said "yes"; no'
