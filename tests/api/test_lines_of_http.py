"""Guarantees about the lines that requests come on: closed where they must be, few, and of little memory."""

import asyncio
import json
import logging
import resource
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from factories import KEY
from raw_http import GOOD, HEALTH, JSON, ask, line_to, posted

from bot.api import serve
from bot.api.errors import answering
from bot.api.health import healthz
from bot.api.metrics import Traffic
from bot.api.server import Crowd, _room


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
