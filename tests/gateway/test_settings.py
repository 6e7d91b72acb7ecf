"""The panel of a product's switches, and products that are archived or switched off."""

import asyncio

import pytest
from discord_shop import Shop

from licensing.models import Actor
from licensing.verdict import Call
from sandbox.components import walk
from sandbox.reply import Reply

SEATS = "Addresses and devices"


def boss(shop: Shop) -> Actor:
    return Actor(organization_id=shop.guild.id, id=shop.owner.id, is_administrator=True)


def settings_of(shop: Shop, name: str = "Pro"):
    return shop.world.store.read(lambda tx: tx.products.by_name(shop.guild.id, name))


async def test_every_switch_is_set_from_the_panel_and_shown_before_and_after(shop: Shop):
    await shop.product()
    panel = await shop.owner.slash("product settings", product="Pro")
    assert "### Settings of Pro · General" in panel.text
    assert panel.ephemeral

    await panel.click("Stop enforcing")
    await panel.wait_for("**Expiry:** enforced → shown, not enforced")
    await panel.click("Count from the claim")
    await panel.wait_for("**It counts from:** the issue → the claim")
    await (await panel.click("Set duration…")).submit({"Default duration": "30d"})
    await panel.wait_for("**Default duration:** never ends → 30d")
    await panel.select("product:v1:1:choose:transfers", "off")
    await panel.wait_for("**Transfers:** staff approve each → not allowed")
    await panel.select("product:v1:1:role", shop.holders)
    await panel.wait_for(f"**Role for holders:** none → {shop.holders.mention}")
    await panel.select("product:v1:1:role")
    await panel.wait_for(f"**Role for holders:** {shop.holders.mention} → none")

    await panel.click("Addresses and devices")
    await panel.click("Turn off")
    await panel.wait_for("**IP system:** on → off")
    await panel.select("product:v1:1:choose:auto_register", "first")
    await panel.wait_for("**New addresses:** registered up to the limit → the first is registered, all others")
    await (await panel.click("Set limit…")).submit({"Addresses per license": "3"})
    await panel.wait_for("**Addresses per license:** no limit → 3")
    await (await panel.click("Set days…")).submit({"Days without use": "1"})
    await panel.wait_for("**Unused addresses:** kept for ever → freed after 1 day")
    await (await panel.click("Set device limit…")).submit({"Devices per license": "2"})
    await panel.wait_for("### Change the settings of Pro?")
    await panel.click("Change it")
    await panel.wait_for("**Devices per license:** no limit → 2")
    assert "· Addresses and devices" in panel.text

    await panel.click("Versions")
    await panel.select("product:v1:1:choose:versions", "enforce")
    await panel.click("Change it")
    await panel.wait_for("**Versions:** not looked at → enforced: one that is not allowed is refused")
    await panel.select("product:v1:1:choose:unlisted_versions", "allow_newer")
    await panel.wait_for("**Versions not on the list:** not allowed → allowed where newer than the latest")

    await panel.click("Answers")
    await panel.click("Leave it out")
    await panel.wait_for("**Custom response:** sent where there is one → left out")
    await panel.click("Explain")
    await panel.wait_for("**Refused answers:** with their status alone → with a sentence and a support code")
    await panel.click("Use KeyPort's alone")
    await panel.wait_for("**Statuses:** all, the finer ones too → KeyPort's own alone")
    await (await panel.click("Set lifetime…")).submit({"Days that a license file is good for": "14"})
    await panel.wait_for("**License files:** not issued → good for 14 days")
    assert "**Signature in the body:** off\n**Signature in headers:** off\n" in panel.text
    settings = (await settings_of(shop)).settings.model_dump(mode="json")
    assert settings == {
        "enforce_expiry": False,
        "track_ip_on_validate": False,
        "auto_register": "first",
        "default_max_ips": 3,
        "role_id": None,
        "address_idle_days": 1,
        "default_duration": "30d",
        "duration_from": "claim",
        "transfers": "off",
        "max_devices": 2,
        "versions": "enforce",
        "unlisted_versions": "allow_newer",
        "custom_response": False,
        "explain": True,
        "strict_statuses": True,
        "sign_hmac": False,
        "sign_headers": None,
        "license_file_days": 14,
    }
    viewed = await shop.owner.slash("product view", product="Pro")
    assert "**Devices per license:** 2" in viewed.text


