"""A rate limit by GCRA: one number per key, no timers.

Most keys come but once, a flood's among them. Of these only the time is kept, and none of them pushes out who came
again.
"""

from collections.abc import Hashable
from itertools import islice

DAY_MS = 86_400_000

_MAX_KEYS = 50_000  # that came again
_MAX_NEWCOMERS = 10_000  # twice as many at most
_LOOKED_AT = 256  # keys, of which a quarter are forgotten: a fraction of a millisecond


class Tally:
    """What one key took: when all of its rate is there again, in microseconds, and its part of one UTC day."""

    __slots__ = ("day", "full_at_us", "is_kept", "taken")

    def __init__(self) -> None:
        self.full_at_us = 0
        self.day = -1
        self.taken = 0
        self.is_kept = True

    def of_day(self, day: int) -> int:
        """Return how much was taken on a day."""
        return self.taken if self.day == day else 0

    def add(self, calls: int, *, day: int) -> None:
        """Add to what was taken on a day."""
        if self.day != day:
            self.day, self.taken = day, 0
        self.taken += calls


class Tallies:
    """The tallies of so many keys; whoever holds on to one asks it whether it `is_kept` still.

    Whoever comes for the first time is let through by every rate there is, so a tally waits until they come again.
    Newcomers are kept in two halves: once the young one is full the old one goes.
    """

    def __init__(self, rate: "Rate | None" = None) -> None:
        self._rate = rate
        self._kept: dict[Hashable, Tally] = {}
        self._young: dict[Hashable, int] = {}
        self._old: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._kept) + len(self._young) + len(self._old)

    def find(self, key: Hashable) -> Tally | None:
        """Return the tally of whoever came before, the first time counted; a stranger has none."""
        tally = self._kept.get(key)
        if tally is None:
            tally = self.look(key)
            if tally is not None:
                self._forget_newcomer(key)
                self._keep(key, tally)
        return tally

    def look(self, key: Hashable) -> Tally | None:
        """Return what `find` would; who is only looked at did not come again, and stays a newcomer."""
        tally = self._kept.get(key)
        if tally is not None:
            return tally
        came_ms = self._young.get(key, self._old.get(key))
        if came_ms is None:
            return None
        tally = Tally()
        if self._rate is not None:
            self._rate.take(tally, now_ms=came_ms)
        tally.add(1, day=came_ms // DAY_MS)
        return tally

    def take_back(self, key: Hashable) -> Tally | None:
        """Return the tally to take a call back from; a newcomer, who made no other, is a stranger again."""
        self._forget_newcomer(key)
        return self._kept.get(key)

    def come(self, key: Hashable, *, now_ms: int) -> None:
        """Count the first call of a stranger."""
        if len(self._young) >= _MAX_NEWCOMERS:
            self._old, self._young = self._young, {}
        self._young[key] = now_ms

    def of(self, key: Hashable) -> Tally:
        """Return a key's tally, kept from now on."""
        return self.find(key) or self._keep(key, Tally())

    def _keep(self, key: Hashable, tally: Tally) -> Tally:
        if len(self._kept) >= _MAX_KEYS:
            self._make_room()
        self._kept[key] = tally
        return tally

    def _forget_newcomer(self, key: Hashable) -> None:
        if self._young.pop(key, None) is None:
            self._old.pop(key, None)

    def _make_room(self) -> None:
        """Of those who have been here longest forget the quarter who took least: a flood must not free a guesser.

        What was taken of this day comes first: it counts until midnight, and a rate is there again long before. Some
        at a time, since everybody would have to wait while fifty thousand are put in order.
        """
        longest_here = list(islice(self._kept.items(), _LOOKED_AT))
        today = max(tally.day for _, tally in longest_here)
        longest_here.sort(key=lambda item: (item[1].of_day(today), item[1].full_at_us))
        for key, _ in longest_here:
            del self._kept[key]
        quarter = -(-len(longest_here) // 4)
        for _, tally in longest_here[:quarter]:
            tally.is_kept = False
        self._kept.update(longest_here[quarter:])


class Rate:
    """Allow `burst` at once, and one more every `period_ms`, which is counted in microseconds."""

    __slots__ = ("_period_us", "_tolerance_us")

    def __init__(self, *, burst: int, period_ms: float) -> None:
        self._period_us = max(1, round(period_ms * 1000))
        self._tolerance_us = burst * self._period_us

    def take(self, tally: Tally, *, now_ms: int) -> bool:
        """Take one, or take none where there is none."""
        now_us = 1000 * now_ms
        full_at = max(tally.full_at_us, now_us) + self._period_us
        if full_at - now_us > self._tolerance_us:
            return False
        tally.full_at_us = full_at
        return True

    def wait_ms(self, tally: Tally, *, now_ms: int) -> int:
        """Return the milliseconds until there is one to take, and take none."""
        now_us = 1000 * now_ms
        full_at = max(tally.full_at_us, now_us) + self._period_us
        return max(0, -(-(full_at - now_us - self._tolerance_us) // 1000))

    def refund(self, tally: Tally) -> None:
        """Give one back that was taken in advance."""
        tally.full_at_us -= self._period_us


class Throttle:
    """A rate for each of many keys."""

    def __init__(self, *, burst: int, period_ms: float) -> None:
        self._rate = Rate(burst=burst, period_ms=period_ms)
        self._tallies = Tallies(self._rate)

    def __len__(self) -> int:
        return len(self._tallies)

    def spend(self, key: Hashable, *, now_ms: int) -> int:
        """Take one and return 0, or take none and return the milliseconds until there is one."""
        tally = self._tallies.find(key)
        if tally is None:
            self._tallies.come(key, now_ms=now_ms)
            return 0
        return 0 if self._rate.take(tally, now_ms=now_ms) else self._rate.wait_ms(tally, now_ms=now_ms)

    def wait_ms(self, key: Hashable, *, now_ms: int) -> int:
        """Return the milliseconds until there is one to take, and take none."""
        tally = self._tallies.look(key)
        return 0 if tally is None else self._rate.wait_ms(tally, now_ms=now_ms)

    def refund(self, key: Hashable) -> None:
        """Give one back that was taken in advance."""
        tally = self._tallies.take_back(key)
        if tally is not None:
            self._rate.refund(tally)
