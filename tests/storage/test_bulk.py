"""Many licenses at once end up exactly as one by one, and validations know at once."""

from collections.abc import Callable
from typing import Any

import pytest
from storage_world import ORGANIZATION, OWNER, World, member
from stored_rows import rows_of

from licensing.choices import ActorKind, LicenseState, Permission, ProductState
from licensing.errors import LicenseAlreadyRevoked, LimitReached, NotAllowed, ProductNotSold
from licensing.events import Action, Event
from licensing.keys import tidy
from licensing.models import Actor, Plan
from licensing.ports import Unavailable
from licensing.services import bulk
from licensing.services.bulk import BulkChange, Selection
from licensing.services.terms import Terms
from licensing.verdict import Status
from storage import DatabaseSettings
from storage.sqlite import Work

ROLE = 77
STAFF = member(30, roles=frozenset({ROLE}))
EVERYTHING = Selection(product="Pro")
REVOKE, SUSPEND, REINSTATE = BulkChange


@pytest.fixture
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHANGED_AT_ONCE", 3)
    monkeypatch.setattr(bulk, "ISSUED_AT_ONCE", 3)


def told(events: list[Event], action: Action) -> dict[int, dict[str, Any]]:
    """Return what the events of a kind say, by license; whether they tell the holder apart."""
    found = {}
    for event in events:
        if event.action is action:
            said = event.model_dump(exclude={"id", "license_id", "customer_id"})
            found[event.license_id or 0] = said | {"after": {**(said["after"] or {})}}
            found[event.license_id or 0]["after"].pop("told", None)
    return found


class BrokenStore:
    """A store that does something before one of its transactions, such as to be away."""

    def __init__(self, world: World, *, at: int, do: Callable[[], Any]) -> None:
        self.snapshots, self.vault = world.store.snapshots, world.store.vault
        self.settle, self.read = world.store.settle, world.store.read
        self._store, self._left, self._do = world.store, at, do

    async def write(self, work: Work[Any]) -> Any:
        self._left -= 1
        if not self._left:
            await self._do()
        return await self._store.write(work)


def breaking(world: World, *, at: int, do: Callable[[], Any]) -> World:
    return World(BrokenStore(world, at=at, do=do), plans=world.plans, now_ms=world.now_ms)  # type: ignore[arg-type]


async def be_away() -> None:
    raise Unavailable("SQLITE_BUSY")


async def test_every_key_of_a_lot_opens_its_own_license_and_no_other(world: World) -> None:
    product = await world.product()
    lot = await world.bulk.issue(OWNER, Terms("Pro", discord_id=20, notes="gift", max_ips=2), 2_000)
    assert len({key for _, key in lot.keys}) == len({license_id for license_id, _ in lot.keys}) == 2_000
    digests = {world.store.vault.digest(tidy(key)) for _, key in lot.keys}
    assert len(digests) == 2_000
    for license_id, key in lot.keys[::50]:
        view = await world.licenses.view(OWNER, key)
        assert view.license == lot.license.model_copy(update={"id": license_id})
        assert await world.licenses.reveal(OWNER, f"#{license_id}") == key
        assert (await world.validate(product.api_key, key)).valid


async def test_a_lot_leaves_the_same_rows_and_events_as_licenses_issued_one_by_one(world: World) -> None:
    await world.product(default_max_ips=3, default_duration="30d")
    terms = Terms("Pro", email="Ann@Example.com", notes=" press ")
    one = await world.licenses.issue(OWNER, terms)
    lot = await world.bulk.issue(OWNER, terms, 5)
    events = told(await world.events(), Action.LICENSE_CREATED)
    assert set(events) == {one.view.license.id} | {license_id for license_id, _ in lot.keys}
    assert all(said == events[one.view.license.id] for said in events.values())
    for license_id, _ in lot.keys:
        view = await world.licenses.view(OWNER, f"#{license_id}")
        assert view.license.model_copy(update={"id": one.view.license.id}) == one.view.license
        assert view.customer == one.view.customer
    assert [found.license.id for found in await world.finder.search(OWNER, "press")] != []


