"""Copies in clear beside the database: private, gone at the end, and swept up after whoever was killed."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

from bot.scratch import folder_beside, remove_leftovers

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time, pathlib
from bot.scratch import folder_beside
with folder_beside(pathlib.Path(sys.argv[1]), "backup") as folder:
    (folder / "copy.db").write_text("in clear")
    print(folder, flush=True)
    time.sleep(60)
"""


def holder(database: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_is_its_owner_s_alone_and_gone_at_the_end(tmp_path: Path):
    with folder_beside(tmp_path / "keyport.db", "backup") as folder:
        assert folder.parent == tmp_path
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "copy.db").write_text("in clear")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_but_nothing_that_is_in_use(tmp_path: Path):
    database = tmp_path / "keyport.db"
    process, folder = holder(database)
    try:
        remove_leftovers(database)
        with folder_beside(database, "restore"):
            assert (folder / "copy.db").exists()
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert (folder / "copy.db").exists()
    remove_leftovers(database)
    assert list(tmp_path.iterdir()) == []


def test_only_folders_of_ours_are_removed(tmp_path: Path):
    database, elsewhere = tmp_path / "data" / "keyport.db", tmp_path / "elsewhere"
    for folder in (elsewhere, tmp_path / "data" / "keyport-backup-mine", tmp_path / "data" / ".keyport-other-x"):
        folder.mkdir(parents=True)
        (folder / "kept").touch()
    (tmp_path / "data" / ".keyport-backup-link").symlink_to(elsewhere)
    (tmp_path / "data" / ".keyport-backup-file").touch()
    before = sorted(tmp_path.rglob("*"))
    remove_leftovers(database)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_is_not_there_or_not_ours_to_read_stops_nothing(tmp_path: Path):
    remove_leftovers(tmp_path / "absent" / "keyport.db")
    assert not (tmp_path / "absent").exists()


def test_the_next_backup_sweeps_through_a_linked_folder_too(tmp_path: Path):
    (tmp_path / "disk" / ".keyport-backup-old").mkdir(parents=True)
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    with folder_beside(tmp_path / "data" / "keyport.db", "backup"):
        assert not (tmp_path / "disk" / ".keyport-backup-old").exists()
