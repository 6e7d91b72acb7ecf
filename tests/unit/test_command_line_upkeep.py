"""Backing up, restoring and migrating real files: nothing is lost, whatever the operator does."""

import asyncio
import contextlib
import io
import logging
import os
import pty
import select
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from factories import NOW_MS, ORGANIZATION_ID, make_actor, make_plan, make_settings

from bot import archive
from bot.__main__ import execute
from licensing.services.catalog import CatalogService
from licensing.services.licenses import LicenseService
from licensing.services.organizations import OrganizationService, Plans
from licensing.services.terms import Terms
from storage import DatabaseSettings, open_store
from storage.revisions import HEAD

ROOT = Path(__file__).parents[2]
PASSPHRASE = "correct horse battery"
DATABASE, KEY_FILE = Path("data/keyport.db"), Path("data/keyport.key")
SETTINGS = DatabaseSettings(path=DATABASE, key_file=KEY_FILE)
COUNTS = "1 organization, 1 product, 2 licenses"


@pytest.fixture(autouse=True)
def _operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("KEYPORT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KEYPORT_BACKUP_PASSPHRASE", PASSPHRASE)
    root, handled = logging.getLogger(), signal.getsignal(signal.SIGTERM)
    handlers, level = list(root.handlers), root.level
    yield
    signal.signal(signal.SIGTERM, handled)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@contextlib.asynccontextmanager
async def serving(settings: DatabaseSettings = SETTINGS, *, licenses: int = 0) -> AsyncIterator[None]:
    """Have the store open, as a running bot has, after issuing some licenses."""
    plans = Plans({"default": make_plan()}, default="default")
    chance = {"clock": lambda: NOW_MS, "random_bytes": os.urandom}
    async with open_store(settings) as store:
        if licenses:
            await OrganizationService(store, plans=plans, clock=lambda: NOW_MS).joined(ORGANIZATION_ID, name="G")
            catalog = CatalogService(store, plans=plans, **chance)
            await catalog.create(make_actor(), name="Editor", settings=make_settings())
            service = LicenseService(store, store.vault, plans=plans, **chance)
            for _number in range(licenses):
                await service.issue(make_actor(), Terms(product="Editor"))
        yield


async def _open_and_close(settings: DatabaseSettings, licenses: int) -> None:
    async with serving(settings, licenses=licenses):
        pass


def make_store(settings: DatabaseSettings = SETTINGS, *, licenses: int = 2) -> None:
    asyncio.run(_open_and_close(settings, licenses))


def make_archive(*, database: Path = DATABASE, key_file: Path = KEY_FILE, passphrase: str = PASSPHRASE) -> str:
    archive.write(
        Path("made.backup"),
        passphrase=passphrase,
        database=database,
        key_file=key_file,
        created_at_ms=NOW_MS,
        program_version="0.0.9",
        cost=archive.Cost(log2_n=4),
    )
    return "made.backup"


def state() -> dict[str, bytes]:
    """Return every file there is, with its content."""
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def count_licenses(database: Path = DATABASE) -> int:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT COUNT(*) FROM licenses").fetchone()[0]


def refused(capsys: pytest.CaptureFixture[str], *typed: str) -> str:
    capsys.readouterr()
    before = state()
    assert execute(list(typed)) == 2
    assert state() == before
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error.strip().splitlines()[-1]


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


def make_newer_database(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


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


def test_a_restore_that_was_cut_off_is_finished_by_the_next_command():
    make_store()
    make_store(DatabaseSettings(path=Path("other/k.db"), key_file=Path("other/k.key")), licenses=3)
    Path("other/k.key").rename("data/keyport.key.restoring")
    Path("other/k.db").rename("data/keyport.db.restoring")
    assert execute(["migrate"]) == 0
    assert count_licenses() == 3
    make_store(licenses=0)
