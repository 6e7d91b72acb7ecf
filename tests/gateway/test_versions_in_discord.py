"""Versions in Discord: the product's list, who it would refuse, and the pins of single licenses."""

import pytest
from discord_shop import Shop

from cogs.product_versions import ChangeVersionNow
from licensing.choices import ActorKind, UnlistedVersions, VersionMode, VersionState
from licensing.models import Actor
from licensing.verdict import Call


def operator(shop: Shop) -> Actor:
    return Actor(organization_id=shop.guild.id, kind=ActorKind.OPERATOR)


async def run(shop: Shop, api_key: str, key: str, *versions: str | None) -> list[str]:
    """Validate a license with each version, and have that written down."""
    calls = [Call(key, "203.0.113.1", version) for version in versions]
    found = [(await shop.world.validation.validate(api_key, call)).verdict.status.value for call in calls]
    await shop.world.attempts.flush(shop.world.store)
    return found


async def set_version(shop: Shop, version: str, state: str) -> str:
    reply = await shop.owner.slash("product version set", product="Pro", version=version, state=state)
    return reply.text


async def test_a_list_says_what_becomes_of_each_version_and_who_runs_it(shop: Shop):
    api_key = await shop.product()
    keys = [await shop.stock(email=f"{name}@example.com") for name in "abc"]
    empty = await shop.owner.slash("product version list", product="Pro")
    assert "Nothing is listed yet" in empty.text
    await run(shop, api_key, keys[0], "1.4.0", "1.5.0")
    await run(shop, api_key, keys[1], "1.4.0")
    await run(shop, api_key, keys[2], "`nightly` **x**")

    said = await set_version(shop, "1.4.0", "latest: the current version")
    assert "**Pro** · `1.4.0`: not listed → latest" in said
    assert "2 licenses ran versions that this is about" in said
    assert "Versions are not looked at now" in said
    said = await set_version(shop, "1.5.0", "latest")
    assert "`1.5.0`: not listed → latest\n`1.4.0`: latest → allowed" in said
    await set_version(shop, " >= 1.0  <1.4 ", "blocked")

    listed = await shop.owner.slash("product version list", product="Pro")
    assert listed.ephemeral
    assert (
        "`1.5.0` · latest · 1 license\n`1.4.0` · allowed · 2 licenses\n`>=1.0 <1.4` · blocked · 0 licenses"
        in listed.text
    )
    assert "**Ran, without being listed:**\n`'nightly' **x**` · 1 license" in listed.text


