"""Right while fast: no revoked license is active, counters add up, a killed process loses next to nothing."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Any

from bench.bench import Bench, Data, Server
from bench.changes import changes_of
from bench.checker import Checker, Tally, Victim, through
from bench.killing import killings
from bench.layout import address_of
from bench.load import request_of
from bench.process import LOAD_CORE, on
from bench.report import Line
from bench.servers import loop_factory
from bench.two import pair
from bot.app import now_ms
from licensing.errors import NoAddresses
from licensing.ports import Unavailable
from storage import DatabaseSettings, open_store
from storage.statements.base import Statement
from storage.store import SqliteStore

PART = "truth"
_VICTIMS = 200
_CONNECTIONS = 32
_SHARE_OF_ONE = 0.6


def measure(bench: Bench) -> Iterator[Line]:
    """Check one process, then two on one file; then kill."""
    checks = bench.options.checks
    one, data = int(checks * _SHARE_OF_ONE), bench.small("truth-one")
    with bench.server("keyport", database=data.database) as server:
        tally = _on_its_core(bench, _checked(data, [server], one))
    yield from _lines(data, tally, "one process")
    data = bench.small("truth-two")
    with ExitStack() as stack:
        servers = stack.enter_context(pair(bench, "keyport", data.database))
        tally = _on_its_core(bench, _checked(data, servers, checks - one))
    yield from _lines(data, tally, "two processes on one file")
    yield from killings(bench)


def _on_its_core(bench: Bench, checking: Coroutine[Any, Any, Tally]) -> Tally:
    with on(LOAD_CORE), asyncio.Runner(loop_factory=loop_factory(bench.options.best_loop)) as runner:
        return runner.run(checking)


async def _checked(data: Data, servers: Sequence[Server], checks: int) -> Tally:
    victims = [
        Victim(number, request_of(data.key("Widget", place), address_of(place), data.products["Widget"]["api_key"]))
        for place in range(min(_VICTIMS, data.shelves["Widget"].count))
        for number in [data.shelves["Widget"].first_id + place]
    ]
    async with store_of(data) as store:
        # Half of the changes come from a process beside, which this one is, half through the server's own services.
        doers = [changes_of(store, now_ms), *(through(_asking(server)) for server in servers)]
        checker = Checker(victims, doers, seed=5)
        return await checker.run(sorted({server.port for server in servers}), checks=checks, connections=_CONNECTIONS)


def _asking(server: Server) -> Any:
    turn = asyncio.Lock()

    async def ask(what: str, number: int) -> None:
        async with turn:
            done = await asyncio.to_thread(server.process.ask, do="change", what=what, license=number)
        if done:
            raise {"NoAddresses": NoAddresses, "Unavailable": Unavailable}[done["refused"]]

    return ask


def _lines(data: Data, tally: Tally, of: str) -> Iterator[Line]:
    wrong = len(tally.wrong)
    text = f"{wrong} of {tally.total:,} ({tally.refused:,} held to a refusal, {tally.changes:,} changes)"
    if tally.unavailable:
        text += f", {tally.unavailable} changes not acknowledged: the store was busy for 2 s"
    if wrong:
        text += f", first: {tally.wrong[0]}"
    yield Line(PART, f"wrong after an acknowledgement, {of}", text, "0", wrong == 0)
    stored, seen = asyncio.run(_usage(data)), dict(tally.answers)
    text = f"{sum(stored.values()):,} stored, {sum(seen.values()):,} answered, by status alike: {stored == seen}"
    yield Line(PART, f"usage after a clean stop, {of}", text, "exact", stored == seen)


async def _usage(data: Data) -> dict[str, int]:
    product = data.products["Widget"]["id"]
    sql = "SELECT status, SUM(calls) FROM usage_daily WHERE product_id = :product GROUP BY status"
    return dict(await rows_of(data, sql, product=product))


async def rows_of(data: Data, sql: str, **values: Any) -> list[Any]:
    """Ask the database of a run that has ended."""

    def work(_tx: object) -> Any:
        return (yield Statement(sql, values))

    async with store_of(data) as store:
        return await store.read(work)


@asynccontextmanager
async def store_of(data: Data) -> AsyncIterator[SqliteStore]:
    """Open a store of one's own on a database that servers may be using."""
    path = data.database
    async with open_store(DatabaseSettings(path=path, key_file=path.with_suffix(".key"))) as store:
        yield store
