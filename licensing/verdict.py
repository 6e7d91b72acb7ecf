"""The validation: one pure function over a snapshot, and a second one that tells how it came to its answer."""

from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from licensing.checks import (
    CHECKS,
    Fact,
    check_claim,
    check_expiry,
    check_license,
    check_state,
    new_device,
    product_of,
    version_fields,
)
from licensing.choices import OrganizationState
from licensing.models import License, Product
from licensing.status import STRICT, Status
from licensing.subject import Call, LicenseSnapshot, ProductSnapshot, Subject, seats

__all__ = [
    "CHECKS",
    "STRICT",
    "Call",
    "LicenseSnapshot",
    "Outcome",
    "ProductSnapshot",
    "Status",
    "Step",
    "Verdict",
    "judge",
    "license_status",
    "seats",
    "trace",
]


class Verdict(NamedTuple):
    """The answer to a validation; what it `registers` must be durably stored before it holds."""

    status: Status
    license: LicenseSnapshot | None = None
    ip_registered: bool | None = None
    ip_count: int | None = None
    registers: str | None = None
    registers_device: str | None = None
    version: str | None = None
    version_valid: bool | None = None

    @property
    def valid(self) -> bool:
        """Whether the product may run."""
        return self.status is Status.ACTIVE

    @property
    def takes_a_seat(self) -> bool:
        """Whether something must be stored before this is answered."""
        return self.registers is not None or self.registers_device is not None


class Outcome(StrEnum):
    """How one check of a trace ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Step(NamedTuple):
    """One line of a trace, with the fact that decided."""

    check: str
    outcome: Outcome
    status: Status | None = None
    fact: Fact = MappingProxyType({})


_RULES = tuple(check.refuses for check in CHECKS)


def judge(product: ProductSnapshot, license_: LicenseSnapshot | None, call: Call, *, now_ms: int) -> Verdict:
    """Return what a validation answers; the first check that fails decides."""
    subject = Subject(product, license_, call, now_ms)
    for refuses in _RULES:
        status = refuses(subject)
        if status is not None:
            return _verdict(subject, status)
    return _verdict(subject, Status.ACTIVE)


def trace(product: ProductSnapshot, license_: LicenseSnapshot | None, call: Call, *, now_ms: int) -> tuple[Step, ...]:
    """Return every check in its order, how it ended and by which fact; after a failure the rest are skipped."""
    subject, failed, steps = Subject(product, license_, call, now_ms), False, []
    for check in CHECKS:
        if failed:
            steps.append(Step(check.name, Outcome.SKIPPED))
            continue
        status = check.refuses(subject)
        failed = status is not None
        steps.append(Step(check.name, Outcome.FAILED if failed else Outcome.PASSED, status, check.fact(subject)))
    return tuple(steps)


def license_status(license_: License, product: Product, *, now_ms: int) -> Status:
    """Return a license's own status, whoever asks from wherever: what lists and look-ups show."""
    lone = Subject(
        ProductSnapshot(product, OrganizationState.ACTIVE, ""), LicenseSnapshot.of(license_), Call(""), now_ms
    )
    return check_state(lone) or check_claim(lone) or check_expiry(lone) or Status.ACTIVE


def _verdict(subject: Subject, status: Status) -> Verdict:
    version, version_valid = version_fields(subject)
    if subject.license is None or check_license(subject) is not None:
        return Verdict(status, version=version, version_valid=version_valid)
    license_, address, taken = subject.license, subject.call.address, subject.license.addresses
    device = new_device(subject) if status is Status.ACTIVE else None
    if not product_of(subject).settings.track_ip_on_validate:
        return Verdict(status, license_, None, None, None, device, version, version_valid)
    known = address is not None and address in taken
    registers = address if status is Status.ACTIVE and not known else None
    seats = len(taken) + (registers is not None)
    registered = known or registers is not None
    return Verdict(status, license_, registered, seats, registers, device, version, version_valid)
