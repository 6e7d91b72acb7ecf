"""License files over real HTTP, read by a JWT library: what they say, when they end, and who gets none."""

import asyncio
import base64
import hashlib
import json

import pytest
from factories import DAY_MS, HOUR_MS, NOW_MS
from joserfc import jwt
from joserfc.jwk import KeySet
from proof_checks import file_of, published, with_files

from bot.api.schemas import LicenseFile
from licensing.choices import SigningKind


async def claims_of(shop, api_key, reply):
    """Read a license file as any JWT library does that was handed the published keys."""
    keys = [{name: it for name, it in jwk.items() if "_" not in name} for jwk in await published(shop, api_key)]
    with pytest.warns(match="RFC 9864"):
        return jwt.decode(reply.raw.decode(), KeySet.import_key_set({"keys": keys}), algorithms=["EdDSA"]).claims


async def test_a_license_file_says_what_an_answer_says_and_ends_after_the_products_days(shop):
    product = await with_files(shop)
    issued = await shop.issue(expiry="30d", max_ips=3)
    reply = await file_of(shop, product.api_key, issued.key.lower().replace("-", ""), "?device_id=b1c7&version=1.4.0")
    assert (reply.code, reply.headers["Content-Type"]) == (200, "application/jose")
    assert reply.headers["Cache-Control"] == "no-store"
    [key] = await published(shop, product.api_key)
    header = json.loads(base64.urlsafe_b64decode(reply.raw.split(b".")[0] + b"=="))
    assert header == {"alg": "EdDSA", "kid": key["kid"], "typ": "license+jwt"}
    answer = await shop.validate(product.api_key, issued.key, version="1.4.0")
    claims = await claims_of(shop, product.api_key, reply)
    LicenseFile.model_validate(claims)
    told = claims.pop("license")
    assert claims == {
        "iss": "keyport",
        "sub": str(issued.view.license.id),
        "aud": str(product.product.id),
        "iat": NOW_MS // 1000,
        "exp": NOW_MS // 1000 + 7 * 86_400,
    }
    assert (told.pop("key_sha256"), told.pop("device_id")) == (
        hashlib.sha256(issued.key.replace("-", "").encode()).hexdigest(),
        "b1c7",
    )
    assert told == {name: answer.body[name] for name in told}
    assert list(told) == ["status", "expires", "max_ips", "version", "version_valid", "custom"]


async def test_a_license_file_ends_with_its_license_if_that_is_sooner_and_enforced(shop):
    product, lax = await with_files(shop), await with_files(shop, "Lax", enforce_expiry=False)
    soon, open_end = await shop.issue(expiry="2d"), await shop.issue("Lax", expiry="2d")
    for api_key, issued, days in ((product.api_key, soon, 2), (lax.api_key, open_end, 7)):
        claims = await claims_of(shop, api_key, await file_of(shop, api_key, issued.key))
        assert claims["exp"] == NOW_MS // 1000 + days * 86_400
        assert claims["license"]["expires"] == "2025-06-17T15:06:40.000Z"


