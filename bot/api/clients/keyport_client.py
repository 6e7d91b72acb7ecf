"""Ask a KeyPort server whether a license is good: one file to paste into a program (Python 3.9 and later).

    pip install keyport cryptography   # the official client, which brings httpx; the check of public keys

    check = LicenseCheck(
        "https://license.example.com",            # your server, as its operator names it
        "kp_live_...",                            # an API key that may only validate
        public_keys={"KEY-ID": "-----BEGIN..."},  # from GET /api/v1/keys; or secrets=["kp_sign_..."]
        version="1.4.0",
    )
    verdict = check.check(license_key)
    if not verdict.valid:
        raise SystemExit(f"{verdict.message} {verdict.support_code}")

With neither `public_keys` nor `secrets` the official client asks, and nothing is proven: it sends no nonce and
hides the answer's bytes and headers (the support code too). With either of them this file asks by itself.
Never ship a secret: whoever opens your program can then forge answers. Secrets are for programs on your own machines.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets as chance
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from keyport import (  # type: ignore[import-untyped]  # it brings no types
    KeyPort,
    KeyPortAuthError,
    KeyPortConfigError,
    KeyPortError,
    KeyPortRateLimitError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DAY_S = 86_400
MISTAKES = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, 422}
SECONDS = re.compile("[0-9]{1,12}")
HMAC_MEMBER = re.compile(rb',"signature":"([0-9a-f]{64})"')


@dataclass(frozen=True)
class Verdict:
    """What is known of the license. Status "unknown": the server could not be asked, or proved nothing."""

    valid: bool
    status: str
    message: str = ""
    support_code: str = ""  # the customer quotes it to the seller's staff
    from_memory: bool = False
    retry_after: int = 0
    for_seller: str = ""  # what the seller should hear: a refused question, no connection, no memory
    answer: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What came back; the signature is over `signed_at` and the body."""

    code: int
    body: bytes = b""
    signed_at: str = ""
    key_id: str = ""
    signature: str = ""
    support_code: str = ""
    retry_after: str = ""


