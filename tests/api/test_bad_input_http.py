"""Guarantees about hostile HTTP: one shape, the documented code, the line closed where it must be, little memory."""

import asyncio
import gzip
import json
import logging
import resource
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from raw_http import ask, line_to, posted

from bot.api import serve
from bot.api.errors import answering
from bot.api.health import healthz
from bot.api.limits import BODY_LIMIT, HEADERS_LIMIT, LINE_LIMIT
from bot.api.metrics import Traffic
from bot.api.server import Crowd, _room

KEY = "ABCD-EFGH-JKMN-PQR8"
GOOD = json.dumps({"license_key": KEY}).encode()
JSON = "Content-Type: application/json"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
NO_HTTP = "The request is not well-formed HTTP/1.1; look for what is missing (Host), doubled, broken or too long."


@pytest.fixture
async def api_key(shop):
    return (await shop.product()).api_key


@pytest.fixture
async def small():
    """A server that only says that it lives, and what its sockets count."""
    app, traffic = web.Application(), Traffic()
    app.router.add_get("/healthz", answering(healthz))
    async with serve(app, host="127.0.0.1", port=0, traffic=traffic) as (host, port):
        yield f"http://{host}:{port}", traffic


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


async def test_http_1_0_is_answered_and_the_line_closed(shop, api_key):
    async with line_to(shop.url) as line:
        answer = await line.ask(posted(api_key, GOOD, JSON, version="1.0").replace(b"Host: x\r\n", b""))
        assert (answer.code, answer.body["status"]) == (200, "license_not_found")
        assert await line.is_closed()


async def test_pipelined_requests_are_answered_in_their_order(shop, api_key):
    bodies = [json.dumps({"license_key": KEY, "nonce": str(number)}).encode() for number in range(100)]
    async with line_to(shop.url) as line:
        line.writer.write(b"".join(posted(api_key, body, JSON) for body in bodies))
        answered = [(await line.answer()).body["nonce"] for _ in bodies]
    assert answered == [str(number) for number in range(100)]


async def test_a_body_is_never_taken_for_the_next_request(shop, api_key):
    inner = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    async with line_to(shop.url) as line:
        assert (await line.ask(posted(api_key, inner, JSON))).code == 400
        assert (await line.ask(posted(api_key, GOOD, JSON))).body["status"] == "license_not_found"


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


async def test_a_caller_who_waits_for_leave_to_send_its_body_gets_it(shop, api_key):
    head, _empty, _ = posted(api_key, GOOD, JSON, "Expect: 100-continue").rpartition(GOOD)
    async with line_to(shop.url) as line:
        assert (await line.ask(head)).code == 100
        assert (await line.ask(GOOD)).body["status"] == "license_not_found"


async def test_any_other_expectation_is_417_and_ends_the_line(shop, api_key):
    async with line_to(shop.url) as line:
        answer = await line.ask(posted(api_key, GOOD, JSON, "Expect: a miracle"))
        assert (answer.code, answer.body["status"]) == (417, "invalid_request")
        assert await line.is_closed()


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "TLS/1.0"])
async def test_nobody_is_upgraded_to_another_protocol(shop, api_key, upgrade):
    async with line_to(shop.url) as line:
        answer = await line.ask(posted(api_key, GOOD, JSON, "Connection: Upgrade", f"Upgrade: {upgrade}"))
        assert answer.body["status"] == "license_not_found"
        assert (await line.ask(HEALTH)).code == 200


@pytest.mark.parametrize("body", [b"1\r\n{\r\n", b"1;" + b"x" * 100 + b"\r\n{\r\n"])
async def test_chunks_without_an_end_are_given_up_and_the_line_closed(shop, api_key, body, monkeypatch):
    monkeypatch.setattr("bot.api.handlers.BODY_TIMEOUT_S", 0.05)
    async with line_to(shop.url) as line:
        answer = await line.ask(posted(api_key, body, JSON, "Transfer-Encoding: chunked", length=False))
        assert (answer.code, answer.body["status"]) == (408, "invalid_request")
        assert await line.is_closed()


@pytest.mark.parametrize("begun", [b"", b"GET", HEALTH[:-2], b"\r\n\r\n", b"POST /api/v1/validate HTTP/1.1\r\nX: "])
async def test_a_line_that_never_gets_to_its_first_request_is_closed(small, begun, monkeypatch):
    monkeypatch.setattr("bot.api.server.HEADERS_TIMEOUT_S", 0.05)
    url, traffic = small
    async with line_to(url) as line:
        line.writer.write(begun)
        assert await line.is_closed()
        assert traffic.connections == 0


