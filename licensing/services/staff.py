"""Which Discord role may do what."""

from collections.abc import Sequence
from dataclasses import dataclass

from licensing.choices import Permission
from licensing.errors import GrantNotAllowed, RoleIsGiven
from licensing.events import Action, happened
from licensing.models import Actor, StaffGrant
from licensing.ports import Clock, Steps, Store, Transaction
from licensing.services.access import permissions_of, require


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """What a role may do, as it was and as it is now."""

    before: frozenset[Permission]
    after: frozenset[Permission]


class StaffService:
    """Grants permission codes to Discord roles and takes them back."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def grant(self, by: Actor, *, role_id: int, permissions: Sequence[Permission]) -> RoleChanged:
        """Let a role do something.

        Raises: NotAllowed, GrantNotAllowed.
        """
        return await self._store.write(lambda tx: self._change(tx, by, role_id, permissions, Action.STAFF_GRANTED))

    async def revoke(self, by: Actor, *, role_id: int, permissions: Sequence[Permission]) -> RoleChanged:
        """Take permissions from a role.

        Raises: NotAllowed, GrantNotAllowed.
        """
        return await self._store.write(lambda tx: self._change(tx, by, role_id, permissions, Action.STAFF_REVOKED))

    async def list(self, by: Actor) -> Sequence[StaffGrant]:
        """Return every grant, by role.

        Raises: NotAllowed.
        """

        def work(tx: Transaction) -> Steps[Sequence[StaffGrant]]:
            yield from require(tx, by, Permission.ROLES_EDIT)
            return (yield from tx.staff.grants(by.organization_id))

        return await self._store.read(work)

    async def permissions(self, by: Actor) -> frozenset[Permission]:
        """Return what an actor may do."""
        return await self._store.read(lambda tx: permissions_of(tx, by))

    def _change(
        self, tx: Transaction, by: Actor, role_id: int, permissions: Sequence[Permission], action: Action
    ) -> Steps[RoleChanged]:
        yield from require(tx, by, Permission.ROLES_EDIT)
        lacking = set(permissions) - (yield from permissions_of(tx, by))
        if lacking:
            raise GrantNotAllowed(permission=min(lacking))
        if action is Action.STAFF_GRANTED:
            product = yield from tx.products.giving(by.organization_id, role_id)
            if product is not None:
                raise RoleIsGiven(product=product.name)
        change = tx.staff.grant if action is Action.STAFF_GRANTED else tx.staff.revoke
        changed = []
        for permission in permissions:
            new = yield from change(by.organization_id, StaffGrant(role_id=role_id, permission=permission))
            changed.extend([permission] * new)
        if changed:
            facts = {"role_id": role_id, "permissions": changed}
            side = {"after": facts} if action is Action.STAFF_GRANTED else {"before": facts}
            yield from tx.ledger.append(happened(action, by=by, at_ms=self._clock(), **side))
        after = yield from tx.staff.permissions(by.organization_id, frozenset({role_id}))
        before = after - set(changed) if action is Action.STAFF_GRANTED else after | set(changed)
        return RoleChanged(before, after)
