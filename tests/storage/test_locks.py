"""Every decision about a license, a transfer or a product is taken on what its lock returned.

SQLite has one writer, which hides a missing lock. So here somebody else commits at the very moment when a
transaction asks for its first lock, as on a database with many writers: what was read before is stale by then.
"""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from storage_doors import HOLDER, MEMBERS, RECIPIENT, STAFF, Door, stocked
from storage_world import NOON_MS, OWNER, World, member

from licensing.choices import ActorKind, LicenseState
from licensing.errors import (
    ApiKeyNotFound,
    ApiKeyRotatedAlready,
    KeyClaimedByOther,
    KeyNameTaken,
    LicenseAlreadyRevoked,
    LicenseNotActive,
    LicenseNotFound,
    LicenseNotRevoked,
    LicenseNotUsable,
    NothingToChange,
    Refusal,
    ResetNotUsable,
    ResetsOff,
    ResetTooSoon,
    SigningOff,
    TooManyBlocks,
    TransferEnded,
    VersionNotListed,
)
from licensing.events import Action
from licensing.models import Actor
from licensing.ports import Steps
from licensing.services.blacklist import BLOCKS_LIMIT
from licensing.services.bulk import BulkChange, Selection
from licensing.services.transfers import RECIPIENT_HAS_MS
from licensing.verdict import Status
from storage.sqlite import Work
from storage.statements.base import Statement
from storage.store import SqliteStore

LOCK = re.compile(r"UPDATE (licenses|products|organizations) SET (\w+) = \2 ")
IN_ORDER = ("organizations", "products", "licenses")  # or two could wait for each other
LICENSE_LOCK = re.compile(r"UPDATE licenses SET updated_at_ms = updated_at_ms |.* /\* FOR UPDATE \*/")
GUARDED_WRITE = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM) (licenses|license_addresses|transfers)\b")

OPERATOR = Actor(organization_id=1, kind=ActorKind.OPERATOR)


class ContestedStore:
    """A store on which somebody else's statements come just before the first lock of a transaction."""

    def __init__(self, store: SqliteStore, *others: str) -> None:
        self.snapshots, self.vault = store.snapshots, store.vault
        self.asked: list[str] = []
        self._store = store
        self._others = list(others)

    async def read(self, work: Work[Any]) -> Any:
        return await self._store.read(work)

    async def settle(self) -> None:
        await self._store.settle()

    async def write(self, work: Work[Any]) -> Any:
        return await self._store.write(lambda tx: self._contested(work(tx)))

    def _contested(self, steps: Steps[Any]) -> Steps[Any]:
        try:
            statement: Statement = next(steps)
            while True:
                if LOCK.match(statement.sql) or LICENSE_LOCK.match(statement.sql):
                    while self._others:
                        yield Statement(self._others.pop(0))
                self.asked.append(statement.sql)
                statement = steps.send((yield statement))
        except StopIteration as done:
            assert not self._others, "no lock was asked for"
            return done.value


def contested(world: World, *others: str) -> World:
    return World(ContestedStore(world.store, *others), now_ms=world.now_ms)  # type: ignore[arg-type]


def said(sql: str) -> Steps[None]:
    yield Statement(sql)


DOORS = {door.name: door for door in (*STAFF, *MEMBERS)}
REVOKED = "UPDATE licenses SET state = 'revoked'"
RESTORED = "UPDATE licenses SET state = 'active'"
SUSPENDED = "UPDATE licenses SET state = 'suspended'"
MOVED = f"UPDATE licenses SET customer_id = (SELECT id FROM customers WHERE discord_id = {RECIPIENT})"
CLAIMED = f"{MOVED}, claimed_at_ms = 1"
CANCELLED = "UPDATE transfers SET state = 'cancelled'"
ARCHIVED = "UPDATE products SET state = 'archived'"
UNENFORCED = """UPDATE products SET settings = json_set(settings, '$.enforce_expiry', json('false'))"""
ROTATED = "UPDATE api_keys SET valid_until_ms = 0"
SIGNED = """UPDATE products SET settings = json_set(settings, '$.{switch}', json('{value}'))"""
RESET = f"""INSERT INTO events (organization_id, at_ms, action, actor_kind, actor_id, license_id, after)
 VALUES (1, {NOON_MS}, 'license.ips_reset', 'member', {HOLDER}, 1, '{{"by_holder": true}}')"""
