"""Several stores and processes on one file: none oversells or is late to know, a killed one spoils nothing."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Self

from storage_world import OWNER, World, opened

from licensing.verdict import Status
from storage import DatabaseSettings

ROOT = Path(__file__).parents[2]


async def test_a_revocation_is_seen_by_the_very_next_validation_through_another_store_on_the_file(
    world: World, settings: DatabaseSettings
) -> None:
    product = await world.product()
    async with opened(settings) as other:
        for _ in range(50):
            issued = await world.issue(discord_id=20)
            assert (await other.validate(product.api_key, issued.key)).status is Status.ACTIVE
            await world.licenses.revoke(OWNER, issued.key)
            assert (await other.validate(product.api_key, issued.key)).status is Status.REVOKED


async def test_seats_are_not_oversold_between_two_stores_on_one_file(
    world: World, settings: DatabaseSettings
) -> None:
    product = await world.product()
    issued = await world.issue(discord_id=20, max_ips=3)
    async with opened(settings) as other:
        verdicts = await asyncio.gather(
            *((world, other)[n % 2].validate(product.api_key, issued.key, f"203.0.113.{n}") for n in range(40))
        )
    assert [verdict.status for verdict in verdicts].count(Status.ACTIVE) == 3


WRITER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, "tests")
from storage_world import opened, OWNER
from storage import DatabaseSettings

async def main():
    async with opened(DatabaseSettings(Path(sys.argv[1]), Path(sys.argv[2]))) as world:
        await world.product()
        async def issue_for_ever(discord_id):
            while True:
                issued = await world.issue(discord_id=discord_id)
                print(issued.key, flush=True)
        await asyncio.gather(*(issue_for_ever(n) for n in range(1, 9)))

asyncio.run(main())
"""


async def test_a_process_killed_in_mid_write_keeps_what_it_acknowledged_and_nothing_half_done(
    settings: DatabaseSettings,
) -> None:
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(settings.path), str(settings.key_file),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert writer.stdout is not None
    acknowledged = [(await writer.stdout.readline()).decode().strip() for _ in range(300)]
    writer.send_signal(signal.SIGKILL)
    rest = (await writer.stdout.read()).decode()
    acknowledged += [line for line in rest.splitlines(keepends=False) if rest.endswith("\n") or len(line) == 19]
    await writer.wait()

    async with opened(settings) as world:
        for key in acknowledged[-100:]:
            await world.licenses.view(OWNER, key)
    with sqlite3.connect(settings.path) as connection:
        licenses, keys, created = connection.execute(
            "SELECT (SELECT COUNT(*) FROM licenses), (SELECT COUNT(*) FROM license_keys),"
            " (SELECT COUNT(*) FROM events WHERE action = 'license.created')"
        ).fetchone()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert licenses == keys == created >= len(acknowledged)


async def test_a_validation_by_another_api_process_sees_a_revocation_at_once(settings: DatabaseSettings) -> None:
    async with opened(settings) as world:
        product = await world.product()
        issued = await world.issue(discord_id=20)
        async with ApiProcess(settings) as validate:
            assert await validate(product.api_key, issued.key) == "active"
            await world.licenses.revoke(OWNER, issued.key)
            assert await validate(product.api_key, issued.key) == "revoked"


class ApiProcess:
    """`keyport api` on a free port, asked over HTTP."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KEYPORT_")},
            "KEYPORT_DATABASE__URL": f"sqlite:///{settings.path}",
            "KEYPORT_API__PORT": "0",
            "KEYPORT_LOG__FORMAT": "json",
        }

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "api", cwd=ROOT, env=self._environ, stderr=asyncio.subprocess.PIPE
        )
        assert self._process.stderr is not None
        line = (await self._process.stderr.readline()).decode()
        self._port = int(line.partition("http://127.0.0.1:")[2].partition('"')[0])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await self._process.communicate()
        assert self._process.returncode == 0

    async def __call__(self, api_key: str, key: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        body = json.dumps({"license_key": key}).encode()
        head = (
            f"POST /api/v1/validate HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {api_key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = (await reader.read()).partition(b"\r\n\r\n")[2]
        writer.close()
        await writer.wait_closed()
        return str(json.loads(answer)["status"])
