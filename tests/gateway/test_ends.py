"""Licenses that end by themselves: the role goes, the holder is told once, whatever was down meanwhile."""

from discord_shop import Shop

from licensing.choices import ActorKind
from licensing.models import Actor

DAY_MS = 86_400_000


async def held(shop: Shop, **options: object) -> None:
    await shop.product(role=shop.holders)
    await shop.owner.slash("license issue", product="Pro", member=shop.bob, **options)
    await shop.has_role(shop.bob)
    await shop.delivered()


def told(shop: Shop, words: str) -> int:
    return sum(words in message.text for message in shop.bob.dms)


async def test_expiry_takes_the_role_and_is_told_once_however_often_it_is_noticed(shop: Shop):
    await held(shop, expiry="10d")
    await shop.stop_bot()
    shop.world.now_ms += 11 * DAY_MS
    for _ in range(3):
        await shop.world.upkeep.sweep()

    await shop.start_bot()

    await shop.bob.wait_for_dm("has expired")
    await shop.has_role(shop.bob, held=False)
    await shop.delivered()
    await shop.restart_bot()
    await shop.world.upkeep.sweep()
    await shop.delivered()
    assert told(shop, "has expired") == 1


async def test_an_extension_after_the_end_gives_the_role_back(shop: Shop):
    await held(shop, expiry="10d")
    shop.world.now_ms += 11 * DAY_MS
    await shop.world.upkeep.sweep()
    await shop.delivered()
    await shop.has_role(shop.bob, held=False)

    extended = await shop.owner.slash("license extend", license="#1", duration="5d")

    assert "**Status:** expired → active" in extended.text
    await shop.has_role(shop.bob)


async def test_an_end_that_was_moved_before_it_could_be_told_is_not_told(shop: Shop):
    await held(shop, expiry="10d")
    await shop.stop_bot()
    shop.world.now_ms += 11 * DAY_MS
    await shop.world.upkeep.sweep()
    await shop.world.changes.extend(operator(shop), "#1", "5d")

    await shop.start_bot()
    await shop.delivered()

    assert told(shop, "has expired") == 0
    await shop.has_role(shop.bob)


async def test_a_role_that_another_license_gives_too_survives_an_end_and_a_suspension(shop: Shop):
    await held(shop, expiry="10d")
    await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    shop.world.now_ms += 11 * DAY_MS
    await shop.world.upkeep.sweep()
    await shop.bob.wait_for_dm("has expired")
    await shop.delivered()
    assert shop.bob.role_names == [shop.holders.name]

    await (await shop.owner.slash("license suspend", license="#2")).click("Suspend")

    await shop.has_role(shop.bob, held=False)


async def test_the_operators_restoration_gives_the_role_back_and_is_told(shop: Shop):
    await held(shop)
    await (await shop.owner.slash("license revoke", license="#1")).click("Revoke for good")
    await shop.has_role(shop.bob, held=False)

    await shop.world.changes.restore(operator(shop), "#1")

    await shop.has_role(shop.bob)
    await shop.bob.wait_for_dm("was restored")


async def test_a_new_end_in_an_edit_is_followed_by_the_role(shop: Shop):
    await held(shop, expiry="10d")
    await shop.owner.slash("license edit", license="#1", expiry="1d")
    shop.world.now_ms += 2 * DAY_MS
    await shop.world.upkeep.sweep()

    await shop.has_role(shop.bob, held=False)
    await shop.owner.slash("license edit", license="#1", expiry="never")
    await shop.has_role(shop.bob)


async def test_closed_messages_hold_up_neither_role_nor_the_next_event(shop: Shop):
    await held(shop, expiry="10d")
    shop.bob.close_dms()
    shop.world.now_ms += 11 * DAY_MS
    await shop.world.upkeep.sweep()

    await shop.has_role(shop.bob, held=False)
    await shop.delivered()


def operator(shop: Shop) -> Actor:
    return Actor(organization_id=shop.guild.id, kind=ActorKind.OPERATOR)
