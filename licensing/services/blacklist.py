"""Addresses and ranges that may not validate: for everybody, for one customer, or for one license."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from licensing.addresses import parse_ip
from licensing.blacklist import parse_network
from licensing.choices import ActorKind, BlockLevel, Permission
from licensing.errors import BlockedAlready, BlockNotFound, CustomerNotFound, NotAllowed, TooManyBlocks
from licensing.events import Action, Event, happened
from licensing.input_errors import BlockAmbiguous
from licensing.models import PLATFORM, Actor, Block, Customer
from licensing.ports import Clock, Steps, Store, Transaction, Vault
from licensing.services.access import require, require_any
from licensing.services.lookup import find_license
from licensing.services.reach import Reach, is_wide, reach_of
from licensing.services.terms import checked_reason

BLOCKS_LIMIT = 5_000  # of an organization, all levels together; the platform has as many of its own
PAGE = 20

_ENTRY = re.compile(r"#(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Target:
    """For whom an address is blocked, named in one way; nobody named is everybody."""

    discord_id: int | None = None
    name: str | None = None  # which the member goes by, should they not be a customer yet
    email: str | None = None
    customer_id: int | None = None
    license: str | None = None  # its reference (`#12`) or its key


EVERYBODY = Target()


@dataclass(frozen=True, slots=True)
class Entry:
    """A block, and the customer if it is for one."""

    block: Block
    customer: Customer | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be blocked: `reach` is None where it is not known which seats lie there."""

    entry: Entry
    reach: Reach | None
    is_wide: bool


@dataclass(frozen=True, slots=True)
class Blocks:
    """One page of a blacklist, the newest first."""

    entries: Sequence[Entry]
    count: int
    page: int
    last_page: int


