"""Many licenses of a shop in the sandbox: issued by its owner, and delivered on the lane of their own."""

import asyncio

from discord_shop import Shop

from cogs.lanes import MANY
from licensing.models import Actor
from licensing.services.terms import Terms


def owner(shop: Shop) -> Actor:
    return Actor(organization_id=shop.guild.id, id=shop.owner.id, is_administrator=True)


async def issue(shop: Shop, count: int, **terms: object) -> list[str]:
    lot = await shop.world.bulk.issue(owner(shop), Terms("Pro", **terms), count)
    return [key for _id, key in lot.keys]


async def many_delivered(shop: Shop) -> None:
    """Wait until everything was delivered that many licenses at once bring about."""
    last_id = (await shop.world.events())[-1].id
    async with asyncio.timeout(10):
        while await shop.world.store.read(lambda tx: tx.ledger.position(MANY.follower)) < last_id:
            await asyncio.sleep(0.01)
