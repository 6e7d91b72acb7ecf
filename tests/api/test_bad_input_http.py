"""Guarantees about hostile requests: one shape, the documented code, nothing repeated, nothing believed."""

import gzip
import json

import pytest
from factories import KEY
from raw_http import GOOD, JSON, ask, line_to, posted

from bot.api.limits import BODY_LIMIT, HEADERS_LIMIT, LINE_LIMIT

NO_HTTP = "The request is not well-formed HTTP/1.1; look for what is missing (Host), doubled, broken or too long."


def chunked(body: bytes, *headers: str) -> bytes:
    return posted("kp_live_x", body, JSON, "Transfer-Encoding: chunked", *headers, length=False)


MALFORMED = {
    "two content types": posted("x", GOOD, JSON, JSON),
    "two different content types": posted("x", GOOD, JSON, "Content-Type: text/plain"),
    "two lengths": posted("x", GOOD, f"Content-Length: {len(GOOD)}"),
    "two different lengths": posted("x", GOOD, "Content-Length: 5"),
    "a length and chunks": posted("x", GOOD, "Transfer-Encoding: chunked"),
    "chunks twice": chunked(b"0\r\n\r\n", "Transfer-Encoding: chunked"),
    "a negative length": posted("x", GOOD, "Content-Length: -1", length=False),
    "a length with a sign": posted("x", GOOD, "Content-Length: +37", length=False),
    "a length that is none": posted("x", GOOD, "Content-Length: many", length=False),
    "no host": posted("x", GOOD).replace(b"Host: x\r\n", b""),
    "two hosts": posted("x", GOOD, "Host: y"),
    "a folded header": posted("x", GOOD, "X-Long: a\r\n b"),
    "a space before the colon": posted("x", GOOD, "X-Space : a"),
    "NUL in a header": posted("x", GOOD, "X-Nul: a\0b"),
    "NUL in the path": b"GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the path": b"GET /\xfc HTTP/1.1\r\nHost: x\r\n\r\n",
    "no carriage returns": posted("x", GOOD).replace(b"\r\n", b"\n"),
    "a line too long": b"GET /" + b"a" * (LINE_LIMIT + 1) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a header too long": posted("x", GOOD, "X-Long: " + "a" * 9_000),
    "too many headers": posted("x", GOOD, *(f"X-{number}: a" for number in range(HEADERS_LIMIT))),
    "too many trailers": chunked(b"0\r\n" + b"X-Trailer: a\r\n" * (HEADERS_LIMIT + 1) + b"\r\n"),
    "a chunk that has no size": chunked(b"zz\r\n"),
    "a negative chunk": chunked(b"-5\r\n{}\r\n"),
    "a chunk longer than it said": chunked(b"2\r\n{}{}\r\n0\r\n\r\n"),
    "a method that does not exist": b"GIMME /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "an odd version": b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "noise": b"\xff\xfe\xfd\r\n\r\n",
}


@pytest.mark.parametrize("fault", MALFORMED)
async def test_what_is_no_http_is_told_so_in_the_one_shape_repeats_nothing_and_ends_the_line(small, fault, caplog):
    async with line_to(small[0]) as line:
        answer = await line.ask(MALFORMED[fault])
        assert answer.code == 400
        assert answer.one("Content-Type") == "application/json"
        assert answer.body == {"valid": False, "status": "invalid_request", "message": NO_HTTP}
        assert await line.is_closed()
    assert caplog.text == ""  # or anyone could fill the disk


async def test_gzip_is_no_transfer_encoding_here(shop, api_key):
    packed = gzip.compress(GOOD)
    body = f"{len(packed):x}\r\n".encode() + packed + b"\r\n0\r\n\r\n"
    sent = posted(api_key, body, JSON, "Transfer-Encoding: gzip, chunked", length=False)
    assert (await ask(shop.url, sent)).code == 400


