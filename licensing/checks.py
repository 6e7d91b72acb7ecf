"""The validation rules, each a small pure function, in the order that the contract fixes.

A rule returns the status that it refuses with, or None; beside it stands the fact that it decided by. The order is
KeyPort's (docs.keyport.sbs, validation).
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from licensing.blacklist import Blocked
from licensing.choices import AutoRegister, BlockLevel, LicenseState, OrganizationState, ProductState, VersionMode
from licensing.models import Product
from licensing.status import Status
from licensing.subject import LicenseSnapshot, Subject
from licensing.versions import Finding, pin_allows, pin_text

Fact = Mapping[str, Any]


def check_product(subject: Subject) -> Status | None:
    """Refuse a product that vanished, was archived or is switched off."""
    product = subject.product.product
    if product is None:
        return Status.PRODUCT_NOT_FOUND
    return _PRODUCT_REFUSALS.get(product.state)


def check_organization(subject: Subject) -> Status | None:
    """Refuse an organization that the operator suspended."""
    return _ORGANIZATION_REFUSALS.get(subject.product.organization_state)


def check_license(subject: Subject) -> Status | None:
    """Refuse an unknown key; one of another product is unknown, so that its existence never leaks."""
    product, license_ = subject.product.product, subject.license
    if license_ is None or product is None or license_.product_id != product.id:
        return Status.LICENSE_NOT_FOUND
    return None


def check_state(subject: Subject) -> Status | None:
    """Refuse a license that staff revoked or paused."""
    return _LICENSE_REFUSALS.get(license_of(subject).state)


def check_claim(subject: Subject) -> Status | None:
    """Refuse stock: it belongs to nobody until a member claims it."""
    return Status.NOT_CLAIMED if license_of(subject).customer_id is None else None


def check_expiry(subject: Subject) -> Status | None:
    """Refuse a license past its end, where the product enforces it; the end itself is past."""
    end = license_of(subject).expires_at_ms
    if end is None or subject.now_ms < end or not product_of(subject).settings.enforce_expiry:
        return None
    return Status.EXPIRED


def check_blacklist(subject: Subject) -> Status | None:
    """Refuse an address that is blocked for everybody, this server, this customer or this license."""
    return Status.IP_BLOCKED if _blocked(subject) else None


def check_address(subject: Subject) -> Status | None:
    """Refuse an address that holds no seat and may not take one.

    An address that cannot be known (behind a proxy that is not trusted) neither takes nor misses a seat.
    """
    settings, address = product_of(subject).settings, subject.call.address
    taken = license_of(subject).addresses
    if not settings.track_ip_on_validate or address is None or address in taken:
        return None
    if settings.auto_register is AutoRegister.OFF or (settings.auto_register is AutoRegister.FIRST and taken):
        return Status.IP_NOT_REGISTERED
    limit = license_of(subject).max_ips
    return Status.IP_LIMIT_REACHED if limit and len(taken) >= limit else None  # 0 means no limit too


def check_device(subject: Subject) -> Status | None:
    """Refuse a device beyond the product's limit, where there is one."""
    limit, taken = product_of(subject).settings.max_devices, license_of(subject).devices
    if limit is None or _device(subject) in taken or len(taken) < limit:
        return None
    return Status.DEVICE_LIMIT_REACHED


def check_version(subject: Subject) -> Status | None:
    """Refuse a version that the product's list or the license's pin does not allow, where that is enforced."""
    if product_of(subject).settings.versions is not VersionMode.ENFORCE:
        return None
    return None if version_fields(subject)[1] else Status.VERSION_NOT_ALLOWED


class Check(NamedTuple):
    """One rule: what it refuses, and the fact that it decided by."""

    name: str
    refuses: Callable[[Subject], Status | None]
    fact: Callable[[Subject], Fact]


def _address_fact(subject: Subject) -> Fact:
    settings, address = product_of(subject).settings, subject.call.address
    if not settings.track_ip_on_validate:
        return {"tracked": False}
    taken = license_of(subject).addresses
    return {
        "tracked": True,
        "address": address,
        "registered": address in taken,
        "taken": len(taken),
        "limit": license_of(subject).max_ips or None,
        "auto_register": settings.auto_register,
    }


