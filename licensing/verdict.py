"""The validation rules: one pure function over a snapshot, its checks in the order that the contract fixes.

The order and the status names are KeyPort's (docs.keyport.sbs, validation); `suspended` and `not_claimed`
are ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from licensing.models import (
    AutoRegister,
    License,
    LicenseState,
    OrganizationState,
    Product,
    ProductState,
)


class Status(StrEnum):
    """What a validation answers in its field `status`."""

    ACTIVE = "active"
    INVALID_API_KEY = "invalid_api_key"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    INVALID_REQUEST = "invalid_request"
    UNAVAILABLE = "unavailable"
    PRODUCT_NOT_FOUND = "product_not_found"
    PRODUCT_ARCHIVED = "product_archived"
    PRODUCT_DISABLED = "product_disabled"
    ORG_SUSPENDED = "org_suspended"
    BILLING_SUSPENDED = "billing_suspended"
    LICENSE_NOT_FOUND = "license_not_found"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    NOT_CLAIMED = "not_claimed"
    EXPIRED = "expired"
    IP_NOT_REGISTERED = "ip_not_registered"
    IP_LIMIT_REACHED = "ip_limit_reached"


@dataclass(frozen=True, slots=True)
class ProductSnapshot:
    """What a validation needs of a product; `product` is None when it vanished after its key was read."""

    product: Product | None
    organization_state: OrganizationState
    plan: str
    key_valid_until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class LicenseSnapshot:
    """What a validation needs of a license."""

    license: License
    addresses: frozenset[str] = frozenset()


class Call(NamedTuple):
    """What a product sends; `address` is None where the caller's address cannot be known."""

    key: str
    address: str | None = None
    version: str | None = None
    device_id: str | None = None


class Subject(NamedTuple):
    """All that a check may look at."""

    product: ProductSnapshot
    license: LicenseSnapshot | None
    call: Call
    now_ms: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a validation; with `registers` it holds only once that address is durably stored."""

    status: Status
    license: License | None = None
    ip_registered: bool | None = None
    ip_count: int | None = None
    registers: str | None = None

    @property
    def valid(self) -> bool:
        """Whether the product may run."""
        return self.status is Status.ACTIVE


class Outcome(StrEnum):
    """How one check of a trace ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a trace."""

    check: str
    outcome: Outcome
    status: Status | None = None


Check = Callable[[Subject], Status | None]


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
    if license_ is None or product is None or license_.license.product_id != product.id:
        return Status.LICENSE_NOT_FOUND
    return None


def check_state(subject: Subject) -> Status | None:
    """Refuse a license that staff revoked or paused."""
    return _LICENSE_REFUSALS.get(_license(subject).state)


def check_claim(subject: Subject) -> Status | None:
    """Refuse stock: it belongs to nobody until a member claims it."""
    return Status.NOT_CLAIMED if _license(subject).customer_id is None else None


def check_expiry(subject: Subject) -> Status | None:
    """Refuse a license past its end, where the product enforces it; the end itself is past."""
    end = _license(subject).expires_at_ms
    if end is None or subject.now_ms < end or not _product(subject).settings.enforce_expiry:
        return None
    return Status.EXPIRED


def check_address(subject: Subject) -> Status | None:
    """Refuse an address that holds no seat and may not take one.

    An address that cannot be known (behind a proxy that is not trusted) neither takes nor misses a seat.
    """
    settings, address = _product(subject).settings, subject.call.address
    taken = _addresses(subject)
    if not settings.track_ip_on_validate or address is None or address in taken:
        return None
    if settings.auto_register is AutoRegister.OFF or (settings.auto_register is AutoRegister.FIRST and taken):
        return Status.IP_NOT_REGISTERED
    limit = _license(subject).max_ips
    return Status.IP_LIMIT_REACHED if limit and len(taken) >= limit else None  # 0 means no limit too


CHECKS: tuple[tuple[str, Check], ...] = (
    ("product", check_product),
    ("organization", check_organization),
    ("license", check_license),
    ("state", check_state),
    ("claim", check_claim),
    ("expiry", check_expiry),
    ("address", check_address),
)


def judge(product: ProductSnapshot, license_: LicenseSnapshot | None, call: Call, *, now_ms: int) -> Verdict:
    """Return what a validation answers; the first check that fails decides."""
    subject = Subject(product, license_, call, now_ms)
    for _, check in CHECKS:
        status = check(subject)
        if status is not None:
            return _verdict(subject, status)
    return _verdict(subject, Status.ACTIVE)


def trace(product: ProductSnapshot, license_: LicenseSnapshot | None, call: Call, *, now_ms: int) -> tuple[Step, ...]:
    """Return every check in its order and how it ended; after the first failure the rest are skipped."""
    subject, failed, steps = Subject(product, license_, call, now_ms), False, []
    for name, check in CHECKS:
        status = None if failed else check(subject)
        outcome = Outcome.SKIPPED if failed else Outcome.FAILED if status else Outcome.PASSED
        steps.append(Step(name, outcome, status))
        failed = failed or status is not None
    return tuple(steps)


def license_status(license_: License, product: Product, *, now_ms: int) -> Status:
    """Return a license's own status, whoever asks from wherever: what lists and look-ups show."""
    lone = Subject(
        ProductSnapshot(product, OrganizationState.ACTIVE, ""), LicenseSnapshot(license_), Call(""), now_ms
    )
    return check_state(lone) or check_claim(lone) or check_expiry(lone) or Status.ACTIVE


def _verdict(subject: Subject, status: Status) -> Verdict:
    if subject.license is None or check_license(subject) is not None:
        return Verdict(status)
    if not _product(subject).settings.track_ip_on_validate:
        return Verdict(status, subject.license.license)
    address, taken = subject.call.address, subject.license.addresses
    known = address is not None and address in taken
    registers = address if status is Status.ACTIVE and not known else None
    seats = len(taken) + (registers is not None)
    return Verdict(status, subject.license.license, known or registers is not None, seats, registers)


def _product(subject: Subject) -> Product:
    assert subject.product.product is not None  # noqa: S101 - check_product ran before
    return subject.product.product


def _license(subject: Subject) -> License:
    assert subject.license is not None  # noqa: S101 - check_license ran before
    return subject.license.license


def _addresses(subject: Subject) -> frozenset[str]:
    return subject.license.addresses if subject.license else frozenset()


_PRODUCT_REFUSALS = {
    ProductState.ARCHIVED: Status.PRODUCT_ARCHIVED,
    ProductState.DISABLED: Status.PRODUCT_DISABLED,
}
_ORGANIZATION_REFUSALS = {
    OrganizationState.SUSPENDED: Status.ORG_SUSPENDED,
    OrganizationState.BILLING_SUSPENDED: Status.BILLING_SUSPENDED,
}
_LICENSE_REFUSALS = {LicenseState.REVOKED: Status.REVOKED, LicenseState.SUSPENDED: Status.SUSPENDED}
