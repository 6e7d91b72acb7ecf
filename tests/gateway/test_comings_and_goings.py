"""Members and servers come and go, also while the bot is away."""

import asyncio

from discord_shop import Shop

from licensing.choices import ActorKind
from licensing.events import Action
from licensing.models import Actor


async def test_a_member_who_rejoins_gets_the_roles_of_the_licenses_they_still_hold(shop: Shop) -> None:
    await shop.product(role=shop.holders)
    kept = await shop.stock()
    await shop.alice.slash("claim", key=kept)
    await shop.has_role(shop.alice)
    shop.alice.leave()
    shop.alice.rejoin()
    await shop.has_role(shop.alice)

    staff = Actor(organization_id=shop.guild.id, kind=ActorKind.OPERATOR)
    await shop.world.licenses.revoke(staff, kept)
    await shop.delivered()
    await shop.has_role(shop.alice, held=False)
    shop.alice.leave()
    shop.alice.rejoin()
    await shop.bob.slash("claim", key=await shop.stock())
    await shop.has_role(shop.bob)
    assert shop.holders.name not in shop.alice.role_names


async def test_a_server_that_removed_the_bot_while_it_was_away_is_noted_as_left(shop: Shop) -> None:
    other = shop.sandbox.add_guild("Other shop")
    await other.owner.slash("product list")
    await shop.stop_bot()
    other.remove_bot()
    await shop.start_bot()
    async with asyncio.timeout(10):
        while await shop.world.organizations.present() != {shop.guild.id}:
            await asyncio.sleep(0.01)
    left = [event for event in await shop.world.events() if event.action is Action.ORGANIZATION_LEFT]
    assert [event.organization_id for event in left] == [other.id]


async def test_a_server_that_is_away_when_the_bot_starts_is_served_by_the_name_it_had(shop: Shop) -> None:
    await shop.product(role=shop.holders)
    await shop.grant("licenses:view", "licenses:create")
    await shop.delivered()
    await shop.stop_bot()
    shop.guild.fall_out()
    shop.bob.add_role(shop.holders)
    await shop.start_bot()
    assert shop.client.get_guild(shop.guild.id).unavailable

    reply = await shop.support.slash("license issue", product="Pro", member=shop.alice)
    assert "sent the key" in reply.text
    assert "from **Shop**" in (await shop.alice.wait_for_dm("You have a license")).text
    await shop.has_role(shop.alice)
    await shop.support.slash("license issue", product="Pro", member=shop.bob)
    for license_id in ("#1", "#2"):
        await (await shop.owner.slash("license revoke", license=license_id)).click("Revoke for good")
    await shop.has_role(shop.alice, held=False)
    await shop.delivered()

    assert shop.holders.name in shop.bob.role_names  # somebody else gave it to Bob
    assert [each.name for each in await shop.world.organizations.all()] == ["Shop"]
    assert "organization.left" not in [event.action.value for event in await shop.world.events()]


async def test_a_server_that_the_bot_first_sees_while_it_is_away_gets_its_name_once_it_is_back(shop: Shop) -> None:
    await shop.stop_bot()
    other = shop.sandbox.add_guild("Other shop")
    other.fall_out()
    await shop.start_bot()
    assert "no product here yet" in (await other.owner.slash("product list")).text

    other.come_back()

    async with asyncio.timeout(10):
        while "Other shop" not in {each.name for each in await shop.world.organizations.all()}:
            await asyncio.sleep(0.01)
