"""What the API takes and answers, as models: they read requests, describe the API, and hold its answers to it."""

import json
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic.json_schema import SkipJsonSchema

from bot.api.errors import Refused, bad_request
from bot.api.health import DiscordState
from i18n import gettext as _
from licensing.keys import LICENSE_KEY_MAX_LENGTH
from licensing.verdict import Status

OPTIONAL_MAX_LENGTH = 256

Optional = Annotated[str, Field(max_length=OPTIONAL_MAX_LENGTH)] | None
# These are kept, and neither SQLite's JSON nor PostgreSQL takes the character NUL.
NAMED = r"^[^\x00]*$"
Named = Annotated[str, Field(max_length=OPTIONAL_MAX_LENGTH, pattern=NAMED)] | None
Count = Annotated[int, Field(ge=0)]
# ISO 8601 in UTC, always with milliseconds, as the contract has it.
Moment = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", json_schema_extra={"format": "date-time"}),
]
Hex64 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Base64Url = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]


def _left_out(schema: dict[str, Any]) -> None:
    """Say of a member that it may be missing, which is not the same as null."""
    schema.pop("default", None)


def _absent(description: str) -> Any:
    return Field(default=None, description=description, json_schema_extra=_left_out)


class ValidateRequest(BaseModel):
    """The body of a validation; members not named here are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)

    license_key: Annotated[str, Field(min_length=1, max_length=LICENSE_KEY_MAX_LENGTH)] = Field(
        description="As the customer typed it: case, spaces and missing dashes are forgiven."
    )
    version: Named = Field(default=None, description="The version of your product that is running.")
    device_id: Named = Field(
        default=None, description="Anything that names the device, the same at every start; it can take a seat."
    )
    nonce: Optional = Field(
        default=None, description="Anything fresh. It comes back in the answer, which proves that the answer is new."
    )


class Exact(BaseModel):
    """An answer: these members and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ValidateAnswer(Exact):
    """What a validation answers, in this order; decide by `valid` alone."""

    valid: bool = Field(description="Whether your product may run. The one member to decide by.")
    status: Status = Field(description="Why.")
    expires: Moment | None = Field(description="The license's end. Null: it never ends, or it was not found.")
    ip_registered: bool | None = Field(
        description="Whether the caller's address holds a seat. This and the next two are null when the product "
        "does not track addresses or the license was not found."
    )
    ip_count: Count | None = Field(description="How many seats addresses have taken, this one included.")
    max_ips: Count | None = Field(description="How many seats there are. Null: no limit.")
    version: str | None = Field(
        description="The version you sent; the product's current one if you sent none and versions are checked."
    )
    version_valid: bool | None = Field(
        description="Whether the product's list and the license's pin allow that version. Null: nobody checks."
    )
    custom: dict[str, JsonValue] | None = Field(
        description="What the seller attached to this license, such as its features. Only where `valid`."
    )
    signature: Hex64 | None = Field(
        description='HMAC-SHA256 of the raw body without `,"signature":"…"`, keyed by the signing secret, in hex. '
        "Null: the product does not sign this way."
    )
    nonce: str | SkipJsonSchema[None] = _absent("The nonce you sent; left out if you sent none.")
    message: str | SkipJsonSchema[None] = _absent("The reason in one sentence; only where the product explains.")
    support_code: str | SkipJsonSchema[None] = _absent(
        "Quote it to the seller, who sees which check failed; only where the product explains."
    )


class Refusal(Exact):
    """Every answer that is no verdict has this shape."""

    valid: Literal[False] = Field(description="Always false. With a 5xx and a 429 it means unknown, not invalid.")
    status: Status = Field(description="What kind of refusal it is.")
    message: str = Field(description="For the developer who reads it, in one sentence. Decide by code and `status`.")
    retry_after: Count | SkipJsonSchema[None] = _absent(
        "Whole seconds to wait; the same as the header `Retry-After`."
    )


