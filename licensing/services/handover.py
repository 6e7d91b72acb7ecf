"""The steps of a transfer within one transaction: found and locked, checked, ended or completed, told."""

from collections.abc import Callable

from licensing import lifecycle
from licensing.choices import ActorKind, TransferState
from licensing.errors import LicenseNotFound, TransferEnded, TransferNotAccepted, TransferNotFound
from licensing.events import Action, about, happened, one_of_many
from licensing.models import Actor, LicenseView, Transfer, TransferView
from licensing.ports import Steps, Transaction
from licensing.services.terms import member_as_customer

Guard = Callable[[TransferView, Actor], None]

PENDING = frozenset({TransferState.OFFERED, TransferState.ACCEPTED})


def open_transfer(
    tx: Transaction, by: Actor, transfer_id: int, *, now_ms: int, allowed: Guard
) -> Steps[TransferView]:
    """Return a pending transfer with its license locked.

    The license is locked before anything is decided, as a revocation does, so whoever comes second sees the first.
    Whom a transfer does not concern learns nothing of it, not even that it has ended.

    Raises: TransferEnded, and what `allowed` refuses with.
    """
    found = yield from find_transfer(tx, by.organization_id, transfer_id)
    yield from tx.licenses.lock(by.organization_id, found.transfer.license_id)
    found = yield from find_transfer(tx, by.organization_id, transfer_id)
    allowed(found, by)
    if found.transfer.state not in PENDING or found.transfer.expires_at_ms <= now_ms:
        raise TransferEnded(state=found.transfer.state)
    return found


def find_transfer(tx: Transaction, organization_id: int, transfer_id: int) -> Steps[TransferView]:
    """Return a transfer.

    Raises: TransferNotFound.
    """
    found = yield from tx.transfers.view(organization_id, transfer_id)
    if found is None:
        raise TransferNotFound
    return found


def held_license(tx: Transaction, by: Actor, license_id: int) -> Steps[LicenseView]:
    """Return a license that the asker holds.

    Raises: LicenseNotFound, for one that somebody else holds too.
    """
    view = yield from tx.licenses.view(by.organization_id, license_id)
    if view is None or view.customer is None or by.id is None or view.customer.discord_id != by.id:
        raise LicenseNotFound(text=f"#{license_id}")
    return view


def complete(tx: Transaction, by: Actor, found: TransferView, now_ms: int) -> Steps[TransferView]:
    """Move the license: owner and state of the transfer in one transaction, addresses staying with the license."""
    before, transfer = found.license.license, found.transfer
    recipient = yield from member_as_customer(
        tx, by.organization_id, transfer.to_discord_id, name=transfer.to_name, now_ms=now_ms
    )
    after = lifecycle.transfer(before, customer_id=recipient.id, now_ms=now_ms)
    yield from tx.licenses.save(after)
    done = transfer.model_copy(update={"state": TransferState.DONE, "decided_at_ms": now_ms})
    yield from tx.transfers.save(done)
    view = found.license.model_copy(update={"license": after, "customer": recipient})
    yield from tell(tx, by, Action.TRANSFERRED, transfer=done, view=view, now_ms=now_ms)
    return found.model_copy(update={"transfer": done, "license": view})


def end(
    tx: Transaction,
    by: Actor,
    found: TransferView,
    *,
    state: TransferState,
    action: Action,
    now_ms: int,
    reason: str | None = None,
    told: bool | None = None,
) -> Steps[TransferView]:
    """End a transfer without the license changing hands."""
    ended = found.transfer.model_copy(update={"state": state, "decided_at_ms": now_ms})
    yield from tx.transfers.save(ended)
    yield from tell(tx, by, action, transfer=ended, view=found.license, now_ms=now_ms, reason=reason, told=told)
    return found.model_copy(update={"transfer": ended})


def end_pending(tx: Transaction, by: Actor, license_id: int, *, now_ms: int, told: bool | None = None) -> Steps[None]:
    """End a license's pending transfer because the license itself has ended; `told` if it ended as one of many."""
    pending = yield from tx.transfers.pending_of(license_id)
    if pending is not None:
        found = yield from find_transfer(tx, by.organization_id, pending.id)
        state, action = TransferState.CANCELLED, Action.TRANSFER_CANCELLED
        yield from end(tx, by, found, state=state, action=action, now_ms=now_ms, told=told)


def expire_transfer(tx: Transaction, transfer: Transfer, *, now_ms: int) -> Steps[None]:
    """End a transfer if nobody decided it in time; its license is locked first, as in every other step."""
    by = Actor(organization_id=transfer.organization_id, kind=ActorKind.SYSTEM)
    yield from tx.licenses.lock(by.organization_id, transfer.license_id)
    found = yield from find_transfer(tx, by.organization_id, transfer.id)
    if found.transfer.state in PENDING and found.transfer.expires_at_ms <= now_ms:
        yield from end(tx, by, found, state=TransferState.EXPIRED, action=Action.TRANSFER_CANCELLED, now_ms=now_ms)


def permit_staff(_found: TransferView, _by: Actor) -> None:
    """Let whoever may decide transfers: the permission was asked for before."""


def require_recipient(found: TransferView, by: Actor) -> None:
    """Refuse everybody but the recipient.

    Raises: TransferNotFound.
    """
    if found.transfer.to_discord_id != by.id:
        raise TransferNotFound


def require_holder(found: TransferView, by: Actor) -> None:
    """Refuse everybody but the holder.

    Raises: TransferNotFound.
    """
    if found.holder.discord_id != by.id:
        raise TransferNotFound


def require_state(found: TransferView, state: TransferState) -> None:
    """Refuse a transfer that is further than this.

    Raises: TransferEnded.
    """
    if found.transfer.state is not state:
        raise TransferEnded(state=found.transfer.state)


def require_accepted(found: TransferView) -> None:
    """Refuse a transfer that its recipient has not accepted.

    Raises: TransferNotAccepted.
    """
    if found.transfer.state is TransferState.OFFERED:
        raise TransferNotAccepted


def tell(
    tx: Transaction,
    by: Actor,
    action: Action,
    *,
    transfer: Transfer,
    view: LicenseView,
    now_ms: int,
    reason: str | None = None,
    told: bool | None = None,
) -> Steps[None]:
    """Append the event of a transfer's step."""
    before = {"customer_id": transfer.from_customer_id}
    after = {
        "transfer_id": transfer.id,
        "state": transfer.state,
        "to_discord_id": transfer.to_discord_id,
        "customer_id": view.license.customer_id,
    }
    event = happened(action, by=by, at_ms=now_ms, before=before, after=after, reason=reason, **about(view.license))
    yield from tx.ledger.append(event if told is None else one_of_many(event, tell=told))
