"""What products ask over HTTP: is this license good, and what is known of it."""

from collections.abc import Hashable
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from licensing.choices import KeyScope
from licensing.custom import merged
from licensing.keys import LICENSE_KEY_MAX_LENGTH, api_key_digest, tidy
from licensing.models import LicenseView, Product
from licensing.ports import Clock, Steps, Store, Transaction, Vault
from licensing.services.limits import Limits, Reason
from licensing.services.logs import AttemptLog, RefusalLog
from licensing.services.organizations import Plans
from licensing.services.usage import LastSeen, UsageMeter
from licensing.verdict import (
    STRICT,
    Call,
    LicenseSnapshot,
    Outcome,
    ProductSnapshot,
    Status,
    Step,
    Verdict,
    judge,
    license_status,
    trace,
)

SETTLED_CALLERS = 16  # answers remembered of a license


class Answer(NamedTuple):
    """A verdict with what belongs to its answer.

    `product` is None where the API key is nobody's. Turned away before the license was looked at, `reason` says why
    and `retry_after_s` when to come back.
    """

    verdict: Verdict
    product: ProductSnapshot | None = None
    custom: str | None = None
    support_code: str | None = None
    reason: Reason | None = None
    retry_after_s: int | None = None

    @property
    def status(self) -> Status:
        """The status as this product's clients know it."""
        status, product = self.verdict.status, self.product and self.product.product
        return STRICT.get(status, status) if product and product.settings.strict_statuses else status

    @property
    def explains(self) -> bool:
        """Whether the body of a refusal says more."""
        return bool(self.product and self.product.product and self.product.product.settings.explain)


class Judged(NamedTuple):
    """A verdict and what it was judged on."""

    verdict: Verdict
    product: ProductSnapshot
    license: LicenseSnapshot | None


