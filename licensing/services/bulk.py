"""What staff do to many licenses at once: issue a lot of them, and revoke, suspend or reinstate a selection.

The work is done in chunks, each a transaction of its own that asks for the permission again: nobody else waits long
for the database, and validations go on. So a lot is not all or nothing. What was done before something came in
between stays done, each chunk wholly and with its events, and the result says exactly what that is.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Any

from licensing import lifecycle
from licensing.bulk import Holders, MadeKey, Meant, Tally
from licensing.choices import LicenseState, Permission
from licensing.errors import Refusal
from licensing.events import Action, one_of_many
from licensing.input_errors import NothingSelected
from licensing.keys import RandomBytes
from licensing.models import Actor, License, LicenseView, Product
from licensing.ports import Clock, Steps, Store, Transaction, Unavailable, Vault
from licensing.services.access import require
from licensing.services.alike import AlikeChange, change_alike
from licensing.services.catalog import find_product
from licensing.services.issuing import drafted, issued, refuse_bad_terms, sold_product
from licensing.services.made_keys import made_keys
from licensing.services.organizations import Plans
from licensing.services.terms import Terms, checked_reason
from licensing.verdict import Status

CHANGED_AT_ONCE = 100  # licenses: a millisecond of the writer's thread, for which a validation may have to wait
ISSUED_AT_ONCE = 400  # more, for each transaction of new keys writes some pages again that they all share
SAMPLE = 5
_PAGE = 20 * CHANGED_AT_ONCE
_PAGE_OF_LISTED = 50_000  # a list of ids is read whole for each page
_DIGESTS = 2**32

Progress = Callable[[int, int], None]


class BulkChange(StrEnum):
    """What can be done to a selection of licenses."""

    REVOKE = "revoke"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which licenses are meant: those to which everything that is named applies.

    `product` is a name or an id, `status` what a license is by itself (as `/license find` has it), `discord_id` the
    holder's. A preview sets `up_to_id`, so that nothing is changed that was issued after it.
    """

    product: str | int | None = None
    status: Status | None = None
    discord_id: int | None = None
    license_ids: Sequence[int] | None = None
    up_to_id: int | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do now: to how many licenses of how many people, and a few of them to look at.

    `left_alone` counts what is selected but cannot be changed so, such as what is revoked already. `digest` stands
    for exactly these licenses: it is another one if as many others are meant. Give `selection` to `change`.
    """

    selection: Selection
    product: Product | None
    count: int
    digest: int
    holders: Holders
    left_alone: int
    sample: Sequence[LicenseView]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a change did: to how many of how many licenses.

    `stopped_by` is what came in between after a part was done: the store was away, or the permission taken back.
    """

    changed: int
    total: int
    stopped_by: Refusal | Unavailable | None = None


@dataclass(frozen=True, slots=True)
class Lot:
    """Licenses that were issued together, (id, key) each, and what they are alike in.

    There are fewer than were asked for only if `stopped_by` says what came in between; it may be a fault.
    """

    keys: Sequence[tuple[int, str]]
    license: License
    stopped_by: Exception | None = None


_CHANGES: Mapping[BulkChange, tuple[Permission, AlikeChange]] = {
    BulkChange.REVOKE: (
        Permission.LICENSES_REVOKE,
        AlikeChange(Action.LICENSE_REVOKED, lambda it, now_ms: lifecycle.revoke(it, now_ms=now_ms), ends=True),
    ),
    BulkChange.SUSPEND: (
        Permission.LICENSES_EDIT,
        AlikeChange(Action.LICENSE_SUSPENDED, lambda it, now_ms: lifecycle.suspend(it, now_ms=now_ms), ends=False),
    ),
    BulkChange.REINSTATE: (
        Permission.LICENSES_EDIT,
        AlikeChange(Action.LICENSE_REINSTATED, lambda it, now_ms: lifecycle.reinstate(it, now_ms=now_ms), ends=False),
    ),
}


