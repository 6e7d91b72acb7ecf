"""How answers are proven: signed in the body or in headers, the public keys, and files that prove offline."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from bot.api.errors import Refused, bad_request, json_response
from bot.api.ready import NO_HEADERS
from i18n import gettext as _
from licensing.choices import SigningKind
from licensing.models import Product, SigningKey
from licensing.ports import Clock, Signer
from licensing.proofs import current_key, has_ended, license_file_claims
from licensing.services.answers import Answer
from licensing.spreadsheet import iso_moment
from licensing.subject import ProductSnapshot
from licensing.verdict import Call, Status

FileKey = Callable[[Product], Awaitable[SigningKey]]

_SIGNATURES = 1_000  # that are remembered; each is good for its second alone
_FILE_HEADERS = {"Content-Type": "application/jose", "Cache-Control": "no-store"}
_HEADER = {SigningKind.ED25519: "X-Signature-Ed25519", SigningKind.RSA: "X-Signature-RSA"}


class Proofs:
    """Signs what products are told; `file_key` makes a product's key for license files where it has none yet."""

    def __init__(self, signer: Signer, *, file_key: FileKey, clock: Clock) -> None:
        self._signer = signer
        self._file_key = file_key
        self._clock = clock
        self._signed_before: dict[tuple[str, bytes], str] = {}

    def body_key(self, found: ProductSnapshot | None) -> SigningKey | None:
        """Return the shared secret that signs bodies now, if the product wants that."""
        if found is None or found.product is None or not found.product.settings.sign_hmac:
            return None
        return current_key(found.signing_keys, SigningKind.HMAC, now_ms=self._clock())

    def signing(self, key: SigningKey | None) -> Callable[[bytes], str] | None:
        """Return what signs a body with a shared secret."""
        return None if key is None else lambda data: self._signer.sign(key, data)

    def are_in_headers(self, found: ProductSnapshot | None) -> bool:
        """Tell whether the product wants headers that prove a body, as soon as it has a key for them."""
        return found is not None and found.product is not None and found.product.settings.sign_headers is not None

    async def headers(self, found: ProductSnapshot | None, body: bytes) -> Mapping[str, str]:
        """Return the headers that prove a body, if the product wants them."""
        kind = found.product.settings.sign_headers if found is not None and found.product is not None else None
        if found is None or kind is None:
            return NO_HEADERS
        now_ms = self._clock()
        key = current_key(found.signing_keys, kind, now_ms=now_ms)
        if key is None:
            return NO_HEADERS
        timestamp = str(now_ms // 1000)
        signature = await self._signed(key, timestamp.encode() + body)
        return {"X-Signature-Timestamp": timestamp, "X-Signature-Key-Id": key.id, _HEADER[kind]: signature}

    async def published(self, found: ProductSnapshot) -> web.Response:
        """Answer the public keys that sign now or will: a JWKS (RFC 7517) with a few members more."""
        now_ms, known = self._clock(), list(found.signing_keys)
        if found.product is not None and found.product.settings.license_file_days is not None:
            for_files = await self._for_files(found.product, found)
            known += [] if for_files in known else [for_files]
        keys = [
            {
                **self._signer.jwk(key),
                "signs_from": iso_moment(key.signs_from_ms),
                "signs_until": iso_moment(key.signs_until_ms),
            }
            for key in known
            if key.kind is not SigningKind.HMAC and not has_ended(key, now_ms)
        ]
        return json_response({"keys": keys})

    async def license_file(self, answer: Answer, call: Call, *, device_id: str | None) -> web.Response:
        """Answer a valid license as a signed file.

        Raises: Refused.
        """
        now_ms, found, license_ = self._clock(), answer.product, answer.verdict.license
        product = found.product if found else None
        days = product.settings.license_file_days if product else None
        if found is None or product is None or license_ is None or days is None:
            raise no_license_files()
        custom = json.loads(answer.custom) if answer.custom else None
        claims = license_file_claims(
            product, license_, answer.verdict, call, device_id=device_id, custom=custom, days=days, now_ms=now_ms
        )
        # In a thread: the first file has a library imported that few programs ever need.
        text = await asyncio.to_thread(self._signer.license_file, await self._for_files(product, found), claims)
        return web.Response(body=text.encode(), headers=_FILE_HEADERS)

    async def _for_files(self, product: Product, found: ProductSnapshot) -> SigningKey:
        key = current_key(found.signing_keys, SigningKind.ED25519, now_ms=self._clock())
        return key or await self._file_key(product)

    async def _signed(self, key: SigningKey, data: bytes) -> str:
        """Return a signature; licenses that are alike are answered alike, and within a second signed alike."""
        signed = key.id, data
        signature = self._signed_before.get(signed)
        if signature is None:
            if key.kind is SigningKind.RSA:  # a good half millisecond, in which others can be answered
                signature = await asyncio.to_thread(self._signer.sign, key, data)
            else:
                signature = self._signer.sign(key, data)
            if len(self._signed_before) >= _SIGNATURES:
                self._signed_before.clear()
            self._signed_before[signed] = signature
        return signature


def refused_file(answer: Answer, message: str) -> Refused:
    """Return the refusal of a license file for a license that is not good."""
    return Refused(403, answer.status, message, headers=support_header(answer))


def no_license_files() -> Refused:
    """Return the refusal of a license file by a product that issues none."""
    return bad_request(404, _("This product issues no license files; staff turn them on in /product settings."))


def support_header(answer: Answer) -> dict[str, str]:
    """Return the header that names a refusal, if it has a name."""
    return {"X-Support-Code": answer.support_code} if answer.support_code else {}


def is_refused(answer: Answer) -> bool:
    """Tell whether an answer is no verdict about a license."""
    status = answer.verdict.status
    return status is Status.INVALID_API_KEY or status is Status.RATE_LIMIT_EXCEEDED
