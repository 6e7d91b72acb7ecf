"""Members and servers come and go, also while the bot is away."""

import asyncio

from discord_shop import Shop

from licensing.events import Action
from licensing.models import Actor, ActorKind


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
