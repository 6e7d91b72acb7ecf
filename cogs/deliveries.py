"""What an event means in Discord: roles that follow licenses, and direct messages to whom it concerns.

Every step is repeatable, and a step that is done is not repeated while the bot runs. What Discord refuses for
good (closed messages, a role out of reach, a member who left) is logged and skipped.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import discord

from cogs.letters import Letter, Letters
from cogs.outbox import Away, Outcome
from cogs.role_keeper import RoleKeeper
from i18n import using_locale
from licensing.events import Action, Event

log = logging.getLogger(__name__)

_ROLE_EVENTS = frozenset(
    {
        Action.LICENSE_CREATED,
        Action.LICENSE_CLAIMED,
        Action.LICENSE_UPDATED,
        Action.LICENSE_EXTENDED,
        Action.LICENSE_SUSPENDED,
        Action.LICENSE_REINSTATED,
        Action.LICENSE_EXPIRED,
        Action.LICENSE_REVOKED,
        Action.LICENSE_RESTORED,
        Action.TRANSFERRED,
    }
)

# No direct messages from the bot, no server in common, no such person.
_CLOSED = frozenset({50007, 50278, 10013})

_OPENED_AT_ONCE = 10
_OPENED_EVERY_S = 2.0

Step = Callable[[], Awaitable[Outcome | None]]


class Pace:
    """Lets a few people be written to for the first time at once, and then one at a time.

    Discord takes many new direct messages in a short time for spam.
    """

    def __init__(
        self,
        *,
        at_once: int = _OPENED_AT_ONCE,
        every_s: float = _OPENED_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._lead_s = (at_once - 1) * every_s
        self._every_s = every_s
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    async def keep(self) -> None:
        """Wait until the next person may be written to."""
        now = self._clock()
        await self._sleep(max(0.0, self._next - self._lead_s - now))
        self._next = max(self._next, now) + self._every_s


class Deliveries:
    """Turns events into messages and roles."""

    def __init__(
        self, client: discord.Client, letters: Letters, roles: RoleKeeper, *, pace: Pace | None = None
    ) -> None:
        self._client = client
        self._letters = letters
        self._roles = roles
        self._pace = pace or Pace()
        self._begin(0)

    def _begin(self, event_id: int) -> None:
        self._done = (event_id, -1)  # the event and the last of its steps that succeeded
        self._outcome = Outcome.NOBODY
        self._closed: set[int] = set()

    async def deliver(self, event: Event) -> Outcome:
        """See to the roles, then tell everybody whom it concerns.

        Raises: whatever may work later; call again with the same event.
        """
        await self._client.wait_until_ready()
        guild = self._client.get_guild(event.organization_id)
        if guild is None or event.license_id is None:
            return Outcome.NOBODY
        if self._done[0] != event.id:
            self._begin(event.id)
        with using_locale(str(guild.preferred_locale)):
            for number, step in enumerate(await self._steps(event, guild)):
                if number > self._done[1]:
                    self._outcome = await self._tried(step) or self._outcome
                    self._done = (event.id, number)
        return self._outcome

    async def _tried(self, step: Step) -> Outcome | None:
        try:
            return await step()
        except discord.DiscordServerError as error:
            if self._client.ws is None or not self._client.ws.open:
                raise Away(str(error)) from error  # so that no single event is blamed for an outage
            raise

    async def _steps(self, event: Event, guild: discord.Guild) -> list[Step]:
        # The roles come first: how many messages there are can change between two attempts.
        steps: list[Step] = [lambda: self._see_to_roles(event, guild)]
        letters = await self._letters.of(event, guild)
        return steps + [self._send(event, number, letter) for number, letter in enumerate(letters)]

    def _send(self, event: Event, number: int, letter: Letter) -> Step:
        async def send() -> Outcome:
            if letter.to_id in self._closed:
                return Outcome.CLOSED
            try:
                await self._write(letter, nonce=f"{event.id}-{number}")
            except discord.HTTPException as error:
                if error.code not in _CLOSED:
                    raise
                log.info("a member concerned by license %s takes no direct messages", event.license_id)
                self._closed.add(letter.to_id)
                return Outcome.CLOSED
            return Outcome.DELIVERED

        return send

    async def _write(self, letter: Letter, *, nonce: str) -> None:
        channel = await self._channel(letter.to_id)
        view = letter.view()
        if view is None:
            await channel.send(letter.text, nonce=nonce)
        else:
            await channel.send(view=view, nonce=nonce)

    async def _channel(self, person_id: int) -> discord.DMChannel:
        for known in self._client.private_channels:
            if isinstance(known, discord.DMChannel) and known.recipient and known.recipient.id == person_id:
                return known
        await self._pace.keep()
        return await self._client.create_dm(discord.Object(person_id))

    async def _see_to_roles(self, event: Event, guild: discord.Guild) -> None:
        if event.action not in _ROLE_EVENTS or event.product_id is None:
            return
        before = (event.before or {}).get("customer_id") if event.action is Action.TRANSFERRED else None
        for customer_id in (before, event.customer_id):
            if customer_id is not None:
                await self._roles.see_to(guild, product_id=event.product_id, customer_id=customer_id)
