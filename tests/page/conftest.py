"""Headless Chromium before the page of a sandbox, with a person's fingers: it types, presses and reads."""

import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from discord_shop import DiscordClock, Shop, connected, discord_at
from page_gallery import gallery
from storage_world import World, opened

from sandbox import Guild, Member, Sandbox
from storage import DatabaseSettings

REQUIRED = "REQUIRE_BROWSER"
PATIENCE_MS = 10_000


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's place; without one these tests are skipped, unless that is forbidden."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None and os.environ.get(REQUIRED):
        pytest.fail(f"{REQUIRED} is set and there is no Chromium: install it, as with 'apt-get install chromium'.")
    if found is None:
        pytest.skip("There is no Chromium to look at the page with: 'apt-get install chromium' brings one.")
    return found


@dataclass
class Watch:
    """What a page must never do, as it was seen doing it."""

    origin: str
    faults: list[str] = field(default_factory=list)
    forgiven: tuple[str, ...] = ("409 (Conflict)",)  # an act refused, of which the page tells in words

    def over(self, page) -> None:
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", lambda line: line.type in {"error", "warning"} and self.faults.append(line.text))
        page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        if url.startswith(("data:", "blob:")):
            return
        if urlsplit(url).netloc != urlsplit(self.origin).netloc:
            self.faults.append(f"left for {url}")

    @property
    def unforgiven(self) -> list[str]:
        return [each for each in self.faults if not any(words in each for words in self.forgiven)]


class Tab:
    """One open page and what a person does with it."""

    def __init__(self, page, origin: str) -> None:
        self.page = page
        self.origin = origin

    def __getattr__(self, name: str):
        return getattr(self.page, name)

    async def visit(self, who: Member, *, at: int | None = None) -> "Tab":
        place = f"&at={at}" if at else ""
        await self.page.goto(f"{self.origin}/page/?as={who.id}{place}")
        await self.is_here(who.name)
        return self

    async def is_here(self, name: str) -> None:
        await self.page.locator(".myself strong", has_text=name).wait_for(state="attached")

    async def become(self, who: Member) -> None:
        await self.page.get_by_role("radio", name=who.name).click()
        await self.is_here(who.name)

    async def type(self, words: str) -> None:
        """Type where the focus is, as fast as fingers never do."""
        await self.page.keyboard.type(words)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def write(self, words: str) -> None:
        """Type into the message box."""
        await self.page.locator(".area").click()
        await self.type(words)

    async def command(self, path: str) -> None:
        """Type a command up to its options."""
        await self.write(f"/{path} ")
        await self.page.locator(".command-name", has_text=f"/{path}").wait_for()

    async def send(self, path: str) -> None:
        """Send a command that takes no options."""
        await self.command(path)
        await self.press("Enter")

    def message(self, words: str):
        return self.page.locator(".message", has_text=words).last

    async def reads(self, words: str):
        """Wait until a message says this; give it."""
        found = self.message(words)
        await found.wait_for()
        return found

    async def sees(self, selector: str, words: str | None = None):
        found = self.page.locator(selector, has_text=words).last if words else self.page.locator(selector).last
        await found.wait_for()
        return found

    async def sees_no(self, selector: str, words: str | None = None) -> None:
        found = self.page.locator(selector, has_text=words) if words else self.page.locator(selector)
        await found.first.wait_for(state="detached")

    async def click(self, label: str) -> None:
        await self.page.get_by_role("button", name=label, exact=True).last.click()

    def dialog(self):
        return self.page.get_by_role("dialog")

    async def focus(self) -> str:
        """The name of what has the focus."""
        return await self.page.evaluate(
            "() => document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
        )


@dataclass
class Windows:
    """Opens tabs, each in a session of its own, as two browsers would be."""

    browser: object
    origin: str
    watch: Watch
    contexts: list[object] = field(default_factory=list)

    async def open(self, who: Member, *, at: int | None = None, **settings: object) -> Tab:
        return await (await self.blank(**settings)).visit(who, at=at)

    async def arrive(self) -> Tab:
        """Open the plain address, as nobody in particular."""
        tab = await self.blank()
        await tab.page.goto(self.origin)
        return tab

    async def blank(self, **settings: object) -> Tab:
        """Open a tab that shows nothing yet."""
        settings.setdefault("viewport", {"width": 1200, "height": 760})
        context = await self.browser.new_context(**settings)
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        self.watch.over(page)
        return Tab(page, self.origin)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[object]:
    """One browser for all of these tests; each looks through windows of its own."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def windows_on(browser, origin: str) -> AsyncIterator[Windows]:
    watch = Watch(origin)
    windows = Windows(browser, origin, watch)
    yield windows
    for context in windows.contexts:
        await context.close()
    assert watch.unforgiven == []


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
