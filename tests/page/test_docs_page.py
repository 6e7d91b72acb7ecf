"""The API's page in a real browser: real requests, what the answers mean, and whether they are genuine."""

import asyncio
import itertools
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from page.docs_visitor import Visitor

from bot.api import AddressReader, Health, Metrics, Proofs, build_api, serve
from licensing.choices import SigningKind
from storage import Signer

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOP = 900_000_000_000_000_001
PATIENCE_MS = 10_000


@dataclass
class Api:
    """A server with one product on it, which can be stopped."""

    world: Any
    url: str
    stack: AsyncExitStack
    signer: Signer

    async def product(self, name: str = "Pro", *, signed: tuple[SigningKind, ...] = (), **settings: Any):
        made = await self.world.product(name, by=self.staff, **settings)
        for kind in signed:
            now_ms = self.world.clock()
            key = await asyncio.to_thread(
                self.signer.make, made.product.id, kind, now_ms=now_ms, signs_from_ms=now_ms
            )
            await self.world.store.write(lambda tx, key=key: tx.signing_keys.insert(key))
        return made

    async def secret_of(self, product_id: int) -> str:
        keys = await self.world.store.read(lambda tx: tx.signing_keys.of(product_id))
        return next(self.signer.secret(key) for key in keys if key.kind is SigningKind.HMAC)

    @property
    def staff(self):
        from storage_world import OWNER

        return OWNER.model_copy(update={"organization_id": SHOP})

    async def issue(self, **terms: Any):
        return await self.world.issue(by=self.staff, **({"discord_id": 7} | terms))


@pytest_asyncio.fixture(loop_scope="session")
async def api(chromium, world):  # noqa: ARG001 - nothing is started where nobody can look
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


async def test_signatures_are_checked_in_the_browser_and_a_changed_answer_is_found_out(api, arrive):
    kinds = (SigningKind.HMAC, SigningKind.ED25519)
    product = await api.product(signed=kinds, sign_hmac=True, sign_headers="ed25519", license_file_days=7)
    issued = await api.issue()
    visitor = await arrive()
    await visitor.fill(api_key=product.api_key, license_key=issued.key, nonce="5f0c")
    await visitor.fill(secret=await api.secret_of(product.product.id))
    await visitor.send()
    await visitor.is_told("The nonce came back", "right")
    await visitor.is_told("Signature right: HMAC", "right")
    await visitor.is_told("Signature right: Ed25519", "right")
    await visitor.fill(secret="kp_sign_another")
    await visitor.send()
    await visitor.is_told("Signature wrong: it was made with another secret", "wrong")
    await visitor.choose("License file")
    await visitor.send()
    await visitor.sees("License file", mood="good")
    await visitor.is_told("Signature right: Ed25519", "right")

    async def change(route):
        answer = await route.fetch()
        await route.fulfill(response=answer, body=(await answer.text()).replace('"max_ips":null', '"max_ips":99'))

    await visitor.page.route("**/validate", change)
    await visitor.choose("Validate")
    await visitor.send()
    await visitor.is_told("Signature wrong: it does not belong to the key", "wrong")
    await visitor.page.unroute("**/validate")
    old = await api.product("Java 8", signed=(SigningKind.RSA,), sign_headers="rsa")
    await visitor.fill(api_key=old.api_key, license_key=(await api.issue(product="Java 8")).key, secret="")
    await visitor.send()
    await visitor.is_told("Signature right: RSA", "right")


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


async def test_a_made_nonce_has_16_random_bytes_and_proves_freshness_whatever_the_clock_says(api, arrive):
    product = await api.product(signed=(SigningKind.ED25519,), sign_headers="ed25519")
    issued = await api.issue()
    visitor = await arrive()
    make = visitor.page.get_by_role("button", name="Make one")
    made = set()
    for _ in range(2):
        await make.click()
        made.add(await visitor.page.locator("#nonce").input_value())
    assert {len(nonce) for nonce in made} == {32}
    assert len(made) == 2
    await visitor.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 1e9; }")
    await visitor.fill(api_key=product.api_key, license_key=issued.key)
    await visitor.send()
    await visitor.is_told("Signature right: Ed25519", "right")
    await visitor.fill(nonce="")
    await visitor.send()
    await visitor.is_told("it may be a recording", "wrong")


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


@pytest.mark.parametrize("signed", [True, False])
async def test_a_nonce_is_no_proof_where_no_signature_was_checked_and_is_right(api, arrive, signed):
    settings = {"signed": (SigningKind.HMAC,), "sign_hmac": True} if signed else {}
    product, issued = await api.product(**settings), await api.issue()
    visitor = await arrive()
    await visitor.fill(api_key=product.api_key, license_key=issued.key, nonce="5f0c")
    await visitor.send()  # unsigned, or signed with a secret that nobody typed
    await visitor.is_told("it proves nothing", "unknown")
    if not signed:
        return
    await visitor.fill(secret="kp_sign_another")
    await visitor.send()
    await visitor.is_told("Signature wrong", "wrong")
    await visitor.is_told("it proves nothing", "unknown")
    assert await visitor.page.locator(".proofs .right").count() == 0
    await visitor.fill(secret=await api.secret_of(product.product.id))
    await visitor.send()
    await visitor.is_told("The nonce came back in what is signed", "right")
