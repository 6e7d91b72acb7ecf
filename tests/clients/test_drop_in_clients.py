"""The clients that sellers paste: what they believe, what they doubt, and what they remember."""

import json
import socket

import pytest
from clients.client_runtimes import CLIENTS, HEADER_PROOFS, RUNTIMES
from clients.playing_server import NOW, SECRETS

HOUR = 3600
every_client = pytest.mark.parametrize("chosen", RUNTIMES, indirect=True)
every_proof = pytest.mark.parametrize(
    "chosen", [f"{name}-{proof}" for name, runtime in RUNTIMES.items() for proof in runtime.proofs], indirect=True
)
signing_clients = pytest.mark.parametrize(
    "chosen", [name for name, runtime in RUNTIMES.items() if "rsa" in runtime.proofs], indirect=True
)
UNKNOWN = (False, "unknown")
GOOD = (True, "active")


def edited(customer, change):
    """Let the customer edit the file of the last good answer."""
    lines = customer.memory.read_bytes().split(b"\n")
    assert len(lines) == 4
    change(lines)
    customer.memory.write_bytes(b"\n".join(lines))


def test_every_file_that_is_handed_out_is_tested_here():
    files = {path.name for path in CLIENTS.iterdir() if path.is_file()}
    assert files == {runtime.file for runtime in RUNTIMES.values()}


