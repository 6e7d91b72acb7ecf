"""Holders free the seats of their own licenses by a button that says what it costs and when it works again."""

import asyncio

import pytest
from discord_resets import ELSEWHERE, HOME, NOW, RESET, asked_first, boss, call, held_by_bob, labels, mine, stamp
from discord_shop import Shop

from licensing.choices import TransferRule
from licensing.models import Actor
from licensing.resets import DAY_MS, YEAR_MS


async def test_staff_allow_resets_in_the_settings_and_read_there_what_follows(shop: Shop):
    await shop.product()
    panel = await shop.owner.slash("product settings", product="Pro")
    await panel.click("Addresses and devices")
    assert "**Resets by holders:** not allowed, only staff reset" in panel.text
    assert "with a short cooldown one license serves many people" in panel.text

    await (await panel.click("Set cooldown…")).submit({"Days between a holder's resets": "7"})
    await panel.wait_for("**Resets by holders:** not allowed, only staff reset → at most once in 7 days")
    form = await panel.click("Set yearly cap…")
    await form.submit({"A holder's resets per license in 365 days": "2"})
    await panel.wait_for("**Resets per holder and license in 365 days:** no limit → 2")

    wrong = await (await panel.click("Set cooldown…")).submit({"Days between a holder's resets": "366"})
    assert "must be between 0 and 365; 0 lets only staff reset." in wrong.text
    viewed = await shop.owner.slash("product view", product="Pro")
    assert "**Resets by holders:** at most once in 7 days" in viewed.text


async def test_a_holder_is_asked_with_what_it_costs_and_then_runs_elsewhere(shop: Shop):
    api_key, key = await held_by_bob(shop, resets_per_year=2, max_devices=1)
    panel = await mine(shop.bob)
    assert "**Reset:** possible now · 2 of 2 left in 365 days" in panel.text
    await shop.restart_bot()

    question = await panel.click(RESET)

    next_ms = shop.world.now_ms + 7 * DAY_MS
    assert question.ephemeral
    assert "### Reset the addresses and devices of your license?" in question.text
    assert "Every address and device loses its place" in question.text
    assert "It runs on 1 address.\nIt knows 1 device." in question.text
    assert f"After that, the next reset is possible {stamp(next_ms)}.\nYou then have 1 of 2 left" in question.text
    assert await call(shop, api_key, key, ELSEWHERE) == "ip_limit_reached"
    await shop.restart_bot()
    await question.click(NOW)
    await question.wait_for("License #1 for Pro is reset")
    assert "**Addresses:** 1 of 1 → 0 of 1\n**Devices:** 1 of 1 → 0 of 1" in question.text
    assert f"The next reset is possible {stamp(next_ms)}.\nYou have 1 of 2 left in 365 days." in question.text
    assert labels(question) == []
    assert HOME not in question.text
    assert await call(shop, api_key, key, ELSEWHERE) == "active"
    event = (await shop.world.events())[-1]
    assert (event.action, event.actor_id) == ("license.ips_reset", shop.bob.id)


async def test_a_holder_who_cancels_changes_nothing(shop: Shop):
    api_key, key = await held_by_bob(shop)
    question = await (await mine(shop.bob)).click(RESET)
    await question.click("Cancel")
    await question.wait_for("Nothing was changed.")
    assert await call(shop, api_key, key, ELSEWHERE) == "ip_limit_reached"


async def test_where_it_is_not_possible_the_view_says_why_and_when_and_old_buttons_are_refused(shop: Shop):
    api_key, key = await held_by_bob(shop, resets_per_year=1)
    old = await mine(shop.bob)
    question = await old.click(RESET)
    spare = await old.click(RESET)
    first_ms = shop.world.now_ms
    await question.click(NOW)
    await question.wait_for("is reset")
    await call(shop, api_key, key)

    for pressed in (await old.click(RESET), await spare.click(NOW)):
        assert "You have reset this license as often as you may in 365 days (1)" in pressed.text
        assert f"<t:{(first_ms + YEAR_MS) // 1000}:R>" in pressed.text
    await old.click("Refresh")
    await old.wait_for(f"**Reset:** none left of 1 in 365 days; possible again {stamp(first_ms + YEAR_MS)}")
    assert RESET not in labels(old)

    await shop.world.catalog.change_settings(boss(shop), 1, resets_per_year=0)
    await old.click("Refresh")
    await old.wait_for(f"**Reset:** possible again {stamp(first_ms + 7 * DAY_MS)}")
    assert "left in 365 days" not in old.text
    await shop.world.catalog.change_settings(boss(shop), 1, resets_per_year=2)
    await old.click("Refresh")
    await old.wait_for(f"**Reset:** possible again {stamp(first_ms + 7 * DAY_MS)} · 1 of 2 left in 365 days")
    shop.world.now_ms = first_ms + 7 * DAY_MS
    await old.click("Refresh")
    await old.wait_for("**Reset:** possible now")
    assert RESET in labels(old)


