"""The API's page in a real browser: real requests, what the answers mean, and that everybody can use it."""

import asyncio
import itertools
from importlib import resources
from pathlib import Path

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_pasted_key_sends_real_requests_and_every_answer_is_told_in_words(api, arrive):
    product, good, bad = await api.product(), await api.issue(max_ips=3), await api.issue()
    await api.world.licenses.revoke(api.staff, bad.key)
    visitor = await arrive()
    await visitor.fill(api_key=product.api_key, license_key=good.key.lower(), version="1.4.0")
    await visitor.send()
    await visitor.sees("active", mood="good")
    assert "The license is good." in await visitor.reads("#verdict")
    assert '"ip_count": 1' in await visitor.reads("#details")
    await visitor.fill(license_key=bad.key)
    await visitor.page.keyboard.press("Enter")
    await visitor.sees("revoked", mood="bad")
    assert "support code" in await visitor.reads(".facts")
    await visitor.fill(license_key="ABCD-EFGH-JKMN-PQRS")
    await visitor.send()
    await visitor.sees("license_not_found", mood="bad")
    await visitor.choose("Look up")
    await visitor.fill(license_key=good.key)
    await visitor.send()
    await visitor.sees("Found", mood="good")
    await visitor.fill(api_key="kp_live_wrong")
    await visitor.send()
    await visitor.sees("invalid_api_key", mood="bad")
    assert visitor.page.url == f"{api.url}/docs"
    assert not any(product.api_key in url for url in visitor.asked)
    kept = "() => localStorage.length + sessionStorage.length + document.cookie.length"
    assert await visitor.page.evaluate(kept) == 0


async def test_nothing_is_sent_before_the_form_is_filled_in_and_silence_is_one_sentence(api, arrive):
    visitor = await arrive()
    before = len(visitor.asked)
    await visitor.send()
    await visitor.page.get_by_text("Paste the product's API key").first.wait_for()
    await visitor.fill(api_key="kp_live_ключ", license_key="x")
    await visitor.send()
    await visitor.page.get_by_text("This is no API key").first.wait_for()
    assert await visitor.page.evaluate("() => document.activeElement.id") == "api-key"
    assert len(visitor.asked) == before
    await api.stack.aclose()
    await visitor.fill(api_key="kp_live_key")
    await visitor.send()
    await visitor.sees("No answer", mood="unknown")
    assert "The server did not answer" in await visitor.reads("#verdict")


async def test_the_api_key_is_hidden_in_its_field_and_in_the_curl_line_until_asked_for(api, arrive):
    product = await api.product()
    visitor = await arrive()
    await visitor.fill(api_key=product.api_key, license_key="it's")
    field = visitor.page.locator("#api-key")
    assert await field.get_attribute("type") == "password"
    assert product.api_key not in await visitor.reads("#curl")
    await visitor.page.get_by_role("button", name="Show API key").click()
    await visitor.page.get_by_role("button", name="Show key", exact=True).click()
    assert await field.get_attribute("type") == "text"
    assert f"Bearer {product.api_key}'" in await visitor.reads("#curl")
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", await visitor.reads("#curl"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    told, _ = await process.communicate()
    assert b'"status":"license_not_found"' in told


# What axe would find first, in a few lines.
NAMELESS = """() => [...document.querySelectorAll("input, button, a, summary, pre, section, article, nav")]
  .filter((node) => node.checkVisibility() && !(node.labels?.length || node.textContent.trim()
    || node.getAttribute("aria-label") || node.getAttribute("aria-labelledby")))
  .map((node) => node.outerHTML)"""
UNLABELLED = (
    "() => [...document.querySelectorAll('input')].filter((node) => !node.labels.length).map((node) => node.id)"
)
TWICE = """() => [...document.querySelectorAll("[id]")].map((node) => node.id)
  .filter((id, at, all) => all.indexOf(id) !== at)"""
DANGLING = """() => [...document.querySelectorAll("[aria-labelledby], [aria-describedby]")]
  .flatMap((node) => [node.getAttribute("aria-labelledby"), node.getAttribute("aria-describedby")])
  .filter(Boolean).flatMap((ids) => ids.split(" ")).filter((id) => !document.getElementById(id))"""
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4")].filter((node) => node.checkVisibility())
  .map((node) => Number(node.tagName[1]))"""
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("width", [360, 1400])
async def test_the_page_fits_its_window_and_everything_on_it_has_a_name(api, arrive, width):
    product, issued = await api.product(), await api.issue()
    visitor = await arrive(viewport={"width": width, "height": 800}, color_scheme="dark")
    await visitor.fill(api_key=product.api_key, license_key=issued.key)
    await visitor.send()
    await visitor.sees("active", mood="good")
    await visitor.page.locator("details").evaluate_all("(all) => all.forEach((each) => { each.open = true; })")
    for check in (NAMELESS, UNLABELLED, TWICE, DANGLING):
        assert await visitor.page.evaluate(check) == []
    levels = await visitor.page.evaluate(HEADINGS)
    assert levels.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in itertools.pairwise(levels))
    assert await visitor.page.evaluate(TOO_WIDE) == 0


async def test_on_a_narrow_screen_every_link_is_in_sight_and_large_enough_for_a_finger(arrive):
    visitor = await arrive(viewport={"width": 360, "height": 800})
    await visitor.page.locator(".client a").first.wait_for()
    for box in [await link.bounding_box() for link in await visitor.page.locator("nav a, .client a").all()]:
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["height"] >= 24
    for row in await visitor.page.locator(".client .bar").all():
        link, copy = await row.locator("a").bounding_box(), await row.locator("button").bounding_box()
        assert abs(link["y"] + link["height"] / 2 - copy["y"] - copy["height"] / 2) < 2


async def test_a_product_without_public_keys_is_told_how_signing_is_turned_on(api, arrive):
    product, issued = await api.product(), await api.issue()
    visitor = await arrive()
    await visitor.fill(api_key=product.api_key, license_key=issued.key)
    await visitor.send()
    await visitor.is_told("/product signing", "unknown")
    await visitor.choose("Public keys")
    await visitor.send()
    await visitor.sees("No public keys", mood="unknown")
    assert "/product signing" in await visitor.reads("#verdict")


async def test_the_reference_and_the_clients_are_there_to_be_read_and_copied(api, arrive):
    visitor = await arrive(permissions=["clipboard-read", "clipboard-write"])
    shown = await visitor.page.locator(".operation h3").all_inner_texts()
    assert len(shown) == 7
    assert len(await visitor.page.locator("#meanings dt").all()) == 20
    names = await visitor.page.locator(".client .name").all_inner_texts()
    assert "KeyPort.java" in names
    for name in names[:1]:
        await visitor.page.get_by_role("button", name=f"Copy {name}").click()
        await visitor.page.get_by_text("Copied", exact=True).wait_for()
        reply = await visitor.page.request.get(f"{api.url}/docs/clients/{name}")
        assert await visitor.page.evaluate("() => navigator.clipboard.readText()") == await reply.text()


async def test_a_client_is_downloaded_whole_and_under_the_name_that_its_language_wants(arrive):
    visitor = await arrive(accept_downloads=True)
    for name in ("KeyPort.java", "keyport.sh"):
        async with visitor.page.expect_download() as waiting:
            await visitor.page.get_by_role("link", name=f"Download {name}").click()
        download = await waiting.value
        assert download.suggested_filename == name
        source = resources.files("bot.api") / "clients" / name
        assert Path(await download.path()).read_bytes() == source.read_bytes()
