"""Tabs before the page of a sandbox, with a person's fingers: they type, press and read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sandbox import Member

PATIENCE_MS = 10_000


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


@asynccontextmanager
async def windows_on(browser, origin: str) -> AsyncIterator[Windows]:
    watch = Watch(origin)
    windows = Windows(browser, origin, watch)
    yield windows
    for context in windows.contexts:
        await context.close()
    assert watch.unforgiven == [], watch.unforgiven
