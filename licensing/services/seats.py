"""Seats are taken: an address or a device is registered for a license, durably, before its call is answered."""

from typing import NamedTuple

from licensing.ports import Steps, Store, Transaction
from licensing.verdict import Call, LicenseSnapshot, ProductSnapshot, Verdict, judge, seats

SEATS_KEPT = 1_000  # of a license without a limit: each is read with every new one


class Judged(NamedTuple):
    """A verdict and what it was judged on."""

    verdict: Verdict
    product: ProductSnapshot
    license: LicenseSnapshot | None


async def take_seats(store: Store, product: ProductSnapshot, call: Call, planned: Verdict, *, now_ms: int) -> Judged:
    """Take seats under a lock: judge again what is stored, and answer only when it is durable.

    Raises: Unavailable.
    """
    license_id, product_id = (planned.license.id, planned.license.product_id) if planned.license else (0, 0)

    def work(tx: Transaction) -> Steps[Judged]:
        license_ = yield from tx.licenses.lock_snapshot(license_id)
        if license_ is not None and planned.registers is not None:
            license_ = yield from _with_room(tx, license_)
        current = (yield from tx.products.snapshot(product_id, cached=product)) or product
        verdict = judge(current, license_, call, now_ms=now_ms)
        if verdict.registers is not None:
            yield from tx.addresses.insert(license_id, verdict.registers, now_ms=now_ms)
        if verdict.registers_device is not None:
            yield from tx.addresses.insert_device(license_id, verdict.registers_device, now_ms=now_ms)
        return Judged(verdict, current, license_)

    return await store.write(work)


def _with_room(tx: Transaction, license_: LicenseSnapshot) -> Steps[LicenseSnapshot]:
    """Free the seat that was idle longest, where a license has no limit and could go on for ever."""
    if license_.max_ips or len(license_.addresses) < SEATS_KEPT:
        return license_
    freed = yield from tx.addresses.free_idlest(license_.id, keep=SEATS_KEPT - 1)
    return license_._replace(addresses=seats(set(license_.addresses).difference(freed)))