async def test_a_line_that_never_gets_to_its_next_request_is_closed_too(small, monkeypatch):
    monkeypatch.setattr("bot.api.server.KEEPALIVE_S", 0.3)
    async with line_to(small[0]) as line:
        assert (await line.ask(HEALTH)).code == 200
        line.writer.write(HEALTH[:-2])
        assert await line.is_closed()


async def test_a_request_that_takes_long_to_answer_is_not_taken_for_one_that_never_came(monkeypatch):
    monkeypatch.setattr("bot.api.server.HEADERS_TIMEOUT_S", 0.05)
    app = web.Application()

    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(0.2)
        return web.Response(body=b"done")

    app.router.add_get("/", slow)
    async with serve(app, host="127.0.0.1", port=0) as (host, port), line_to(f"http://{host}:{port}") as line:
        for _ in range(2):
            assert (await line.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")).raw == b"done"


async def test_whoever_holds_idle_lines_keeps_nobody_out_and_loses_the_one_that_was_idle_longest(monkeypatch):
    monkeypatch.setattr("bot.api.server.CONNECTIONS_AT_MOST", 4)
    app, traffic = web.Application(), Traffic()
    app.router.add_get("/healthz", answering(healthz))
    async with serve(app, host="127.0.0.1", port=0, traffic=traffic) as (host, port), AsyncExitStack() as stack:
        url = f"http://{host}:{port}"
        mute, half, asked, again = [await stack.enter_async_context(line_to(url)) for _ in range(4)]
        half.writer.write(HEALTH[:-2])
        for line in (asked, again, asked):
            assert (await line.ask(HEALTH)).code == 200
        for idlest in (mute, half, again):
            newest = await stack.enter_async_context(line_to(url))
            assert (await newest.ask(HEALTH)).code == 200
            assert await idlest.is_closed()
        assert (await asked.ask(HEALTH)).code == 200
        assert traffic.turned_away == 3
        assert traffic.connections == 4


async def test_callers_who_left_before_their_answer_are_forgotten(monkeypatch):
    crowds, app, at_work, may_end = [], web.Application(), asyncio.Semaphore(0), asyncio.Event()

    class Watched(Crowd):
        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            crowds.append(self)

    async def slow(_request: web.Request) -> web.Response:
        at_work.release()
        await may_end.wait()
        return web.Response(body=b"done")

    monkeypatch.setattr("bot.api.server.Crowd", Watched)
    app.router.add_get("/", slow)
    async with serve(app, host="127.0.0.1", port=0) as (host, port):
        async with line_to(f"http://{host}:{port}") as line:
            line.writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await at_work.acquire()
        while crowds[0].traffic.connections:
            await asyncio.sleep(0.01)
        may_end.set()
    assert not crowds[0]._idle


async def test_more_lines_at_work_than_there_may_be_are_closed_at_once_and_the_log_says_so_once(monkeypatch, caplog):
    monkeypatch.setattr("bot.api.server.CONNECTIONS_AT_MOST", 2)
    caplog.set_level(logging.WARNING)
    app, traffic, may_end, at_work = web.Application(), Traffic(), asyncio.Event(), asyncio.Semaphore(0)

    async def slow(_request: web.Request) -> web.Response:
        at_work.release()
        await may_end.wait()
        return web.Response(body=b"done")

    app.router.add_get("/slow", slow)
    app.router.add_get("/healthz", answering(healthz))
    async with serve(app, host="127.0.0.1", port=0, traffic=traffic) as (host, port):
        url = f"http://{host}:{port}"
        async with line_to(url) as first, line_to(url) as second:
            for line in (first, second):
                line.writer.write(HEALTH.replace(b"/healthz", b"/slow"))
                await at_work.acquire()
            for _ in range(3):
                async with line_to(url) as third:
                    assert await third.is_closed()
            may_end.set()
            assert [(await line.answer()).raw for line in (first, second)] == [b"done", b"done"]
            assert (await first.ask(HEALTH)).code == 200
        assert traffic.turned_away == 3
        assert caplog.text.count("connections are open") == 1
        while traffic.connections:
            await asyncio.sleep(0.01)
        assert (await ask(url, HEALTH)).code == 200


def test_where_a_process_may_open_few_files_some_are_left_to_the_database_and_to_discord(monkeypatch):
    few, most = 400, resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, most[1]))
    try:
        assert _room() == 300
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
    monkeypatch.setattr("bot.api.server.CONNECTIONS_AT_MOST", 1)
    assert _room() == 1


async def test_errors_are_counted_by_code_whoever_answers_them(small):
    url, traffic = small
    for sent in (HEALTH, b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", b"noise\r\n\r\n", b"noise\r\n\r\n"):
        await ask(url, sent)
    assert traffic.errors == {404: 1, 400: 2}
