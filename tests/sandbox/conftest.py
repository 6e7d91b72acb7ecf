"""A sandbox with one guild, and a plain discord.py client whose commands touch every kind of answer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import discord
import pytest
import yarl
from discord import app_commands, asset, gateway, http

from sandbox import Guild, Sandbox

INTENTS = discord.Intents(guilds=True, members=True, guild_messages=True, dm_messages=True, moderation=True)


class Client(discord.Client):
    """A client that syncs its tree when it starts and says what went wrong in a command."""

    def __init__(self, build: Callable[["Client"], None], intents: discord.Intents = INTENTS) -> None:
        super().__init__(intents=intents, max_messages=None)
        self.tree = app_commands.CommandTree(self)
        self.tree.error(self._failed)
        self.failures: list[BaseException] = []
        self.events: list[str] = []
        build(self)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def _failed(self, _interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        self.failures.append(error.__cause__ or error)

    async def on_error(self, *_args: object, **_kwargs: object) -> None:
        raise

    async def on_socket_event_type(self, event: str) -> None:
        self.events.append(event)

    def failure(self) -> discord.HTTPException:
        found = self.failures.pop()
        cause = getattr(found, "original", found)
        assert isinstance(cause, discord.HTTPException), repr(cause)
        return cause


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(deadline=1.0) as running:
        yield running
    assert not running.crashes, running.crashes[0]


@pytest.fixture
def guild(sandbox: Sandbox) -> Guild:
    return sandbox.add_guild("Shop", owner="Olivia")


@pytest.fixture
def address(sandbox: Sandbox) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http.Route, "BASE", sandbox.rest_base)
        patch.setattr(gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(sandbox.gateway_url))
        patch.setattr(asset.Asset, "BASE", sandbox.cdn_base)
        yield


@asynccontextmanager
async def running(sandbox: Sandbox, client: discord.Client) -> AsyncIterator[None]:
    """Run a client until the block ends; it has identified by the time the block begins."""
    task = asyncio.create_task(client.start(sandbox.token))
    connected = asyncio.create_task(sandbox.wait_for_bot())
    try:
        await asyncio.wait({task, connected}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        await connected
        yield
    finally:
        connected.cancel()
        await client.close()
        await asyncio.wait({task})


@pytest.fixture
async def start(sandbox: Sandbox, address: None) -> AsyncIterator[Callable]:
    """Start a client built by a function; give it once it is connected."""
    stack: list = []

    async def begin(build: Callable[[Client], None] = lambda _client: None, **settings: discord.Intents) -> Client:
        client = Client(build, **settings)
        context = running(sandbox, client)
        await context.__aenter__()
        stack.append(context)
        return client

    yield begin
    for context in reversed(stack):
        await context.__aexit__(None, None, None)
