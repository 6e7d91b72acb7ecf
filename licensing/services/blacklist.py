"""Addresses and ranges that may not validate: for everybody, for one customer, or for one license."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from licensing.addresses import parse_ip
from licensing.blacklist import parse_network
from licensing.choices import ActorKind, BlockLevel, Permission
from licensing.errors import BlockedAlready, BlockNotFound, NotAllowed, TooManyBlocks
from licensing.events import Action, Event, happened
from licensing.models import PLATFORM, Actor, Block, Customer
from licensing.ports import Clock, Steps, Store, Transaction, Vault
from licensing.services.access import permissions_of, require, require_any
from licensing.services.block_targets import EVERYBODY, Place, Target, place_of, settled
from licensing.services.reach import Reach, is_wide, reach_of
from licensing.services.terms import checked_reason

BLOCKS_LIMIT = 5_000  # of an organization, all levels together; the platform has as many of its own
PAGE = 15

_ENTRY = re.compile(r"#(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Entry:
    """A block, and the customer if it is for one."""

    block: Block
    customer: Customer | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be blocked: `reach` is None where it is not known which seats lie there."""

    entry: Entry
    target: Target
    reach: Reach | None
    is_wide: bool

    @property
    def is_shared(self) -> bool:
        """Whether it is for everybody, and would keep several licenses from where they run now."""
        for_all = self.entry.block.level is BlockLevel.ORGANIZATION
        return for_all and (self.reach is None or self.reach.licenses > 1)


@dataclass(frozen=True, slots=True)
class Blocks:
    """One page of what is blocked for a target or altogether, the newest first."""

    entries: Sequence[Entry]
    target: Target
    count: int
    page: int
    last_page: int
    may_edit: bool


