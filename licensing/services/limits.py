"""How often one address, one license and a guesser may ask: taken before the quota, so that none can burn it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from licensing.throttle import Throttle

MINUTE_MS = 60_000


class Reason(StrEnum):
    """Why a call was turned away before its license was looked at."""

    ADDRESS = "address"
    LICENSE = "license"
    FAILURES = "failures"
    QUOTA = "quota"


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls a minute, which may also come all at once; 0 is no limit."""

    address_per_minute: int = 0
    license_per_minute: int = 0
    failures_per_minute: int = 0


class Limits:
    """Counts in memory, per process.

    An address that cannot be known is not counted: behind a proxy that is not trusted everybody shares it.
    """

    def __init__(self, rates: Rates, *, guessing: Callable[[str], None] = lambda _: None) -> None:
        self._addresses = _throttle(rates.address_per_minute)
        self._licenses = _throttle(rates.license_per_minute)
        self._failures = _throttle(rates.failures_per_minute)
        self._guessing = guessing

    def spend(self, product_id: int, address: str | None, digest: bytes, *, now_ms: int) -> tuple[Reason, int] | None:
        """Count a call of a license; return why it is turned away and for how many milliseconds."""
        if self._addresses is not None and address is not None:
            wait_ms = self._addresses.spend((product_id, address), now_ms=now_ms)
            if wait_ms:
                return Reason.ADDRESS, wait_ms
        if self._licenses is not None:
            wait_ms = self._licenses.spend((product_id, digest), now_ms=now_ms)
            if wait_ms:
                return Reason.LICENSE, wait_ms
        return None

    def failed(self, address: str | None, *, now_ms: int) -> None:
        """Count an unknown key against the address that tried it; who tries too many is pointed out once."""
        if self._failures is None or address is None:
            return
        self._failures.spend(address, now_ms=now_ms)
        if self._failures.wait_ms(address, now_ms=now_ms):
            self._guessing(address)

    def guesses(self, address: str | None, *, now_ms: int) -> int:
        """Return for how many milliseconds an address that tried too many unknown keys is not believed."""
        if self._failures is None or address is None:
            return 0
        return self._failures.wait_ms(address, now_ms=now_ms)


def _throttle(per_minute: int) -> Throttle | None:
    return Throttle(burst=per_minute, period_ms=max(1, MINUTE_MS // per_minute)) if per_minute else None
