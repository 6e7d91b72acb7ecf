"""Backing up from the command line: never half, never over something else, never with a weak passphrase."""

import contextlib
import io
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from operator_folder import KEY_FILE, PASSPHRASE, make_store, refused

from bot.__main__ import execute
from storage import DatabaseSettings

pytestmark = pytest.mark.usefixtures("operators_folder")

ROOT = Path(__file__).parents[2]


def test_a_backup_whose_key_file_is_another_one_is_refused_when_it_is_made(capsys):
    make_store()
    make_store(DatabaseSettings(path=Path("other/k.db"), key_file=Path("other/k.key")))
    KEY_FILE.write_bytes(Path("other/k.key").read_bytes())
    sentence = refused(capsys, "backup", "mine.backup")
    assert "data/keyport.key does not belong to this database" in sentence


def test_a_backup_is_refused_where_there_is_nothing_to_back_up(capsys):
    assert "data/keyport.db does not exist" in refused(capsys, "backup", "mine.backup")
    make_store()
    KEY_FILE.unlink()
    assert "data/keyport.key does not exist" in refused(capsys, "backup", "mine.backup")


def test_a_backup_never_overwrites_unasked(capsys):
    make_store()
    Path("mine.backup").write_text("precious")
    assert "is there already" in refused(capsys, "backup", "mine.backup")
    assert execute(["backup", "mine.backup", "--overwrite"]) == 0
    assert Path("mine.backup").read_bytes() != b"precious"


def test_a_backup_into_a_folder_is_named_after_the_time():
    make_store()
    Path("backups").mkdir()
    assert execute(["backup", "backups"]) == 0
    (made,) = Path("backups").iterdir()
    assert made.match("keyport-????????T??????Z.backup")


def test_a_backup_into_a_folder_that_is_not_there_is_refused(capsys):
    make_store()
    assert "The folder absent does not exist" in refused(capsys, "backup", "absent/mine.backup")


def test_a_disk_without_room_ends_in_a_sentence_and_leaves_no_crumbs(capsys, monkeypatch):
    make_store()

    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device", "mine.backup")

    monkeypatch.setattr(os, "fsync", full)
    assert refused(capsys, "backup", "mine.backup") == "mine.backup: No space left on device."


def test_a_short_passphrase_is_refused(capsys, monkeypatch):
    make_store()
    monkeypatch.setenv("KEYPORT_BACKUP_PASSPHRASE", "elevenchars")
    sentence = refused(capsys, "backup", "mine.backup")
    assert "at least 12 characters" in sentence
    assert "elevenchars" not in sentence


def test_without_a_terminal_the_passphrase_must_be_in_the_environment(capsys, monkeypatch):
    make_store()
    monkeypatch.delenv("KEYPORT_BACKUP_PASSPHRASE")
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse battery\n"))
    assert "set KEYPORT_BACKUP_PASSPHRASE" in refused(capsys, "backup", "mine.backup")


def at_a_terminal(*typed: str, answers: dict[str, str]) -> tuple[int, str]:
    """Run a command on a terminal of its own, answer its prompts, return exit code and everything shown."""
    terminal, inner = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if name != "KEYPORT_BACKUP_PASSPHRASE"}
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", *typed],
        env={**environ, "PYTHONPATH": str(ROOT)},
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
    )
    os.close(inner)
    shown, waiting = "", list(answers.items())
    with contextlib.suppress(OSError):  # reading a terminal that was closed on the other side is an error
        while select.select([terminal], [], [], 40)[0] and (data := os.read(terminal, 4096)):
            shown += data.decode()
            if waiting and waiting[0][0] in shown:
                os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
    os.close(terminal)
    return process.wait(40), shown


def test_the_passphrase_is_asked_for_twice_and_never_shown():
    make_store()
    prompts = {"Passphrase for this backup: ": PASSPHRASE, "The same once more: ": PASSPHRASE}
    code, shown = at_a_terminal("backup", "mine.backup", answers=prompts)
    assert code == 0, shown
    assert PASSPHRASE not in shown
    prompts = {"Passphrase of this backup: ": PASSPHRASE, "kept aside. [y/N]": "y"}
    code, shown = at_a_terminal("restore", "mine.backup", answers=prompts)
    assert code == 0, shown
    assert "Restored: data/keyport.db" in shown


def test_two_passphrases_that_differ_write_nothing():
    make_store()
    prompts = {"Passphrase for this backup: ": PASSPHRASE, "The same once more: ": PASSPHRASE + "!"}
    code, shown = at_a_terminal("backup", "mine.backup", answers=prompts)
    assert code == 2
    assert "The two passphrases differ" in shown
    assert not Path("mine.backup").exists()
