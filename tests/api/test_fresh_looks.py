"""One look at the database serves a turn of the event loop, and still nobody is answered from before a revocation."""

import asyncio

from factories import make_actor, make_plan, seeded_bytes

from licensing.services.licenses import LicenseService
from licensing.services.organizations import Plans
from storage import DatabaseSettings, open_store

REVOCATIONS = 60
CALLERS = 16


async def test_a_revocation_made_elsewhere_is_seen_by_every_request_that_begins_after_it(open_shop, tmp_path):
    """Callers keep the server busy all along, so that looks are shared whenever they can be."""
    settings = DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")
    async with open_shop() as shop, open_store(settings) as elsewhere:
        product = await shop.product()
        keys = [(await shop.issue(discord_id=number)).key for number in range(1, REVOCATIONS + 2)]
        *doomed, busy = keys
        plans = Plans({"default": make_plan()}, default="default")
        staff = LicenseService(elsewhere, elsewhere.vault, plans=plans, clock=shop.clock, random_bytes=seeded_bytes())
        done = asyncio.Event()

        async def call_on() -> None:
            while not done.is_set():
                assert (await shop.validate(product.api_key, busy)).seen == (200, "active")

        callers = [asyncio.create_task(call_on()) for _ in range(CALLERS)]
        for key in doomed:
            for _ in ("takes the seat", "is remembered with it"):
                assert (await shop.validate(product.api_key, key)).seen == (200, "active")
            await staff.revoke(make_actor(), key)
            assert (await shop.validate(product.api_key, key)).seen == (200, "revoked")
        done.set()
        await asyncio.gather(*callers)
