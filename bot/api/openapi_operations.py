"""Every operation of the API: what it asks for, what it answers, with an example of each."""

from typing import Any

from bot.api.openapi_answers import JSON, SIGNATURES, Error, Errors, Part, reference, refusals, response
from bot.api.schemas import OPTIONAL_MAX_LENGTH
from licensing.keys import LICENSE_KEY_MAX_LENGTH
from licensing.verdict import Status

KEY = "EMK2-K8DU-4UA8-78YP"
BEARER: list[Part] = [{"productKey": []}]
# What a validation never answers with 200: these say nothing about a license.
NO_VERDICT = frozenset(
    {Status.INVALID_API_KEY, Status.RATE_LIMIT_EXCEEDED, Status.INVALID_REQUEST, Status.UNAVAILABLE}
)
VERDICTS = [str(status) for status in Status if status not in NO_VERDICT]
_COMMON = (Errors.BAD_KEY, Errors.METHOD, Errors.LIMIT, Errors.AWAY)
_ACTIVE = {
    "valid": True,
    "status": "active",
    "expires": "2027-12-31T23:59:59.999Z",
    "ip_registered": True,
    "ip_count": 1,
    "max_ips": 3,
    "version": "1.4.0",
    "version_valid": True,
    "custom": {"tier": "gold"},
    "signature": None,
}
_SIGNED = _ACTIVE | {"signature": "5d41402abc4b2a76b9719d911017c592ae2f1c3b5d6e7f8091a2b3c4d5e6f708", "nonce": "5f0c"}
_REVOKED = _ACTIVE | {"valid": False, "status": "revoked", "ip_registered": False, "ip_count": 0, "custom": None}
_DETAILS = {
    "id": "1",
    "organization_id": "900000000000000001",
    "product_id": "1",
    "global_customer_id": "1",
    "license_key": KEY,
    "status": "active",
    "expires_at": "2027-12-31T23:59:59.999Z",
    "is_lifetime": False,
    "ip_system_enabled": True,
    "max_ips": 3,
    "current_unique_ip_count": 1,
    "notes": None,
    "version_pin_mode": None,
    "version_pinned": None,
    "version_range_min": None,
    "version_range_max": None,
    "revoked_at": None,
    "created_at": "2026-11-23T06:01:44.033Z",
    "updated_at": "2026-11-23T06:01:44.033Z",
    "customer_email": None,
    "customer_name": "Ada",
    "customer_discord_id": "7",
}
_JWKS = {
    "keys": [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "kid": "5f0c2a919be24d88",
            "use": "sig",
            "alg": "EdDSA",
            "public_key_hex": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "public_key_pem": "-----BEGIN PUBLIC KEY-----\n"
            "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n",
            "signs_from": "2026-11-23T06:01:44.033Z",
            "signs_until": None,
        }
    ]
}


def paths() -> Part:
    """Return every address with what answers there."""
    return {
        "/api/v1/validate": {"post": _validate()},
        "/api/v1/license/{key}": {"get": _lookup()},
        "/api/v1/license/{key}/file": {"get": _file()},
        "/api/v1/keys": {"get": _keys()},
        "/healthz": _probed(_healthz()),
        "/readyz": _probed(_readyz()),
        "/metrics": _probed(_metrics()),
    }


def _validate() -> Part:
    request = {
        "required": True,
        "content": {
            JSON: {
                "schema": reference("schemas", "ValidateRequest"),
                "example": {"license_key": KEY, "version": "1.4.0", "device_id": "b1c7", "nonce": "5f0c"},
            }
        },
    }
    schema = {
        "allOf": [reference("schemas", "ValidateAnswer"), {"properties": {"status": {"enum": VERDICTS}}}],
    }
    answer = response(
        "A verdict, whichever: `valid` decides. A refusal carries `X-Support-Code`; where the product signs its "
        "answers in headers, all of these are signed.",
        schema,
        headers=("X-Support-Code", *SIGNATURES),
        examples={"active": _ACTIVE, "signed": _SIGNED, "revoked": _REVOKED},
    )
    errors = (Errors.BAD_JSON, Errors.SLOW, Errors.LARGE, Errors.MEDIA, Errors.FIELDS, *_COMMON)
    return {
        "operationId": "validate",
        "tags": ["Licenses"],
        "summary": "Is this license good?",
        "description": "Your product asks this at its start and every few hours. The first call from an address or "
        "a device takes a seat, stored before the answer leaves. A 5xx, a time-out and a refused connection mean "
        "unknown, not invalid: go on with the last good answer.",
        "security": BEARER,
        "requestBody": request,
        "responses": {"200": answer, **refusals(errors)},
    }


def _lookup() -> Part:
    answer = response("What is known of the license.", reference("schemas", "LicenseDetails"), example=_DETAILS)
    missing = Errors.NO_LICENSE._replace(statuses=["license_not_found", "invalid_request"])
    return {
        "operationId": "lookUp",
        "tags": ["Licenses"],
        "summary": "Look a license up",
        "description": "Everything that is known of a license of this product, its holder and notes included. It "
        "changes nothing and counts against the quota. Keys of scope `validate` are refused.",
        "security": BEARER,
        "parameters": [_key_parameter()],
        "responses": {"200": answer, **refusals((Errors.SCOPE, missing, Errors.FIELDS, *_COMMON))},
    }


