"""How a license changes hands: the holder offers, the recipient accepts, staff decide where the product asks them to.

Every step locks the license first, so of two steps that race exactly one happens.
"""

from collections.abc import Sequence

from licensing import lifecycle
from licensing.choices import Permission, TransferRule, TransferState
from licensing.errors import (
    TransferPending,
    TransferToSelf,
)
from licensing.events import Action
from licensing.models import Actor, Transfer, TransferView
from licensing.ports import Clock, Steps, Store, Transaction
from licensing.services.access import require
from licensing.services.handover import (
    Guard,
    complete,
    end,
    expire_transfer,
    find_transfer,
    held_license,
    open_transfer,
    permit_staff,
    require_accepted,
    require_holder,
    require_recipient,
    require_state,
    tell,
)
from licensing.services.terms import checked_reason

RECIPIENT_HAS_MS = 72 * 3_600_000
STAFF_HAS_MS = 14 * 86_400_000


class TransferService:
    """Each method is one step of a transfer, taken by the one person who may take it."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def offer(self, by: Actor, license_id: int, *, to_discord_id: int, to_name: str) -> TransferView:
        """Offer one of the asker's licenses to another member.

        Raises: LicenseNotFound, TransfersOff, LicenseNotUsable, TransferPending, TransferToSelf.
        """
        now_ms = self._clock()
        if to_discord_id == by.id:
            raise TransferToSelf

        def work(tx: Transaction) -> Steps[TransferView]:
            yield from tx.licenses.lock(by.organization_id, license_id)
            view = yield from held_license(tx, by, license_id)
            lifecycle.check_transferable(view.license, view.product, now_ms=now_ms)
            yield from _clear_way(tx, license_id, now_ms)
            draft = Transfer(
                id=0,
                organization_id=by.organization_id,
                license_id=license_id,
                from_customer_id=view.license.customer_id or 0,
                to_discord_id=to_discord_id,
                to_name=to_name,
                created_at_ms=now_ms,
                expires_at_ms=now_ms + RECIPIENT_HAS_MS,
            )
            transfer = yield from tx.transfers.insert(draft)
            yield from tell(tx, by, Action.TRANSFER_OFFERED, transfer=transfer, view=view, now_ms=now_ms)
            return (yield from find_transfer(tx, by.organization_id, transfer.id))

        return await self._store.write(work)

    async def accept(self, by: Actor, transfer_id: int) -> TransferView:
        """Accept what was offered to the asker; it is theirs at once, or when staff approve.

        Raises: TransferNotFound, TransferEnded, TransfersOff, LicenseNotUsable.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[TransferView]:
            found = yield from open_transfer(tx, by, transfer_id, now_ms=now_ms, allowed=require_recipient)
            require_state(found, TransferState.OFFERED)
            lifecycle.check_transferable(found.license.license, found.license.product, now_ms=now_ms)
            if found.license.product.settings.transfers is TransferRule.RECIPIENT:
                return (yield from complete(tx, by, found, now_ms))
            update = {"state": TransferState.ACCEPTED, "expires_at_ms": now_ms + STAFF_HAS_MS}
            accepted = found.transfer.model_copy(update=update)
            yield from tx.transfers.save(accepted)
            yield from tell(tx, by, Action.TRANSFER_ACCEPTED, transfer=accepted, view=found.license, now_ms=now_ms)
            return found.model_copy(update={"transfer": accepted})

        return await self._store.write(work)

    async def decline(self, by: Actor, transfer_id: int) -> TransferView:
        """Decline what was offered to the asker.

        Raises: TransferNotFound, TransferEnded.
        """
        return await self._end(by, transfer_id, TransferState.DECLINED, Action.TRANSFER_REJECTED, require_recipient)

    async def cancel(self, by: Actor, transfer_id: int) -> TransferView:
        """Take back the asker's own offer, as long as it is not done.

        Raises: TransferNotFound, TransferEnded.
        """
        return await self._end(by, transfer_id, TransferState.CANCELLED, Action.TRANSFER_CANCELLED, require_holder)

    async def approve(self, by: Actor, transfer_id: int) -> TransferView:
        """Let an accepted transfer happen, as staff.

        Raises: NotAllowed, TransferNotFound, TransferEnded, TransferNotAccepted, LicenseNotUsable, TransfersOff.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[TransferView]:
            yield from require(tx, by, Permission.TRANSFERS_DECIDE)
            found = yield from open_transfer(tx, by, transfer_id, now_ms=now_ms, allowed=permit_staff)
            require_accepted(found)
            lifecycle.check_transferable(found.license.license, found.license.product, now_ms=now_ms)
            return (yield from complete(tx, by, found, now_ms))

        return await self._store.write(work)

    async def deny(self, by: Actor, transfer_id: int, *, reason: str | None = None) -> TransferView:
        """Forbid a transfer, as staff.

        Raises: NotAllowed, TransferNotFound, TransferEnded, TransferNotAccepted, NotesTooLong.
        """
        now_ms = self._clock()
        reason = checked_reason(reason)

        def work(tx: Transaction) -> Steps[TransferView]:
            yield from require(tx, by, Permission.TRANSFERS_DECIDE)
            found = yield from open_transfer(tx, by, transfer_id, now_ms=now_ms, allowed=permit_staff)
            require_accepted(found)
            return (
                yield from end(
                    tx,
                    by,
                    found,
                    state=TransferState.DENIED,
                    action=Action.TRANSFER_REJECTED,
                    now_ms=now_ms,
                    reason=reason,
                )
            )

        return await self._store.write(work)

    async def mine(self, by: Actor) -> Sequence[TransferView]:
        """Return the pending transfers from and to the asker."""
        return await self._store.read(
            lambda tx: tx.transfers.of_member(by.organization_id, by.id or 0, now_ms=self._clock())
        )

    async def waiting(self, by: Actor) -> Sequence[TransferView]:
        """Return what waits for the decision of staff, oldest first.

        Raises: NotAllowed.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[Sequence[TransferView]]:
            yield from require(tx, by, Permission.TRANSFERS_DECIDE)
            return (yield from tx.transfers.accepted(by.organization_id, now_ms=now_ms))

        return await self._store.read(work)

    async def view(self, organization_id: int, transfer_id: int) -> TransferView:
        """Return a transfer as those who deliver its news need it.

        Raises: TransferNotFound.
        """
        return await self._store.read(lambda tx: find_transfer(tx, organization_id, transfer_id))

    async def _end(
        self, by: Actor, transfer_id: int, state: TransferState, action: Action, allowed: Guard
    ) -> TransferView:
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[TransferView]:
            found = yield from open_transfer(tx, by, transfer_id, now_ms=now_ms, allowed=allowed)
            return (yield from end(tx, by, found, state=state, action=action, now_ms=now_ms))

        return await self._store.write(work)


def _clear_way(tx: Transaction, license_id: int, now_ms: int) -> Steps[None]:
    """Refuse a second transfer of a license; one that has lapsed unnoticed makes way.

    Raises: TransferPending.
    """
    pending = yield from tx.transfers.pending_of(license_id)
    if pending is None:
        return
    if pending.expires_at_ms > now_ms:
        raise TransferPending
    yield from expire_transfer(tx, pending, now_ms=now_ms)
