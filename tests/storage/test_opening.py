"""When the store opens and when it refuses: nothing is ever destroyed to make a start succeed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from storage_world import OWNER
from storage_world import opened_by_the_program as opened
from store_starts import made, refused

from storage import DatabaseSettings, maintenance
from storage import sqlite as driver
from storage.errors import StoreRefused
from storage.revisions import REVISIONS
from storage.vault import KeyFile


async def test_a_missing_key_file_refuses_the_start_and_its_return_mends_it(settings: DatabaseSettings) -> None:
    key = await made(settings)
    aside = settings.key_file.rename(settings.key_file.with_suffix(".aside"))
    assert await refused(settings) == "key_file_missing"
    assert not settings.key_file.exists()
    aside.rename(settings.key_file)
    async with opened(settings) as world:
        assert await world.licenses.reveal(OWNER, key) == key


async def test_the_key_file_of_another_installation_refuses_the_start(
    settings: DatabaseSettings, tmp_path: Path
) -> None:
    await made(settings)
    settings.key_file.unlink()
    (tmp_path / "other").mkdir()
    other = DatabaseSettings(tmp_path / "other" / "keyport.db", settings.key_file)
    await made(other)
    assert await refused(settings) == "key_file_wrong"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
async def test_a_key_file_that_others_may_read_refuses_the_start(settings: DatabaseSettings, mode: int) -> None:
    await made(settings)
    settings.key_file.chmod(mode)
    assert await refused(settings) == "key_file_exposed"


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"format": "keyport-key-file"}', "\x00" * 400])
async def test_a_damaged_key_file_refuses_the_start(settings: DatabaseSettings, content: str) -> None:
    await made(settings)
    settings.key_file.write_text(content)
    assert await refused(settings) == "key_file_damaged"


async def test_a_key_file_that_lacks_one_of_its_secrets_refuses_the_start(settings: DatabaseSettings) -> None:
    await made(settings)
    keys = KeyFile.read(settings.key_file)
    settings.key_file.unlink()
    KeyFile(keys.lookup, "0000", {"0000": b"x" * 32}).write(settings.key_file)
    assert await refused(settings) == "key_file_wrong"


async def test_a_database_of_a_newer_program_refuses_the_start(settings: DatabaseSettings) -> None:
    await made(settings)
    with closing(sqlite3.connect(settings.path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert await refused(settings) == "database_newer"
    with pytest.raises(StoreRefused, match="database_newer"):
        maintenance.migrate(settings)


async def test_a_database_of_an_older_program_refuses_the_start_and_names_the_way(
    settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(settings)
    monkeypatch.setattr("storage.store.REVISIONS", (*REVISIONS, "next"))
    monkeypatch.setattr("storage.store.HEAD", "next")
    assert await refused(settings) == "database_older"


@pytest.mark.parametrize("content", [b"this is no database", b"\x00" * 5000, b"SQLite format 3\x00" + b"\xff" * 5000])
async def test_a_file_that_is_no_database_refuses_the_start(settings: DatabaseSettings, content: bytes) -> None:
    settings.path.write_bytes(content)
    assert await refused(settings) == "database_unreadable"


async def test_a_database_of_something_else_refuses_the_start(settings: DatabaseSettings) -> None:
    with closing(sqlite3.connect(settings.path)) as connection, connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    assert await refused(settings) == "database_unreadable"


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = DatabaseSettings(tmp_path / "file" / "keyport.db", tmp_path / "file" / "keyport.key")
    with pytest.raises(StoreRefused, match="database_unreadable"):
        async with opened(settings):
            pass


async def test_a_too_old_sqlite_is_refused(settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver.sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(StoreRefused, match="sqlite_too_old"):
        async with opened(settings):
            pass


async def test_a_start_cut_off_after_the_key_file_was_made_goes_on(settings: DatabaseSettings) -> None:
    KeyFile.make(lambda count: b"k" * count).write(settings.key_file)
    settings.path.touch(mode=0o600)
    assert await made(settings)


async def test_whether_a_database_is_in_use_is_known(settings: DatabaseSettings) -> None:
    assert not maintenance.is_in_use(settings)
    async with opened(settings) as world:
        await world.product()
        assert maintenance.is_in_use(settings)
        await world.issue()
    assert not maintenance.is_in_use(settings)


async def test_a_snapshot_taken_while_others_write_is_whole_and_fits_its_key_file(
    settings: DatabaseSettings, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    async with opened(settings) as world:
        await world.product()
        for _ in range(5):
            await world.issue()
        maintenance.snapshot(settings, copy)
        await world.issue()
    assert maintenance.inspect(copy, settings.key_file).licenses == 5
    assert copy.stat().st_mode & 0o777 == 0o600
    assert maintenance.inspect(settings.path, settings.key_file).licenses == 6


async def test_a_database_that_lost_the_marks_of_its_key_file_takes_no_other(settings: DatabaseSettings) -> None:
    await made(settings)
    with closing(sqlite3.connect(settings.path)) as connection, connection:
        connection.execute("DELETE FROM facts WHERE name LIKE 'vault.%'")
    assert await refused(settings) == "key_file_wrong"


async def test_the_marks_of_the_key_file_are_written_with_the_first_table_or_not_at_all(
    settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KeyFile, "fingerprints", lambda _: {"vault.lookup": None})
    with pytest.raises(IntegrityError):
        async with opened(settings):
            pass
    monkeypatch.undo()
    assert await made(settings)
