"""Asserts, answer by answer, that what was acknowledged holds: a license that was revoked is never active again.

Licenses are revoked, suspended, reinstated, restored and reset at random while they are validated. An answer is held
to what was acknowledged before its request was sent, unless another change of that license was begun meanwhile.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bench.callers import Crowd
from bench.changes import Change
from licensing.errors import NoAddresses
from licensing.ports import Unavailable

# What may be done to a license in a state, and the state that it brings about.
_NEXT = {
    "active": {"revoke": "revoked", "suspend": "suspended", "reset": "active"},
    "suspended": {"reinstate": "active", "revoke": "revoked"},
    "revoked": {"restore": "active"},
}
_CHANGERS = 2
_PAUSE_S = 0.002
_LOOK_S = 0.5


@dataclass(slots=True)
class Victim:
    """A license that is changed while it is asked for."""

    number: int
    request: bytes
    status: str = "active"  # acknowledged
    begun: int = 0  # changes; odd while one is on its way
    suspended_before: bool = False  # a restored license is suspended again if it was

    @property
    def changing(self) -> bool:
        return self.begun % 2 == 1


@dataclass(slots=True)
class Tally:
    """What was seen."""

    answers: Counter[str] = field(default_factory=Counter)
    held: int = 0  # answers that had to be one status alone
    refused: int = 0  # those of them that began after the acknowledgement of a revocation or suspension
    changes: int = 0
    unavailable: int = 0  # changes that the store took too long for: nothing was acknowledged
    wrong: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.answers.total()


class Checker:
    """Validates and changes the same licenses, and compares."""

    def __init__(self, victims: Sequence[Victim], doers: Sequence[dict[str, Change]], *, seed: int) -> None:
        self.tally = Tally()
        self._victims = victims
        self._doers = doers
        self._random = random.Random(seed)
        self._order = [self._random.choice(victims) for _ in range(10_007)]
        self._at = 0

    async def run(self, ports: Sequence[int], *, checks: int, connections: int) -> Tally:
        """Go on until so many answers came."""
        crowds = [Crowd(port, self._ask, self._answered) for port in ports]
        for crowd in crowds:
            await crowd.begin(connections // len(crowds))
        changers = [asyncio.create_task(self._change_on(doer)) for doer in list(self._doers) * _CHANGERS]
        while self.tally.total < checks and not self.tally.wrong:
            seen = self.tally.total
            await asyncio.sleep(_LOOK_S)
            _raise_of(changers)
            if self.tally.total == seen:
                raise SystemExit("Nothing is answered any more.")
        for task in changers:
            task.cancel()
        await asyncio.gather(*changers, return_exceptions=True)
        for crowd in crowds:
            await crowd.rest()
        return self.tally

    def _ask(self) -> tuple[bytes, tuple[Victim, str, int]]:
        self._at += 1
        victim = self._order[self._at % len(self._order)]
        return victim.request, (victim, victim.status, victim.begun)

    def _answered(self, note: tuple[Victim, str, int], status: str, _data: bytes) -> None:
        victim, expected, begun = note
        self.tally.answers[status] += 1
        if begun % 2 or victim.begun != begun:
            return
        self.tally.held += 1
        self.tally.refused += expected != "active"
        if status not in (expected, "unavailable"):
            self.tally.wrong.append(f"license {victim.number} was {expected} and answered {status}")

    async def _change_on(self, doer: dict[str, Change]) -> None:
        while True:
            victim = self._random.choice(self._victims)
            if not victim.changing:
                await self._change(victim, doer)
            await asyncio.sleep(_PAUSE_S)

    async def _change(self, victim: Victim, doer: dict[str, Change]) -> None:
        what, after = self._random.choice(list(_NEXT[victim.status].items()))
        if what == "revoke":
            victim.suspended_before = victim.status == "suspended"
        elif what == "restore" and victim.suspended_before:
            after = "suspended"
        victim.begun += 1
        try:
            await doer[what](victim.number)
        except NoAddresses:
            after = victim.status
        except Unavailable:
            self.tally.unavailable += 1
            return  # it may have been done or not: nothing is asserted of this license any more
        victim.status = after
        victim.begun += 1
        self.tally.changes += 1


def _raise_of(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()


def through(ask: Callable[[str, int], Awaitable[object]]) -> dict[str, Change]:
    """Return the changes as something else carries them out."""
    return {
        what: lambda number, what=what: ask(what, number)
        for what in ("revoke", "restore", "suspend", "reinstate", "reset")
    }
