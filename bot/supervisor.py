"""Keeps the bot connected, whatever Discord does: a new client for every attempt, and one clear line per trouble.

A refused connection, a wrong token, a missing intent and a closed client end `start()` in different ways, and a
closed client cannot be used again. Nothing that happens here may reach the API.
"""

import asyncio
import logging
from collections.abc import Callable

from bot.api.health import DiscordState, Health
from bot.client import KeyPortClient, Trouble, classify

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_OPERATOR_WAIT_S = 300.0  # a wrong token is mended by a person
_CLOSE_TIMEOUT_S = 1.5

_ADVICE = {
    Trouble.TOKEN_REFUSED: (
        "Discord refused the bot's token: copy it anew from the Developer Portal (Bot, Reset Token) into"
        " discord.token or KEYPORT_DISCORD__TOKEN and restart. The API serves meanwhile."
    ),
    Trouble.INTENT_MISSING: (
        "The Server Members intent is not enabled: switch it on in the Developer Portal (Bot, Privileged Gateway"
        " Intents), or set discord.members_intent = false, and restart. Going on without it: roles are not given back"
        " to members who rejoin."
    ),
    Trouble.UNREACHABLE: "Discord cannot be reached; trying again until it can. The API serves meanwhile.",
    Trouble.STORE_UNAVAILABLE: "The database cannot be reached, so the bot cannot start; trying again until it can.",
    Trouble.FAULT: (
        "The bot stopped over a fault of its own, which is no matter of Discord or the network; trying again every"
        " minute. Report it to KeyPort's developers with the lines below. The API serves meanwhile."
    ),
}
_STATES = {
    Trouble.TOKEN_REFUSED: DiscordState.TOKEN_REFUSED,
    Trouble.INTENT_MISSING: DiscordState.INTENT_MISSING,
    Trouble.UNREACHABLE: DiscordState.UNREACHABLE,
    Trouble.STORE_UNAVAILABLE: DiscordState.CONNECTING,  # the store has its own line in `/readyz`
    Trouble.FAULT: DiscordState.FAULT,
}

log = logging.getLogger(__name__)


class Supervisor:
    """Runs one client after another; `build` makes one, with or without the members intent."""

    def __init__(
        self,
        build: Callable[[bool], KeyPortClient],
        *,
        token: str,
        health: Health,
        members_intent: bool,
        chance: Callable[[], float],
    ) -> None:
        self._build = build
        self._token = token
        self._health = health
        self._members_intent = members_intent
        self._chance = chance
        self._failures = 0
        self._told: Trouble | None = None
        self._was_lost = False

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            self._health.discord = DiscordState.CONNECTING
            error = await self._attempt()
            trouble = classify(error) if error else Trouble.UNREACHABLE
            self._tell(trouble, error)
            if trouble is Trouble.INTENT_MISSING and self._members_intent:
                self._members_intent = False
                continue
            await asyncio.sleep(self._wait_s(trouble))

    async def _attempt(self) -> Exception | None:
        client = self._build(self._members_intent)
        client.add_listener(self._connected, "on_ready")
        client.add_listener(self._connected, "on_resumed")
        client.add_listener(self._disconnected, "on_disconnect")
        try:
            await client.start(self._token)
        except Exception as error:
            log.debug("the connection to Discord ended", exc_info=True)
            return error
        finally:
            await _close(client)
        return None

    async def _connected(self) -> None:
        if self._health.discord is not DiscordState.CONNECTED:
            log.info("Connected to Discord again." if self._was_lost else "Connected to Discord.")
        self._health.discord = DiscordState.CONNECTED
        self._failures, self._told, self._was_lost = 0, None, False

    async def _disconnected(self) -> None:
        # discord.py says this for every failed attempt; only a connection that stood can be lost.
        if self._health.discord is DiscordState.CONNECTED:
            log.warning("The connection to Discord was lost; connecting again. The API serves meanwhile.")
            self._was_lost = True
        self._health.discord = DiscordState.CONNECTING

    def _tell(self, trouble: Trouble, error: Exception | None) -> None:
        self._health.discord = _STATES[trouble]
        if trouble is not self._told:
            log.error(_ADVICE[trouble], exc_info=error if trouble is Trouble.FAULT else None)
        self._told = trouble

    def _wait_s(self, trouble: Trouble) -> float:
        if trouble is Trouble.TOKEN_REFUSED:
            return _OPERATOR_WAIT_S
        first_s = _LONGEST_WAIT_S if trouble is Trouble.FAULT else _FIRST_WAIT_S
        wait_s = min(first_s * 2.0**self._failures, _LONGEST_WAIT_S)
        self._failures += 1
        return wait_s * (0.5 + self._chance() / 2)


async def _close(client: KeyPortClient) -> None:
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await client.close()
    except Exception:
        log.debug("a client did not close cleanly", exc_info=True)