STAFF_ALONE = SIGNED.format(switch="reset_cooldown_days", value="null")
FULL_LIST = f"""WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {BLOCKS_LIMIT})
 INSERT INTO blacklist (organization_id, level, target_id, network, created_at_ms)
 SELECT 1, 'license', n, '203.0.113.1', 1 FROM numbers WHERE n > (SELECT COUNT(*) FROM blacklist)"""

RACES: list[tuple[str, str, type[Refusal]]] = [
    ("licenses.revoke", REVOKED, LicenseAlreadyRevoked),
    ("changes.extend", REVOKED, LicenseNotActive),
    ("changes.edit", REVOKED, LicenseNotActive),
    ("changes.suspend", REVOKED, LicenseNotActive),
    ("changes.reinstate", REVOKED, LicenseNotActive),
    ("changes.restore", RESTORED, LicenseNotRevoked),
    ("account.claim", CLAIMED, KeyClaimedByOther),
    ("resets.reset", SUSPENDED, ResetNotUsable),
    ("resets.reset", MOVED, LicenseNotFound),
    ("resets.reset", RESET, ResetTooSoon),
    ("resets.reset", STAFF_ALONE, ResetsOff),
    ("transfers.offer", SUSPENDED, LicenseNotUsable),
    ("transfers.offer", MOVED, LicenseNotFound),
    ("transfers.accept", CANCELLED, TransferEnded),
    ("transfers.accept", SUSPENDED, LicenseNotUsable),
    ("transfers.decline", CANCELLED, TransferEnded),
    ("transfers.cancel", CANCELLED, TransferEnded),
    ("transfers.approve", CANCELLED, TransferEnded),
    ("transfers.approve", SUSPENDED, LicenseNotUsable),
    ("transfers.deny", CANCELLED, TransferEnded),
    ("catalog.change_state", ARCHIVED, NothingToChange),
    ("catalog.change_settings", UNENFORCED, NothingToChange),
    ("catalog.rotate_key", ROTATED, ApiKeyRotatedAlready),
    ("blacklist.add", FULL_LIST, TooManyBlocks),
    ("catalog.change_custom", """UPDATE products SET custom = '{"tier":"gold"}'""", NothingToChange),
    (
        "versions.set",
        "INSERT INTO product_versions (product_id, spec, state, created_at_ms) VALUES (1, '>=2.0', 'blocked', 0)",
        NothingToChange,
    ),
    ("versions.remove", "DELETE FROM product_versions", VersionNotListed),
    ("signing.turn_on", SIGNED.format(switch="sign_hmac", value="true"), NothingToChange),
    ("signing.turn_off", SIGNED.format(switch="sign_headers", value="null"), NothingToChange),
    ("signing.rotate", "DELETE FROM signing_keys", SigningOff),
    (
        "api_keys.add",
        (
            "INSERT INTO api_keys (digest, product_id, prefix, created_at_ms, name, scope)"
            " VALUES (x'00', 1, 'kp_live_other', 1, 'New', 'validate')"
        ),
        KeyNameTaken,
    ),
    ("api_keys.remove", ROTATED, ApiKeyNotFound),
    ("changes.pin", REVOKED, LicenseNotActive),
    ("changes.override", REVOKED, LicenseNotActive),
    ("organizations.change_state", "UPDATE organizations SET state = 'suspended'", NothingToChange),
    ("organizations.change_plan", "UPDATE organizations SET plan = 'large'", NothingToChange),
]
# What writes to a license without its lock, and why it may.
UNLOCKED = {
    "licenses.issue": "nobody else knows a license that is only being made",
    "bulk.issue": "nobody else knows a license that is only being made",
    "changes.reset_ips": "it acts on nothing but the rows that its own DELETE returns",
    "catalog.change_settings": "the product is locked, and its licenses are changed by one conditional UPDATE",
}


def caller(door: Door) -> Actor:
    if door.as_member is not None:
        return member(door.as_member)
    return OWNER if door.permissions else OPERATOR


@pytest.mark.parametrize(("name", "other", "refusal"), RACES)
async def test_what_somebody_else_did_before_the_lock_was_had_decides(
    world: World, name: str, other: str, refusal: type[Refusal]
) -> None:
    shop = await stocked(world)
    await world.issue(discord_id=RECIPIENT)
    door = DOORS[name]
    with pytest.raises(refusal):
        await door.open(contested(world, other), caller(door), shop)


@pytest.mark.parametrize("name", DOORS)
async def test_a_license_is_locked_before_anything_is_written_to_it_and_after_its_product(
    world: World, name: str
) -> None:
    shop = await stocked(world)
    watched, door = contested(world), DOORS[name]
    await door.open(watched, caller(door), shop)
    asked = watched.store.asked  # type: ignore[attr-defined]
    assert name in UNLOCKED or not unlocked_writes(asked)
    locked = [found[1] for found in map(LOCK.match, asked) if found]
    assert locked == sorted(locked, key=IN_ORDER.index)
    assert bool(locked) == (name in {name for name, *_ in RACES})