async def test_a_packed_body_is_refused_unopened_whatever_is_in_it(shop, api_key):
    bomb = gzip.compress(b" " * 10_000_000)
    assert len(bomb) < BODY_LIMIT
    for encoding in ("gzip", "deflate", "br", "zstd", "identity", "nonsense", ""):
        answer = await ask(shop.url, posted(api_key, bomb, JSON, f"Content-Encoding: {encoding}"))
        assert (answer.code, answer.body["status"]) == (415, "invalid_request"), encoding


@pytest.mark.parametrize("order", [("{right}", "{wrong}"), ("{wrong}", "{right}"), ("{right}", "{right}")])
async def test_several_authorization_headers_are_401_in_any_order(shop, api_key, order):
    right, wrong = f"Bearer {api_key}", "Bearer kp_live_other"
    lines = [f"Authorization: {value.format(right=right, wrong=wrong)}" for value in order]
    head = "\r\n".join(["POST /api/v1/validate HTTP/1.1", "Host: x", *lines, f"Content-Length: {len(GOOD)}", "", ""])
    answer = await ask(shop.url, head.encode() + GOOD)
    assert (answer.code, answer.body["status"]) == (401, "invalid_api_key")
    assert answer.one("WWW-Authenticate") == "Bearer"


async def test_a_bearer_of_any_bytes_is_just_an_unknown_one(shop, caplog):
    for bearer in (b"\xff\xfe", b"kp_live_\xed\xa0\x80", b"kp_live_\xc3", b"\xf0\x9f\x94\x91"):
        answer = await ask(shop.url, posted("HERE", GOOD, JSON).replace(b"HERE", bearer))
        assert (answer.code, answer.body["status"]) == (401, "invalid_api_key"), bearer
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("extra", ["a" * 60_000, "\xff" * 100, "🔑" * 50])
async def test_any_other_header_may_hold_anything_that_fits(shop, api_key, extra):
    name_and_value = f"X-Odd: {extra[:8_000]}"
    assert (await ask(shop.url, posted(api_key, GOOD, JSON, name_and_value))).code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[" * 16_000, 400),
        (b'{"license_key":"x","a":' + b"[" * 8_000 + b"]" * 8_000 + b"}", 400),
        (b'{"license_key":"x","a":' + b'{"a":' * 2_700 + b"1" + b"}" * 2_701, 400),
        (b'{"license_key":"x","a":"NaN","b":' + b"[" * 150 + b"]" * 150 + b"}", 200),
        (b'{"license_key":"x","a":NaN}', 400),
        (b'{"license_key":"x","a":-Infinity}', 400),
        (b'{"license_key":NaN}', 422),
        (b'{"license_key":"NaN","nonce":"Infinity"}', 200),
        (b'{"license_key":"x","a":1e999}', 200),  # well-formed, and nobody asked for it
        (b'{"license_key":1e999}', 422),
        (b'{"license_key":"x","a":' + b"9" * 4_000 + b"}", 200),
        (b'{"license_key":"x","a":"NaN","b":' + b"9" * 4_000 + b"}", 200),
        (b'{"license_key":' + b"9" * 4_000 + b"}", 422),
        (b'{"license_key":"x","a":' + b"9" * 16_000 + b"}", 400),
        (b'{"license_key":"x","a":"NaN","b":' + b"9" * 16_000 + b"}", 400),
        (b'{"license_key":"x","version":"' + b"1." * 5_000 + b'0"}', 422),
        (b'{"license_key":"x","version":"' + b"9" * 256 + b'"}', 200),
        (b'{"license_key":"x","version":""}', 200),
        (b'{"license_key":"x","version":"\\u0000"}', 422),
        (b'{"license_key":"\\u0000"}', 200),
        (b'{"license_key":"x\0"}', 400),
        (b"\0" + GOOD, 400),
        (GOOD + b"\0", 400),
        (GOOD + GOOD, 400),
        (b"\xef\xbb\xbf" + GOOD, 400),
        (GOOD.decode().encode("utf-16"), 400),
        (b'{"license_key":"\xed\xa0\x80"}', 400),
        (b'{"license_key":"\xc0\xaf"}', 400),
        (b'{"license_key":"x",}', 400),
        (b"{'license_key':'x'}", 400),
        (b'{"license_key":"x"/**/}', 400),
        (b'{"license_key":true}', 422),
        (b'{"license_key":null}', 422),
        (b'{"LICENSE_KEY":"x"}', 422),
        (b'{"":"x"}', 422),
        (b"null", 422),
        (b'"x"', 422),
    ],
)
async def test_odd_json_is_understood_or_refused_by_its_documented_code(shop, api_key, body, code, caplog):
    answer = await ask(shop.url, posted(api_key, body, JSON))
    assert answer.code == code
    assert answer.body["status"] == ("license_not_found" if code == 200 else "invalid_request")
    assert caplog.text.count("Traceback") == 0


