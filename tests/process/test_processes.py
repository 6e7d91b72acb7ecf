"""Whole processes, as an operator starts and stops them."""

import asyncio
import contextlib
import json
import random
import signal
import socket
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import aiohttp
from processes import ROOT, environment, keyport, stopped
from storage_world import opened

from licensing.verdict import Status
from storage import DatabaseSettings

LOST_AT_MOST_S = 1.0  # of calls, as the documentation says; half of it is the pause between two writes
NOBODY_LISTENS = "http://127.0.0.1:1/api/v10"


async def test_run_serves_without_discord_and_stops_at_a_signal_with_nothing_lost(tmp_path: Path) -> None:
    settings = DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")
    async with opened(settings) as world:
        product = await world.product()
        issued = await world.issue(discord_id=20)
    for by in (signal.SIGTERM, signal.SIGINT):
        async with keyport(
            "run", DATABASE__URL=f"sqlite:///{settings.path}",
            DISCORD__TOKEN="not-used", DISCORD__API_BASE=NOBODY_LISTENS,
        ) as (process, base_url):  # fmt: skip
            async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {product.api_key}"}) as session:
                for _ in range(10):
                    answer = await session.post(f"{base_url}/api/v1/validate", json={"license_key": issued.key})
                    assert (await answer.json())["status"] == Status.ACTIVE
                ready = await session.get(f"{base_url}/readyz")
                assert ready.status == 200
            await stopped(process, by)
            assert process.returncode == 0
    with closing(sqlite3.connect(settings.path)) as connection:
        assert connection.execute("SELECT SUM(calls) FROM usage_daily").fetchone() == (20,)
        assert connection.execute("SELECT COUNT(*) FROM license_addresses").fetchone() == (1,)


async def test_a_process_that_is_killed_at_any_moment_loses_no_call_that_is_older_than_a_second(
    tmp_path: Path,
) -> None:
    settings = DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")
    async with opened(settings) as world:
        product = await world.product()
        issued = await world.issue(discord_id=20)
    stored = 0
    for killed_after_s in (random.uniform(1.2, 2.5) for _ in range(3)):
        answered_at: list[float] = []
        async with keyport(
            "api", DATABASE__URL=f"sqlite:///{settings.path}",
            LIMITS__LICENSE_PER_MINUTE="0", LIMITS__ADDRESS_PER_MINUTE="0",
        ) as (process, base_url):  # fmt: skip
            async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {product.api_key}"}) as session:
                killing = asyncio.get_running_loop().call_later(killed_after_s, process.kill)
                with contextlib.suppress(aiohttp.ClientError):
                    while True:
                        answer = await session.post(f"{base_url}/api/v1/validate", json={"license_key": issued.key})
                        assert (await answer.json())["status"] == Status.ACTIVE
                        answered_at.append(time.monotonic())
            killed_at, _ = killing.when(), await process.wait()
        in_time = sum(at < killed_at - LOST_AT_MOST_S for at in answered_at)
        before, stored = stored, usage(settings.path).get("active", 0)
        assert in_time > 0
        assert stored - before >= in_time
        assert stored - before <= len(answered_at) + 1  # one may have been counted and not answered any more


async def test_what_a_killed_process_saw_last_stands_with_the_seats_before_the_next_one_serves(
    tmp_path: Path,
) -> None:
    settings = DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")
    async with opened(settings) as world:
        product = await world.product()
        issued = await world.issue(discord_id=20)
    url = f"sqlite:///{settings.path}"
    newest = "SELECT MAX(it.value) FROM seen_log l, json_each(l.seen) AS it"
    async with keyport("api", DATABASE__URL=url) as (process, base_url):
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {product.api_key}"}) as session:
            while asked(settings.path, newest) is None:  # the first call takes the seat, a later one is seen
                answer = await session.post(f"{base_url}/api/v1/validate", json={"license_key": issued.key})
                assert (await answer.json())["status"] == Status.ACTIVE
                await asyncio.sleep(0.05)
        process.kill()
        await process.wait()
    seen_ms = asked(settings.path, newest)
    async with keyport("api", DATABASE__URL=url):
        assert asked(settings.path, "SELECT last_seen_at_ms FROM license_addresses") == seen_ms
        assert asked(settings.path, newest) is None


