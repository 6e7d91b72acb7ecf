"""A server that plays back whatever a test wants a client to see, and a customer in front of it."""

import asyncio
import base64
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aiohttp import web
from clients.client_runtimes import HEADER_PROOFS, Seen, Setup
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = 1_750_000_000
KEY = "EMK2-K8DU-4UA8-78YP"
UNKNOWN = (False, "unknown")
GOOD = (True, "active")
HOUR = 3600
DAY = 24 * HOUR
SECRETS = tuple(f"kp_sign_{digit * 64}" for digit in "ab")


def b64url(number: int) -> str:
    whole = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


@dataclass(frozen=True)
class SigningKeys:
    """Two private keys of each kind, and the files that a seller pins."""

    private: dict[str, Any]
    pinned: dict[str, Path]

    @classmethod
    def made(cls, folder: Path) -> "SigningKeys":
        private: dict[str, Any] = {f"ed25519-{n}": Ed25519PrivateKey.generate() for n in "12"}
        private |= {f"rsa-{n}": generate_private_key(65537, 2048) for n in "12"}
        pinned = {}
        for key_id, key in private.items():
            public = key.public_key()
            pinned[key_id] = folder / key_id
            pinned[key_id].write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
            if isinstance(key, RSAPrivateKey):
                numbers = public.public_numbers()
                folder.joinpath(f"{key_id}.rsa").write_text(f"{b64url(numbers.n)}\n{b64url(numbers.e)}\n")
        return cls(private, pinned)

    def headers(self, key_id: str, body: bytes, *, at: int, named: str | None = None) -> dict[str, str]:
        """Return what a server sends beside a body; `named` lies about the key."""
        key, signed = self.private[key_id], str(at).encode() + body
        if isinstance(key, Ed25519PrivateKey):
            name, signature = "X-Signature-Ed25519", key.sign(signed).hex()
        else:
            name = "X-Signature-RSA"
            signature = base64.b64encode(key.sign(signed, PKCS1v15(), SHA256())).decode()
        return {"X-Signature-Timestamp": str(at), "X-Signature-Key-Id": named or key_id, name: signature}


def pin(folder: Path, jwk: dict[str, str]) -> tuple[str, Path]:
    """Write down a published key as a seller does, and return its id and its file."""
    path = folder / jwk["kid"]
    path.write_text(jwk["public_key_pem"])
    if jwk["kty"] == "RSA":
        folder.joinpath(f"{jwk['kid']}.rsa").write_text(f"{jwk['n']}\n{jwk['e']}\n")
    return jwk["kid"], path


def body_of(asked: dict[str, str], *, secret: str | None, **changes: Any) -> bytes:
    """Return an answer's body as the server writes it, with its HMAC if there is a secret."""
    fields = {"valid": True, "status": "active", "expires": None, "ip_registered": True, "ip_count": 1}
    fields |= {"max_ips": 3, "version": asked.get("version"), "version_valid": None, "custom": None}
    fields |= {"signature": None} | ({"nonce": asked["nonce"]} if "nonce" in asked else {})
    raw = json.dumps(fields | changes, separators=(",", ":"), ensure_ascii=False).encode()
    if secret is None:
        return raw
    rest = raw.replace(b',"signature":null', b"")
    seal = hmac.digest(secret.encode(), rest, "sha256").hex().encode()
    return raw.replace(b',"signature":null', b',"signature":"' + seal + b'"')


Answer = Callable[[dict[str, str]], Awaitable[web.Response]]


@dataclass
class Stage:
    """What the server plays, and what it was asked."""

    keys: SigningKeys
    proof: str
    url: str = ""
    play: Answer | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        self.headers.append(request.headers)
        self.asked.append(await request.json())
        return await self.play(self.asked[-1])

    def answers(
        self,
        *,
        at: int = NOW,
        number: str = "1",
        named: str | None = None,
        tamper: tuple[bytes, bytes] = (b"", b""),
        headers: dict[str, str] | None = None,
        **changes: Any,
    ) -> None:
        """Play answers that are signed as the specification says, save for what the test changes afterwards."""

        async def play(asked: dict[str, str]) -> web.Response:
            secret = SECRETS["12".index(number)] if self.proof == "hmac" else None
            body = body_of(asked, secret=secret, **changes)
            told = {"Content-Type": "application/json"} | (headers or {})
            if self.proof in HEADER_PROOFS:
                told |= self.keys.headers(f"{self.proof}-{number}", body, at=at, named=named)
            return web.Response(body=body.replace(*tamper) if any(tamper) else body, headers=told)

        self.play = play

    def refuses(self, code: int, body: bytes = b"{}", **headers: str) -> None:
        """Play one bare answer."""

        async def play(_asked: dict[str, str]) -> web.Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(status=code, body=body, headers=named)

        self.play = play

    def hangs(self) -> None:
        """Answer nobody before the test is over."""

        async def play(_asked: dict[str, str]) -> web.Response:
            await self.over.wait()
            return web.Response(status=503)

        self.play = play


@dataclass
class Customer:
    """A seller's program with one of the clients in it, as a customer starts it."""

    program: Any
    setup: Setup

    @property
    def memory(self) -> Path:
        return self.setup.memory

    async def checks(self, license_key: str = KEY, *, now: int = NOW) -> Seen:
        return await asyncio.to_thread(self.program.check, license_key, now)

    def restart(self, **changes: Any) -> None:
        """Start the program anew, perhaps set up differently."""
        self.setup = replace(self.setup, **changes)
        self.program.open(self.setup)
