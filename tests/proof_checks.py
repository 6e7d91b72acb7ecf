"""Proofs as a client asks for them and checks them, with nothing of ours."""

import base64
import hashlib
import hmac
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bot.api.schemas import Jwks
from licensing.choices import SigningKind

HEADERS = {SigningKind.ED25519: "X-Signature-Ed25519", SigningKind.RSA: "X-Signature-RSA"}
PAIRS = list(HEADERS)


def is_signed(body: bytes, secret: str) -> bool:
    """Check the member `signature` as the contract says, with the standard library alone."""
    signature = json.loads(body)["signature"]
    before, found, after = body.rpartition(f',"signature":"{signature}"'.encode())
    made = hmac.new(secret.encode(), before + after, hashlib.sha256).hexdigest()
    return bool(found) and hmac.compare_digest(made, str(signature))


def is_proven(reply, keys) -> bool:
    """Check the headers as a client does that holds these JWKs, with `cryptography` alone."""
    jwk = {jwk["kid"]: jwk for jwk in keys}.get(reply.headers["X-Signature-Key-Id"])
    signed = reply.headers["X-Signature-Timestamp"].encode() + reply.raw
    try:
        if jwk is None:
            return False
        if jwk["kty"] == "RSA":
            public = load_pem_public_key(jwk["public_key_pem"].encode())
            public.verify(
                base64.b64decode(reply.headers["X-Signature-RSA"], validate=True), signed, PKCS1v15(), SHA256()
            )
        else:
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(jwk["public_key_hex"]))
            public.verify(bytes.fromhex(reply.headers["X-Signature-Ed25519"]), signed)
    except InvalidSignature:
        return False
    return True


async def published(shop, api_key):
    reply = await shop.get("/api/v1/keys", api_key)
    assert reply.code == 200, reply.raw
    Jwks.model_validate_json(reply.raw)
    return reply.body["keys"]


async def file_of(shop, api_key, key, query=""):
    return await shop.get(f"/api/v1/license/{key}/file{query}", api_key)


async def with_files(shop, name="Widget", **switches):
    product = await shop.product(name, **switches)
    await shop.catalog.change_settings(shop.staff, product.product.id, license_file_days=7)
    return product