@pytest.mark.parametrize(
    ("change", "action"), [(REVOKE, Action.LICENSE_REVOKED), (SUSPEND, Action.LICENSE_SUSPENDED)]
)
async def test_a_change_of_many_says_of_each_what_a_change_of_one_says(
    world: World, change: BulkChange, action: Action
) -> None:
    await world.product()
    one = await world.issue(discord_id=20)
    lot = await world.bulk.issue(OWNER, Terms("Pro", discord_id=21), 7)
    await (world.licenses.revoke if change is REVOKE else world.changes.suspend)(OWNER, one.key, reason="fraud")
    done = await world.bulk.change(OWNER, change, Selection(discord_id=21), reason=" fraud ")
    assert (done.changed, done.total, done.stopped_by) == (7, 7, None)
    events = told(await world.events(), action)
    assert set(events) == {one.view.license.id} | {license_id for license_id, _ in lot.keys}
    assert all(said == events[one.view.license.id] for said in events.values())
    like = (await world.licenses.view(OWNER, one.key)).license
    for license_id, _ in lot.keys:
        changed = (await world.licenses.view(OWNER, f"#{license_id}")).license
        assert changed.model_copy(update={"id": like.id, "customer_id": like.customer_id}) == like


async def test_what_was_suspended_says_so_when_it_is_revoked_and_comes_back_suspended_or_active(world: World) -> None:
    await world.product()
    paused, working = await world.issue(discord_id=20), await world.issue(discord_id=20)
    await world.changes.suspend(OWNER, paused.key)
    await world.bulk.change(OWNER, REVOKE, EVERYTHING)
    before = {
        license_id: said["before"] for license_id, said in told(await world.events(), Action.LICENSE_REVOKED).items()
    }
    assert before[paused.view.license.id]["state"] == LicenseState.SUSPENDED
    assert before[working.view.license.id]["state"] == LicenseState.ACTIVE
    operator = Actor(organization_id=ORGANIZATION, kind=ActorKind.OPERATOR)
    for issued, state in ((paused, LicenseState.SUSPENDED), (working, LicenseState.ACTIVE)):
        await world.changes.restore(operator, issued.key)
        assert (await world.licenses.view(OWNER, issued.key)).license.state is state


@pytest.mark.usefixtures("_small_chunks")
async def test_the_validation_after_a_chunk_is_told_of_is_refused(world: World) -> None:
    product = await world.product()
    lot = await world.bulk.issue(OWNER, Terms("Pro", discord_id=20), 8)
    for _, key in lot.keys:
        assert (await world.validate(product.api_key, key)).valid
    done_by = []
    ids = sorted(license_id for license_id, _ in lot.keys)
    cached = world.store.snapshots

    def look(done: int, total: int) -> None:
        done_by.append((done, total, len(cached)))

    await world.bulk.change(OWNER, SUSPEND, EVERYTHING, progress=look)
    assert done_by == [(3, 8, 5), (6, 8, 2), (8, 8, 0)]
    assert [(await world.validate(product.api_key, key)).status for _, key in lot.keys] == [Status.SUSPENDED] * 8
    assert (await world.bulk.change(OWNER, REINSTATE, Selection(license_ids=ids[:2]))).changed == 2
    keys = dict(lot.keys)
    assert [(await world.validate(product.api_key, keys[each])).valid for each in ids[:3]] == [True, True, False]


async def test_a_second_run_changes_nothing(world: World, settings: DatabaseSettings) -> None:
    await world.product()
    await world.bulk.issue(OWNER, Terms("Pro", discord_id=20), 9)
    await world.bulk.change(OWNER, REVOKE, EVERYTHING)
    before = rows_of(settings.path, 1)
    for change in BulkChange:
        assert (await world.bulk.change(OWNER, change, EVERYTHING)).changed == 0
    assert rows_of(settings.path, 1) == before
    with pytest.raises(LicenseAlreadyRevoked):
        await world.licenses.revoke(OWNER, "#1")