async def test_setting_and_removing_a_version_says_how_many_it_refuses(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    panel = await shop.owner.slash("product settings", product="Pro")
    await panel.click("Versions")
    await panel.select("product:v1:1:choose:versions", "report")
    await set_version(shop, "1.x", "allowed")
    assert await run(shop, api_key, key, "1.4.0") == ["active"]

    said = await set_version(shop, "1.4", "blocked")
    assert "1 license ran versions" in said
    assert "1 of them is told that its version is not allowed, but is not refused." in said
    assert await run(shop, api_key, key, "1.4.0") == ["active"]
    await panel.select("product:v1:1:choose:versions", "enforce")
    assert await run(shop, api_key, key, "1.4.0") == ["active"]
    await panel.click("Change it")
    assert await run(shop, api_key, key, "1.4.0") == ["version_not_allowed"]

    removed = await shop.owner.slash("product version remove", product="Pro", version="1.4.0")
    assert "`1.4`: blocked → not listed" in removed.text
    assert "None of those versions is refused." in removed.text
    assert await run(shop, api_key, key, "1.4.0") == ["active"]
    for command, options in (("set", {"state": "blocked"}), ("remove", {})):
        question = await shop.owner.slash(f"product version {command}", product="Pro", version="1.x", **options)
        assert "### Change the versions of Pro?\n**Pro** · `1.x`: allowed → " in question.text
        assert "1 license ran versions that are allowed now, and are refused from then on." in question.text
        await question.click("Cancel")
        await question.wait_for("Nothing was changed")
        assert await run(shop, api_key, key, "1.4.0") == ["active"]
    question = await shop.owner.slash("product version set", product="Pro", version="1.x", state="blocked")
    second = await shop.owner.slash("product version set", product="Pro", version="1.x", state="blocked")
    await shop.restart_bot()
    await question.click("Change it")
    await question.wait_for("**1 of them is refused with these versions now.**")
    assert "It is so already" in (await second.click("Change it")).text
    assert await run(shop, api_key, key, "1.4.0") == ["version_not_allowed"]
    again = await set_version(shop, ">=1.2 <1.9", "blocked")
    assert "not listed → blocked" in again  # what is refused already is not asked about


async def test_a_version_that_would_be_refused_is_asked_about_by_who_may_still_change_it(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    await shop.world.catalog.change_settings(operator(shop), 1, versions=VersionMode.ENFORCE)
    await set_version(shop, "1.4.0", "latest")
    assert await run(shop, api_key, key, None) == ["active"]
    await shop.grant("products:edit")

    question = await shop.support.slash("product version remove", product="Pro", version="1.4.0")

    assert "1 license ran versions that are allowed now" in question.text  # it names none, which is the latest
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions="products:edit")
    assert "`products:edit`" in (await question.click("Change it")).text
    assert await run(shop, api_key, key, None) == ["active"]


async def test_a_long_version_fits_into_the_button_that_changes_it(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    long = "1.4.0-" + "x" * 58
    await shop.world.catalog.change_settings(
        operator(shop), 1, versions=VersionMode.ENFORCE, unlisted_versions=UnlistedVersions.ALLOW
    )
    assert await run(shop, api_key, key, long) == ["active"]
    question = await shop.owner.slash("product version set", product="Pro", version=long, state="blocked")
    await question.click("Change it")
    await question.wait_for("is refused with these versions now")
    assert await run(shop, api_key, key, long) == ["version_not_allowed"]
    assert len(ChangeVersionNow("9" * 18, "b", long).item.custom_id) <= 100


@pytest.mark.parametrize(
    ("version", "state", "said"),
    [
        ("1.x", "latest", "Only a single version can be the latest; type one like `1.4.0` in place of `1.x`."),
        (">=2 <1", "allowed", "`>=2 <1` is no range of versions"),
        ("1 2", "allowed", "`1 2` is no version"),
        ("   ", "allowed", "Type a version like `1.4.0`"),
        ("9" * 128, "blocked", "is no version"),
    ],
)
async def test_what_is_no_version_is_one_sentence_and_changes_nothing(shop: Shop, version, state, said):
    await shop.product()
    before = await shop.world.events()

    assert said in await set_version(shop, version, state)
    removed = await shop.owner.slash("product version remove", product="Pro", version="3.0")

    assert "`3.0` is not on this product's list; see `/product version list`." in removed.text
    assert await shop.world.events() == before


async def test_versions_complete_from_what_runs_and_from_the_list_for_those_who_may_edit(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    await run(shop, api_key, key, "1.4.0", "2.0.0")
    await set_version(shop, "1.x", "allowed")

    async def offered(person, command: str, typed: str = "", product: str = "Pro"):
        found = await person.complete(f"product version {command}", "version", typed, product=product)
        return [choice.value for choice in found]

    assert sorted(await offered(shop.owner, "set")) == ["1.4.0", "1.x", "2.0.0"]
    assert await offered(shop.owner, "set", "2.") == ["2.0.0"]
    assert await offered(shop.owner, "remove") == ["1.x"]
    assert await offered(shop.owner, "set", product="Nothing") == []
    await shop.grant("products:view")
    assert await offered(shop.support, "set") == []
    listed = await shop.support.slash("product version list", product="Pro")
    assert "`1.x`" in listed.text
    for command, options in (("set", {"state": "blocked"}), ("remove", {})):
        reply = await shop.support.slash(f"product version {command}", product="Pro", version="1.x", **options)
        assert "You need the permission `products:edit`" in reply.text


async def test_a_list_at_its_longest_is_within_discords_limits(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    for number in range(60):
        long = f"1.{number}.0-" + "x" * 55
        await shop.world.versions.set(operator(shop), "Pro", spec=long[:64], state=VersionState.ALLOWED)
    await run(shop, api_key, key, *(f"build {number} " + "y" * 60 for number in range(40)))

    listed = await shop.owner.slash("product version list", product="Pro")

    assert "… and" in listed.text
    assert "build 1" in listed.text


async def test_a_license_is_pinned_from_its_panel_and_by_command_and_let_go_again(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    panel = await shop.owner.slash("license view", license=key)
    await (await panel.click("Pin version…")).submit({"Version": "1.x"})
    await panel.wait_for("**Version pin:** any → `>=1.0 <2.0`")
    assert "**Version pin:** `>=1.0 <2.0` (versions are not looked at)" in panel.text
    switches = await shop.owner.slash("product settings", product="Pro")
    await switches.click("Versions")
    await switches.select("product:v1:1:choose:versions", "enforce")
    await switches.click("Change it")
    await switches.select("product:v1:1:choose:unlisted_versions", "allow")
    assert await run(shop, api_key, key, "1.9", "2.0", None) == ["active", *["version_not_allowed"] * 2]

    form = await panel.click("Pin version…")
    assert form.modal.fields[0].value == ">=1.0 <2.0"
    refused = await form.submit({"Version": "^1 || ^3"})
    assert "`^1 || ^3` is no range of versions" in refused.text
    again = await refused.click("Try again")
    assert again.modal.fields[0].value == "^1 || ^3"
    await again.submit({"Version": ">= 2.0"})
    assert await run(shop, api_key, key, "1.9", "2.0") == ["version_not_allowed", "active"]

    edited = await shop.owner.slash("license edit", license=key, version="1.9", notes="stays behind")
    assert "**Version pin:** `>=2.0` → `1.9`" in edited.text
    assert "**Notes:** none → stays behind" in edited.text
    assert await run(shop, api_key, key, "1.9.0", "2.0") == ["active", "version_not_allowed"]
    freed = await shop.owner.slash("license edit", license=key, version="-")
    assert "**Version pin:** `1.9` → any" in freed.text
    assert "It is so already" in (await shop.owner.slash("license edit", license=key, version="-")).text
    assert await run(shop, api_key, key, "1.9.0", "2.0") == ["active", "active"]


async def test_a_dash_takes_a_pin_off_in_the_form_too_and_is_no_version(shop: Shop):
    await shop.product()
    key = await shop.stock(email="a@example.com")
    panel = await shop.owner.slash("license view", license=key)
    await (await panel.click("Pin version…")).submit({"Version": "1.4"})
    await panel.wait_for("**Version pin:** any → `1.4`")

    await (await panel.click("Pin version…")).submit({"Version": " - "})

    await panel.wait_for("**Version pin:** `1.4` → any")
    assert "`-` is no version" in await set_version(shop, "-", "blocked")


async def test_a_pin_to_what_nothing_is_known_of_says_so(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    await run(shop, api_key, key, "nightly")
    await set_version(shop, "1.x", "allowed")
    await shop.grant("licenses:edit", "licenses:view")
    panel = await shop.support.slash("license view", license=key)
    unknown = "No rule of the product and no version that ran lately is "

    await (await panel.click("Pin version…")).submit({"Version": "banana"})
    await panel.wait_for(f"**Version pin:** any → `banana`\n{unknown}`banana`")
    for known in ("1.4.0", "nightly"):
        edited = await shop.support.slash("license edit", license=key, version=known)
        assert f" → `{known}`" in edited.text
        assert unknown not in edited.text
    assert f"{unknown}`2.0`" in (await shop.support.slash("license edit", license=key, version="2.0")).text
    assert unknown not in (await shop.support.slash("license edit", license=key, notes="n")).text


async def test_a_revoked_license_is_neither_pinned_nor_given_a_response_and_both_ask_for_permission(shop: Shop):
    await shop.product()
    key = await shop.stock()
    await shop.grant("licenses:view")
    panel = await shop.support.slash("license view", license=key)
    for label in ("Pin version…", "Response…"):
        assert "You need the permission `licenses:edit`" in (await panel.click(label)).text
    mine = await shop.owner.slash("license view", license=key)
    await (await shop.owner.slash("license revoke", license=key)).click("Revoke for good")
    for label in ("Pin version…", "Response…"):
        assert "final; issue a new one" in (await mine.click(label)).text
    panel = await shop.owner.slash("license view", license=key)
    assert not {"Pin version…", "Response…"} & {button.label for button in panel.buttons}
    for reply in (
        await shop.owner.slash("license edit", license=key, version="1.x"),
        await shop.owner.slash("license response", license=key),
        await shop.owner.slash("license response", license=key, clear=True),
    ):
        assert "final; issue a new one" in reply.text
        assert reply.modal is None
