"""What the panel of switches asks before it changes anything: forms, and questions where customers may lose."""

import pytest
from discord_shop import Shop

from licensing.models import Actor
from licensing.verdict import Call

SEATS = "Addresses and devices"


def boss(shop: Shop) -> Actor:
    return Actor(organization_id=shop.guild.id, id=shop.owner.id, is_administrator=True)


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
        before = await shop.stored_product()
        await panel.click("Cancel")
        await panel.wait_for("### Settings of Pro · ")
        assert await shop.stored_product() == before
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
    assert (await shop.stored_product()).settings.auto_register == "up_to_max"


async def test_an_ip_system_that_lets_none_register_is_turned_on_only_after_asking(shop: Shop):
    await shop.product()
    await shop.world.catalog.change_settings(boss(shop), 1, auto_register="off", track_ip_on_validate=False)
    panel = await shop.owner.slash("product settings", product="Pro")
    await panel.click("Addresses and devices")
    await panel.click("Turn on…")
    assert "### Change the settings of Pro?\n**IP system:** off → on" in panel.text
    await panel.click("Change it")
    await panel.wait_for("· Addresses and devices\n**IP system:** off → on")
