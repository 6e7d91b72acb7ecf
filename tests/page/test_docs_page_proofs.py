"""The API's page in a real browser: whether an answer is genuine and fresh is checked there and told."""

import pytest

from licensing.choices import SigningKind

pytestmark = pytest.mark.asyncio(loop_scope="session")


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
