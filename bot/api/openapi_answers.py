"""Every answer that an operation can give, as the description tells it: code, headers, shape, an example."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bot.api.limits import BODY_LIMIT, BODY_TIMEOUT_S, RETRY_UNAVAILABLE_S
from bot.api.schemas import OPTIONAL_MAX_LENGTH

Part = dict[str, Any]

JSON = "application/json"


class Error(NamedTuple):
    """An answer that is no verdict."""

    code: int
    statuses: Sequence[str]
    when: str
    message: str
    headers: Sequence[str] = ()
    retry_after: int | None = None

    @property
    def response(self) -> Part:
        """The answer as the description has it, held to the statuses that come with this code."""
        body = {"valid": False, "status": self.statuses[0], "message": self.message}
        if self.retry_after is not None:
            body["retry_after"] = self.retry_after
        narrowed = {"properties": {"status": {"enum": list(self.statuses)}}}
        schema = {"allOf": [reference("schemas", "Refusal"), narrowed]}
        return response(self.when, schema, headers=self.headers, example=body)


class Errors:
    """Every refusal there is, by name."""

    BAD_JSON = Error(
        400,
        ["invalid_request"],
        "The body is not JSON in UTF-8, or breaks off.",
        "The body is not valid JSON in UTF-8.",
    )
    BAD_KEY = Error(
        401,
        ["invalid_api_key"],
        "The `Authorization` header is missing or malformed, or the API key is unknown or was rotated.",
        "This API key is not valid; it may have been rotated.",
        headers=["WWW-Authenticate"],
    )
    BAD_TOKEN = BAD_KEY._replace(
        when="The operator set a token for the metrics, and the request does not carry it.",
        message="The Authorization header must be: Bearer, and the token of the metrics.",
    )
    SCOPE = Error(
        403,
        ["invalid_api_key"],
        "The API key may validate and nothing else.",
        "This API key may only validate; look licenses up with the product's primary key.",
    )
    NO_LICENSE = Error(
        404,
        ["license_not_found"],
        "This product has no license with this key.",
        "This product has no license with this key.",
    )
    NO_FILES = Error(
        404,
        ["invalid_request"],
        "The product issues no license files.",
        "This product issues no license files.",
    )
    NO_METRICS = Error(404, ["invalid_request"], "The operator switched the metrics off.", "There is nothing here.")
    METHOD = Error(
        405,
        ["invalid_request"],
        "Another method than the ones this address takes; the header `Allow` names them.",
        "This address takes GET, OPTIONS only.",
        headers=["Allow"],
    )
    SLOW = Error(
        408,
        ["invalid_request"],
        f"The body did not arrive within {BODY_TIMEOUT_S} seconds.",
        f"The body did not arrive within {BODY_TIMEOUT_S} seconds.",
    )
    LARGE = Error(
        413,
        ["invalid_request"],
        f"The body has more than {BODY_LIMIT:,} bytes.",
        f"The body must have at most {BODY_LIMIT} bytes.",
    )
    MEDIA = Error(
        415,
        ["invalid_request"],
        "The body is compressed, or the content type is not `application/json` in UTF-8.",
        "Send JSON in UTF-8 with the header Content-Type: application/json.",
    )
    FIELDS = Error(
        422,
        ["invalid_request"],
        "A member or parameter is missing, empty, no string or too long; `message` names it.",
        f"version must have at most {OPTIONAL_MAX_LENGTH} characters.",
    )
    LIMIT = Error(
        429,
        ["rate_limit_exceeded"],
        "Too many calls from this address or for this license, or the day's quota is used up. "
        "It says nothing about the license.",
        "This product's calls for today are used up; they are counted anew at 00:00 UTC.",
        headers=["Retry-After", "X-Support-Code"],
        retry_after=3600,
    )
    AWAY = Error(
        503,
        ["unavailable"],
        "Nothing can be said right now. It says nothing about the license.",
        "Licenses cannot be checked right now. This says nothing about the license; try again.",
        headers=["Retry-After"],
    )


HEADERS: Mapping[str, Part] = {
    "X-Request-Id": {
        "description": "Names this request in the operator's log. On every answer.",
        "schema": {"type": "string"},
        "example": "d344de09-1b",
    },
    "X-Support-Code": {
        "description": "Names this refusal: the holder and staff learn with it which check failed.",
        "schema": {"type": "string", "pattern": "^[0-9A-Z]{4}-[0-9A-Z]{4}$"},
        "example": "K7QF-2MXR",
    },
    "Retry-After": {
        "description": "Whole seconds to wait before the next try.",
        "schema": {"type": "integer", "minimum": 0},
        "example": RETRY_UNAVAILABLE_S,
    },
    "WWW-Authenticate": {
        "description": "How to say who asks.",
        "schema": {"type": "string"},
        "example": "Bearer",
    },
    "Allow": {
        "description": "The methods that this address takes.",
        "schema": {"type": "string"},
        "example": "GET, OPTIONS",
    },
    "X-Signature-Timestamp": {
        "description": "When it was signed, in unix seconds. Only where the product signs its answers in headers.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "example": "1750000000",
    },
    "X-Signature-Key-Id": {
        "description": "Which of the keys of `GET /api/v1/keys` signed.",
        "schema": {"type": "string"},
        "example": "5f0c2a919be24d88",
    },
    "X-Signature-Ed25519": {
        "description": "Ed25519 over the timestamp's digits and the raw body right behind them, in lower-case hex.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{128}$"},
    },
    "X-Signature-RSA": {
        "description": "The same by RSA with PKCS#1 v1.5 and SHA-256, in base64; a product uses one or the other.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9+/]+={0,2}$"},
    },
}
SIGNATURES = ("X-Signature-Timestamp", "X-Signature-Key-Id", "X-Signature-Ed25519", "X-Signature-RSA")


def reference(kind: str, name: str) -> Part:
    """Point to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def response(
    description: str,
    schema: Part,
    *,
    media: str = JSON,
    headers: Sequence[str] = (),
    example: Any = None,
    examples: Mapping[str, Any] | None = None,
) -> Part:
    """Describe one answer; `X-Request-Id` comes with each."""
    content: Part = {"schema": schema}
    if examples is not None:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    elif example is not None:
        content["example"] = example
    named = {name: reference("headers", name) for name in ("X-Request-Id", *headers)}
    return {"description": description, "headers": named, "content": {media: content}}


def refusals(errors: Iterable[Error]) -> Part:
    """Return answers by code; where two share one, they are told as one that knows both."""
    answers: dict[str, list[Error]] = {}
    for error in errors:
        answers.setdefault(str(error.code), []).append(error)
    return {code: _merged(same).response for code, same in answers.items()}


def _merged(errors: Sequence[Error]) -> Error:
    first, *others = errors
    for error in others:
        statuses = list(dict.fromkeys([*first.statuses, *error.statuses]))
        first = first._replace(statuses=statuses, when=f"{first.when} Or: {error.when[0].lower()}{error.when[1:]}")
    return first
