"""How often one address, one license and a guesser may ask: taken before the quota, so that none can burn it."""

from collections.abc import Callable, Hashable
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

    def spend(
        self, product_id: int, address: str | None, digest: bytes, *, guesses_ms: int = 0, now_ms: int
    ) -> tuple[Reason, int] | None:
        """Count a call of a license, or count nothing and return why it is turned away and for how many milliseconds.

        That is the longest wait there is, `guesses_ms` among them: whoever keeps it is let through.
        """
        counts = self._counts(product_id, address, digest)
        reason, longest_ms = Reason.FAILURES, guesses_ms
        for why, throttle, key in counts:
            wait_ms = throttle.wait_ms(key, now_ms=now_ms)
            if wait_ms > longest_ms:
                reason, longest_ms = why, wait_ms
        if longest_ms:
            return reason, longest_ms
        for _why, throttle, key in counts:
            throttle.spend(key, now_ms=now_ms)
        return None

    def refund(self, product_id: int, address: str | None, digest: bytes) -> None:
        """Take a call back that was turned away for another reason."""
        for _why, throttle, key in self._counts(product_id, address, digest):
            throttle.refund(key)

    def _counts(self, product_id: int, address: str | None, digest: bytes) -> list[tuple[Reason, Throttle, Hashable]]:
        counts: list[tuple[Reason, Throttle, Hashable]] = []
        if self._addresses is not None and address is not None:
            counts.append((Reason.ADDRESS, self._addresses, (product_id, address)))
        if self._licenses is not None:
            counts.append((Reason.LICENSE, self._licenses, (product_id, digest)))
        return counts

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
    return Throttle(burst=per_minute, period_ms=MINUTE_MS / per_minute) if per_minute else None