async def test_a_license_file_takes_a_seat_and_is_counted_as_a_validation_is(shop):
    product = await with_files(shop)
    issued = await shop.issue(max_ips=1)
    headers = {"Authorization": f"Bearer {product.api_key}"}
    codes = []
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        path = f"{shop.url}/api/v1/license/{issued.key}/file"
        async with shop.http.get(path, headers=headers | {"X-Forwarded-For": address}) as response:
            codes.append(response.status)
    assert codes == [200, 403, 200]
    await shop.usage.flush(shop.store)
    assert await shop.store.snapshots.calls(product.product.id, NOW_MS // DAY_MS) == 3


@pytest.mark.parametrize("query", ["", "?device_id=b1c7&version=9"])
async def test_a_license_that_is_not_good_gets_its_status_and_a_support_code_and_no_file(shop, query):
    product = await with_files(shop)
    revoked, stock = await shop.issue(), await shop.issue(discord_id=None)
    await shop.licenses.revoke(shop.staff, revoked.key)
    for key, status in ((revoked.key, "revoked"), (stock.key, "not_claimed"), ("NO-SUCH", "license_not_found")):
        reply = await file_of(shop, product.api_key, key, query)
        assert reply.seen == (403, status)
        assert list(reply.body) == ["valid", "status", "message"]
        validated = await shop.validate(product.api_key, key, address="127.0.0.1")
        assert len(reply.headers["X-Support-Code"]) == len(validated.headers["X-Support-Code"]) == 9


async def test_a_product_that_issues_no_files_says_so_and_gives_no_seat_for_it(shop):
    product = await shop.product()
    issued = await shop.issue(max_ips=1)
    await shop.signing.turn_on(shop.staff, "Widget", SigningKind.ED25519)
    for key in (issued.key, "NO-SUCH"):
        assert (await file_of(shop, product.api_key, key)).seen == (404, "invalid_request")
    assert await shop.store.read(lambda tx: tx.addresses.of(issued.view.license.id)) == []
    await shop.catalog.change_settings(shop.staff, product.product.id, license_file_days=1)
    assert (await file_of(shop, product.api_key, issued.key)).code == 200
    await shop.catalog.change_settings(shop.staff, product.product.id, license_file_days=0)
    assert (await file_of(shop, product.api_key, issued.key)).seen == (404, "invalid_request")


async def test_whoever_asks_first_one_key_is_made_for_license_files_and_it_is_the_published_one(shop):
    product = await with_files(shop)
    issued = [await shop.issue() for _ in range(3)]
    answers = await asyncio.gather(
        *(file_of(shop, product.api_key, one.key) for one in issued),
        *(shop.get("/api/v1/keys", product.api_key) for _ in range(3)),
    )
    assert {reply.code for reply in answers} == {200}
    stored = await shop.store.read(lambda tx: tx.signing_keys.of(product.product.id))
    assert [key.kind for key in stored] == [SigningKind.ED25519]
    for reply in answers[:3]:
        assert (await claims_of(shop, product.api_key, reply))["aud"] == str(product.product.id)
    assert {tuple(jwk["kid"] for jwk in reply.body["keys"]) for reply in answers[3:]} == {(stored[0].id,)}


async def test_files_are_signed_with_ed25519_whatever_signs_the_answers_and_by_the_key_that_signs_now(shop):
    product = await with_files(shop)
    issued = await shop.issue()
    await shop.signing.turn_on(shop.staff, "Widget", SigningKind.RSA)
    first = await file_of(shop, product.api_key, issued.key)
    await claims_of(shop, product.api_key, first)
    await shop.signing.rotate(shop.staff, "Widget", SigningKind.ED25519, grace="1h")
    assert (await file_of(shop, product.api_key, issued.key)).raw == first.raw
    shop.clock.now_ms += HOUR_MS
    later = await file_of(shop, product.api_key, issued.key)
    assert later.raw.split(b".")[0] != first.raw.split(b".")[0]
    await claims_of(shop, product.api_key, later)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?device_id=" + "x" * 257, "device_id"),
        ("?version=" + "x" * 257, "version"),
    ],
)
async def test_what_is_too_long_for_a_license_file_is_refused_by_its_name(shop, query, said):
    product = await with_files(shop)
    issued = await shop.issue()
    reply = await file_of(shop, product.api_key, issued.key, query)
    assert reply.seen == (422, "invalid_request")
    assert said in reply.body["message"]


@pytest.mark.parametrize("text", ["%ED%A0%80", "%FF%01", "%F0%9F%94%91", "%22%2C%22", "%E2%80%A8"])
async def test_whatever_stands_in_a_license_files_address_it_is_answered_and_readable(shop, text):
    product = await with_files(shop)
    issued = await shop.issue()
    reply = await file_of(shop, product.api_key, issued.key, f"?device_id={text}&version={text}")
    assert reply.code == 200
    assert (await claims_of(shop, product.api_key, reply))["license"]["device_id"]
    assert (await file_of(shop, product.api_key, text)).seen == (403, "license_not_found")
