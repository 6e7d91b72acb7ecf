"""Organizations come and go with the bot; their data stays."""

from collections.abc import Mapping, Sequence

from licensing.choices import ActorKind
from licensing.errors import LimitReached
from licensing.events import Action, happened
from licensing.models import Actor, Organization, Plan
from licensing.ports import Clock, Steps, Store, Transaction


class Plans:
    """The plans that the operator defined; an organization on none, or on one that is gone, gets the default."""

    def __init__(self, plans: Mapping[str, Plan], *, default: str) -> None:
        self._plans = plans
        self._default = default

    def named(self, name: str) -> Plan:
        """Return a plan by name."""
        return self._plans.get(name) or self._plans[self._default]

    def of(self, tx: Transaction, organization_id: int) -> Steps[Plan]:
        """Return the plan of an organization."""
        organization = yield from tx.organizations.get(organization_id)
        return self.named(organization.plan if organization else "")


def require_room(limit: int | None, taken: int, *, what: str) -> None:
    """Refuse what a plan has no room for.

    Raises: LimitReached.
    """
    if limit is not None and taken >= limit:
        raise LimitReached(limit=limit, what=what)


class OrganizationService:
    """Keeps the list of Discord servers that the bot is in."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def joined(self, organization_id: int, *, name: str) -> None:
        """Note that the bot is in a server, for the first time or again."""
        now_ms = self._clock()
        organization = Organization(id=organization_id, name=name)
        by = Actor(organization_id=organization_id, kind=ActorKind.SYSTEM)

        def work(tx: Transaction) -> Steps[None]:
            if (yield from tx.organizations.save_joined(organization, now_ms=now_ms)):
                yield from tx.ledger.append(happened(Action.ORGANIZATION_JOINED, by=by, at_ms=now_ms))

        await self._store.write(work)

    async def all(self) -> Sequence[Organization]:
        """Return every server there ever was, by name."""
        return await self._store.read(lambda tx: tx.organizations.all())

    async def name_of(self, organization_id: int) -> str | None:
        """Return the name that a server had when the bot last saw it."""
        organization = await self._store.read(lambda tx: tx.organizations.get(organization_id))
        return organization.name if organization else None

    async def present(self) -> frozenset[int]:
        """Return the servers that the bot was in when it last looked."""
        return await self._store.read(lambda tx: tx.organizations.present())

    async def left(self, organization_id: int) -> None:
        """Note that the bot was removed; nothing is deleted and validation goes on."""
        now_ms = self._clock()
        by = Actor(organization_id=organization_id, kind=ActorKind.SYSTEM)

        def work(tx: Transaction) -> Steps[None]:
            if (yield from tx.organizations.mark_left(organization_id, now_ms=now_ms)):
                yield from tx.ledger.append(happened(Action.ORGANIZATION_LEFT, by=by, at_ms=now_ms))

        await self._store.write(work)
