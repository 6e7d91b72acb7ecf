"""Guarantees that hold in whatever order calls are made and things go wrong, over HTTP."""

import sqlite3
from collections import Counter
from contextlib import closing

import pytest
from factories import ADDRESS, DAY_MS, UNKNOWN_KEY, make_actor, make_plan
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from licensing.choices import (
    ActorKind,
    AutoRegister,
    OrganizationState,
    ProductState,
    SigningKind,
    VersionMode,
    VersionState,
)
from licensing.services.blacklist import BlacklistService
from licensing.services.block_targets import Target
from licensing.services.changes import ChangeService
from licensing.services.organizations import OrganizationService, Plans
from licensing.services.versions import VersionService

ELSEWHERE = "198.51.100.9"
OPERATOR = make_actor(kind=ActorKind.OPERATOR, is_administrator=False)
FEWER = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])

callers = st.lists(st.sampled_from(("a", "b", "c", "d", "e")), min_size=1, max_size=10)


async def verdicts(shop, api_key, key, calls):
    return [(await shop.validate(api_key, key, **call)).body["valid"] for call in calls]


@pytest.fixture(params=AutoRegister)
async def seating(shop, request):
    """The API key of a product that lets addresses register in one of the ways there are."""
    return (await shop.product(auto_register=request.param)).api_key


@given(calls=callers, few=st.integers(1, 4), more=st.none() | st.integers(1, 3))
@FEWER
async def test_more_seats_refuse_nobody_in_a_whole_story_whom_fewer_let_in(shop, seating, calls, few, more):
    narrow, roomy = [await shop.issue(max_ips=limit) for limit in (few, few + more if more else None)]
    addresses = [{"address": f"203.0.113.{ord(caller)}"} for caller in calls]
    before = await verdicts(shop, seating, narrow.key, addresses)
    after = await verdicts(shop, seating, roomy.key, addresses)
    assert all(now >= then for then, now in zip(before, after, strict=True))
    assert sum(before) <= sum(after)


@pytest.fixture
async def by_devices(shop):
    """The API keys of products that let one, two, three and any number of devices in."""
    return {limit: (await shop.product(str(limit), max_devices=limit)).api_key for limit in (1, 2, 3, None)}


@given(calls=callers)
@FEWER
async def test_more_devices_refuse_nobody_in_a_whole_story_whom_fewer_let_in(shop, by_devices, calls):
    fewer = [False] * len(calls)
    for limit, api_key in by_devices.items():
        issued = await shop.issue(str(limit))
        more = await verdicts(shop, api_key, issued.key, [{"device_id": caller} for caller in calls])
        assert all(now >= then for then, now in zip(fewer, more, strict=True))
        fewer = more
    assert all(fewer)


class Trouble:
    """A license that validates, everything that can go wrong with it, and the call that is made."""

    def __init__(self, shop, api_key, issued):
        self.shop, self.api_key, self.issued = shop, api_key, issued
        self.call = {"key": issued.key, "address": ADDRESS, "device_id": "one", "version": "1.4.0"}
        self._changes = ChangeService(shop.store, shop.store.vault, clock=shop.clock)
        self._blacklist = BlacklistService(shop.store, shop.store.vault, clock=shop.clock)
        self._organizations = OrganizationService(shop.store, plans=Plans({}, default=""), clock=shop.clock)

    async def status(self):
        return (await self.shop.validate(self.api_key, **self.call)).body["status"]

    async def product_archived(self):
        await self.shop.catalog.change_state(self.shop.staff, "Widget", ProductState.ARCHIVED)

    async def org_suspended(self):
        await self._organizations.change_state(OPERATOR, OrganizationState.SUSPENDED)

    async def license_not_found(self):
        self.call["key"] = UNKNOWN_KEY

    async def suspended(self):
        await self._changes.suspend(self.shop.staff, self.issued.key)

    async def expired(self):
        self.shop.clock.now_ms += 2 * DAY_MS

    async def ip_blocked(self):
        for network in ("203.0.113.0/24", "198.51.100.0/24"):
            target = Target(license=self.issued.key)
            await self._blacklist.add(self.shop.staff, network=network, target=target)

    async def ip_limit_reached(self):
        self.call["address"] = ELSEWHERE

    async def device_limit_reached(self):
        self.call["device_id"] = "two"

    async def version_not_allowed(self):
        self.call["version"] = "2.0.0"

    async def undone(self):
        """Let the next license of the product have its own trouble."""
        view = await self.shop.catalog.view(self.shop.staff, name="Widget")
        if view.product.state is not ProductState.ACTIVE:
            await self.shop.catalog.change_state(self.shop.staff, "Widget", ProductState.ACTIVE)
        organization = await self.shop.store.read(lambda tx: tx.organizations.get(OPERATOR.organization_id))
        if organization.state is not OrganizationState.ACTIVE:
            await self._organizations.change_state(OPERATOR, OrganizationState.ACTIVE)