def asked(database: Path, sql: str) -> object:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchone()[0]


async def test_who_guesses_keys_is_turned_away_and_the_operators_log_says_so_once(tmp_path: Path) -> None:
    settings = DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")
    async with opened(settings) as world:
        product = await world.product()
        seated, new = await world.issue(discord_id=20), await world.issue(discord_id=21)
    guesses = [f"GUESS-{number}" for number in range(12)]
    async with keyport(
        "api", DATABASE__URL=f"sqlite:///{settings.path}", LIMITS__FAILURES_PER_MINUTE="3"
    ) as (process, base_url):  # fmt: skip
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {product.api_key}"}) as session:
            codes = []
            for key in (seated.key, *guesses, seated.key, new.key):
                answer = await session.post(f"{base_url}/api/v1/validate", json={"license_key": key})
                codes.append(answer.status)
        process.terminate()
        written = (await process.communicate())[1].decode()
    assert codes == [200] + [200] * 3 + [429] * 9 + [200, 429]
    lines = [line for line in written.splitlines() if "unknown keys" in line]
    assert [("127.0.0.1" in line, "limits.failures_per_minute" in line) for line in lines] == [(True, True)]
    assert not any(key in written for key in (*guesses, seated.key, product.api_key))


def usage(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT status, SUM(calls) FROM usage_daily GROUP BY status").fetchall())


async def test_the_api_process_never_imports_what_it_does_not_need() -> None:
    script = "import sys; import bot.app; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    loaded = (await process.communicate())[0].decode()
    for slow in ("discord", "sqlalchemy", "alembic", "sandbox", "cogs"):
        assert f"'{slow}'" not in loaded


async def test_the_sandbox_plays_the_story_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "sandbox", "--once", cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        env=environment(API__PORT="0") | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    told = (await process.communicate())[0].decode()
    assert process.returncode == 0
    claimed, validated, revoked = (
        told.index("/claim"),
        told.index('"status":"active"'),
        told.index('"status":"revoked"'),
    )
    assert claimed < validated < told.index("/license revoke") < revoked
    assert list(tmp_path.iterdir()) == []


async def test_the_sandbox_never_joins_a_port_that_others_share_for_their_customers(tmp_path: Path) -> None:
    with socket.socket() as shared:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        shared.bind(("127.0.0.1", 0))
        shared.listen()  # and answers nobody: a question that comes here would wait for ever
        port = shared.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "sandbox", "--once", cwd=ROOT, stdout=asyncio.subprocess.PIPE,
            env=environment(API__PORT=str(port), API__REUSE_PORT="true") | {"TMPDIR": str(tmp_path)},
        )  # fmt: skip
        told = (await process.communicate())[0].decode()
    assert process.returncode == 0
    assert f"Port {port} is taken by another program" in told
    assert '"status":"active"' in told


async def test_the_sandbox_stays_up_its_ready_curl_line_answers_active_and_its_last_line_is_the_pages_address(
    tmp_path: Path,
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "start", cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        env=environment(API__PORT="0") | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert process.stdout is not None
    told = ""
    while told.count("Look at it in a browser: http://127.0.0.1:") < 2:
        line = (await process.stdout.readline()).decode()
        assert line, told
        told += line
    first, *_, last = told.splitlines()
    assert last == first
    command = told[told.index("curl -s") : told.index("}'") + 2]
    shell = await asyncio.create_subprocess_shell(command, stdout=asyncio.subprocess.PIPE)
    answer = json.loads((await shell.communicate())[0])
    assert (answer["valid"], answer["status"]) == (True, "active")
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.communicate(), timeout=5)
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


async def test_an_address_of_ipv6_is_logged_as_a_web_address_that_answers(tmp_path: Path) -> None:
    settings = {"DATABASE__URL": f"sqlite:///{tmp_path}/keyport.db", "API__HOST": "::1"}
    async with keyport("api", **settings) as (_process, base_url), aiohttp.ClientSession() as session:
        assert base_url.startswith("http://[::1]:")
        async with session.get(f"{base_url}/healthz") as answer:
            assert answer.status == 200
