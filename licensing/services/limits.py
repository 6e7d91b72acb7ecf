"""How often one address, one license and a guesser may ask: taken before the quota, so that none can burn it."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter

from licensing.throttle import Throttle

MINUTE_MS = 60_000
DAY_MS = 86_400_000
WELCOME_AT_MOST = 50_000
SHARERS_AT_MOST = 200_000  # counted anew from there on; a flood of addresses must not fill memory


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
    license_quota_percent: int = 100
    address_quota_percent: int = 100


class Limits:
    """Counts in memory, per process.

    An address that cannot be known is not counted: behind a proxy that is not trusted everybody shares it.
    """

    def __init__(self, rates: Rates, *, guessing: Callable[[str], None] = lambda _: None) -> None:
        self._addresses = _throttle(rates.address_per_minute)
        self._licenses = _throttle(rates.license_per_minute)
        self._failures = _throttle(rates.failures_per_minute)
        self._guessing = guessing
        self._shares = Shares(rates)
        self._welcome: dict[tuple[int, str], None] = {}

    def spend(
        self,
        product_id: int,
        address: str | None,
        digest: bytes,
        *,
        quota: int | None = None,
        guesses_ms: int = 0,
        now_ms: int,
    ) -> tuple[Reason, int] | None:
        """Count a call of a license, or count nothing and return why it is turned away and for how many milliseconds.

        That is the longest wait there is, `guesses_ms` among them: whoever keeps it is let through. With a daily
        `quota`, no license and no address is given more than its share of it.
        """
        of_address = (product_id, address) if address is not None else None
        of_license = (product_id, digest)
        if not guesses_ms and self._took(of_address, of_license, quota, now_ms):
            return None
        waits = [(Reason.FAILURES, guesses_ms)]
        for why, throttle, key in self._counts(of_address, of_license):
            waits.append((why, throttle.wait_ms(key, now_ms=now_ms)))
        if quota is not None:
            waits += self._shares.waits(of_address, of_license, quota=quota, now_ms=now_ms)
        return max(waits, key=itemgetter(1))

    def _took(self, of_address: Hashable, of_license: Hashable, quota: int | None, now_ms: int) -> bool:
        """Take a call from every limit, as nearly always there is one; else give back what was taken."""
        counts = self._counts(of_address, of_license)
        for at, (_why, throttle, key) in enumerate(counts):
            if throttle.spend(key, now_ms=now_ms):
                for _, other, taken in counts[:at]:
                    other.refund(taken)
                return False
        if quota is None or not self._shares.waits(of_address, of_license, quota=quota, now_ms=now_ms):
            if quota is not None:
                self._shares.take(of_address, of_license, 1)
            return True
        for _, throttle, key in counts:
            throttle.refund(key)
        return False

    def refund(self, product_id: int, address: str | None, digest: bytes) -> None:
        """Take a call back that was turned away for another reason."""
        of_address = (product_id, address) if address is not None else None
        for _why, throttle, key in self._counts(of_address, (product_id, digest)):
            throttle.refund(key)
        self._shares.take(of_address, (product_id, digest), -1)

    def _counts(self, of_address: Hashable, of_license: Hashable) -> list[tuple[Reason, Throttle, Hashable]]:
        counts: list[tuple[Reason, Throttle, Hashable]] = []
        if self._addresses is not None and of_address is not None:
            counts.append((Reason.ADDRESS, self._addresses, of_address))
        if self._licenses is not None:
            counts.append((Reason.LICENSE, self._licenses, of_license))
        return counts

    def failed(self, product_id: int | None, address: str | None, *, now_ms: int) -> None:
        """Count an unknown key against the address that tried it; who tries too many is pointed out.

        Each product counts for itself, and unknown API keys (of no product) too: nobody else's customers suffer.
        """
        if self._failures is None or address is None:
            return
        self._failures.spend((product_id, address), now_ms=now_ms)
        if self._failures.wait_ms((product_id, address), now_ms=now_ms):
            self._guessing(address)

    def guesses(self, product_id: int | None, address: str | None, *, now_ms: int) -> int:
        """Return for how many milliseconds an address that tried too many unknown keys is not believed."""
        if self._failures is None or address is None:
            return 0
        return self._failures.wait_ms((product_id, address), now_ms=now_ms)

    def welcome(self, license_id: int, address: str | None) -> None:
        """Remember that a license was good at an address, whoever guesses there."""
        if address is not None:
            if len(self._welcome) >= WELCOME_AT_MOST:
                self._welcome.clear()
            self._welcome[license_id, address] = None

    def is_welcome(self, license_id: int, address: str | None) -> bool:
        """Tell whether a license was good at an address lately."""
        return address is not None and (license_id, address) in self._welcome


class Shares:
    """How much of a product's day each license and each address took; counted only where there is a quota."""

    def __init__(self, rates: Rates) -> None:
        self._license_percent = rates.license_quota_percent
        self._address_percent = rates.address_quota_percent
        self._day = -1
        self._taken: dict[Hashable, int] = {}

    def waits(
        self, of_address: Hashable, of_license: Hashable, *, quota: int, now_ms: int
    ) -> list[tuple[Reason, int]]:
        """Return whose share is used up, and the milliseconds to 00:00 UTC."""
        if now_ms // DAY_MS != self._day or len(self._taken) >= SHARERS_AT_MOST:
            self._day, self._taken = now_ms // DAY_MS, {}
        found, all_of_it = [], 100  # and then the quota itself tells
        percent = self._license_percent
        if percent < all_of_it and self._taken.get(of_license, 0) * 100 >= quota * percent:
            found.append((Reason.LICENSE, DAY_MS - now_ms % DAY_MS))
        percent = self._address_percent
        if percent < all_of_it and of_address is not None and self._taken.get(of_address, 0) * 100 >= quota * percent:
            found.append((Reason.ADDRESS, DAY_MS - now_ms % DAY_MS))
        return found

    def take(self, of_address: Hashable, of_license: Hashable, calls: int) -> None:
        """Add to what a license and an address took."""
        self._taken[of_license] = self._taken.get(of_license, 0) + calls
        self._taken[of_address] = self._taken.get(of_address, 0) + calls


def _throttle(per_minute: int) -> Throttle | None:
    return Throttle(burst=per_minute, period_ms=MINUTE_MS / per_minute) if per_minute else None
