"""The API's description in OpenAPI 3.1, put together from the models that parse requests and hold answers."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from bot.api.openapi_answers import HEADERS, Part
from bot.api.openapi_operations import paths
from bot.api.openapi_statuses import MEANINGS
from bot.api.schemas import ANSWERS, ValidateRequest

ABOUT = (
    "Your product asks this API whether a license key is good, and reads one field of the answer: `valid`. "
    "Keys are issued, claimed and revoked in Discord; a change is seen by the very next validation."
)


@lru_cache(maxsize=1)
def document(version: str) -> bytes:
    """Return the description as JSON; it is put together at the first request and kept."""
    return json.dumps(describe(version), ensure_ascii=False, separators=(",", ":")).encode()


def describe(version: str) -> Part:
    """Put the description together."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "KeyPort",
            "summary": "Whether a license is good",
            "description": ABOUT,
            "version": version,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": "/", "description": "The server that this description is from."}],
        "tags": [
            {"name": "Licenses", "description": "What your product asks, with the product's API key."},
            {"name": "Monitoring", "description": "What the operator's monitoring and load balancers ask."},
        ],
        "paths": paths(),
        "components": {
            "schemas": _schemas(),
            "headers": dict(HEADERS),
            "securitySchemes": {
                "productKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A product's API key, `kp_live_` and 64 characters. The primary key may ask "
                    "everything; a named key of scope `validate` may not look licenses up.",
                },
                "metricsToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of `[metrics]` in the operator's configuration, if there is one.",
                },
            },
        },
    }


def _schemas() -> Part:
    described: tuple[type[BaseModel], ...] = (ValidateRequest, *ANSWERS)
    models: list[tuple[type[BaseModel], Literal["validation"]]] = [(model, "validation") for model in described]
    _by_model, made = models_json_schema(
        models, ref_template="#/components/schemas/{model}", schema_generator=_Untitled
    )
    schemas: Part = made["$defs"]
    schemas["Status"] |= {"description": "Every status there is.", "x-meanings": _meanings()}
    return schemas


def _meanings() -> Mapping[str, Any]:
    """Give every status its two sentences, which OpenAPI has no place for."""
    return {status: meaning._asdict() for status, meaning in MEANINGS.items()}


class _Untitled(GenerateJsonSchema):
    """Leaves out titles that only repeat a member's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - asked of each alike
        return False

    def get_title_from_name(self, name: str) -> str:
        return name