@dataclass(frozen=True, slots=True)
class _Place:
    """A level and its target; a member who is no customer yet has the id 0."""

    level: BlockLevel
    target_id: int = 0
    customer: Customer | None = None
    product_id: int | None = None


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
            place = yield from _known(tx, (yield from self._place(tx, by, target)), now_ms)
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
            place = yield from self._place(tx, by, target)
            there = yield from tx.blacklist.of(by.organization_id, place.level, place.target_id)
            if any(block.network == text for block in there):
                raise BlockedAlready(text=text)
            if (yield from tx.blacklist.count(by.organization_id)) >= BLOCKS_LIMIT:
                raise TooManyBlocks(limit=BLOCKS_LIMIT)
            draft = _draft(by, place, text, reason, now_ms)
            return Preview(Entry(draft, place.customer), (yield from reach_of(tx, draft)), is_wide(text))

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
                raise BlockNotFound(text=network)
            yield from tx.ledger.append(_event(Action.ADDRESS_UNBLOCKED, by, place, block, now_ms))
            return Entry(block, place.customer)

        return await self._store.write(work)

    async def list(self, by: Actor, *, target: Target = EVERYBODY, page: int = 0) -> Blocks:
        """Return a page of all that is blocked, or of what is blocked for one target alone.

        Raises: NotAllowed, BlockAmbiguous, LicenseNotFound, CustomerNotFound.
        """

        def work(tx: Transaction) -> Steps[Blocks]:
            _require_platform_operator(by)
            yield from require_any(tx, by, Permission.BLACKLIST_EDIT, Permission.LICENSES_VIEW)
            if target == EVERYBODY:
                found = yield from tx.blacklist.of(by.organization_id)
            else:
                place = yield from self._place(tx, by, target)
                found = yield from tx.blacklist.of(by.organization_id, place.level, place.target_id)
            last_page = max(0, -(-len(found) // PAGE) - 1)
            shown = min(page, last_page)
            entries = yield from _entries(tx, found[shown * PAGE : (shown + 1) * PAGE])
            return Blocks(entries, len(found), shown, last_page)

        return await self._store.read(work)

    async def search(self, by: Actor, text: str, *, limit: int = PAGE) -> Sequence[Entry]:
        """Return blocks to pick one to remove from: those that an address lies in, or whose text has the typed one.

        Raises: NotAllowed.
        """

        def work(tx: Transaction) -> Steps[Sequence[Entry]]:
            yield from _require_editor(tx, by)
            found = yield from tx.blacklist.of(by.organization_id)
            return (yield from _entries(tx, _matching(found, text)[:limit]))

        return await self._store.read(work)

    def _place(self, tx: Transaction, by: Actor, target: Target) -> Steps[_Place]:
        ways = (target.discord_id, target.email, target.customer_id, target.license)
        if sum(way is not None for way in ways) > 1:
            raise BlockAmbiguous
        if target.license is not None:
            view = yield from find_license(tx, self._vault, by.organization_id, target.license)
            return _Place(BlockLevel.LICENSE, view.license.id, view.customer, view.product.id)
        if by.organization_id == PLATFORM:
            return _Place(BlockLevel.PLATFORM)
        if target == EVERYBODY:
            return _Place(BlockLevel.ORGANIZATION)
        customer = yield from _customer(tx, by.organization_id, target)
        return _Place(BlockLevel.CUSTOMER, customer.id, customer)

    def _sought(self, tx: Transaction, by: Actor, typed: str, target: Target) -> Steps[tuple[_Place, str]]:
        """Return the place and the network of what is to be removed."""
        numbered = _ENTRY.fullmatch(typed.strip())
        if not numbered:
            text = parse_network(typed)
            return (yield from self._place(tx, by, target)), text
        found = yield from tx.blacklist.of(by.organization_id)
        block = next((block for block in found if block.id == int(numbered[1])), None)
        if block is None:
            raise BlockNotFound(text=typed)
        [entry] = yield from _entries(tx, [block])
        return _Place(block.level, block.target_id, entry.customer), block.network


def _require_platform_operator(by: Actor) -> None:
    if by.organization_id == PLATFORM and by.kind is not ActorKind.OPERATOR:
        raise NotAllowed(permission=Permission.BLACKLIST_EDIT)


def _require_editor(tx: Transaction, by: Actor) -> Steps[None]:
    _require_platform_operator(by)
    yield from require(tx, by, Permission.BLACKLIST_EDIT)


def _customer(tx: Transaction, organization_id: int, target: Target) -> Steps[Customer]:
    """Return the customer who is named; a member can be blocked before they hold anything."""
    if target.customer_id is not None:
        found = yield from tx.customers.get(organization_id, target.customer_id)
    elif target.discord_id is not None:
        found = yield from tx.customers.by_discord(organization_id, target.discord_id)
        new = Customer(id=0, organization_id=organization_id, discord_id=target.discord_id, name=target.name)
        found = found or new
    else:
        found = yield from tx.customers.by_email(organization_id, (target.email or "").strip().lower())
    if found is None:
        raise CustomerNotFound(text=target.email or f"{target.customer_id}")
    return found


def _known(tx: Transaction, place: _Place, now_ms: int) -> Steps[_Place]:
    """Return a place whose member is a customer from now on."""
    if place.level is not BlockLevel.CUSTOMER or place.customer is None or place.target_id:
        return place
    customer = yield from tx.customers.insert(place.customer, now_ms=now_ms)
    return _Place(place.level, customer.id, customer)


def _draft(by: Actor, place: _Place, network: str, reason: str | None, now_ms: int) -> Block:
    return Block(
        id=0,
        organization_id=by.organization_id,
        level=place.level,
        target_id=place.target_id,
        network=network,
        reason=reason,
        created_at_ms=now_ms,
    )


def _event(action: Action, by: Actor, place: _Place, block: Block, now_ms: int) -> Event:
    """Return what is written down; without the license's own id, for what follows it must read the blacklist anew."""
    facts: dict[str, Any] = block.model_dump(mode="json", include={"level", "network", "reason"})
    if block.target_id:
        facts[f"{block.level.value}_id"] = block.target_id
    side = "after" if action is Action.ADDRESS_BLOCKED else "before"
    return happened(
        action,
        by=by,
        at_ms=now_ms,
        product_id=place.product_id,
        customer_id=place.customer.id if place.customer else None,
        reason=block.reason if action is Action.ADDRESS_BLOCKED else None,
        **{side: facts},
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
