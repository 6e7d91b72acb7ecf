"""The two servers that are compared, each in a process of its own: ours, and the barest aiohttp handler.

Started by `bench.validate`; prints its port and serves until its standard input closes.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from bot.app import now_ms, opened, serving
from bot.config import Config
from bot.house import plans_of
from licensing.choices import ActorKind
from licensing.models import Actor, Organization, ProductSettings
from licensing.services.catalog import CatalogService
from licensing.services.licenses import LicenseService
from licensing.services.terms import Terms

ORGANIZATION_ID = 1
LICENSES = 1_000


async def bare_validate(request: web.Request) -> web.Response:
    """Read JSON and answer ten fields, as one would write it first."""
    asked = await request.json()
    return web.json_response(
        {
            "valid": True,
            "status": "active",
            "expires": "2030-01-01T00:00:00.000Z",
            "ip_registered": True,
            "ip_count": 1,
            "max_ips": 3,
            "version": asked.get("version"),
            "version_valid": None,
            "custom": None,
            "signature": None,
        }
    )


@asynccontextmanager
async def bare(_folder: Path) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_post("/api/v1/validate", bare_validate)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@asynccontextmanager
async def keyport(folder: Path) -> AsyncIterator[int]:
    config = config_in(folder)
    async with opened(config) as house, serving(house, config.api) as (_, port):
        yield port


def config_in(folder: Path) -> Config:
    """Return what an operator behind a proxy on the same machine has set."""
    return Config.model_validate(
        {
            "database": {"url": f"sqlite:///{folder}/keyport.db"},
            "api": {"port": 0, "trusted_proxies": "127.0.0.1"},
            # Limits that are never reached, so that they are looked at.
            "plans": {"default": {"calls_per_product_per_day": 1_000_000_000}},
            "limits": {"address_per_minute": 60_000, "license_per_minute": 60_000},
        }
    )


async def seed(folder: Path) -> tuple[str, list[str]]:
    """Make a database with a product and its licenses; return the API key and the license keys."""
    config = config_in(folder)
    by = Actor(organization_id=ORGANIZATION_ID, kind=ActorKind.OPERATOR)
    async with opened(config) as house:
        store, plans = house.store, plans_of(config)
        catalog = CatalogService(store, plans=plans, clock=now_ms, random_bytes=os.urandom)
        licenses = LicenseService(store, store.vault, plans=plans, clock=now_ms, random_bytes=os.urandom)
        organization = Organization(id=ORGANIZATION_ID, name="Bench", plan="default")
        await store.write(lambda tx: tx.organizations.save_joined(organization, now_ms=now_ms()))
        product = await catalog.create(by, name="Widget", settings=ProductSettings())
        terms = [
            Terms("Widget", discord_id=number, expiry="2030-01-01", max_ips=3) for number in range(1, LICENSES + 1)
        ]
        issued = await asyncio.gather(*(licenses.issue(by, one) for one in terms))
    return product.api_key, [one.key for one in issued]


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    if name == "uvloop":
        import uvloop  # noqa: PLC0415 - an extra

        return uvloop.new_event_loop
    return asyncio.new_event_loop


async def _serve(kind: str, folder: Path) -> None:
    async with {"bare": bare, "keyport": keyport}[kind](folder) as port:
        print(port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    kind, folder, loop = sys.argv[1:]
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {0})
    with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
        runner.run(_serve(kind, Path(folder)))


if __name__ == "__main__":
    main()
