"""What products are told, and which of it is remembered."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from licensing.models import LicenseView
from licensing.services.limits import Reason
from licensing.verdict import STRICT, Call, LicenseSnapshot, ProductSnapshot, Status, Verdict

SETTLED_ANSWERS = 50_000  # remembered of a product
SETTLED_LENGTH = 64  # of a version or a device; what is longer is judged anew


class Answer(NamedTuple):
    """A verdict with what belongs to its answer.

    `product` is None where the API key is nobody's. Turned away before the license was looked at, `reason` says why
    and `retry_after_s` when to come back.
    """

    verdict: Verdict
    product: ProductSnapshot | None = None
    custom: str | None = None
    support_code: str | None = None
    reason: Reason | None = None
    retry_after_s: int | None = None

    @property
    def status(self) -> Status:
        """The status as this product's clients know it."""
        status, product = self.verdict.status, self.product and self.product.product
        return STRICT.get(status, status) if product and product.settings.strict_statuses else status

    @property
    def explains(self) -> bool:
        """Whether the body of a refusal says more."""
        return bool(self.product and self.product.product and self.product.product.settings.explain)


@dataclass(frozen=True, slots=True)
class Details:
    """Everything a look-up tells of a license."""

    view: LicenseView
    key: str
    status: Status


def settled(found: ProductSnapshot, license_: LicenseSnapshot, call: Call, now_ms: int) -> Answer | None:
    """Return what this caller was answered, if it is as true now: only the clock can have changed it.

    Judging is pure, and whatever else it looks at is in the two snapshots, which are made anew when they change. What
    is remembered goes with the product's; a license's that is no more is told by its identity.
    """
    remembered = found.settled.get(_caller(found, license_, call))
    if remembered is None or remembered[0] is not license_:
        return None
    answer: Answer = remembered[1]
    end_ms = license_.license.expires_at_ms
    return answer if end_ms is None or now_ms < end_ms else None


def settle(found: ProductSnapshot, license_: LicenseSnapshot, call: Call, answer: Answer) -> None:
    """Remember an answer that nothing had to be stored for; callers choose what they name, so not without end."""
    if max(len(call.version or ""), len(call.device_id or "")) > SETTLED_LENGTH:
        return
    if len(found.settled) >= SETTLED_ANSWERS:
        found.settled.clear()
    found.settled[_caller(found, license_, call)] = (license_, answer)


def _caller(found: ProductSnapshot, license_: LicenseSnapshot, call: Call) -> Hashable:
    """Return all that a verdict depends on of a call; its hash takes a while, so an ip only where any is blocked."""
    ip = call.ip if found.blacklist else None
    return license_.license.id, call.address, call.version, call.device_id, ip
