"""A process that nobody asks anything keeps up with what other processes change."""

import asyncio
from pathlib import Path

from storage_world import OWNER, World, opened

from bot import app
from bot.config import Config, Database


async def test_a_process_without_requests_forgets_what_another_one_changed(tmp_path: Path) -> None:
    config = Config(database=Database(url=f"sqlite:///{tmp_path}/keyport.db"))
    async with app.opened(config) as house, opened(app.store_settings(config.database, cached_licenses=10)) as other:
        product = await other.product()
        issued = await other.issue(discord_id=20)
        kept = house.store.snapshots
        assert (await World(house.store).validate(product.api_key, issued.key)).valid
        assert len(kept) == 1
        await other.licenses.revoke(OWNER, issued.key)
        async with asyncio.timeout(20):
            while len(kept):
                await asyncio.sleep(0.01)