@pytest.mark.parametrize("member", ["license_key", "version", "device_id", "nonce", "other"])
async def test_half_a_character_is_refused_in_every_member(shop, api_key, member):
    text = json.dumps({"license_key": "x", member: "HERE"})
    for half in ("\\ud800", "\\udc00", "a\\ud83d", "\\udd11\\ud83d", "\\uDFFF"):
        answer = await ask(shop.url, posted(api_key, text.replace("HERE", half).encode(), JSON))
        assert (answer.code, answer.body["status"]) == (400, "invalid_request"), half


async def test_both_halves_together_are_one_character(shop, api_key):
    body = b'{"license_key":"\\ud83d\\udd11","nonce":"\\ud83d\\udd11"}'
    answer = await ask(shop.url, posted(api_key, body, JSON))
    assert (answer.code, answer.body["nonce"]) == (200, "🔑")


async def test_of_a_member_sent_twice_the_last_counts(shop, api_key):
    issued = await shop.issue()
    twice = [json.dumps(key) for key in (KEY, issued.key)]
    for first, last in (twice, twice[::-1]):
        body = f'{{"license_key":{first},"license_key":{last},"nonce":"a","nonce":"b"}}'.encode()
        answer = await ask(shop.url, posted(api_key, body, JSON))
        assert (answer.body["valid"], answer.body["nonce"]) == (last == json.dumps(issued.key), "b")


@pytest.mark.parametrize(
    "claims",
    [
        ["X-Forwarded-For: 198.51.100.9"],
        ["X-Forwarded-For: 198.51.100.9, 198.51.100.10"],
        ["X-Forwarded-For: 198.51.100.9", "X-Forwarded-For: 127.0.0.1"],
        ["X-Forwarded-For: " + "198.51.100.9," * 500],
        ["X-Forwarded-For: \xff"],
        ["X-Forwarded-For: ::ffff:198.51.100.9, %eth0, unknown"],
    ],
)
async def test_what_an_untrusted_peer_says_of_its_address_takes_no_seat(open_shop, claims):
    async with open_shop(trusted=()) as shop:
        api_key, issued = (await shop.product()).api_key, await shop.issue(max_ips=1)
        body = json.dumps({"license_key": issued.key}).encode()
        for _ in range(2):
            answer = await ask(shop.url, posted(api_key, body, JSON, *claims))
            assert (answer.code, answer.body["valid"], answer.body["ip_count"]) == (200, True, 0)


async def test_an_absurd_method_is_405_and_names_those_that_work(shop):
    for method in ("PROPFIND", "TRACE", "LOCK", "REPORT", "MKACTIVITY", "M-SEARCH", "SEARCH"):
        answer = await ask(shop.url, f"{method} /api/v1/validate HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert (answer.code, answer.one("Allow")) == (405, "POST, OPTIONS"), method
        assert answer.body["status"] == "invalid_request"


@pytest.mark.parametrize("request_line", ["CONNECT x:80", "OPTIONS *", "GET http://[evil]/", "GET //evil.example/"])
async def test_an_absurd_address_is_told_so_in_the_one_shape(shop, request_line):
    answer = await ask(shop.url, f"{request_line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.code in {400, 404}
    assert list(answer.body) == ["valid", "status", "message"]
