"""The vault: keyed hashes to look license keys up by, and sealed copies to show them; its secrets are one file.

It seals the secrets that answers are signed with as well, and makes pseudonyms of addresses. The key file is made
beside an empty database only. Without it every stored license key is lost, so a missing or wrong one refuses the
start and destroys nothing.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from licensing.keys import RandomBytes
from licensing.models import SealedKey
from storage.errors import StoreRefused

_FORMAT = "keyport-key-file"
_VERSION = 1
_SECRET_BYTES = 32
_NONCE_BYTES = 12
_PSEUDONYM_BYTES = 16
_FOR_SECRETS = (
    b"keyport secret\0"  # no license key's hash begins so: what was sealed for one is never opened as other
)
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The secrets: one to look keys up by, and those to seal with, of which `current` seals new ones."""

    lookup: bytes = field(repr=False)
    current: str
    sealing: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def make(cls, random_bytes: RandomBytes) -> "KeyFile":
        """Return new secrets."""
        key_id = random_bytes(4).hex()
        return cls(random_bytes(_SECRET_BYTES), key_id, {key_id: random_bytes(_SECRET_BYTES)})

    def write(self, path: Path) -> None:
        """Write the file, readable by its owner alone; one that exists is never overwritten."""
        text = json.dumps(
            {
                "format": _FORMAT,
                "version": _VERSION,
                "note": "Back this file up with the database: without it the license keys cannot be read.",
                "lookup": self.lookup.hex(),
                "current": self.current,
                "sealing": {key_id: secret.hex() for key_id, secret in self.sealing.items()},
            },
            indent=2,
        )
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(path.parent)  # a file without its name in the folder would be lost with the power

    @classmethod
    def read(cls, path: Path) -> "KeyFile":
        """Return the secrets of a file.

        Raises: StoreRefused (key_file_missing, key_file_unreadable, key_file_exposed, key_file_damaged).
        """
        try:
            mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise StoreRefused("key_file_missing", path=str(path)) from error
        except PermissionError as error:
            raise StoreRefused("key_file_unreadable", path=str(path)) from error
        except (OSError, UnicodeDecodeError) as error:
            raise StoreRefused("key_file_damaged", path=str(path)) from error
        if os.name == "posix" and mode & _OTHERS:
            raise StoreRefused("key_file_exposed", path=str(path))
        return cls._parse(text, path)

    @classmethod
    def _parse(cls, text: str, path: Path) -> "KeyFile":
        try:
            found = json.loads(text)
            sealing = {key_id: bytes.fromhex(secret) for key_id, secret in found["sealing"].items()}
            lookup = bytes.fromhex(found["lookup"])
            whole = {len(secret) for secret in (lookup, *sealing.values())} == {_SECRET_BYTES} and found[
                "current"
            ] in sealing
            if found["format"] == _FORMAT and found["version"] == _VERSION and whole:
                return cls(lookup, str(found["current"]), sealing)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreRefused("key_file_damaged", path=str(path)) from error
        raise StoreRefused("key_file_damaged", path=str(path))

    def fingerprints(self) -> dict[str, str]:
        """Return what a database keeps to recognise its key file: hashes that reveal nothing of it."""
        secrets = {"lookup": self.lookup, **{f"seal.{key_id}": key for key_id, key in self.sealing.items()}}
        return {
            f"vault.{name}": hmac.digest(secret, b"keyport vault", "sha256").hex() for name, secret in secrets.items()
        }


class FileVault:
    """Seals with AES-256-GCM, bound to the key's hash, so that sealed copies cannot trade places."""

    def __init__(self, keys: KeyFile, random_bytes: RandomBytes) -> None:
        self._lookup = keys.lookup
        self._current = keys.current
        self._ciphers = {key_id: AESGCM(secret) for key_id, secret in keys.sealing.items()}
        self._random_bytes = random_bytes
        self._pseudonyms = hashlib.blake2b(key=keys.lookup, person=b"keyport address").digest()

    def digest(self, tidied_key: str) -> bytes:
        """Return the keyed hash that a key is found by."""
        # keyed BLAKE2b: as strong here as HMAC-SHA-256, and less than half its time on every validation
        data = tidied_key.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, key=self._lookup, digest_size=_SECRET_BYTES).digest()

    def seal(self, key: str, *, digest: bytes, prefix: str) -> SealedKey:
        """Return a key's row: its hash, its first characters, and a copy that only the key file opens."""
        key_id, ciphertext = self._seal(key.encode(), bound_to=digest)
        return SealedKey(digest=digest, prefix=prefix, key_id=key_id, ciphertext=ciphertext)

    def reveal(self, key: SealedKey) -> str:
        """Return the key as it was issued.

        Raises: StoreRefused (key_file_wrong), when a sealed copy was tampered with or its secret is gone.
        """
        return self._open(key.key_id, key.ciphertext, bound_to=key.digest).decode()

    def seal_secret(self, data: bytes, *, context: bytes) -> tuple[str, bytes]:
        """Return the id of the secret that opens it again, and a sealed copy that opens in this context alone."""
        return self._seal(data, bound_to=_FOR_SECRETS + context)

    def open_secret(self, key_id: str, sealed: bytes, *, context: bytes) -> bytes:
        """Return what was sealed.

        Raises: StoreRefused (key_file_wrong), when it was altered, sealed for another context, or its secret is gone.
        """
        return self._open(key_id, sealed, bound_to=_FOR_SECRETS + context)

    def pseudonym(self, text: str) -> str:
        """Return a stand-in for an address, `~` and 26 characters: always the same under the same key file.

        Addresses can all be tried, so it hides them from whoever has the database, but not the key file.
        """
        data = text.encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(data, key=self._pseudonyms, digest_size=_PSEUDONYM_BYTES).digest()
        return "~" + base64.b32encode(digest).decode().rstrip("=").lower()

    def _seal(self, data: bytes, *, bound_to: bytes) -> tuple[str, bytes]:
        nonce = self._random_bytes(_NONCE_BYTES)
        return self._current, nonce + self._ciphers[self._current].encrypt(nonce, data, bound_to)

    def _open(self, key_id: str, ciphertext: bytes, *, bound_to: bytes) -> bytes:
        nonce, sealed = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
        try:
            return self._ciphers[key_id].decrypt(nonce, sealed, bound_to)
        except (InvalidTag, KeyError, ValueError) as error:  # ValueError: cut off within its nonce
            raise StoreRefused("key_file_wrong") from error


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
