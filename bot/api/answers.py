"""The two answers products live on, byte by byte: the ten fields of a verdict and the record of a license."""

from functools import lru_cache
from typing import Any

from pydantic_core import to_json

from licensing.services.validation import Details
from licensing.table import iso_moment
from licensing.verdict import Status, Verdict

# An end is shown with every answer of its license.
_moment = lru_cache(65_536)(iso_moment)
_OPENING = {
    status: f'{{"valid":{"true" if status is Status.ACTIVE else "false"},"status":"{status}","expires":'
    for status in Status
}
_BOOL = {True: "true", False: "false", None: "null"}


def verdict_body(verdict: Verdict, *, version: str | None, nonce: str | None) -> bytes:
    """Return the ten fields in the contract's order, and the nonce behind them if there was one.

    Put together by hand: the general way takes thirty times as long, on every single request.
    """
    license_, seats = verdict.license, verdict.ip_count
    expires = "null"
    if license_ is not None and license_.expires_at_ms is not None:
        expires = f'"{_moment(license_.expires_at_ms)}"'
    limit = license_.max_ips if license_ is not None and seats is not None else None
    text = (
        f'{_OPENING[verdict.status]}{expires},"ip_registered":{_BOOL[verdict.ip_registered]}'
        f',"ip_count":{"null" if seats is None else seats},"max_ips":{"null" if limit is None else limit}'
        f',"version":{"null" if version is None else to_json(version).decode()}'
        ',"version_valid":null,"custom":null,"signature":null'
    )
    return f'{text},"nonce":{to_json(nonce).decode()}}}'.encode() if nonce is not None else f"{text}}}".encode()


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
        # Version pins come with the version module.
        "version_pin_mode": None,
        "version_pinned": None,
        "version_range_min": None,
        "version_range_max": None,
        "revoked_at": _moment(license_.revoked_at_ms),
        "created_at": _moment(license_.created_at_ms),
        "updated_at": _moment(license_.updated_at_ms),
        "customer_email": customer.email if customer else None,
        "customer_name": customer.name if customer else None,
        "customer_discord_id": str(customer.discord_id) if customer and customer.discord_id else None,
    }
