"""A backup archive gives back exactly what went in, or nothing."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import archive
from bot.archive import ArchiveDamaged, ArchiveNewer, ArchiveRefused, Cost, NotAnArchive, WrongPassphrase

QUICK = Cost(log2_n=4)
PASSPHRASE = "correct horse battery"
HEADER = 48
SEALED_CHUNK = (1 << 20) + 16


def make(folder: Path, *, database: bytes = b"the database" * 99, passphrase: str = PASSPHRASE) -> Path:
    (folder / "in.db").write_bytes(database)
    (folder / "in.key").write_bytes(b"the key")
    archive.write(
        folder / "backup",
        passphrase=passphrase,
        database=folder / "in.db",
        key_file=folder / "in.key",
        created_at_ms=1_800_000_000_000,
        program_version="1.2.3",
        cost=QUICK,
    )
    return folder / "backup"


def restore(path: Path, *, passphrase: str = PASSPHRASE) -> archive.Manifest:
    for name in ("out.db", "out.key"):
        path.with_name(name).unlink(missing_ok=True)
    return archive.read(
        path, passphrase=passphrase, database=path.with_name("out.db"), key_file=path.with_name("out.key")
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("large"), database=os.urandom(3 << 20))


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (3 << 20) + 5])
def test_what_went_in_comes_out(tmp_path: Path, size: int):
    content = os.urandom(size)
    manifest = restore(make(tmp_path, database=content))
    assert (tmp_path / "out.db").read_bytes() == content
    assert (tmp_path / "out.key").read_bytes() == b"the key"
    assert (manifest.created_at_ms, manifest.program_version) == (1_800_000_000_000, "1.2.3")


def test_the_archive_and_what_comes_out_of_it_are_the_owners_alone(small: Path):
    restore(small)
    for path in (small, small.with_name("out.db"), small.with_name("out.key")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_of_the_parts_stands_in_clear(small: Path):
    data = small.read_bytes()
    assert b"the database" not in data
    assert b"the key" not in data
    assert b"manifest" not in data


def test_two_archives_of_the_same_parts_share_no_key(tmp_path: Path):
    first = make(tmp_path).read_bytes()
    assert make(tmp_path).read_bytes()[HEADER:] != first[HEADER:]


def test_a_wrong_passphrase_is_told_from_a_damaged_file(small: Path):
    with pytest.raises(WrongPassphrase):
        restore(small, passphrase="correct horse batterY")


def test_a_passphrase_typed_on_another_keyboard_is_the_same(tmp_path: Path):
    restore(make(tmp_path, passphrase="caf\u00e9 au lait, please"), passphrase="cafe\u0301 au lait, please")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_bit_is_noticed(small: Path, data: st.DataObject):
    content = bytearray(small.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    broken = small.with_name("broken")
    broken.write_bytes(content)
    with pytest.raises(ArchiveRefused) as caught:
        restore(broken)
    assert caught.type is not WrongPassphrase


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_truncation_is_noticed(small: Path, data: st.DataObject):
    content = small.read_bytes()
    broken = small.with_name("broken")
    broken.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ArchiveRefused):
        restore(broken)


def chunks_of(path: Path) -> tuple[bytes, list[bytes]]:
    content = path.read_bytes()
    body = content[HEADER:]
    return content[:HEADER], [body[at : at + SEALED_CHUNK] for at in range(0, len(body), SEALED_CHUNK)]


@pytest.mark.parametrize(
    "change",
    [
        lambda chunks: chunks[:-1],
        lambda chunks: chunks[:0],
        lambda chunks: [chunks[1], chunks[0], *chunks[2:]],
        lambda chunks: [chunks[0], chunks[0], *chunks[1:]],
        lambda chunks: [chunks[0], *chunks[2:]],
        lambda chunks: [*chunks, chunks[-1]],
        lambda chunks: [*chunks, b"x"],
    ],
    ids=["last dropped", "all dropped", "swapped", "doubled", "middle dropped", "added", "tail added"],
)
def test_chunks_dropped_moved_or_added_are_noticed(large: Path, change):
    header, chunks = chunks_of(large)
    assert len(chunks) > 3
    broken = large.with_name("broken")
    broken.write_bytes(header + b"".join(change(chunks)))
    with pytest.raises(ArchiveDamaged):
        restore(broken)


def test_chunks_of_another_archive_do_not_pass(large: Path, tmp_path: Path):
    header, chunks = chunks_of(large)
    _other_header, others = chunks_of(make(tmp_path, database=os.urandom(3 << 20)))
    broken = large.with_name("broken")
    broken.write_bytes(header + b"".join([chunks[0], others[1], *chunks[2:]]))
    with pytest.raises(ArchiveDamaged):
        restore(broken)


@pytest.mark.parametrize("content", [b"", b"KEY", b"SQLite format 3\0" + bytes(4096)])
def test_another_file_is_no_archive(tmp_path: Path, content: bytes):
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(NotAnArchive):
        restore(tmp_path / "other")


def test_a_later_format_is_refused_as_newer(small: Path):
    content = bytearray(small.read_bytes())
    content[8] += 1
    newer = small.with_name("newer")
    newer.write_bytes(content)
    with pytest.raises(ArchiveNewer):
        restore(newer)


def test_a_header_that_asks_for_too_much_memory_is_refused_before_it_is_obeyed(tmp_path: Path):
    header = archive._Header(cost=Cost(log2_n=40), salt=bytes(16))
    (tmp_path / "greedy").write_bytes(header.to_bytes() + bytes(100))
    with pytest.raises(ArchiveDamaged):
        restore(tmp_path / "greedy")


def test_a_backup_that_fails_leaves_the_old_archive_and_no_crumbs(tmp_path: Path):
    old = make(tmp_path).read_bytes()
    (tmp_path / "in.key").unlink()
    with pytest.raises(FileNotFoundError):
        archive.write(
            tmp_path / "backup",
            passphrase=PASSPHRASE,
            database=tmp_path / "in.db",
            key_file=tmp_path / "in.key",
            created_at_ms=0,
            program_version="1",
            cost=QUICK,
        )
    assert (tmp_path / "backup").read_bytes() == old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "in.db"]


def test_reading_never_overwrites_a_file_that_is_there(small: Path):
    restore(small)
    with pytest.raises(FileExistsError):
        archive.read(
            small,
            passphrase=PASSPHRASE,
            database=small.with_name("out.db"),
            key_file=small.with_name("new.key"),
        )


def test_the_default_cost_is_what_owasp_asks_of_scrypt():
    assert (Cost().log2_n, Cost().r, Cost().p) == (17, 8, 1)
