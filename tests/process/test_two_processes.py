"""Two processes that serve one database, on a port that they share or each on its own."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from processes import ROOT, environment, keyport, stopped
from storage_world import OWNER, opened

from storage import DatabaseSettings


@contextlib.contextmanager
def port_to_share() -> Iterator[str]:
    """Keep a port, so that nobody but those who share it takes it; none is ever listened on here."""
    with closing(socket.socket()) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        yield str(held.getsockname()[1])


async def answered(base_url: str, api_key: str, key: str) -> tuple[str, str]:
    """Validate on a connection of its own; return the status, and what the answering process starts its ids with."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {api_key}"}) as session:
        answer = await session.post(f"{base_url}/api/v1/validate", json={"license_key": key})
        return (await answer.json())["status"], answer.headers["X-Request-Id"].partition("-")[0]


async def by_both(base_url: str, api_key: str, key: str) -> set[str]:
    """Ask until two processes have answered, and return every status."""
    statuses, processes = set[str](), set[str]()
    for _ in range(500):
        status, process = await answered(base_url, api_key, key)
        statuses.add(status)
        processes.add(process)
        if len(processes) > 1:
            return statuses
    raise AssertionError(f"only {processes} answered")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere one process may get every connection")
async def test_two_processes_share_a_port_and_a_revocation_is_seen_by_both(tmp_path: Path) -> None:
    settings = DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")
    with port_to_share() as port:
        shared = {"DATABASE__URL": f"sqlite:///{settings.path}", "API__PORT": port, "API__REUSE_PORT": "true"}
        async with opened(settings) as world:
            product = await world.product()
            issued = await world.issue(discord_id=20)
            async with keyport("api", **shared) as (first, base_url), keyport("api", **shared):
                assert await by_both(base_url, product.api_key, issued.key) == {"active"}
                await world.licenses.revoke(OWNER, issued.key)
                assert await by_both(base_url, product.api_key, issued.key) == {"revoked"}
                await stopped(first, signal.SIGTERM)
                left = {await answered(base_url, product.api_key, issued.key) for _ in range(20)}
                assert len(left) == 1


async def counted(base_url: str, api_key: str, key: str, *, caller: str) -> int:
    """Validate from an address of this machine; return how many seats are taken."""
    connector = aiohttp.TCPConnector(local_addr=(caller, 0))
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {api_key}"}, connector=connector) as session:
        answer = await session.post(f"{base_url}/api/v1/validate", json={"license_key": key})
        return int((await answer.json())["ip_count"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a machine calls itself by one address")
async def test_a_seat_that_one_process_gave_is_counted_in_the_next_answer_of_another(tmp_path: Path) -> None:
    settings = DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")
    async with opened(settings) as world:
        product = await world.product()
        issued = await world.issue(discord_id=20)
    own_port = {"DATABASE__URL": f"sqlite:///{settings.path}"}
    async with keyport("api", **own_port) as (_, first), keyport("api", **own_port) as (_, second):
        for number in range(1, 9):
            giving, asked = (first, second) if number % 2 else (second, first)
            for base_url in (giving, asked, asked, giving):
                caller = "127.0.0.1" if base_url is asked else f"127.0.0.{number}"
                assert await counted(base_url, product.api_key, issued.key, caller=caller) == number


async def test_a_port_that_is_not_shared_is_refused_to_a_second_process_in_one_sentence(tmp_path: Path) -> None:
    settings = {"DATABASE__URL": f"sqlite:///{tmp_path}/keyport.db"}
    async with keyport("api", **settings) as (_process, base_url):
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "api", cwd=ROOT, stderr=asyncio.subprocess.PIPE,
            env=environment(API__PORT=base_url.rpartition(":")[2], API__REUSE_PORT="true", **settings),
        )  # fmt: skip
        told = (await second.communicate())[1].decode()
    assert second.returncode == 2
    assert "another process has the port" in told
