"""A request that is answered from memory is answered as a server would that has just begun."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from raw_http import Line, line_to
from served_world import alike, answered_afresh, remembering, request, serving
from storage_world import OWNER, World, member, opened

from licensing.choices import (
    ActorKind,
    AutoRegister,
    OrganizationState,
    ProductState,
    SigningKind,
    TransferRule,
    UnlistedVersions,
    VersionMode,
    VersionState,
)
from licensing.models import PLATFORM, Actor, Plan
from licensing.services.blacklist import EVERYBODY, Target
from licensing.services.bulk import BulkChange, Selection
from licensing.services.changes import Edit
from storage import DatabaseSettings, open_store

ADDRESS = "203.0.113.7"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
OPERATOR = Actor(organization_id=1, kind=ActorKind.OPERATOR)
PLATFORM_OPERATOR = Actor(organization_id=PLATFORM, kind=ActorKind.OPERATOR)
ALICE, BOB = member(20), member(21)


@dataclass
class Shop:
    """A license that is asked for again and again; its staff work in another process, as it were."""

    served: World
    staff: World
    settings: DatabaseSettings
    requests: Sequence[bytes]
    lines: Sequence[Line]
    api_key: str
    key: str
    license_id: int
    product_id: int

    async def passes(self, ms: int) -> None:
        self.served.now_ms += ms
        self.staff.now_ms += ms

    async def answers(self) -> list[tuple[object, ...]]:
        """Ask for everything on every line twice, and return what each request was answered if that is the same."""
        found = []
        for sent in self.requests:
            alikes = [alike(await line.ask(sent)) for _ in range(2) for line in self.lines]
            assert alikes == alikes[:1] * len(alikes)
            found.append(alikes[0])
        return found

    async def answers_afresh(self) -> list[tuple[object, ...]]:
        return [alike(await answered_afresh(self.settings, self.served, sent)) for sent in self.requests]


@pytest.fixture
async def shop(tmp_path) -> AsyncIterator[Shop]:
    """A license that the product's own API key and a named one ask for, each on the same two connections."""
    settings = DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(opened(settings))
        staff = World(await stack.enter_async_context(open_store(settings)))
        for each in (world, staff):
            each.plans["one"] = Plan(calls_per_product_per_day=1)
        product = await staff.product(transfers=TransferRule.RECIPIENT)
        named = await staff.api_keys.add(OWNER, "Pro", "mobile")
        issued = await staff.issue(discord_id=20, expiry="30d", max_ips=3)
        body = f'{{"license_key":"{issued.key}","version":"1.4","device_id":"a"}}'.encode()
        url = (await stack.enter_async_context(serving(world))).url
        lines = [await stack.enter_async_context(line_to(url)) for _ in range(2)]
        requests = [request(api_key, body, address=ADDRESS) for api_key in (product.api_key, named.api_key)]
        yield Shop(
            world,
            staff,
            settings,
            requests,
            lines,
            product.api_key,
            issued.key,
            issued.view.license.id,
            product.product.id,
        )


Change = Callable[[Shop], Awaitable[object]]


def switched(**switches: object) -> Change:
    return lambda it: it.staff.catalog.change_settings(OWNER, it.product_id, **switches)


def put(state: ProductState) -> Change:
    return lambda it: it.staff.catalog.change_state(OWNER, "Pro", state)


def organization(state: OrganizationState) -> Change:
    return lambda it: it.staff.organizations.change_state(OPERATOR, state)


def blocked(actor: Actor, network: str, target: Callable[[Shop], Target] = lambda _: EVERYBODY) -> Change:
    return lambda it: it.staff.blacklist.add(actor, network=network, target=target(it))


def unblocked(actor: Actor, network: str, target: Callable[[Shop], Target] = lambda _: EVERYBODY) -> Change:
    return lambda it: it.staff.blacklist.remove(actor, network=network, target=target(it))


def changed_with_all(change: BulkChange) -> Change:
    return lambda it: it.staff.bulk.change(OWNER, change, Selection(product="Pro"))


def passes(ms: int) -> Change:
    return lambda it: it.passes(ms)


def signed(kind: SigningKind, *, on: bool) -> Change:
    return lambda it: (it.staff.signing.turn_on if on else it.staff.signing.turn_off)(OWNER, "Pro", kind)


def signer_rotated(kind: SigningKind, grace: str) -> Change:
    return lambda it: it.staff.signing.rotate(OWNER, "Pro", kind, grace=grace)


def key_rotated(grace: str) -> Change:
    return lambda it: it.staff.catalog.rotate_key(OWNER, name="Pro", grace=grace)


def seat_taken(address: str) -> Change:
    return lambda it: it.staff.validate(it.api_key, it.key, address)


async def revoked(it: Shop) -> None:
    await it.staff.licenses.revoke(OWNER, it.key)


async def transferred(it: Shop) -> None:
    offer = await it.staff.transfers.offer(ALICE, it.license_id, to_discord_id=BOB.id, to_name="Bob")
    await it.staff.transfers.accept(BOB, offer.transfer.id)


async def bob_is_blocked(it: Shop) -> None:
    await it.staff.issue(discord_id=BOB.id)
    await it.staff.blacklist.add(OWNER, network=ADDRESS, target=Target(discord_id=BOB.id))


async def put_on_a_plan_of_one_call(it: Shop) -> None:
    await it.served.usage.flush(it.served.store)
    await it.staff.organizations.change_plan(OPERATOR, "one")


def of_license(it: Shop) -> Target:
    return Target(license=it.key)


