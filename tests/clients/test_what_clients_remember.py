"""The clients that sellers paste: what they remember, and for whom and how long it stands."""

import hashlib
import hmac
import json
import re
import socket

import pytest
from aiohttp import web
from clients.client_runtimes import every_client, every_proof, hmac_clients, signing_clients
from clients.playing_server import DAY, GOOD, HOUR, KEY, NOW, UNKNOWN, body_of

pytestmark = pytest.mark.long


def nonce_of(random):
    """Return the nonce that a client makes of this word for the customer's license and device."""
    tidied = KEY.replace("-", "")
    return random + hashlib.sha256(f"{random}\n{tidied}\ndevice-1".encode()).hexdigest()


def edited(customer, change):
    """Let the customer edit the file of the last good answer."""
    lines = customer.memory.read_bytes().split(b"\n")
    assert len(lines) == 4
    change(lines)
    customer.memory.write_bytes(b"\n".join(lines))


@every_client
async def test_while_the_server_cannot_say_the_last_good_answer_stands(customer, stage):
    await customer.checks()
    for code in (302, 400, 401, 403, 404, 413, 415, 422, 429, 500, 503):
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


@signing_clients
async def test_the_age_of_a_remembered_answer_counts_from_the_time_that_the_server_signed(customer, stage):
    stage.answers(at=NOW - 71 * HOUR)
    await customer.checks()
    stage.refuses(503)
    assert (await customer.checks(now=NOW + HOUR - 1)).from_memory
    assert (await customer.checks(now=NOW + HOUR)).brief == UNKNOWN


@every_client
async def test_without_a_connection_and_without_an_answer_in_time_the_last_good_answer_stands(customer, stage):
    await customer.checks()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens, and nobody else gets the port
        customer.restart(url=f"http://127.0.0.1:{closed.getsockname()[1]}")
        seen = await customer.checks()
        assert (seen.from_memory, seen.message) == (True, "Not checked now: no connection.")
        assert seen.for_seller
    stage.hangs()
    customer.restart(url=stage.url, timeout_ms=300)
    seen = await customer.checks()
    assert seen.from_memory
    assert re.search("no answer in time|no connection", seen.message)  # Lua's HTTP call is not its own
    customer.restart(memory=customer.memory.with_name("none"))
    seen = await customer.checks()
    assert seen.brief == UNKNOWN
    assert re.fullmatch(r"The license could not be checked: no (answer in time|connection)\.", seen.message)
    assert seen.for_seller not in ("", seen.message)


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
async def test_a_refused_api_key_is_told_to_the_seller_and_locks_out_nobody_who_was_good(customer, stage):
    stage.refuses(401, b'{"valid":false,"status":"invalid_api_key","message":"No."}', WWW_Authenticate="Bearer")
    seen = await customer.checks()
    assert (seen.brief, seen.from_memory) == ((False, "invalid_api_key"), False)
    assert "tell the seller" in seen.message
    assert seen.for_seller == seen.message
    stage.answers()
    assert (await customer.checks()).for_seller == ""
    stage.refuses(401)
    seen = await customer.checks(now=NOW + 72 * HOUR - 1)
    assert (seen.brief, seen.from_memory) == (GOOD, True)
    assert "tell the seller" in seen.for_seller
    assert (await customer.checks(now=NOW + 72 * HOUR)).brief == (False, "invalid_api_key")


@every_client
async def test_a_question_that_the_server_does_not_understand_is_told_in_its_words(customer, stage):
    message = "license_key must have at most 256 characters."
    stage.refuses(
        422,
        json.dumps({"valid": False, "status": "invalid_request", "message": message}, separators=(",", ":")).encode(),
    )
    seen = await customer.checks("x" * 257)
    assert (seen.brief, seen.message, seen.for_seller) == ((False, "invalid_request"), message, message)
    refused = stage.play
    stage.answers()
    await customer.checks()
    stage.play = refused
    seen = await customer.checks()
    assert (seen.brief, seen.from_memory, seen.for_seller) == (GOOD, True, message)


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
async def test_a_clock_that_was_set_back_lengthens_the_grace_by_a_day_at_most_and_never_doubles_it(customer, stage):
    await customer.checks()
    stage.refuses(503)
    assert (await customer.checks(now=NOW - DAY)).from_memory
    assert (await customer.checks(now=NOW - DAY - 1)).brief == UNKNOWN
    customer.restart(grace_hours=1)
    assert (await customer.checks(now=NOW - HOUR)).from_memory
    assert (await customer.checks(now=NOW - HOUR - 1)).brief == UNKNOWN
    customer.restart(grace_hours=0)
    for now in (NOW - 1, NOW, NOW + 1):
        assert (await customer.checks(now=now)).brief == UNKNOWN


@every_client
async def test_a_key_that_is_typed_in_another_way_finds_what_was_remembered(customer, stage):
    await customer.checks()
    stage.refuses(503)
    for typed in (KEY.lower(), KEY.replace("-", ""), f" {KEY.replace('-', ' ')} "):
        assert (await customer.checks(typed)).from_memory, typed
    assert (await customer.checks(KEY[:-1])).brief == UNKNOWN


@every_client
async def test_the_folder_of_the_memory_is_made_where_it_is_missing(customer, stage):
    customer.restart(memory=customer.memory / "it's the" / "plug in" / "license.txt")
    seen = await customer.checks()
    assert (seen.brief, seen.for_seller) == (GOOD, "")
    stage.refuses(503)
    assert (await customer.checks()).from_memory


@every_client
async def test_two_products_in_one_folder_do_not_overwrite_what_the_other_remembers(customer, stage, programs):
    before = set(programs.working.iterdir())
    for name in ("one", "two"):
        customer.restart(memory=None, api_key=f"kp_live_{name}")
        assert (await customer.checks()).for_seller == ""
    made = set(programs.working.iterdir()) - before
    stage.refuses(503)
    for name in ("one", "two"):
        customer.restart(api_key=f"kp_live_{name}")
        assert (await customer.checks()).from_memory
    for path in made:
        assert re.fullmatch("keyport-license-[0-9a-f]{12}[.]txt", path.name)
        path.unlink()
    assert len(made) == 2


@every_client
async def test_a_disk_that_cannot_be_written_is_told_to_the_seller_and_locks_nobody_out(customer, stage):
    customer.memory.write_text("in the way of a folder")
    customer.restart(memory=customer.memory / "no" / "license.txt")
    seen = await customer.checks()
    assert (seen.brief, seen.message) == (GOOD, "")
    assert "cannot be remembered" in seen.for_seller
    again = await customer.checks()
    assert again.brief == GOOD
    assert not again.for_seller or again.retry_after is None  # once; the shell's file starts anew each time
    stage.answers(valid=False, status="revoked")
    assert (await customer.checks()).brief == (False, "revoked")


@hmac_clients
async def test_a_secret_that_was_never_set_is_no_proof_though_everybody_can_sign_with_it(customer, stage):
    customer.restart(secrets=("EMPTY",), keys=())  # the drivers make an empty text of it

    async def forged(asked):
        return web.Response(body=body_of(asked, secret=""), headers={"Content-Type": "application/json"})

    stage.play = forged
    assert (await customer.checks()).brief == UNKNOWN
    body = body_of({"nonce": nonce_of("0" * 32)}, secret=None)
    seal = hmac.digest(b"", str(NOW).encode() + body, "sha256").hex().encode()
    customer.memory.write_bytes(b"%d\n\n%s\n%s" % (NOW, seal, body))
    stage.refuses(503)
    assert (await customer.checks()).brief == UNKNOWN
