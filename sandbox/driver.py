"""The Python driver: a Discord to start, stop, disturb and fill with guilds."""

import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from sandbox.commands import Registry
from sandbox.errors import Json
from sandbox.gateway import Gateway
from sandbox.hub import PATIENCE, Hub, Refusal, Request
from sandbox.interactions import Interactions
from sandbox.model import User
from sandbox.page.guide import Guide
from sandbox.people import People
from sandbox.places import Guild, Member
from sandbox.server import Server
from sandbox.sessions import Close, Intent
from sandbox.world import World

TOKEN = "MTEwMDAwMDAwMDAwMDAwMDAwMA.sandbox.not-a-secret"  # noqa: S105 - accepted by the sandbox alone


class Outage:
    """Discord being away: REST answers 503 and the gateway refuses, from entering to leaving."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def start(self) -> None:
        self._hub.trouble.outage = self._hub.gateway.refusing = True
        self._hub.gateway.drop(resumable=True, code=Close.UNKNOWN_ERROR)

    def stop(self) -> None:
        self._hub.trouble.outage = self._hub.gateway.refusing = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__(*error)


class Sandbox:
    """A Discord of one's own: start it, point a bot at its addresses, and let people act."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        deadline: float = 3.0,
        bot_name: str = "KeyPort",
        port: int = 0,
    ) -> None:
        world = World(clock=clock, bot_name=bot_name, privileged_intents=int(Intent.GUILD_MEMBERS))
        gateway = Gateway(world, token=TOKEN)
        registry = Registry(world)
        interactions = Interactions(world, deadline=deadline, listening=lambda: bool(gateway.sessions))
        self.hub = Hub(world, registry, interactions, People(world, registry, interactions), gateway)
        self._server = Server(self.hub, port=port)

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        self.hub.gateway.drop(resumable=False)
        await self._server.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def page_url(self) -> str:
        """Where a browser on this machine sees what the people in here see."""
        return self._server.page_url

    @property
    def guide(self) -> Guide:
        """What the page invites a first visitor to try."""
        return self._server.guide

    @property
    def rest_base(self) -> str:
        return self._server.rest_base

    @property
    def gateway_url(self) -> str:
        return self._server.gateway_url

    @property
    def cdn_base(self) -> str:
        return self._server.cdn_base

    @property
    def token(self) -> str:
        return self.hub.gateway.token

    def reset_token(self, token: str) -> None:
        """Give the application a new token, as in the developer portal; the old one dies at once."""
        self.hub.gateway.token = token
        self.hub.gateway.drop(resumable=False, code=Close.AUTHENTICATION_FAILED)

    @property
    def application_id(self) -> int:
        return self.hub.world.application_id

    @property
    def privileged_intents(self) -> int:
        """The privileged intents switched on in the developer portal (`Intent` bits)."""
        return self.hub.world.privileged_intents

    @privileged_intents.setter
    def privileged_intents(self, intents: int) -> None:
        self.hub.world.privileged_intents = int(intents)

    @property
    def requests(self) -> list[Request]:
        """Every REST request so far, in order."""
        return self.hub.requests

    @property
    def unknown_requests(self) -> list[str]:
        """Requests for what the sandbox does not imitate; a test wants none."""
        return self.hub.unknown_requests

    @property
    def crashes(self) -> list[str]:
        """Tracebacks of faults of the sandbox itself; a test wants none."""
        return self.hub.crashes

    def commands(self, guild: Guild | None = None) -> list[Json]:
        """The registered definitions: global ones, or a guild's own."""
        return self.hub.registry.all(guild.id if guild else None)

    def add_guild(
        self,
        name: str,
        *,
        owner: str | Member = "Olivia",
        locale: str = "en-US",
        channels: Iterable[str] = ("general",),
        bot: bool = True,
    ) -> Guild:
        """Found a guild; unless told otherwise the bot is invited, its role on top."""
        world = self.hub.world
        user = world.add_user(owner) if isinstance(owner, str) else owner.user
        guild = Guild(self.hub, world.add_guild(name, owner=user, locale=locale))
        for channel in channels:
            guild.add_channel(channel)
        if bot:
            guild.add_bot()
        return guild

    def add_user(self, name: str) -> User:
        """Somebody who uses Discord and is in none of the guilds."""
        return self.hub.world.add_user(name)

    # The bot's connection

    @property
    def bot_connected(self) -> bool:
        return bool(self.hub.gateway.live)

    async def wait_until(self, true: Callable[[], Any], *, timeout: float = PATIENCE) -> None:  # noqa: ASYNC109 - a bound on the condition
        """Wait until something holds in the sandbox; raise if it never does."""
        await self.hub.wait_until(true, timeout=timeout)

    async def wait_for_bot(self, timeout: float = PATIENCE) -> None:  # noqa: ASYNC109 - a bound on the bot's start
        """Wait until the bot has identified and was told READY (or RESUMED)."""
        await self.wait_until(lambda: self.bot_connected, timeout=timeout)

    async def wait_for_no_bot(self, timeout: float = PATIENCE) -> None:  # noqa: ASYNC109 - a bound on the bot's end
        """Wait until no client is connected to the gateway."""
        await self.wait_until(lambda: not self.hub.gateway.connections, timeout=timeout)

    async def drop_gateway(self, *, resume: bool = True) -> None:
        """Cut the gateway; with `resume` the session is kept, else it is invalid when the client returns."""
        self.hub.gateway.drop(resumable=resume)

    def outage(self) -> Outage:
        return Outage(self.hub)

    def rate_limit(self, count: int, *, retry_after: float = 0.05, path_prefix: str = "") -> None:
        """Answer the next `count` requests (whose path starts so) with 429."""
        self.hub.trouble.refuse(count, Refusal(429, retry_after=retry_after, path_prefix=path_prefix))

    def fail_requests(
        self, count: int = 1, *, status: int = 500, code: int = 0, method: str = "", path_prefix: str = ""
    ) -> None:
        """Refuse the next `count` requests that fit with any status and error code."""
        self.hub.trouble.refuse(count, Refusal(status, code, method=method, path_prefix=path_prefix))

    def limit_channel_messages(self, most: int | None = 5, seconds: float = 5.0) -> None:
        """Switch on Discord's limit on messages per channel; None switches it off."""
        self.hub.trouble.channel_limit = None if most is None else (most, seconds)
