"""Holders free the seats of their own licenses by a button that says what it costs and when it works again."""

import asyncio

import pytest
from discord_shop import Shop

from licensing.choices import TransferRule
from licensing.models import Actor
from licensing.resets import DAY_MS, YEAR_MS
from licensing.verdict import Call
from sandbox import Member
from sandbox.reply import Reply

RESET = "Reset addresses and devices…"
NOW = "Reset addresses and devices"
HOME, ELSEWHERE = "203.0.113.1", "203.0.113.9"


def boss(shop: Shop) -> Actor:
    return Actor(organization_id=shop.guild.id, id=shop.owner.id, is_administrator=True)


async def call(shop: Shop, api_key: str, key: str, address: str = HOME, **named: str) -> str:
    answer = await shop.world.validation.validate(api_key, Call(key, address, **named))
    return answer.verdict.status.value


async def refused(shop: Shop, api_key: str, key: str, **named: str) -> str:
    """Have a validation refused and return its code, written down."""
    answer = await shop.world.validation.validate(api_key, Call(key, ELSEWHERE, **named))
    await shop.world.refusals.flush(shop.world.store)
    assert answer.support_code is not None
    return answer.support_code


async def held_by_bob(shop: Shop, **switches: object) -> tuple[str, str]:
    """Give Bob a license that runs on its one address."""
    api_key = await shop.product(max_ips=1)
    await shop.world.catalog.change_settings(boss(shop), 1, **{"reset_cooldown_days": 7, **switches})
    key = await shop.stock()
    await shop.bob.slash("claim", key=key)
    assert await call(shop, api_key, key) == "active"
    return api_key, key


async def mine(person: Member) -> Reply:
    overview = await person.slash("licenses")
    return await overview.select(overview.selects[0].custom_id, "1")


async def mine_asked(shop: Shop) -> Reply:
    return await (await mine(shop.bob)).click(RESET)


def labels(reply: Reply) -> list[str]:
    return [button.label for button in reply.buttons]


def stamp(at_ms: int) -> str:
    return f"<t:{at_ms // 1000}:f> (<t:{at_ms // 1000}:R>)"


async def test_staff_allow_resets_in_the_settings_and_read_there_what_follows(shop: Shop):
    await shop.product()
    panel = await shop.owner.slash("product settings", product="Pro")
    await panel.click("Addresses and devices")
    assert "**Resets by holders:** not allowed, only staff reset" in panel.text
    assert "with a short cooldown one license serves many people" in panel.text

    await (await panel.click("Set cooldown…")).submit({"Days between a holder's resets": "7"})
    await panel.wait_for("**Resets by holders:** not allowed, only staff reset → at most once in 7 days")
    form = await panel.click("Set yearly cap…")
    await form.submit({"A holder's resets in 365 days": "2"})
    await panel.wait_for("**Resets of one holder in 365 days:** no limit → 2")

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
    assert "### Reset this license of yours?" in question.text
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
        assert "You have used all resets that you have in 365 days (1)" in pressed.text
        assert f"<t:{(first_ms + YEAR_MS) // 1000}:R>" in pressed.text
    await old.click("Refresh")
    await old.wait_for(f"**Reset:** none left of 1 in 365 days; possible again {stamp(first_ms + YEAR_MS)}")
    assert RESET not in labels(old)

    await shop.world.catalog.change_settings(boss(shop), 1, resets_per_year=0)
    await old.click("Refresh")
    await old.wait_for(f"**Reset:** possible again {stamp(first_ms + 7 * DAY_MS)}")
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


async def test_why_offers_the_holder_the_button_that_mends_it(shop: Shop):
    api_key, key = await held_by_bob(shop)
    code = await refused(shop, api_key, key)

    told = await shop.bob.slash("why", code=code)

    assert f"or free its places yourself with *{RESET}*." in told.text
    assert "ask the staff" not in told.text
    assert labels(told) == [RESET]
    question = await told.click(RESET)
    await question.click(NOW)
    await question.wait_for("is reset")
    assert "That has changed since: try again." in (await shop.bob.slash("why", code=code)).text
    assert await call(shop, api_key, key) == "active"
    again = await refused(shop, api_key, key)
    later = await shop.bob.slash("why", code=again)
    assert f"you can free its places yourself again {stamp(shop.world.now_ms + 7 * DAY_MS)}, and until" in later.text
    assert labels(later) == []


async def test_why_sends_nobody_away_while_a_place_is_free(shop: Shop):
    api_key, key = await held_by_bob(shop)
    code = await refused(shop, api_key, key)
    await (await mine_asked(shop)).click(NOW)
    assert await call(shop, api_key, key) == "active"
    waits = await shop.bob.slash("why", code=code)
    assert "you can free its places yourself again" in waits.text

    await shop.owner.slash("license edit", license=key, max_ips=2)

    roomy = await shop.bob.slash("why", code=code)
    assert "That has changed since: try again." in roomy.text
    shop.world.now_ms += 7 * DAY_MS
    later = await shop.bob.slash("why", code=code)
    assert "That has changed since: try again." in later.text
    assert labels(later) == []
    assert await call(shop, api_key, key, ELSEWHERE) == "active"
    assert labels(await shop.bob.slash("why", code=code)) == [RESET]


@pytest.mark.parametrize(
    ("rule", "mended"), [("up_to_max", "changed since"), ("first", "or free its"), ("off", "ask the staff")]
)
async def test_a_free_place_counts_as_one_only_where_another_address_may_take_it(shop: Shop, rule: str, mended: str):
    api_key, key = await held_by_bob(shop)
    code = await refused(shop, api_key, key)
    await shop.owner.slash("license edit", license=key, max_ips=2)
    await shop.world.catalog.change_settings(boss(shop), 1, auto_register=rule, resets_per_year=5)
    assert mended in (await shop.bob.slash("why", code=code)).text
    await shop.world.catalog.change_settings(boss(shop), 1, track_ip_on_validate=False)
    assert "changed since" in (await shop.bob.slash("why", code=code)).text


async def test_why_offers_a_reset_of_devices_and_none_where_it_would_not_help(shop: Shop):
    api_key, key = await held_by_bob(shop, max_devices=1)
    await (await shop.owner.slash("license reset-ips", license=key)).click(NOW)
    assert await call(shop, api_key, key, ELSEWHERE, device_id="tower") == "active"
    code = await refused(shop, api_key, key, device_id="laptop")
    assert labels(await shop.bob.slash("why", code=code)) == [RESET]
    for limit in (2, 0):
        await shop.world.catalog.change_settings(boss(shop), 1, max_devices=limit)
        assert "changed since" in (await shop.bob.slash("why", code=code)).text
    await shop.world.catalog.change_settings(boss(shop), 1, max_devices=1)
    await shop.world.catalog.change_settings(boss(shop), 1, reset_cooldown_days=0)
    told = await shop.bob.slash("why", code=code)
    assert "or ask the staff of this server to reset the devices." in told.text
    assert labels(told) == []
    staff = await shop.owner.slash("why", code=code)
    assert RESET not in labels(staff)


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
    assert "### Diese Lizenz von dir zurücksetzen?" in question.text
    assert "Dann hast du in 365 Tagen noch 2 von 3 übrig." in question.text
    await question.click("Adressen und Geräte zurücksetzen")
    await question.wait_for("Lizenz #1 für Pro ist zurückgesetzt")
    assert (
        "Diese Lizenz wurde erst kürzlich zurückgesetzt"
        in (await panel.click("Adressen und Geräte zurücksetzen…")).text
    )
