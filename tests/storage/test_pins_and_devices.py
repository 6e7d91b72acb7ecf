"""What single licenses have of their own: pins, overrides, devices; and what a reset frees."""

import asyncio

import pytest
from storage_world import OWNER, World

from licensing.choices import UnlistedVersions, VersionMode
from licensing.errors import LicenseNotActive, NoAddresses, NothingToChange
from licensing.events import Action
from licensing.input_errors import (
    CustomNotJson,
    CustomTooLarge,
    FileDaysInvalid,
    MaxDevicesInvalid,
    ResetDaysInvalid,
    ResetsInvalid,
    VersionInvalid,
    VersionRangeInvalid,
)
from licensing.models import MAX_DEVICES_LIMIT, MAX_FILE_DAYS, MAX_RESET_DAYS, MAX_RESETS
from licensing.services.changes import Edit
from licensing.verdict import Call, Verdict


async def call(world: World, api_key: str, key: str, **members: str) -> Verdict:
    return (await world.validation.validate(api_key, Call(key, "203.0.113.1", **members))).verdict


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" 1.4.0 ", ("1.4.0", None, None)),
        ("build-77", ("build-77", None, None)),
        (">= 2.1, < 2.4", (None, "2.1", "2.4")),
        ("1.x", (None, "1.0", "2.0")),
        ("<3", (None, None, "3")),
    ],
)
async def test_a_pin_is_kept_as_one_version_or_as_bounds_and_is_taken_away_by_nothing(
    world: World, typed: str, kept: tuple[str | None, ...]
) -> None:
    await world.product()
    issued = await world.issue(discord_id=20)

    changed = await world.changes.pin(OWNER, issued.key, typed)

    after = changed.after.license
    assert (after.version_pinned, after.version_min, after.version_max) == kept
    assert (await world.licenses.view(OWNER, issued.key)).license == after
    event = (await world.events())[-1]
    assert event.action is Action.LICENSE_UPDATED
    fields = ("version_pinned", "version_min", "version_max")
    assert event.after == {name: value for name, value in zip(fields, kept, strict=True) if value}
    with pytest.raises(NothingToChange):
        await world.changes.pin(OWNER, issued.key, typed)
    assert (await world.changes.pin(OWNER, issued.key, " ")).after.license.version_min is None


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("1 2", VersionInvalid),
        ("9" * 10_000, VersionInvalid),
        ("^1 || ^3", VersionRangeInvalid),
        ("<=1.4.0", VersionRangeInvalid),
        ("*", VersionRangeInvalid),
        (">=2 <1", VersionRangeInvalid),
    ],
)
async def test_what_no_pin_can_be_is_refused(world: World, typed: str, refusal: type[Exception]) -> None:
    await world.product()
    issued = await world.issue(discord_id=20)
    with pytest.raises(refusal):
        await world.changes.pin(OWNER, issued.key, typed)
    with pytest.raises(refusal):
        await world.changes.edit(OWNER, issued.key, Edit(notes="x", version=typed))
    assert (await world.licenses.view(OWNER, issued.key)).license == issued.view.license


async def test_the_very_next_validation_knows_of_a_pin_and_of_an_override(world: World) -> None:
    product = await world.product(versions=VersionMode.ENFORCE, unlisted_versions=UnlistedVersions.ALLOW)
    issued = await world.issue(discord_id=20)
    assert (await call(world, product.api_key, issued.key, version="2.0")).valid
    await world.changes.pin(OWNER, issued.key, "1.x")
    assert not (await call(world, product.api_key, issued.key, version="2.0")).valid
    assert (await call(world, product.api_key, issued.key, version="1.9")).valid
    await world.changes.override(OWNER, issued.key, '{"tier": "gold"}')
    answer = await world.validation.validate(product.api_key, Call(issued.key, "203.0.113.1", "1.9"))
    assert answer.custom == '{"tier":"gold"}'


