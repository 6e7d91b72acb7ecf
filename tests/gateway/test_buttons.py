"""Buttons: they ask before they destroy, outlive the bot, and act once."""

import re

from discord_shop import Shop


async def test_a_panel_works_after_the_bot_was_restarted(shop: Shop):
    await shop.product()
    key = await shop.stock()
    panel = await shop.owner.slash("license view", license=key)
    question = await panel.click("Revoke…")

    await shop.restart_bot()

    assert (await panel.click("Show key")).content == key
    await question.click("Revoke for good")
    await question.wait_for("is revoked")
    await panel.click("Refresh")
    await panel.wait_for("**Status:** revoked")
    assert [button.label for button in panel.buttons] == ["Show key", "Refresh", "Last validations"]


async def test_a_reason_given_with_the_command_survives_a_restart(shop: Shop):
    await shop.product()
    await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    license_ = (await shop.owner.complete("license revoke", "license", ""))[0].value
    question = await shop.owner.slash("license revoke", license=license_, reason="*Charged back* @everyone")

    await shop.restart_bot()
    await question.click("Revoke for good")

    dm = await shop.bob.wait_for_dm("was revoked")
    assert "Charged back" in dm.text
    assert (await shop.world.events())[-1].reason == "*Charged back* @everyone"


async def test_a_reason_can_be_given_in_a_form(shop: Shop):
    api_key = await shop.product()
    issued = await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    key = (await shop.bob.wait_for_dm("-")).content
    question = await issued.click("Revoke…")

    form = await question.click("Give a reason…")
    assert form.modal is not None
    await form.submit({"Reason": "Refunded"})

    await question.wait_for("is revoked")
    assert "Reason: Refunded" in (await shop.bob.wait_for_dm("was revoked")).text
    assert await shop.validate(api_key, key) == "revoked"


async def test_cancelling_changes_nothing(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock()
    question = await shop.owner.slash("license revoke", license=key)
    before = await shop.world.events()

    await question.click("Cancel")

    await question.wait_for("Nothing was changed")
    assert question.buttons == []
    assert await shop.world.events() == before
    assert await shop.validate(api_key, key) == "not_claimed"


async def test_the_second_press_of_two_is_told_so(shop: Shop):
    await shop.product()
    key = await shop.stock()
    first = await shop.owner.slash("license revoke", license=key)
    second = await shop.owner.slash("license revoke", license=key)

    await first.click("Revoke for good")

    assert "already revoked" in (await second.click("Revoke for good")).text


async def test_a_rotation_says_what_it_breaks_and_kills_the_old_key_at_once(shop: Shop):
    old = await shop.product()
    key = await shop.stock()
    await shop.bob.slash("claim", key=key)
    question = await shop.owner.slash("product rotate-key", product="Pro")
    assert "1 license of this product is in use." in question.text
    assert "dies at once" in question.text

    pressed = await question.click("Rotate the key")
    await pressed.wait_for(lambda it: it.content.startswith("kp_live_"))
    new = pressed.content

    assert new != old
    assert await shop.validate(old, key) == "invalid_api_key"
    assert await shop.validate(new, key) == "active"


async def test_a_rotation_with_grace_keeps_the_old_key_alive_until_it_ends(shop: Shop):
    old = await shop.product()
    key = await shop.stock()
    await shop.bob.slash("claim", key=key)
    question = await shop.owner.slash("product rotate-key", product="Pro", grace="24h")
    assert f"goes on working until <t:{shop.world.now_ms // 1000 + 86_400}:f>" in question.text

    pressed = await question.click("Rotate the key")
    await pressed.wait_for(lambda it: it.content.startswith("kp_live_"))

    assert await shop.validate(old, key) == "active"
    shop.world.now_ms += 24 * 3_600_000
    assert await shop.validate(old, key) == "invalid_api_key"
    assert await shop.validate(pressed.content, key) == "active"


async def test_a_rotation_confirmed_twice_rotates_once(shop: Shop):
    await shop.product()
    first = await shop.owner.slash("product rotate-key", product="Pro")
    second = await shop.owner.slash("product rotate-key", product="Pro")
    pressed = await first.click("Rotate the key")
    await pressed.wait_for(lambda it: it.content.startswith("kp_live_"))

    refused = await second.click("Rotate the key")

    assert "was replaced in the meantime" in refused.text
    panel = await shop.owner.slash("product view", product="Pro")
    assert pressed.content[:12] in panel.text


async def test_every_button_carries_a_version_in_its_id(shop: Shop):
    await shop.product()
    key = await shop.stock()
    panel = await shop.owner.slash("license view", license=key)
    shown = [panel, await panel.click("Revoke…"), await shop.owner.slash("product rotate-key", product="Pro")]
    await shop.bob.slash("claim", key=key)
    shown.append(await shop.bob.slash("licenses"))
    shown.append(await shop.owner.slash("product settings", product="Pro"))
    shown.append(await shop.owner.slash("license find"))
    shown.append(await shop.bob.slash("transfer request", license=key, member=shop.alice))
    shown.append(await shop.alice.slash("transfer list"))
    await shown[-1].click("Accept")
    shown.append(await shop.owner.slash("approvals"))

    ids = [each.custom_id for reply in shown for each in (*reply.buttons, *reply.selects)]

    assert len(ids) > 25
    assert max(map(len, ids)) <= 100
    assert all(re.match(r"[a-z]+:v\d:", custom_id) for custom_id in ids)


async def test_a_form_of_another_version_says_so_instead_of_failing(shop: Shop, monkeypatch):
    await shop.product()
    panel = await shop.owner.slash("product settings", product="Pro")
    await panel.click("Addresses and devices")
    refused = await (await panel.click("Set limit…")).submit({"Addresses per license": "x"})
    form = await panel.click("Set limit…")
    monkeypatch.setattr(shop.client, "forms", ())

    assert "of an older version" in (await form.submit({"Addresses per license": "3"})).text
    assert "of an older version" in (await refused.click("Try again")).text
