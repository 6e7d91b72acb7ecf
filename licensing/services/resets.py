"""The seats of a license are freed at a time: by staff whenever they like, by its holder as the product allows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from licensing import resets
from licensing.errors import NoAddresses
from licensing.events import Action, Event, about, happened
from licensing.models import Actor, LicenseView
from licensing.ports import Clock, Steps, Store, Transaction
from licensing.resets import Past, Standing
from licensing.services.handover import held_license

_BY_HOLDER = "by_holder"  # in `after` of the event; what staff freed counts against nobody


@dataclass(frozen=True, slots=True)
class OwnReset:
    """What a holder's reset freed, and how the license stands after it."""

    before: LicenseView
    after: Standing


class ResetService:
    """Serves the holder alone: a license of somebody else, or of another organization, is not found."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def standing(self, by: Actor, license_id: int) -> Standing:
        """Return whether the asker could reset one of their licenses now, and when else.

        Raises: LicenseNotFound.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[Standing]:
            view = yield from held_license(tx, by, license_id)
            return (yield from standing_of(tx, by, view, now_ms=now_ms))

        return await self._store.read(work)

    async def resettable(self, by: Actor, license_id: int) -> Standing:
        """Return how a license stands that the asker could reset now: what is asked before it is done.

        Raises: LicenseNotFound, ResetsOff, ResetNotUsable, ResetsUsedUp, ResetTooSoon, ResetLocksOut, NoAddresses.
        """
        found = await self.standing(by, license_id)
        resets.refuse(found)
        return found

    async def reset(self, by: Actor, license_id: int) -> OwnReset:
        """Free the seats of one of the asker's licenses.

        Decided under the license's lock, so of two at once the second finds the first.

        Raises: LicenseNotFound, ResetsOff, ResetNotUsable, ResetsUsedUp, ResetTooSoon, ResetLocksOut, NoAddresses.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[OwnReset]:
            yield from tx.licenses.lock(by.organization_id, license_id)
            view = yield from held_license(tx, by, license_id)
            found = yield from standing_of(tx, by, view, now_ms=now_ms)
            resets.refuse(found)
            kept = resets.keeps_addresses(view.product.settings)
            yield from free_seats(tx, by, view, now_ms=now_ms, by_holder=True, keep_addresses=kept)
            return OwnReset(view, (yield from standing_of(tx, by, found.after, now_ms=now_ms)))

        return await self._store.write(work)


def standing_of(tx: Transaction, by: Actor, view: LicenseView, *, now_ms: int) -> Steps[Standing]:
    """Return how a license stands to a reset by the asker, who holds it."""
    events: Sequence[Event] = ()
    if view.product.settings.reset_cooldown_days is not None:
        since_ms = now_ms - resets.YEAR_MS
        events = yield from tx.ledger.since(view.license.id, Action.LICENSE_IPS_RESET, since_ms=since_ms)
    return resets.stand(view, _past(events, by), now_ms=now_ms)


def free_seats(
    tx: Transaction,
    by: Actor,
    view: LicenseView,
    *,
    now_ms: int,
    by_holder: bool = False,
    keep_addresses: bool = False,
) -> Steps[None]:
    """Free every seat of a license, or those of its devices alone, and tell it.

    Raises: NoAddresses.
    """
    addresses = () if keep_addresses else (yield from tx.addresses.delete(view.license.id))
    devices = yield from tx.addresses.delete_devices(view.license.id)
    if not addresses and not devices:
        raise NoAddresses
    after: dict[str, Any] = {"addresses": [], "devices": []}
    event = happened(
        Action.LICENSE_IPS_RESET,
        by=by,
        at_ms=now_ms,
        before={"addresses": sorted(addresses), "devices": sorted(devices)},
        after=after | {_BY_HOLDER: True} if by_holder else after,
        **about(view.license),
    )
    yield from tx.ledger.append(event)


def _past(events: Sequence[Event], by: Actor) -> Past:
    made = [event for event in events if (event.after or {}).get(_BY_HOLDER)]
    own = [event.at_ms for event in made if event.actor_id == by.id]
    return Past(max((event.at_ms for event in made), default=None), own)
