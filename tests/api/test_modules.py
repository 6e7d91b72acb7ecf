"""Versions, custom responses and devices, as staff set them, through POST /api/v1/validate on a real database."""

import asyncio
import json

import pytest

from licensing.choices import UnlistedVersions, VersionMode, VersionState
from licensing.services.changes import ChangeService
from licensing.services.versions import VersionService

LATEST, ALLOWED, DEPRECATED, BLOCKED = VersionState
RULES = (
    ("2.1.0", LATEST),
    ("2.0.0", ALLOWED),
    ("1.9.0", DEPRECATED),
    ("1.8.0", BLOCKED),
    (">=1.5 <1.7", DEPRECATED),
    ("<1.6", BLOCKED),
    ("1.5.5", ALLOWED),
)
# Whether each is allowed where versions that are not listed are refused, allowed, or allowed when newer.
LISTED = {
    "2.1.0": (True, True, True),
    "v2.1": (True, True, True),
    "2.1.0+build.7": (True, True, True),
    "2.0.0": (True, True, True),
    "1.9.0": (True, True, True),
    "1.8.0": (False, False, False),
    "1.6.5": (True, True, True),
    "1.5.0": (False, False, False),  # in two ranges: the stricter counts
    "1.5.5": (True, True, True),  # in the same two, but named
    "1.4": (False, False, False),
    "2.0.5": (False, True, False),
    "2.1.0-beta.1": (False, True, False),
    "2.1.1-beta.1": (False, True, True),
    "2.2": (False, True, True),
    "nightly": (False, True, False),
}
UNLISTED = (UnlistedVersions.REFUSE, UnlistedVersions.ALLOW, UnlistedVersions.ALLOW_NEWER)


@pytest.fixture
def versions(shop):
    return VersionService(shop.store, clock=shop.clock)


@pytest.fixture
def changes(shop):
    return ChangeService(shop.store, shop.store.vault, clock=shop.clock)


async def shown(shop, product, issued, version):
    members = {} if version is None else {"version": version}
    body = (await shop.validate(product.api_key, issued.key, **members)).body
    return body["valid"], body["status"], body["version"], body["version_valid"]


@pytest.mark.parametrize("unlisted", UNLISTED)
async def test_every_version_is_told_apart_in_every_mode(shop, versions, unlisted):
    product = await shop.product(unlisted_versions=unlisted)
    issued = await shop.issue()
    for spec, state in RULES:
        await versions.set(shop.staff, "Widget", spec=spec, state=state)
    for version in LISTED:
        assert await shown(shop, product, issued, version) == (True, "active", version, None)
    assert await shown(shop, product, issued, None) == (True, "active", None, None)

    await shop.catalog.change_settings(shop.staff, product.product.id, versions=VersionMode.REPORT)
    for version, allowed in LISTED.items():
        right = allowed[UNLISTED.index(unlisted)]
        assert await shown(shop, product, issued, version) == (True, "active", version, right)
    assert await shown(shop, product, issued, None) == (True, "active", "2.1.0", True)

    await shop.catalog.change_settings(shop.staff, product.product.id, versions=VersionMode.ENFORCE)
    for version, allowed in LISTED.items():
        right = allowed[UNLISTED.index(unlisted)]
        status = "active" if right else "version_not_allowed"
        assert await shown(shop, product, issued, version) == (right, status, version, right)
    assert await shown(shop, product, issued, None) == (True, "active", "2.1.0", True)


@pytest.mark.parametrize(("unlisted", "allowed"), list(zip(UNLISTED, (False, True, False), strict=True)))
async def test_without_a_latest_version_one_that_was_left_out_is_not_listed(shop, versions, unlisted, allowed):
    product = await shop.product(versions=VersionMode.REPORT, unlisted_versions=unlisted)
    issued = await shop.issue()
    await versions.set(shop.staff, "Widget", spec="1.4", state=ALLOWED)
    assert await shown(shop, product, issued, None) == (True, "active", None, allowed)
    newer = unlisted is not UnlistedVersions.REFUSE
    assert await shown(shop, product, issued, "1.5") == (True, "active", "1.5", newer)


