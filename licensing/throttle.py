"""A rate limit by GCRA: one number per key, no timers."""

from collections import OrderedDict
from collections.abc import Hashable
from operator import itemgetter

_MAX_KEYS = 50_000
_LOOKED_AT = 8


class Throttle:
    """Allow `burst` at once, and one more every `period_ms`, which is counted in microseconds."""

    def __init__(self, *, burst: int, period_ms: float) -> None:
        self._period_us = max(1, round(period_ms * 1000))
        self._tolerance_us = burst * self._period_us
        self._full_at_us: OrderedDict[Hashable, int] = OrderedDict()

    def spend(self, key: Hashable, *, now_ms: int) -> int:
        """Take one and return 0, or take none and return the milliseconds until there is one."""
        full_at, wait_ms = self._after_one(key, now_ms)
        if wait_ms > 0:
            return wait_ms
        if key not in self._full_at_us and len(self._full_at_us) >= _MAX_KEYS:
            self._forget_one()
        self._full_at_us[key] = full_at
        return 0

    def wait_ms(self, key: Hashable, *, now_ms: int) -> int:
        """Return the milliseconds until there is one to take, and take none."""
        return max(0, self._after_one(key, now_ms)[1])

    def refund(self, key: Hashable) -> None:
        """Give one back that was taken in advance."""
        if key in self._full_at_us:
            self._full_at_us[key] -= self._period_us

    def _after_one(self, key: Hashable, now_ms: int) -> tuple[int, int]:
        """Return when all would be there again if one were taken now, and in how many milliseconds one is there."""
        now_us = 1000 * now_ms
        full_at = max(self._full_at_us.get(key, 0), now_us) + self._period_us
        return full_at, -(-(full_at - now_us - self._tolerance_us) // 1000)

    def _forget_one(self) -> None:
        """Of those who have been here longest forget the one who owes least: a flood must not free a guesser.

        One at a time, since everybody would have to wait while fifty thousand are put in order.
        """
        longest_here = [self._full_at_us.popitem(last=False) for _ in range(_LOOKED_AT)]
        longest_here.remove(min(longest_here, key=itemgetter(1)))
        self._full_at_us.update(longest_here)
