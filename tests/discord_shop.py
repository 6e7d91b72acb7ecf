"""A shop in the sandbox: a real client over real HTTP and WebSocket, real services on a real file."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import discord
import pytest
from storage_world import World

from bot.client import Endpoints, KeyPortClient, build_client, point_discord_at
from cogs.context import Services
from licensing.models import Product
from sandbox import Guild, Member, Sandbox
from storage.store import SqliteStore

API_URL = "https://licenses.example"


@dataclass
class DiscordClock:
    """Discord's time, which a test may push ahead."""

    ahead_s: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


class Gate:
    """Holds up every write of a store until it is opened."""

    def __init__(self, store: SqliteStore, patch: pytest.MonkeyPatch) -> None:
        self._open = asyncio.Event()
        write = type(store).write

        async def held_up(store: SqliteStore, work: Callable[..., Any]) -> Any:
            await self._open.wait()
            return await write(store, work)

        patch.setattr(type(store), "write", held_up)

    def open(self) -> None:
        self._open.set()


@dataclass
class Shop:
    """One guild with its people, the bot in it, and what the bot keeps."""

    sandbox: Sandbox
    world: World
    guild: Guild
    client: KeyPortClient
    task: asyncio.Task[None]

    def __post_init__(self) -> None:
        self.owner = self.guild.owner
        self.holders = self.guild.add_role("Pro holder")
        self.support_role = self.guild.add_role("Support", permissions=["manage_messages"])
        self.support = self.guild.add_member("Sam", roles=[self.support_role])
        self.alice = self.guild.add_member("Alice")
        self.bob = self.guild.add_member("Bob")

    async def start_bot(self) -> None:
        self.client, self.task = await connected(self.sandbox, self.world)

    async def stop_bot(self) -> None:
        await self.client.close()
        await asyncio.wait({self.task})
        await self.sandbox.wait_for_no_bot()

    async def restart_bot(self) -> None:
        await self.stop_bot()
        await self.start_bot()

    async def product(self, name: str = "Pro", *, by: Member | None = None, **options: object) -> str:
        """Create a product and return its API key."""
        reply = await (by or self.owner).slash("product create", name=name, **options)
        await reply.wait_for(lambda it: it.content.startswith("kp_live_"))
        return reply.content

    async def stored_product(self, name: str = "Pro") -> Product | None:
        return await self.world.store.read(lambda tx: tx.products.by_name(self.guild.id, name))

    async def stock(self, product: str = "Pro", *, by: Member | None = None, **options: object) -> str:
        """Issue a license to nobody and return its key."""
        reply = await (by or self.owner).slash("license issue", product=product, **options)
        await reply.wait_for(lambda it: len(it.messages) == 2)
        return reply.content

    async def grant(self, *permissions: str) -> None:
        reply = await self.owner.slash("staff grant", role=self.support_role, permissions=", ".join(permissions))
        assert "was given" in reply.text

    async def validate(self, api_key: str, key: str) -> str:
        return (await self.world.validate(api_key, key)).status.value

    async def has_role(self, member: Member, *, held: bool = True) -> None:
        """Wait until a member has the holders' role, or has it no longer."""
        await self.sandbox.wait_until(lambda: (self.holders.name in member.role_names) is held)

    async def delivered(self) -> None:
        """Wait until everything that happened so far was delivered."""
        last_id = (await self.world.events())[-1].id
        async with asyncio.timeout(10):
            while await self.world.store.read(lambda tx: tx.ledger.position("discord")) < last_id:
                self.client.context.outbox.wake.set()
                await asyncio.sleep(0.01)


def services(world: World) -> Services:
    return Services(
        catalog=world.catalog,
        versions=world.versions,
        signing=world.signing,
        api_keys=world.api_keys,
        licenses=world.licenses,
        bulk=world.bulk,
        finder=world.finder,
        changes=world.changes,
        resets=world.resets,
        transfers=world.transfers,
        account=world.account,
        staff=world.staff,
        blacklist=world.blacklist,
        organizations=world.organizations,
        roles=world.roles,
        history=world.history,
    )


async def connected(
    sandbox: Sandbox, world: World, *, members_intent: bool = True
) -> tuple[KeyPortClient, asyncio.Task[None]]:
    client = build_client(
        services(world),
        world.store,
        members_intent=members_intent,
        public_api_url=API_URL,
        clock=world.clock,
        poll_s=0.05,
        ready_after_s=0.05,
    )
    task = asyncio.create_task(client.start(sandbox.token))
    ready = asyncio.create_task(client.wait_until_ready()) if not task.done() else task
    await sandbox.wait_for_bot()
    await ready
    return client, task


@asynccontextmanager
async def discord_at(sandbox: Sandbox) -> AsyncIterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
        websocket = discord.gateway.DiscordWebSocket
        patch.setattr(websocket, "DEFAULT_GATEWAY", websocket.DEFAULT_GATEWAY)
        patch.setattr(discord.asset.Asset, "BASE", discord.asset.Asset.BASE)
        point_discord_at(Endpoints(sandbox.rest_base, sandbox.gateway_url, sandbox.cdn_base))
        yield