@pytest.mark.usefixtures("_small_chunks")
@pytest.mark.parametrize("trouble", ["away", "withdrawn"])
async def test_what_was_done_before_trouble_came_is_told_exactly_and_the_rest_was_not_done(
    world: World, trouble: str
) -> None:
    product = await world.product()
    everything = [Permission.LICENSES_CREATE, Permission.LICENSES_REVOKE]
    await world.staff.grant(OWNER, role_id=ROLE, permissions=everything)

    async def withdraw() -> None:
        await world.staff.revoke(OWNER, role_id=ROLE, permissions=everything)

    do, kind = (be_away, Unavailable) if trouble == "away" else (withdraw, NotAllowed)
    lot = await breaking(world, at=3, do=do).bulk.issue(STAFF, Terms("Pro", discord_id=20), 8)
    assert isinstance(lot.stopped_by, kind)
    assert len(lot.keys) == 6
    assert set(told(await world.events(), Action.LICENSE_CREATED)) == {license_id for license_id, _ in lot.keys}
    assert [(await world.validate(product.api_key, key)).valid for _, key in lot.keys] == [True] * 6
    await world.staff.grant(OWNER, role_id=ROLE, permissions=everything)
    done = await breaking(world, at=2, do=do).bulk.change(STAFF, REVOKE, EVERYTHING)
    assert (done.changed, done.total) == (3, 6)
    assert isinstance(done.stopped_by, kind)
    assert len(told(await world.events(), Action.LICENSE_REVOKED)) == 3


@pytest.mark.parametrize(("at", "issued"), [(1, 0), (2, 3)])
@pytest.mark.usefixtures("_small_chunks")
async def test_a_lot_that_the_plan_has_no_room_for_is_refused_whole_or_where_the_room_went_meanwhile(
    world: World, at: int, issued: int
) -> None:
    await world.product()
    world.plans["default"] = Plan(licenses=8)
    with pytest.raises(LimitReached):
        await world.bulk.issue(OWNER, Terms("Pro"), 9)
    assert await world.store.read(lambda tx: tx.licenses.count(1)) == 0

    async def take_room() -> None:
        await world.issue()

    rival = breaking(world, at=at, do=take_room)
    if issued:
        lot = await rival.bulk.issue(OWNER, Terms("Pro"), 8)
        assert isinstance(lot.stopped_by, LimitReached)
        assert len(lot.keys) == issued
    else:
        with pytest.raises(LimitReached):
            await rival.bulk.issue(OWNER, Terms("Pro"), 8)
    assert await world.store.read(lambda tx: tx.licenses.count(1)) == issued + 1


async def test_nothing_is_issued_of_a_product_that_is_not_sold_and_nothing_at_all_by_no_count(world: World) -> None:
    await world.product()
    await world.catalog.change_state(OWNER, "Pro", ProductState.ARCHIVED)
    with pytest.raises(ProductNotSold):
        await world.bulk.issue(OWNER, Terms("Pro"), 2)
    with pytest.raises(ValueError, match="at least one"):
        await world.bulk.issue(OWNER, Terms("Pro"), 0)
    assert told(await world.events(), Action.LICENSE_CREATED) == {}


async def test_a_transfer_ends_with_each_license_that_is_revoked_and_goes_on_where_it_is_suspended(
    world: World,
) -> None:
    await world.product()
    for holder in (20, 22):
        issued = await world.issue(discord_id=holder)
        offered = issued.view.license.id
        await world.transfers.offer(member(holder), offered, to_discord_id=21, to_name="Bob")
    await world.bulk.change(OWNER, SUSPEND, Selection(discord_id=22))
    await world.bulk.change(OWNER, REVOKE, Selection(discord_id=20))
    events = [event for event in await world.events() if event.license_id == 1]
    assert [event.action for event in events][-2:] == [Action.TRANSFER_CANCELLED, Action.LICENSE_REVOKED]
    assert [found.license.license.id for found in await world.transfers.mine(member(21))] == [offered]
