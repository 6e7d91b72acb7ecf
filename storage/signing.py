"""The signatures of answers and license files: keys made, sealed by the vault, opened to sign, and published.

Ed25519 keys sign both answers and license files. The two cannot be mistaken for each other: what is signed of an
answer begins with a digit of its time, what is signed of a file with the first letter of its header.
"""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_public_key,
)

from licensing.choices import SigningKind
from licensing.keys import RandomBytes
from licensing.models import SigningKey
from storage.errors import StoreRefused
from storage.vault import FileVault

SECRET_START = "kp_sign_"  # noqa: S105 - what every secret begins with, not a secret
FILE_TYPE = "license+jwt"

_ID_BYTES = 8
_SECRET_BYTES = 32
_RSA_BITS = 2048
_RSA_EXPONENT = 65537
_KEPT_OPEN = 1024  # an opened RSA key takes a few kilobytes
_EDDSA = "EdDSA"  # the name that the JWT libraries of every language know


_Opened = bytes | Ed25519PrivateKey | RSAPrivateKey


class Signer:
    """Makes signing keys and signs with them; opened keys are kept, so that the vault is asked once for each."""

    def __init__(self, vault: FileVault, random_bytes: RandomBytes) -> None:
        self._vault = vault
        self._random_bytes = random_bytes
        self._opened = lru_cache(_KEPT_OPEN)(self._open)

    def make(self, product_id: int, kind: SigningKind, *, now_ms: int, signs_from_ms: int) -> SigningKey:
        """Return a new key; finding an RSA key can take a second, so it belongs into a thread."""
        key_id = self._random_bytes(_ID_BYTES).hex()
        private, public = self._new_pair(kind)
        sealing_id, sealed = self._vault.seal_secret(private, context=_context(product_id, kind, key_id))
        return SigningKey(
            id=key_id,
            product_id=product_id,
            kind=kind,
            public=public,
            sealing_id=sealing_id,
            sealed=sealed,
            created_at_ms=now_ms,
            signs_from_ms=signs_from_ms,
        )

    def secret(self, key: SigningKey) -> str:
        """Return the shared secret of an HMAC key, to be shown once.

        Raises: StoreRefused (key_file_wrong), here and wherever a key is opened.
        """
        opened = self._opened(key)
        if not isinstance(opened, bytes):
            raise TypeError("Only an HMAC key has a secret to show.")
        return opened.decode()

    def sign(self, key: SigningKey, data: bytes) -> str:
        """Return the signature as it travels: HMAC and Ed25519 in lower-case hex, RSA in base64.

        An HMAC takes some 2 µs, Ed25519 20 to 40 µs, RSA 250 to 600 µs; a first use opens the key as well.
        """
        opened = self._opened(key)
        if isinstance(opened, bytes):
            return hmac.digest(opened, data, "sha256").hex()
        if isinstance(opened, Ed25519PrivateKey):
            return opened.sign(data).hex()
        return base64.b64encode(opened.sign(data, padding.PKCS1v15(), SHA256())).decode()

    def license_file(self, key: SigningKey, payload: Mapping[str, Any]) -> str:
        """Return the payload signed with an Ed25519 key, as a compact JWS.

        The first time in a process also imports what that takes, some 50 ms: it belongs into a thread.
        """
        opened = self._opened(key)
        if not isinstance(opened, Ed25519PrivateKey):
            raise TypeError("License files are signed with Ed25519 keys alone.")
        header = {"alg": _EDDSA, "kid": key.id, "typ": FILE_TYPE}
        text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return _jws()(header, text.encode(), opened)

    @staticmethod
    def jwk(key: SigningKey) -> dict[str, Any]:
        """Return the public key as a member of a JWK set; the caller adds from when and until when it signs."""
        public = load_pem_public_key(key.public.encode()) if key.public else None
        if isinstance(public, Ed25519PublicKey):
            raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
            shape = {"kty": "OKP", "crv": "Ed25519", "x": _base64url(raw)}
            more = {"alg": _EDDSA, "public_key_hex": raw.hex()}
        elif isinstance(public, RSAPublicKey):
            numbers = public.public_numbers()
            shape = {"kty": "RSA", "n": _base64url_number(numbers.n), "e": _base64url_number(numbers.e)}
            more = {"alg": "RS256"}
        else:
            raise TypeError("A shared secret has no public key.")
        return {**shape, "kid": key.id, "use": "sig", **more, "public_key_pem": key.public}

    def _new_pair(self, kind: SigningKind) -> tuple[bytes, str]:
        if kind is SigningKind.HMAC:
            return f"{SECRET_START}{self._random_bytes(_SECRET_BYTES).hex()}".encode(), ""
        if kind is SigningKind.ED25519:
            seed = self._random_bytes(_SECRET_BYTES)
            return seed, _pem(Ed25519PrivateKey.from_private_bytes(seed))
        pair = generate_private_key(_RSA_EXPONENT, _RSA_BITS)
        return pair.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), _pem(pair)

    def _open(self, key: SigningKey) -> _Opened:
        context = _context(key.product_id, key.kind, key.id)
        private = self._vault.open_secret(key.sealing_id, key.sealed, context=context)
        if key.kind is SigningKind.HMAC:
            return private
        if key.kind is SigningKind.ED25519:
            return Ed25519PrivateKey.from_private_bytes(private)
        # the vault proved that these are the bytes we made; to check their primes again takes 30 ms
        pair = load_der_private_key(private, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(pair, RSAPrivateKey):
            raise StoreRefused("key_file_wrong")
        return pair


@cache
def _jws() -> Callable[[Mapping[str, Any], bytes, Ed25519PrivateKey], str]:
    """Return what signs a compact JWS; the library is imported when first asked for, as few programs ever are."""
    from joserfc.jwk import OKPKey  # noqa: PLC0415 - a start must not wait for it
    from joserfc.jws import JWSRegistry, serialize_compact  # noqa: PLC0415

    class EdDsaAlone(JWSRegistry):
        """RFC 9864 renames EdDSA, and joserfc warns; our readers' JWT libraries know the old name alone."""

        def get_alg(self, name: str) -> Any:  # its model of an algorithm, which it does not export
            return self.algorithms[name]

    registry = EdDsaAlone(algorithms=[_EDDSA])

    def signed(header: Mapping[str, Any], payload: bytes, key: Ed25519PrivateKey) -> str:
        return serialize_compact(dict(header), payload, OKPKey.import_key(key), registry=registry)

    return signed


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _base64url_number(number: int) -> str:
    return _base64url(number.to_bytes((number.bit_length() + 7) // 8))


def _context(product_id: int, kind: SigningKind, key_id: str) -> bytes:
    return f"signing key\0{product_id}\0{kind}\0{key_id}".encode()


def _pem(pair: Ed25519PrivateKey | RSAPrivateKey) -> str:
    return pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