@every_client
async def test_a_good_answer_is_valid_and_the_question_named_everything_the_server_can_use(customer, stage):
    key = 'EMK2 "8DU\\ schön'
    seen = await customer.checks(key)
    assert (seen.brief, seen.from_memory, seen.support_code) == (GOOD, False, "")
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
@pytest.mark.parametrize("skew", [-301, 301])
async def test_an_answer_signed_more_than_five_minutes_away_proves_nothing(customer, stage, skew):
    stage.answers(at=NOW + skew)
    seen = await customer.checks()
    assert seen.brief == UNKNOWN
    assert "clock" in seen.message
    stage.answers(at=NOW + skew // abs(skew) * 300)
    assert (await customer.checks()).brief == GOOD


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


@every_client
async def test_while_the_server_cannot_say_the_last_good_answer_stands(customer, stage):
    await customer.checks()
    for code in (302, 404, 429, 500, 503):
        body = b'{"valid":false,"status":"unavailable","message":"Later."}'
        stage.refuses(code, body, Content_Type="application/json", Location=f"{stage.url}/elsewhere")
        seen = await customer.checks(now=NOW + HOUR)
        assert (seen.brief, seen.from_memory) == (GOOD, True), code


@every_client
async def test_the_last_good_answer_stands_until_its_grace_is_over_and_not_a_second_longer(customer, stage):
    stage.refuses(503)
    assert (await customer.checks()).brief == UNKNOWN
    stage.answers()
    await customer.checks()
    stage.refuses(503)
    assert (await customer.checks(now=NOW + 72 * HOUR - 1)).from_memory
    seen = await customer.checks(now=NOW + 72 * HOUR)
    assert (seen.brief, seen.from_memory) == (UNKNOWN, False)
    assert "503" in seen.message
    customer.restart(grace_hours=1)
    assert (await customer.checks(now=NOW + HOUR)).brief == UNKNOWN


@every_client
async def test_without_a_connection_and_without_an_answer_in_time_the_last_good_answer_stands(customer, stage):
    await customer.checks()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens, and nobody else gets the port
        customer.restart(url=f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert (await customer.checks()).from_memory
    stage.hangs()
    customer.restart(url=stage.url, timeout_ms=300)
    assert (await customer.checks()).from_memory
    customer.restart(memory=customer.memory.with_name("none"))
    assert (await customer.checks()).brief == UNKNOWN


@every_client
@pytest.mark.parametrize("code", [429, 503])
async def test_the_server_is_left_alone_for_as_long_as_it_asks(customer, stage, code):
    await customer.checks()
    stage.refuses(code, Retry_After="60")
    seen = await customer.checks()
    assert seen.from_memory
    assert seen.retry_after in (60, None)
    stage.answers(at=NOW + 60)
    assert (await customer.checks(now=NOW + 59)).from_memory
    assert len(stage.asked) == 2
    assert not (await customer.checks(now=NOW + 60)).from_memory
    assert len(stage.asked) == 3


@every_client
async def test_a_refusal_tells_its_reason_and_code_and_ends_what_was_remembered(customer, stage):
    await customer.checks()
    stage.answers(valid=False, status="revoked", headers={"X-Support-Code": "K7QF-2MXR"})
    seen = await customer.checks()
    assert (seen.brief, seen.from_memory) == ((False, "revoked"), False)
    assert "revoked" in seen.message
    assert seen.support_code == "K7QF-2MXR"
    stage.refuses(503)
    assert (await customer.checks()).brief == UNKNOWN


@every_client
async def test_a_refusal_in_words_is_told_in_these_words(customer, stage):
    stage.answers(valid=False, status="expired", message="The license has ended.", support_code="K7QF-2MXR")
    seen = await customer.checks()
    assert (seen.message, seen.support_code) == ("The license has ended.", "K7QF-2MXR")


@every_client
async def test_a_refused_api_key_is_a_matter_for_the_seller_and_forgets_nothing(customer, stage):
    await customer.checks()
    stage.refuses(401, b'{"valid":false,"status":"invalid_api_key","message":"No."}', WWW_Authenticate="Bearer")
    seen = await customer.checks()
    assert (seen.brief, seen.from_memory) == ((False, "invalid_api_key"), False)
    assert "tell the seller" in seen.message
    stage.refuses(503)
    assert (await customer.checks()).from_memory


@every_client
async def test_a_question_that_the_server_does_not_understand_is_told_in_its_words(customer, stage):
    message = "license_key must have at most 256 characters."
    stage.refuses(
        422,
        json.dumps({"valid": False, "status": "invalid_request", "message": message}, separators=(",", ":")).encode(),
    )
    seen = await customer.checks("x" * 257)
    assert (seen.brief, seen.message) == ((False, "invalid_request"), message)


@every_proof
async def test_a_remembered_answer_that_was_edited_unlocks_nothing(customer, stage):
    await customer.checks()
    kept = customer.memory.read_bytes()
    stage.refuses(503)
    late = NOW + 100 * HOUR
    assert (await customer.checks(now=late)).brief == UNKNOWN

    def dated(lines):
        lines[0] = str(late).encode()

    def widened(lines):
        lines[3] = lines[3].replace(b'"max_ips":3', b'"max_ips":9')

    def unsigned(lines):
        lines[2] = b""

    for change, now in ((dated, late), (widened, NOW), (unsigned, NOW)):
        customer.memory.write_bytes(kept)
        edited(customer, change)
        assert (await customer.checks(now=now)).brief == UNKNOWN
    for rubbish in (b"", b"09\n\n\n{}", b"\xff\n\xfe\n\n{", kept[:-20]):
        customer.memory.write_bytes(rubbish)
        assert (await customer.checks()).brief == UNKNOWN
    customer.memory.write_bytes(kept)
    assert (await customer.checks()).from_memory


@every_client
async def test_a_remembered_answer_is_good_for_its_license_and_device_alone(customer, stage):
    await customer.checks()
    stage.refuses(503)
    assert (await customer.checks("ANOTHER")).brief == UNKNOWN
    customer.restart(device_id="device-2")
    assert (await customer.checks()).brief == UNKNOWN


@every_client
async def test_a_clock_that_was_set_back_does_not_lengthen_the_grace(customer, stage):
    await customer.checks()
    stage.refuses(503)
    assert (await customer.checks(now=NOW - 301)).brief == UNKNOWN


@every_client
async def test_a_disk_that_cannot_be_written_locks_nobody_out(customer, stage):
    customer.restart(memory=customer.memory / "no" / "folder")
    assert (await customer.checks()).brief == GOOD
    stage.answers(valid=False, status="revoked")
    assert (await customer.checks()).brief == (False, "revoked")