async def test_a_panel_keeps_its_page_through_changes_and_refreshes_and_after_a_restart(shop: Shop):
    await shop.product()
    panel = await shop.owner.slash("product settings", product="Pro")
    pages = ["General", "Addresses and devices", "Versions", "Answers"]
    assert [button.label for button in panel.buttons[-5:]] == [*pages, "Refresh"]
    for page in reversed(pages[1:]):
        await panel.click(page)
        assert f"### Settings of Pro · {page}" in panel.text
        assert panel.button(page).disabled
    await shop.restart_bot()

    await panel.click("Turn off")
    await panel.wait_for("**IP system:** on → off")
    assert "· Addresses and devices" in panel.text
    await panel.click("Refresh")
    await panel.wait_for(lambda it: "→" not in it.text)
    assert "· Addresses and devices" in panel.text


async def test_the_buttons_of_a_panel_from_before_there_were_pages_go_on_working(shop: Shop):
    await shop.product()
    panel = await shop.owner.slash("product settings", product="Pro")

    async def press_old(custom_id: str) -> Reply:
        button = next(each for each in walk(panel.message.components) if each.get("custom_id"))
        button["custom_id"] = custom_id
        return await panel.click(custom_id)

    form = await press_old("product:v1:1:type:address_idle_days")
    await form.submit({"Days without use": "7"})
    await panel.wait_for("kept for ever → freed after 7 days")
    await press_old("product:v1:1:set:track_ip_on_validate:off")
    await panel.wait_for("**IP system:** on → off")
    await press_old("product:v1:1:settings")
    await panel.wait_for("### Settings of Pro · General")


async def test_two_staff_who_set_two_switches_from_two_panels_lose_nothing(shop: Shop):
    await shop.product()
    await shop.grant("products:edit")
    first = await shop.owner.slash("product settings", product="Pro")
    second = await shop.support.slash("product settings", product="Pro")
    await second.click("Addresses and devices")

    await asyncio.gather(first.click("Stop enforcing"), second.click("Turn off"))

    settings = (await settings_of(shop)).settings
    assert (settings.enforce_expiry, settings.track_ip_on_validate) == (False, False)
    await second.click("General")
    again = await second.click("product:v1:1:set:enforce_expiry:on")
    assert not again.failed
    assert (await settings_of(shop)).settings.enforce_expiry


async def test_the_same_switch_pressed_on_two_panels_is_set_once(shop: Shop):
    await shop.product()
    first = await shop.owner.slash("product settings", product="Pro")
    second = await shop.owner.slash("product settings", product="Pro")
    await first.click("Stop enforcing")

    late = await second.click("Stop enforcing")

    assert "It is so already; nothing was changed." in late.text
    assert not (await settings_of(shop)).settings.enforce_expiry


async def test_a_panel_pressed_after_the_permission_was_taken_changes_nothing(shop: Shop):
    await shop.product()
    await shop.grant("products:edit")
    panel = await shop.support.slash("product settings", product="Pro")
    seats = await shop.support.slash("product settings", product="Pro")
    await seats.click("Addresses and devices")
    form = await seats.click("Set limit…")
    before = await settings_of(shop)
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions="products:edit")

    said = [
        await panel.click("Stop enforcing"),
        await panel.click("Refresh"),
        await panel.click("Versions"),
        await seats.click("Set days…"),
        await panel.select("product:v1:1:choose:transfers", "off"),
        await panel.select("product:v1:1:role"),
        await form.submit({"Addresses per license": "9"}),
    ]

    for reply in said:
        assert "You need the permission `products:edit` for this" in reply.text
    assert await settings_of(shop) == before
    assert "`products:edit`" in (await shop.support.slash("product settings", product="Pro")).text


@pytest.mark.parametrize(
    ("page", "opener", "field", "typed", "said"),
    [
        (SEATS, "Set limit…", "Addresses per license", "many 🚀", "must be between 0 and 100000"),
        (SEATS, "Set limit…", "Addresses per license", "-1", "must be between 0 and 100000"),
        (SEATS, "Set days…", "Days without use", "999999999999", "must be between 0 and 3650"),
        (SEATS, "Set device limit…", "Devices per license", "1e3", "must be between 0 and 100000"),
        ("Answers", "Set lifetime…", "Days that a license file is good for", "367", "can last 1 to 366 days"),
        (None, "Set duration…", "Default duration", "1m", "could mean minutes or months"),
        (None, "Set duration…", "Default duration", "2027-01-01", "is no duration"),
    ],
)
async def test_a_form_that_is_refused_opens_again_with_everything_filled_in(
    shop: Shop, *, page: str | None, opener: str, field: str, typed: str, said: str
):
    await shop.product()
    panel = await shop.owner.slash("product settings", product="Pro")
    if page:
        await panel.click(page)

    refused = await (await panel.click(opener)).submit({field: typed})
    again = await refused.click("Try again")

    assert said in refused.text
    assert again.modal.fields[0].value == typed
    done = await again.submit({field: "30d" if "duration" in field else "7"})
    await done.wait_for("→")


