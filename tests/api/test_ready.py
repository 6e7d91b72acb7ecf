"""Answers written as ready bytes: on the wire they are what aiohttp would have written, for whoever asks however."""

import asyncio
import json
import re
import socket
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from raw_http import Answer, Line, ask, line_to
from served_world import ADDRESS, Served, alike, remembering, request, serving
from storage_world import OWNER, World, opened

from bot.api.server import Connection
from licensing.choices import SigningKind
from storage import DatabaseSettings

NEIGHBOURS = "2001:db8:1:2::1", "2001:db8:1:2::2"
HEADERS = ["cache-control", "content-length", "content-type", "date", "server", "x-request-id"]
OURS = re.compile(r"[0-9a-f]{8}-[0-9a-f]+")


@pytest.fixture
async def world(tmp_path):
    async with opened(DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")) as world:
        yield world


@pytest.fixture
async def served(world: World):
    async with serving(world) as served:
        yield served


class Customer:
    """A license and the request that asks for it."""

    def __init__(self, served: Served, api_key: str, key: str):
        self.served, self.api_key, self.key = served, api_key, key

    def asks(self, *headers: str, address: str = ADDRESS, version: str = "1.1", **members: str) -> bytes:
        body = json.dumps({"license_key": self.key, **members}).encode()
        return request(self.api_key, body, *headers, address=address, version=version)

    async def is_remembered(self, *, address: str = ADDRESS) -> Answer:
        """Ask until the answer is given from memory, and return it as it was worked out."""
        first, *_ = [
            await ask(self.served.url, self.asks(address=address)) for _ in ("sits down", "is kept", "again")
        ]
        assert (first.code, first.body["status"]) == (200, "active")
        return first


@pytest.fixture
async def customer(served: Served) -> Customer:
    product = await served.world.product()
    return Customer(served, product.api_key, (await served.world.issue(discord_id=20)).key)


async def until_closed(url: str, sent: bytes) -> bytes:
    async with line_to(url) as line:
        line.writer.write(sent)
        return await line.reader.read()


@pytest.mark.parametrize("kind", [None, *SigningKind])
async def test_the_headers_are_the_same_the_first_time_and_ever_after(customer, served, kind):
    if kind is not None:
        await served.world.signing.turn_on(OWNER, "Pro", kind)
    async with line_to(served.url) as line:
        answers = [await line.ask(customer.asks()) for _ in range(4)]
    assert [alike(answer) for answer in answers] == [alike(answers[0])] * 4
    proof = [] if kind in (None, SigningKind.HMAC) else [f"x-signature-{kind}", "x-signature-key-id"]
    names = sorted([*HEADERS, *proof, *(["x-signature-timestamp"] if proof else [])])
    for answer in answers:
        assert sorted(name.lower() for name, _ in answer.headers) == names
        date = answer.one("Date")
        assert format_datetime(parsedate_to_datetime(date), usegmt=True) == date


async def test_every_answer_has_an_id_of_its_own_or_the_callers(customer, served):
    await customer.is_remembered()
    async with line_to(served.url) as line:
        given = [(await line.ask(customer.asks(f"X-Request-Id: mine-{n}"))).one("X-Request-Id") for n in range(3)]
        ours = [
            (await line.ask(customer.asks(f"X-Request-Id: {odd}"))).one("X-Request-Id") for odd in ("", "a b", "<")
        ]
    assert given == ["mine-0", "mine-1", "mine-2"]
    assert len(set(ours)) == 3
    assert all(OURS.fullmatch(each) for each in ours)


async def test_requests_that_come_all_at_once_are_answered_in_their_order(customer, served):
    await customer.is_remembered()
    async with line_to(served.url) as line:
        line.writer.write(b"".join(customer.asks(f"X-Request-Id: {number}") for number in range(200)))
        answers = [await line.answer() for _ in range(200)]
    assert [answer.one("X-Request-Id") for answer in answers] == [str(number) for number in range(200)]
    assert {answer.raw for answer in answers} == {answers[0].raw}
    assert served.metrics.by_status["active"] == 203


@pytest.mark.parametrize(
    ("headers", "version", "says"),
    [
        (("Connection: close",), "1.1", b"\r\nConnection: close\r\n"),
        ((), "1.0", b"HTTP/1.0 200 OK\r\n"),
        (("Connection: close",), "1.0", b"HTTP/1.0 200 OK\r\n"),
    ],
)
async def test_a_line_is_closed_after_the_answer_for_whoever_wants_that(customer, served, headers, version, says):
    first = await customer.is_remembered()
    found = await until_closed(served.url, customer.asks(*headers, version=version))
    assert says in found
    head, _, body = found.partition(b"\r\n\r\n")
    assert body == first.raw
    assert head.lower().count(b"\r\nx-request-id: ") == head.count(b"\r\nServer: KeyPort") == 1


async def test_http_1_0_may_keep_its_line_open(customer, served):
    await customer.is_remembered()
    async with line_to(served.url) as line:
        for _ in range(2):
            answer = await line.ask(customer.asks("Connection: keep-alive", version="1.0"))
            assert (answer.code, answer.one("Connection")) == (200, "keep-alive")


async def test_who_asks_whether_to_go_on_is_told_so_and_then_answered(customer, served):
    first = await customer.is_remembered()
    head, _, body = customer.asks("Expect: 100-continue").partition(b"\r\n\r\n")
    async with line_to(served.url) as line:
        assert (await line.ask(head + b"\r\n\r\n")).code == 100
        assert (await line.ask(body)).raw == first.raw
        assert (await line.ask(customer.asks("Expect: a miracle"))).code == 417


async def test_what_is_refused_before_it_is_read_is_refused_though_its_bytes_are_known(customer, served):
    await customer.is_remembered()
    refused = {
        415: customer.asks().replace(b"application/json", b"text/plain"),
        404: customer.asks().replace(b"/validate ", b"/validat "),
        405: customer.asks().replace(b"POST ", b"PUT "),
        401: customer.asks().replace(b"Bearer ", b"Basic "),
    }
    async with line_to(served.url) as line:
        assert {(await line.ask(sent)).code: sent for sent in refused.values()} == refused
        assert (await line.ask(customer.asks("Content-Encoding: gzip"))).code == 415
        assert (await line.ask(customer.asks(f"Authorization: Bearer {customer.api_key}"))).code == 401


async def test_the_same_body_from_elsewhere_is_another_call(customer, served):
    await served.world.catalog.change_settings(OWNER, 1, auto_register="first")
    await customer.is_remembered()
    for _ in range(2):
        answer = await ask(served.url, customer.asks(address="198.51.100.9"))
        assert answer.body["status"] == "ip_not_registered"


async def test_of_two_addresses_that_count_as_one_the_blocked_one_alone_is_refused(customer, served):
    await served.world.blacklist.add(OWNER, network=NEIGHBOURS[1])
    async with line_to(served.url) as line:
        said = [(await line.ask(customer.asks(address=each))).body["status"] for _ in range(4) for each in NEIGHBOURS]
    assert said == ["active", "ip_blocked"] * 4


async def test_a_store_that_is_away_is_told_and_a_remembered_answer_is_given_again_when_it_is_back(
    customer, served, monkeypatch
):
    first = await customer.is_remembered()
    connection = served.world.store.snapshots._connection
    connection.set_progress_handler(lambda: 1, 1)  # every statement is interrupted
    refused = [await ask(served.url, customer.asks()) for _ in range(2)]
    connection.set_progress_handler(None, 1)
    assert [(each.code, each.body["status"], each.one("Retry-After")) for each in refused] == [
        (503, "unavailable", "5")
    ] * 2
    with remembering(monkeypatch) as remembered:
        again = await ask(served.url, customer.asks())
    assert (again.raw, remembered) == (first.raw, [True])
    assert served.metrics.by_status["unavailable"] == 2


async def test_a_caller_who_goes_away_in_the_middle_leaves_nothing_in_the_log(customer, served, caplog):
    await customer.is_remembered()
    host, port = served.url.removeprefix("http://").split(":")
    for _ in range(20):
        with socket.create_connection((host, int(port))) as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # hang up without a word
            caller.sendall(b"".join(customer.asks() for _ in range(50)))
        assert (await ask(served.url, customer.asks())).code == 200
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


class Watched(Connection):
    """A connection that a test can look at, with little room in the system's own buffer."""

    __slots__ = ()
    latest: "Watched"

    def connection_made(self, transport):
        Watched.latest = self
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        super().connection_made(transport)


async def narrow_line_to(url: str) -> Line:
    """Open a connection that takes little in while nobody reads."""
    host, port = url.removeprefix("http://").split(":")
    caller = socket.socket()
    for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        caller.setsockopt(socket.SOL_SOCKET, buffer, 4_096)
    caller.setblocking(False)
    await asyncio.get_running_loop().sock_connect(caller, (host, int(port)))
    return Line(*await asyncio.open_connection(sock=caller, limit=1_024))


async def test_whoever_asks_on_without_reading_has_to_read_first(world, monkeypatch):
    monkeypatch.setattr("bot.api.server.Connection", Watched)
    async with serving(world) as served:
        product = await world.product()
        customer = Customer(served, product.api_key, (await world.issue(discord_id=20)).key)
        await customer.is_remembered()
        line = await narrow_line_to(served.url)
        some, sent = b"".join(customer.asks() for _ in range(100)), 1
        await line.ask(customer.asks())
        here = Watched.latest.transport
        high, full = here.get_write_buffer_limits()[1], 0
        while full < 500:
            if line.writer.transport.get_write_buffer_size() < len(some):
                line.writer.write(some)
                sent += 100
            await asyncio.sleep(0)
            assert here.get_write_buffer_size() < high + 1_000
            full = full + 1 if Watched.latest.writing_paused else 0
        answers = [await line.answer() for _ in range(sent - 1)]
        line.writer.close()
    assert {answer.code for answer in answers} == {200}
