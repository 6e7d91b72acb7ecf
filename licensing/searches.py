"""What may be asked for when somebody looks for licenses; `storage.statements.search` answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from licensing.models import LicenseView
from licensing.tables import Steps
from licensing.verdict import Status


@dataclass(frozen=True, slots=True)
class Search:
    """What licenses are sought; None is any. `status` is a license's own (`verdict.license_status`).

    A page goes on from an id: `before_id` to older ones, `after_id` to newer ones, and the newest without either.
    """

    text: str = ""
    license_id: int | None = None
    product_id: int | None = None
    status: Status | None = None
    now_ms: int = 0
    holder_id: int | None = None  # their Discord ID
    before_id: int | None = None
    after_id: int | None = None
    skip: int = 0
    limit: int = 25


class Searches(Protocol):
    """Licenses that somebody looks for."""

    def page(self, organization_id: int, sought: Search) -> Steps[Sequence[LicenseView]]:
        """Find licenses, newest first; the text is a key's start, a Discord ID, or starts of words."""

    def count(self, organization_id: int, sought: Search, *, most: int | None = None) -> Steps[int]:
        """Count what a search finds from its place on, `limit` and `skip` apart, up to a bound."""