IN_ORDER = (
    "product_archived", "org_suspended", "license_not_found", "suspended", "expired", "ip_blocked",
    "ip_limit_reached", "device_limit_reached", "version_not_allowed",
)  # fmt: skip


@pytest.fixture
async def strict(shop):
    """The API key of a product that refuses over everything."""
    product = await shop.product(max_devices=1, versions=VersionMode.ENFORCE)
    versions = VersionService(shop.store, clock=shop.clock)
    await versions.set(shop.staff, "Widget", spec="1.x", state=VersionState.ALLOWED)
    return product.api_key


@given(happens=st.lists(st.sampled_from(IN_ORDER), unique=True))
@example(happens=IN_ORDER)
@example(happens=IN_ORDER[::-1])
@FEWER
async def test_in_whatever_order_things_go_wrong_the_first_check_of_the_contract_decides(shop, strict, happens):
    trouble = Trouble(shop, strict, await shop.issue(expiry="1d", max_ips=1))
    # The first call takes its seats, the second is judged, and from the third on the answer may be a remembered one.
    assert [await trouble.status() for _ in range(3)] == ["active"] * 3
    try:
        for number, wrong in enumerate(happens, start=1):
            await getattr(trouble, wrong)()
            assert await trouble.status() == min(happens[:number], key=IN_ORDER.index)
    finally:
        await trouble.undone()


@pytest.fixture
async def two_processes(open_shop):
    """Two servers on one database, with one clock, whose products have ten calls a day."""
    plan = make_plan(calls_per_product_per_day=10)
    async with open_shop(plan=plan) as shop, open_shop(plan=plan, clock=shop.clock) as other:
        yield shop, other


WHAT = ("good", "revoked", "unknown", "look up", "look up unknown", "file", "no file", "keys", "bad key", "bad body")
mixes = st.lists(
    st.tuples(
        st.sampled_from((0, 1)),
        st.sampled_from((*WHAT, "good", "good", "write")),
        st.sampled_from((0, 0, 1, 1_000, DAY_MS // 3, DAY_MS)),
    ),
    max_size=40,
)


async def send(shop, api_key, keys, what):
    """Make a call; return its code, and the status that it counts under."""
    match what:
        case "bad body":
            reply = await shop.validate(api_key, "")
        case "bad key":
            reply = await shop.validate("kp_live_no", keys["good"])
        case "keys":
            reply = await shop.get("/api/v1/keys", api_key)
            return reply.code, None
        case "look up" | "look up unknown":
            reply = await shop.get(f"/api/v1/license/{keys[what]}", api_key)
            return reply.code, "lookup" if reply.code in (200, 404) else reply.body["status"]
        case "file" | "no file":
            reply = await shop.get(f"/api/v1/license/{keys[what]}/file", api_key)
            return reply.code, "active" if reply.code == 200 else reply.body["status"]
        case _:
            reply = await shop.validate(api_key, keys[what])
    return reply.code, reply.body["status"]


@given(mix=mixes)
@FEWER
async def test_the_days_counts_add_up_to_what_two_processes_answered_across_midnight(two_processes, tmp_path, mix):
    shop = two_processes[0]
    name = f"Product {await shop.store.read(lambda tx: tx.products.count(shop.staff.organization_id))}"
    product = await shop.product(name, license_file_days=7)
    await shop.signing.turn_on(shop.staff, name, SigningKind.ED25519)
    good, revoked = await shop.issue(name), await shop.issue(name)
    await shop.licenses.revoke(shop.staff, revoked.key)
    keys = dict.fromkeys(("good", "look up", "file"), good.key) | dict.fromkeys(("revoked", "no file"), revoked.key)
    keys |= dict.fromkeys(("unknown", "look up unknown"), UNKNOWN_KEY)
    answered = Counter()
    for process, what, later_ms in mix:
        shop.clock.now_ms += later_ms
        if what == "write":
            await two_processes[process].usage.flush(shop.store)
            continue
        code, status = await send(two_processes[process], product.api_key, keys, what)
        if code in (200, 403, 404, 429) and status is not None:
            answered[shop.clock.now_ms // DAY_MS, status] += 1
    for each in two_processes:
        await each.usage.flush(shop.store)
    counted = {(day, status): calls for id_, day, status, calls in usage(tmp_path) if id_ == product.product.id}
    assert counted == answered


def usage(folder):
    with closing(sqlite3.connect(folder / "keyport.db")) as connection:
        return connection.execute("SELECT product_id, day, status, calls FROM usage_daily").fetchall()
