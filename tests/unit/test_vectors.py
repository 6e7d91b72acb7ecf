"""Our own signatures are held to the recorded ones, which clients in other languages are tested with."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from licensing.choices import SigningKind
from licensing.keys import tidy
from licensing.models import SigningKey
from storage.signing import Signer, _context
from storage.vault import FileVault, KeyFile

FOLDER = Path(__file__).parents[1] / "vectors"
VECTORS = json.loads((FOLDER / "proofs.json").read_text("utf-8"))
KEYS = VECTORS["keys"]
PUBLISHED = {jwk["kid"]: jwk for jwk in VECTORS["jwks"]["keys"]}
PRODUCT_ID = 10
MEMBERS_OF_AN_ANSWER = [
    "valid", "status", "expires", "ip_registered", "ip_count", "max_ips", "version", "version_valid", "custom",
    "signature", "nonce", "message", "support_code",
]  # fmt: skip


def each(part: str):
    return pytest.mark.parametrize("it", VECTORS[part], ids=lambda it: it["name"])


@pytest.fixture(scope="module")
def vault() -> FileVault:
    return FileVault(KeyFile.make(os.urandom), os.urandom)


@pytest.fixture(scope="module")
def signer(vault) -> Signer:
    return Signer(vault, os.urandom)


@pytest.fixture(scope="module")
def keys(vault) -> dict[str, SigningKey]:
    """Return the recorded keys as our records, sealed anew."""
    pair = load_pem_private_key(KEYS["rsa"]["private_key_pem"].encode(), None)
    private = {
        "hmac": KEYS["hmac"]["secret"].encode(),
        "ed25519": bytes.fromhex(KEYS["ed25519"]["private_seed_hex"]),
        "ed25519_next": bytes.fromhex(KEYS["ed25519_next"]["private_seed_hex"]),
        "rsa": pair.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    }
    return {name: _sealed(vault, KEYS[name], name, secret) for name, secret in private.items()}


def _sealed(vault: FileVault, recorded: dict, name: str, private: bytes) -> SigningKey:
    kind = SigningKind(name.removesuffix("_next"))
    sealing_id, sealed = vault.seal_secret(private, context=_context(PRODUCT_ID, kind, recorded["id"]))
    return SigningKey(
        id=recorded["id"],
        product_id=PRODUCT_ID,
        kind=kind,
        public=recorded.get("public_key_pem", ""),
        sealing_id=sealing_id,
        sealed=sealed,
        created_at_ms=0,
        signs_from_ms=0,
    )


def without_signature(body: bytes) -> bytes | None:
    """Return the bytes that an HMAC is made of, cut out as the contract says: the member's last place."""
    signature = json.loads(body)["signature"]
    before, found, after = body.rpartition(f',"signature":"{signature}"'.encode())
    return before + after if found else None


def holding(it: dict, *, nonce: str | None) -> set[str]:
    """Return which proofs of an answer hold, found out with nothing of ours."""
    body = base64.b64decode(it["body_base64"])
    found = {"nonce"} if json.loads(body).get("nonce") == nonce else set()
    signed = without_signature(body)
    if signed and _hmac(signed) == json.loads(body)["signature"]:
        found.add("hmac")
    for kind in ("ed25519", "rsa"):
        try:
            _verify(kind, it[kind]["headers"], body)
        except (InvalidSignature, KeyError):
            continue
        found.add(kind)
    return found


def _hmac(data: bytes) -> str:
    return hmac.new(KEYS["hmac"]["secret"].encode(), data, hashlib.sha256).hexdigest()


def _verify(kind: str, headers: dict[str, str], body: bytes) -> None:
    jwk = PUBLISHED[headers["X-Signature-Key-Id"]]
    data = headers["X-Signature-Timestamp"].encode() + body
    if kind == "rsa" and jwk["kty"] == "RSA":
        public = load_pem_public_key(jwk["public_key_pem"].encode())
        public.verify(base64.b64decode(headers["X-Signature-RSA"]), data, PKCS1v15(), SHA256())
    elif jwk["kty"] == "OKP":
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(jwk["public_key_hex"]))
        public.verify(bytes.fromhex(headers.get("X-Signature-Ed25519", "")), data)
    else:
        raise InvalidSignature


@each("answers")
def test_we_make_every_recorded_signature_again(it, signer, keys):
    body = it["body"].encode()
    assert body == base64.b64decode(it["body_base64"])
    for kind, header in (("ed25519", "X-Signature-Ed25519"), ("rsa", "X-Signature-RSA")):
        headers = it[kind]["headers"]
        signed = headers["X-Signature-Timestamp"].encode() + body
        assert base64.b64decode(it[kind]["signed_base64"]) == signed
        assert headers["X-Signature-Key-Id"] == keys[kind].id
        assert headers[header] == signer.sign(keys[kind], signed)
    if it["hmac"]:
        assert base64.b64decode(it["hmac"]["signed_base64"]).decode() == it["hmac"]["signed"]
        assert it["hmac"]["signature"] == signer.sign(keys["hmac"], it["hmac"]["signed"].encode())


