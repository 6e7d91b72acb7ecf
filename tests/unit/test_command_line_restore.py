"""Restoring from the command line: nothing is lost, whatever is wrong with the archive or the moment."""

import asyncio
import contextlib
import io
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from operator_folder import (
    DATABASE,
    KEY_FILE,
    count_licenses,
    make_archive,
    make_newer_database,
    make_store,
    refused,
    serving,
)

from bot.__main__ import execute
from storage import DatabaseSettings

pytestmark = pytest.mark.usefixtures("operators_folder")

ROOT = Path(__file__).parents[2]
COUNTS = "1 organization, 1 product, 2 licenses"


def test_what_was_backed_up_while_serving_is_there_again_after_a_restore(capsys):
    async def back_up_while_serving() -> int:
        async with serving(licenses=2):
            return await asyncio.to_thread(subprocess_backup)

    def subprocess_backup() -> int:
        done = subprocess.run(
            [sys.executable, "-m", "bot", "backup", "mine.backup"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=False,
        )
        assert COUNTS in done.stdout.decode()
        assert done.stderr == b""
        return done.returncode

    assert asyncio.run(back_up_while_serving()) == 0
    assert stat.S_IMODE(Path("mine.backup").stat().st_mode) == 0o600
    make_store(licenses=0)
    with contextlib.closing(sqlite3.connect(DATABASE)) as connection:
        connection.execute("DELETE FROM licenses WHERE id = 1")
        connection.commit()
    assert execute(["restore", "mine.backup", "--yes"]) == 0
    told = capsys.readouterr().out
    assert COUNTS in told
    assert "just now" in told
    assert count_licenses() == 2
    make_store(licenses=0)  # the key file fits, or the store would not open
    kept = sorted(Path("data").glob("*.replaced-*"))
    assert [path.name.partition(".replaced-")[0] for path in kept] == ["keyport.db", "keyport.key"]
    assert count_licenses(kept[0]) == 1


def test_a_restore_shows_age_and_counts_and_changes_nothing_without_a_yes(capsys, monkeypatch):
    make_store()
    made = make_archive()
    for answer, says in (("n\n", "Nothing was changed."), ("", "or add --yes")):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        assert says in refused(capsys, "restore", made)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert execute(["restore", made]) == 0
    told = capsys.readouterr()
    assert "A backup of 2025-06-15 15:06 UTC (" in told.out
    assert "days ago), made by KeyPort 0.0.9: " + COUNTS in told.out
    assert "Put it in the place of data/keyport.db?" in told.err


def test_a_restore_fills_an_empty_place(capsys):
    elsewhere = DatabaseSettings(path=Path("old/k.db"), key_file=Path("old/k.key"))
    make_store(elsewhere)
    assert execute(["restore", make_archive(database=elsewhere.path, key_file=elsewhere.key_file), "--yes"]) == 0
    assert "Kept aside" not in capsys.readouterr().out
    assert sorted(Path("data").iterdir()) == [DATABASE, KEY_FILE]
    assert count_licenses() == 2


def test_a_restore_replaces_a_ruined_database():
    make_store()
    made = make_archive()
    DATABASE.write_bytes(b"ruined" * 1000)
    assert execute(["restore", made, "--yes"]) == 0
    assert count_licenses() == 2
    assert next(Path("data").glob("keyport.db.replaced-*")).read_bytes() == b"ruined" * 1000


def test_a_restore_is_refused_while_keyport_runs():
    async def restore_while_serving() -> str:
        async with serving(licenses=1):
            made = make_archive(database=Path("copy.db"))
            return await asyncio.to_thread(lambda: restore(made))

    def restore(made: str) -> str:
        # In a process of its own: one that closes a file gives up the locks it holds on it.
        done = subprocess.run(
            [sys.executable, "-m", "bot", "restore", made, "--yes"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        return done.stderr

    Path("copy.db").write_bytes(b"")
    assert asyncio.run(restore_while_serving()) == (
        "data/keyport.db is in use; stop KeyPort first, then try again.\n"
    )


def _damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _make_newer(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8] += 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_damage, "damaged or cut short"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "damaged or cut short"),
        (lambda path: path.write_bytes(b""), "not a KeyPort backup"),
        (lambda path: path.write_bytes(DATABASE.read_bytes()), "not a KeyPort backup"),
        (_make_newer, "made by a newer KeyPort"),
        (lambda path: path.unlink(), "is not a file"),
    ],
    ids=["damaged", "truncated", "empty", "another file", "newer", "absent"],
)
def test_a_spoilt_archive_is_refused_and_nothing_is_changed(capsys, spoil, says: str):
    make_store()
    made = make_archive()
    spoil(Path(made))
    assert says in refused(capsys, "restore", made, "--yes")


def test_an_archive_with_another_passphrase_is_refused(capsys):
    make_store()
    made = make_archive(passphrase="another passphrase")
    assert "The passphrase is not the one" in refused(capsys, "restore", made, "--yes")


def test_an_archive_whose_parts_do_not_fit_each_other_is_refused(capsys):
    make_store()
    make_store(DatabaseSettings(path=Path("other/k.db"), key_file=Path("other/k.key")))
    made = make_archive(key_file=Path("other/k.key"))
    assert "do not belong together" in refused(capsys, "restore", made, "--yes")
    made = make_archive(database=KEY_FILE)
    assert "do not belong together" in refused(capsys, "restore", made, "--yes")


def test_an_archive_with_a_newer_database_is_refused(capsys):
    make_store()
    make_newer_database(DATABASE)
    assert "made by a newer KeyPort" in refused(capsys, "restore", make_archive(), "--yes")


def test_a_restore_that_was_cut_off_is_finished_by_the_next_command():
    make_store()
    make_store(DatabaseSettings(path=Path("other/k.db"), key_file=Path("other/k.key")), licenses=3)
    Path("other/k.key").rename("data/keyport.key.restoring")
    Path("other/k.db").rename("data/keyport.db.restoring")
    assert execute(["migrate"]) == 0
    assert count_licenses() == 3
    make_store(licenses=0)