async def test_a_form_that_was_open_while_the_bot_restarted_is_served(shop: Shop):
    await shop.product()
    panel = await shop.owner.slash("product settings", product="Pro")
    await panel.click(SEATS)
    form = await panel.click("Set limit…")
    await shop.restart_bot()

    await form.submit({"Addresses per license": "4"})

    await panel.wait_for("no limit → 4")
    await panel.click("General")
    await panel.click("Stop enforcing")
    await panel.wait_for("**Expiry:** enforced → shown, not enforced")


async def test_a_form_shows_how_it_is_now_and_not_how_the_panel_shows_it(shop: Shop):
    await shop.product(max_ips=2)
    panel = await shop.owner.slash("product settings", product="Pro")
    other = await shop.owner.slash("product settings", product="Pro")
    await panel.click(SEATS)
    await other.click(SEATS)
    await (await other.click("Set limit…")).submit({"Addresses per license": "8"})

    form = await panel.click("Set limit…")

    assert form.modal.fields[0].value == "8"


async def test_a_role_one_could_not_give_oneself_cannot_be_chosen(shop: Shop):
    await shop.product()
    await shop.grant("products:edit")
    panel = await shop.support.slash("product settings", product="Pro")

    refused = await panel.select("product:v1:1:role", shop.holders)
    assert "You cannot give that role yourself" in refused.text
    created = await shop.support.slash("product create", name="Mine", role=shop.holders)
    assert "You cannot give that role yourself" in created.text

    shop.guild.set_permissions(shop.support_role, ["manage_messages", "manage_roles"])
    shop.guild.move_role(shop.support_role, shop.holders.position + 1)
    await shop.sandbox.wait_until(
        lambda: (
            shop.client.get_guild(shop.guild.id).get_role(shop.support_role.id)
            > shop.client.get_guild(shop.guild.id).get_role(shop.holders.id)
        )
    )
    await panel.select("product:v1:1:role", shop.holders)
    await panel.wait_for(shop.holders.mention)
    assert (await settings_of(shop)).settings.role_id == shop.holders.id


