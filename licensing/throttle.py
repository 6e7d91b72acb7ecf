"""A rate limit by GCRA: one number per key, no timers."""

from collections.abc import Hashable
from operator import itemgetter

_MAX_KEYS = 50_000


class Throttle:
    """Allow `burst` at once, and one more every `period_ms`."""

    def __init__(self, *, burst: int, period_ms: int) -> None:
        self._period_ms = period_ms
        self._tolerance_ms = burst * period_ms
        self._full_at_ms: dict[Hashable, int] = {}

    def spend(self, key: Hashable, *, now_ms: int) -> int:
        """Take one and return 0, or take none and return the milliseconds until there is one."""
        full_at = max(self._full_at_ms.get(key, 0), now_ms) + self._period_ms
        wait_ms = full_at - now_ms - self._tolerance_ms
        if wait_ms > 0:
            return wait_ms
        if key not in self._full_at_ms and len(self._full_at_ms) >= _MAX_KEYS:
            self._forget(now_ms)
        self._full_at_ms[key] = full_at
        return 0

    def wait_ms(self, key: Hashable, *, now_ms: int) -> int:
        """Return the milliseconds until there is one to take, and take none."""
        full_at = max(self._full_at_ms.get(key, 0), now_ms) + self._period_ms
        return max(0, full_at - now_ms - self._tolerance_ms)

    def refund(self, key: Hashable) -> None:
        """Give one back that was taken in advance."""
        if key in self._full_at_ms:
            self._full_at_ms[key] -= self._period_ms

    def _forget(self, now_ms: int) -> None:
        """Drop who owes nothing; of the others keep the half that owes most, or a flood would fill memory."""
        owing = [(at, key) for key, at in self._full_at_ms.items() if at > now_ms]
        most = sorted(owing, key=itemgetter(0))[-(_MAX_KEYS // 2) :]
        self._full_at_ms = {key: at for at, key in most}
