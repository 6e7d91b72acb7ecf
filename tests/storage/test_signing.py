"""Signing keys: what they sign is what others can check, and what is secret stays sealed to where it belongs."""

import base64
import hmac
import json
import os
import re

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc import jwt
from joserfc.jwk import KeySet

from licensing.choices import SigningKind
from licensing.models import SigningKey
from storage.errors import StoreRefused
from storage.signing import Signer
from storage.vault import FileVault, KeyFile

DATA = b'1790000000{"valid":true}'
PAIRS = (SigningKind.ED25519, SigningKind.RSA)


@pytest.fixture(scope="module")
def vault() -> FileVault:
    return FileVault(KeyFile.make(os.urandom), os.urandom)


@pytest.fixture(scope="module")
def signer(vault) -> Signer:
    return Signer(vault, os.urandom)


@pytest.fixture(scope="module")
def keys(signer) -> dict[SigningKind, SigningKey]:
    return {kind: signer.make(10, kind, now_ms=1_000, signs_from_ms=2_000) for kind in SigningKind}


def changed(key: SigningKey, **what) -> SigningKey:
    return key.model_copy(update=what)


def assert_refused(signer: Signer, key: SigningKey) -> None:
    with pytest.raises(StoreRefused) as refused:
        signer.sign(key, DATA)
    assert refused.value.code == "key_file_wrong"


@pytest.mark.parametrize("kind", SigningKind)
def test_a_new_key_says_what_it_is_and_when_it_begins(keys, kind):
    key = keys[kind]
    assert re.fullmatch("[0-9a-f]{16}", key.id)
    assert (key.product_id, key.kind, key.created_at_ms, key.signs_from_ms) == (10, kind, 1_000, 2_000)
    assert key.signs_until_ms is None


def test_a_shared_secret_is_shown_as_it_is_used(signer, keys):
    secret = signer.secret(keys[SigningKind.HMAC])
    assert re.fullmatch("kp_sign_[0-9a-f]{64}", secret)
    expected = hmac.new(secret.encode(), DATA, "sha256").hexdigest()
    assert signer.sign(keys[SigningKind.HMAC], DATA) == expected


def test_an_ed25519_signature_holds_under_the_published_key_and_only_over_the_signed_bytes(signer, keys):
    key = keys[SigningKind.ED25519]
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer.jwk(key)["public_key_hex"]))
    signature = signer.sign(key, DATA)
    assert re.fullmatch("[0-9a-f]{128}", signature)
    public.verify(bytes.fromhex(signature), DATA)
    with pytest.raises(InvalidSignature):
        public.verify(bytes.fromhex(signature), DATA + b" ")


def test_an_rsa_signature_holds_under_the_published_key_and_only_over_the_signed_bytes(signer, keys):
    key = keys[SigningKind.RSA]
    public = load_pem_public_key(signer.jwk(key)["public_key_pem"].encode())
    signature = base64.b64decode(signer.sign(key, DATA), validate=True)
    assert public.key_size == 2048
    public.verify(signature, DATA, PKCS1v15(), SHA256())
    with pytest.raises(InvalidSignature):
        public.verify(signature, DATA + b" ", PKCS1v15(), SHA256())


@pytest.mark.parametrize("kind", SigningKind)
def test_another_signer_over_the_same_key_file_signs_alike(vault, signer, keys, kind):
    assert Signer(vault, os.urandom).sign(keys[kind], DATA) == signer.sign(keys[kind], DATA)


def test_two_keys_of_a_kind_share_nothing(signer, keys):
    for kind in SigningKind:
        other = signer.make(10, kind, now_ms=1_000, signs_from_ms=2_000)
        assert other.id != keys[kind].id
        assert signer.sign(other, DATA) != signer.sign(keys[kind], DATA)


def test_a_license_file_is_read_by_a_jwt_library_with_nothing_but_the_published_keys(signer, keys):
    key = keys[SigningKind.ED25519]
    payload = {"iss": "keyport", "aud": "10", "license": {"custom": {"greeting": "Grüß Gott 🔑"}, "device_id": None}}
    published = KeySet.import_key_set({"keys": [signer.jwk(keys[kind]) for kind in PAIRS]})
    with pytest.warns(match="RFC 9864"):
        read = jwt.decode(signer.license_file(key, payload), published, algorithms=["EdDSA"])
    assert read.claims == payload
    assert read.header == {"alg": "EdDSA", "kid": key.id, "typ": "license+jwt"}


def test_the_payload_of_a_license_file_keeps_its_order_without_spaces(signer, keys):
    payload = {"b": 1, "a": {"d": "ö", "c": None}}
    part = signer.license_file(keys[SigningKind.ED25519], payload).split(".")[1]
    assert base64.urlsafe_b64decode(part + "==").decode() == '{"b":1,"a":{"d":"ö","c":null}}'