@pytest.mark.parametrize("mode", [VersionMode.REPORT, VersionMode.ENFORCE])
@pytest.mark.parametrize("unlisted", UNLISTED)
@pytest.mark.parametrize(
    ("pin", "inside", "outside"),
    [
        ("2.0.0", ["2.0.0", "v2.0", "2.0.0+7"], ["2.1.0", "2.0.5", None, "nightly"]),
        (">=1.9 <2.1", ["1.9.0", "2.0.0", "2.0.5"], ["2.1.0", "2.1.0-beta.1", None, "1.8.0", "nightly"]),
        ("2.x", ["2.0.0", "2.1.0", None, "2.2"], ["1.9.0", "3.0", "nightly"]),
        ("<2", ["1.9.0", "1.6.5", "1.8.0"], ["2.0.0", None, "nightly"]),
        ("nightly", ["nightly"], ["2.0.0", "Nightly", None]),
    ],
)
async def test_a_pin_narrows_what_the_list_allows_and_never_widens_it(
    shop, versions, changes, *, mode, unlisted, pin, inside, outside
):
    product = await shop.product(versions=mode, unlisted_versions=unlisted)
    issued, other = await shop.issue(), await shop.issue()
    for spec, state in RULES:
        await versions.set(shop.staff, "Widget", spec=spec, state=state)
    await changes.pin(shop.staff, issued.key, pin)
    for version in [*inside, *outside]:
        by_list = (await shown(shop, product, other, version))[3]
        valid, _status, _version, allowed = await shown(shop, product, issued, version)
        assert allowed == (by_list and version in inside), version
        assert valid == (allowed or mode is VersionMode.REPORT)


async def test_a_version_or_pin_that_staff_change_counts_for_the_very_next_validation(shop, versions, changes):
    product = await shop.product(versions=VersionMode.ENFORCE)
    issued = await shop.issue()
    assert (await shown(shop, product, issued, "1.0"))[1] == "version_not_allowed"
    await versions.set(shop.staff, "Widget", spec="1.0", state=ALLOWED)
    assert (await shown(shop, product, issued, "1.0"))[1] == "active"
    await versions.set(shop.staff, "Widget", spec="1.0", state=BLOCKED)
    assert (await shown(shop, product, issued, "1.0"))[1] == "version_not_allowed"
    await versions.remove(shop.staff, "Widget", spec="1.0")
    await versions.set(shop.staff, "Widget", spec="1.x", state=DEPRECATED)
    assert (await shown(shop, product, issued, "1.0"))[1] == "active"
    await changes.pin(shop.staff, issued.key, "2.0")
    assert (await shown(shop, product, issued, "1.0"))[1] == "version_not_allowed"
    await changes.pin(shop.staff, issued.key, "")
    assert (await shown(shop, product, issued, "1.0"))[1] == "active"


async def test_one_product_s_list_says_nothing_of_another_s(shop, versions):
    widget = await shop.product(versions=VersionMode.ENFORCE)
    gadget = await shop.product("Gadget", versions=VersionMode.ENFORCE)
    mine, other = await shop.issue(), await shop.issue("Gadget")
    await versions.set(shop.staff, "Widget", spec="1.0", state=LATEST)
    assert (await shown(shop, widget, mine, None))[:3] == (True, "active", "1.0")
    assert (await shown(shop, gadget, other, "1.0"))[:2] == (False, "version_not_allowed")


@pytest.mark.parametrize(
    ("template", "override", "answered"),
    [
        (None, None, None),
        ('{"a":1}', None, {"a": 1}),
        (None, '{"b":2}', {"b": 2}),
        ('{"a":1,"b":{"c":2,"d":[1,2]}}', '{"b":{"c":{"e":3},"d":[3]}}', {"a": 1, "b": {"c": {"e": 3}, "d": [3]}}),
        ('{"a":{"b":1}}', '{"a":null}', {"a": None}),
        ('{"größe":"€ 1","x":0.5}', '{"x":1e21}', {"größe": "€ 1", "x": 1e21}),
    ],
)
async def test_template_and_override_are_merged_in_valid_answers_alone(shop, changes, template, override, answered):
    product = await shop.product()
    issued = await shop.issue()
    if template:
        await shop.catalog.change_custom(shop.staff, "Widget", template)
    if override:
        await changes.override(shop.staff, issued.key, override)

    async def custom():
        return (await shop.validate(product.api_key, issued.key)).body["custom"]

    assert await custom() == answered
    reply = await shop.validate(product.api_key, issued.key)
    assert reply.raw == json.dumps(reply.body, ensure_ascii=False, separators=(",", ":")).encode()
    if answered is None:
        return
    await shop.catalog.change_settings(shop.staff, product.product.id, custom_response=False)
    assert await custom() is None
    await shop.catalog.change_settings(shop.staff, product.product.id, custom_response=True)
    assert await custom() == answered
    await changes.suspend(shop.staff, issued.key)
    assert await custom() is None


