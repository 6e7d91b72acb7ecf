"""Take the pictures that the README and the docs show, of the pages of a running sandbox.

    python -m bench.pictures [--into docs/pictures]

It starts `keyport sandbox` on a database of its own and does what a visitor would do, in a headless
Chromium. With pngquant installed the pictures are a third as large.
"""

import argparse
import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, Page, async_playwright

WIDE, HIGH, SCALE = 1200, 760, 2
READY_S = 60
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")
CALL = re.compile(r"(http://[\w.:]+)/api/v1/validate .*Bearer (kp_live_\w+)")
KEY = re.compile(r"\b[2-9A-HJKMNP-Z]{4}(?:-[2-9A-HJKMNP-Z]{4}){3}\b")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

Scheme = Literal["light", "dark"]
Scene = Callable[["Studio"], Awaitable[None]]


class Studio:
    """A page before the camera, and the people it may be looked at as."""

    def __init__(self, browser: Browser, address: str, into: Path) -> None:
        self._browser = browser
        self._address = address
        self._into = into
        self.people: dict[str, str] = {}

    async def look_around(self) -> None:
        """Learn who is there, and which channel is still empty."""
        page = await self.page("Olivia", guide=True, scheme="dark")
        await page.get_by_role("button", name="Validate").wait_for(timeout=READY_S * 1000)
        for each in (await (await page.request.get(f"{self._address}page/api/people")).json())["people"]:
            self.people[each["name"]] = each["id"]
        await page.context.close()

    async def page(self, name: str, *, scheme: Scheme, guide: bool = False, high: int = HIGH) -> Page:
        page = await self.blank(scheme=scheme, high=high)
        if not guide:
            await page.add_init_script("localStorage.setItem('guide', 'closed')")
        person = f"?as={self.people[name]}" if name in self.people else ""
        await page.goto(f"{self._address}page/{person}")
        await page.locator(".myself strong", has_text=name).wait_for()
        if not guide:
            await page.locator(".channel", has_text="licenses").click()
            await page.locator(".opening-title", has_text="licenses").wait_for()
        return page

    async def blank(self, *, scheme: Scheme, high: int) -> Page:
        """Open a page that shows nothing yet."""
        settings: Any = {"viewport": {"width": WIDE, "height": high}, "device_scale_factor": SCALE}
        context = await self._browser.new_context(color_scheme=scheme, locale="en-US", timezone_id="UTC", **settings)
        context.set_default_timeout(10_000)
        return await context.new_page()

    async def take(self, page: Page, name: str) -> None:
        """Keep what the page shows, as soon as nothing moves any more."""
        await page.mouse.move(WIDE / 2, 2)
        await page.evaluate("() => document.fonts.ready")
        await page.screenshot(path=self._into / f"{name}.png", animations="disabled", caret="hide")
        await page.context.close()
        await shrink(self._into / f"{name}.png")


async def shrink(path: Path) -> None:
    """Reduce a picture to 256 colours, which the page hardly exceeds, where pngquant is installed."""
    program = shutil.which("pngquant")
    if program is not None:
        asked = ("--force", "--skip-if-larger", "--strip", "--speed", "1", "--output", str(path), "256", str(path))
        await (await asyncio.create_subprocess_exec(program, *asked)).wait()


async def type_command(page: Page, path: str, *typed: str) -> None:
    """Type a command and what its options are given, a Tab behind each."""
    await page.locator(".area").click()
    await page.keyboard.type(f"/{path} ")
    await page.locator(".command-name", has_text=f"/{path}").wait_for()
    for words in typed:
        await page.keyboard.type(words)
        await page.locator(".popup").wait_for()
        await page.locator(".popup", has_text="Loading").wait_for(state="detached")
        await page.keyboard.press("Tab")


async def key_on(page: Page, *, known: int = 0) -> str:
    """Return the last key that is shown, once there are more of them than were known before."""
    shown = page.locator(".content", has_text=KEY)
    await shown.nth(known).wait_for()
    shown = shown.last
    found = KEY.search(await shown.inner_text())
    assert found
    return found[0]


async def first_visit(studio: Studio) -> None:
    page = await studio.page("Olivia", guide=True, scheme="dark")
    await page.get_by_role("button", name="Issue a license").click()
    await page.locator(".myself strong", has_text="Sam").wait_for()
    await page.get_by_role("button", name="Claim it").click()
    await page.locator(".myself strong", has_text="Bob").wait_for()
    await page.locator(".message", has_text="is yours now").last.wait_for()
    await page.get_by_role("button", name="Validate").click()
    await page.locator(".wire").wait_for()
    await studio.take(page, "first-visit")


