"""Support codes: one for each refusal, which says why to whom it concerns and nothing to anybody else."""

import asyncio
import json

import pytest
from factories import HOUR_MS
from refused_callers import HOLDER, ask, code_of, stored, suspended
from storage_world import NOON_MS, OWNER, World, member, opened

from licensing.choices import Permission, UnlistedVersions, VersionMode
from licensing.errors import SupportCodeUnknown, TooManyWrongCodes
from licensing.services.changes import Edit
from licensing.services.limits import Rates, Reason
from licensing.verdict import Outcome, Status
from storage import DatabaseSettings

SUPPORT_ROLE = 77


async def test_the_same_refusal_has_the_same_code_within_the_hour_and_counts_up(world: World) -> None:
    product, issued = await suspended(world)
    first = await code_of(world, product, issued.key)
    await world.refusals.flush(world.store)
    for _ in range(3):
        world.now_ms += HOUR_MS // 4
        assert await code_of(world, product, issued.key) == first
    await world.refusals.flush(world.store)
    kept = await stored(world, first)
    assert kept is not None
    assert (kept.count, kept.first_at_ms, kept.last_at_ms) == (4, NOON_MS, NOON_MS + HOUR_MS * 3 // 4)
    world.now_ms += HOUR_MS // 4
    second = await code_of(world, product, issued.key)
    assert second != first
    await world.refusals.flush(world.store)
    assert [(await stored(world, code)).count for code in (first, second)] == [4, 1]  # type: ignore[union-attr]


async def test_refusals_that_differ_in_license_reason_or_address_have_codes_of_their_own(world: World) -> None:
    product, issued = await suspended(world)
    revoked = await world.issue(discord_id=HOLDER)
    await world.licenses.revoke(OWNER, revoked.key)
    codes = {
        await code_of(world, product, issued.key),
        await code_of(world, product, issued.key, "203.0.113.2"),
        await code_of(world, product, revoked.key),
        await code_of(world, product, "NO-SUCH-KEY"),
    }
    assert len(codes) == 4
    assert await code_of(world, product, "ANOTHER-KEY") in codes, "which unknown key it was must not show"


async def test_a_refusal_over_seats_has_a_new_code_once_the_seats_are_others(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=HOLDER, max_ips=1)
    assert (await ask(world, product, issued.key)).verdict.valid
    first = await code_of(world, product, issued.key, "203.0.113.9")
    assert await code_of(world, product, issued.key, "203.0.113.9") == first
    await world.changes.edit(OWNER, issued.key, Edit(max_ips=2))
    assert (await ask(world, product, issued.key, "203.0.113.2")).verdict.valid
    second = await code_of(world, product, issued.key, "203.0.113.9")
    assert await code_of(world, product, issued.key, "203.0.113.9") == second != first
    await world.refusals.flush(world.store)
    limits = []
    for code in (first, second):
        kept = await stored(world, code)
        assert kept is not None
        facts = {step["check"]: step["fact"] for step in json.loads(kept.trace)}
        limits.append((facts["address"]["taken"], facts["address"]["limit"], kept.count))
    assert limits == [(1, 1, 2), (2, 2, 2)]


async def test_calls_that_were_turned_away_have_a_code_for_each_limit(world: World) -> None:
    limited = World(world.store, rates=Rates(license_per_minute=2, address_per_minute=3))
    product = await limited.product()
    keys = [(await limited.issue(discord_id=HOLDER)).key for _ in range(2)]
    answers = [await ask(limited, product, key) for key in (keys[0], keys[0], keys[0], keys[1], keys[1])]
    turned_away = {answer.reason: answer.support_code for answer in answers if answer.reason is not None}
    assert set(turned_away) == {Reason.LICENSE, Reason.ADDRESS}
    await limited.refusals.flush(limited.store)
    for reason, code in turned_away.items():
        kept = await stored(limited, str(code))
        assert kept is not None
        assert json.loads(kept.trace)[0]["fact"]["reason"] == reason


async def test_a_refusal_over_a_device_or_a_version_has_a_code_for_each_of_them(world: World) -> None:
    product = await world.product(
        max_devices=1, versions=VersionMode.ENFORCE, unlisted_versions=UnlistedVersions.REFUSE
    )
    issued = await world.issue(discord_id=HOLDER)
    versions = [await code_of(world, product, issued.key, version=text) for text in ("1.0", "2.0", "1.0")]
    assert versions[0] == versions[2] != versions[1]
    await world.catalog.change_settings(OWNER, product.product.id, versions=VersionMode.OFF)
    assert (await ask(world, product, issued.key, device_id="one")).verdict.valid
    devices = [await code_of(world, product, issued.key, device_id=text) for text in ("two", "three", "two")]
    assert devices[0] == devices[2] != devices[1]


async def test_of_a_license_and_reason_the_latest_ten_stay_and_no_other_reason_is_touched(world: World) -> None:
    product, issued = await suspended(world)
    unknown = await code_of(world, product, "NO-SUCH-KEY")
    codes = []
    for number in range(14):
        world.now_ms += 1
        codes.append(await code_of(world, product, issued.key, f"203.0.113.{number}"))
        await world.refusals.flush(world.store)
    assert [await stored(world, code) is not None for code in codes] == [False] * 4 + [True] * 10
    assert await stored(world, unknown) is not None


async def test_a_code_that_is_kept_no_more_is_given_no_more(world: World) -> None:
    product, issued = await suspended(world)
    first = await code_of(world, product, issued.key, "203.0.113.0")
    for number in range(1, 11):
        world.now_ms += 1
        await code_of(world, product, issued.key, f"203.0.113.{number}")
        await world.refusals.flush(world.store)
    again = await code_of(world, product, issued.key, "203.0.113.0")
    assert again != first
    await world.refusals.flush(world.store)
    assert await stored(world, again) is not None


async def test_a_code_that_another_process_dropped_is_given_no_more(world: World, settings: DatabaseSettings) -> None:
    product, issued = await suspended(world)
    async with opened(settings, organizations=()) as other:
        mine = await code_of(world, product, issued.key, "203.0.113.99")
        await world.refusals.flush(world.store)
        for number in range(10):
            other.now_ms += 1
            await code_of(other, product, issued.key, f"203.0.113.{number}")
        await other.refusals.flush(other.store)
        assert await code_of(world, product, issued.key, "203.0.113.99") == mine
        await world.refusals.flush(world.store)
        assert await stored(world, mine) is None
        assert await code_of(world, product, issued.key, "203.0.113.99") != mine


async def test_a_code_explains_to_the_present_holder_and_to_who_may_see_licenses(world: World) -> None:
    product, issued = await suspended(world)
    code = await code_of(world, product, issued.key, version="1.2")
    await world.refusals.flush(world.store)
    await world.staff.grant(OWNER, role_id=SUPPORT_ROLE, permissions=[Permission.LICENSES_VIEW])
    staff = member(30, roles=frozenset({SUPPORT_ROLE}))
    told = await world.history.explain(member(HOLDER), f" {code.lower().replace('-', ' ')}")
    assert (told.refusal.code, told.refusal.status, told.refusal.version) == (code, "suspended", "1.2")
    assert told.view is not None
    assert (told.view.license.id, told.product.id, told.for_staff) == (
        issued.view.license.id,
        product.product.id,
        False,
    )
    failed = [step for step in told.steps if step.outcome is Outcome.FAILED]
    assert [(step.check, step.status, step.fact) for step in failed] == [
        ("state", Status.SUSPENDED, {"state": "suspended"})
    ]
    assert [(await world.history.explain(by, code)).for_staff for by in (staff, OWNER)] == [True, True]


async def test_to_everybody_else_a_code_is_as_unknown_as_one_that_never_was(settings: DatabaseSettings) -> None:
    async with opened(settings, organizations=(1, 2)) as world:
        product, issued = await suspended(world)
        codes = [await code_of(world, product, key) for key in (issued.key, "NO-SUCH-KEY")]
        await world.refusals.flush(world.store)
        others = [member(21), member(HOLDER, organization_id=2), OWNER.model_copy(update={"organization_id": 2})]
        for by in others:
            for code in (*codes, "2222-2222"):
                with pytest.raises(SupportCodeUnknown):
                    await world.history.explain(by, code)
        with pytest.raises(SupportCodeUnknown):
            await world.history.explain(member(HOLDER), codes[1])
        assert (await world.history.explain(OWNER, codes[1])).view is None


async def test_after_a_transfer_the_new_holder_is_answered_and_the_old_one_is_not(world: World) -> None:
    product = await world.product(transfers="recipient")
    issued = await world.issue(discord_id=HOLDER, max_ips=1)
    await world.validate(product.api_key, issued.key)
    code = await code_of(world, product, issued.key, "203.0.113.2")
    await world.refusals.flush(world.store)
    offer = await world.transfers.offer(member(HOLDER), issued.view.license.id, to_discord_id=21, to_name="Bob")
    await world.transfers.accept(member(21), offer.transfer.id)
    assert (await world.history.explain(member(21), code)).refusal.status == "ip_limit_reached"
    with pytest.raises(SupportCodeUnknown):
        await world.history.explain(member(HOLDER), code)


async def test_what_was_turned_away_unlooked_at_is_explained_to_staff_alone(settings: DatabaseSettings) -> None:
    async with opened(settings) as begun:
        world = World(begun.store, rates=Rates(license_per_minute=1))
        product = await world.product()
        issued = await world.issue(discord_id=HOLDER)
        await ask(world, product, issued.key)
        codes = [await code_of(world, product, key) for key in (issued.key, issued.key)]
        await ask(world, product, "NO-SUCH-KEY")
        codes.append(await code_of(world, product, "NO-SUCH-KEY"))
        assert len(set(codes)) == 1, "a code of its own would tell a guesser which keys there are"
        await world.refusals.flush(world.store)
        with pytest.raises(SupportCodeUnknown):
            await world.history.explain(member(HOLDER), codes[0])
        told = await world.history.explain(OWNER, codes[0])
        assert [(step.check, step.fact["reason"]) for step in told.steps] == [("limits", "license")]


async def test_after_five_wrong_codes_even_a_right_one_has_to_wait_but_not_for_others(world: World) -> None:
    product, issued = await suspended(world)
    code = await code_of(world, product, issued.key)
    await world.refusals.flush(world.store)
    for _ in range(20):
        await world.history.explain(member(HOLDER), code)
    for number in range(5):
        with pytest.raises(SupportCodeUnknown):
            await world.history.explain(member(HOLDER), f"2222-222{number + 2}")
    with pytest.raises(TooManyWrongCodes) as refusal:
        await world.history.explain(member(HOLDER), code)
    assert refusal.value.data == {"seconds": 60}
    assert (await world.history.explain(OWNER, code)).refusal.code == code
    world.now_ms += 60_000
    assert (await world.history.explain(member(HOLDER), code)).refusal.code == code


async def test_a_refusal_that_only_the_lock_decided_is_explained_by_what_stood_behind_the_lock(world: World) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=HOLDER, max_ips=1)
    answers = await asyncio.gather(*(ask(world, product, issued.key, f"203.0.113.{n}") for n in range(8)))
    refused = [answer for answer in answers if not answer.verdict.valid]
    assert len(refused) == 7
    assert len({answer.support_code for answer in refused}) == 7
    await world.refusals.flush(world.store)
    told = await world.history.explain(OWNER, refused[0].support_code or "")
    [failed] = [step for step in told.steps if step.outcome is Outcome.FAILED]
    assert (failed.check, failed.fact["taken"], failed.fact["limit"]) == ("address", 1, 1)
