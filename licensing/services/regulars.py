"""Callers that come again: what they were answered, and all that counting them again takes."""

import math
from collections.abc import Hashable
from functools import lru_cache
from weakref import WeakValueDictionary, ref

from licensing.keys import API_KEY_LENGTH, api_key_digest
from licensing.models import Product
from licensing.ports import Clock, Entry, Store
from licensing.services.answers import Answer, Regular
from licensing.services.limits import Limits, Meter
from licensing.services.seats import Judged
from licensing.services.traces import Traces
from licensing.services.trails import Seat, Trail, attempt_of
from licensing.verdict import Call, ProductSnapshot, Status, Verdict

SETTLED_ANSWERS = 50_000  # remembered of a product
SETTLED_LENGTH = 64  # of a key, a version or a device; what is longer is judged anew
SETTLED_SEATS = 64  # of a license: each new seat makes it anew, and callers would hold on to every one there was
_HASHED = 1_024  # API keys whose hash is remembered


class Regulars:
    """Remembers what callers were answered and counts them again, without judging them again; nothing here waits."""

    def __init__(self, store: Store, *, limits: Limits, traces: Traces, clock: Clock) -> None:
        self._store = store
        self._limits = limits
        self._traces = traces
        self._clock = clock
        self._products: WeakValueDictionary[bytes, ProductSnapshot] = WeakValueDictionary()  # by their API keys
        self._digest_of = lru_cache(_HASHED)(api_key_digest)

    def digest_of(self, api_key: str) -> bytes:
        """Return what an API key is found by; nearly all calls come with few keys, and strangers with any length."""
        return self._digest_of(api_key) if len(api_key) == API_KEY_LENGTH else api_key_digest(api_key)

    def known(self, api_key: str, call: Call) -> Answer | None:
        """Count a call that was answered before and return that answer, if it is as true now; else it must be judged.

        Raises: Unavailable.
        """
        found = self._products.get(self.digest_of(api_key))
        answer: Answer | None = None if found is None else found.settled.get(_caller(found, call))
        if answer is None or answer.regular is None or not self.again(answer.regular):
            return None
        return answer

    def again(self, regular: Regular) -> bool:
        """Count a call that came before, if its answer is as true now and nothing turns it away.

        If not, nothing was counted, and whoever judges it knows why. Nearly all calls come to this.

        Raises: Unavailable.
        """
        now_ms, found, snapshots = self._clock(), regular.product(), self._store.snapshots
        if found is None or now_ms >= regular.until_ms or not regular.meter.is_kept:
            return False
        if not snapshots.are_current(found, regular.entry):
            return False
        if not self._limits.take(regular.meter, quota=regular.quota, now_ms=now_ms):
            return False
        traces = self._traces
        if not traces.usage.count(regular.product_id, Status.ACTIVE, limit=regular.quota, now_ms=now_ms):
            self._limits.refund(regular.meter, quota=regular.quota, now_ms=now_ms)
            return False
        traces.follow(regular.trail, now_ms=now_ms)
        snapshots.hits += 1
        return True

    def remember(self, found: ProductSnapshot, call: Call, answer: Answer, regular: Regular | None) -> Answer:
        """Remember an answer that nothing had to be stored for; callers choose what they name, so not without end."""
        if regular is None or max(len(call.key), len(call.version or ""), len(call.device_id or "")) > SETTLED_LENGTH:
            return answer
        settled = answer._replace(regular=regular)
        if len(found.settled) >= SETTLED_ANSWERS:
            found.settled.clear()
        found.settled[_caller(found, call)] = settled
        if self._products.get(found.api_key_digest) is not found:
            self._products[found.api_key_digest] = found
        return settled


def _caller(found: ProductSnapshot, call: Call) -> Hashable:
    """Return all that a verdict depends on of a call; to hash an ip takes a while, so only where any is blocked.

    The key as it was typed: whoever types it in another way is judged once more, and nobody has it hashed each time.
    """
    return call if found.blacklist else call[:-1]


def regular_of(
    judged: Judged, call: Call, *, entry: Entry, meter: Meter, quota: int | None, now_ms: int
) -> Regular | None:
    """Return what counts a call again that was answered as good."""
    verdict, found, license_ = judged
    if license_ is None or found.product is None:
        return None
    if len(license_.addresses) + len(license_.devices) > SETTLED_SEATS:
        return None
    # A license whose end is past and that is good all the same will not end again.
    ends = [end for end in (license_.expires_at_ms, found.key_valid_until_ms) if end is not None and end > now_ms]
    seats = seats_of(found.product, license_.id, call, verdict)
    return Regular(
        product=ref(found),
        product_id=found.product.id,
        entry=entry,
        until_ms=min(ends, default=math.inf),
        quota=quota,
        meter=meter,
        trail=Trail(attempt_of(license_.id, verdict.status, call), *seats),
    )


def seats_of(
    product: Product | None, license_id: int, call: Call, verdict: Verdict
) -> tuple[Seat | None, Seat | None]:
    """Return the seats of an address and of a device that a good call sits on; a new one has its time already."""
    if product is None or not verdict.valid:
        return None, None
    seat = (license_id, call.address) if verdict.ip_registered and call.address else None
    device = (license_id, call.device_id or "") if product.settings.max_devices is not None else None
    return (
        seat if verdict.registers is None else None,
        device if verdict.registers_device is None else None,
    )
