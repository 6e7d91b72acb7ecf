"""The operator's decisions beside a running API: made by another process, known at the very next validation."""

import asyncio
import os
import sys
from pathlib import Path

import aiohttp
from storage_world import OWNER

from bot import app
from bot.config import Api, Config, Database
from licensing.models import ProductSettings
from licensing.services.catalog import CatalogService
from licensing.services.licenses import LicenseService
from licensing.services.organizations import OrganizationService
from licensing.services.terms import Terms

ROOT = Path(__file__).parents[2]


async def keyport(folder: Path, *typed: str) -> str:
    """Run a command as a process of its own, on the database of a running API."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("KEYPORT_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *typed, cwd=ROOT, env=own | {"KEYPORT_DATABASE__URL": f"sqlite:///{folder}/keyport.db"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def sell(house) -> tuple[str, str]:
    """Return the API key of a product and a key of a license of it."""
    store, shared = house.store, {"plans": house.plans, "clock": house.clock}
    await OrganizationService(store, **shared).joined(OWNER.organization_id, name="Shop")
    product = await CatalogService(store, **shared, random_bytes=os.urandom).create(
        OWNER, name="Editor", settings=ProductSettings()
    )
    licenses = LicenseService(store, store.vault, **shared, random_bytes=os.urandom)
    return product.api_key, (await licenses.issue(OWNER, Terms("Editor", discord_id=20))).key


async def test_what_the_operator_decides_in_another_process_is_known_at_the_next_validation(tmp_path: Path) -> None:
    config = Config(database=Database(url=f"sqlite:///{tmp_path}/keyport.db"), api=Api(port=0))
    async with app.opened(config) as house, app.serving(house, config.api) as bound:
        api_key, key = await sell(house)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {api_key}"}) as session:

            async def status() -> str:
                url = f"{app.web_address(*bound)}/api/v1/validate"
                return (await (await session.post(url, json={"license_key": key})).json())["status"]

            assert await status() == "active"
            for typed, seen in (
                (("blacklist", "add", "127.0.0.0/8", "--yes"), "ip_blocked"),
                (("server", "suspend", "Shop"), "org_suspended"),
                (("server", "suspend", "Shop", "--billing"), "billing_suspended"),
                (("server", "reinstate", "Shop"), "ip_blocked"),
                (("blacklist", "remove", "127.0.0.0/8"), "active"),
            ):
                await keyport(tmp_path, *typed)
                assert await status() == seen
    assert "1 license  Shop" in await keyport(tmp_path, "server", "list")
