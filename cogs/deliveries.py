"""What an event means in Discord: a direct message to its holder, and the role that comes with a license.

Every step is repeatable, and a step that is done is not repeated while the bot runs. What Discord refuses for
good (closed messages, a role out of reach, a member who left) is logged once and skipped.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import discord

from cogs.context import Services
from cogs.outbox import Outcome, is_transient
from cogs.ui import words
from i18n import gettext as _
from i18n import using_locale
from licensing.errors import LicenseNotFound
from licensing.events import Action, Event
from licensing.models import Actor, ActorKind, HeldRole, LicenseState, LicenseView

log = logging.getLogger(__name__)

_ROLE_EVENTS = frozenset({Action.LICENSE_CREATED, Action.LICENSE_CLAIMED, Action.LICENSE_REVOKED})

Step = Callable[[], Awaitable[Outcome | None]]


class Deliveries:
    """Turns events into messages and roles."""

    def __init__(self, client: discord.Client, services: Services) -> None:
        self._client = client
        self._services = services
        self._done = (0, -1)  # the event and the last of its steps that succeeded
        self._outcome = Outcome.NOBODY
        self._reported_roles: set[int] = set()

    async def deliver(self, event: Event) -> Outcome:
        """See to the role, then tell the holder.

        Raises: whatever may work later; call again with the same event.
        """
        await self._client.wait_until_ready()
        guild = self._client.get_guild(event.organization_id)
        if guild is None or event.action not in _ROLE_EVENTS:
            return Outcome.NOBODY
        if self._done[0] != event.id:
            self._done, self._outcome = (event.id, -1), Outcome.NOBODY
        with using_locale(str(guild.preferred_locale)):
            for number, step in enumerate(await self._steps(event, guild)):
                if number > self._done[1]:
                    self._outcome = await step() or self._outcome
                    self._done = (event.id, number)
        return self._outcome

    async def _steps(self, event: Event, guild: discord.Guild) -> list[Step]:
        # The role comes first: how many messages there are can change between two attempts.
        steps: list[Step] = [lambda: self._see_to_role(event, guild)]
        messages = await self._messages(event, guild)
        return steps + [self._tell(event, number, *message) for number, message in enumerate(messages)]

    async def _messages(self, event: Event, guild: discord.Guild) -> list[tuple[int, str]]:
        """Return to whom to write what; an event of which nobody is told has none."""
        if event.action is Action.LICENSE_CLAIMED or event.license_id is None:
            return []
        system = Actor(organization_id=event.organization_id, kind=ActorKind.SYSTEM)
        try:
            view = await self._services.licenses.view(system, f"#{event.license_id}")
            holder_id = view.customer.discord_id if view.customer else None
            if holder_id is None:
                return []
            if event.action is Action.LICENSE_REVOKED:
                return [(holder_id, _revoked(view, guild, event.reason))]
            return await self._issued(view, guild, holder_id)
        except LicenseNotFound:  # it changed hands since
            return []

    async def _issued(self, view: LicenseView, guild: discord.Guild, holder_id: int) -> list[tuple[int, str]]:
        if view.license.state is LicenseState.REVOKED:  # before it could be delivered
            return []
        holder = Actor(organization_id=guild.id, id=holder_id)
        key = await self._services.account.reveal(holder, view.license.id)
        return [(holder_id, _issued(view, guild)), (holder_id, key)]

    def _tell(self, event: Event, number: int, user_id: int, text: str) -> Step:
        async def tell() -> Outcome:
            if self._outcome is Outcome.CLOSED:
                return Outcome.CLOSED
            try:
                channel = await self._client.create_dm(discord.Object(user_id))
                await channel.send(text, nonce=f"{event.id}-{number}")
            except discord.HTTPException as error:
                if is_transient(error):
                    raise
                log.info("the holder of license %s takes no direct messages", event.license_id)
                return Outcome.CLOSED
            return Outcome.DELIVERED

        return tell

    async def _see_to_role(self, event: Event, guild: discord.Guild) -> None:
        if event.product_id is None or event.customer_id is None:
            return
        need = await self._services.roles.needs(guild.id, event.product_id, event.customer_id)
        if need is None:
            return
        if need.entitled:
            await self.give(need.held, guild, given_by_bot=need.given_by_bot)
        elif need.given_by_bot:
            await self._take(need.held, guild)

    async def give(self, held: HeldRole, guild: discord.Guild, *, given_by_bot: bool) -> None:
        """Give a role that the member lacks; whoever has it from somebody else keeps it for good.

        It is written down first: a crash in between must not leave a role that nobody dares to take back.
        """
        member = await self._member(held, guild)
        if member is None or any(role.id == held.role_id for role in member.roles):
            return
        if not given_by_bot:
            await self._services.roles.gave(held)
        role = discord.Object(held.role_id)
        if not await self._on_role(held, member.add_roles(role, reason=_("KeyPort: holds a license"))):
            await self._services.roles.took(held)

    async def _take(self, held: HeldRole, guild: discord.Guild) -> None:
        member = await self._member(held, guild)
        if member is not None:
            role = discord.Object(held.role_id)
            reason = _("KeyPort: no longer holds a license")
            if not await self._on_role(held, member.remove_roles(role, reason=reason)):
                return
        await self._services.roles.took(held)

    async def _member(self, held: HeldRole, guild: discord.Guild) -> discord.Member | None:
        try:
            return await guild.fetch_member(held.discord_id)
        except discord.NotFound:
            return None
        except discord.Forbidden:
            self._report(held)
            return None

    async def _on_role(self, held: HeldRole, change: Awaitable[Any]) -> bool:
        try:
            await change
        except discord.HTTPException as error:
            if is_transient(error):
                raise
            self._report(held)
            return False
        return True

    def _report(self, held: HeldRole) -> None:
        if held.role_id not in self._reported_roles:
            self._reported_roles.add(held.role_id)
            log.warning(
                "role %s in server %s is out of the bot's reach: give the bot Manage Roles, "
                "and drag its role above that one",
                held.role_id,
                held.organization_id,
            )


def _issued(view: LicenseView, guild: discord.Guild) -> str:
    return _(
        "You have a license for **{product}** from **{server}**.\n"
        "Expires: {when}\n"
        "Type the key from the next message where {product} asks for it. "
        "To see it again, use `/licenses` in {server}."
    ).format(
        product=words.plain(view.product.name),
        server=words.plain(guild.name),
        when=words.expiry(view.license.expires_at_ms),
    )


def _revoked(view: LicenseView, guild: discord.Guild, reason: str | None) -> str:
    text = _("Your license #{id} for **{product}** from **{server}** was revoked.").format(
        id=view.license.id, product=words.plain(view.product.name), server=words.plain(guild.name)
    )
    if reason:
        text += "\n" + _("Reason: {reason}").format(reason=words.plain(reason, 1_000))
    return text
