"""What happens to a validation, a look-up and a license file between the socket and the use case."""

import asyncio
from functools import lru_cache
from time import perf_counter

from aiohttp import hdrs, web
from aiohttp.http import HttpProcessingError

from bot.api.addresses import AddressReader, Caller
from bot.api.answers import answer_body, details_fields, explanation
from bot.api.errors import Refused, bad_request, body_too_large, invalid_api_key, json_response
from bot.api.limits import BODY_LIMIT, BODY_TIMEOUT_S
from bot.api.metrics import Metrics
from bot.api.proofs import Proofs, is_refused, no_license_files, refused_file, support_header
from bot.api.ready import ReadyAnswer
from bot.api.repeats import Repeat, Repeats
from bot.api.schemas import OPTIONAL_MAX_LENGTH, parse_validate
from i18n import N_
from i18n import gettext as _
from licensing.keys import API_KEY_LENGTH, LICENSE_KEY_MAX_LENGTH
from licensing.models import SigningKey
from licensing.services.answers import Answer
from licensing.services.limits import Reason
from licensing.services.validation import ValidationService
from licensing.subject import ProductSnapshot
from licensing.verdict import Call, Status

_JSON = "application/json"
_REMEMBERED = 1_024  # Authorization headers
_REMEMBERED_LENGTH = len("Bearer ") + API_KEY_LENGTH  # strangers send any length


class LicenseHandlers:
    """Validates, looks up and issues files; everything it raises is turned into an answer around it."""

    def __init__(
        self, validation: ValidationService, addresses: AddressReader, proofs: Proofs, metrics: Metrics
    ) -> None:
        self._validation = validation
        self._regulars = validation.regulars
        self._addresses = addresses
        self._proofs = proofs
        self._metrics = metrics
        self._repeats = Repeats()

    async def validate(self, request: web.Request) -> web.StreamResponse:
        """Answer whether a license is good."""
        began = perf_counter()
        api_key, caller = _bearer(request), self._addresses.read(request)
        try:
            sent = await _sent(request)
            repeat = self._repeats.find(api_key, caller, sent)
            if repeat is not None and self._is_good_again(repeat):
                ready = await self._proven(repeat) if repeat.is_proven else repeat.answer
                self._metrics.observe(Status.ACTIVE, perf_counter() - began)
                return ready.response(request)
            asked = parse_validate(sent)
        except (Refused, web.HTTPRequestEntityTooLarge) as refusal:
            await self._require_known(api_key, caller, closes=getattr(refusal, "closes", True))
            raise
        device_id = self._addresses.device(asked.device_id)
        call = Call(asked.license_key, caller.address, asked.version, device_id, caller.ip)
        answer = await self._validation.validate(api_key, call)
        if is_refused(answer):
            raise self._refusal(answer)
        ready, key = await self._said(answer, asked.nonce)
        if answer.regular is not None and asked.nonce is None:
            repeat = Repeat(caller, answer.regular, key, self._proofs.are_in_headers(answer.product), ready)
            self._repeats.keep(api_key, sent, repeat)
        self._metrics.observe(answer.verdict.status, perf_counter() - began)
        return ready.response(request)

    async def _said(self, answer: Answer, nonce: str | None) -> tuple[ReadyAnswer, SigningKey | None]:
        """Return what an answer is told as, and the shared secret that signs its body."""
        key = self._proofs.body_key(answer.product)
        body = answer_body(answer, nonce=nonce, sign=self._proofs.signing(key))
        headers = support_header(answer)
        if self._proofs.are_in_headers(answer.product):
            headers = {**await self._proofs.headers(answer.product, body), **headers}
        return ReadyAnswer(body, headers), key

    def _is_good_again(self, repeat: Repeat) -> bool:
        regular = repeat.regular
        return self._proofs.body_key(regular.product()) is repeat.signed_with and self._regulars.again(regular)

    async def _proven(self, repeat: Repeat) -> ReadyAnswer:
        body = repeat.answer.body
        return ReadyAnswer(body, await self._proofs.headers(repeat.regular.product(), body))

    async def lookup(self, request: web.Request) -> web.Response:
        """Answer what is known of a license."""
        api_key, caller = _bearer(request), self._addresses.read(request)
        key = await self._key(request, api_key, caller)
        found = await self._validation.lookup(api_key, key, address=caller.address)
        if isinstance(found, Answer):
            raise self._refusal(found)
        return json_response(details_fields(found))

    async def license_file(self, request: web.Request) -> web.Response:
        """Answer a file that proves a license offline; judged, counted and seated as a validation is."""
        api_key, caller = _bearer(request), self._addresses.read(request)
        key = await self._key(request, api_key, caller)
        try:
            version, device_id = (_optional(request, name) for name in ("version", "device_id"))
        except Refused:
            await self._require_known(api_key, caller)
            raise
        await self._require_files(api_key, caller)
        call = Call(key, caller.address, version, self._addresses.device(device_id), caller.ip)
        answer = await self._validation.validate(api_key, call)
        if is_refused(answer):
            raise self._refusal(answer)
        if not answer.verdict.valid:
            raise refused_file(answer, explanation(answer.status))
        return await self._proofs.license_file(answer, call, device_id=device_id)

    async def keys(self, request: web.Request) -> web.Response:
        """Answer the public keys that a product's answers are signed with."""
        api_key, caller = _bearer(request), self._addresses.read(request)
        return await self._proofs.published(await self._require_known(api_key, caller))

    async def _key(self, request: web.Request, api_key: str, caller: Caller) -> str:
        key = request.match_info["key"]
        if len(key) > LICENSE_KEY_MAX_LENGTH:
            await self._require_known(api_key, caller)
            message = _("{field} must have at most {limit} characters.")
            raise bad_request(422, message.format(field="license_key", limit=LICENSE_KEY_MAX_LENGTH))
        return key

    async def _require_files(self, api_key: str, caller: Caller) -> None:
        """Refuse a file that its product does not issue, before the license takes a seat for it.

        Raises: Refused.
        """
        product = (await self._require_known(api_key, caller)).product
        if product is not None and product.settings.license_file_days is None:
            raise no_license_files()

    async def _require_known(self, api_key: str, caller: Caller, *, closes: bool = False) -> ProductSnapshot:
        """Check the bearer before a request is called malformed; a well-formed one is checked on its way.

        Raises: Refused.
        """
        found = await self._validation.product(api_key)
        if found is None:
            refusal = self._refusal(self._validation.unknown_key(caller.address))
            refusal.closes = closes
            raise refusal
        return found

    def _refusal(self, answer: Answer) -> Refused:
        if answer.reason is not None:
            self._metrics.throttled(answer.reason)
        return _refusal(answer)


