"""Whoever asks why their license was refused is offered the reset that mends it, where one does."""

import pytest
from discord_resets import ELSEWHERE, NOW, RESET, asked_first, boss, call, held_by_bob, labels, refused, stamp
from discord_shop import Shop

from licensing.resets import DAY_MS, YEAR_MS


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
    await shop.world.catalog.change_settings(boss(shop), 1, resets_per_year=1)
    used_up = await shop.bob.slash("why", code=again)
    assert f"you can free its places yourself again {stamp(shop.world.now_ms + YEAR_MS)}, and until" in used_up.text


async def test_why_sends_nobody_away_while_a_place_is_free(shop: Shop):
    api_key, key = await held_by_bob(shop)
    code = await refused(shop, api_key, key)
    await (await asked_first(shop)).click(NOW)
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
    assert labels(await shop.owner.slash("why", code=code)) == ["Open license"]  # to staff, who do not hold it
    await shop.world.catalog.change_settings(boss(shop), 1, auto_register="off")  # addresses stay, devices do not
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