async def test_an_override_is_kept_as_it_is_answered_and_an_empty_one_is_none(world: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=20)
    changed = await world.changes.override(OWNER, issued.key, ' {"a": 1.0} ')
    assert changed.after.license.custom == '{"a":1}'
    assert (await world.events())[-1].after == {"custom": '{"a":1}'}
    for refused, why in (("{", CustomNotJson), ('{"a":"' + "x" * 8_192 + '"}', CustomTooLarge)):
        with pytest.raises(why):
            await world.changes.override(OWNER, issued.key, refused)
        with pytest.raises(why):
            await world.catalog.change_custom(OWNER, "Pro", refused)
    for nothing in ("{}", "", None):
        assert (await world.changes.override(OWNER, issued.key, nothing)).after.license.custom is None
        await world.changes.override(OWNER, issued.key, '{"a":1}')
        with pytest.raises(NothingToChange):
            await world.catalog.change_custom(OWNER, "Pro", nothing)


async def test_nothing_of_its_own_is_given_to_a_revoked_license(world: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=20)
    await world.licenses.revoke(OWNER, issued.key)
    for attempt in (
        world.changes.pin(OWNER, issued.key, "1.x"),
        world.changes.override(OWNER, issued.key, '{"a":1}'),
    ):
        with pytest.raises(LicenseNotActive):
            await attempt


async def test_a_reset_frees_devices_with_addresses_and_the_ledger_knows_which(world: World) -> None:
    product = await world.product(max_devices=1, track_ip_on_validate=False)
    issued = await world.issue(discord_id=20)
    assert (await call(world, product.api_key, issued.key, device_id="tower")).valid
    refused = await call(world, product.api_key, issued.key, device_id="laptop")
    assert refused.status == "device_limit_reached"
    assert (await world.changes.resettable(OWNER, issued.key)).devices[0].device == "tower"

    changed = await world.changes.reset_ips(OWNER, issued.key)

    assert [it.device for it in changed.before.devices] == ["tower"]
    assert changed.after.devices == ()
    event = (await world.events())[-1]
    assert (event.action, event.before, event.after) == (
        Action.LICENSE_IPS_RESET,
        {"addresses": [], "devices": ["tower"]},
        {"addresses": [], "devices": []},
    )
    for attempt in (world.changes.resettable(OWNER, issued.key), world.changes.reset_ips(OWNER, issued.key)):
        with pytest.raises(NoAddresses):
            await attempt
    assert (await call(world, product.api_key, issued.key, device_id="laptop")).valid
    assert not (await call(world, product.api_key, issued.key, device_id="tower")).valid


async def test_a_reset_amid_a_race_of_devices_never_leaves_more_of_them_than_there_are_seats(world: World) -> None:
    product = await world.product(max_devices=3)
    issued = await world.issue(discord_id=20)
    await call(world, product.api_key, issued.key, device_id="first")
    racers = [call(world, product.api_key, issued.key, device_id=f"device {number}") for number in range(20)]
    await asyncio.gather(*racers[:10], world.changes.reset_ips(OWNER, issued.key), *racers[10:])
    assert len((await world.licenses.view(OWNER, issued.key)).devices) <= 3


@pytest.mark.parametrize(
    ("switch", "typed", "refusal"),
    [
        ("max_devices", "-1", MaxDevicesInvalid),
        ("max_devices", str(MAX_DEVICES_LIMIT + 1), MaxDevicesInvalid),
        ("max_devices", "1.5", MaxDevicesInvalid),
        ("license_file_days", str(MAX_FILE_DAYS + 1), FileDaysInvalid),
        ("license_file_days", "a week", FileDaysInvalid),
        ("reset_cooldown_days", str(MAX_RESET_DAYS + 1), ResetDaysInvalid),
        ("resets_per_year", str(MAX_RESETS + 1), ResetsInvalid),
        ("resets_per_year", "often", ResetsInvalid),
    ],
)
async def test_a_switch_holds_no_number_beyond_its_limits(
    world: World, switch: str, typed: str, refusal: type[Exception]
) -> None:
    product = (await world.product()).product
    with pytest.raises(refusal):
        await world.catalog.change_settings(OWNER, product.id, **{switch: typed})
    for most, kept in (("7", 7), ("0", None), (" 3 ", 3), ("", None)):
        changed = await world.catalog.change_settings(OWNER, product.id, **{switch: most})
        assert getattr(changed.after.settings, switch) == kept