@each("answers")
def test_every_proof_of_a_recorded_answer_holds(it):
    expected = {"hmac", "ed25519", "rsa", "nonce"} if it["hmac"] else {"ed25519", "rsa", "nonce"}
    assert holding(it, nonce=it["nonce"]) == expected
    assert without_signature(it["body"].encode()) == (it["hmac"]["signed"].encode() if it["hmac"] else None)


@each("answers")
def test_a_recorded_answer_has_the_members_of_the_contract_in_their_order(it):
    members = list(json.loads(it["body"]))
    assert members[:10] == MEMBERS_OF_AN_ANSWER[:10]
    assert members == [member for member in MEMBERS_OF_AN_ANSWER if member in members]
    assert ("nonce" in members) is (it["nonce"] is not None)


@each("tampered_answers")
def test_a_tampered_answer_fails_exactly_the_proofs_that_it_must_fail(it):
    assert it["must_fail"]
    assert holding(it, nonce=it["nonce"]) == {"hmac", "ed25519", "rsa", "nonce"} - set(it["must_fail"])


@each("tampered_answers")
def test_a_tampered_answer_differs_from_what_it_was_made_of(it):
    genuine = next(answer for answer in VECTORS["answers"] if answer["name"] == it["of"])
    parts = ("nonce", "body", "ed25519", "rsa")
    shown = {
        part: genuine[part]["headers"] if "headers" in (genuine[part] or "") else genuine[part] for part in parts
    }
    assert shown != {part: it[part]["headers"] if "headers" in (it[part] or "") else it[part] for part in parts}
    assert base64.b64decode(it["body_base64"]).decode() == it["body"]
    assert it["content_unchanged"] is (
        it["body"] != genuine["body"] and json.loads(it["body"]) == json.loads(genuine["body"])
    )


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_javascript_writes_the_signed_bytes_by_leaving_the_signature_out():
    script = """
        const { answers } = JSON.parse(require("fs").readFileSync(0));
        console.log(JSON.stringify(answers.filter(({ hmac }) => hmac).map(({ body }) => {
            const { signature, ...rest } = JSON.parse(body);
            const bytes = Buffer.from(JSON.stringify(rest));
            const made = require("crypto").createHmac("sha256", process.argv[1]).update(bytes).digest("hex");
            return [bytes.toString("base64"), made === signature];
        })));
    """
    command = ["node", "-e", script, KEYS["hmac"]["secret"]]
    done = subprocess.run(command, input=json.dumps(VECTORS).encode(), capture_output=True, check=True)
    signed = [it["hmac"]["signed_base64"] for it in VECTORS["answers"] if it["hmac"]]
    assert json.loads(done.stdout) == [[bytes_, True] for bytes_ in signed]


def test_we_publish_the_recorded_keys_as_they_stand(signer, keys):
    published = [signer.jwk(keys[name]) for name in ("ed25519", "ed25519_next", "rsa")]
    times = {"signs_from", "signs_until"}
    recorded = [{name: it[name] for name in it if name not in times} for it in PUBLISHED.values()]
    assert published == recorded
    assert [list(it) for it in published] == [list(it) for it in recorded]
    for name in ("ed25519", "ed25519_next"):
        assert KEYS[name]["public_key_hex"] == PUBLISHED[KEYS[name]["id"]]["public_key_hex"]


def test_of_two_recorded_keys_the_next_begins_when_the_first_ends():
    first, following = PUBLISHED[KEYS["ed25519"]["id"]], PUBLISHED[KEYS["ed25519_next"]["id"]]
    assert first["signs_until"] == following["signs_from"]
    moment = int(VECTORS["answers"][0]["ed25519"]["headers"]["X-Signature-Timestamp"])
    signed_at = datetime.fromtimestamp(moment, UTC).isoformat()
    assert first["signs_from"] < signed_at < first["signs_until"]


@each("license_files")
def test_we_sign_every_recorded_license_file_again(it, signer, keys):
    assert signer.license_file(keys["ed25519"], it["payload"]) == it["jws"]
    header, payload, _ = it["jws"].split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == it["header"]
    assert base64.urlsafe_b64decode(payload + "==").decode() == it["payload_text"]


@each("license_files")
def test_a_recorded_license_file_speaks_of_the_key_and_the_times_that_stand_beside_it(it):
    license_ = it["payload"]["license"]
    for key in (it["license_key"], it["typed_key"]):
        assert hashlib.sha256(tidy(key).encode()).hexdigest() == license_["key_sha256"]
    assert it["payload"]["iat"] <= it["valid_at"] < it["expired_at"] == it["payload"]["exp"]
    assert it["payload"]["aud"] == it["product_id"]
    assert license_["device_id"] in (None, it["device_id"])


def test_the_readme_explains_every_member():
    readme = (FOLDER / "README.md").read_text("utf-8")
    members = set(VECTORS) - {"about"}
    for part in ("answers", "tampered_answers", "license_files", "tampered_license_files"):
        members |= {member for it in VECTORS[part] for member in it}
    assert sorted(member for member in members if f"`{member}" not in readme) == []


def test_the_keys_say_that_they_must_never_be_used():
    assert "Never use" in KEYS["warning"]
    assert "NEVER USE" in VECTORS["about"]
