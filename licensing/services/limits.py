"""How often one address, one license and a guesser may ask: taken before the quota, so that none can burn it.

With a daily quota no license and no address is given more than its share of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple

from licensing.throttle import DAY_MS, Rate, Tallies, Tally, Throttle

MINUTE_MS = 60_000
WELCOME_AT_MOST = 50_000
ALL_OF_IT = 100  # percent


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


class Meter(NamedTuple):
    """What the caller of a license is counted by: nothing that comes for the first time, or cannot be known."""

    address: Tally | None
    license: Tally | None

    @property
    def is_kept(self) -> bool:
        """Whether others who are counted by the same still find these tallies."""
        address, license_ = self
        return (license_ is None or license_.is_kept) and (address is None or address.is_kept)


class Limits:
    """Counts in memory, per process.

    An address that cannot be known is not counted: behind a proxy that is not trusted everybody shares it.
    """

    def __init__(self, rates: Rates, *, guessing: Callable[[str], None] = lambda _: None) -> None:
        self._address_rate = _rate(rates.address_per_minute)
        self._license_rate = _rate(rates.license_per_minute)
        self._failures = _throttle(rates.failures_per_minute)
        self._address_percent = rates.address_quota_percent
        self._license_percent = rates.license_quota_percent
        self._guessing = guessing
        self._addresses = Tallies(self._address_rate)
        self._licenses = Tallies(self._license_rate)
        self._welcome: dict[tuple[int, str], None] = {}

    def meter(self, product_id: int, address: str | None, digest: bytes) -> Meter:
        """Return what a caller of a license is counted by."""
        of_address = self._addresses.of((product_id, address)) if address is not None else None
        return Meter(of_address, self._licenses.of((product_id, digest)))

    def take(self, meter: Meter, *, quota: int | None, now_ms: int) -> bool:
        """Take a call from every limit, as nearly always there is one, or from none."""
        address, license_ = meter
        if quota is not None and not self._has_shares(meter, quota, now_ms // DAY_MS):
            return False
        of_address, of_license = self._address_rate, self._license_rate
        if of_address is not None and address is not None and not of_address.take(address, now_ms=now_ms):
            return False
        if of_license is not None and license_ is not None and not of_license.take(license_, now_ms=now_ms):
            if of_address is not None and address is not None:
                of_address.refund(address)
            return False
        if quota is not None:
            _share(meter, 1, day=now_ms // DAY_MS)
        return True

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

        That is the longest wait there is, `guesses_ms` among them: whoever keeps it is let through.
        """
        of_address, of_license = (product_id, address), (product_id, digest)
        known = self._addresses.find(of_address) if address is not None else None
        meter = Meter(known, self._licenses.find(of_license))
        if not guesses_ms and self.take(meter, quota=quota, now_ms=now_ms):
            if known is None and address is not None:
                self._addresses.come(of_address, now_ms=now_ms)
            if meter.license is None:
                self._licenses.come(of_license, now_ms=now_ms)
            return None  # of the many keys that a guesser tries nothing is kept
        waits = [(Reason.FAILURES, guesses_ms), *self._waits(meter, quota, now_ms)]
        return max(waits, key=itemgetter(1))

    def take_back(
        self, product_id: int, address: str | None, digest: bytes, *, quota: int | None, now_ms: int
    ) -> None:
        """Take a call back that was let through here and turned away elsewhere; nothing is kept of strangers."""
        of_address = self._addresses.take_back((product_id, address)) if address is not None else None
        meter = Meter(of_address, self._licenses.take_back((product_id, digest)))
        self.refund(meter, quota=quota, now_ms=now_ms)

    def refund(self, meter: Meter, *, quota: int | None, now_ms: int) -> None:
        """Take a call back that was turned away for another reason."""
        if self._address_rate is not None and meter.address is not None:
            self._address_rate.refund(meter.address)
        if self._license_rate is not None and meter.license is not None:
            self._license_rate.refund(meter.license)
        if quota is not None:
            _share(meter, -1, day=now_ms // DAY_MS)

    def _has_shares(self, meter: Meter, quota: int, day: int) -> bool:
        """Tell whether neither took its share; one of all of the quota is none, for the quota itself tells."""
        address, license_ = meter
        percent = self._license_percent
        if percent < ALL_OF_IT and license_ is not None and license_.of_day(day) * 100 >= quota * percent:
            return False
        percent = self._address_percent
        return address is None or percent >= ALL_OF_IT or address.of_day(day) * 100 < quota * percent

    def _waits(self, meter: Meter, quota: int | None, now_ms: int) -> list[tuple[Reason, int]]:
        waits = []
        for reason, rate, tally, percent in (
            (Reason.ADDRESS, self._address_rate, meter.address, self._address_percent),
            (Reason.LICENSE, self._license_rate, meter.license, self._license_percent),
        ):
            if tally is None:
                continue
            if rate is not None:
                waits.append((reason, rate.wait_ms(tally, now_ms=now_ms)))
            shares = quota is not None and percent < ALL_OF_IT
            if shares and quota is not None and tally.of_day(now_ms // DAY_MS) * 100 >= quota * percent:
                waits.append((reason, DAY_MS - now_ms % DAY_MS))
        return waits

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


def _share(meter: Meter, calls: int, *, day: int) -> None:
    if meter.license is not None:
        meter.license.add(calls, day=day)
    if meter.address is not None:
        meter.address.add(calls, day=day)


def _rate(per_minute: int) -> Rate | None:
    return Rate(burst=per_minute, period_ms=MINUTE_MS / per_minute) if per_minute else None


def _throttle(per_minute: int) -> Throttle | None:
    return Throttle(burst=per_minute, period_ms=MINUTE_MS / per_minute) if per_minute else None
