"""The page is there for a keyboard, a screen reader, a strict browser and a spiteful message alike."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")
DEEPEST = 8
FORBIDDEN = (
    "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
)
OUTLINED = "(element) => [getComputedStyle(element).outlineStyle, getComputedStyle(element).outlineWidth]"


@pytest.mark.parametrize("mark", ["> ", ">>> "])
@pytest.mark.usefixtures("bot")
async def test_quotes_within_quotes_end_at_a_depth(windows, guild, mark):
    tab = await windows.open(guild.owner)
    guild.owner.say(f"{mark * 490}deep down")
    message = await tab.reads("deep down")
    assert await message.locator(".content blockquote").count() == DEEPEST


@pytest.mark.usefixtures("bot")
async def test_a_browser_that_forbids_storage_costs_the_memory_and_nothing_else(windows, guild):
    tab = await windows.blank(color_scheme="light")
    await tab.page.add_init_script(FORBIDDEN)
    await tab.visit(guild.owner)
    await tab.page.locator(".theme-button").first.click()
    await tab.sees("html[data-theme='dark']")


async def test_a_refusal_is_an_alert_that_stays_until_it_is_dismissed(windows, guild, bot):
    tab = await windows.open(guild.owner)
    tab.bot = bot
    await tab.send("show rows")
    await tab.reads("Rows")
    await tab.page.get_by_role("button", name="Off").evaluate(
        "(button) => { button.disabled = false; button.click(); }"
    )
    alert = tab.page.get_by_role("alert").filter(has_text="is disabled")
    await alert.wait_for()
    await alert.get_by_role("button", name="Dismiss").click()
    await tab.sees_no(".toast.bad")


@pytest.mark.usefixtures("bot")
async def test_whatever_is_typed_into_is_seen_to_have_the_focus(windows, guild):
    tab = await windows.open(guild.owner)
    await tab.send("show rows")
    await tab.reads("Rows")
    await tab.page.get_by_role("combobox", name="Pick somebody").click()
    await _outlined(tab, ".search")
    await tab.press("Escape")
    await tab.page.locator(".area").click()
    await _ringed(tab, ".area", ".composer-box")
    await tab.command("echo")
    await _ringed(tab, ".chip-input", ".chip")
    await tab.page.locator(".tail").focus()
    await _ringed(tab, ".tail", ".composer-box")


async def _outlined(tab, selector: str) -> None:
    found = await tab.sees(f"{selector}:focus")
    assert await found.evaluate(OUTLINED) == ["solid", "2px"]


async def _ringed(tab, selector: str, around: str) -> None:
    """Expect the part around what one types into to show the focus, two pixels wide."""
    typed_into = tab.page.locator(f"{selector}:focus-visible")
    await typed_into.wait_for()
    ring = tab.page.locator(around).filter(has=typed_into)
    assert "0px 0px 0px 2px" in await ring.evaluate("(element) => getComputedStyle(element).boxShadow")