async def test_an_archived_product_stops_validating_until_it_is_unarchived(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    await shop.stock()
    question = await shop.owner.slash("product archive", product="Pro")
    assert "**1 license that works now stops validating.**" in question.text
    assert await shop.validate(api_key, key) == "active"

    done = await question.click("Archive")

    assert "**Pro:** active → archived" in done.text
    assert await shop.validate(api_key, key) == "product_archived"
    assert "is archived, so no license can be issued" in (await shop.owner.slash("license issue", product="Pro")).text
    for command in ("product archive", "product enable"):
        assert "already; nothing was changed" in (await shop.owner.slash(command, product="Pro")).text
    back = await shop.owner.slash("product unarchive", product="Pro")
    assert "**Pro:** archived → active" in back.text
    assert await shop.validate(api_key, key) == "active"


async def test_a_disabled_product_is_switched_on_again_and_both_ask_for_permission_when_pressed(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    await shop.grant("products:edit")
    question = await shop.support.slash("product disable", product="Pro")
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions="products:edit")
    assert "`products:edit`" in (await question.click("Disable")).text
    assert await shop.validate(api_key, key) == "active"

    await (await shop.owner.slash("product disable", product="Pro")).click("Disable")
    assert await shop.validate(api_key, key) == "product_disabled"
    assert "disabled → active" in (await shop.owner.slash("product enable", product="Pro")).text


async def test_a_license_without_an_expiry_lasts_as_long_as_its_product_says(shop: Shop):
    await shop.product()
    panel = await shop.owner.slash("product settings", product="Pro")
    await (await panel.click("Set duration…")).submit({"Default duration": "30d"})

    issued = await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    explicit = await shop.owner.slash("license issue", product="Pro", email="a@example.com", expiry="never")

    end = shop.world.now_ms // 1000 + 30 * 86_400
    assert f"**Expires:** <t:{end}:f>" in issued.text
    assert "The end comes from the product's default duration." in issued.text
    assert "**Expires:** never" in explicit.text
    assert "default duration" not in explicit.text

    await panel.click("Count from the claim")
    await panel.wait_for("the issue → the claim")
    waiting = await shop.owner.slash("license issue", product="Pro")
    assert "**Expires:** 30d after it is claimed" in waiting.text


async def test_a_role_that_was_deleted_while_it_was_picked_is_told_as_gone(shop: Shop, monkeypatch):
    await shop.product()
    panel = await shop.owner.slash("product settings", product="Pro")
    guild = type(shop.client.get_guild(shop.guild.id))

    with monkeypatch.context() as patch:
        patch.setattr(guild, "get_role", lambda _guild, _role_id: None)
        refused = await panel.select("product:v1:1:role", shop.holders)

    assert refused.text.endswith("That role is gone; pick another.")
    assert (await settings_of(shop)).settings.role_id is None


async def test_what_could_refuse_customers_says_how_many_and_is_asked_about_first(shop: Shop):
    api_key = await shop.product()
    keys = [await shop.stock(email=f"{name}@example.com") for name in "ab"]
    for key, device, version in ((keys[0], "pc", "1.0"), (keys[0], "laptop", "2.0"), (keys[1], "tower", None)):
        call = Call(key, "203.0.113.1", version, device)
        assert (await shop.world.validation.validate(api_key, call)).verdict.valid
    await shop.world.attempts.flush(shop.world.store)
    await shop.stock(email="c@example.com")
    panel = await shop.owner.slash("product settings", product="Pro")

    async def asked(said: str, *, then: str) -> None:
        assert "### Change the settings of Pro?" in panel.text
        assert said in panel.text
        before = await settings_of(shop)
        await panel.click("Cancel")
        await panel.wait_for("### Settings of Pro · ")
        assert await settings_of(shop) == before
        assert then in panel.text

    await panel.click("Versions")
    await panel.select("product:v1:1:choose:versions", "enforce")
    await asked("2 ran versions that are refused from then on", then="**Versions:** not looked at")
    await shop.world.catalog.change_settings(boss(shop), 1, versions="enforce", unlisted_versions="allow")
    await panel.select("product:v1:1:choose:unlisted_versions", "allow_newer")
    await asked("2 ran versions that are refused", then="**Versions not on the list:** allowed")
    await panel.click("Addresses and devices")
    form = await panel.click("Set device limit…")
    await form.submit({"Devices per license": "1"})
    await asked("**In the last 30 days, 1 license ran on more devices", then="**Devices per license:** no limit")
    await panel.select("product:v1:1:choose:auto_register", "off")
    await asked("**1 license that has a holder has no registered address", then="registered up to the limit")
    assert {button.label for button in panel.buttons} >= {"Turn off", "Refresh"}


async def test_a_lower_device_limit_tells_that_registered_devices_go_on(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    await shop.world.catalog.change_settings(boss(shop), 1, max_devices=3)
    for device in ("pc", "laptop"):
        assert (await shop.world.validation.validate(api_key, Call(key, "203.0.113.1", None, device))).verdict.valid
    panel = await shop.owner.slash("product settings", product="Pro")
    await panel.click("Addresses and devices")

    await (await panel.click("Set device limit…")).submit({"Devices per license": "1"})
    assert "**1 license has more devices registered than that.**\nDevices that are registered go on" in panel.text
    await shop.restart_bot()
    await panel.click("Change it")

    await panel.wait_for("**Devices per license:** 3 → 1")
    answer = await shop.world.validation.validate(api_key, Call(key, "203.0.113.1", None, "laptop"))
    assert answer.verdict.valid
    await (await panel.click("Set device limit…")).submit({"Devices per license": "5"})
    await panel.wait_for("**Devices per license:** 1 → 5")


async def test_the_answer_to_a_question_about_switches_asks_for_the_permission_again(shop: Shop):
    await shop.product()
    await shop.grant("products:edit")
    panel = await shop.support.slash("product settings", product="Pro")
    await panel.click("Addresses and devices")
    await panel.select("product:v1:1:choose:auto_register", "off")
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions="products:edit")

    assert "`products:edit`" in (await panel.click("Change it")).text
    assert (await settings_of(shop)).settings.auto_register == "up_to_max"


async def test_an_ip_system_that_lets_none_register_is_turned_on_only_after_asking(shop: Shop):
    await shop.product()
    await shop.world.catalog.change_settings(boss(shop), 1, auto_register="off", track_ip_on_validate=False)
    panel = await shop.owner.slash("product settings", product="Pro")
    await panel.click("Addresses and devices")
    await panel.click("Turn on…")
    assert "### Change the settings of Pro?\n**IP system:** off → on" in panel.text
    await panel.click("Change it")
    await panel.wait_for("· Addresses and devices\n**IP system:** off → on")