def unlocked_writes(asked: Sequence[str]) -> list[str]:
    """Return what was written to guarded tables before a license was locked."""
    locks = [at for at, sql in enumerate(asked) if LICENSE_LOCK.match(sql)]
    return [sql for sql in asked[: locks[0] if locks else None] if GUARDED_WRITE.match(sql)]


async def test_a_restored_license_gets_the_state_of_its_latest_revocation(world: World) -> None:
    shop = await stocked(world)
    revoked_again = """UPDATE events SET before = '{"state": "suspended"}' WHERE action = 'license.revoked'"""
    changed = await contested(world, revoked_again).changes.restore(OPERATOR, shop.revoked)
    assert changed.after.license.state is LicenseState.SUSPENDED


async def test_a_seat_that_somebody_else_took_before_the_lock_was_had_is_taken(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=HOLDER, max_ips=1)
    taken = f"INSERT INTO license_addresses VALUES ({issued.view.license.id}, '203.0.113.9', 1, 1)"
    verdict = await contested(world, taken).validate(product.api_key, issued.key, "203.0.113.1")
    assert verdict.status is Status.IP_LIMIT_REACHED
    assert [seat.address for seat in (await world.licenses.view(OWNER, issued.key)).addresses] == ["203.0.113.9"]


async def test_a_revocation_before_the_lock_was_had_leaves_no_seat(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=HOLDER)
    rival = contested(world, REVOKED)
    assert (await rival.validate(product.api_key, issued.key)).status is Status.REVOKED
    assert unlocked_writes(rival.store.asked) == []  # type: ignore[attr-defined]
    assert (await world.licenses.view(OWNER, issued.key)).addresses == ()


async def test_an_offer_accepted_before_the_lock_was_had_does_not_lapse(world: World) -> None:
    shop = await stocked(world)
    world.now_ms += RECIPIENT_HAS_MS
    accepted = f"UPDATE transfers SET state = 'accepted', expires_at_ms = {world.now_ms + 1}"
    rival = contested(world, f"{accepted} WHERE id = {shop.offered_id}")
    await rival.upkeep.lapse_transfers()
    assert unlocked_writes(rival.store.asked) == []  # type: ignore[attr-defined]
    assert Action.TRANSFER_CANCELLED not in [event.action for event in await world.events()]


async def test_a_license_that_was_revoked_before_the_lock_was_had_does_not_expire(world: World) -> None:
    await stocked(world)
    world.now_ms += 91 * 86_400_000
    assert await contested(world, REVOKED).upkeep.expire_licenses() == 0
    await world.store.write(lambda _tx: said(RESTORED))
    watched = contested(world)
    assert await watched.upkeep.expire_licenses() == 1
    assert unlocked_writes(watched.store.asked) == []  # type: ignore[attr-defined]


async def test_whatever_ended_without_anybody_enforcing_it_the_sweep_takes_no_lock_for_that(world: World) -> None:
    await world.product(enforce_expiry=False)
    await world.issue(discord_id=HOLDER, expiry="1d")
    world.now_ms += 2 * 86_400_000
    watched = contested(world)
    assert await watched.upkeep.expire_licenses() == 0
    assert watched.store.asked == []  # type: ignore[attr-defined]


async def test_an_end_that_nobody_enforces_any_more_when_the_lock_is_had_is_not_noticed(world: World) -> None:
    await world.product()
    await world.issue(discord_id=HOLDER, expiry="1d")
    world.now_ms += 2 * 86_400_000
    unenforced = "UPDATE products SET enforce_expiry = 0"
    assert await contested(world, unenforced).upkeep.expire_licenses() == 0


async def test_what_somebody_else_did_before_many_were_locked_is_not_done_again(world: World) -> None:
    await stocked(world)
    everything = Selection(product="Pro")
    rival = contested(world, REVOKED)
    assert (await rival.bulk.change(OWNER, BulkChange.SUSPEND, everything)).changed == 0
    assert unlocked_writes(rival.store.asked) == []  # type: ignore[attr-defined]
    moved = contested(world, RESTORED, MOVED)
    of_holder = Selection(discord_id=HOLDER)
    assert (await moved.bulk.change(OWNER, BulkChange.REVOKE, of_holder)).changed == 0
