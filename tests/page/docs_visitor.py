"""Somebody before the API's page, with the fingers and eyes of a person."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Visitor:
    """Somebody before the page, and what the page must never do, as it was seen doing it."""

    page: Any
    origin: str
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("console", lambda line: self._said(line.text))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def _said(self, words: str) -> None:
        # Chromium writes down every refusal and every silence; the page tells of them in words.
        if not words.startswith("Failed to load resource"):
            self.faults.append(words)

    async def arrive(self) -> None:
        await self.page.goto(f"{self.origin}/docs")
        await self.page.locator("#validate").wait_for()

    async def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            await self.page.locator(f"#{name.replace('_', '-')}").fill(value)

    async def choose(self, kind: str) -> None:
        await self.page.get_by_role("radio", name=kind).check()

    async def send(self) -> None:
        await self.page.get_by_role("button", name="Send request").click()

    async def sees(self, words: str, *, mood: str) -> None:
        """Wait until the verdict says this."""
        await self.page.locator(f".verdict.{mood} .verdict-title", has_text=words).wait_for()

    async def is_told(self, words: str, outcome: str) -> None:
        await self.page.locator(f".proofs .{outcome}", has_text=words).wait_for()

    async def reads(self, selector: str) -> str:
        return await self.page.locator(selector).inner_text()
