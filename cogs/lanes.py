"""Which events are delivered by which follower of the ledger: those of many at once go a way of their own.

Discord slows down whoever changes many roles or writes to many people, so what follows from ten thousand revocations
takes hours. In one queue with everything else, whoever is issued a license meanwhile would wait as long for its key.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from licensing.events import Event


@dataclass(frozen=True, slots=True)
class Lane:
    """One follower of the ledger by its name there, and what it picks out of the events that come next."""

    follower: str
    pick: Callable[[Sequence[Event]], Sequence[Event]]


def _single(events: Sequence[Event]) -> Sequence[Event]:
    return [event for event in events if not event.is_one_of_many]


def _of_many(events: Sequence[Event]) -> Sequence[Event]:
    """Return what is told of many at once, and of what is not told only the last about each holder and product.

    Roles follow what is so when they are looked at, so that is enough; and of stock nothing follows.
    """
    last: dict[object, Event] = {}
    for event in events:
        if not event.is_one_of_many or (event.is_silent and event.customer_id is None):
            continue
        about = (event.action, event.organization_id, event.product_id, event.customer_id)
        of_whom = about if event.is_silent else event.id
        last.pop(of_whom, None)
        last[of_whom] = event
    return list(last.values())


SINGLE = Lane("discord", _single)
MANY = Lane("discord.many", _of_many)
