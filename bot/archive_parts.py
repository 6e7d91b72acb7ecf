"""What lies inside a backup archive: a tar of manifest, database and key file, with a hash of each part."""

import hashlib
import hmac
import io
import os
import shutil
import tarfile
from pathlib import Path
from typing import IO, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FORMAT = 1
_MANIFEST, _DATABASE, _KEY_FILE = "manifest.json", "database.db", "database.key"
_MANIFEST_MAX = 64 * 1024
_BLOCK = 1 << 20


class ArchiveRefused(Exception):  # noqa: N818 - a refusal is the house's word for an expected error
    """An archive that is not used, for a reason its class names."""


class ArchiveDamaged(ArchiveRefused):
    """Bytes are missing, changed or moved, or the parts are not those that were packed."""


class ArchiveNewer(ArchiveRefused):
    """A later version of the program wrote it, in a form this one does not know."""


class ArchiveUnfit(ArchiveRefused):
    """Its database and its key file do not belong together, or are not what they are called."""


class Manifest(BaseModel):
    """Who packed what, and when."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    format: int = Field(ge=1)
    created_at_ms: int
    program_version: str
    sha256: dict[str, str]


class Writable(Protocol):
    """What a tar can be written to."""

    def write(self, data: bytes, /) -> object:
        """Take these bytes."""


class Readable(Protocol):
    """What a tar can be read from."""

    def read(self, size: int, /) -> bytes:
        """Give up to this many bytes."""


def pack(target: Writable, *, database: Path, key_file: Path, created_at_ms: int, program_version: str) -> None:
    """Write the tar; neither file may change meanwhile."""
    parts = {_DATABASE: database, _KEY_FILE: key_file}
    manifest = Manifest(
        format=FORMAT,
        created_at_ms=created_at_ms,
        program_version=program_version,
        sha256={_DATABASE: _hash(database), _KEY_FILE: _hash(key_file)},
    )
    with tarfile.open(fileobj=target, mode="w|", bufsize=_BLOCK) as tar:  # type: ignore[call-overload]  # only write() is used
        data = manifest.model_dump_json().encode()
        tar.addfile(_member(_MANIFEST, len(data)), io.BytesIO(data))
        for name, path in parts.items():
            with path.open("rb") as file:
                tar.addfile(_member(name, path.stat().st_size), file)


def extract(source: Readable, *, database: Path, key_file: Path) -> Manifest:
    """Lay the two parts down as new files of their owner alone.

    Raises:
        ArchiveDamaged: what is inside is not what the manifest says.
        ArchiveNewer: the manifest has a form of a later version.
    """
    try:
        with tarfile.open(fileobj=source, mode="r|", bufsize=_BLOCK) as tar:  # type: ignore[call-overload]  # only read() is used
            manifest = _manifest(_next(tar, _MANIFEST).read(_MANIFEST_MAX))
            for name, path in ((_DATABASE, database), (_KEY_FILE, key_file)):
                _lay_down(_next(tar, name), path)
                if not hmac.compare_digest(_hash(path), manifest.sha256[name]):
                    raise ArchiveDamaged
            return manifest
    except (tarfile.TarError, ValidationError, KeyError):
        raise ArchiveDamaged from None


def _manifest(data: bytes) -> Manifest:
    manifest = Manifest.model_validate_json(data)
    if manifest.format > FORMAT:
        raise ArchiveNewer
    return manifest


def _next(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    # Parts come in a fixed order under fixed names: no path of an archive ever decides where a file goes.
    member = tar.next()
    file = tar.extractfile(member) if member and member.name == name and member.isreg() else None
    if file is None:
        raise ArchiveDamaged
    return file


def _lay_down(source: IO[bytes], path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(source, file, _BLOCK)
        file.flush()
        os.fsync(descriptor)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
