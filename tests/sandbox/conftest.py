"""A sandbox with one guild, and a plain discord.py client whose commands touch every kind of answer."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import aiohttp
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

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do without the five seconds that discord.py waits before it identifies again."""

    async def _failed(self, _interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        self.failures.append(error.__cause__ or error)

    async def on_error(self, *_args: object, **_kwargs: object) -> None:
        self.failures.append(sys.exception())

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
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def start(sandbox: Sandbox, address: None) -> AsyncIterator[Callable]:  # noqa: ARG001 - a client must find the sandbox
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


class RawBot:
    """A client of a few lines, to send what discord.py would refuse to send."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session
        self.heard: list[dict] = []
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task | None = None

    async def connect(self, *, intents: int = 1) -> None:
        self._socket = await self.session.ws_connect(f"{self.sandbox.gateway_url}?v=10&encoding=json")
        await self.send(2, {"token": self.sandbox.token, "intents": intents, "properties": {}})
        self._reader = asyncio.create_task(self._listen(self._socket))
        await self.sandbox.wait_for_bot()

    async def send(self, op: int, data: object) -> None:
        await self._socket.send_json({"op": op, "d": data})

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            self.heard.append(frame.json())
            self.sandbox.hub.world.signal.notify()

    async def hear(self, event: str) -> dict:
        """Wait for an event and take it."""
        await self.sandbox.wait_until(lambda: any(each["t"] == event for each in self.heard))
        found = next(each for each in self.heard if each["t"] == event)
        self.heard.remove(found)
        return found["d"]

    async def call(
        self, method: str, path: str, body: object = None, *, token: str | None = None
    ) -> tuple[int, dict]:
        headers = {"Authorization": f"Bot {token or self.sandbox.token}"}
        url = f"{self.sandbox.rest_base}{path}"
        async with self.session.request(method, url, json=body, headers=headers) as response:
            assert response.status == 204 or response.headers["Content-Type"] == "application/json"
            return response.status, await response.json() if response.status != 204 else {}

    async def answer(self, interaction: dict, kind: int, data: object = None) -> tuple[int, dict]:
        path = f"/interactions/{interaction['id']}/{interaction['token']}/callback?with_response=1"
        return await self.call("POST", path, {"type": kind, "data": data})

    def webhook(self, interaction: dict, which: str = "") -> str:
        base = f"/webhooks/{self.sandbox.application_id}/{interaction['token']}"
        return f"{base}/messages/{which}" if which else base

    async def register(self, *definitions: dict, guild: Guild | None = None) -> tuple[int, dict]:
        within = f"/guilds/{guild.id}" if guild else ""
        path = f"/applications/{self.sandbox.application_id}{within}/commands"
        return await self.call("PUT", path, list(definitions))

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
            await self._reader


@pytest.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[RawBot]:
    async with aiohttp.ClientSession() as session:
        raw = RawBot(sandbox, session)
        yield raw
        await raw.close()