@dataclass(frozen=True, slots=True)
class Details:
    """Everything a look-up tells of a license."""

    view: LicenseView
    key: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What a validation leaves behind in memory, to be written later."""

    usage: UsageMeter
    seen: LastSeen
    attempts: AttemptLog
    refusals: RefusalLog


class ValidationService:
    """Judges calls on cached snapshots; only a seat to be taken waits for the disk."""

    def __init__(
        self, store: Store, vault: Vault, *, plans: Plans, limits: Limits, traces: Traces, clock: Clock
    ) -> None:
        self._store = store
        self._vault = vault
        self._plans = plans
        self._limits = limits
        self._traces = traces
        self._clock = clock

    async def validate(self, api_key: str, call: Call) -> Answer:
        """Answer a validation; the key in `call` is as the customer typed it.

        Raises: Unavailable.
        """
        now_ms = self._clock()
        product = await self.product(api_key)
        if product is None:
            return self._unknown(call.address, now_ms)
        if product.product is None:
            return Answer(judge(product, None, call, now_ms=now_ms), product)
        digest = self._vault.digest(tidy(call.key))
        turned_away = await self._turned_away(product, product.product, call, digest, now_ms)
        if turned_away is not None:
            return turned_away
        try:
            answer = await self._judged(product, product.product, call, digest, now_ms)
        except BaseException:
            self._traces.usage.note(product.product.id, Status.UNAVAILABLE, now_ms=now_ms)
            raise
        self._traces.usage.note(product.product.id, answer.verdict.status, now_ms=now_ms)
        return answer

    async def lookup(self, api_key: str, key: str, *, address: str | None = None) -> Details | Answer:
        """Return what is known of a license of this product, counted against its quota; changes nothing.

        Raises: Unavailable.
        """
        now_ms = self._clock()
        found = await self.product(api_key)
        if found is None:
            return self._unknown(address, now_ms)
        if found.scope is not KeyScope.FULL:
            return Answer(Verdict(Status.INVALID_API_KEY), found)
        if found.product is None or len(key) > LICENSE_KEY_MAX_LENGTH:
            return Answer(Verdict(Status.LICENSE_NOT_FOUND), found)
        product_id, digest = found.product.id, self._vault.digest(tidy(key))
        turned_away = await self._turned_away(found, found.product, Call(key, address), digest, now_ms)
        if turned_away is not None:
            return turned_away
        self._traces.usage.note(product_id, "lookup", now_ms=now_ms)
        view = await self._store.read(lambda tx: tx.licenses.view_by_key(product_id, digest))
        if view is None:
            self._limits.failed(address, now_ms=now_ms)
            return Answer(Verdict(Status.LICENSE_NOT_FOUND), found)
        status = license_status(view.license, view.product, now_ms=now_ms)
        return Details(view, self._vault.reveal(view.key), status)

    async def product(self, api_key: str) -> ProductSnapshot | None:
        """Return the product of a key that is good now, counting nothing.

        Raises: Unavailable.
        """
        product = await self._store.snapshots.product(api_key_digest(api_key))
        return None if product is None or _has_ended(product, self._clock()) else product

    def unknown_key(self, address: str | None) -> Answer:
        """Return what a caller is told whose API key is nobody's; too many such calls are turned away."""
        return self._unknown(address, self._clock())

    def _unknown(self, address: str | None, now_ms: int) -> Answer:
        wait_ms = self._limits.guesses(address, now_ms=now_ms)
        if wait_ms:
            verdict = Verdict(Status.RATE_LIMIT_EXCEEDED)
            return Answer(verdict, reason=Reason.FAILURES, retry_after_s=_seconds(wait_ms))
        self._limits.failed(address, now_ms=now_ms)
        return Answer(Verdict(Status.INVALID_API_KEY))

    async def _turned_away(
        self, found: ProductSnapshot, product: Product, call: Call, digest: bytes, now_ms: int
    ) -> Answer | None:
        """Take a call from every limit, or from none and tell which one is used up for longest."""
        usage, quota = self._traces.usage, self._plans.named(found.plan).calls_per_product_per_day
        guesses_ms = await self._guesses_ms(product.id, call.address, digest, now_ms)
        spent = self._limits.spend(product.id, call.address, digest, guesses_ms=guesses_ms, now_ms=now_ms)
        if spent is None:
            wait_ms = 1000 * await usage.spend(product.id, limit=quota, now_ms=now_ms)
            if not wait_ms:
                return None
            self._limits.refund(product.id, call.address, digest)
            return self._refused(found, product, call, (Reason.QUOTA, wait_ms), now_ms)
        wait_ms = 1000 * await usage.wait_s(product.id, limit=quota, now_ms=now_ms)
        return self._refused(found, product, call, max(spent, (Reason.QUOTA, wait_ms), key=itemgetter(1)), now_ms)

    async def _guesses_ms(self, product_id: int, address: str | None, digest: bytes, now_ms: int) -> int:
        """Return how long a guesser must wait, who learns nothing; a customer known at that address need not."""
        guesses_ms = self._limits.guesses(address, now_ms=now_ms)
        if not guesses_ms:
            return 0
        license_ = await self._store.snapshots.license(product_id, digest)
        return 0 if license_ is not None and address in license_.addresses else guesses_ms

    def _refused(
        self, found: ProductSnapshot, product: Product, call: Call, why: tuple[Reason, int], now_ms: int
    ) -> Answer:
        reason, wait_s = why[0], _seconds(why[1])
        status = Status.RATE_LIMIT_EXCEEDED
        self._traces.usage.note(product.id, status, now_ms=now_ms)
        code = self._traces.refusals.known(product.id, None, status, call, now_ms=now_ms)
        if code is None:
            steps = [Step("limits", Outcome.FAILED, status, {"reason": reason, "retry_after_s": wait_s})]
            code = self._traces.refusals.add(product, None, status, call, steps, now_ms=now_ms)
        return Answer(Verdict(status), found, None, code, reason, wait_s)

    async def _judged(
        self, found: ProductSnapshot, product: Product, call: Call, digest: bytes, now_ms: int
    ) -> Answer:
        license_ = await self._store.snapshots.license(product.id, digest)
        if license_ is not None:
            answer = _settled(found, license_, call, now_ms)
            if answer is not None:
                self._note(product, license_.license.id, call, answer.verdict, now_ms)
                return answer
        judged = Judged(judge(found, license_, call, now_ms=now_ms), found, license_)
        if judged.verdict.takes_a_seat:
            judged = await self._register(found, product.id, call, judged.verdict, now_ms)
        answer = self._answer(judged, product, call, now_ms)
        if answer.verdict.valid and judged.license is license_ and license_ is not None:
            _settle(found, license_, call, answer)
        return answer

    def _answer(self, judged: Judged, product: Product, call: Call, now_ms: int) -> Answer:
        verdict, found, _license = judged
        if verdict.license is not None:
            self._note(product, verdict.license.id, call, verdict, now_ms)
        if not verdict.valid:
            if verdict.status is Status.LICENSE_NOT_FOUND:
                self._limits.failed(call.address, now_ms=now_ms)
            code = self._support_code(judged, product, call, now_ms)
            return Answer(verdict, found, None, code)
        override = verdict.license.custom if verdict.license else None
        custom = merged(product.custom, override) if product.settings.custom_response else None
        return Answer(verdict, found, custom)

    def _note(self, product: Product, license_id: int, call: Call, verdict: Verdict, now_ms: int) -> None:
        self._traces.attempts.note(license_id, verdict.status, call, now_ms=now_ms)
        if not verdict.valid:
            return
        if verdict.ip_registered and call.address:
            self._traces.seen.note(license_id, call.address, now_ms=now_ms)
        if product.settings.max_devices is not None:
            self._traces.seen.note_device(license_id, call.device_id or "", now_ms=now_ms)

    def _support_code(self, judged: Judged, product: Product, call: Call, now_ms: int) -> str:
        verdict, found, license_ = judged
        license_id = verdict.license.id if verdict.license else None
        code = self._traces.refusals.known(product.id, license_id, verdict.status, call, now_ms=now_ms)
        if code is not None:
            return code
        steps = trace(found, license_, call, now_ms=now_ms)
        return self._traces.refusals.add(product, license_id, verdict.status, call, steps, now_ms=now_ms)

    async def _register(
        self, product: ProductSnapshot, product_id: int, call: Call, planned: Verdict, now_ms: int
    ) -> Judged:
        """Take seats under a lock: judge again what is stored, and answer only when it is durable."""
        license_id = planned.license.id if planned.license else 0

        def work(tx: Transaction) -> Steps[Judged]:
            license_ = yield from tx.licenses.lock_snapshot(license_id)
            current = (yield from tx.products.snapshot(product_id, cached=product)) or product
            verdict = judge(current, license_, call, now_ms=now_ms)
            if verdict.registers is not None:
                yield from tx.addresses.insert(license_id, verdict.registers, now_ms=now_ms)
            if verdict.registers_device is not None:
                yield from tx.addresses.insert_device(license_id, verdict.registers_device, now_ms=now_ms)
            return Judged(verdict, current, license_)

        return await self._store.write(work)


