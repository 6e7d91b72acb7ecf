"""A license that Alice offers to Bob in a shop on Discord, and how its transfer ends."""

from discord_shop import Shop

from licensing.choices import TransferRule
from licensing.events import Action
from licensing.models import Actor


async def sold(shop: Shop, rule: TransferRule = TransferRule.STAFF) -> tuple[str, str]:
    """Let Alice hold a license of a product whose transfers follow this rule; return API key and license key."""
    api_key = await shop.product(role=shop.holders)
    if rule is not TransferRule.STAFF:
        owner = Actor(organization_id=shop.guild.id, id=shop.owner.id, is_administrator=True)
        await shop.world.catalog.change_settings(owner, 1, transfers=rule)
    await shop.owner.slash("license issue", product="Pro", member=shop.alice)
    await shop.has_role(shop.alice)
    await shop.delivered()
    return api_key, shop.alice.dms[-1].content


async def offered(shop: Shop, rule: TransferRule = TransferRule.STAFF):
    """Let Alice offer her license to Bob; return her answer and his message."""
    await sold(shop, rule)
    reply = await shop.alice.slash("transfer request", license="#1", member=shop.bob)
    return reply, await shop.bob.wait_for_dm("offers you a license")


async def accepted(shop: Shop) -> None:
    _, message = await offered(shop)
    await message.click("Accept")
    await shop.alice.wait_for_dm("now its staff decide")


async def ends(shop: Shop) -> list[str]:
    over = {Action.TRANSFERRED, Action.TRANSFER_REJECTED, Action.TRANSFER_CANCELLED}
    return [event.action.value for event in await shop.world.events() if event.action in over]
