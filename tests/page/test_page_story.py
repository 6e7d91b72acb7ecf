"""The whole job by clicking and typing, with the real bot on a real store."""

import re

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = re.compile(r"\b[2-9A-HJKMNP-Z]{4}(?:-[2-9A-HJKMNP-Z]{4}){3}\b")


@pytest_asyncio.fixture(loop_scope="session")
async def sold(shop):
    """A product whose holders wear a role, and support that may issue it."""
    shop.api_key = await shop.product("Nightfall", role=shop.holders)
    await shop.grant("products:view licenses:view licenses:create")
    return shop


async def key_shown(tab) -> str:
    found = tab.page.locator(".content").filter(has_text=KEY).last
    await found.wait_for()
    return KEY.search(await found.inner_text())[0]


async def test_a_license_is_issued_claimed_refused_and_revoked_by_hand(sold, windows):
    tab = await windows.open(sold.support)
    await tab.command("license issue")
    await tab.type("night")
    await tab.sees(".option", "Nightfall")
    await tab.press("Tab", "Enter")
    await tab.reads("hand over the key from the next message")
    key = await key_shown(tab)
    assert await sold.validate(sold.api_key, key) == "not_claimed"

    await tab.become(sold.bob)
    assert await tab.page.get_by_text(key).count() == 0
    await tab.command("claim")
    await tab.type(key.lower())
    await tab.press("Enter")
    await tab.reads("This license is yours now")
    await tab.sees('.member:has-text("Bob") .role-pill', "Pro holder")
    assert await sold.validate(sold.api_key, key) == "active"
    await tab.click("Show key")
    assert await key_shown(tab) == key

    await tab.become(sold.alice)
    await tab.command("claim")
    await tab.type(key)
    await tab.press("Enter")
    await tab.reads("belongs to another member")
    await tab.write("/product")
    await tab.sees_no(".option")

    await tab.become(sold.owner)
    await tab.command("license revoke")
    await tab.type(key)
    await tab.press("Escape")
    await tab.press("Tab")
    await tab.type("reason:Chargeback")
    await tab.press("Enter")
    await tab.reads("Revoke this license for good?")
    await tab.click("Revoke for good")
    await tab.reads("is revoked; its next validation is refused")
    assert await sold.validate(sold.api_key, key) == "revoked"
    await tab.sees_no('.member:has-text("Bob") .role-pill')

    await tab.become(sold.bob)
    await tab.sees(".channel .badge")
    await tab.page.get_by_role("button", name="KeyPort,").click()
    await tab.reads("Chargeback")


async def test_a_license_is_found_by_its_holders_menu_and_edited_in_a_form(sold, windows):
    key = await sold.stock("Nightfall")
    await sold.bob.slash("claim", key=key)
    tab = await windows.open(sold.owner)
    await (await tab.sees(".member", "Bob")).click(button="right")
    await tab.page.get_by_role("menuitem", name="Licenses").click()
    await tab.reads("1 license found")
    await tab.page.get_by_role("combobox", name="Choose a license").last.click()
    await tab.press("Enter")
    await tab.click("Edit…")
    await tab.dialog().get_by_label("Address limit").fill("many")
    await tab.dialog().get_by_label("Notes").fill("Paid twice, refunded once")
    await tab.click("Submit")
    await tab.reads("The address limit must be between 0 and")
    await tab.click("Try again")
    assert await tab.dialog().get_by_label("Notes").input_value() == "Paid twice, refunded once"
    await tab.dialog().get_by_label("Address limit").fill("3")
    await tab.click("Submit")
    await tab.reads("0 of 3")
    await tab.reads("Paid twice, refunded once")


