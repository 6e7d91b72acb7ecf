"""What we are compared with: the bare handler, and the same with the one thing that a target is about.

The bare one reads JSON and answers ten fields. Another one also reads the license, another also answers only when a
row is on disk; neither checks, limits or counts anything.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from aiohttp import web

from bench.process import Json

_LICENSE = (
    "SELECT l.state, l.expires_at_ms, l.max_ips, (SELECT group_concat(s.address, ' ') FROM license_addresses s"
    " WHERE s.license_id = l.id) FROM license_keys k JOIN licenses l ON l.id = k.license_id"
    " WHERE k.organization_id = :organization AND k.digest = :digest"
)
_SEATS = "INSERT INTO bare_seats SELECT value ->> 0, value ->> 1 FROM json_each(:seats)"

Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def bare(spec: Json) -> AsyncIterator[tuple[None, Json]]:
    """Read JSON and answer ten fields, as one would write it first."""

    async def validate(request: web.Request) -> web.Response:
        return _ten_fields(await request.json())

    async with _serving(validate, spec) as port:
        yield None, port


@asynccontextmanager
async def reading(spec: Json) -> AsyncIterator[tuple[None, Json]]:
    """Read a license by the hash of its key as well, on the event loop itself."""
    from bench.layout import ORGANIZATION_ID  # noqa: PLC0415 - the bare handler's process must not know us
    from licensing.keys import tidy  # noqa: PLC0415
    from storage.vault import FileVault, KeyFile  # noqa: PLC0415

    database = Path(spec["database"])
    vault = FileVault(KeyFile.read(database.with_suffix(".key")), bytes)

    with closing(sqlite3.connect(database)) as connection:

        async def validate(request: web.Request) -> web.Response:
            asked = await request.json()
            digest = vault.digest(tidy(asked["license_key"]))
            found = connection.execute(_LICENSE, {"organization": ORGANIZATION_ID, "digest": digest}).fetchone()
            return _ten_fields(asked, found)

        async with _serving(validate, spec) as port:
            yield None, port


@asynccontextmanager
async def writing(spec: Json) -> AsyncIterator[tuple[None, Json]]:
    """Insert a seat for each request, and answer when it is on disk; whatever waits is committed together."""
    lock, waiting = asyncio.Lock(), list[tuple[str, str, asyncio.Future[None]]]()

    def commit(seats: Sequence[tuple[str, str]]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_SEATS, {"seats": json.dumps(seats)})
        connection.execute("COMMIT")

    async def write_all() -> None:
        async with lock:
            group = waiting.copy()
            waiting.clear()
            await asyncio.to_thread(commit, [(key, address) for key, address, _ in group])
            for *_, done in group:
                done.set_result(None)

    async def validate(request: web.Request) -> web.Response:
        asked, done = await request.json(), asyncio.get_running_loop().create_future()
        waiting.append((asked["license_key"], request.headers["X-Forwarded-For"], done))
        if len(waiting) == 1:
            writes.create_task(write_all())
        await done
        return _ten_fields(asked)

    plain = sqlite3.connect(f"{spec['database']}.bare", isolation_level=None, check_same_thread=False)
    with closing(plain) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS bare_seats (license TEXT, address TEXT)")
        async with asyncio.TaskGroup() as writes, _serving(validate, spec) as port:
            yield None, port


def _ten_fields(asked: Json, found: Sequence[Any] = ("active", None, 3, "")) -> web.Response:
    state, ends, seats, addresses = found
    return web.json_response(
        {
            "valid": state == "active",
            "status": state,
            "expires": ends or "2090-01-01T00:00:00.000Z",
            "ip_registered": True,
            "ip_count": addresses.count(" ") + 1,
            "max_ips": seats,
            "version": asked.get("version"),
            "version_valid": None,
            "custom": None,
            "signature": None,
        }
    )


@asynccontextmanager
async def _serving(validate: Handler, spec: Json) -> AsyncIterator[Json]:
    app = web.Application()
    app.router.add_post("/api/v1/validate", validate)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", spec.get("port", 0), reuse_port=spec.get("reuse_port")).start()
    yield {"port": runner.addresses[0][1]}
    await runner.cleanup()
