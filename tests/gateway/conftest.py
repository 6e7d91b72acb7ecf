"""A sandbox, a store on a real file, and a shop with the bot in it."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from discord_shop import DiscordClock, Shop, connected, discord_at
from storage_world import World, opened

from sandbox import Sandbox
from storage import DatabaseSettings


@pytest.fixture
def discord_clock() -> DiscordClock:
    return DiscordClock()


@pytest.fixture
async def sandbox(discord_clock: DiscordClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=discord_clock) as running, discord_at(running):
        yield running
    assert not running.crashes, running.crashes[0]
    assert running.unknown_requests == []


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings = DatabaseSettings(path=tmp_path / "keyport.db", key_file=tmp_path / "keyport.key")
    async with opened(settings, organizations=()) as world:
        world.now_ms = time.time_ns() // 1_000_000
        yield world


@pytest.fixture
async def shop(sandbox: Sandbox, world: World) -> AsyncIterator[Shop]:
    guild = sandbox.add_guild("Shop", owner="Olivia")
    client, task = await connected(sandbox, world)
    shop = Shop(sandbox, world, guild, client, task)
    yield shop
    if not shop.client.is_closed():
        await shop.stop_bot()


@pytest.fixture(autouse=True)
def no_bug_was_reported(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Every unexpected error is logged; no test expects one but discord.py's own about a lost connection."""
    yield
    errors = [record for record in caplog.get_records("call") if record.levelname in ("ERROR", "CRITICAL")]
    found = [record for record in errors if record.name != "discord.client"]
    assert not found, [record.getMessage() for record in found]
