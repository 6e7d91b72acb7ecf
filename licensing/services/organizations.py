"""Organizations come and go with the bot, their data stays; the operator decides on plans and suspends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from licensing.choices import ActorKind, OrganizationState
from licensing.errors import LimitReached, NotAllowed, NothingToChange
from licensing.events import Action, difference, happened
from licensing.input_errors import PlanUnknown
from licensing.models import PLATFORM, Actor, Organization, Plan
from licensing.ports import Clock, Steps, Store, Transaction
from licensing.services.terms import checked_reason
from licensing.tables import Standing


class Plans:
    """The plans that the operator defined; an organization on none, or on one that is gone, gets the default."""

    def __init__(self, plans: Mapping[str, Plan], *, default: str) -> None:
        self._plans = plans
        self._default = default

    def named(self, name: str) -> Plan:
        """Return a plan by name."""
        return self._plans.get(name) or self._plans[self._default]

    def chosen(self, name: str) -> str:
        """Return a plan's name as an organization keeps it: the default's is empty, and follows the settings.

        Raises: PlanUnknown.
        """
        name = name.strip()
        if name and name not in self._plans:
            raise PlanUnknown(text=name, plans=", ".join(sorted(self._plans)))
        return "" if name == self._default else name

    def of(self, tx: Transaction, organization_id: int) -> Steps[Plan]:
        """Return the plan of an organization."""
        organization = yield from tx.organizations.get(organization_id)
        return self.named(organization.plan if organization else "")


def require_room(limit: int | None, taken: int, *, what: str, asked: int = 1) -> None:
    """Refuse what a plan has no room for, all of it.

    Raises: LimitReached.
    """
    if limit is not None and taken + asked > limit:
        raise LimitReached(limit=limit, what=what, free=max(0, limit - taken))


@dataclass(frozen=True, slots=True)
class OrganizationChanged:
    """A server as it was and as it is now."""

    before: Organization
    after: Organization


class OrganizationService:
    """Keeps the list of Discord servers that the bot is in, and what the operator decided about each."""

    def __init__(self, store: Store, *, plans: Plans, clock: Clock) -> None:
        self._store = store
        self._plans = plans
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

    async def standings(self) -> Sequence[Standing]:
        """Return every server there ever was, by name, with how much it has."""
        return await self._store.read(lambda tx: tx.organizations.standings())

    async def change_state(
        self, by: Actor, state: OrganizationState, *, reason: str | None = None
    ) -> OrganizationChanged:
        """Suspend an organization, over billing or otherwise, or reinstate it; the next validation knows.

        Raises: NotAllowed, for everybody but the operator; NothingToChange, NotesTooLong.
        """
        action = Action.ORGANIZATION_SUSPENDED
        if state is OrganizationState.ACTIVE:
            action = Action.ORGANIZATION_REINSTATED
        return await self._change(by, action, reason=checked_reason(reason), state=state)

    async def change_plan(self, by: Actor, name: str) -> OrganizationChanged:
        """Put an organization on a plan; an empty name gives it the default back.

        Raises: NotAllowed, for everybody but the operator; PlanUnknown, NothingToChange.
        """
        _require_operator(by)
        return await self._change(by, Action.ORGANIZATION_PLAN_CHANGED, plan=self._plans.chosen(name))

    async def _change(
        self, by: Actor, action: Action, *, reason: str | None = None, **update: Any
    ) -> OrganizationChanged:
        _require_operator(by)
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[OrganizationChanged]:
            before = yield from tx.organizations.lock(by.organization_id)
            after = before and before.model_copy(update=update)
            if before is None or after is None or after == before:
                raise NothingToChange
            yield from tx.organizations.save(after)
            event = happened(action, by=by, at_ms=now_ms, reason=reason, **difference(before, after))
            yield from tx.ledger.append(event)
            return OrganizationChanged(before, after)

        return await self._store.write(work)


def _require_operator(by: Actor) -> None:
    if by.kind is not ActorKind.OPERATOR or by.organization_id == PLATFORM:
        raise NotAllowed(permission="operator")
