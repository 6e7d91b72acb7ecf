"""A restore leaves the old pair of files or the new one, wherever it is cut off."""

from pathlib import Path

import pytest

from bot.replacement import Pair, put_in_place, settle


def pair(folder: Path, content: str | None) -> Pair:
    made = Pair(database=folder / "keyport.db", key_file=folder / "keyport.key")
    folder.mkdir(exist_ok=True)
    if content:
        made.database.write_text(f"{content} database")
        made.key_file.write_text(f"{content} key")
    return made


def content(of: Pair) -> tuple[str, str]:
    return of.database.read_text(), of.key_file.read_text()


@pytest.fixture
def old(tmp_path: Path) -> Pair:
    made = pair(tmp_path / "data", "old")
    made.database.with_name("keyport.db-wal").write_text("old wal")
    return made


@pytest.fixture
def new(tmp_path: Path) -> Pair:
    return pair(tmp_path / "new", "new")


def test_the_new_files_stand_in_place_and_the_old_ones_are_kept_aside(old: Pair, new: Pair):
    kept = put_in_place(new, old, stamp="now")
    assert content(old) == ("new database", "new key")
    assert {path.name: path.read_text() for path in kept} == {
        "keyport.db.replaced-now": "old database",
        # SQLite finds the log of unwritten changes by this name only
        "keyport.db.replaced-now-wal": "old wal",
        "keyport.key.replaced-now": "old key",
    }


def test_nothing_of_the_old_database_is_left_beside_the_new_one(old: Pair, new: Pair):
    for suffix in ("-shm", "-journal"):
        old.database.with_name(f"keyport.db{suffix}").touch()
    kept = put_in_place(new, old, stamp="now")
    assert set(old.database.parent.iterdir()) == {old.database, old.key_file, *kept}


def test_a_place_that_is_empty_is_filled(tmp_path: Path, new: Pair):
    target = Pair(database=tmp_path / "a" / "k.db", key_file=tmp_path / "b" / "k.key")
    assert put_in_place(new, target, stamp="now") == []
    assert content(target) == ("new database", "new key")
    assert target.key_file.stat().st_mode & 0o777 == 0o600


class CutOff(BaseException):
    """The power goes, and nothing after this runs."""


@pytest.mark.parametrize("steps", range(12))
def test_cut_off_after_any_step_the_next_start_finds_one_whole_pair(
    old: Pair, new: Pair, steps: int, monkeypatch: pytest.MonkeyPatch
):
    left = iter(range(steps))

    def counting(real):
        def step(*arguments, **options):
            if next(left, None) is None:
                raise CutOff
            return real(*arguments, **options)

        return step

    with monkeypatch.context() as power:
        for name in ("replace", "hardlink_to", "unlink"):
            power.setattr(Path, name, counting(getattr(Path, name)))
        try:
            put_in_place(new, old, stamp="now")
            finished = True
        except CutOff:
            finished = False
    settle(old)
    assert content(old) in {("old database", "old key"), ("new database", "new key")}
    if content(old)[0] == "old database":
        assert old.database.with_name("keyport.db-wal").read_text() == "old wal"
    else:
        assert not old.database.with_name("keyport.db-wal").exists()
        assert old.database.with_name("keyport.db.replaced-now-wal").read_text() == "old wal"
    assert not finished or content(old)[0] == "new database"
    assert settle(old) is False


def test_a_restore_that_was_cut_off_before_does_not_disturb_the_next(old: Pair, new: Pair):
    old.key_file.with_name("keyport.key.restoring").write_text("a key of an earlier attempt")
    put_in_place(new, old, stamp="now")
    assert content(old) == ("new database", "new key")


def test_files_kept_aside_are_never_overwritten(old: Pair, new: Pair):
    old.database.with_name("keyport.db.replaced-now").write_text("precious")
    with pytest.raises(FileExistsError):
        put_in_place(new, old, stamp="now")
    assert content(old) == ("old database", "old key")
    assert old.database.with_name("keyport.db.replaced-now").read_text() == "precious"
