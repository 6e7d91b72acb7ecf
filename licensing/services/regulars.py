"""Callers that come again: what they were answered, and all that counting them again takes."""

import math
from collections.abc import Hashable
from weakref import ref

from licensing.models import Product
from licensing.services.answers import Answer, Regular
from licensing.services.limits import Meter
from licensing.services.logs import attempt_of
from licensing.services.seats import Judged
from licensing.services.usage import Seat
from licensing.verdict import Call, ProductSnapshot, Verdict

SETTLED_ANSWERS = 50_000  # remembered of a product
SETTLED_LENGTH = 64  # of a version or a device; what is longer is judged anew
SETTLED_SEATS = 64  # of a license: each new seat makes it anew, and callers would hold on to every one there was


def settled(found: ProductSnapshot, call: Call, digest: bytes) -> Answer | None:
    """Return what this caller was answered on this snapshot of the product; it may be true no more."""
    answer: Answer | None = found.settled.get(_caller(found, call, digest))
    return answer


def settle(found: ProductSnapshot, call: Call, answer: Answer, regular: Regular | None) -> Answer:
    """Remember an answer that nothing had to be stored for; callers choose what they name, so not without end."""
    if regular is None or max(len(call.version or ""), len(call.device_id or "")) > SETTLED_LENGTH:
        return answer
    settled_ = answer._replace(regular=regular)
    if len(found.settled) >= SETTLED_ANSWERS:
        found.settled.clear()
    found.settled[_caller(found, call, regular.key[1])] = settled_
    return settled_


def _caller(found: ProductSnapshot, call: Call, digest: bytes) -> Hashable:
    """Return all that a verdict depends on of a call; its hash takes a while, so an ip only where any is blocked."""
    ip = call.ip if found.blacklist else None
    return digest, call.address, call.version, call.device_id, ip


def regular_of(
    judged: Judged, call: Call, digest: bytes, *, meter: Meter, quota: int | None, now_ms: int
) -> Regular | None:
    """Return what counts a call again that was answered as good."""
    verdict, found, license_ = judged
    if license_ is None or found.product is None:
        return None
    if len(license_.addresses) + len(license_.devices) > SETTLED_SEATS:
        return None
    # A license whose end is past and that is good all the same will not end again.
    ends = [end for end in (license_.expires_at_ms, found.key_valid_until_ms) if end is not None and end > now_ms]
    seat, device = seats_of(found.product, license_.id, call, verdict)
    return Regular(
        product=ref(found),
        license=license_,
        key=(license_.product_id, digest),
        until_ms=min(ends, default=math.inf),
        quota=quota,
        meter=meter,
        attempt=attempt_of(license_.id, verdict.status, call),
        seat=seat,
        device=device,
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