class BlacklistService:
    """Blocks addresses, lists what is blocked, and takes blocks back.

    An actor of the platform's, who can only be the operator, blocks for everybody in every organization.
    """

    def __init__(self, store: Store, vault: Vault, *, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    async def add(self, by: Actor, *, network: str, reason: str | None = None, target: Target = EVERYBODY) -> Entry:
        """Block an address or a range; the very next validation from there is refused.

        Raises: NotAllowed, NetworkInvalid, NetworkTooWide, NotesTooLong, BlockAmbiguous, LicenseNotFound,
        CustomerNotFound, BlockedAlready, TooManyBlocks.
        """
        text, reason, now_ms = parse_network(network), checked_reason(reason), self._clock()

        def work(tx: Transaction) -> Steps[Entry]:
            yield from _require_editor(tx, by)
            # Locked before the blocks are counted, so that no two last ones both find room.
            yield from tx.organizations.lock(by.organization_id)
            place = yield from settled(tx, (yield from place_of(tx, self._vault, by, target)), now_ms)
            block = yield from tx.blacklist.insert(_draft(by, place, text, reason, now_ms))
            if block is None:
                raise BlockedAlready(text=text)
            if (yield from tx.blacklist.count(by.organization_id)) > BLOCKS_LIMIT:
                raise TooManyBlocks(limit=BLOCKS_LIMIT)
            yield from tx.ledger.append(_event(Action.ADDRESS_BLOCKED, by, place, block, now_ms))
            return Entry(block, place.customer)

        return await self._store.write(work)

    async def preview(
        self, by: Actor, *, network: str, reason: str | None = None, target: Target = EVERYBODY
    ) -> Preview:
        """Return what this actor could block now, and whom it concerns: what is asked before it is done.

        Raises: as `add`.
        """
        text, reason, now_ms = parse_network(network), checked_reason(reason), self._clock()

        def work(tx: Transaction) -> Steps[Preview]:
            yield from _require_editor(tx, by)
            place = yield from place_of(tx, self._vault, by, target)
            there = yield from tx.blacklist.of(by.organization_id, place.level, place.target_id)
            if any(block.network == text for block in there):
                raise BlockedAlready(text=text)
            if (yield from tx.blacklist.count(by.organization_id)) >= BLOCKS_LIMIT:
                raise TooManyBlocks(limit=BLOCKS_LIMIT)
            draft = _draft(by, place, text, reason, now_ms)
            reach = yield from reach_of(tx, draft)
            return Preview(Entry(draft, place.customer), place.target, reach, is_wide(text))

        return await self._store.read(work)

    async def remove(self, by: Actor, *, network: str, target: Target = EVERYBODY) -> Entry:
        """Take a block back; it is named by its address or range and target, or by its own number (`#12`) alone.

        Raises: NotAllowed, NetworkInvalid, NetworkTooWide, BlockAmbiguous, LicenseNotFound, CustomerNotFound,
        BlockNotFound.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[Entry]:
            yield from _require_editor(tx, by)
            place, text = yield from self._sought(tx, by, network, target)
            block = yield from tx.blacklist.delete(by.organization_id, place.level, place.target_id, text)
            if block is None:
                raise BlockNotFound(text=text)
            yield from tx.ledger.append(_event(Action.ADDRESS_UNBLOCKED, by, place, block, now_ms))
            return Entry(block, place.customer)

        return await self._store.write(work)

    async def list(self, by: Actor, *, target: Target = EVERYBODY, page: int = 0) -> Blocks:
        """Return a page of all that is blocked, or of what is blocked for one target alone.

        Raises: NotAllowed, BlockAmbiguous, LicenseNotFound, CustomerNotFound.
        """

        def work(tx: Transaction) -> Steps[Blocks]:
            _require_platform_operator(by)
            yield from require_any(tx, by, Permission.LICENSES_VIEW, Permission.BLACKLIST_EDIT)
            may_edit = Permission.BLACKLIST_EDIT in (yield from permissions_of(tx, by))
            place = yield from place_of(tx, self._vault, by, target)
            level = None if target == EVERYBODY else place.level
            found = yield from tx.blacklist.of(by.organization_id, level, place.target_id)
            last_page = max(0, -(-len(found) // PAGE) - 1)
            shown = min(page, last_page)
            entries = yield from _entries(tx, found[shown * PAGE : (shown + 1) * PAGE])
            return Blocks(entries, place.target, len(found), shown, last_page, may_edit)

        return await self._store.read(work)

    async def search(self, by: Actor, text: str, *, limit: int = 25) -> Sequence[Entry]:
        """Return blocks to pick one of: those that an address lies in, or in whose text or reason the typed one is.

        Raises: NotAllowed.
        """

        def work(tx: Transaction) -> Steps[Sequence[Entry]]:
            yield from _require_editor(tx, by)
            found = yield from tx.blacklist.of(by.organization_id)
            return (yield from _entries(tx, _matching(found, text)[:limit]))

        return await self._store.read(work)

    def _sought(self, tx: Transaction, by: Actor, typed: str, target: Target) -> Steps[tuple[Place, str]]:
        """Return the place and the network of what is to be removed."""
        numbered = _ENTRY.fullmatch(typed.strip())
        if not numbered:
            text = parse_network(typed)
            return (yield from place_of(tx, self._vault, by, target)), text
        found = yield from tx.blacklist.of(by.organization_id)
        block = next((block for block in found if block.id == int(numbered[1])), None)
        if block is None:
            raise BlockNotFound(text=typed)
        [entry] = yield from _entries(tx, [block])
        return Place(block.level, block.target_id, entry.customer), block.network


def _require_platform_operator(by: Actor) -> None:
    if by.organization_id == PLATFORM and by.kind is not ActorKind.OPERATOR:
        raise NotAllowed(permission=Permission.BLACKLIST_EDIT)


def _require_editor(tx: Transaction, by: Actor) -> Steps[None]:
    _require_platform_operator(by)
    yield from require(tx, by, Permission.BLACKLIST_EDIT)


def _draft(by: Actor, place: Place, network: str, reason: str | None, now_ms: int) -> Block:
    return Block(
        id=0,
        organization_id=by.organization_id,
        level=place.level,
        target_id=place.target_id,
        network=network,
        reason=reason,
        created_at_ms=now_ms,
    )


def _event(action: Action, by: Actor, place: Place, block: Block, now_ms: int) -> Event:
    """Return what is written down; with a license's own id, whoever follows would read that license anew alone."""
    facts: dict[str, Any] = block.model_dump(mode="json", include={"level", "network", "reason"})
    if block.target_id:
        facts[f"{block.level.value}_id"] = block.target_id
    is_new = action is Action.ADDRESS_BLOCKED
    return happened(
        action,
        by=by,
        at_ms=now_ms,
        product_id=place.product_id,
        customer_id=place.customer.id if place.customer else None,
        reason=block.reason if is_new else None,
        **{"after" if is_new else "before": facts},
    )


def _entries(tx: Transaction, blocks: Sequence[Block]) -> Steps[list[Entry]]:
    known: dict[int, Customer | None] = {}
    for block in blocks:
        if block.level is BlockLevel.CUSTOMER and block.target_id not in known:
            known[block.target_id] = yield from tx.customers.get(block.organization_id, block.target_id)
    return [Entry(it, known.get(it.target_id) if it.level is BlockLevel.CUSTOMER else None) for it in blocks]


def _matching(blocks: Sequence[Block], text: str) -> list[Block]:
    sought, ip = text.strip().casefold(), parse_ip(text)
    if ip is not None:
        return [block for block in blocks if ip in ip_network(block.network)]
    return [block for block in blocks if sought in block.network or sought in (block.reason or "").casefold()]
