"""Proofs over real HTTP, checked with nothing of ours: signed answers, rotations, license files, API keys' scopes."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import threading
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from factories import DAY_MS, NOW_MS, make_license, make_product_snapshot, make_settings
from joserfc import jwt
from joserfc.jwk import KeySet

from bot.api import Proofs
from bot.api.answers import answer_body
from bot.api.schemas import Jwks, LicenseFile
from licensing.choices import SigningKind
from licensing.custom import canonical
from licensing.expiry import parse_expiry
from licensing.services.answers import Answer
from licensing.services.api_keys import ApiKeyService
from licensing.services.signing import SigningService
from licensing.verdict import Status, Verdict
from storage import DatabaseSettings, Signer, open_store

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/proofs.json").read_text("utf-8"))
HEADERS = {SigningKind.ED25519: "X-Signature-Ed25519", SigningKind.RSA: "X-Signature-RSA"}
PAIRS = list(HEADERS)
HOUR_MS = 3_600_000


def is_signed(body: bytes, secret: str) -> bool:
    """Check the member `signature` as the contract says, with the standard library alone."""
    signature = json.loads(body)["signature"]
    before, found, after = body.rpartition(f',"signature":"{signature}"'.encode())
    made = hmac.new(secret.encode(), before + after, hashlib.sha256).hexdigest()
    return bool(found) and hmac.compare_digest(made, str(signature))


def is_proven(reply, keys) -> bool:
    """Check the headers as a client does that holds these JWKs, with `cryptography` alone."""
    jwk = {jwk["kid"]: jwk for jwk in keys}.get(reply.headers["X-Signature-Key-Id"])
    signed = reply.headers["X-Signature-Timestamp"].encode() + reply.raw
    try:
        if jwk is None:
            return False
        if jwk["kty"] == "RSA":
            public = load_pem_public_key(jwk["public_key_pem"].encode())
            public.verify(
                base64.b64decode(reply.headers["X-Signature-RSA"], validate=True), signed, PKCS1v15(), SHA256()
            )
        else:
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(jwk["public_key_hex"]))
            public.verify(bytes.fromhex(reply.headers["X-Signature-Ed25519"]), signed)
    except InvalidSignature:
        return False
    return True


async def published(shop, api_key):
    reply = await shop.get("/api/v1/keys", api_key)
    assert reply.code == 200, reply.raw
    Jwks.model_validate_json(reply.raw)
    return reply.body["keys"]


async def file_of(shop, api_key, key, query=""):
    return await shop.get(f"/api/v1/license/{key}/file{query}", api_key)


async def claims_of(shop, api_key, reply):
    """Read a license file as any JWT library does that was handed the published keys."""
    keys = [{name: it for name, it in jwk.items() if "_" not in name} for jwk in await published(shop, api_key)]
    with pytest.warns(match="RFC 9864"):
        return jwt.decode(reply.raw.decode(), KeySet.import_key_set({"keys": keys}), algorithms=["EdDSA"]).claims


async def with_files(shop, name="Widget", **switches):
    product = await shop.product(name, **switches)
    await shop.catalog.change_settings(shop.staff, product.product.id, license_file_days=7)
    return product


# --- the recorded answers -------------------------------------------------------------------------------------------


def answered(recorded):
    """Return the answer that the recorded one tells of, as the service would give it."""
    fields = json.loads(recorded["body"])
    license_ = None
    if fields["status"] != Status.LICENSE_NOT_FOUND:
        expires = fields["expires"]
        end_ms = expires and parse_expiry(expires.replace("T", " "), now_ms=0)
        license_ = make_license(expires_at_ms=end_ms, max_ips=fields["max_ips"])
    verdict = Verdict(
        Status(fields["status"]),
        license_,
        fields["ip_registered"],
        fields["ip_count"],
        version=fields["version"],
        version_valid=fields["version_valid"],
    )
    product = make_product_snapshot()
    explains = product.product.model_copy(update={"settings": make_settings(explain="message" in fields)})
    custom = canonical(json.dumps(fields["custom"], ensure_ascii=False)) if fields["custom"] else None
    product = make_product_snapshot(explains)
    return Answer(verdict, product, custom, fields.get("support_code"))


@pytest.mark.parametrize("recorded", VECTORS["answers"], ids=lambda it: it["name"])
def test_every_recorded_answer_is_one_that_we_would_write_today(recorded):
    secret = VECTORS["keys"]["hmac"]["secret"].encode()
    sign = (lambda data: hmac.new(secret, data, "sha256").hexdigest()) if recorded["hmac"] else None
    body = answer_body(answered(recorded), nonce=recorded["nonce"], sign=sign)
    expected = json.loads(recorded["body"])
    if "message" not in expected:
        assert body == recorded["body"].encode()
        return
    reworded = {"message": json.loads(body)["message"], "signature": json.loads(body)["signature"]}
    assert list(json.loads(body).items()) == list((expected | reworded).items())
    assert is_signed(body, secret.decode())


# --- signed answers -------------------------------------------------------------------------------------------------


async def every_kind_of_answer(shop, **switches):
    """Return a product, and what asks for every shape of answer, each with the nonce that was sent."""
    product = await shop.product(custom_response=True, explain=True, **switches)
    saved = product.product.model_copy(update={"custom": '{"größe":{"signature":"00","n":1.5},"🔑":"</script>"}'})
    await shop.store.write(lambda tx: tx.products.save(saved))
    good, other = await shop.issue(expiry="30d", max_ips=2), await shop.issue()
    await shop.licenses.revoke(shop.staff, other.key)

    async def ask():
        return [
            (None, await shop.validate(product.api_key, good.key)),
            ("n-ö-🔑", await shop.validate(product.api_key, good.key, nonce="n-ö-🔑", version='1.0"')),
            (None, await shop.validate(product.api_key, other.key)),
            (',"signature":"00"', await shop.validate(product.api_key, other.key, nonce=',"signature":"00"')),
            ("n", await shop.validate(product.api_key, "ABCD-EFGH-JKMN-PQRS", nonce="n")),
        ]

    return product, ask


def assert_shapes(answers):
    statuses = [reply.body["status"] for _, reply in answers]
    assert statuses == ["active", "active", "revoked", "revoked", "license_not_found"]
    assert answers[0][1].body["custom"] == {"größe": {"signature": "00", "n": 1.5}, "🔑": "</script>"}
    for nonce, reply in answers:
        assert reply.body.get("nonce") == nonce
        assert ("message" in reply.body) is not reply.body["valid"]


async def test_with_a_shared_secret_every_answer_is_signed_in_its_body(shop):
    product, ask = await every_kind_of_answer(shop)
    unsigned = await ask()
    assert {reply.body["signature"] for _, reply in unsigned} == {None}
    on = await shop.signing.turn_on(shop.staff, "Widget", SigningKind.HMAC)
    answers = await ask()
    assert_shapes(answers)
    for _, reply in answers:
        assert is_signed(reply.raw, on.secret)
        assert not is_signed(reply.raw.replace(b'"status"', b'"Status"'), on.secret)
        assert not is_signed(reply.raw, on.secret[:-1])
        assert "X-Signature-Timestamp" not in reply.headers
    await shop.signing.turn_off(shop.staff, product.product.id, SigningKind.HMAC)
    assert {reply.body["signature"] for _, reply in await ask()} == {None}


@pytest.mark.parametrize("kind", PAIRS)
async def test_with_a_key_pair_every_answer_is_proven_in_its_headers(shop, kind):
    product, ask = await every_kind_of_answer(shop)
    assert all("X-Signature-Timestamp" not in reply.headers for _, reply in await ask())
    await shop.signing.turn_on(shop.staff, "Widget", kind)
    keys = await published(shop, product.api_key)
    answers = await ask()
    assert_shapes(answers)
    for _, reply in answers:
        assert reply.headers["X-Signature-Timestamp"] == str(NOW_MS // 1000)
        assert is_proven(reply, keys)
        assert [name for name in HEADERS.values() if name in reply.headers] == [HEADERS[kind]]
        reply.raw = reply.raw.replace(b"status", b"Status")
        assert not is_proven(reply, keys)


async def test_the_signature_in_the_headers_covers_the_one_in_the_body(shop):
    product, ask = await every_kind_of_answer(shop)
    secret = (await shop.signing.turn_on(shop.staff, "Widget", SigningKind.HMAC)).secret
    await shop.signing.turn_on(shop.staff, "Widget", SigningKind.ED25519)
    keys = await published(shop, product.api_key)
    for _, reply in await ask():
        assert is_signed(reply.raw, secret)
        assert is_proven(reply, keys)
        reply.raw = reply.raw.replace(reply.body["signature"].encode(), b"0" * 64)
        assert not is_proven(reply, keys)


async def test_one_kind_of_header_takes_the_others_place_and_both_keys_stay_published(shop):
    product, ask = await every_kind_of_answer(shop)
    await shop.signing.turn_on(shop.staff, "Widget", SigningKind.ED25519)
    await shop.signing.turn_on(shop.staff, "Widget", SigningKind.RSA)
    keys = await published(shop, product.api_key)
    assert sorted(jwk["kty"] for jwk in keys) == ["OKP", "RSA"]
    _, reply = (await ask())[0]
    assert "X-Signature-Ed25519" not in reply.headers
    assert is_proven(reply, keys)


async def test_an_answer_that_is_no_verdict_carries_no_signature(shop):
    product = await shop.product()
    await shop.signing.turn_on(shop.staff, "Widget", SigningKind.ED25519)
    for reply in (await shop.validate("kp_live_none", "x"), await shop.validate(product.api_key, "x" * 300)):
        assert reply.code in (401, 422)
        assert not [name for name in reply.headers if name.startswith("X-Signature")]


class Noting(Signer):
    """A signer that notes in which thread it signs."""

    def __init__(self, *args):
        super().__init__(*args)
        self.threads = []

    def sign(self, key, data):
        self.threads.append(threading.current_thread())
        return super().sign(key, data)


@pytest.mark.parametrize(("kind", "beside"), [(SigningKind.RSA, True), (SigningKind.ED25519, False)])
async def test_what_takes_long_to_sign_is_signed_beside_the_loop(shop, kind, beside):
    product, signer = await shop.product(), Noting(shop.store.vault, os.urandom)
    await shop.signing.turn_on(shop.staff, "Widget", kind)
    proofs = Proofs(signer, file_key=shop.signing.file_key, clock=shop.clock)
    answer = Answer(Verdict(Status.REVOKED), await shop.validation.product(product.api_key))
    assert await proofs.headers(answer.product, b"{}")
    assert [thread is not threading.main_thread() for thread in signer.threads] == [beside]


# --- rotation -------------------------------------------------------------------------------------------------------


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


# --- published keys -------------------------------------------------------------------------------------------------


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


# --- API keys that may only validate --------------------------------------------------------------------------------


async def test_a_named_key_may_validate_and_fetch_files_and_keys_and_look_nobody_up(shop):
    product = await with_files(shop)
    issued = await shop.issue(notes="private")
    named = await shop.api_keys.add(shop.staff, "Widget", "Shipped jar")
    assert (await shop.validate(named.api_key, issued.key)).seen == (200, "active")
    assert (await file_of(shop, named.api_key, issued.key)).code == 200
    assert await published(shop, named.api_key) == await published(shop, product.api_key)
    for key in (issued.key, "ABCD-EFGH-JKMN-PQRS"):
        refused = await shop.get(f"/api/v1/license/{key}", named.api_key)
        assert refused.seen == (403, "invalid_api_key")
        assert b"private" not in refused.raw
    assert (await shop.get(f"/api/v1/license/{issued.key}", product.api_key)).code == 200


async def test_a_named_key_lives_through_a_rotation_of_the_primary_one_and_dies_when_it_is_removed(shop):
    await shop.product()
    issued = await shop.issue()
    named = await shop.api_keys.add(shop.staff, "Widget", "Jar")
    await shop.catalog.rotate_key(shop.staff, name="Widget")
    assert (await shop.validate(named.api_key, issued.key)).seen == (200, "active")
    await shop.api_keys.remove(shop.staff, "Widget", " JAR ")
    assert (await shop.validate(named.api_key, issued.key)).seen == (401, "invalid_api_key")


# --- license files --------------------------------------------------------------------------------------------------


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
