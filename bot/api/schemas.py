"""What a validation request may hold, and which sentence tells a developer what is wrong with it."""

import json
from typing import Annotated, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.api.errors import Refused, bad_request
from i18n import gettext as _
from licensing.keys import LICENSE_KEY_MAX_LENGTH

OPTIONAL_MAX_LENGTH = 256

Optional = Annotated[str, Field(max_length=OPTIONAL_MAX_LENGTH)] | None


class ValidateRequest(BaseModel):
    """The body of a validation; members not named here are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)

    license_key: Annotated[str, Field(min_length=1, max_length=LICENSE_KEY_MAX_LENGTH)]
    version: Optional = None
    device_id: Optional = None
    nonce: Optional = None


def parse_validate(body: bytes) -> ValidateRequest:
    """Read the body of a validation.

    Raises: Refused, naming the field at fault.
    """
    try:
        request = ValidateRequest.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from None
    if b"NaN" in body or b"Infinity" in body:
        _refuse_what_json_does_not_know(body)
    return request


def _refuse_what_json_does_not_know(body: bytes) -> None:
    """Refuse bare NaN and Infinity: the fast parser takes them, the standard and other parsers do not."""

    def refuse(_constant: str) -> NoReturn:
        raise _not_json()

    json.loads(body, parse_constant=refuse)


def _not_json() -> Refused:
    return bad_request(400, _("The body is not valid JSON in UTF-8."))


def _refusal(error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    kind, field = first["type"], next((str(part) for part in first["loc"]), "")
    if kind == "json_invalid":
        return _not_json()
    if not field:
        return bad_request(422, _('The body must be a JSON object such as {"license_key": "..."}.'))
    return bad_request(422, _sentence(kind).format(field=field, limit=OPTIONAL_MAX_LENGTH))


def _sentence(kind: str) -> str:
    match kind:
        case "missing":
            return _("{field} is missing; send the license key to be validated.")
        case "string_too_short":
            return _("{field} must not be empty.")
        case "string_too_long":
            return _("{field} must have at most {limit} characters.")
        case _other:
            return _("{field} must be a string.")
