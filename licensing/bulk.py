"""Many licenses at once: which are meant, which of them are alike, and what a transaction can ask for them.

What is done to many is said in one statement for all of them: row by row, the writer would fight the event loop for
the interpreter at every one. Their ids travel as one text, a JSON list, for the same reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from licensing.choices import LicenseState
from licensing.events import Event
from licensing.models import License
from licensing.tables import Steps
from licensing.verdict import Status

# A key as it is kept and as it is shown: hash, key, prefix, id of the sealing secret, sealed copy. No record, since
# the garbage collector looks through those again and again, and the event loop waits for it.
MadeKey = tuple[bytes, str, str, str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """Which licenses of an organization are meant; None is any. `status` is a license's own, at `now_ms`."""

    product_id: int | None = None
    status: Status | None = None
    discord_id: int | None = None
    license_ids: Sequence[int] | None = None
    up_to_id: int | None = None
    now_ms: int = 0


@dataclass(frozen=True, slots=True)
class Alike:
    """Licenses in one state, which a rule therefore treats alike; `ids` is a JSON list."""

    state: LicenseState
    count: int
    ids: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Licenses in one state: how many, their first and last ids, and a digest that other licenses hardly have."""

    count: int
    oldest_id: int
    newest_id: int
    digest: int


@dataclass(frozen=True, slots=True)
class Holders:
    """How many people hold licenses, and how many of them are in Discord, others being known only by email."""

    count: int
    in_discord: int

    def __bool__(self) -> bool:
        """Tell whether anybody does."""
        return self.count > 0


class Bulk(Protocol):
    """Licenses by the hundred; everything is looked up within an organization."""

    def insert(self, license_: License, keys: Sequence[MadeKey]) -> Steps[Sequence[int]]:
        """Add a license like this one for each key, and return their ids in the order of the keys."""

    def standings(self, organization_id: int, meant: Meant) -> Steps[Mapping[LicenseState, Tally]]:
        """Return how many of what is meant are in which state; digests of several states may be added up."""

    def holders(self, organization_id: int, meant: Meant, states: Sequence[LicenseState]) -> Steps[Holders]:
        """Count the people who hold what is meant."""

    def page(
        self, organization_id: int, meant: Meant, states: Sequence[LicenseState], *, after_id: int, limit: int
    ) -> Steps[Sequence[int]]:
        """Return the ids of what is meant in the order of the ids."""

    def lock(self, organization_id: int, meant: Meant, license_ids: Sequence[int]) -> Steps[Sequence[Alike]]:
        """Return which of these licenses are still meant, by state."""

    def ended(self, *, now_ms: int, limit: int) -> Steps[Sequence[int]]:
        """Return licenses of any organization whose end has passed unnoticed."""

    def lock_ended(self, license_ids: Sequence[int], *, now_ms: int) -> Steps[Alike]:
        """Return which of these licenses have still ended unnoticed, as if all were in one state."""

    def save(self, ids: str, changed: Mapping[str, Any], *, now_ms: int) -> Steps[None]:
        """Write the same members to all of these licenses."""

    def changing_hands(self, ids: str) -> Steps[Sequence[tuple[int, int]]]:
        """Return (organization id, license id) of those that have a pending transfer."""

    def append(self, event: Event, ids: str) -> Steps[None]:
        """Append an event like this one for each license, which says whose, of which product and which it is."""
