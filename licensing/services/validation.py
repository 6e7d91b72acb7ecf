"""What products ask over HTTP: is this license good, and what is known of it."""

from dataclasses import dataclass
from typing import NamedTuple

from licensing.keys import LICENSE_KEY_MAX_LENGTH, api_key_digest, tidy
from licensing.models import LicenseView
from licensing.ports import Clock, Steps, Store, Transaction, Vault
from licensing.services.organizations import Plans
from licensing.services.usage import LastSeen, UsageMeter
from licensing.verdict import (
    Call,
    LicenseSnapshot,
    ProductSnapshot,
    Status,
    Verdict,
    judge,
    license_status,
)


class Answer(NamedTuple):
    """A verdict; refused before the license was looked at, `retry_after_s` says when to come back."""

    verdict: Verdict
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """Everything a look-up tells of a license."""

    view: LicenseView
    key: str
    status: Status


_INVALID_API_KEY = Answer(Verdict(Status.INVALID_API_KEY))
_NOT_FOUND = Answer(Verdict(Status.LICENSE_NOT_FOUND))


class ValidationService:
    """Judges calls on cached snapshots; only a seat to be taken waits for the disk."""

    def __init__(
        self, store: Store, vault: Vault, *, plans: Plans, usage: UsageMeter, seen: LastSeen, clock: Clock
    ) -> None:
        self._store = store
        self._vault = vault
        self._plans = plans
        self._usage = usage
        self._seen = seen
        self._clock = clock

    async def validate(self, api_key: str, call: Call) -> Answer:
        """Answer a validation; the key in `call` is as the customer typed it.

        Raises: Unavailable.
        """
        now_ms = self._clock()
        product = await self._admit(api_key, now_ms)
        if isinstance(product, Answer):
            return product
        license_ = await self._license(product, call.key)
        verdict = judge(product, license_, call, now_ms=now_ms)
        if verdict.registers is not None:
            verdict = await self._register(product, call, verdict, now_ms)
        if verdict.valid and verdict.ip_registered and verdict.license and call.address:
            self._seen.note(verdict.license.id, call.address, now_ms=now_ms)
        return Answer(verdict)

    async def lookup(self, api_key: str, key: str) -> Details | Answer:
        """Return what is known of a license of this product, counted against its quota; changes nothing.

        Raises: Unavailable.
        """
        now_ms = self._clock()
        product = await self._admit(api_key, now_ms)
        if isinstance(product, Answer):
            return product
        if product.product is None or len(key) > LICENSE_KEY_MAX_LENGTH:
            return _NOT_FOUND
        product_id, digest = product.product.id, self._vault.digest(tidy(key))
        view = await self._store.read(lambda tx: tx.licenses.view_by_key(product_id, digest))
        if view is None:
            return _NOT_FOUND
        status = license_status(view.license, view.product, now_ms=now_ms)
        return Details(view, self._vault.reveal(view.key), status)

    async def knows(self, api_key: str) -> bool:
        """Tell whether a key is some product's, counting nothing.

        Raises: Unavailable.
        """
        product = await self._store.snapshots.product(api_key_digest(api_key))
        return product is not None and not _has_ended(product, self._clock())

    async def _admit(self, api_key: str, now_ms: int) -> ProductSnapshot | Answer:
        product = await self._store.snapshots.product(api_key_digest(api_key))
        if product is None or _has_ended(product, now_ms):
            return _INVALID_API_KEY
        if product.product is not None:
            limit = self._plans.named(product.plan).calls_per_product_per_day
            wait_s = await self._usage.spend(product.product.id, limit=limit, now_ms=now_ms)
            if wait_s:
                return Answer(Verdict(Status.RATE_LIMIT_EXCEEDED), wait_s)
        return product

    async def _license(self, product: ProductSnapshot, key: str) -> LicenseSnapshot | None:
        if product.product is None:
            return None
        return await self._store.snapshots.license(product.product.id, self._vault.digest(tidy(key)))

    async def _register(self, product: ProductSnapshot, call: Call, planned: Verdict, now_ms: int) -> Verdict:
        """Take a seat under a lock: judge again what is stored, and answer only when it is durable."""
        license_id = planned.license.id if planned.license else 0

        def work(tx: Transaction) -> Steps[Verdict]:
            license_ = yield from tx.licenses.lock_snapshot(license_id)
            current = (yield from tx.products.snapshot(product.product.id)) if product.product else None
            verdict = judge(current or product, license_, call, now_ms=now_ms)
            if verdict.registers is not None:
                yield from tx.addresses.insert(license_id, verdict.registers, now_ms=now_ms)
            return verdict

        return await self._store.write(work)


def _has_ended(product: ProductSnapshot, now_ms: int) -> bool:
    return product.key_valid_until_ms is not None and product.key_valid_until_ms <= now_ms