def _device_fact(subject: Subject) -> Fact:
    limit, taken = product_of(subject).settings.max_devices, license_of(subject).devices
    if limit is None:
        return {"limit": None}
    device = _device(subject)
    return {"device": device, "registered": device in taken, "taken": len(taken), "limit": limit}


def _version_fact(subject: Subject) -> Fact:
    mode, license_ = product_of(subject).settings.versions, license_of(subject)
    if mode is VersionMode.OFF:
        return {"mode": mode}
    finding, (_, valid) = _finding(subject), version_fields(subject)
    pin = pin_text(license_.version_pinned, license_.version_min, license_.version_max)
    return {
        "mode": mode,
        "version": finding.version,
        "state": finding.state,
        "rule": finding.rule,
        "listed": finding.allowed,
        "pin": pin or None,
        "valid": valid,
    }


def _blacklist_fact(subject: Subject) -> Fact:
    blocked = _blocked(subject)
    if blocked is None:
        return {"known": subject.call.ip is not None}
    if blocked.level is BlockLevel.PLATFORM:  # the operator's own list, which no server sees
        return {"level": blocked.level}
    return {"level": blocked.level, "network": blocked.network}


def _product_fact(subject: Subject) -> Fact:
    product = subject.product.product
    return {"state": product.state if product else None}


CHECKS: tuple[Check, ...] = (
    Check("product", check_product, _product_fact),
    Check("organization", check_organization, lambda it: {"state": it.product.organization_state}),
    Check("license", check_license, lambda _: {}),
    Check("state", check_state, lambda it: {"state": license_of(it).state}),
    Check("claim", check_claim, lambda it: {"claimed": license_of(it).customer_id is not None}),
    Check(
        "expiry",
        check_expiry,
        lambda it: {
            "expires_at_ms": license_of(it).expires_at_ms,
            "enforced": product_of(it).settings.enforce_expiry,
        },
    ),
    Check("blacklist", check_blacklist, _blacklist_fact),
    Check("address", check_address, _address_fact),
    Check("device", check_device, _device_fact),
    Check("version", check_version, _version_fact),
)


def version_fields(subject: Subject) -> tuple[str | None, bool | None]:
    """Return the version that counts and whether it is allowed; None where versions are not looked at."""
    product, found = subject.product.product, subject.license
    if product is None or product.settings.versions is VersionMode.OFF:
        return subject.call.version, None
    finding = _finding(subject)
    if not finding.allowed or found is None or found.product_id != product.id:
        return finding.version, finding.allowed
    pinned, minimum, maximum = found.version_pinned, found.version_min, found.version_max
    return finding.version, pin_allows(finding.version, pinned=pinned, minimum=minimum, maximum=maximum)


def _finding(subject: Subject) -> Finding:
    return subject.product.versions.judge(subject.call.version or None)  # an empty one is none


def _blocked(subject: Subject) -> Blocked | None:
    license_ = license_of(subject)
    return subject.product.blacklist.find(subject.call.ip, customer_id=license_.customer_id, license_id=license_.id)


def _device(subject: Subject) -> str:
    """Return the caller's device; all that name none are one and the same, so leaving it out gains nothing."""
    return subject.call.device_id or ""


def new_device(subject: Subject) -> str | None:
    if product_of(subject).settings.max_devices is None or _device(subject) in license_of(subject).devices:
        return None
    return _device(subject)


def product_of(subject: Subject) -> Product:
    assert subject.product.product is not None  # noqa: S101 - check_product ran before
    return subject.product.product


def license_of(subject: Subject) -> LicenseSnapshot:
    assert subject.license is not None  # noqa: S101 - check_license ran before
    return subject.license


_PRODUCT_REFUSALS = {
    ProductState.ARCHIVED: Status.PRODUCT_ARCHIVED,
    ProductState.DISABLED: Status.PRODUCT_DISABLED,
}
_ORGANIZATION_REFUSALS = {
    OrganizationState.SUSPENDED: Status.ORG_SUSPENDED,
    OrganizationState.BILLING_SUSPENDED: Status.BILLING_SUSPENDED,
}
_LICENSE_REFUSALS = {LicenseState.REVOKED: Status.REVOKED, LicenseState.SUSPENDED: Status.SUSPENDED}
