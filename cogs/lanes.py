"""Which events are delivered by which follower of the ledger: those of many at once go a way of their own.

Discord slows down whoever changes many roles or writes to many people, so what follows from ten thousand revocations
takes hours. In one queue with everything else, whoever is issued a license meanwhile would wait as long for its key.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from licensing.events import Action, Event, gathered

_TOLD_TOGETHER = frozenset({Action.LICENSE_REVOKED, Action.LICENSE_SUSPENDED, Action.LICENSE_REINSTATED})


@dataclass(frozen=True, slots=True)
class Lane:
    """One follower of the ledger by its name there, and what it picks out of the events that come next, so many."""

    follower: str
    pick: Callable[[Sequence[Event]], Sequence[Event]]
    batch: int = 100


def _single(events: Sequence[Event]) -> Sequence[Event]:
    return [event for event in events if not event.is_one_of_many]


def _of_many(events: Sequence[Event]) -> Sequence[Event]:
    """Return one event for everything that happened to a holder's licenses of a product at once.

    So nobody is sent a message for each of sixty licenses. Of what is not told the last is enough, since roles follow
    what is so when they are looked at; and of stock nothing follows.
    """
    about: dict[object, list[Event]] = {}
    for event in events:
        if not event.is_one_of_many or (event.is_silent and event.customer_id is None):
            continue
        alike = about.pop(_alike(event), [])  # put in anew: the order is that of the last of each
        about[_alike(event)] = [event] if event.is_silent else [*alike, event]
    return [gathered(alike) if len(alike) > 1 else alike[0] for alike in about.values()]


def _alike(event: Event) -> object:
    """Return what events have in common that are told together."""
    if not event.is_silent and (event.action not in _TOLD_TOGETHER or event.customer_id is None):
        return event.id
    whose = event.action, event.organization_id, event.product_id, event.customer_id
    return whose if event.is_silent else (*whose, event.reason)


SINGLE = Lane("discord", _single)
MANY = Lane("discord.many", _of_many, batch=500)
