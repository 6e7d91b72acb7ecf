"""Check a license file where there is no network: one file to copy. Needs `cryptography`. See docs/verifying.md."""
# ruff: noqa: INP001, T201 - a script to copy, which prints

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DAY = 86_400


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verify(file: str, keys: dict[str, str], *, product: str, license_key: str, device: str, now: int) -> dict:
    """Return what the file says of the license; raise ValueError if it is not good."""
    try:
        head, payload, signature = file.strip().split(".")
        header = json.loads(decoded(head))
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys[header["kid"]]))
        key.verify(decoded(signature), f"{head}.{payload}".encode())
        kind = header["alg"], header["typ"]
    except (ValueError, KeyError, TypeError, InvalidSignature) as error:
        raise ValueError("not signed with a key of this program") from error
    if kind != ("EdDSA", "license+jwt"):
        raise ValueError("not a license file")
    claims = json.loads(decoded(payload))
    said = claims["license"]
    if claims["iss"] != "keyport" or claims["aud"] != product:
        raise ValueError("of another product")
    if now >= claims["exp"]:
        raise ValueError("expired")
    if now < claims["iat"] - DAY:
        raise ValueError("the clock is wrong")
    typed = re.sub(r"[\s-]", "", license_key).upper()
    if hashlib.sha256(typed.encode()).hexdigest() != said["key_sha256"]:
        raise ValueError("of another license")
    if said["device_id"] not in (None, device):
        raise ValueError("of another device")
    return said


if __name__ == "__main__":
    path, product, license_key, device, now, *keys = sys.argv[1:]
    try:
        file, known = Path(path).read_text("ascii"), dict(key.split("=") for key in keys)
        said = verify(file, known, product=product, license_key=license_key, device=device, now=int(now))
    except ValueError as error:
        sys.exit(f"no good license file: {error}")
    print(json.dumps(said))
