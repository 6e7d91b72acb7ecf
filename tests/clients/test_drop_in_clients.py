"""The clients that sellers paste: what they believe, and what they doubt."""

import pytest
from clients.client_runtimes import CLIENTS, HEADER_PROOFS, RUNTIMES, every_client, every_proof, signing_clients
from clients.playing_server import DAY, GOOD, NOW, SECRETS, UNKNOWN

pytestmark = pytest.mark.long


def test_every_file_that_is_handed_out_is_tested_here():
    files = {path.name for path in CLIENTS.iterdir() if path.is_file()}
    assert files == {runtime.file for runtime in RUNTIMES.values()}


@every_client
async def test_a_good_answer_is_valid_and_the_question_named_everything_the_server_can_use(customer, stage):
    key = 'EMK2 "8DU\\ schön'
    seen = await customer.checks(key)
    assert (seen.brief, seen.from_memory, seen.support_code) == (GOOD, False, "")
    assert seen.whole in (True, None)
    asked = stage.asked[0]
    assert asked.pop("nonce")
    assert asked == {"license_key": key, "version": "1.4.0", "device_id": "device-1"}
    assert stage.headers[0].getall("Authorization") == ["Bearer kp_live_test"]
    assert stage.headers[0]["Content-Type"] == "application/json"


@every_client
async def test_no_two_questions_have_the_same_nonce(customer, stage):
    for _ in range(3):
        await customer.checks()
    nonces = {asked["nonce"] for asked in stage.asked}
    assert len(nonces) == 3
    assert all(32 <= len(nonce) <= 256 for nonce in nonces)


@every_proof
async def test_an_answer_is_believed_however_its_custom_part_and_its_message_look(customer, stage):
    stage.answers(custom={"a": {"signature": "ab" * 32, "nonce": "00"}, "b": 'é ","signature":"', "valid": False})
    assert (await customer.checks()).brief == GOOD
    stage.answers(valid=False, status="revoked", message='Say ",nonce": no.', support_code="K7QF-2MXR")
    assert (await customer.checks()).brief == (False, "revoked")


@every_proof
async def test_an_answer_that_was_changed_on_its_way_proves_nothing(customer, stage):
    stage.answers(
        valid=False,
        status="revoked",
        tamper=(b'{"valid":false,"status":"revoked"', b'{"valid":true,"status":"active"'),
    )
    assert (await customer.checks()).brief == UNKNOWN
    stage.answers(tamper=(b'"max_ips":3', b'"max_ips":9'))
    seen = await customer.checks()
    assert (seen.brief, seen.from_memory) == (UNKNOWN, False)
    assert "signature" in seen.message
    assert not customer.memory.exists() or not customer.memory.read_bytes()


@every_proof
async def test_an_answer_signed_by_nobody_or_with_a_key_that_is_not_pinned_proves_nothing(customer, stage):
    stage.answers(number="2")
    assert (await customer.checks()).brief == UNKNOWN
    stage.answers(number="2", named=f"{stage.proof}-1")
    assert (await customer.checks()).brief == UNKNOWN
    stage.proof = "none"
    stage.answers()
    assert (await customer.checks()).brief == UNKNOWN


@every_proof
async def test_while_a_key_is_replaced_either_of_two_is_believed(customer, stage, signing_keys):
    if stage.proof in HEADER_PROOFS:
        both = (f"{stage.proof}-1", f"{stage.proof}-2")
        customer.restart(keys=tuple((key, signing_keys.pinned[key]) for key in both))
    else:
        customer.restart(secrets=SECRETS)
    for number in "12":
        stage.answers(number=number)
        assert (await customer.checks()).brief == GOOD
    stage.refuses(503)
    assert (await customer.checks()).from_memory


@every_client
async def test_an_answer_to_another_question_proves_nothing(customer, stage):
    stage.answers(nonce="0" * 96)
    seen = await customer.checks()
    assert seen.brief == UNKNOWN
    assert "another question" in seen.message


@signing_clients
@pytest.mark.parametrize("skew", [-1000 * DAY, 1000 * DAY])
async def test_a_fresh_answer_with_our_nonce_is_believed_however_wrong_the_customers_clock_is(customer, stage, skew):
    stage.answers(at=NOW + skew)
    seen = await customer.checks()
    assert (seen.brief, seen.from_memory) == (GOOD, False)
    stage.answers(at=NOW + skew, valid=False, status="revoked")
    assert (await customer.checks()).brief == (False, "revoked")


@every_proof
async def test_a_proof_that_is_empty_or_rubbish_proves_nothing_and_breaks_nothing_off(customer, stage):
    real, proof = stage.proof, stage.proof
    stage.proof = "none"
    for rubbish in ("", "0", "zz", "0" * 63, "0" * 64, "0" * 128, "=", "A" * 344, "-1", '\\"', "é"):
        if real == "hmac":
            stage.answers(signature=rubbish)
        else:
            name = {"ed25519": "X-Signature-Ed25519", "rsa": "X-Signature-RSA"}[real]
            told = {"X-Signature-Timestamp": str(NOW), "X-Signature-Key-Id": f"{proof}-1"}
            stage.answers(headers=told | {name: rubbish})
        assert (await customer.checks()).brief == UNKNOWN, rubbish
    if real in HEADER_PROOFS:
        for changed in ({"X-Signature-Timestamp": ""}, {"X-Signature-Timestamp": "now"}, {"X-Signature-Key-Id": ""}):
            stage.answers(headers=told | {name: "0" * 128} | changed)
            assert (await customer.checks()).brief == UNKNOWN, changed


@signing_clients
async def test_where_both_proofs_are_asked_for_one_is_not_enough(customer):
    customer.restart(secrets=SECRETS[:1])
    assert (await customer.checks()).brief == UNKNOWN


@every_client
async def test_a_page_of_somebody_else_is_no_answer_even_where_nothing_is_pinned(customer, stage):
    customer.restart(secrets=(), keys=())
    for body in (b"<html>Log in to the Wi-Fi", b"[]", b"{}", b"[" * 20_000, b"\xff", b""):
        stage.refuses(200, body, Content_Type="application/json")
        assert (await customer.checks()).brief == UNKNOWN, body


@every_client
async def test_where_nothing_is_pinned_a_plain_answer_is_believed_and_remembered_for_its_license_alone(
    customer, stage
):
    customer.restart(secrets=(), keys=())
    assert (await customer.checks()).brief == GOOD
    stage.refuses(503)
    assert (await customer.checks()).from_memory
    assert (await customer.checks("ANOTHER")).brief == UNKNOWN
