"""Migrating from the command line: what the database was is kept, a newer one is refused."""

import contextlib
import sqlite3
import stat
from pathlib import Path

import pytest
from operator_folder import DATABASE, count_licenses, make_newer_database, make_store, refused, state

from bot.__main__ import execute
from storage.revisions import HEAD

pytestmark = pytest.mark.usefixtures("operators_folder")


def test_migrate_has_nothing_to_do_on_a_current_database(capsys):
    make_store()
    before = state()
    assert execute(["migrate"]) == 0
    assert "There is nothing to do: the database is up to date." in capsys.readouterr().out
    assert state() == before


def test_migrate_makes_no_database_where_there_is_none(capsys):
    assert execute(["migrate"]) == 0
    assert "does not exist yet" in capsys.readouterr().out
    assert state() == {}


def make_old_database() -> None:
    """Lay down what stood before the first revision: a database of ours without any of its tables."""
    DATABASE.parent.mkdir(exist_ok=True)
    with contextlib.closing(sqlite3.connect(DATABASE)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT NOT NULL)")
        connection.commit()


def test_migrate_keeps_a_copy_of_how_the_database_was(capsys):
    make_old_database()
    before = DATABASE.read_bytes()
    Path(f"data/keyport.db.before-{HEAD}.bak").write_text("an older copy")
    assert execute(["migrate"]) == 0
    assert f"The database is now at revision {HEAD}." in capsys.readouterr().out
    assert count_licenses() == 0
    copy = Path(f"data/keyport.db.before-{HEAD}.2.bak")
    assert copy.read_bytes()[100:] == before[100:]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert Path(f"data/keyport.db.before-{HEAD}.bak").read_text() == "an older copy"


def test_migrate_refuses_a_newer_database(capsys):
    make_store()
    make_newer_database(DATABASE)
    assert "was written by a newer KeyPort" in refused(capsys, "migrate")