def nobody(_done: int, _total: int) -> None:
    """Tell nobody how far the work is."""


class BulkService:
    """Issues and changes many licenses at once."""

    def __init__(self, store: Store, vault: Vault, *, plans: Plans, clock: Clock, random_bytes: RandomBytes) -> None:
        self._store = store
        self._vault = vault
        self._plans = plans
        self._clock = clock
        self._random_bytes = random_bytes

    async def issue(
        self,
        by: Actor,
        terms: Terms,
        count: int,
        *,
        progress: Progress = nobody,
        done: list[tuple[int, str]] | None = None,
    ) -> Lot:
        """Issue so many licenses on the same terms, one event each, and return their keys.

        `progress` is told how many are issued, of how many, after every chunk; it is called between two transactions
        and must be quick, so let it note the numbers and show them from elsewhere. The plan must have room for all
        of them at the start, and for all that are left at every chunk. What comes in between after the first chunk
        is returned and not raised, since the keys would be lost with it. Whoever may be cancelled gives `done`, to
        which the keys are added as they are issued.

        Raises: NotAllowed, HolderAmbiguous, EmailInvalid, ExpiryInvalid and its kin, MaxIpsInvalid, NotesTooLong,
        ProductNotFound, ProductNotSold, LimitReached, Unavailable: then nothing was issued. ValueError, for no count.
        """
        if count < 1:
            raise ValueError("at least one license is issued")
        now_ms = self._clock()
        refuse_bad_terms(terms, now_ms=now_ms)
        await self._store.read(lambda tx: sold_product(tx, self._plans, by, terms, count=count))
        keys = await made_keys(count, self._vault, self._random_bytes)
        draft, done = None, [] if done is None else done
        while chunk := list(islice(keys, ISSUED_AT_ONCE)):
            try:
                work = self._issuing(by, terms, chunk, left=count - len(done), now_ms=now_ms)
                draft, ids = await self._store.write(work)
                done += [(license_id, key) for license_id, (_, key, *_) in zip(ids, chunk, strict=True)]
                progress(len(done), count)
                await self._store.settle()
            except Exception as error:  # a fault too: what is issued has keys that only this knows
                if draft is None:
                    raise
                return Lot(done, draft, error)
        assert draft is not None  # noqa: S101 - there was one chunk at least
        return Lot(done, draft)

    async def preview(self, by: Actor, change: BulkChange, selection: Selection) -> Preview:
        """Return what a change would do, changing nothing.

        Raises: NotAllowed, ProductNotFound, NothingSelected, Unavailable.
        """
        permission, rule = _CHANGES[change]
        now_ms, states = self._clock(), [state for state in LicenseState if rule.allows(state)]

        def work(tx: Transaction) -> Steps[Preview]:
            product, meant, found = yield from _found(tx, by, permission, selection, now_ms)
            tallies = [found[state] for state in states if state in found]
            count, digest = sum(it.count for it in tallies), sum(it.digest for it in tallies) % _DIGESTS
            holders = yield from tx.bulk.holders(by.organization_id, meant, states)
            ids = yield from tx.bulk.page(by.organization_id, meant, states, after_id=0, limit=SAMPLE)
            sample = []
            for license_id in ids:
                view = yield from tx.licenses.view(by.organization_id, license_id)
                sample += [view] if view else []
            shown = replace(selection, up_to_id=meant.up_to_id)
            left_alone = sum(it.count for it in found.values()) - count
            return Preview(shown, product, count, digest, holders, left_alone, sample)

        return await self._store.read(work)

    async def change(
        self,
        by: Actor,
        change: BulkChange,
        selection: Selection,
        *,
        reason: str | None = None,
        tell: bool = False,
        progress: Progress = nobody,
    ) -> Applied:
        """Do something to every license that is selected and that it can be done to; the rest is left alone.

        `progress` is told how many of how many were looked at, as in `issue`. When a chunk is told of, the very next
        validation of its licenses knows. The holders are told only if `tell` says so.

        Raises: NotAllowed, ProductNotFound, NothingSelected, NotesTooLong, Unavailable: then nothing was changed.
        """
        permission, rule = _CHANGES[change]
        reason, now_ms, states = checked_reason(reason), self._clock(), [it for it in LicenseState if rule.allows(it)]

        _, meant, found = await self._store.read(lambda tx: _found(tx, by, permission, selection, now_ms))
        tallies = [found[state] for state in states if state in found]
        total = sum(it.count for it in tallies)
        changed = looked_at = 0
        try:
            async for chunk in self._chunks(by.organization_id, meant, states, tallies):
                changed += await self._store.write(self._changing(by, change, meant, chunk, reason=reason, told=tell))
                looked_at += len(chunk)
                progress(looked_at, total)
                await self._store.settle()
        except (Refusal, Unavailable) as error:
            if not looked_at:
                raise
            return Applied(changed, total, error)
        return Applied(changed, total)

    async def _chunks(
        self, organization_id: int, meant: Meant, states: Sequence[LicenseState], tallies: Sequence[Tally]
    ) -> AsyncIterator[Sequence[int]]:
        # From the first on: it may stand behind very many of other products.
        limit = _PAGE if meant.license_ids is None else _PAGE_OF_LISTED
        page: Sequence[int] = [min((it.oldest_id for it in tallies), default=1) - 1]

        def next_page(tx: Transaction) -> Steps[Sequence[int]]:
            return (yield from tx.bulk.page(organization_id, meant, states, after_id=page[-1], limit=limit))

        while page := await self._store.read(next_page):
            for start in range(0, len(page), CHANGED_AT_ONCE):
                yield page[start : start + CHANGED_AT_ONCE]

    def _changing(
        self, by: Actor, change: BulkChange, meant: Meant, license_ids: Sequence[int], **facts: Any
    ) -> Callable[[Transaction], Steps[int]]:
        permission, rule = _CHANGES[change]
        meant, now_ms = replace(meant, license_ids=None), self._clock()

        def work(tx: Transaction) -> Steps[int]:
            yield from require(tx, by, permission)
            changed = 0
            for alike in (yield from tx.bulk.lock(by.organization_id, meant, license_ids)):
                changed += yield from change_alike(tx, by, alike, rule, now_ms=now_ms, **facts)
            return changed

        return work

    def _issuing(
        self, by: Actor, terms: Terms, keys: Sequence[MadeKey], *, left: int, now_ms: int
    ) -> Callable[[Transaction], Steps[tuple[License, Sequence[int]]]]:
        def work(tx: Transaction) -> Steps[tuple[License, Sequence[int]]]:
            product = yield from sold_product(tx, self._plans, by, terms, count=left)
            draft = yield from drafted(tx, product, terms, now_ms=now_ms)
            ids = yield from tx.bulk.insert(draft, keys)
            event = one_of_many(issued(draft, by, now_ms=now_ms), tell=False)
            yield from tx.bulk.append(event, f"[{','.join(map(str, ids))}]")
            return draft, ids

        return work


def _found(
    tx: Transaction, by: Actor, permission: Permission, selection: Selection, now_ms: int
) -> Steps[tuple[Product | None, Meant, Mapping[LicenseState, Tally]]]:
    """Return of which product and what is meant, nothing issued from now on, and how much of it is in which state."""
    yield from require(tx, by, permission)
    if selection == Selection(up_to_id=selection.up_to_id):
        raise NothingSelected
    product = None
    if selection.product is not None:
        product = yield from find_product(tx, by.organization_id, selection.product)
    meant = Meant(
        product_id=product.id if product else None,
        status=selection.status,
        discord_id=selection.discord_id,
        license_ids=selection.license_ids,
        up_to_id=selection.up_to_id,
        now_ms=now_ms,
    )
    found = yield from tx.bulk.standings(by.organization_id, meant)
    newest_id = max((it.newest_id for it in found.values()), default=0)
    return product, replace(meant, up_to_id=newest_id), found