class LicenseDetails(Exact):
    """What is known of a license; ids are numbers in strings."""

    id: str = Field(description="The license's number.")
    organization_id: str = Field(description="The Discord server's id.")
    product_id: str = Field(description="The product's number.")
    global_customer_id: str | None = Field(description="Who holds the license. Null: nobody has claimed it.")
    license_key: str = Field(description="The key as it was issued.")
    status: Literal[Status.ACTIVE, Status.REVOKED, Status.SUSPENDED, Status.NOT_CLAIMED, Status.EXPIRED] = Field(
        description="The license's own state, wherever the call comes from."
    )
    expires_at: Moment | None = Field(description="Its end. Null: it never ends.")
    is_lifetime: bool = Field(description="True for a license that never ends.")
    ip_system_enabled: bool = Field(description="Whether the product tracks addresses.")
    max_ips: Count | None = Field(description="Seats there are. Null: no limit.")
    current_unique_ip_count: Count = Field(description="Seats that addresses have taken.")
    notes: str | None = Field(description="What staff wrote about the license.")
    version_pin_mode: Literal["exact", "range"] | None = Field(
        description="How the license is held to versions. Null: it is not."
    )
    version_pinned: str | None = Field(description="The one version it is good for.")
    version_range_min: str | None = Field(description="The oldest version it is good for.")
    version_range_max: str | None = Field(description="The first version it is no longer good for.")
    revoked_at: Moment | None = Field(description="When staff ended it.")
    created_at: Moment = Field(description="When it was issued.")
    updated_at: Moment = Field(description="When it was last changed.")
    customer_email: str | None = Field(description="The holder's email address, if it is known.")
    customer_name: str | None = Field(description="The holder's name, if it is known.")
    customer_discord_id: str | None = Field(description="The holder's Discord id, if it is known.")


class FileLicense(Exact):
    """What a license file says of its license."""

    status: Literal[Status.ACTIVE] = Field(description="Only good licenses get a file.")
    expires: Moment | None = Field(description="The license's own end. Null: it never ends.")
    max_ips: Count | None = Field(description="How many addresses may use it. Null: no limit.")
    version: str | None = Field(description="The version the file was asked for.")
    version_valid: bool | None = Field(description="Whether that version is allowed. Null: nobody checks.")
    custom: dict[str, JsonValue] | None = Field(description="What the seller attached to this license.")
    key_sha256: Hex64 = Field(description="SHA-256 of the key in upper case without dashes and spaces, in hex.")
    device_id: str | None = Field(description="The device the file is for. Null: any.")


class LicenseFile(Exact):
    """The payload of a license file, once its signature is checked."""

    iss: Literal["keyport"] = Field(description="Who signed.")
    sub: str = Field(description="The license's number.")
    aud: str = Field(description="The product's number.")
    iat: int = Field(description="When it was signed, in unix seconds.")
    exp: int = Field(description="When it stops being good, in unix seconds; ask for a new one before.")
    license: FileLicense = Field(description="The license as it was then.")


class PublicKey(Exact):
    """What every public key tells beside itself."""

    kid: str = Field(description="Its id, as `X-Signature-Key-Id` and the header of a license file name it.")
    use: Literal["sig"] = Field(description="It checks signatures.")
    public_key_pem: str = Field(description="The same key as PEM.")
    signs_from: Moment = Field(description="When it begins to sign.")
    signs_until: Moment | None = Field(description="When it stops signing. Null: not decided.")


class OkpKey(PublicKey):
    """An Ed25519 public key (RFC 8037)."""

    kty: Literal["OKP"] = Field(description="The kind of key.")
    crv: Literal["Ed25519"] = Field(description="The curve.")
    x: Base64Url = Field(description="The key's 32 bytes, base64url.")
    alg: Literal["EdDSA"] = Field(description="The algorithm.")
    public_key_hex: Hex64 = Field(description="The same 32 bytes in hex.")


class RsaKey(PublicKey):
    """An RSA public key (RFC 7518)."""

    kty: Literal["RSA"] = Field(description="The kind of key.")
    n: Base64Url = Field(description="The modulus, base64url.")
    e: Base64Url = Field(description="The exponent, base64url.")
    alg: Literal["RS256"] = Field(description="The algorithm: PKCS#1 v1.5 with SHA-256.")


class Jwks(Exact):
    """The public keys of a product, as a JSON Web Key Set (RFC 7517); several while a rotation lasts."""

    keys: list[OkpKey | RsaKey] = Field(description="Accept a signature by any of them.")


class HealthAnswer(Exact):
    """That the process lives."""

    status: Literal["ok"] = Field(description="Always `ok`.")


class ReadinessAnswer(Exact):
    """Whether validations can be served, and what the operator should look at."""

    status: Literal["ready", "unavailable"] = Field(description="Whether validations can be served.")
    store: Literal["ok", "unavailable"] = Field(description="Whether the database can be read.")
    discord: DiscordState = Field(description="How the bot stands with Discord; validations are served all the same.")
    proxy: Literal["ok", "misconfigured"] = Field(description="Whether a proxy calls that is not trusted, or mute.")
    proxy_peers: list[str] | SkipJsonSchema[None] = _absent("The addresses of such proxies.")
    version: str = Field(description="The program's version.")


ANSWERS: tuple[type[BaseModel], ...] = (
    ValidateAnswer,
    Refusal,
    LicenseDetails,
    LicenseFile,
    Jwks,
    HealthAnswer,
    ReadinessAnswer,
)


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
        case "string_pattern_mismatch":
            return _("{field} must not hold the character NUL.")
        case _other:
            return _("{field} must be a string.")
