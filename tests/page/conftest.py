"""Headless Chromium, and what stands before it: the page of a sandbox, or the API's."""

import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from discord_shop import DiscordClock, Shop, connected, discord_at
from page.docs_api import SHOP, Api
from page.docs_visitor import Visitor
from page.tabs import PATIENCE_MS, Tab, Windows, windows_on
from page_gallery import gallery
from storage_world import World, opened

from bot.api import AddressReader, Health, Metrics, Proofs, build_api, serve
from sandbox import Guild, Sandbox
from storage import DatabaseSettings, Signer

REQUIRED = "REQUIRE_BROWSER"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's place; without one these tests are skipped, unless that is forbidden."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None and os.environ.get(REQUIRED):
        pytest.fail(f"{REQUIRED} is set and there is no Chromium: install it, as with 'apt-get install chromium'.")
    if found is None:
        pytest.skip("There is no Chromium to look at the page with: 'apt-get install chromium' brings one.")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[object]:
    """One browser for all of these tests; each looks through windows of its own."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    # As long as Discord waits: beside a browser and a real store, a shorter deadline could pass on a busy machine.
    async with Sandbox(clock=DiscordClock(), deadline=3.0) as running, discord_at(running):
        yield running
    assert not running.crashes, running.crashes[0]


@pytest_asyncio.fixture(loop_scope="session")
async def windows(browser, sandbox: Sandbox) -> AsyncIterator[Windows]:
    async with windows_on(browser, sandbox.page_url.rstrip("/")) as opened_here:
        yield opened_here


@pytest_asyncio.fixture(loop_scope="session")
async def windows_at(browser) -> AsyncIterator[Callable]:
    """Open windows on a sandbox that runs elsewhere, as whoever its page chooses."""
    async with AsyncExitStack() as stack:

        async def visit(origin: str) -> Tab:
            windows = await stack.enter_async_context(windows_on(browser, origin))
            return await windows.arrive()

        yield visit


@pytest_asyncio.fixture(loop_scope="session")
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings = DatabaseSettings(path=tmp_path / "keyport.db", key_file=tmp_path / "keyport.key")
    async with opened(settings, organizations=()) as world:
        world.now_ms = time.time_ns() // 1_000_000
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def shop(sandbox: Sandbox, world: World) -> AsyncIterator[Shop]:
    guild = sandbox.add_guild("Shop", owner="Olivia", channels=("general", "licenses"))
    client, task = await connected(sandbox, world)
    shop = Shop(sandbox, world, guild, client, task)
    yield shop
    if not shop.client.is_closed():
        await shop.stop_bot()


@pytest.fixture
def guild(sandbox: Sandbox) -> Guild:
    return sandbox.add_guild("Gallery", owner="Olivia", channels=("general", "other"))


@pytest_asyncio.fixture(loop_scope="session")
async def start(sandbox: Sandbox) -> AsyncIterator[Callable]:
    """Start the bot that shows everything there is; give a way to stop it."""
    async with AsyncExitStack() as stack:

        async def begin():
            return await stack.enter_async_context(gallery(sandbox))

        yield begin


@pytest_asyncio.fixture(loop_scope="session")
async def bot(guild: Guild, start: Callable):  # noqa: ARG001 - a guild must be there to be joined
    return await start()


@pytest.fixture(autouse=True)
def no_bug_was_reported(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    errors = [record for record in caplog.get_records("call") if record.levelname in ("ERROR", "CRITICAL")]
    found = [record for record in errors if record.name != "discord.client"]
    assert not found, [record.getMessage() for record in found]


@pytest_asyncio.fixture(loop_scope="session")
async def owner(windows, guild, bot):
    """A tab of the guild's owner, with the bot that shows everything there is."""
    tab = await windows.open(guild.owner)
    tab.bot = bot
    return tab


@pytest_asyncio.fixture(loop_scope="session")
async def api(chromium, world):  # noqa: ARG001 - nothing is started where nobody can look
    """The API's page, with a real server behind it."""
    await world.organizations.joined(SHOP, name="Shop")
    signer = Signer(world.store.vault, os.urandom)
    health = Health("1.2.3", lambda: world.store.read(lambda tx: tx.ledger.fact("ready")))
    app = build_api(
        world.validation,
        addresses=AddressReader(clock=world.clock),
        proofs=Proofs(signer, file_key=world.signing.file_key, clock=world.clock),
        health=health,
        metrics=Metrics(
            version="1.2.3", started_s=0.0, discord=lambda: health.discord, cache=dict, writer_queue=lambda: 0
        ),
    )
    async with AsyncExitStack() as stack:
        host, port = await stack.enter_async_context(serve(app, host="127.0.0.1", port=0))
        yield Api(world, f"http://{host}:{port}", stack, signer)


@pytest_asyncio.fixture(loop_scope="session")
async def arrive(browser, api):
    """Open the page; at the end nothing may have gone wrong, nor anywhere else."""
    visitors = []

    async def open_page(**settings: Any) -> Visitor:
        context = await browser.new_context(**({"viewport": {"width": 1200, "height": 800}} | settings))
        context.set_default_timeout(PATIENCE_MS)
        visitor = Visitor(await context.new_page(), api.url)
        visitors.append(visitor)
        visitor.watch()
        await visitor.arrive()
        return visitor

    yield open_page
    for visitor in visitors:
        await visitor.page.context.close()
        assert visitor.faults == []
        assert {urlsplit(url).netloc for url in visitor.asked} == {urlsplit(api.url).netloc}
