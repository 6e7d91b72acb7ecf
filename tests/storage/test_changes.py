"""What staff change about a license: seen before and after, told in the ledger, and felt by the next validation."""

import asyncio

import pytest
from pydantic import ValidationError
from storage_world import NOON_MS, OWNER, World, member

from licensing.choices import ActorKind, AutoRegister, DurationFrom, LicenseState
from licensing.errors import (
    ExtensionTooShort,
    LicenseNotActive,
    LicenseNotRevoked,
    LicenseNotSuspended,
    LicenseUnlimited,
    LicenseWaitsForClaim,
    NotAllowed,
    NothingToChange,
)
from licensing.events import Action
from licensing.models import Actor
from licensing.services.changes import Edit
from licensing.services.finder import Place
from licensing.verdict import Status

DAY_MS = 86_400_000
OPERATOR = Actor(organization_id=1, kind=ActorKind.OPERATOR)


async def test_a_suspension_is_felt_by_the_next_validation_and_ends_with_the_reinstatement(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    assert (await world.validate(product.api_key, issued.key)).valid
    changed = await world.changes.suspend(OWNER, issued.key, reason="Chargeback")
    assert (changed.before.license.state, changed.after.license.state) == (
        LicenseState.ACTIVE,
        LicenseState.SUSPENDED,
    )
    assert (await world.validate(product.api_key, issued.key)).status is Status.SUSPENDED
    with pytest.raises(NothingToChange):
        await world.changes.suspend(OWNER, issued.key)
    await world.changes.reinstate(OWNER, issued.key)
    assert (await world.validate(product.api_key, issued.key)).valid
    with pytest.raises(LicenseNotSuspended):
        await world.changes.reinstate(OWNER, issued.key)
    suspended = next(event for event in await world.events() if event.action is Action.LICENSE_SUSPENDED)
    assert (suspended.reason, suspended.before, suspended.after) == (
        "Chargeback",
        {"state": "active"},
        {"state": "suspended"},
    )


async def test_an_extension_counts_on_from_the_end_and_from_now_when_that_has_passed(world: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=20, expiry="10d")
    changed = await world.changes.extend(OWNER, issued.key, "5d")
    assert changed.after.license.expires_at_ms == NOON_MS + 15 * DAY_MS
    world.now_ms += 20 * DAY_MS
    changed = await world.changes.extend(OWNER, issued.key, "5d")
    assert changed.after.license.expires_at_ms == world.now_ms + 5 * DAY_MS
    assert (await world.changes.extend(OWNER, issued.key, "never")).after.license.expires_at_ms is None
    with pytest.raises(LicenseUnlimited):
        await world.changes.extend(OWNER, issued.key, "5d")


async def test_an_edit_changes_what_was_named_and_leaves_the_rest(world: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=20, expiry="10d", max_ips=3, notes="old")
    after = (await world.changes.edit(OWNER, issued.key, Edit(max_ips=0))).after.license
    assert (after.max_ips, after.notes, after.expires_at_ms) == (None, "old", NOON_MS + 10 * DAY_MS)
    after = (await world.changes.edit(OWNER, issued.key, Edit(notes=""))).after.license
    assert after.notes is None
    after = (await world.changes.edit(OWNER, issued.key, Edit(expiry="1d"))).after.license
    assert after.expires_at_ms == NOON_MS + DAY_MS
    for same in (Edit(), Edit(max_ips=0), Edit(notes=" ")):
        with pytest.raises(NothingToChange):
            await world.changes.edit(OWNER, issued.key, same)


async def test_a_reset_frees_every_seat_and_the_ledger_knows_whose_they_were(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20, max_ips=1)
    assert (await world.validate(product.api_key, issued.key, "203.0.113.1")).valid
    assert (await world.validate(product.api_key, issued.key, "203.0.113.2")).status is Status.IP_LIMIT_REACHED
    await world.changes.reset_ips(OWNER, issued.key)
    assert (await world.validate(product.api_key, issued.key, "203.0.113.2")).valid
    event = next(event for event in await world.events() if event.action is Action.LICENSE_IPS_RESET)
    assert event.before == {"addresses": ["203.0.113.1"], "devices": []}
    await world.changes.reset_ips(OWNER, issued.key)
    with pytest.raises(NothingToChange):
        await world.changes.reset_ips(OWNER, issued.key)


async def test_nothing_of_a_revoked_license_can_be_changed_and_only_the_operator_brings_it_back(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20, expiry="10d")
    with pytest.raises(LicenseNotRevoked):
        await world.changes.restore(OPERATOR, issued.key)
    await world.licenses.revoke(OWNER, issued.key)
    for attempt in (
        world.changes.suspend(OWNER, issued.key),
        world.changes.reinstate(OWNER, issued.key),
        world.changes.extend(OWNER, issued.key, "5d"),
        world.changes.edit(OWNER, issued.key, Edit(notes="x")),
    ):
        with pytest.raises(LicenseNotActive):
            await attempt
    with pytest.raises(NotAllowed):
        await world.changes.restore(OWNER, issued.key)
    await world.changes.restore(OPERATOR, issued.key)
    assert (await world.validate(product.api_key, issued.key)).valid
    assert (await world.events())[-1].actor_kind is ActorKind.OPERATOR


async def test_a_default_duration_counts_from_the_issue_or_waits_for_the_claim(world: World) -> None:
    await world.product("Issue", default_duration="30d")
    await world.product("Claim", default_duration="30d", duration_from=DurationFrom.CLAIM)
    assert (await world.issue("Issue")).view.license.expires_at_ms == NOON_MS + 30 * DAY_MS
    assert (await world.issue("Issue", expiry="never")).view.license.expires_at_ms is None
    assert (await world.issue("Claim", discord_id=20)).view.license.expires_at_ms == NOON_MS + 30 * DAY_MS
    waiting = await world.issue("Claim")
    assert (waiting.view.license.expires_at_ms, waiting.view.license.duration) == (None, "30d")
    world.now_ms += 100 * DAY_MS
    claimed = (await world.account.claim(member(21), waiting.key)).license
    assert (claimed.expires_at_ms, claimed.duration) == (world.now_ms + 30 * DAY_MS, None)


async def test_licenses_are_found_page_by_page_by_text_product_and_status(world: World) -> None:
    await world.product("Pro")
    await world.product("Lite")
    for number in range(60):
        await world.issue("Pro", discord_id=100 + number % 3, notes=f"order {number}", expiry="10d")
    stock = await world.issue("Lite")
    first = await world.finder.find(OWNER, product="pro")
    assert (first.count, first.page, first.last_page, len(first.views)) == (60, 0, 2, 25)
    last = await world.finder.find(OWNER, product="pro", place=Place(99))
    assert (last.page, len(last.views)) == (2, 10)
    seen = [
        view.license.id
        for page in range(3)
        for view in (await world.finder.find(OWNER, product="Pro", place=Place(page))).views
    ]
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 60
    assert (await world.finder.find(OWNER, text="order 5")).count == 11
    assert (await world.finder.find(OWNER, text="101")).count == 20
    assert [view.license.id for view in (await world.finder.find(OWNER, status=Status.NOT_CLAIMED)).views] == [
        stock.view.license.id
    ]
    world.now_ms += 11 * DAY_MS
    assert (await world.finder.find(OWNER, status=Status.EXPIRED)).count == 60
    assert (await world.finder.find(OWNER, status=Status.ACTIVE)).count == 0
    assert (await world.finder.find(OWNER, text="100%")).count == 0


async def test_an_export_holds_every_key_and_is_written_down(world: World) -> None:
    await world.product()
    keys = {(await world.issue(discord_id=20)).key for _ in range(30)}
    exported = await world.finder.export(OWNER)
    assert {row.key for row in exported} == keys
    event = (await world.events())[-1]
    assert (event.action, event.after) == (
        Action.LICENSES_EXPORTED,
        {"licenses": 30, "by_text": False, "product_id": None, "status": None},
    )


async def test_an_extension_never_shortens_and_never_begins_a_time_that_waits_for_its_claim(world: World) -> None:
    await world.product(default_duration="30d", duration_from=DurationFrom.CLAIM)
    issued = await world.issue(discord_id=20, expiry="365d")
    for shorter in ("2025-07-01", "0d"):
        with pytest.raises(ExtensionTooShort):
            await world.changes.extend(OWNER, issued.key, shorter)
    stock = await world.issue()
    with pytest.raises(LicenseWaitsForClaim):
        await world.changes.extend(OWNER, stock.key, "5d")
    changed = await world.changes.edit(OWNER, stock.key, Edit(expiry="90d"))
    assert (changed.after.license.duration, changed.after.license.expires_at_ms) == (None, NOON_MS + 90 * DAY_MS)


async def test_a_license_for_an_email_never_waits_for_a_claim_that_may_not_come(world: World) -> None:
    product = await world.product(default_duration="30d", duration_from=DurationFrom.CLAIM)
    issued = await world.issue(email="a@example.com")
    assert (await world.validate(product.api_key, issued.key)).valid
    world.now_ms += 31 * DAY_MS
    assert (await world.validate(product.api_key, issued.key)).status is Status.EXPIRED


async def test_a_restored_license_is_as_it_was_before_the_revocation(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    await world.changes.suspend(OWNER, issued.key, reason="Chargeback")
    await world.licenses.revoke(OWNER, issued.key)
    await world.changes.restore(OPERATOR, issued.key)
    assert (await world.validate(product.api_key, issued.key)).status is Status.SUSPENDED


async def test_a_product_s_switches_are_validated_as_a_whole_before_they_are_stored(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    for wrong in ({"transfers": "banana"}, {"no_such_switch": True}, {"enforce_expiry": "perhaps"}):
        with pytest.raises(ValidationError):
            await world.catalog.change_settings(OWNER, product.product.id, **wrong)
    assert (await world.validate(product.api_key, issued.key)).valid


async def test_searching_knows_no_case_in_any_language_and_dashes_alone_find_nothing(world: World) -> None:
    await world.product()
    street = await world.issue(discord_id=20, notes="Straße 5, ÄRGER")
    await world.issue(email="Weiss@Example.com")
    for text in ("STRASSE 5", "straße", "ärger", "Ärger"):
        assert [view.license.id for view in (await world.finder.find(OWNER, text=text)).views] == [
            street.view.license.id
        ]
    assert (await world.finder.find(OWNER, text="WEISS@example")).count == 1
    for nothing in ("--", "%", "_", "order 5"):
        assert (await world.finder.find(OWNER, text=nothing)).count == 0
    assert (await world.finder.find(OWNER, text=street.key[:4].lower())).count == 1


async def test_no_text_that_was_searched_for_is_kept_with_an_export(world: World) -> None:
    await world.product()
    issued = await world.issue()
    await world.finder.export(OWNER, text=issued.key)
    assert issued.key not in str((await world.events())[-1])


async def test_a_seat_is_not_taken_once_the_product_forbids_it_even_by_a_call_that_was_waiting(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20)
    await world.validate(product.api_key, issued.key, "203.0.113.1")
    forbidding = asyncio.ensure_future(
        world.catalog.change_settings(OWNER, product.product.id, auto_register=AutoRegister.OFF)
    )
    await asyncio.sleep(0)  # the change is on its way to the writer before the call is
    verdict = await world.validate(product.api_key, issued.key, "203.0.113.2")
    await forbidding
    assert verdict.status is Status.IP_NOT_REGISTERED