GONE, BACK = OrganizationState.SUSPENDED, OrganizationState.ACTIVE
# Each change in turn, and the status that the product's own API key is answered after it.
STORIES: dict[str, list[tuple[Change, str]]] = {
    "revoked, restored": [(revoked, "revoked"), (lambda it: it.staff.changes.restore(OPERATOR, it.key), "active")],
    "suspended, reinstated": [
        (lambda it: it.staff.changes.suspend(OWNER, it.key), "suspended"),
        (lambda it: it.staff.changes.reinstate(OWNER, it.key), "active"),
    ],
    "expired by the clock, set back, extended, not enforced": [
        (passes(30 * DAY_MS + 1), "expired"),
        (passes(-DAY_MS), "active"),
        (passes(DAY_MS), "expired"),
        (lambda it: it.staff.changes.extend(OWNER, it.key, "1d"), "active"),
        (passes(2 * DAY_MS), "expired"),
        (switched(enforce_expiry=False), "active"),
        (switched(enforce_expiry=True), "expired"),
    ],
    "addresses reset, registered no more": [
        (lambda it: it.staff.changes.reset_ips(OWNER, it.key), "active"),
        (switched(auto_register=AutoRegister.OFF), "active"),
        (lambda it: it.staff.changes.reset_ips(OWNER, it.key), "ip_not_registered"),
        (switched(track_ip_on_validate=False), "active"),
    ],
    "seats taken by others, there and then here": [
        (seat_taken("203.0.113.8"), "active"),
        (seat_taken("203.0.113.9"), "active"),
        (lambda it: it.staff.changes.reset_ips(OWNER, it.key), "active"),
        (seat_taken("203.0.113.8"), "active"),
    ],
    "limits": [
        (lambda it: it.staff.changes.edit(OWNER, it.key, Edit(max_ips=9)), "active"),
        (switched(max_devices=1), "active"),
        (put_on_a_plan_of_one_call, "rate_limit_exceeded"),
    ],
    "many at once": [
        (changed_with_all(BulkChange.SUSPEND), "suspended"),
        (changed_with_all(BulkChange.REINSTATE), "active"),
        (changed_with_all(BulkChange.REVOKE), "revoked"),
    ],
    "disabled, active, archived": [
        (put(ProductState.DISABLED), "product_disabled"),
        (put(ProductState.ACTIVE), "active"),
        (put(ProductState.ARCHIVED), "product_archived"),
    ],
    "strict statuses, explained": [
        (switched(strict_statuses=True), "active"),
        (switched(explain=True), "active"),
        (lambda it: it.staff.changes.suspend(OWNER, it.key), "revoked"),
        (switched(strict_statuses=False), "suspended"),
    ],
    "custom responses": [
        (lambda it: it.staff.catalog.change_custom(OWNER, "Pro", '{"tier":"gold"}'), "active"),
        (lambda it: it.staff.changes.override(OWNER, it.key, '{"tier":"iron"}'), "active"),
        (switched(custom_response=False), "active"),
    ],
    "versions": [
        (switched(versions=VersionMode.ENFORCE, unlisted_versions=UnlistedVersions.REFUSE), "version_not_allowed"),
        (
            lambda it: it.staff.versions.set(OWNER, "Pro", spec="1.x", state=VersionState.ALLOWED),
            "active",
        ),
        (lambda it: it.staff.changes.pin(OWNER, it.key, "2.0"), "version_not_allowed"),
    ],
    "blocked by everybody": [
        (blocked(OWNER, "203.0.113.0/24"), "ip_blocked"),
        (unblocked(OWNER, "203.0.113.0/24"), "active"),
        (blocked(OWNER, ADDRESS, of_license), "ip_blocked"),
        (unblocked(OWNER, ADDRESS, of_license), "active"),
        (blocked(OWNER, ADDRESS, lambda _: Target(discord_id=ALICE.id)), "ip_blocked"),
        (unblocked(OWNER, ADDRESS, lambda _: Target(discord_id=ALICE.id)), "active"),
        (blocked(PLATFORM_OPERATOR, ADDRESS), "ip_blocked"),
        (unblocked(PLATFORM_OPERATOR, ADDRESS), "active"),
    ],
    "transferred to one who is blocked": [(bob_is_blocked, "active"), (transferred, "ip_blocked")],
    "organization": [(organization(GONE), "org_suspended"), (organization(BACK), "active")],
    "API key rotated at once": [(key_rotated(""), "invalid_api_key")],
    "API key rotated, in the end": [(key_rotated("1h"), "active"), (passes(HOUR_MS), "invalid_api_key")],
    "named key removed": [(lambda it: it.staff.api_keys.remove(OWNER, "Pro", "mobile"), "active")],
    "signed in the body": [
        (signed(SigningKind.HMAC, on=True), "active"),
        (signer_rotated(SigningKind.HMAC, "1h"), "active"),
        (passes(HOUR_MS), "active"),
        (signed(SigningKind.HMAC, on=False), "active"),
    ],
    "proven in headers": [
        (signed(SigningKind.ED25519, on=True), "active"),
        (passes(1_000), "active"),
        (signer_rotated(SigningKind.ED25519, "1h"), "active"),
        (passes(HOUR_MS), "active"),
        (signed(SigningKind.RSA, on=True), "active"),
        (signed(SigningKind.RSA, on=False), "active"),
    ],
}


@pytest.mark.parametrize("story", STORIES)
async def test_what_was_answered_before_a_change_is_answered_after_it_as_a_new_server_would(
    shop: Shop, story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remembering(monkeypatch) as remembered:
        before = await shop.answers()
        assert before == await shop.answers() == await shop.answers_afresh()
        assert len(remembered) >= 8
        assert remembered[-4:] == [True] * 4
        for number, (change, status) in enumerate(STORIES[story]):
            await change(shop)
            answers = await shop.answers()
            assert answers == await shop.answers_afresh(), number
            assert dict(answers[0][2])["status"] == status, number
