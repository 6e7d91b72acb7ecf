"""What happens by itself as time passes: licenses expire, idle seats free themselves, offers lapse.

Each sweep takes a bounded number of rows, so that no transaction holds the lock for long; call again while it says
that there was something to do.
"""

from collections import defaultdict
from collections.abc import Sequence

from licensing import lifecycle
from licensing.events import Action, about, difference, happened
from licensing.models import Actor, ActorKind, Address, License
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
            overdue = yield from tx.transfers.overdue(now_ms=now_ms, limit=BATCH)
            for transfer in overdue:
                yield from expire_transfer(tx, transfer, now_ms=now_ms)
            return len(overdue)

        return await self._store.write(work)

    async def free_idle_seats(self) -> int:
        """Free seats that no address used for long, one event for each license; return how many were looked at.

        They are looked for without the writer's lock, and freed only if nobody used them meanwhile.
        """
        now_ms = self._clock()
        idle = await self._store.read(lambda tx: tx.addresses.idle(now_ms=now_ms, limit=BATCH))
        seats: dict[License, list[Address]] = defaultdict(list)
        for license_, seat in idle:
            seats[license_].append(seat)

        def work(tx: Transaction) -> Steps[None]:
            for license_, unused in seats.items():
                yield from _free(tx, license_, unused, now_ms)

        if idle:
            await self._store.write(work)
        return len(idle)


def _free(tx: Transaction, license_: License, unused: Sequence[Address], now_ms: int) -> Steps[None]:
    freed = []
    for seat in unused:
        was_idle = yield from tx.addresses.free(license_.id, seat)
        freed.extend([seat.address] * was_idle)
    if freed:
        facts = {"before": {"addresses": sorted(freed)}, **about(license_)}
        event = happened(Action.LICENSE_IP_REMOVED, by=_system(license_), at_ms=now_ms, **facts)
        yield from tx.ledger.append(event)


def _system(license_: License) -> Actor:
    return Actor(organization_id=license_.organization_id, kind=ActorKind.SYSTEM)
