"""Seats are taken: an address or a device is registered for a license, durably, before its call is answered.

Whatever waits when the last group is written is taken together in the next: one lock, one look at each product, one
insert. That needs no timer, and a call costs a small part of a transaction of its own.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from licensing.ports import NewSeat, Steps, Store, Transaction
from licensing.verdict import Call, LicenseSnapshot, ProductSnapshot, Verdict, judge, seats

SEATS_KEPT = 1_000  # of a license without a limit: each is read with every new one
GROUP = 500  # calls at most, since all of them wait for the last one


class Judged(NamedTuple):
    """A verdict and what it was judged on."""

    verdict: Verdict
    product: ProductSnapshot
    license: LicenseSnapshot | None


class Claim(NamedTuple):
    """A call that needs a seat, as it was judged in memory, and who waits for its answer."""

    judged: Judged
    call: Call
    license_id: int
    product_id: int
    now_ms: int
    answer: asyncio.Future[Judged]


class Seats:
    """Takes seats for all that ask at the same time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Claim] = []
        self._writing: asyncio.Task[None] | None = None

    async def take(self, judged: Judged, call: Call, *, now_ms: int) -> Judged:
        """Judge a call again on what is stored, under a lock, and return that once its seats are durable.

        A caller that is cancelled meanwhile has its seat all the same, wholly or not at all.

        Raises: Unavailable.
        """
        license_ = judged.verdict.license
        ids = (license_.id, license_.product_id) if license_ else (0, 0)
        claim = Claim(judged, call, *ids, now_ms, asyncio.get_running_loop().create_future())
        self._waiting.append(claim)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await claim.answer

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
                await self._write(group)
        finally:
            self._writing = None

    async def _write(self, group: Sequence[Claim]) -> None:
        ends: Sequence[Judged | Exception]
        try:
            ends = await self._store.write(partial(_take_all, group))
        except Exception as error:  # noqa: BLE001 - every caller of the group hears of it
            ends = [error] * len(group)
        for claim, end in zip(group, ends, strict=True):
            if claim.answer.done():  # whoever asked has gone away
                continue
            if isinstance(end, Exception):
                claim.answer.set_exception(end)
            else:
                claim.answer.set_result(end)


@dataclass(slots=True)
class _Round:
    """A group on its way: its licenses as they are stored, with the seats that were given to its calls so far."""

    licenses: dict[int, LicenseSnapshot]
    products: dict[int, ProductSnapshot] = field(default_factory=dict)
    addresses: list[NewSeat] = field(default_factory=list)
    devices: list[NewSeat] = field(default_factory=list)

    def judge(self, claim: Claim) -> Judged:
        """Judge as if every call before it in the group were stored."""
        known = claim.judged
        product, license_ = self.products[id(known.product)], self.licenses.get(claim.license_id)
        if product is known.product and license_ == known.license:  # then it is as it was judged in memory
            return Judged(known.verdict, product, license_)
        return Judged(judge(product, license_, claim.call, now_ms=claim.now_ms), product, license_)

    def give(self, claim: Claim, judged: Judged) -> None:
        """Give what a verdict registers."""
        license_, verdict = judged.license, judged.verdict
        if license_ is None or not verdict.takes_a_seat:
            return
        addresses, devices = license_.addresses, license_.devices
        if verdict.registers is not None:
            addresses = seats((*addresses, verdict.registers))
            self.addresses.append((claim.license_id, verdict.registers, claim.now_ms))
        if verdict.registers_device is not None:
            devices = seats((*devices, verdict.registers_device))
            self.devices.append((claim.license_id, verdict.registers_device, claim.now_ms))
        self.licenses[claim.license_id] = LicenseSnapshot(*license_[:-2], addresses, devices)

    def write(self, tx: Transaction) -> Steps[None]:
        """Write what was given."""
        if self.addresses:
            yield from tx.seats.insert(self.addresses)
        if self.devices:
            yield from tx.seats.insert_devices(self.devices)
        self.addresses, self.devices = [], []


def _take_all(group: Sequence[Claim], tx: Transaction) -> Steps[list[Judged | Exception]]:
    """Decide for each call in turn on what the lock returned, then write everything: nothing is left to fail."""
    ends: list[Judged | Exception] = []
    it = _Round((yield from tx.seats.lock({claim.license_id for claim in group})))
    for claim in group:
        known = claim.judged.product
        if id(known) not in it.products:
            current = yield from tx.products.snapshot(claim.product_id, cached=known)
            it.products[id(known)] = known if current is None or current == known else current
        try:
            judged = it.judge(claim)
            if _is_full(judged):
                yield from _make_room(tx, it, claim.license_id)
                judged = it.judge(claim)
        except Exception as error:  # noqa: BLE001 - a fault over one call must not be every other's
            ends.append(error)
            continue
        it.give(claim, judged)
        ends.append(judged)
    yield from it.write(tx)
    tx.seats.leave(it.licenses)
    return ends


def _is_full(judged: Judged) -> bool:
    """Tell whether a license that has no limit is given one seat more than are kept: it could go on for ever."""
    license_ = judged.license
    if license_ is None or judged.verdict.registers is None or license_.max_ips:
        return False
    return len(license_.addresses) >= SEATS_KEPT


def _make_room(tx: Transaction, it: _Round, license_id: int) -> Steps[None]:
    """Free the seat that was idle longest."""
    yield from it.write(tx)  # what was given in this group counts
    freed = yield from tx.addresses.free_idlest(license_id, keep=SEATS_KEPT - 1)
    license_ = it.licenses[license_id]
    it.licenses[license_id] = license_._replace(addresses=seats(set(license_.addresses).difference(freed)))