def _file() -> Part:
    answer = response(
        "The license file: a compact JWS by Ed25519, with the type `license+jwt` and the payload of `LicenseFile`.",
        _compact_jws(),
        media="application/jose",
    )
    refused = Error(
        403,
        [status for status in VERDICTS if status != Status.ACTIVE],
        "The license is not good; `status` says why, as a validation would.",
        "Staff ended the license for good.",
        headers=["X-Support-Code"],
    )
    parameters = [
        _key_parameter(),
        _optional_parameter("device_id", "The device that the file is for, as in a validation."),
        _optional_parameter("version", "The version of your product that is running."),
    ]
    return {
        "operationId": "licenseFile",
        "tags": ["Licenses"],
        "summary": "Fetch a signed file for offline use",
        "description": "Judged like a validation: it takes seats and is counted. Whoever holds the product's public "
        "key can check the file without a network until it ends.",
        "security": BEARER,
        "parameters": parameters,
        "responses": {"200": answer, **refusals((refused, Errors.NO_FILES, Errors.FIELDS, *_COMMON))},
    }


def _compact_jws() -> Part:
    """Describe a JSON Web Token as the specification of JSON Schema itself does."""
    return {
        "type": "string",
        "pattern": r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
        "contentMediaType": "application/jwt",
        "contentSchema": {
            "type": "array",
            "minItems": 2,
            "prefixItems": [
                {
                    "type": "object",
                    "properties": {"alg": {"const": "EdDSA"}, "kid": {"type": "string"}, "typ": {"type": "string"}},
                    "required": ["alg", "kid", "typ"],
                },
                reference("schemas", "LicenseFile"),
            ],
        },
    }


def _keys() -> Part:
    answer = response("The public keys, as a JSON Web Key Set.", reference("schemas", "Jwks"), example=_JWKS)
    return {
        "operationId": "keys",
        "tags": ["Licenses"],
        "summary": "The public keys that answers are signed with",
        "description": "Either kind of API key may ask, and nothing is counted. During a rotation there are several: "
        "accept a signature by any of them. Ship the keys with your product rather than fetching them there.",
        "security": BEARER,
        "responses": {"200": answer, **refusals(_COMMON)},
    }


def _healthz() -> Part:
    answer = response("It lives.", reference("schemas", "HealthAnswer"), example={"status": "ok"})
    return {
        "operationId": "healthz",
        "tags": ["Monitoring"],
        "summary": "Does the process live?",
        "security": [],
        "responses": {"200": answer, **refusals((Errors.METHOD,))},
    }


def _readyz() -> Part:
    ready = {"status": "ready", "store": "ok", "discord": "connected", "proxy": "ok", "version": "0.1.0"}
    schema = reference("schemas", "ReadinessAnswer")
    away = ready | {"status": "unavailable", "store": "unavailable"}
    return {
        "operationId": "readyz",
        "tags": ["Monitoring"],
        "summary": "Can validations be served?",
        "description": "200 as long as they can, whatever Discord's state.",
        "security": [],
        "responses": {
            "200": response("They can.", schema, example=ready),
            **refusals((Errors.METHOD,)),
            "503": response("They cannot: the store is away.", schema, example=away),
        },
    }


def _metrics() -> Part:
    schema = {"type": "string"}
    answer = response("Metrics in Prometheus' text format, or in OpenMetrics if asked.", schema, media="text/plain")
    answer["content"]["application/openmetrics-text"] = {"schema": schema}
    return {
        "operationId": "metrics",
        "tags": ["Monitoring"],
        "summary": "Figures for Prometheus",
        "description": "Rates by status, latencies, cache hits, the writer's queue, the gateway's state.",
        "security": [{}, {"metricsToken": []}],
        "responses": {"200": answer, **refusals((Errors.BAD_TOKEN, Errors.NO_METRICS, Errors.METHOD))},
    }


def _probed(operation: Part) -> Part:
    """Let load balancers ask with HEAD, which answers the same without a body."""
    answers = {
        code: {name: part for name, part in answer.items() if name != "content"}
        for code, answer in operation["responses"].items()
    }
    name = f"{operation['operationId']}Head"
    head: Part = operation | {"operationId": name, "summary": "The same, without a body", "responses": answers}
    return {"get": operation, "head": head}


def _key_parameter() -> Part:
    return {
        "name": "key",
        "in": "path",
        "required": True,
        "description": "The license key, percent-encoded; as forgiving as in a validation.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LICENSE_KEY_MAX_LENGTH},
        "example": KEY,
    }


def _optional_parameter(name: str, description: str) -> Part:
    schema: dict[str, Any] = {"type": "string", "maxLength": OPTIONAL_MAX_LENGTH}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
