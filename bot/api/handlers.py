"""What happens to a validation and to a look-up between the socket and the use case."""

import asyncio

from aiohttp import hdrs, web
from aiohttp.http import HttpProcessingError

from bot.api.addresses import AddressReader
from bot.api.answers import details_fields, verdict_body
from bot.api.errors import HEADERS, Refused, bad_request, body_too_large, invalid_api_key, json_response
from bot.api.limits import BODY_LIMIT, BODY_TIMEOUT_S
from bot.api.schemas import ValidateRequest, parse_validate
from i18n import gettext as _
from licensing.keys import LICENSE_KEY_MAX_LENGTH
from licensing.services.validation import Answer, ValidationService
from licensing.verdict import Call, Status

_JSON = "application/json"


class LicenseHandlers:
    """Validates and looks up; everything it raises is turned into an answer around it."""

    def __init__(self, validation: ValidationService, addresses: AddressReader) -> None:
        self._validation = validation
        self._addresses = addresses

    async def validate(self, request: web.Request) -> web.Response:
        """Answer whether a license is good."""
        api_key = _bearer(request)
        try:
            asked = await _asked(request)
        except (Refused, web.HTTPRequestEntityTooLarge) as refusal:
            await self._require_known(api_key, closes=getattr(refusal, "closes", True))
            raise
        address = self._addresses.read(request)
        call = Call(asked.license_key, address, asked.version, asked.device_id)
        answer = await self._validation.validate(api_key, call)
        if answer.verdict.status in _REFUSED:
            raise _refusal(answer)
        body = verdict_body(answer.verdict, version=asked.version, nonce=asked.nonce)
        return web.Response(body=body, headers=HEADERS)

    async def lookup(self, request: web.Request) -> web.Response:
        """Answer what is known of a license."""
        api_key = _bearer(request)
        key = request.match_info["key"]
        if len(key) > LICENSE_KEY_MAX_LENGTH:
            await self._require_known(api_key)
            message = _("{field} must have at most {limit} characters.")
            raise bad_request(422, message.format(field="license_key", limit=LICENSE_KEY_MAX_LENGTH))
        found = await self._validation.lookup(api_key, key)
        if isinstance(found, Answer):
            raise _refusal(found)
        return json_response(details_fields(found))

    async def _require_known(self, api_key: str, *, closes: bool = False) -> None:
        """Check the bearer before a request is called malformed; a well-formed one is checked on its way.

        Raises: Refused.
        """
        if not await self._validation.knows(api_key):
            raise _unknown_api_key(closes=closes)


async def _asked(request: web.Request) -> ValidateRequest:
    content_type = request.headers.get(hdrs.CONTENT_TYPE)
    if content_type is not None and content_type != _JSON:
        _check_content_type(content_type)
    if hdrs.CONTENT_ENCODING in request.headers:
        raise bad_request(415, _("Send the body uncompressed, without the header Content-Encoding."))
    return parse_validate(await _body(request))


def _bearer(request: web.Request) -> str:
    values = request.headers.getall(hdrs.AUTHORIZATION, ())
    if len(values) != 1:
        raise invalid_api_key(_("Send the product's API key once, as the header Authorization: Bearer kp_live_..."))
    scheme, _space, api_key = values[0].partition(" ")
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


def _unknown_api_key(*, closes: bool = False) -> Refused:
    return invalid_api_key(_("This API key is not valid; it may have been rotated."), closes=closes)


def _refusal(answer: Answer) -> Refused:
    status = answer.verdict.status
    if status is Status.INVALID_API_KEY:
        return _unknown_api_key()
    if status is Status.RATE_LIMIT_EXCEEDED:
        message = _("This product's calls for today are used up; they are counted anew at 00:00 UTC.")
        return Refused(429, status, message, retry_after_s=answer.retry_after_s)
    return Refused(404, status, _("This product has no license with this key."))


_REFUSED = frozenset({Status.INVALID_API_KEY, Status.RATE_LIMIT_EXCEEDED})
