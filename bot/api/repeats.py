"""Requests that came before, byte by byte the same: what they were answered, to be given again while it is true.

Programs ask the same thing all day long. What was worked out for the first time is kept with the bytes that were
asked and answered; whatever can have changed since is looked at each time, and every call is counted.
"""

from typing import NamedTuple

from bot.api.addresses import Caller
from bot.api.ready import ReadyAnswer
from licensing.models import SigningKey
from licensing.services.answers import Regular

AT_MOST = 20_000
LENGTH_AT_MOST = 2_048  # asked and answered together; callers choose how long a request is


class Repeat(NamedTuple):
    """An answer that may be given again: to this caller, signed with this key.

    One that `is_proven` in its headers is proven anew, with the time.
    """

    caller: Caller
    regular: Regular
    signed_with: SigningKey | None
    is_proven: bool
    answer: ReadyAnswer


class Repeats:
    """So many answers at most, in two halves: once the young half is full it becomes the old one, which is dropped.

    Dropping one at a time would cost each newcomer more than the look-up that it saves.
    """

    def __init__(self, *, at_most: int = AT_MOST) -> None:
        self._half = at_most // 2
        self._young: dict[tuple[str, str | None, bytes], Repeat] = {}
        self._old: dict[tuple[str, str | None, bytes], Repeat] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def find(self, api_key: str, caller: Caller, body: bytes) -> Repeat | None:
        """Return what was answered to the same request of the same caller."""
        asked = api_key, caller.address, body
        found = self._young.get(asked)
        if found is None:
            found = self._old.pop(asked, None)
            if found is None:
                return None
            self._keep(asked, found)
        # Several addresses can count as one; they are blocked one by one.
        return found if found.caller is caller else None

    def keep(self, api_key: str, body: bytes, repeat: Repeat) -> None:
        """Remember an answer, if it takes little room."""
        if len(body) + len(repeat.answer.body) <= LENGTH_AT_MOST:
            self._keep((api_key, repeat.caller.address, body), repeat)

    def _keep(self, asked: tuple[str, str | None, bytes], repeat: Repeat) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[asked] = repeat