async def test_a_license_is_issued_and_claimed_with_the_keyboard_alone(sold, windows):
    tab = await windows.open(sold.owner)
    await tab.press("Tab")
    assert await tab.focus() == "Skip to the message box"
    await tab.press("Tab")
    assert await tab.focus() == "Olivia, owner"
    await tab.press("ArrowRight", "Enter")
    await tab.is_here("Sam")
    assert await tab.focus() == "Sam, Support"

    await tab.press("/")
    await tab.type("lic")
    await tab.sees(".option", "/license issue")
    while "/license issue" not in await (await tab.sees(".option.active")).inner_text():
        await tab.press("ArrowDown")
    await tab.press("Enter")
    await tab.sees(".option.active", "Nightfall")
    await tab.press("Enter", "Enter")
    await tab.reads("hand over the key")
    key = await key_shown(tab)

    await tab.press("Shift+Tab", "Shift+Tab")
    await tab.page.locator(".message:focus, .message :focus").wait_for()
    await tab.page.get_by_role("radio", name="Sam").focus()
    await tab.press("ArrowRight", "ArrowRight", "Enter")
    await tab.is_here("Bob")
    await tab.press("/")
    await tab.type(f"claim {key}")
    await tab.press("Enter")
    await tab.reads("This license is yours now")
    for _ in range(12):
        if await tab.focus() == "Show key":
            break
        await tab.press("Shift+Tab")
    await tab.press("Enter")
    await tab.reads(key)
    await tab.press("ArrowDown")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_is_light_or_dark_as_the_reader_wishes_and_readable(sold, windows, scheme):
    tab = await windows.open(sold.owner, color_scheme=scheme)
    assert await tab.page.evaluate("() => document.documentElement.dataset.theme") == scheme
    await tab.reads("Nightfall is created")
    assert await tab.page.evaluate(FAINT) == []
    await tab.click("Dark" if scheme == "light" else "Light")
    await tab.page.reload()
    other = {"light": "dark", "dark": "light"}[scheme]
    assert await tab.page.evaluate("() => document.documentElement.dataset.theme") == other
    await tab.reads("Nightfall is created")
    assert await tab.page.evaluate(FAINT) == []


async def test_a_narrow_window_shows_messages_and_hides_the_rest_behind_buttons(sold, windows):
    tab = await windows.open(sold.owner, viewport={"width": 420, "height": 800})
    await tab.reads("Nightfall is created")
    assert not await tab.page.locator("#members").is_visible()
    await tab.click("Channels")
    await tab.page.locator("#channels").wait_for()
    await tab.press("Escape")
    await tab.page.locator("#channels").wait_for(state="hidden")
    await tab.click("Channels")
    assert await tab.focus() == "general"
    await tab.press("ArrowDown", "Enter")
    await tab.sees(".opening-title", "Welcome to #licenses!")
    await tab.click("Show or hide members")
    await tab.sees(".member", "Sam")
    assert await tab.page.evaluate("() => document.documentElement.scrollWidth") <= 420


# The words whose contrast with what lies behind them is below 4.5 (3 for large ones), by WCAG's formula.
FAINT = """() => {
  const light = (c) => {
    const parts = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (css) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const behind = (node) => {
    const chain = [];
    for (let at = node; at; at = at.parentElement) chain.unshift(rgba(getComputedStyle(at).backgroundColor));
    const over = (below, [r, g, b, a]) => [r, g, b].map((v, i) => v * (a / 255) + below[i] * (1 - a / 255));
    return chain.reduce(over, [255, 255, 255]);
  };
  const faint = [];
  for (const node of document.querySelectorAll("body *")) {
    const words = [...node.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
    const style = getComputedStyle(node);
    const left = node.closest("[aria-hidden=true], noscript, :disabled, .unseen, .skip");
    if (!words || left || !node.checkVisibility({ visibilityProperty: true })) continue;
    const [one, other] = [light(rgba(style.color)), light(behind(node))].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 700);
    const ratio = (one + 0.05) / (other + 0.05);
    const told = `${node.className || node.tagName} "${node.textContent.slice(0, 30)}" ${ratio.toFixed(2)}`;
    if (ratio < (large ? 3 : 4.5)) faint.push(told);
  }
  return faint;
}"""
