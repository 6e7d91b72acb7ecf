"""The two answers products live on, byte by byte: the fields of a verdict and the record of a license."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pydantic_core import to_json

from bot.api.openapi_statuses import MEANINGS
from licensing.models import License
from licensing.services.answers import Answer, Details
from licensing.spreadsheet import iso_moment
from licensing.verdict import Status

# An end is shown with every answer of its license.
_moment = lru_cache(65_536)(iso_moment)
_OPENING = {
    status: f'{{"valid":{"true" if status is Status.ACTIVE else "false"},"status":"{status}","expires":'
    for status in Status
}
_BOOL = {True: "true", False: "false", None: "null"}


def answer_body(answer: Answer, *, nonce: str | None, sign: Callable[[bytes], str] | None = None) -> bytes:
    """Return the ten fields in the contract's order, and behind them the nonce and an explanation if there are any.

    `sign` is given the body without the member `signature`. Put together by hand: the general way takes thirty
    times as long, on every single request.
    """
    text, rest = _fields(answer), _rest(answer, nonce)
    signature = "null" if sign is None else f'"{sign((text + rest).encode())}"'
    return f'{text},"signature":{signature}{rest}'.encode()


def _fields(answer: Answer) -> str:
    verdict, status = answer.verdict, answer.status
    if status is Status.LICENSE_NOT_FOUND:  # whatever is known of it: nothing of that is told
        verdict = verdict._replace(license=None, ip_registered=None, ip_count=None)
    license_, seats = verdict.license, verdict.ip_count
    expires = "null"
    if license_ is not None and license_.expires_at_ms is not None:
        expires = f'"{_moment(license_.expires_at_ms)}"'
    limit = license_.max_ips if license_ is not None and seats is not None else None
    return (
        f'{_OPENING[status]}{expires},"ip_registered":{_BOOL[verdict.ip_registered]}'
        f',"ip_count":{"null" if seats is None else seats},"max_ips":{"null" if limit is None else limit}'
        f',"version":{"null" if verdict.version is None else to_json(verdict.version).decode()}'
        f',"version_valid":{_BOOL[verdict.version_valid]},"custom":{answer.custom or "null"}'
    )


def _rest(answer: Answer, nonce: str | None) -> str:
    text = "" if nonce is None else f',"nonce":{to_json(nonce).decode()}'
    if answer.support_code is not None and answer.explains:
        text += f',"message":{to_json(explanation(answer.status)).decode()},"support_code":"{answer.support_code}"'
    return text + "}"


def explanation(status: Status) -> str:
    """Return what a refusal means and what mends it."""
    meaning = MEANINGS[status]
    return f"{meaning.means} {meaning.do}"


def details_fields(details: Details) -> dict[str, Any]:
    """Return the record of a license in the contract's order; ids are strings to the official client."""
    license_, customer = details.view.license, details.view.customer
    return {
        "id": str(license_.id),
        "organization_id": str(license_.organization_id),
        "product_id": str(license_.product_id),
        "global_customer_id": str(customer.id) if customer else None,
        "license_key": details.key,
        "status": details.status,
        "expires_at": _moment(license_.expires_at_ms),
        "is_lifetime": license_.expires_at_ms is None,
        "ip_system_enabled": details.view.product.settings.track_ip_on_validate,
        "max_ips": license_.max_ips,
        "current_unique_ip_count": len(details.view.addresses),
        "notes": license_.notes,
        "version_pin_mode": _pin_mode(license_),
        "version_pinned": license_.version_pinned,
        "version_range_min": license_.version_min,
        "version_range_max": license_.version_max,
        "revoked_at": _moment(license_.revoked_at_ms),
        "created_at": _moment(license_.created_at_ms),
        "updated_at": _moment(license_.updated_at_ms),
        "customer_email": customer.email if customer else None,
        "customer_name": customer.name if customer else None,
        "customer_discord_id": str(customer.discord_id) if customer and customer.discord_id else None,
    }


def _pin_mode(license_: License) -> str | None:
    if license_.version_pinned is not None:
        return "exact"
    return "range" if license_.version_min is not None or license_.version_max is not None else None