async def device(shop, product, issued, name=None, **members):
    named = {} if name is None else {"device_id": name}
    return (await shop.validate(product.api_key, issued.key, **named, **members)).body["status"]


async def test_forty_devices_racing_for_three_seats_get_exactly_three(shop):
    product = await shop.product(max_devices=3)
    issued = await shop.issue()
    names = [f"device {number}" for number in range(40)]
    found = await asyncio.gather(*(device(shop, product, issued, name) for name in names))
    assert sorted(found) == ["active"] * 3 + ["device_limit_reached"] * 37
    again = [await device(shop, product, issued, name) for name in names]
    assert again == found
    view = await shop.licenses.view(shop.staff, issued.key)
    assert {seat.device for seat in view.devices} == {
        name for name, status in zip(names, found, strict=True) if status == "active"
    }


async def test_callers_that_name_no_device_are_one_device_together(shop):
    product = await shop.product(max_devices=2)
    issued = await shop.issue()
    assert await device(shop, product, issued) == "active"
    assert await device(shop, product, issued, address="198.51.100.9") == "active"
    assert await device(shop, product, issued, "tower") == "active"
    assert await device(shop, product, issued, "laptop") == "device_limit_reached"
    assert await device(shop, product, issued) == "active"


async def test_a_device_is_looked_at_only_while_there_is_a_limit_and_counts_for_each_license_apart(shop):
    product = await shop.product()
    issued, other = await shop.issue(), await shop.issue()
    for name in ("a", "b", "c"):
        assert await device(shop, product, issued, name) == "active"
    await shop.catalog.change_settings(shop.staff, product.product.id, max_devices="1")
    assert [await device(shop, product, issued, name) for name in ("c", "a", "c")] == [
        "active",
        "device_limit_reached",
        "active",
    ]
    assert await device(shop, product, other, "a") == "active"
    await shop.catalog.change_settings(shop.staff, product.product.id, max_devices="2")
    assert await device(shop, product, issued, "a") == "active"
    await shop.catalog.change_settings(shop.staff, product.product.id, max_devices="1")
    assert await device(shop, product, issued, "a") == "active"  # who has a seat keeps it
    assert await device(shop, product, issued, "b") == "device_limit_reached"
    await shop.catalog.change_settings(shop.staff, product.product.id, max_devices="0")
    assert await device(shop, product, issued, "b") == "active"


async def test_a_reset_frees_the_seats_of_devices_at_once(shop, changes):
    product = await shop.product(max_devices=1)
    issued = await shop.issue(max_ips=1)
    assert await device(shop, product, issued, "tower") == "active"
    assert await device(shop, product, issued, "laptop") == "device_limit_reached"
    await changes.reset_ips(shop.staff, issued.key)
    assert await device(shop, product, issued, "laptop", address="198.51.100.9") == "active"
    assert await device(shop, product, issued, "tower", address="198.51.100.9") == "device_limit_reached"


async def test_strict_statuses_answer_a_client_of_keyports_with_statuses_that_it_knows(shop, changes, versions):
    product = await shop.product(max_devices=1, versions=VersionMode.ENFORCE, strict_statuses=True)
    issued = await shop.issue()
    await versions.set(shop.staff, "Widget", spec="1.0", state=LATEST)
    assert await device(shop, product, issued, "tower") == "active"
    assert await device(shop, product, issued, "laptop") == "ip_limit_reached"
    assert (await shown(shop, product, issued, "2.0"))[1] == "ip_limit_reached"  # no device is another device
    assert await device(shop, product, issued, "tower", version="2.0") == "product_disabled"
    await changes.suspend(shop.staff, issued.key)
    assert await device(shop, product, issued, "tower") == "revoked"
    assert await device(shop, product, await shop.issue(discord_id=None), "tower") == "license_not_found"
