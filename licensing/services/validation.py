"""What products ask over HTTP: is this license good, and what is known of it."""

from collections.abc import Hashable
from operator import itemgetter

from licensing.choices import KeyScope
from licensing.custom import merged
from licensing.keys import LICENSE_KEY_MAX_LENGTH, tidy
from licensing.models import Product
from licensing.ports import Clock, Store, Vault
from licensing.services.answers import Answer, Details
from licensing.services.limits import Limits, Reason
from licensing.services.organizations import Plans
from licensing.services.regulars import Regulars, regular_of, seats_of
from licensing.services.seats import Judged, Seats
from licensing.services.traces import Traces
from licensing.services.trails import attempt_of
from licensing.verdict import (
    Call,
    Outcome,
    ProductSnapshot,
    Status,
    Step,
    Verdict,
    judge,
    license_status,
    trace,
)


class ValidationService:
    """Judges calls on cached snapshots; only a seat to be taken waits for the disk."""

    def __init__(
        self, store: Store, vault: Vault, *, plans: Plans, limits: Limits, traces: Traces, clock: Clock
    ) -> None:
        self._store = store
        self._seats = Seats(store)
        self._vault = vault
        self._plans = plans
        self._limits = limits
        self._traces = traces
        self._clock = clock
        self.regulars = Regulars(store, limits=limits, traces=traces, clock=clock)

    async def validate(self, api_key: str, call: Call) -> Answer:
        """Answer a validation; the key in `call` is as the customer typed it.

        Raises: Unavailable.
        """
        known = self.regulars.known(api_key, call)
        if known is not None:
            return known
        now_ms = self._clock()
        product = await self.product(api_key)
        if product is None:
            return self.unknown_key(call.address)
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
            return self.unknown_key(address)
        if found.scope is not KeyScope.FULL:
            return Answer(Verdict(Status.INVALID_API_KEY), found)
        if found.product is None or len(key) > LICENSE_KEY_MAX_LENGTH:
            return Answer(Verdict(Status.LICENSE_NOT_FOUND), found)
        product_id, digest = found.product.id, self._vault.digest(tidy(key))
        turned_away = await self._turned_away(found, found.product, Call(key, address), digest, now_ms, looks_up=True)
        if turned_away is not None:
            return turned_away
        self._traces.usage.note(product_id, "lookup", now_ms=now_ms)
        view = await self._store.read(lambda tx: tx.licenses.view_by_key(product_id, digest))
        if view is None:
            return Answer(Verdict(Status.LICENSE_NOT_FOUND), found)
        status = license_status(view.license, view.product, now_ms=now_ms)
        return Details(view, self._vault.reveal(view.key), status)

    async def product(self, api_key: str) -> ProductSnapshot | None:
        """Return the product of a key that is good now, counting nothing.

        Raises: Unavailable.
        """
        product = await self._store.snapshots.product(self.regulars.digest_of(api_key))
        return None if product is None or _has_ended(product, self._clock()) else product

    def unknown_key(self, address: str | None) -> Answer:
        """Return what a caller is told whose API key is nobody's; too many such calls are turned away."""
        now_ms = self._clock()
        wait_ms = self._limits.guesses(None, address, now_ms=now_ms)
        if wait_ms:
            verdict = Verdict(Status.RATE_LIMIT_EXCEEDED)
            return Answer(verdict, reason=Reason.FAILURES, retry_after_s=_seconds(wait_ms))
        self._limits.failed(None, address, now_ms=now_ms)
        return Answer(Verdict(Status.INVALID_API_KEY))

    async def _turned_away(
        self,
        found: ProductSnapshot,
        product: Product,
        call: Call,
        digest: bytes,
        now_ms: int,
        *,
        looks_up: bool = False,
    ) -> Answer | None:
        """Take a call from every limit, or from none and tell which one is used up for longest.

        A look-up needs the product's own key, so whoever looks up unknown keys is the shop's server, not a guesser.
        """
        usage, quota = self._traces.usage, self._plans.named(found.plan).calls_per_product_per_day
        guesses_ms = 0 if looks_up else await self._guesses_ms(product.id, call.address, digest, now_ms)
        spent = self._limits.spend(
            product.id, call.address, digest, quota=quota, guesses_ms=guesses_ms, now_ms=now_ms
        )
        if spent is None:
            wait_ms = 1000 * await usage.spend(product.id, limit=quota, now_ms=now_ms)
            if not wait_ms:
                return None
            self._limits.take_back(product.id, call.address, digest, quota=quota, now_ms=now_ms)
            return self._refused(found, product, call, (Reason.QUOTA, wait_ms), now_ms)
        wait_ms = 1000 * await usage.wait_s(product.id, limit=quota, now_ms=now_ms)
        return self._refused(found, product, call, max((Reason.QUOTA, wait_ms), spent, key=itemgetter(1)), now_ms)

    async def _guesses_ms(self, product_id: int, address: str | None, digest: bytes, now_ms: int) -> int:
        """Return how long a guesser must wait, who learns nothing; a customer known at that address need not."""
        guesses_ms = self._limits.guesses(product_id, address, now_ms=now_ms)
        if not guesses_ms:
            return 0
        license_ = await self._store.snapshots.license(product_id, digest)
        if license_ is None:
            return guesses_ms
        known = address in license_.addresses or self._limits.is_welcome(license_.id, address)
        return 0 if known else guesses_ms

    def _refused(
        self, found: ProductSnapshot, product: Product, call: Call, why: tuple[Reason, int], now_ms: int
    ) -> Answer:
        reason, wait_s = why[0], _seconds(why[1])
        status = Status.RATE_LIMIT_EXCEEDED
        self._traces.usage.note(product.id, status, now_ms=now_ms)
        code = self._traces.refusals.known(product.id, None, status, call, over=reason, now_ms=now_ms)
        if code is None:
            steps = [Step("limits", Outcome.FAILED, status, {"reason": reason, "retry_after_s": wait_s})]
            code = self._traces.refusals.add(product, None, status, call, steps, over=reason, now_ms=now_ms)
        return Answer(Verdict(status), found, None, code, reason, wait_s)

    async def _judged(
        self, found: ProductSnapshot, product: Product, call: Call, digest: bytes, now_ms: int
    ) -> Answer:
        license_ = await self._store.snapshots.license(product.id, digest)
        judged = Judged(judge(found, license_, call, now_ms=now_ms), found, license_)
        if judged.verdict.takes_a_seat:
            judged = await self._seats.take(judged, call, now_ms=now_ms)
        answer = self._answer(judged, product, call, now_ms)
        if answer.verdict.valid and judged.license is license_ and license_ is not None:
            self._limits.welcome(license_.id, call.address)
            entry = self._store.snapshots.entry(found, (product.id, digest), license_)
            if entry is not None:  # many come but once
                meter = self._limits.meter(product.id, call.address, digest)
                quota = self._plans.named(found.plan).calls_per_product_per_day
                regular = regular_of(judged, call, entry=entry, meter=meter, quota=quota, now_ms=now_ms)
                return self.regulars.remember(found, call, answer, regular)
        return answer

    def _answer(self, judged: Judged, product: Product, call: Call, now_ms: int) -> Answer:
        verdict, found, _license = judged
        product = found.product or product  # as it was when the seat was taken
        if verdict.license is not None:
            self._note(product, verdict.license.id, call, verdict, now_ms)
        if not verdict.valid:
            if verdict.status is Status.LICENSE_NOT_FOUND:
                self._limits.failed(product.id, call.address, now_ms=now_ms)
            code = self._support_code(judged, product, call, now_ms)
            return Answer(verdict, found, None, code)
        override = verdict.license.custom if verdict.license else None
        custom = merged(product.custom, override) if product.settings.custom_response else None
        return Answer(verdict, found, custom)

    def _note(self, product: Product, license_id: int, call: Call, verdict: Verdict, now_ms: int) -> None:
        seat, device = seats_of(product, license_id, call, verdict)
        self._traces.note(attempt_of(license_id, verdict.status, call), seat, device, now_ms=now_ms)

    def _support_code(self, judged: Judged, product: Product, call: Call, now_ms: int) -> str:
        verdict, found, license_ = judged
        license_id = verdict.license.id if verdict.license else None
        over = _over(judged, product, call)
        code = self._traces.refusals.known(product.id, license_id, verdict.status, call, over=over, now_ms=now_ms)
        if code is not None:
            return code
        steps = trace(found, license_, call, now_ms=now_ms)
        return self._traces.refusals.add(product, license_id, verdict.status, call, steps, over=over, now_ms=now_ms)


def _over(judged: Judged, product: Product, call: Call) -> Hashable:
    """Return what a license was refused over, as little as tells whether its trace is still true."""
    status, license_ = judged.verdict.status, judged.license
    if license_ is None:
        return None
    settings = product.settings
    if status is Status.IP_LIMIT_REACHED:
        return len(license_.addresses), license_.max_ips, settings.auto_register
    if status is Status.DEVICE_LIMIT_REACHED:
        return call.device_id, len(license_.devices), settings.max_devices
    if status is Status.VERSION_NOT_ALLOWED:
        pin = license_.version_pinned, license_.version_min, license_.version_max
        return call.version, judged.product.versions.judge(call.version), pin
    return license_.expires_at_ms if status is Status.EXPIRED else None


def _has_ended(product: ProductSnapshot, now_ms: int) -> bool:
    return product.key_valid_until_ms is not None and product.key_valid_until_ms <= now_ms


def _seconds(ms: int) -> int:
    return -(-ms // 1000)
