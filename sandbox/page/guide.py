"""What a first visit is invited to try: given from outside, for the sandbox knows no license."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sandbox.errors import Json
from sandbox.person import Person

Done = Callable[[], bool]


@dataclass(frozen=True)
class Try:
    """One thing to try by one click; `act` does it as `who`, whose view the page then shows.

    Where the person has more to do then, `act` gives what tells whether it is done.
    """

    title: str
    about: str
    who: Person
    act: Callable[[], Awaitable[Done | None]]


@dataclass(frozen=True)
class Call:
    """A request that a product would send, ready to be sent by one click."""

    title: str
    about: str
    shown: Callable[[], str]
    send: Callable[[], Awaitable[tuple[int, str]]]


@dataclass
class Guide:
    """The invitations of one sandbox; empty until somebody fills it."""

    tries: list[Try] = field(default_factory=list)
    call: Call | None = None
    begun: list[Done] = field(default_factory=list)

    def begin(self, done: Done) -> int:
        """Keep what somebody has begun to try; return the number by which `told` says that it is done."""
        self.begun.append(done)
        return len(self.begun)

    def told(self) -> Json:
        """The guide as the page shows it."""
        call = self.call
        return {
            "tries": [{"title": each.title, "about": each.about, "who": str(each.who.id)} for each in self.tries],
            "done": [number for number, done in enumerate(self.begun, 1) if done()],
            "call": None if call is None else {"title": call.title, "about": call.about, "shown": call.shown()},
        }
