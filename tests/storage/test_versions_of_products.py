"""A product's list of versions: who runs what, one latest version, and nothing lost when two set at once."""

import asyncio

import pytest
from storage_world import NOON_MS, OWNER, World

from licensing.choices import UnlistedVersions, VersionMode, VersionState
from licensing.errors import NothingToChange, TooManyVersions, VersionNotListed
from licensing.events import Action
from licensing.input_errors import LatestNeedsVersion, VersionInvalid, VersionRangeInvalid
from licensing.services import versions
from licensing.services.impact import RUNNING_DAYS
from licensing.verdict import Call, Status

DAY_MS = 86_400_000
LATEST, ALLOWED, DEPRECATED, BLOCKED = VersionState


async def listed(world: World) -> list[tuple[str, str, int]]:
    view = await world.versions.list(OWNER, "Pro")
    return [(it.rule.spec, it.rule.state.value, it.licenses) for it in view.listed]


async def ran(world: World, api_key: str, key: str, *versions: str | None) -> list[str]:
    """Validate a license with each version, and have that written down."""
    calls = [Call(key, "203.0.113.1", version) for version in versions]
    found = [(await world.validation.validate(api_key, call)).verdict.status.value for call in calls]
    await world.attempts.flush(world.store)
    return found


async def test_a_list_is_kept_in_the_order_in_which_people_look_for_a_version(world: World) -> None:
    await world.product()
    for spec, state in (
        ("1.9.0", ALLOWED),
        ("<1.0", BLOCKED),
        ("build-77", ALLOWED),
        ("1.10.0", LATEST),
        ("1.10.0-beta.2", DEPRECATED),
        ("1.10.1", ALLOWED),
        (">=2.0 <3", DEPRECATED),
    ):
        await world.versions.set(OWNER, "Pro", spec=spec, state=state)
    order = ["1.10.0", "1.10.1", "1.10.0-beta.2", "1.9.0", "build-77", ">=2.0 <3", "<1.0"]
    assert [spec for spec, _, _ in await listed(world)] == order
    assert [rule.spec for rule in await world.versions.removable(OWNER, "Pro")] == order


async def test_there_is_one_latest_version_and_the_one_before_it_stays_allowed(world: World) -> None:
    product = await world.product()
    await world.versions.set(OWNER, "Pro", spec="1.4", state=LATEST)
    changed = await world.versions.set(OWNER, "Pro", spec="1.5", state=LATEST)
    assert (changed.before, changed.after, changed.demoted) == (None, LATEST, "1.4")
    assert await listed(world) == [("1.5", "latest", 0), ("1.4", "allowed", 0)]
    event = (await world.events())[-1]
    assert (event.action, event.product_id) == (Action.PRODUCT_VERSION_SET, product.product.id)
    assert event.before == {"versions": {"1.4": "latest"}}
    assert event.after == {"versions": {"1.4": "allowed", "1.5": "latest"}}
    await asyncio.gather(
        *(world.versions.set(OWNER, "Pro", spec=f"2.{n}", state=LATEST) for n in range(9)),
    )
    assert [state for _, state, _ in await listed(world)].count("latest") == 1


async def test_a_version_that_is_spelled_otherwise_is_the_same_one(world: World) -> None:
    await world.product()
    await world.versions.set(OWNER, "Pro", spec=" v1.4 ", state=BLOCKED)
    await world.versions.set(OWNER, "Pro", spec=">=2.1,<2.4", state=DEPRECATED)
    changed = await world.versions.set(OWNER, "Pro", spec="1.4.0", state=ALLOWED)
    assert (changed.spec, changed.before, changed.after) == ("v1.4", BLOCKED, ALLOWED)
    with pytest.raises(NothingToChange):
        await world.versions.set(OWNER, "Pro", spec=">= 2.1.0 < 2.4", state=DEPRECATED)
    assert (await world.versions.remove(OWNER, "Pro", spec="1.4.0+7")).after is None
    assert await listed(world) == [(">=2.1 <2.4", "deprecated", 0)]


@pytest.mark.parametrize(
    ("spec", "state", "refusal"),
    [
        ("1.x", LATEST, LatestNeedsVersion),
        (">=2 <1", ALLOWED, VersionRangeInvalid),
        ("1.0 || banana", ALLOWED, VersionRangeInvalid),
        ("  ", ALLOWED, VersionInvalid),
        ("1 2", ALLOWED, VersionInvalid),
        ("9" * 10_000, ALLOWED, VersionInvalid),
        (">=" + "9" * 10_000, ALLOWED, VersionRangeInvalid),
    ],
)
async def test_what_is_no_version_or_range_is_refused_and_nothing_is_written(
    world: World, spec: str, state: VersionState, refusal: type[Exception]
) -> None:
    await world.product()
    before = await world.events()
    with pytest.raises(refusal):
        await world.versions.set(OWNER, "Pro", spec=spec, state=state)
    assert await listed(world) == []
    assert await world.events() == before


