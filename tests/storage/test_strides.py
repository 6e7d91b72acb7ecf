"""Where a search looks that goes through licenses stride by stride, and what it leaps over."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from licensing.ports import Steps
from storage.sqlite import drive
from storage.statements.strides import Source, Strides, Ways

# Whole words, a start of keys and a filter, with the licenses of each.
SETS: Mapping[str, Sequence[int]] = {
    "old": range(1, 101),
    "new": range(901, 1_001),
    "both": [*range(1, 101), *range(901, 1_001)],
    "rare": [50, 60, 950],
    "none": [],
}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "sets.db")) as connection:
        connection.execute("CREATE TABLE sets (name TEXT, id INTEGER, PRIMARY KEY (name, id)) WITHOUT ROWID")
        rows = [(name, each) for name, ids in SETS.items() for each in ids]
        connection.executemany("INSERT INTO sets VALUES (?, ?)", rows)
        connection.commit()
        yield connection


def of(names: str) -> list[Source]:
    return [Source(f"SELECT id FROM sets WHERE name = '{name}'", "id") for name in names.split()]


def ways(*words: str, others: str = "", fitting: str = "") -> Ways:
    return Ways([of(word) for word in words], of(others), of(fitting))


def all_of(strides: Strides) -> Steps[list[tuple[int, int]]]:
    found = list[tuple[int, int]]()
    while stride := (yield from strides.following()):
        found.append(stride)
    return found


@pytest.mark.parametrize(
    ("sought", "wanted"),
    [
        (ways("new"), [(1_000, 991), (990, 951), (950, 791)]),
        (ways("old"), [(100, 91), (90, 51), (50, -109)]),
        (ways("both"), [(1_000, 991), (990, 951), (950, 791), (100, -539)]),
        (ways("old new"), [(1_000, 991), (990, 951), (950, 791), (100, -539)]),
        (ways("both", "old"), [(100, 91), (90, 51), (50, -109)]),
        (ways("both", "rare"), [(950, 941), (60, 21)]),
        (ways("both", fitting="old"), [(100, 91), (90, 51), (50, -109)]),
        (ways("both", fitting="none rare"), [(950, 941), (60, 21)]),
        (ways("new", "old"), []),
        (ways("both", "none"), []),
        (ways("both", fitting="none"), []),
        (ways("both", "none", others="rare"), [(950, 941), (60, 21)]),
        (ways(others="rare", fitting="old"), [(60, 51), (50, 11)]),
    ],
)
def test_what_no_license_can_be_in_is_leapt_over_and_all_the_rest_is_looked_at(
    connection: sqlite3.Connection, sought: Ways, wanted: list[tuple[int, int]]
) -> None:
    assert drive(connection, all_of(Strides(sought, {}, order="DESC", first=10))) == wanted


def test_strides_go_on_from_a_license_in_either_direction(connection: sqlite3.Connection) -> None:
    up = Strides(ways("both"), {}, order="ASC", after=95, first=10)
    assert drive(connection, all_of(up)) == [(96, 105), (901, 940), (941, 1_100)]
    down = Strides(ways("both"), {}, order="DESC", after=905, first=10)
    assert drive(connection, all_of(down)) == [(904, 895), (100, 61), (60, -99)]
    assert drive(connection, all_of(Strides(ways("rare"), {}, order="ASC", first=10))) == [
        (50, 59),
        (60, 99),
        (950, 1_109),
    ]


def test_a_source_is_asked_again_only_where_what_it_said_is_passed(connection: sqlite3.Connection) -> None:
    asked = list[str]()
    connection.set_trace_callback(asked.append)
    drive(connection, all_of(Strides(ways("both", others="none", fitting="rare"), {}, order="DESC", first=10)))
    assert sum("'none'" in sql for sql in asked) == 1
    assert sum("'rare'" in sql for sql in asked) == 3
