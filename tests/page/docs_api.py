"""A server of the API for its page to speak to, with products that sign."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from storage_world import OWNER

from licensing.choices import SigningKind
from storage import Signer

SHOP = 900_000_000_000_000_001


@dataclass
class Api:
    """A server with one product on it, which can be stopped."""

    world: Any
    url: str
    stack: AsyncExitStack
    signer: Signer

    async def product(self, name: str = "Pro", *, signed: tuple[SigningKind, ...] = (), **settings: Any):
        made = await self.world.product(name, by=self.staff, **settings)
        for kind in signed:
            now_ms = self.world.clock()
            key = await asyncio.to_thread(
                self.signer.make, made.product.id, kind, now_ms=now_ms, signs_from_ms=now_ms
            )
            await self.world.store.write(lambda tx, key=key: tx.signing_keys.insert(key))
        return made

    async def secret_of(self, product_id: int) -> str:
        keys = await self.world.store.read(lambda tx: tx.signing_keys.of(product_id))
        return next(self.signer.secret(key) for key in keys if key.kind is SigningKind.HMAC)

    @property
    def staff(self):
        return OWNER.model_copy(update={"organization_id": SHOP})

    async def issue(self, **terms: Any):
        return await self.world.issue(by=self.staff, **({"discord_id": 7} | terms))
