"""Signed answers over real HTTP: every shape of answer is proven in its body, its headers, or both."""

import hmac
import json
import os
import threading
from pathlib import Path

import pytest
from factories import NOW_MS, make_license, make_product_snapshot, make_settings
from proof_checks import HEADERS, PAIRS, is_proven, is_signed, published

from bot.api import Proofs
from bot.api.answers import answer_body
from licensing.choices import SigningKind
from licensing.custom import canonical
from licensing.expiry import parse_expiry
from licensing.services.answers import Answer
from licensing.verdict import Status, Verdict
from storage import Signer

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/proofs.json").read_text("utf-8"))


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
