"""Guarantees about bytes that no ordinary client sends: endless, broken, mangled requests."""

import asyncio
import random

import pytest
from raw_http import GOOD


async def conversation(shop, sent: bytes) -> bytes:
    """Send raw bytes and return all that comes back until the server closes; hang up if it only waits."""
    host, port = shop.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    hang_up = asyncio.get_running_loop().call_later(2, writer.write_eof)
    try:
        writer.write(sent)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        hang_up.cancel()
        writer.close()


async def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent_and_the_line_is_closed(shop, api_key):
    head = (
        f"POST /api/v1/validate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api_key}\r\n"
        "Content-Length: 1000000000\r\n\r\n"
    )
    answer = await conversation(shop, head.encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer


async def test_an_endless_chunked_body_is_cut_off_at_the_limit(shop, api_key):
    head = (
        f"POST /api/v1/validate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api_key}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    chunks = (b"1000\r\n" + b"a" * 0x1000 + b"\r\n") * 6
    answer = await conversation(shop, head.encode() + chunks)
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_broken_chunk_is_400(shop, api_key):
    head = (
        f"POST /api/v1/validate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api_key}\r\n"
        "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"
    )
    answer = await conversation(shop, head.encode())
    assert answer.split(b" ")[1] == b"400"


async def test_a_body_that_stops_arriving_is_given_up(shop, api_key, monkeypatch):
    monkeypatch.setattr("bot.api.handlers.BODY_TIMEOUT_S", 0.01)
    head = (
        f"POST /api/v1/validate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api_key}\r\n"
        "Content-Length: 100\r\n\r\n{"
    )
    answer = await conversation(shop, head.encode())
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"status":"invalid_request"' in answer


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_bytes_are_sent_the_answer_is_never_a_500(shop, api_key, seed, caplog, monkeypatch):
    monkeypatch.setattr("bot.api.handlers.BODY_TIMEOUT_S", 0.01)
    chance = random.Random(seed)
    whole = (
        f"POST /api/v1/validate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api_key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(GOOD)}\r\nConnection: close\r\n\r\n"
    ).encode() + GOOD
    talks = []
    for _ in range(60):
        mangled = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(mangled))
            mangled[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        talks.append(conversation(shop, bytes(mangled)))
    codes = {answer.split(b" ")[1] for answer in await asyncio.gather(*talks) if answer}
    assert {b"400", b"401"} <= codes
    assert not any(code.startswith(b"5") for code in codes)
    assert "Traceback" not in caplog.text
