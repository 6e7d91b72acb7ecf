"""Who may do what: asked inside the transaction that acts on the answer."""

from licensing.choices import ActorKind, Permission
from licensing.errors import NotAllowed
from licensing.models import Actor
from licensing.ports import Steps, Transaction


def permissions_of(tx: Transaction, by: Actor) -> Steps[frozenset[Permission]]:
    """Return what an actor may do: administrators and the operator may do everything."""
    if by.is_administrator or by.kind is not ActorKind.MEMBER:
        return frozenset(Permission)
    return (yield from tx.staff.permissions(by.organization_id, by.role_ids))


def require_any(tx: Transaction, by: Actor, *permissions: Permission) -> Steps[None]:
    """Refuse an actor who has none of several permissions, naming the first.

    Raises: NotAllowed.
    """
    if not (yield from permissions_of(tx, by)) & set(permissions):
        raise NotAllowed(permission=permissions[0])


def require(tx: Transaction, by: Actor, permission: Permission) -> Steps[None]:
    """Refuse an actor who lacks a permission.

    Raises: NotAllowed.
    """
    if permission not in (yield from permissions_of(tx, by)):
        raise NotAllowed(permission=permission)
