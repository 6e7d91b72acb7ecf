"""The keys that sign answers: how they are rotated, and to whom the public ones are published."""

import json
import os

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from factories import DAY_MS, HOUR_MS, NOW_MS
from joserfc.jwk import KeySet
from proof_checks import PAIRS, is_proven, is_signed, published

from licensing.choices import SigningKind
from licensing.services.api_keys import ApiKeyService
from licensing.services.signing import SigningService
from storage import DatabaseSettings, Signer, open_store


@pytest.mark.parametrize("kind", PAIRS)
async def test_with_a_grace_the_old_key_signs_until_it_ends_and_the_new_one_is_published_at_once(shop, kind):
    product = await shop.product()
    issued = await shop.issue()
    await shop.signing.turn_on(shop.staff, "Widget", kind)
    [old] = await published(shop, product.api_key)
    await shop.signing.rotate(shop.staff, "Widget", kind, grace="24h")
    keys = {jwk["kid"]: jwk for jwk in await published(shop, product.api_key)}
    [new] = [jwk for kid, jwk in keys.items() if kid != old["kid"]]
    assert keys[old["kid"]]["signs_until"] == new["signs_from"] == "2025-06-16T15:06:40.000Z"
    assert (new["signs_until"], old["signs_until"]) == (None, None)
    shop.clock.now_ms += DAY_MS - 1
    before = await shop.validate(product.api_key, issued.key)
    assert is_proven(before, [old])
    assert before.headers["X-Signature-Key-Id"] == old["kid"]
    shop.clock.now_ms += 1
    after = await shop.validate(product.api_key, issued.key)
    assert is_proven(after, [new])
    assert [jwk["kid"] for jwk in await published(shop, product.api_key)] == [new["kid"]]


async def test_without_a_grace_the_new_key_signs_the_very_next_answer_and_the_old_one_is_gone(shop):
    product = await shop.product()
    issued = await shop.issue()
    await shop.signing.turn_on(shop.staff, "Widget", SigningKind.ED25519)
    [old] = await published(shop, product.api_key)
    assert is_proven(await shop.validate(product.api_key, issued.key), [old])
    await shop.signing.rotate(shop.staff, "Widget", SigningKind.ED25519)
    [new] = await published(shop, product.api_key)
    assert new["kid"] != old["kid"]
    assert is_proven(await shop.validate(product.api_key, issued.key), [new])


async def test_a_shared_secret_is_rotated_with_and_without_a_grace(shop):
    product = await shop.product()
    issued = await shop.issue()
    first = (await shop.signing.turn_on(shop.staff, "Widget", SigningKind.HMAC)).secret
    second = (await shop.signing.rotate(shop.staff, "Widget", SigningKind.HMAC, grace="1h")).secret
    assert is_signed((await shop.validate(product.api_key, issued.key)).raw, first)
    shop.clock.now_ms += HOUR_MS
    assert is_signed((await shop.validate(product.api_key, issued.key)).raw, second)
    third = (await shop.signing.rotate(shop.staff, "Widget", SigningKind.HMAC)).secret
    assert is_signed((await shop.validate(product.api_key, issued.key)).raw, third)
    assert len({first, second, third}) == 3
    assert await published(shop, product.api_key) == []


async def test_a_clock_that_is_set_back_leaves_no_answer_unsigned(shop):
    product = await shop.product()
    issued = await shop.issue()
    await shop.signing.turn_on(shop.staff, "Widget", SigningKind.ED25519)
    keys = await published(shop, product.api_key)
    shop.clock.now_ms -= 1
    assert is_proven(await shop.validate(product.api_key, issued.key), keys)


async def test_what_another_process_changes_is_seen_by_the_next_answer(shop, tmp_path):
    product = await shop.product()
    issued = await shop.issue()
    async with open_store(DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")) as elsewhere:
        signing = SigningService(elsewhere, Signer(elsewhere.vault, os.urandom), clock=shop.clock)
        api_keys = ApiKeyService(elsewhere, clock=shop.clock, random_bytes=os.urandom)
        assert (await shop.validate(product.api_key, issued.key)).body["signature"] is None
        secret = (await signing.turn_on(shop.staff, "Widget", SigningKind.HMAC)).secret
        assert is_signed((await shop.validate(product.api_key, issued.key)).raw, secret)
        secret = (await signing.rotate(shop.staff, "Widget", SigningKind.HMAC)).secret
        assert is_signed((await shop.validate(product.api_key, issued.key)).raw, secret)
        added = await api_keys.add(shop.staff, "Widget", "Jar")
        assert (await shop.validate(added.api_key, issued.key)).seen == (200, "active")
        await api_keys.remove(shop.staff, "Widget", "jar")
        assert (await shop.validate(added.api_key, issued.key)).seen == (401, "invalid_api_key")


async def test_the_published_keys_are_a_jwk_set_that_any_library_reads_and_cost_nothing(open_shop):
    async with open_shop() as shop:
        product = await shop.product()
        assert await published(shop, product.api_key) == []
        for kind in SigningKind:
            await shop.signing.turn_on(shop.staff, "Widget", kind)
        keys = await published(shop, product.api_key)
        read = KeySet.import_key_set({"keys": keys})
        for jwk, key in zip(keys, read.keys, strict=True):
            pem = load_pem_public_key(jwk["public_key_pem"].encode())
            assert key.public_key == pem
            assert (jwk["use"], jwk["signs_until"]) == ("sig", None)
            assert not {"d", "p", "q", "k"} & jwk.keys()
        assert "kp_sign_" not in json.dumps(keys)
        await shop.usage.flush(shop.store)
        assert await shop.store.snapshots.calls(product.product.id, NOW_MS // DAY_MS) == 0


async def test_the_keys_of_one_product_are_told_to_no_other(shop):
    await shop.product()
    other = await shop.product("Gadget")
    await shop.signing.turn_on(shop.staff, "Widget", SigningKind.ED25519)
    assert await published(shop, other.api_key) == []
    for path in ("/api/v1/keys", "/api/v1/license/x/file"):
        assert (await shop.get(path, "kp_live_none")).seen == (401, "invalid_api_key")
        assert (await shop.get(path)).seen == (401, "invalid_api_key")
