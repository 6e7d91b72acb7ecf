"""Callers, what they are answered, and what is stored of them where they are refused."""

from storage_world import OWNER, World

from licensing.models import RefusalRecord
from licensing.services.answers import Answer
from licensing.services.catalog import NewApiKey
from licensing.services.licenses import Issued
from licensing.verdict import Call

HOLDER = 20


async def ask(world: World, product: NewApiKey, key: str, address: str = "203.0.113.1", **named: str) -> Answer:
    return await world.validation.validate(product.api_key, Call(key, address, **named))


async def code_of(world: World, product: NewApiKey, key: str, address: str = "203.0.113.1", **named: str) -> str:
    answer = await ask(world, product, key, address, **named)
    assert answer.support_code is not None
    return answer.support_code


async def stored(world: World, code: str) -> RefusalRecord | None:
    return await world.store.read(lambda tx: tx.history.refusal(1, code))


async def suspended(world: World) -> tuple[NewApiKey, Issued]:
    product = await world.product()
    issued = await world.issue(discord_id=HOLDER)
    await world.changes.suspend(OWNER, issued.key)
    return product, issued