class LicenseCheck:
    """Asks, checks the proof, and goes on with the last good answer while the server cannot be asked."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        public_keys: Mapping[str, str] | None = None,  # key id -> PEM, Ed25519 or RSA
        secrets: Sequence[str] = (),  # kp_sign_...; two while the secret is being replaced
        version: str | None = None,
        device_id: str | None = None,
        memory: str | Path = "",  # a file; keyport-license-….txt in the working folder, its name made of the API key
        grace_hours: float = 72,
        timeout: float = 10,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url, self._api_key, self._timeout = url.rstrip("/") + "/api/v1", api_key, timeout
        self._public_keys = {key: load_pem_public_key(pem.encode()) for key, pem in (public_keys or {}).items()}
        self._secrets = [secret.encode() for secret in secrets]
        self._version, self._device_id, self._clock = version, device_id, clock
        digest = hashlib.sha256(api_key.encode()).hexdigest()  # so that no two products share a file
        self._memory = Path(memory or f"keyport-license-{digest[:12]}.txt")
        self._grace_s, self._wait_until, self._complained = grace_hours * 3600, 0.0, False

    def check(self, license_key: str) -> Verdict:
        """Return whether the program may run; never raises for what the network or the server does."""
        license_key = license_key.encode("utf-8", "replace").decode()  # whatever was typed can be sent
        now = int(self._clock())
        if now < self._wait_until:
            return self._unknown(license_key, now, "the server asked to wait")
        nonce = self._nonce(license_key, chance.token_hex(16))
        try:
            reply = self._ask(license_key, nonce)
        except httpx.HTTPError as error:
            why = "no answer in time" if isinstance(error, httpx.TimeoutException) else "no connection"
            return self._unknown(license_key, now, why, for_seller=f"{type(error).__name__}: {error}")
        if reply.code == HTTPStatus.OK:
            return self._answered(license_key, nonce, reply, now)
        if reply.code == HTTPStatus.UNAUTHORIZED:
            told = "This program's API key is refused: please tell the seller."
            return self._unknown(license_key, now, "the server answered 401", "invalid_api_key", for_seller=told)
        why = f"the server answered {reply.code}"
        if reply.code in MISTAKES:
            told = str(fields(reply.body).get("message") or "The request was refused.")
            return self._unknown(license_key, now, why, "invalid_request", for_seller=told)
        if SECONDS.fullmatch(reply.retry_after):
            self._wait_until = now + min(int(reply.retry_after), DAY_S)
        return self._unknown(license_key, now, why)

    def _answered(self, license_key: str, nonce: str, reply: Reply, now: int) -> Verdict:
        flaw = self._flaw(reply, nonce)
        if flaw:
            return self._unknown(license_key, now, flaw)
        answer = fields(reply.body)
        if answer["valid"] is True:
            complaint = self._remember(reply, now)
            return Verdict(valid=True, status=answer["status"], for_seller=complaint, answer=answer)
        with suppress(OSError, ValueError):
            self._memory.unlink()
        message = str(answer.get("message") or f"The license is not valid: {answer['status']}.")
        code = str(reply.support_code or answer.get("support_code") or "")
        return refusal(answer["status"], message, support_code=code, answer=answer)

    # Asking

    def _ask(self, license_key: str, nonce: str) -> Reply:
        if not self._public_keys and not self._secrets:
            return self._ask_officially(license_key, nonce)
        asked = {"license_key": license_key, "nonce": nonce, "version": self._version, "device_id": self._device_id}
        answer = httpx.post(
            f"{self._url}/validate",
            json={name: value for name, value in asked.items() if value is not None},
            headers={"Authorization": f"Bearer {self._api_key}"},
            timeout=self._timeout,
        )
        told = answer.headers.get
        return Reply(
            answer.status_code,
            answer.content,
            signed_at=told("X-Signature-Timestamp", ""),
            key_id=told("X-Signature-Key-Id", ""),
            signature=told("X-Signature-Ed25519") or told("X-Signature-RSA") or "",
            support_code=told("X-Support-Code", ""),
            retry_after=told("Retry-After", ""),
        )

    def _ask_officially(self, license_key: str, nonce: str) -> Reply:
        try:
            with KeyPort(self._api_key, base_url=self._url, timeout=self._timeout) as client:
                answer = client.validate(license_key, version=self._version, device_id=self._device_id)
        except KeyPortAuthError:
            return Reply(401)
        except KeyPortConfigError as error:
            return Reply(422, json.dumps({"message": str(error)}).encode())
        except KeyPortRateLimitError as error:
            return Reply(429, retry_after=str(error.retry_after))
        except (KeyPortError, ValueError, RecursionError) as error:  # the last two: it read something else as JSON
            if isinstance(error.__cause__, httpx.RequestError):
                raise error.__cause__ from None
            response = getattr(error.__cause__, "response", None)
            return Reply(200) if response is None else Reply(response.status_code, response.content)
        # Nothing is proven here: the nonce only ties what is remembered to this license.
        return Reply(200, json.dumps(answer | {"nonce": nonce} if isinstance(answer, dict) else None).encode())

    # Proof

    def _nonce(self, license_key: str, random: str) -> str:
        """Return a random word and, tied to it, the license: the answer to another license's question never fits."""
        tidied = re.sub(r"[\s-]", "", license_key).upper()  # however it was typed, it is the same license
        return random + hashlib.sha256(f"{random}\n{tidied}\n{self._device_id or ''}".encode()).hexdigest()

    def _flaw(self, reply: Reply, nonce: str) -> str:
        """Return why an answer proves nothing, or an empty text; the nonce, not the clock, shows that it is fresh."""
        if self._public_keys and not self._signed(reply):
            return "the answer's signature is wrong or missing"
        if self._secrets and not self._sealed(reply.body):
            return "the answer's signature is wrong or missing"
        answer = fields(reply.body)
        if not isinstance(answer.get("status"), str) or "valid" not in answer:
            return "the answer is not KeyPort's"
        return "" if answer.get("nonce") == nonce else "the answer is to another question"

    def _signed(self, reply: Reply) -> bool:
        """Tell whether one of the pinned public keys signed timestamp and body."""
        key, signed = self._public_keys.get(reply.key_id), reply.signed_at.encode() + reply.body
        try:
            if isinstance(key, Ed25519PublicKey):
                key.verify(bytes.fromhex(reply.signature), signed)
            elif isinstance(key, RSAPublicKey):
                key.verify(base64.b64decode(reply.signature), signed, PKCS1v15(), SHA256())
            else:
                return False
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            return False
        return SECONDS.fullmatch(reply.signed_at) is not None

    def _sealed(self, body: bytes) -> bool:
        """Tell whether the last `signature` member is the HMAC of the body without it."""
        found = HMAC_MEMBER.match(body, max(0, body.rfind(b',"signature":')))
        if found is None:
            return False
        return self._seal_fits(body[: found.start()] + body[found.end() :], found[1].decode())

    def _seal_fits(self, data: bytes, theirs: str) -> bool:
        # An empty secret, as a variable that was never set leaves it, is one that everybody knows.
        made = [seal(secret, data).encode() for secret in self._secrets if secret]
        return any(hmac.compare_digest(one, theirs.encode()) for one in made)

    # Memory: four lines, checked again whenever they are read

    def _remember(self, reply: Reply, now: int) -> str:
        """Keep the answer; return what the seller should hear if that fails, once."""
        at, signature = reply.signed_at, reply.signature
        if not self._public_keys:
            at = str(now)
            signature = seal(self._secrets[0], at.encode() + reply.body) if self._secrets else ""
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            self._memory.write_bytes(f"{at}\n{reply.key_id}\n{signature}\n".encode() + reply.body)
        except (OSError, ValueError) as error:  # a disk that cannot be written locks nobody out
            told, self._complained = self._complained, True
            return "" if told else f"The answer cannot be remembered in {self._memory}: {error}"
        return ""

    def _unknown(
        self, license_key: str, now: int, why: str, status: str = "unknown", for_seller: str = ""
    ) -> Verdict:
        """Let the last good answer stand if there is a young one: what came instead says nothing that is proven."""
        answer = self._recall(license_key, now)
        wait = max(0, int(self._wait_until) - now)
        more: dict[str, Any] = {"retry_after": wait, "for_seller": for_seller, "answer": answer}
        if answer:
            more["message"] = f"Not checked now: {why}."
            return Verdict(valid=True, status=answer["status"], from_memory=True, **more)
        message = for_seller if status != "unknown" else f"The license could not be checked: {why}."
        return refusal(status, message, **more)

    def _recall(self, license_key: str, now: int) -> dict[str, Any]:
        try:
            at, key_id, signature, body = self._memory.read_bytes().split(b"\n", 3)
            age = now - int(at)
            reply = Reply(200, body, at.decode(), key_id.decode(), signature.decode())
        except (OSError, ValueError):
            return {}
        # A clock that stands before the time in the file: wrong by a little, or set back to lengthen the grace.
        if not -min(DAY_S, self._grace_s) <= age < self._grace_s or not self._kept(reply):
            return {}
        answer = fields(body)
        nonce = str(answer.get("nonce", ""))
        return answer if answer.get("valid") is True and nonce == self._nonce(license_key, nonce[:32]) else {}

    def _kept(self, reply: Reply) -> bool:
        if self._public_keys:
            return self._signed(reply)
        return not self._secrets or self._seal_fits(reply.signed_at.encode() + reply.body, reply.signature)


def refusal(status: str, message: str, **more: Any) -> Verdict:
    """Return a verdict that lets nobody in."""
    return Verdict(valid=False, status=status, message=message, **more)


def fields(body: bytes) -> dict[str, Any]:
    """Return the members of a JSON object, none of anything else."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def seal(secret: bytes, data: bytes) -> str:
    """Return HMAC-SHA256 as the server writes it."""
    return hmac.new(secret, data, hashlib.sha256).hexdigest()
