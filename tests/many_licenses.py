"""Many licenses of a shop in the sandbox: issued by its owner, and delivered on the lane of their own."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from discord_shop import Shop

from cogs.lanes import MANY
from licensing.models import Actor
from licensing.services.bulk import BulkService
from licensing.services.terms import Terms
from storage.store import SqliteStore


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


@contextmanager
def stuck_at_the_third(monkeypatch: pytest.MonkeyPatch, chunk: str) -> Iterator[asyncio.Event]:
    """Let the third transaction that this method of the service makes never end; yield what tells that it began."""
    write, made, chunks, stuck = SqliteStore.write, getattr(BulkService, chunk), [], asyncio.Event()

    def noted(*given, **more):
        chunks.append(made(*given, **more))
        return chunks[-1]

    async def written(store: SqliteStore, work):
        if chunks[2:] == [work]:
            stuck.set()
            await asyncio.Event().wait()
        return await write(store, work)

    with monkeypatch.context() as patch:
        patch.setattr(BulkService, chunk, noted)
        patch.setattr(SqliteStore, "write", written)
        yield stuck