def _optional(request: web.Request, field: str) -> str | None:
    value = request.query.get(field)
    if value is not None and len(value) > OPTIONAL_MAX_LENGTH:
        message = _("{field} must have at most {limit} characters.")
        raise bad_request(422, message.format(field=field, limit=OPTIONAL_MAX_LENGTH))
    if value is not None and "\0" in value:
        raise bad_request(422, _("{field} must not hold the character NUL.").format(field=field))
    return value


async def _sent(request: web.Request) -> bytes:
    content_type = request.headers.get(hdrs.CONTENT_TYPE)
    if content_type is not None and content_type != _JSON:
        _check_content_type(content_type)
    if hdrs.CONTENT_ENCODING in request.headers:
        raise bad_request(415, _("Send the body uncompressed, without the header Content-Encoding."))
    return await _body(request)


def _bearer(request: web.Request) -> str:
    values = request.headers.getall(hdrs.AUTHORIZATION, ())
    if len(values) != 1:
        raise invalid_api_key(_("Send the product's API key once, as the header Authorization: Bearer kp_live_..."))
    header = values[0]
    return _api_key(header) if len(header) <= _REMEMBERED_LENGTH else _api_key.__wrapped__(header)


@lru_cache(_REMEMBERED)
def _api_key(header: str) -> str:
    """Return the key of an Authorization header: for the same header the same object, which is compared at once.

    Raises: Refused.
    """
    scheme, _space, api_key = header.partition(" ")
    api_key = api_key.strip()
    if not api_key or scheme.lower() != "bearer":
        raise invalid_api_key(_("The Authorization header must be: Bearer kp_live_..."))
    return api_key


def _check_content_type(value: str) -> None:
    media_type, *parameters = (part.strip().lower() for part in value.split(";"))
    charsets = [part.partition("=")[2].strip('" ') for part in parameters if part.startswith("charset")]
    if media_type != _JSON or any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise bad_request(415, _("Send JSON in UTF-8 with the header Content-Type: application/json."))


async def _body(request: web.Request) -> bytes:
    if request.content.is_eof():  # already here, as it nearly always is: no need to wait for it
        body = request.content.read_nowait()
        if len(body) > BODY_LIMIT:
            raise body_too_large()
        return body
    if (request.content_length or 0) > BODY_LIMIT:
        raise body_too_large()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError:
        message = _("The body did not arrive within {seconds} seconds.").format(seconds=BODY_TIMEOUT_S)
        raise bad_request(408, message, closes=True) from None
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
        # Chunks that are none, or a caller who hung up: not worth a line in the log.
        raise bad_request(400, _("The body could not be read to its end."), closes=True) from None


def _refusal(answer: Answer) -> Refused:
    status = answer.verdict.status
    if answer.reason is not None:
        message = _(_TURNED_AWAY[answer.reason])
        return Refused(429, status, message, retry_after_s=answer.retry_after_s, headers=support_header(answer))
    if status is Status.LICENSE_NOT_FOUND:
        return Refused(404, status, _("This product has no license with this key."))
    if answer.product is not None:
        return Refused(403, status, _("This API key may only validate; look licenses up with the product's own."))
    return invalid_api_key(_("This API key is not valid; it may have been rotated."))


_TURNED_AWAY = {
    Reason.QUOTA: N_("This product's calls for today are used up; they are counted anew at 00:00 UTC."),
    Reason.ADDRESS: N_("Too many calls from this address; wait before the next one."),
    Reason.LICENSE: N_("Too many calls with this license; wait before the next one."),
    Reason.FAILURES: N_("Too many unknown keys were tried from this address; wait before the next one."),
}
