"""Whether the process lives and whether it can serve: what monitoring and load balancers ask."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from bot.api.addresses import AddressReader
from bot.api.errors import json_response
from bot.api.limits import READY_TIMEOUT_S
from licensing.ports import Unavailable


class DiscordState(StrEnum):
    """How the bot stands with Discord; validations are served in every one of these."""

    OFF = "off"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a state's name
    INTENT_MISSING = "intent_missing"
    FAULT = "fault"


@dataclass(slots=True)
class Health:
    """What `/readyz` tells; the parts concerned keep it up to date."""

    version: str
    read_store: Callable[[], Awaitable[object]]  # raises Unavailable when validations cannot be served
    discord: DiscordState = DiscordState.OFF


async def healthz(_request: web.Request) -> web.Response:
    """Answer that the process lives."""
    return json_response({"status": "ok"})


class Readiness:
    """Answers whether validations can be served, and what the operator should look at."""

    def __init__(self, health: Health, addresses: AddressReader) -> None:
        self._health = health
        self._addresses = addresses

    async def readyz(self, _request: web.Request) -> web.Response:
        """Answer 200 as long as validations can be served; Discord's state is only told."""
        readable = await self._store_is_readable()
        peers = list(self._addresses.misconfigured)
        body = {
            "status": "ready" if readable else "unavailable",
            "store": "ok" if readable else "unavailable",
            "discord": self._health.discord,
            "proxy": "misconfigured" if peers else "ok",
            **({"proxy_peers": peers} if peers else {}),
            "version": self._health.version,
        }
        return json_response(body, code=200 if readable else 503)

    async def _store_is_readable(self) -> bool:
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                await self._health.read_store()
        except (Unavailable, TimeoutError):
            return False
        return True
