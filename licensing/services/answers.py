"""What products are told, and which of it is remembered."""

from dataclasses import dataclass
from typing import NamedTuple
from weakref import ReferenceType

from licensing.models import LicenseView
from licensing.ports import Entry
from licensing.services.limits import Meter, Reason
from licensing.services.trails import Trail
from licensing.verdict import STRICT, ProductSnapshot, Status, Verdict


class Answer(NamedTuple):
    """A verdict with what belongs to its answer.

    `product` is None where the API key is nobody's. Turned away before the license was looked at, `reason` says why
    and `retry_after_s` when to come back. A `regular` one can be counted again without being judged again.
    """

    verdict: Verdict
    product: ProductSnapshot | None = None
    custom: str | None = None
    support_code: str | None = None
    reason: Reason | None = None
    retry_after_s: int | None = None
    regular: "Regular | None" = None

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Regular:
    """A call that was answered as good with nothing to store, and all that it takes to count it again.

    Judging is pure, and whatever else it looks at is in the two snapshots, which are made anew when they change: as
    long as both are current, only the clock can make the answer untrue. A product's snapshot has long lists in it:
    those who come no more keep none alive that was changed since.
    """

    product: ReferenceType[ProductSnapshot]
    product_id: int
    entry: Entry  # of the license
    until_ms: float  # when the license or the API key ends
    quota: int | None
    meter: Meter
    trail: Trail
