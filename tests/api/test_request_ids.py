"""Guarantees about X-Request-Id: on every answer whoever gave it, and on every line of the log about it."""

import io
import json
import logging
import re

import pytest
import structlog
from aiohttp import web
from raw_http import ask, line_to, posted

from bot import log
from bot.api import serve
from bot.api.errors import answering

GOOD = b'{"license_key":"ABCD-EFGH-JKMN-PQR8"}'
FAULTS = {"/failed": ZeroDivisionError, "/otherwise": IndexError}
OURS = re.compile(r"[0-9a-f]{8}-[0-9a-f]+")


def line(request_line: str, *headers: str) -> bytes:
    return "\r\n".join([request_line, "Host: x", *headers, "", ""]).encode()


async def worked(_request: web.Request) -> web.Response:
    logging.getLogger("plain").info("worked")
    structlog.get_logger("structured").info("worked")
    return web.Response(body=b"{}")


async def failed(request: web.Request) -> web.Response:
    raise FAULTS[request.path]


async def failed_unwrapped(_request: web.Request) -> web.Response:
    raise ZeroDivisionError


@pytest.fixture
async def small():
    """A server with a handler that logs, one that fails, and one whose fault only the connection can catch."""
    app = web.Application()
    app.router.add_get("/", answering(worked))
    failing = answering(failed)
    app.router.add_get("/failed", failing)
    app.router.add_get("/otherwise", failing)
    app.router.add_get("/unwrapped", failed_unwrapped)
    async with serve(app, host="127.0.0.1", port=0) as (host, port):
        yield f"http://{host}:{port}"


@pytest.fixture
def written():
    """What the log says, as it is written in a running program."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    log.configure(level="info", format="json", stream=stream)
    yield lambda: [json.loads(text) for text in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (posted("kp_live_unknown", GOOD), 401),
        (line("GET /healthz HTTP/1.1"), 200),
        (line("GET /readyz HTTP/1.1"), 200),
        (line("HEAD /healthz HTTP/1.1"), 200),
        (line("GET /nowhere HTTP/1.1"), 404),
        (line("GET /api/v1/validate HTTP/1.1"), 405),
        (line("OPTIONS /api/v1/validate HTTP/1.1"), 204),
        (line("OPTIONS * HTTP/1.1"), 404),
        (line("CONNECT x:80 HTTP/1.1"), 404),
        (line("GET /healthz HTTP/1.1", "Expect: a miracle"), 417),
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"SSH-2.0-OpenSSH_9.6\r\n", 400),
    ],
)
async def test_every_answer_carries_one_id_and_our_name_without_a_version(shop, sent, code):
    answer = await ask(shop.url, sent, head=sent.startswith(b"HEAD"))
    assert answer.code == code
    assert OURS.fullmatch(answer.one("X-Request-Id"))
    assert answer.one("Server") == "KeyPort"


async def test_a_verdict_carries_one_too(shop):
    answer = await ask(shop.url, posted((await shop.product()).api_key, GOOD))
    assert (answer.code, answer.body["status"]) == (200, "license_not_found")
    assert OURS.fullmatch(answer.one("X-Request-Id"))


async def test_no_two_requests_have_the_same_id(small):
    async with line_to(small) as one, line_to(small) as other:
        ids = {(await on.ask(line("GET / HTTP/1.1"))).one("X-Request-Id") for on in (one, other) for _ in range(5)}
    assert len(ids) == 10


@pytest.mark.parametrize("given", ["a", "0", "Zz09._-", "550e8400-e29b-41d4-a716-446655440000", "x" * 64])
async def test_a_well_formed_id_of_the_callers_comes_back(small, given):
    assert (await ask(small, line("GET / HTTP/1.1", f"X-Request-Id: {given}"))).one("X-Request-Id") == given


@pytest.mark.parametrize(
    "given", ["", "x" * 65, "a b", "a,b", "a\tb", "<script>", "\u00fc", '"', "a\u0661", "${jndi:x}"]
)
async def test_any_other_is_replaced_by_one_of_ours(small, given):
    answer = await ask(small, line("GET / HTTP/1.1", f"X-Request-Id: {given}"))
    assert OURS.fullmatch(answer.one("X-Request-Id"))


async def test_of_several_ids_the_first_counts(small):
    answer = await ask(small, line("GET / HTTP/1.1", "X-Request-Id: first", "X-Request-Id: second"))
    assert answer.one("X-Request-Id") == "first"


async def test_lines_written_while_a_request_is_handled_name_it_and_no_other(small, written):
    async with line_to(small) as on:
        on.writer.write(line("GET / HTTP/1.1", "X-Request-Id: one") + line("GET / HTTP/1.1", "X-Request-Id: two"))
        answers = [(await on.answer()).one("X-Request-Id") for _ in range(2)]
    logging.getLogger("plain").info("idle")
    assert answers == ["one", "two"]
    assert [entry.get("request_id") for entry in written()] == ["one", "one", "two", "two", None]


@pytest.mark.parametrize("path", ["/failed", "/unwrapped"])
async def test_a_fault_is_answered_in_the_one_shape_and_its_traceback_names_the_request(small, written, path):
    answer = await ask(small, line(f"GET {path} HTTP/1.1", "X-Request-Id: broken"))
    assert (answer.code, answer.body["status"], answer.one("X-Request-Id")) == (503, "unavailable", "broken")
    (entry,) = written()
    assert entry["request_id"] == "broken"
    assert "ZeroDivisionError" in entry["exception"]


async def test_a_fault_that_lasts_fills_no_disk_with_tracebacks_and_still_names_every_request(small, written):
    for _ in range(5):
        assert (await ask(small, line("GET /failed HTTP/1.1"))).code == 503
    assert (await ask(small, line("GET /otherwise HTTP/1.1"))).code == 503
    entries = written()
    assert [("ZeroDivisionError" in entry.get("exception", "")) for entry in entries] == [True] + [False] * 5
    assert [("IndexError" in entry.get("exception", "")) for entry in entries] == [False] * 5 + [True]
    references = {re.findall(r"reference ([0-9a-f]{8})", entry["event"])[0] for entry in entries}
    assert len(references) == 6
    assert all("ZeroDivisionError" in entry["event"] for entry in entries[1:5])
