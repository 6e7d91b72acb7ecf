"""What is remembered of requests is little, however many come and however long they are."""

import gc
import json
import weakref
from functools import lru_cache

import pytest
from raw_http import line_to
from served_world import ADDRESS, remembering, request, serving
from storage_world import OWNER, World, opened

from bot.api import handlers
from bot.api.addresses import NOBODY
from bot.api.ready import ReadyAnswer
from bot.api.repeats import LENGTH_AT_MOST, Repeat, Repeats
from licensing.services.answers import Regular
from storage import DatabaseSettings


@pytest.fixture
async def world(tmp_path):
    async with opened(DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")) as world:
        yield world


@pytest.fixture
def memory(monkeypatch) -> Repeats:
    """The memory of the server that the test starts."""
    memory = Repeats(at_most=8)
    monkeypatch.setattr(handlers, "Repeats", lambda: memory)
    return memory


async def asked(world: World, times: int = 3, *, address: str = ADDRESS, **members: str) -> list[str]:
    """Ask for a license of a new product on one line; return what it was answered."""
    name = f"Pro {await world.store.read(lambda tx: tx.products.count(1))}"
    product, issued = await world.product(name), await world.issue(name, discord_id=20)
    sent = request(product.api_key, json.dumps({"license_key": issued.key, **members}).encode(), address=address)
    async with serving(world) as served, line_to(served.url) as line:
        return [(await line.ask(sent)).body["status"] for _ in range(times)]


async def test_a_request_with_a_nonce_is_never_remembered(world, memory, monkeypatch):
    assert await asked(world, nonce="n1") == ["active"] * 3
    assert len(memory) == 0
    with remembering(monkeypatch) as remembered:
        assert await asked(world) == ["active"] * 3
    assert (len(memory), remembered) == (1, [True])


async def test_a_refusal_is_never_remembered(world, memory):
    await world.blacklist.add(OWNER, network=ADDRESS)
    assert await asked(world) == ["ip_blocked"] * 3
    assert len(memory) == 0


@pytest.mark.parametrize("padding", [LENGTH_AT_MOST - 400, LENGTH_AT_MOST])
async def test_a_long_request_is_answered_and_not_remembered(world, memory, padding):
    assert await asked(world, unknown="x" * padding) == ["active"] * 3
    assert len(memory) == (padding < LENGTH_AT_MOST)


async def test_a_product_as_it_was_is_kept_by_nobody_who_asked_for_it_then(world, memory):
    product, issued = await world.product(), await world.issue(discord_id=20)
    body = json.dumps({"license_key": issued.key}).encode()
    async with serving(world) as served, line_to(served.url) as line:
        for address in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
            for _ in range(3):
                await line.ask(request(product.api_key, body, address=address))
        found = await world.validation.product(product.api_key)
        before, found = weakref.ref(found), None
        await world.catalog.change_custom(OWNER, "Pro", '{"tier":"gold"}')
        assert (await line.ask(request(product.api_key, body, address="203.0.113.1"))).body["custom"] is not None
        gc.collect()
        assert before() is None
        assert len(memory) == 3


def kept(memory: Repeats, number: int, regular: Regular | None = None) -> None:
    repeat = Repeat(NOBODY, regular, None, is_proven=False, answer=ReadyAnswer(b"%d" % number))
    memory.keep("kp_live", b"asks %d" % number, repeat)


def test_no_more_are_kept_than_there_is_room_for_and_who_comes_again_stays():
    memory = Repeats(at_most=10)
    for number in range(100):
        kept(memory, number)
        assert len(memory) <= 10
        assert memory.find("kp_live", NOBODY, b"asks 0").answer.body == b"0"
        assert memory.find("kp_live", NOBODY, b"asks %d" % number).answer.body == b"%d" % number
    assert memory.find("kp_live", NOBODY, b"asks 50") is None
    assert memory.find("kp_live_another", NOBODY, b"asks 0") is None


async def test_the_header_with_a_products_key_is_read_once_and_one_that_is_longer_never_kept(world, monkeypatch):
    read = list[str]()
    monkeypatch.setattr(handlers, "_api_key", lru_cache(9)(lambda header: read.append(header) or header[7:]))
    assert await asked(world) == ["active"] * 3
    assert len(read) == 1
    too_long = request(f"{read[0][7:]}x", b"{}", address=ADDRESS)
    async with serving(world) as served, line_to(served.url) as line:
        for _ in range(2):
            assert (await line.ask(too_long)).body["status"] == "invalid_api_key"
    assert (len(read), handlers._api_key.cache_info().currsize) == (3, 1)