async def test_a_list_is_bounded_and_what_is_on_it_can_still_be_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "VERSIONS_LIMIT", 3)
    await world.product()
    for number in range(3):
        await world.versions.set(OWNER, "Pro", spec=f"1.{number}", state=ALLOWED)
    with pytest.raises(TooManyVersions):
        await world.versions.set(OWNER, "Pro", spec="1.3", state=ALLOWED)
    await world.versions.set(OWNER, "Pro", spec="1.2", state=LATEST)
    await world.versions.remove(OWNER, "Pro", spec="1.0")
    await world.versions.set(OWNER, "Pro", spec="1.3", state=ALLOWED)
    with pytest.raises(VersionNotListed):
        await world.versions.remove(OWNER, "Pro", spec="1.0")
    event = (await world.events())[-2]
    assert (event.action, event.before, event.after) == (
        Action.PRODUCT_VERSION_REMOVED,
        {"versions": {"1.0": "allowed"}},
        {"versions": {}},
    )


async def test_licenses_are_counted_once_for_a_rule_however_many_of_its_versions_they_ran(world: World) -> None:
    product = await world.product()
    keys = [(await world.issue(discord_id=20)).key for _ in range(3)]
    await ran(world, product.api_key, keys[0], "1.0", "v1.0.0", "1.1", "2.0")
    await ran(world, product.api_key, keys[1], "1.1", None)
    await ran(world, product.api_key, keys[2], "nightly")
    for spec, state in (("1.0.0", ALLOWED), ("1.x", DEPRECATED), ("3.0", LATEST)):
        await world.versions.set(OWNER, "Pro", spec=spec, state=state)
    view = await world.versions.list(OWNER, "Pro")
    assert [(it.rule.spec, it.licenses) for it in view.listed] == [("3.0", 0), ("1.0.0", 1), ("1.x", 2)]
    assert list(view.unlisted) == [("2.0", 1), ("nightly", 1)]
    assert list(await world.versions.settable(OWNER, "Pro")) == [
        *("1.1", "1.0", "2.0", "nightly", "v1.0.0"),
        *("3.0", "1.0.0", "1.x"),
    ]
    world.now_ms = NOON_MS + (RUNNING_DAYS + 1) * DAY_MS
    assert {it.licenses for it in (await world.versions.list(OWNER, "Pro")).listed} == {0}


async def test_a_long_list_asks_the_database_no_more_often_than_a_short_one(world: World) -> None:
    product = await world.product()
    keys = [(await world.issue(discord_id=20)).key for _ in range(2)]
    await ran(world, product.api_key, keys[0], *(f"1.{minor}" for minor in range(12)))
    await ran(world, product.api_key, keys[1], "1.11", "1.12")
    asked = []
    for shown in range(2, 12):
        await world.versions.set(OWNER, "Pro", spec=f">=0.{shown} <1.{shown}", state=ALLOWED)
        if shown in {2, 11}:
            statements: list[str] = []
            for reader in world.store._reader.workers:
                await reader.call(lambda connection, seen=statements: connection.set_trace_callback(seen.append))
            counted = {spec: licenses for spec, _, licenses in await listed(world)}
            asked.append(len(statements))
    assert asked[0] == asked[1]
    assert counted[">=0.8 <1.8"] == 1
    await world.versions.set(OWNER, "Pro", spec=">=1.11", state=ALLOWED)
    assert (await listed(world))[0] == (">=1.11", "allowed", 2)


async def test_a_change_tells_how_many_it_is_about_and_how_many_it_refuses(world: World) -> None:
    product = await world.product(versions=VersionMode.ENFORCE, unlisted_versions=UnlistedVersions.ALLOW_NEWER)
    keys = [(await world.issue(discord_id=20)).key for _ in range(4)]
    await world.versions.set(OWNER, "Pro", spec="1.4", state=LATEST)
    for key, version in zip(keys, ("1.4", "1.5", "1.6", "2.0"), strict=True):
        assert await ran(world, product.api_key, key, version) == ["active"]

    changed = await world.versions.set(OWNER, "Pro", spec="1.6", state=LATEST)
    assert (changed.licenses, changed.refused) == (2, 1)  # 1.5 is neither listed nor newer any more
    assert await ran(world, product.api_key, keys[1], "1.5") == [Status.VERSION_NOT_ALLOWED]
    changed = await world.versions.set(OWNER, "Pro", spec="1.x", state=BLOCKED)
    assert (changed.licenses, changed.refused) == (3, 1)  # 1.4 and 1.6 are named, which beats any range
    changed = await world.versions.remove(OWNER, "Pro", spec="1.4")
    assert (changed.before, changed.after, changed.licenses, changed.refused) == (ALLOWED, None, 1, 1)
    assert await ran(world, product.api_key, keys[0], "1.4") == [Status.VERSION_NOT_ALLOWED]
    assert await ran(world, product.api_key, keys[3], "2.0") == ["active"]
