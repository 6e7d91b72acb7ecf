"""The backup archive: one encrypted file that holds the database and the key file it cannot be read without.

    magic 8 | version 1 | log2(n), r, p 1 each | salt 16 | check 16 | crc32 4    the header, in clear
    chunk: 1 MiB of a tar, AES-256-GCM, 16 bytes of tag                   repeated; the last is shorter

Key and check value come from the passphrase by scrypt. A chunk's nonce is its number; header and "this is
the last" are authenticated with it, so that a chunk changed, moved, dropped or added is found out (the STREAM
construction of Hoang, Reyhanitabar, Rogaway and Vizár). The salt makes the key new for every archive, which
is what lets nonces count from zero. The tar holds manifest.json, the database and the key file.
"""

import hmac
import os
import secrets
import struct
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bot.archive_parts import (
    ArchiveDamaged,
    ArchiveNewer,
    ArchiveRefused,
    ArchiveUnfit,
    Manifest,
    extract,
    pack,
)

__all__ = [
    "ArchiveDamaged",
    "ArchiveNewer",
    "ArchiveRefused",
    "ArchiveUnfit",
    "Cost",
    "Manifest",
    "NotAnArchive",
    "WrongPassphrase",
    "read",
    "write",
]

_MAGIC = b"KEYPORT\x1a"
_VERSION = 1
_HEADER = struct.Struct(">8sBBBB16s16sI")
_CHUNK = 1 << 20
_TAG = 16


class NotAnArchive(ArchiveRefused):
    """The file is something else."""


class WrongPassphrase(ArchiveRefused):
    """The header is whole, and this is not the passphrase it was made with."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """How much work scrypt makes of one guess at the passphrase: memory is 128 * r * n bytes."""

    log2_n: int = 17
    r: int = 8
    p: int = 1

    # A header could ask for more memory than the machine has; nothing we write is near this gigabyte.
    MAX_LOG2_N = 20

    @property
    def is_bearable(self) -> bool:
        """Whether scrypt takes these parameters, and this machine may be asked to."""
        return 1 <= self.log2_n <= self.MAX_LOG2_N and self.r == 8 and self.p == 1  # noqa: PLR2004 - RFC 7914's


@dataclass(frozen=True, kw_only=True)
class _Header:
    cost: Cost
    salt: bytes
    check: bytes = bytes(16)

    def to_bytes(self) -> bytes:
        fields = (_MAGIC, _VERSION, self.cost.log2_n, self.cost.r, self.cost.p, self.salt, self.check)
        return _HEADER.pack(*fields, zlib.crc32(_HEADER.pack(*fields, 0)))

    @classmethod
    def read(cls, source: BinaryIO) -> "_Header":
        data = source.read(_HEADER.size)
        if data[: len(_MAGIC)] != _MAGIC:
            raise NotAnArchive
        if len(data) > len(_MAGIC) and data[len(_MAGIC)] > _VERSION:
            raise ArchiveNewer
        if len(data) < _HEADER.size:
            raise ArchiveDamaged
        _magic, _version, log2_n, r, p, salt, check, _crc = _HEADER.unpack(data)
        header = cls(cost=Cost(log2_n=log2_n, r=r, p=p), salt=salt, check=check)
        if header.to_bytes() != data or not header.cost.is_bearable:
            raise ArchiveDamaged
        return header

    def derive(self, passphrase: str) -> tuple[AESGCM, bytes]:
        """Return the cipher, and the value that tells a wrong passphrase from a damaged file."""
        # The same passphrase typed on another keyboard may come as other code points.
        secret = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogateescape")
        n = 1 << self.cost.log2_n
        derived = Scrypt(salt=self.salt, length=48, n=n, r=self.cost.r, p=self.cost.p).derive(secret)
        return AESGCM(derived[:32]), derived[32:]


def write(
    target: Path,
    *,
    passphrase: str,
    database: Path,
    key_file: Path,
    created_at_ms: int,
    program_version: str,
    cost: Cost | None = None,
) -> None:
    """Write the archive beside `target` and move it there when it is whole; readable by its owner alone."""
    blank = _Header(cost=cost or Cost(), salt=secrets.token_bytes(16))
    cipher, check = blank.derive(passphrase)
    header = replace(blank, check=check).to_bytes()
    with _appearing_whole(target) as file:
        file.write(header)
        sealed = _Sealing(file, cipher, header)
        pack(
            sealed,
            database=database,
            key_file=key_file,
            created_at_ms=created_at_ms,
            program_version=program_version,
        )
        sealed.finish()


def read(archive: Path, *, passphrase: str, database: Path, key_file: Path) -> Manifest:
    """Lay the archive's two parts down as these new files, and answer for every byte of them.

    The files are there even when this raises; who calls removes them.

    Raises:
        NotAnArchive, ArchiveNewer, WrongPassphrase, ArchiveDamaged: nothing read may be used.
    """
    with archive.open("rb") as file:
        header = _Header.read(file)
        cipher, check = header.derive(passphrase)
        if not hmac.compare_digest(check, header.check):
            raise WrongPassphrase
        opened = _Opening(file, cipher, header.to_bytes())
        manifest = extract(opened, database=database, key_file=key_file)
        # The tar ends before its padding does: only the last chunk proves that nothing was cut off.
        while opened.read(_CHUNK):
            pass
        return manifest


class _Sealing:
    """A file-like that encrypts what is written to it."""

    def __init__(self, target: BinaryIO, cipher: AESGCM, header: bytes) -> None:
        self._target, self._cipher, self._header = target, cipher, header
        self._waiting, self._number = bytearray(), 0

    def write(self, data: bytes) -> int:
        self._waiting += data
        # A full chunk waits until more comes, since it could be the last one.
        while len(self._waiting) > _CHUNK:
            self._seal(bytes(self._waiting[:_CHUNK]), is_last=False)
            del self._waiting[:_CHUNK]
        return len(data)

    def finish(self) -> None:
        self._seal(bytes(self._waiting), is_last=True)

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number), chunk, _bound(self._header, is_last=is_last))
        self._target.write(sealed)
        self._number += 1


class _Opening:
    """A file-like that decrypts what is read from it, and gives out nothing unproven."""

    def __init__(self, source: BinaryIO, cipher: AESGCM, header: bytes) -> None:
        self._source, self._cipher, self._header = source, cipher, header
        self._next, self._number = source.read(_CHUNK + _TAG), 0
        self._opened = b""
        self._ended = False

    def read(self, size: int) -> bytes:
        while len(self._opened) < size and not self._ended:
            self._opened += self._open()
        given, self._opened = self._opened[:size], self._opened[size:]
        return given

    def _open(self) -> bytes:
        sealed, self._next = self._next, self._source.read(_CHUNK + _TAG)
        self._ended = not self._next
        try:
            chunk = self._cipher.decrypt(_nonce(self._number), sealed, _bound(self._header, is_last=self._ended))
        except InvalidTag:
            raise ArchiveDamaged from None
        self._number += 1
        return chunk


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _bound(header: bytes, *, is_last: bool) -> bytes:
    return header + bytes([is_last])


@contextmanager
def _appearing_whole(target: Path) -> Iterator[BinaryIO]:
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
