"""What happens by itself as time passes: licenses expire, idle seats free themselves, offers lapse.

Each sweep takes a bounded number of rows, so that no transaction holds the lock for long; call again while it says
that there was something to do.
"""

from collections import defaultdict

from licensing import lifecycle
from licensing.events import Action, about, difference, happened
from licensing.models import Actor, ActorKind, License
from licensing.ports import Clock, Steps, Store, Transaction
from licensing.services.handover import end_pending, expire_transfer

BATCH = 200


class UpkeepService:
    """Notices what the clock brought about, once, whatever was down meanwhile."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def sweep(self) -> None:
        """Do everything that is due.

        Raises: Unavailable.
        """
        for due in (self.expire_licenses, self.lapse_transfers, self.free_idle_seats):
            while await due() == BATCH:
                pass

    async def expire_licenses(self) -> int:
        """Note licenses whose end has passed, one event each; return how many."""
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[int]:
            ended = yield from tx.licenses.lock_ended(now_ms=now_ms, limit=BATCH)
            for before in ended:
                after, by = lifecycle.expire(before, now_ms=now_ms), _system(before)
                yield from tx.licenses.save(after)
                yield from end_pending(tx, by, after.id, now_ms=now_ms)
                event = happened(
                    Action.LICENSE_EXPIRED, by=by, at_ms=now_ms, **about(after), **difference(before, after)
                )
                yield from tx.ledger.append(event)
            return len(ended)

        return await self._store.write(work)

    async def lapse_transfers(self) -> int:
        """End transfers that nobody decided in time; return how many."""
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[int]:
            overdue = yield from tx.transfers.lock_overdue(now_ms=now_ms, limit=BATCH)
            for transfer in overdue:
                yield from expire_transfer(tx, transfer, now_ms=now_ms)
            return len(overdue)

        return await self._store.write(work)

    async def free_idle_seats(self) -> int:
        """Free seats that no address used for long, one event for each license; return how many seats."""
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[int]:
            freed = yield from tx.addresses.delete_idle(now_ms=now_ms, limit=BATCH)
            by_license: dict[License, list[str]] = defaultdict(list)
            for license_, address in freed:
                by_license[license_].append(address)
            for license_, addresses in by_license.items():
                event = happened(
                    Action.LICENSE_IP_REMOVED,
                    by=_system(license_),
                    at_ms=now_ms,
                    before={"addresses": sorted(addresses)},
                    **about(license_),
                )
                yield from tx.ledger.append(event)
            return len(freed)

        return await self._store.write(work)


def _system(license_: License) -> Actor:
    return Actor(organization_id=license_.organization_id, kind=ActorKind.SYSTEM)