async def completion(studio: Studio) -> None:
    page = await studio.page("Sam", scheme="dark", high=560)
    await type_command(page, "license issue", "Night", "member:Be")
    await page.keyboard.type("expiry:30d")
    await page.keyboard.press("Tab")
    await page.locator(".popup").wait_for()
    await studio.take(page, "command")


async def issued(studio: Studio) -> None:
    page = await studio.page("Sam", scheme="light", high=740)
    await type_command(page, "license issue", "Night", "max_ips:2")
    await page.keyboard.press("Enter")
    await key_on(page)
    await studio.take(page, "issued")


async def claim(studio: Studio, product: str, *terms: str) -> tuple[Page, str]:
    """Let support issue a license and Bob claim it; give his page and the key."""
    support = await studio.page("Sam", scheme="dark")
    known = await support.locator(".content", has_text=KEY).count()
    await type_command(support, "license issue", product, *terms)
    await support.keyboard.press("Enter")
    key = await key_on(support, known=known)
    await support.context.close()
    page = await studio.page("Bob", scheme="dark", high=720)
    await type_command(page, "claim", key)
    await page.keyboard.press("Enter")
    await page.locator(".message", has_text="is yours now").last.wait_for()
    return page, key


async def claimed(studio: Studio) -> None:
    page, _ = await claim(studio, "Night")
    await page.get_by_role("button", name="Show key").click()
    await key_on(page)
    await studio.take(page, "claimed")


async def revoking(studio: Studio) -> None:
    page = await studio.page("Olivia", scheme="light", high=620)
    await type_command(page, "license revoke", "Bea", "reason:Chargeback")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Revoke for good").wait_for()
    await studio.take(page, "revoking")


async def delivered(studio: Studio) -> None:
    page = await studio.page("Bea", scheme="dark", high=500)
    await page.locator(".channel", has_text="KeyPort").click()
    await key_on(page)
    await studio.take(page, "delivered")


async def settings(studio: Studio) -> None:
    page = await studio.page("Olivia", scheme="dark", high=830)
    await type_command(page, "product settings", "Night")
    await page.keyboard.press("Enter")
    await page.locator(".container", has_text="Settings of").wait_for()
    await studio.take(page, "settings")


async def playground(studio: Studio) -> None:
    staff = await studio.page("Olivia", scheme="light")
    await staff.locator(".area").click()
    await staff.keyboard.type("/product create ")
    await staff.locator(".command-name", has_text="/product create").wait_for()
    await staff.keyboard.type("Aurora")
    await staff.keyboard.press("Enter")
    shown = staff.locator(".content", has_text="Authorization: Bearer").last
    await shown.wait_for()
    call = CALL.search(await shown.inner_text())
    assert call
    await staff.context.close()
    bought, key = await claim(studio, "Aurora", "expiry:1y")
    await bought.context.close()
    page = await studio.blank(scheme="light", high=960)
    await page.goto(f"{call[1]}/docs")
    for label, words in (("API key", call[2]), ("License key", key), ("Version", "1.4.0")):
        await page.get_by_label(label).first.fill(words)
    await page.get_by_role("button", name="Make one").click()
    await page.get_by_role("button", name="Send request").click()
    await page.locator(".verdict").wait_for()
    await studio.take(page, "playground")


SCENES: tuple[Scene, ...] = (first_visit, completion, issued, claimed, revoking, settings, delivered, playground)


@asynccontextmanager
async def sandbox() -> AsyncIterator[str]:
    """Run the real command in an empty folder; give the address it prints first."""
    with tempfile.TemporaryDirectory() as folder:
        root = str(Path(__file__).parents[1])
        settings = {**os.environ, "PYTHONPATH": root, "LC_ALL": "C.UTF-8"}
        settings = {name: value for name, value in settings.items() if not name.startswith("KEYPORT_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "sandbox", cwd=folder, env=settings, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout
        draining = None
        try:
            line = (await asyncio.wait_for(process.stdout.readline(), READY_S)).decode()
            found = ADDRESS.search(line)
            if found is None:
                raise SystemExit(f"The sandbox printed no address first, but: {line}")
            draining = asyncio.create_task(process.stdout.read())
            yield found[0]
        finally:
            process.terminate()
            await process.wait()
            if draining:
                await draining


async def take_all(into: Path, only: list[str]) -> None:
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        raise SystemExit("There is no Chromium to take pictures with: 'apt-get install chromium' brings one.")
    async with sandbox() as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        studio = Studio(browser, address, into)
        await studio.look_around()
        for scene in SCENES:
            if not only or scene.__name__ in only:
                await scene(studio)
        await browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--into", type=Path, default=Path("docs/pictures"))
    parser.add_argument("scenes", nargs="*", help="only these, by their names here")
    given = parser.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    asyncio.run(take_all(given.into, given.scenes))
    for path in sorted(given.into.glob("*.png")):
        print(f"{path}  {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
