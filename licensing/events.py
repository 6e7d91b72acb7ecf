"""Facts that happened: each row is audit entry and outbox at once, written with the change it tells of."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from licensing.choices import ActorKind
from licensing.models import Actor, License, Record

_GATHERED = "license_ids"  # in `after` of an event that stands for several; never stored
_TOLD = "told"  # in `after`, beside what a change touched: only one of many says whether its holder is told


class Action(StrEnum):
    """What happened; `license.*` are the names that webhooks use too."""

    ORGANIZATION_JOINED = "organization.joined"
    ORGANIZATION_LEFT = "organization.left"
    ORGANIZATION_SUSPENDED = "organization.suspended"
    ORGANIZATION_REINSTATED = "organization.reinstated"
    ORGANIZATION_PLAN_CHANGED = "organization.plan_changed"
    ADDRESS_BLOCKED = "blacklist.added"
    ADDRESS_UNBLOCKED = "blacklist.removed"
    PRODUCT_CREATED = "product.created"
    PRODUCT_UPDATED = "product.updated"
    PRODUCT_KEY_ROTATED = "product.key_rotated"
    PRODUCT_KEY_ADDED = "product.key_added"
    PRODUCT_KEY_REMOVED = "product.key_removed"
    PRODUCT_VERSION_SET = "product.version_set"
    PRODUCT_VERSION_REMOVED = "product.version_removed"
    PRODUCT_SIGNING_CHANGED = "product.signing_changed"
    LICENSE_CREATED = "license.created"
    LICENSE_CLAIMED = "license.claimed"
    LICENSE_UPDATED = "license.updated"
    LICENSE_EXTENDED = "license.extended"
    LICENSE_SUSPENDED = "license.suspended"
    LICENSE_REINSTATED = "license.reinstated"
    LICENSE_EXPIRED = "license.expired"
    LICENSE_RESTORED = "license.restored"
    LICENSE_IPS_RESET = "license.ips_reset"
    LICENSE_IP_REMOVED = "license.ip_removed"
    LICENSE_REVOKED = "license.revoked"
    LICENSE_REVEALED = "license.revealed"
    LICENSES_EXPORTED = "licenses.exported"
    TRANSFER_OFFERED = "license.transfer_offered"
    TRANSFER_ACCEPTED = "license.transfer_accepted"
    TRANSFERRED = "license.transferred"
    TRANSFER_REJECTED = "license.transfer_rejected"
    TRANSFER_CANCELLED = "license.transfer_cancelled"
    STAFF_GRANTED = "staff.granted"
    STAFF_REVOKED = "staff.revoked"


class Event(Record):
    """Who did what to which record, and how it looked before and after; `id` once it is stored."""

    id: int = 0
    organization_id: int
    at_ms: int
    action: Action
    actor_kind: ActorKind
    actor_id: int | None = None
    product_id: int | None = None
    license_id: int | None = None
    customer_id: int | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    reason: str | None = None

    @property
    def is_one_of_many(self) -> bool:
        """Tell whether many were changed at once: what follows from it is done apart, so that nobody waits for it."""
        return _TOLD in (self.after or {})

    @property
    def is_silent(self) -> bool:
        """Tell whether nobody is to be told of it."""
        return (self.after or {}).get(_TOLD) is False

    @property
    def license_ids(self) -> Sequence[int]:
        """Return the licenses it tells of: several where it stands for what happened to them at once."""
        alone = [] if self.license_id is None else [self.license_id]
        several: Sequence[int] | None = (self.after or {}).get(_GATHERED)
        return several or alone


def one_of_many(event: Event, *, tell: bool) -> Event:
    """Return an event as one of many that happen at once, of which the holders are told or not."""
    return event.model_copy(update={"after": {**(event.after or {}), _TOLD: tell}})


def gathered(events: Sequence[Event]) -> Event:
    """Return the last of these events, which stands for all of them."""
    ids = list(dict.fromkeys(license_id for event in events for license_id in event.license_ids))
    return events[-1].model_copy(update={"after": {**(events[-1].after or {}), _GATHERED: ids}})


def happened(action: Action, *, by: Actor, at_ms: int, **facts: Any) -> Event:
    """Return the event of a change made by this actor."""
    return Event(
        organization_id=by.organization_id,
        at_ms=at_ms,
        action=action,
        actor_kind=by.kind,
        actor_id=by.id,
        **facts,
    )


def about(license_: License) -> dict[str, int | None]:
    """Return the members of an event that say which license it tells of."""
    return {"product_id": license_.product_id, "license_id": license_.id, "customer_id": license_.customer_id}


def difference(before: Record, after: Record) -> dict[str, dict[str, Any]]:
    """Return `before` and `after` with the members that a change touched."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    changed = [name for name in new if old[name] != new[name] and name != "updated_at_ms"]
    return {"before": {name: old[name] for name in changed}, "after": {name: new[name] for name in changed}}
