"""What happens by itself as time passes: licenses expire, idle seats free themselves, offers lapse.

Each sweep takes a bounded number of rows, so that no transaction holds the lock for long; call again while it says
that there was something to do.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from licensing import lifecycle
from licensing.choices import ActorKind
from licensing.events import Action, about, happened
from licensing.models import PLATFORM, Actor, Address, License
from licensing.ports import Clock, Steps, Store, Transaction
from licensing.services.alike import AlikeChange, change_alike
from licensing.services.handover import expire_transfer
from licensing.services.history import DAY_MS, Keeping
from licensing.services.usage import fold_seen

BATCH = 200
ENDED_AT_ONCE = 80
FOUND_AT_ONCE = 50 * ENDED_AT_ONCE
MANY = 500  # found together: nobody wants to read of each by itself
LOOKED_THROUGH = 2_000

_EXPIRY = AlikeChange(Action.LICENSE_EXPIRED, lambda it, now_ms: lifecycle.expire(it, now_ms=now_ms), ends=True)
_ITSELF = Actor(organization_id=PLATFORM, kind=ActorKind.SYSTEM)


class UpkeepService:
    """Notices what the clock brought about, once, whatever was down meanwhile."""

    def __init__(self, store: Store, *, keeping: Keeping, clock: Clock) -> None:
        self._store = store
        self._keeping = keeping
        self._clock = clock
        self._looked_through = 0  # the last license whose old attempts were dropped

    async def sweep(self) -> None:
        """Do everything that is due.

        Raises: Unavailable.
        """
        while await self.expire_licenses() == FOUND_AT_ONCE:
            pass
        for due in (self.lapse_transfers, self.free_idle_seats, self.forget_refusals):
            while await due() == BATCH:
                await self._store.settle()
        await self.forget_attempts()

    async def expire_licenses(self) -> int:
        """Note licenses whose end has passed, one event each; return how many.

        They are looked for without the writer's lock, since they may stand among very many whose end nobody enforces,
        and looked at again with it. Those that are found together are told of as many at once, if so many they are.
        """
        now_ms, noted = self._clock(), 0
        found = await self._store.read(lambda tx: tx.bulk.ended(now_ms=now_ms, limit=FOUND_AT_ONCE))
        told = True if len(found) >= MANY else None
        for first in range(0, len(found), ENDED_AT_ONCE):
            lot = found[first : first + ENDED_AT_ONCE]
            noted += await self._store.write(partial(_expire, lot, now_ms, told=told))
            await self._store.settle()
        return noted

    async def lapse_transfers(self) -> int:
        """End transfers that nobody decided in time; return how many."""
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[int]:
            overdue = yield from tx.transfers.overdue(now_ms=now_ms, limit=BATCH)
            for transfer in overdue:
                yield from expire_transfer(tx, transfer, now_ms=now_ms)
            return len(overdue)

        return await self._store.write(work)

    async def forget_refusals(self) -> int:
        """Drop refusals that nobody asks about any more; return how many."""
        before_ms = self._clock() - self._keeping.refusal_days * DAY_MS
        return await self._store.write(lambda tx: tx.history.forget_refusals(before_ms=before_ms, limit=BATCH))

    async def forget_attempts(self) -> None:
        """Drop the old attempts of the next licenses in turn; all of them, where none are to be kept any more."""
        kept_ms = self._keeping.attempts_days * DAY_MS if self._keeping.attempts_per_license else 0
        before_ms, after = self._clock() - kept_ms, self._looked_through
        last = await self._store.write(
            lambda tx: tx.history.forget_attempts(before_ms=before_ms, after_license_id=after, limit=LOOKED_THROUGH)
        )
        self._looked_through = last or 0

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
            await fold_seen(self._store)  # whoever is in the log was seen, and `free` will know
            await self._store.write(work)
        return len(idle)


def _expire(found: Sequence[int], now_ms: int, tx: Transaction, *, told: bool | None) -> Steps[int]:
    ended = yield from tx.bulk.lock_ended(found, now_ms=now_ms)
    return (yield from change_alike(tx, _ITSELF, ended, _EXPIRY, now_ms=now_ms, told=told))


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