def _settled(found: ProductSnapshot, license_: LicenseSnapshot, call: Call, now_ms: int) -> Answer | None:
    """Return what this caller was answered, if it is as true now: only the clock can have changed it.

    Judging is pure, and whatever else it looks at is in the two snapshots, which are made anew when they change.
    """
    answer: Answer | None = license_.settled.get(_caller(found, call))
    if answer is None or answer.product is not found:
        return None
    end_ms = license_.license.expires_at_ms
    return answer if end_ms is None or now_ms < end_ms else None


def _settle(found: ProductSnapshot, license_: LicenseSnapshot, call: Call, answer: Answer) -> None:
    if len(license_.settled) >= SETTLED_CALLERS:  # callers choose what version they name
        license_.settled.clear()
    license_.settled[_caller(found, call)] = answer


def _caller(found: ProductSnapshot, call: Call) -> Hashable:
    """Return all that a verdict depends on of a call; its hash takes a while, so an ip only where any is blocked."""
    return call.address, call.version, call.device_id, call.ip if found.blacklist else None


def _has_ended(product: ProductSnapshot, now_ms: int) -> bool:
    return product.key_valid_until_ms is not None and product.key_valid_until_ms <= now_ms


def _seconds(ms: int) -> int:
    return -(-ms // 1000)
