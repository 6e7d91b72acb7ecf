"""A store with every service on it and the API in front of it, in which one can see what was answered from memory."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from ipaddress import ip_network

import pytest
from raw_http import Answer, ask, posted
from storage_world import World

from bot.api import AddressReader, Health, Metrics, Proofs, build_api, serve
from licensing.services.answers import Regular
from licensing.services.regulars import Regulars
from storage import DatabaseSettings, open_store

ADDRESS = "203.0.113.7"
# These differ each time: a request's own id, the time, and what names a refusal.
_OWN = frozenset({"x-request-id", "date", "x-support-code"})


@dataclass
class Served:
    """A world on a socket."""

    world: World
    url: str
    metrics: Metrics


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[Served]:
    """Serve a world behind a trusted proxy, so that requests can come from any address."""
    metrics = Metrics(version="1.2.3", started_s=0.0, discord=lambda: health.discord, cache=dict, writer_queue=int)
    health = Health("1.2.3", lambda: world.store.read(lambda tx: tx.ledger.fact("ready")))
    app = build_api(
        world.validation,
        addresses=AddressReader([ip_network("127.0.0.1/32")], clock=world.clock),
        proofs=Proofs(world.signer, file_key=world.signing.file_key, clock=world.clock),
        health=health,
        metrics=metrics,
    )
    async with serve(app, host="127.0.0.1", port=0, traffic=metrics.traffic) as (host, port):
        yield Served(world, f"http://{host}:{port}", metrics)


async def answered_afresh(settings: DatabaseSettings, world: World, sent: bytes) -> Answer:
    """Ask a server that begins at this moment, on the same database."""
    async with open_store(settings) as store, serving(World(store, world.plans, now_ms=world.now_ms)) as fresh:
        return await ask(fresh.url, sent)


def alike(answer: Answer) -> tuple[object, ...]:
    """Return all of an answer that is no answer's own; a refusal's code is left out of its body too."""
    headers = sorted((name.lower(), value) for name, value in answer.headers if name.lower() not in _OWN)
    body = dict(answer.body)
    if "support_code" in body:
        body["support_code"] = "..."
        headers = [pair for pair in headers if pair[0] != "content-length"]
    return answer.code, headers, list(body.items())


def request(api_key: str, body: bytes, *headers: str, address: str = ADDRESS, version: str = "1.1") -> bytes:
    """Return a validation as bytes that comes from an address."""
    lines = f"X-Forwarded-For: {address}", "Content-Type: application/json", *headers
    return posted(api_key, body, *lines, version=version)


@contextmanager
def remembering(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Yield whether each call that came before was answered from memory, in their order."""
    found: list[bool] = []
    again = Regulars.again

    def watched(self: Regulars, regular: Regular) -> bool:
        found.append(again(self, regular))
        return found[-1]

    monkeypatch.setattr(Regulars, "again", watched)
    yield found
