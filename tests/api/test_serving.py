"""Guarantees about health, about being shut down, and about a store that is full or away."""

import asyncio
import contextlib
import json
import logging
import resource
import socket
import sqlite3

import aiohttp
import pytest
from aiohttp import web

from bot.api import DiscordState, serve
from bot.api.health import healthz
from bot.api.limits import SHUTDOWN_S
from licensing.ports import Unavailable


async def test_healthz_and_readyz_tell_how_things_stand(shop):
    assert (await shop.get("/healthz")).body == {"status": "ok"}
    shop.health.discord = DiscordState.TOKEN_REFUSED
    ready = await shop.get("/readyz")
    assert ready.code == 200
    assert list(ready.body.items()) == [
        ("status", "ready"),
        ("store", "ok"),
        ("discord", "token_refused"),
        ("proxy", "ok"),
        ("version", "1.2.3"),
    ]


async def test_readyz_is_503_when_the_store_cannot_be_read(shop):
    async def away():
        raise Unavailable

    shop.health.read_store = away
    ready = await shop.get("/readyz")
    assert (ready.code, ready.body["status"], ready.body["store"]) == (503, "unavailable", "unavailable")
    assert (await shop.get("/healthz")).code == 200


async def test_readyz_does_not_wait_for_a_store_that_hangs(shop, monkeypatch):
    monkeypatch.setattr("bot.api.health.READY_TIMEOUT_S", 0.01)
    shop.health.read_store = asyncio.Event().wait
    assert (await shop.get("/readyz")).code == 503


async def test_a_fault_of_ours_is_503_with_a_reference_that_stands_in_the_log(shop, caplog):
    product = await shop.product()

    def broken():
        raise ZeroDivisionError

    shop.validation._clock = broken
    reply = await shop.validate(product.api_key, "unknown")
    assert reply.seen == (503, "unavailable")
    assert reply.headers["Retry-After"] == "5"
    reference = reply.body["message"].rpartition("(reference ")[2].rstrip(")")
    assert len(reference) == 8
    assert reference in caplog.text


@contextlib.asynccontextmanager
async def no_page_left(shop, _folder):
    """Leave the database no page to grow by, which SQLite reports as a full disk."""
    worker = shop.store._writer._worker
    pages = await worker.call(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
    await worker.call(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}"))
    yield
    await worker.call(lambda connection: connection.execute("PRAGMA max_page_count = 1073741823"))


@contextlib.asynccontextmanager
async def no_byte_left(_shop, folder):
    """Let the operating system refuse to make the write-ahead log any longer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (folder / "keyport.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def fill(shop, product, issued):
    """Register addresses until one finds no room."""
    for number in range(5_000):
        address = f"198.18.{number // 250}.{number % 250}"
        reply = await shop.validate(product.api_key, issued.key, address=address)
        if reply.code != 200:
            return address, reply
    raise AssertionError("the database never filled up")


@pytest.mark.parametrize("fault", [no_page_left, no_byte_left])
async def test_on_a_full_disk_known_addresses_are_served_and_new_ones_answer_503(tmp_path, open_shop, fault, caplog):
    async with open_shop() as shop:
        product = await shop.product()
        known, filler = await shop.issue(max_ips=0), await shop.issue(max_ips=0)
        assert (await shop.validate(product.api_key, known.key)).seen == (200, "active")
        async with fault(shop, tmp_path):
            refused_address, refused = await fill(shop, product, filler)
            assert refused.seen == (503, "unavailable")
            assert list(refused.body) == ["valid", "status", "message"]
            assert refused.headers["Retry-After"] == "5"
            assert (await shop.validate(product.api_key, filler.key, address=refused_address)).code == 503
            assert caplog.text.count("store is unavailable") == 1
            assert (await shop.validate(product.api_key, known.key)).seen == (200, "active")
            assert (await shop.validate(product.api_key, "unknown")).seen == (200, "license_not_found")
            assert (await shop.get(f"/api/v1/license/{known.key}", product.api_key)).code == 200
            assert (await shop.get("/readyz")).code == 200
        again = await shop.validate(product.api_key, filler.key, address=refused_address)
        assert again.seen == (200, "active")
        counted = again.body["ip_count"]
        stored = await shop.store.read(lambda tx: tx.addresses.of(filler.view.license.id))
    assert len(stored) == counted
    with contextlib.closing(sqlite3.connect(tmp_path / "keyport.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_request_in_flight_is_answered_when_the_server_stops():
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(_request):
        begun.set()
        await may_end.wait()
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/", slow)
    async with aiohttp.ClientSession() as http:
        async with contextlib.AsyncExitStack() as stack:
            host, port = await stack.enter_async_context(serve(app, host="127.0.0.1", port=0))
            asking = asyncio.create_task(http.get(f"http://{host}:{port}/"))
            await begun.wait()
            asyncio.get_running_loop().call_later(0.05, may_end.set)
        response = await asking
        assert (response.status, await response.text()) == (200, "done")
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection(host, port)


async def test_idle_connections_do_not_hold_up_the_end():
    app = web.Application()
    app.router.add_get("/healthz", healthz)
    async with contextlib.AsyncExitStack() as stack:
        host, port = await stack.enter_async_context(serve(app, host="127.0.0.1", port=0))
        _, silent = await asyncio.open_connection(host, port)
        reader, kept = await asyncio.open_connection(host, port)
        kept.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await reader.readuntil(b'{"status":"ok"}')
        # Well under the time that requests in flight are given.
        async with asyncio.timeout(SHUTDOWN_S / 2):
            await stack.aclose()
    for writer in (silent, kept):
        writer.close()


async def test_a_port_that_is_taken_is_an_os_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="address already in use"):
            async with serve(web.Application(), host="127.0.0.1", port=taken.getsockname()[1]):
                raise AssertionError("it must not get here")


async def test_two_servers_can_share_a_port():
    async with (
        serve(web.Application(), host="127.0.0.1", port=0, reuse_port=True) as (host, port),
        serve(web.Application(), host=host, port=port, reuse_port=True) as bound,
    ):
        assert bound == (host, port)


async def test_no_request_is_logged_and_no_key_either(shop, caplog):
    caplog.set_level(logging.DEBUG)
    product = await shop.product()
    issued = await shop.issue()
    for key in (issued.key, "unknown"):
        await shop.validate(product.api_key, key)
        await shop.get(f"/api/v1/license/{issued.key}", product.api_key)
    assert product.api_key not in caplog.text
    assert issued.key not in caplog.text
    assert json.dumps(issued.key) not in caplog.text