@pytest.mark.parametrize(
    ("switches", "said"),
    [
        ({"reset_cooldown_days": 0}, "**Reset:** by the staff of this server"),
        ({"auto_register": "off"}, "**Reset:** not possible, since Pro lets no new address register by itself"),
    ],
)
async def test_a_view_without_the_button_says_whom_to_ask(shop: Shop, switches: dict[str, object], said: str):
    await held_by_bob(shop)
    panel = await mine(shop.bob)
    await shop.world.catalog.change_settings(boss(shop), 1, **switches)
    assert "ask the staff of this server" in (await panel.click(RESET)).text
    await panel.click("Refresh")
    await panel.wait_for(said)
    assert RESET not in labels(panel)


async def test_a_license_with_nothing_to_free_or_that_is_suspended_offers_no_reset(shop: Shop):
    _, key = await held_by_bob(shop)
    await (await shop.owner.slash("license suspend", license=key)).click("Suspend")
    assert "**Reset:** not while the license is suspended" in (await mine(shop.bob)).text
    await shop.owner.slash("license reinstate", license=key)
    await (await shop.owner.slash("license reset-ips", license=key)).click(NOW)
    panel = await mine(shop.bob)
    assert "**Reset:** not needed, since no address or device is registered" in panel.text
    assert RESET not in labels(panel)
    await (await shop.owner.slash("license revoke", license=key)).click("Revoke for good")
    assert "**Reset:**" not in (await mine(shop.bob)).text


@pytest.mark.parametrize(
    ("rule", "asked", "said"),
    [
        ("up_to_max", "Every address and device loses its place; whatever asks", "is reset; whatever asks next is"),
        ("first", "its place; of addresses, only the first that", "is reset; of addresses, only the first that asks"),
        ("off", "Every device loses its place; addresses keep theirs", "is reset; devices that ask next are"),
    ],
)
async def test_a_holder_is_told_which_addresses_come_back_by_themselves(shop: Shop, rule: str, asked: str, said: str):
    await held_by_bob(shop, max_devices=1, resets_per_year=9)
    await shop.world.catalog.change_settings(boss(shop), 1, auto_register=rule, resets_per_year=8)
    question = await asked_first(shop)
    assert asked in question.text
    await question.click(NOW)
    await question.wait_for(said)


async def test_the_buttons_of_a_license_that_was_handed_on_do_nothing_any_more(shop: Shop):
    api_key, key = await held_by_bob(shop, transfers=TransferRule.RECIPIENT)
    panel = await mine(shop.bob)
    question = await panel.click(RESET)
    by_alice, by_bob = (
        Actor(organization_id=shop.guild.id, id=person.id, name=person.name) for person in (shop.alice, shop.bob)
    )
    transfers = shop.world.transfers
    offer = await transfers.offer(by_bob, 1, to_discord_id=shop.alice.id, to_name="Alice")
    await transfers.accept(by_alice, offer.transfer.id)

    for pressed in (await panel.click(RESET), await question.click(NOW), await panel.click("Refresh")):
        assert "No such license was found here" in pressed.text
    assert await call(shop, api_key, key, ELSEWHERE) == "ip_limit_reached"


async def test_two_presses_at_once_reset_once(shop: Shop):
    api_key, key = await held_by_bob(shop)
    panel = await mine(shop.bob)
    questions = [await panel.click(RESET), await panel.click(RESET)]

    pressed = await asyncio.gather(*(question.click(NOW) for question in questions))

    assert sum("was reset lately" in reply.text for reply in pressed) == 1
    assert await call(shop, api_key, key, ELSEWHERE) == "active"
    events = [event for event in await shop.world.events() if event.action == "license.ips_reset"]
    assert len(events) == 1


async def test_a_holder_who_reads_german_resets_in_german(shop: Shop):
    api_key = await shop.product(max_ips=1)
    await shop.world.catalog.change_settings(boss(shop), 1, reset_cooldown_days=7, resets_per_year=3)
    greta = shop.guild.add_member("Greta", locale="de")
    key = await shop.stock()
    await greta.slash("claim", key=key)
    await call(shop, api_key, key)

    panel = await mine(greta)
    assert "**Zurücksetzen:** jetzt möglich · 3 von 3 in 365 Tagen übrig" in panel.text
    question = await panel.click("Adressen und Geräte zurücksetzen…")
    assert "### Adressen und Geräte deiner Lizenz zurücksetzen?" in question.text
    assert "Dann hast du in 365 Tagen noch 2 von 3 übrig." in question.text
    await question.click("Adressen und Geräte zurücksetzen")
    await question.wait_for("Lizenz #1 für Pro ist zurückgesetzt")
    assert (
        "Diese Lizenz wurde erst kürzlich zurückgesetzt"
        in (await panel.click("Adressen und Geräte zurücksetzen…")).text
    )
