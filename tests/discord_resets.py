"""A holder whose license runs where it may, and what they see of resets of their own."""

from discord_shop import Shop

from licensing.models import Actor
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


async def asked_first(shop: Shop) -> Reply:
    return await (await mine(shop.bob)).click(RESET)


def labels(reply: Reply) -> list[str]:
    return [button.label for button in reply.buttons]


def stamp(at_ms: int) -> str:
    return f"<t:{at_ms // 1000}:f> (<t:{at_ms // 1000}:R>)"
