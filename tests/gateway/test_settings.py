"""The panel of a product's switches, and products that are archived or switched off."""

import asyncio

from discord_shop import Shop

from sandbox.components import walk
from sandbox.reply import Reply


async def typed(panel: Reply, opener: str, label: str, value: str, *, said: str) -> None:
    """Type a switch into its form, and wait for the panel to show it."""
    await (await panel.click(opener)).submit({label: value})
    await panel.wait_for(said)


async def test_every_switch_is_set_from_the_panel_and_shown_before_and_after(shop: Shop):
    await shop.product()
    panel = await shop.owner.slash("product settings", product="Pro")
    assert "### Settings of Pro · General" in panel.text
    assert panel.ephemeral

    await panel.click("Stop enforcing")
    await panel.wait_for("**Expiry:** enforced → shown, not enforced")
    await panel.click("Count from the claim")
    await panel.wait_for("**It counts from:** the issue → the claim")
    await typed(panel, "Set duration…", "Default duration", "30d", said="**Default duration:** never ends → 30d")
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
    await typed(panel, "Set limit…", "Addresses per license", "3", said="**Addresses per license:** no limit → 3")
    await typed(
        panel, "Set days…", "Days without use", "1", said="**Unused addresses:** kept for ever → freed after 1 day"
    )
    await typed(panel, "Set device limit…", "Devices per license", "2", said="### Change the settings of Pro?")
    await panel.click("Change it")
    await panel.wait_for("**Devices per license:** no limit → 2")
    assert "· Addresses and devices" in panel.text
    await typed(
        panel,
        "Set cooldown…",
        "Days between a holder's resets",
        "1",
        said="**Resets by holders:** not allowed, only staff reset → at most once in 1 day",
    )
    await typed(
        panel,
        "Set yearly cap…",
        "A holder's resets per license in 365 days",
        "3",
        said="**Resets per holder and license in 365 days:** no limit → 3",
    )

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
    await typed(
        panel,
        "Set lifetime…",
        "Days that a license file is good for",
        "14",
        said="**License files:** not issued → good for 14 days",
    )
    assert "**Signature in the body:** off\n**Signature in headers:** off\n" in panel.text
    settings = (await shop.stored_product()).settings.model_dump(mode="json")
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
        "reset_cooldown_days": 1,
        "resets_per_year": 3,
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

    settings = (await shop.stored_product()).settings
    assert (settings.enforce_expiry, settings.track_ip_on_validate) == (False, False)
    await second.click("General")
    again = await second.click("product:v1:1:set:enforce_expiry:on")
    assert not again.failed
    assert (await shop.stored_product()).settings.enforce_expiry


async def test_the_same_switch_pressed_on_two_panels_is_set_once(shop: Shop):
    await shop.product()
    first = await shop.owner.slash("product settings", product="Pro")
    second = await shop.owner.slash("product settings", product="Pro")
    await first.click("Stop enforcing")

    late = await second.click("Stop enforcing")

    assert "It is so already; nothing was changed." in late.text
    assert not (await shop.stored_product()).settings.enforce_expiry


async def test_a_panel_pressed_after_the_permission_was_taken_changes_nothing(shop: Shop):
    await shop.product()
    await shop.grant("products:edit")
    panel = await shop.support.slash("product settings", product="Pro")
    seats = await shop.support.slash("product settings", product="Pro")
    await seats.click("Addresses and devices")
    form = await seats.click("Set limit…")
    before = await shop.stored_product()
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
    assert await shop.stored_product() == before
    assert "`products:edit`" in (await shop.support.slash("product settings", product="Pro")).text


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
    assert (await shop.stored_product()).settings.role_id == shop.holders.id


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
    assert (await shop.stored_product()).settings.role_id is None
