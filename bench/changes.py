"""What the checker does to licenses, through the same services as the bot: each undone by another."""

from collections.abc import Awaitable, Callable
from typing import Any

from bench.layout import ORGANIZATION_ID
from licensing.choices import ActorKind
from licensing.models import Actor
from licensing.ports import Clock
from licensing.services.changes import ChangeService
from licensing.services.licenses import LicenseService
from licensing.services.organizations import Plans

OPERATOR = Actor(organization_id=ORGANIZATION_ID, kind=ActorKind.OPERATOR)

Change = Callable[[int], Awaitable[Any]]


def changes_of(store: Any, clock: Clock) -> dict[str, Change]:
    """Return what can be done to a license by its number."""
    changes = ChangeService(store, store.vault, clock=clock)
    plans = Plans({}, default="default")
    licenses = LicenseService(store, store.vault, plans=plans, clock=clock, random_bytes=bytes)
    return {
        "revoke": lambda number: licenses.revoke(OPERATOR, f"#{number}"),
        "restore": lambda number: changes.restore(OPERATOR, f"#{number}"),
        "suspend": lambda number: changes.suspend(OPERATOR, f"#{number}"),
        "reinstate": lambda number: changes.reinstate(OPERATOR, f"#{number}"),
        "reset": lambda number: changes.reset_ips(OPERATOR, f"#{number}"),
    }