def test_what_cannot_be_written_as_json_is_never_signed(signer, keys):
    with pytest.raises(ValueError, match="JSON"):
        signer.license_file(keys[SigningKind.ED25519], {"a": float("nan")})


@pytest.mark.parametrize("kind", PAIRS)
def test_a_published_key_holds_nothing_of_the_private_half(signer, keys, kind):
    jwk = signer.jwk(keys[kind])
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & jwk.keys()
    assert "PRIVATE" not in json.dumps(jwk)
    assert (jwk["kid"], jwk["use"]) == (keys[kind].id, "sig")


def test_a_key_is_asked_only_for_what_its_kind_can_do(signer, keys):
    for kind in PAIRS:
        with pytest.raises(TypeError):
            signer.secret(keys[kind])
    with pytest.raises(TypeError):
        signer.jwk(keys[SigningKind.HMAC])
    for kind in (SigningKind.HMAC, SigningKind.RSA):
        with pytest.raises(TypeError):
            signer.license_file(keys[kind], {})


@pytest.mark.parametrize("kind", SigningKind)
def test_a_sealed_key_opens_only_as_the_key_of_that_product_kind_and_id(signer, keys, kind):
    key = keys[kind]
    assert signer.sign(key, DATA)  # opened before, and kept: what is kept must not stand in for another record
    other = next(it for it in SigningKind if it is not kind)
    for stolen in (changed(key, product_id=11), changed(key, kind=other), changed(key, id="0" * 16)):
        assert_refused(signer, stolen)


def test_a_sealed_key_that_was_altered_or_cut_off_never_signs(signer, keys):
    key = keys[SigningKind.HMAC]
    altered = key.sealed[:-1] + bytes([key.sealed[-1] ^ 1])
    for sealed in (altered, key.sealed[:20], key.sealed[:5], b""):
        assert_refused(signer, changed(key, sealed=sealed))
    assert_refused(signer, changed(key, sealing_id="none"))


def test_a_key_opens_only_with_its_own_key_file(keys):
    stranger = Signer(FileVault(KeyFile.make(os.urandom), os.urandom), os.urandom)
    assert_refused(stranger, keys[SigningKind.ED25519])


@pytest.mark.parametrize("kind", SigningKind)
def test_no_secret_shows_when_a_key_or_the_signer_is_printed(signer, keys, kind):
    shown = repr(keys[kind]) + repr(signer) + repr(vars(signer)) + keys[kind].model_dump_json(exclude={"sealed"})
    assert "kp_sign_" not in shown
    assert "PRIVATE" not in shown


def test_a_license_keys_copy_and_a_secret_never_open_as_each_other(vault):
    digest = vault.digest("ABCD")
    row = vault.seal("abcd", digest=digest, prefix="ABCD")
    with pytest.raises(StoreRefused):
        vault.open_secret(row.key_id, row.ciphertext, context=digest)
    key_id, sealed = vault.seal_secret(b"abcd", context=digest)
    assert vault.open_secret(key_id, sealed, context=digest) == b"abcd"
    with pytest.raises(StoreRefused):
        vault.reveal(row.model_copy(update={"key_id": key_id, "ciphertext": sealed}))


def test_the_same_secret_sealed_twice_looks_different(vault):
    assert vault.seal_secret(b"abcd", context=b"c")[1] != vault.seal_secret(b"abcd", context=b"c")[1]


def test_a_pseudonym_matches_itself_alone_and_only_under_its_key_file(vault):
    first, again, other = (
        vault.pseudonym("203.0.113.7"),
        vault.pseudonym("203.0.113.7"),
        vault.pseudonym("203.0.113.8"),
    )
    assert re.fullmatch("~[a-z2-7]{26}", first)
    assert first == again
    assert first != other
    assert first != FileVault(KeyFile.make(os.urandom), os.urandom).pseudonym("203.0.113.7")


def test_a_pseudonym_is_always_the_same_for_a_key_file_whatever_version_wrote_it():
    keys = KeyFile(bytes(range(32)), "k", {"k": bytes(32)})
    assert FileVault(keys, os.urandom).pseudonym("203.0.113.7") == "~po7k6k7p7drfguprnmpaspavfu"


def test_a_pseudonym_tells_nothing_of_the_hash_that_license_keys_are_found_by(vault):
    hashed = base64.b32encode(vault.digest("203.0.113.7")[:16]).decode().rstrip("=").lower()
    assert vault.pseudonym("203.0.113.7") != "~" + hashed
