"""What an event is told to whom, in the language of their server; who writes it is `cogs.deliveries`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from cogs import transfer_buttons
from cogs.context import Services
from cogs.ui import layouts, words
from i18n import N_
from i18n import gettext as _
from licensing.choices import ActorKind, LicenseState, TransferState
from licensing.errors import LicenseNotFound, TransferNotFound
from licensing.events import Action, Event
from licensing.models import Actor, LicenseView, TransferView
from licensing.verdict import Status, license_status

_REASON_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class Letter:
    """A direct message to one person, with buttons if there is something to decide."""

    to_id: int
    text: str
    items: Sequence[discord.ui.Item[Any]] = ()

    def view(self) -> discord.ui.LayoutView | None:
        """Return the message with its buttons; a text alone needs no layout, and copies better."""
        return layouts.panel(self.text, items=self.items) if self.items else None


@dataclass(frozen=True, slots=True)
class Server:
    """The server that an event happened in, as the people written to know it."""

    id: int
    name: str


Writer = Callable[[Event, Server], Awaitable[list[Letter]]]

_LICENSE_NEWS: Mapping[Action, str] = {
    Action.LICENSE_REVOKED: N_("Your license #{id} for **{product}** from **{server}** was revoked."),
    Action.LICENSE_SUSPENDED: N_(
        "Your license #{id} for **{product}** from **{server}** was suspended and does not work for now."
    ),
    Action.LICENSE_REINSTATED: N_("Your license #{id} for **{product}** from **{server}** is no longer suspended."),
    Action.LICENSE_RESTORED: N_("Your license #{id} for **{product}** from **{server}** was restored."),
    Action.LICENSE_EXPIRED: N_(
        "Your license #{id} for **{product}** from **{server}** has expired; ask the staff there for more time."
    ),
}

_NEWS_OF_SEVERAL: Mapping[Action, str] = {
    Action.LICENSE_REVOKED: N_("{count} of your licenses for **{product}** from **{server}** were revoked."),
    Action.LICENSE_SUSPENDED: N_(
        "{count} of your licenses for **{product}** from **{server}** were suspended and do not work for now."
    ),
    Action.LICENSE_REINSTATED: N_(
        "{count} of your licenses for **{product}** from **{server}** are no longer suspended."
    ),
}


class Letters:
    """Writes the letters of an event; an event of which nobody is told has none."""

    def __init__(self, services: Services, *, clock: Callable[[], int]) -> None:
        self._services = services
        self._clock = clock
        self._writers: Mapping[Action, Writer] = {
            Action.LICENSE_CREATED: self._issued,
            Action.TRANSFER_OFFERED: self._offered,
            Action.TRANSFER_ACCEPTED: self._accepted,
            Action.TRANSFERRED: self._transferred,
            Action.TRANSFER_REJECTED: self._rejected,
            Action.TRANSFER_CANCELLED: self._cancelled,
            **dict.fromkeys(_LICENSE_NEWS, self._news),
        }

    async def of(self, event: Event, guild: discord.Guild) -> list[Letter]:
        """Return what to write to whom.

        Raises: Unavailable.
        """
        writer = self._writers.get(event.action)
        if writer is None or event.is_silent:
            return []
        try:
            return await writer(event, await self._server(guild))
        except (LicenseNotFound, TransferNotFound):  # it changed hands since
            return []

    async def _server(self, guild: discord.Guild) -> Server:
        """Return a server by the name it had, where Discord has not told of it since the bot started."""
        name = guild.name or await self._services.organizations.name_of(guild.id)
        return Server(guild.id, name or str(guild.id))

    async def _issued(self, event: Event, server: Server) -> list[Letter]:
        view = await self._license(event)
        holder_id = _holder_id(view, event)
        if holder_id is None or view.license.state is LicenseState.REVOKED:  # before it could be delivered
            return []
        holder = Actor(organization_id=server.id, id=holder_id)
        key = await self._services.account.reveal(holder, view.license.id)
        text = _(
            "You have a license for **{product}** from **{server}**.\n"
            "Expires: {when}\n"
            "Type the key from the next message where {product} asks for it. "
            "To see it again, use `/licenses` in {server}."
        ).format(**_names(view, server), when=words.expiry(view.license))
        return [Letter(holder_id, text), Letter(holder_id, key)]

    async def _news(self, event: Event, server: Server) -> list[Letter]:
        views = [await self._license(event, license_id) for license_id in event.license_ids]
        news = [view for view in views if _holder_id(view, event) is not None and self._is_news(event, view)]
        if not news:
            return []
        facts = {"id": news[0].license.id, **_names(news[0], server)}
        text = _(_LICENSE_NEWS[event.action] if len(news) == 1 else _NEWS_OF_SEVERAL[event.action])
        return [Letter(_holder_id(news[0], event) or 0, text.format(count=len(news), **facts) + _reason(event))]

    async def _offered(self, event: Event, server: Server) -> list[Letter]:
        found = await self._transfer(event)
        if found.transfer.state is not TransferState.OFFERED:
            return []
        text = _(
            "{holder} offers you a license for **{product}** from **{server}**.\n"
            "Expires: {when}\n"
            "Accept or decline until {until}; `/transfer list` in {server} shows the offer too."
        ).format(
            **_names(found.license, server),
            holder=words.person(found.holder.discord_id, found.holder.name),
            when=words.expiry(found.license.license),
            until=words.when(found.transfer.expires_at_ms),
        )
        ids = str(server.id), str(found.transfer.id)
        steps = [transfer_buttons.Step(*ids, step) for step in ("accept", "decline")]
        return [Letter(found.transfer.to_discord_id, text, steps)]

    async def _accepted(self, event: Event, server: Server) -> list[Letter]:
        found = await self._transfer(event)
        text = _("{recipient} accepted your license #{id} for **{product}** from **{server}**; now its staff decide.")
        return _to_holder(
            found, text.format(recipient=_recipient(found), id=_id(found), **_names(found.license, server))
        )

    async def _transferred(self, event: Event, server: Server) -> list[Letter]:
        found = await self._transfer(event)
        gone = _("Your license #{id} for **{product}** from **{server}** now belongs to {recipient}.")
        come = _(
            "The license #{id} for **{product}** from **{server}** is yours now; "
            "its key is under `/licenses` in {server}."
        )
        facts = {"id": _id(found), **_names(found.license, server)}
        letter = Letter(found.transfer.to_discord_id, come.format(**facts))
        return [*_to_holder(found, gone.format(recipient=_recipient(found), **facts)), letter]

    async def _rejected(self, event: Event, server: Server) -> list[Letter]:
        found = await self._transfer(event)
        facts = {"id": _id(found), "recipient": _recipient(found), **_names(found.license, server)}
        if found.transfer.state is TransferState.DECLINED:
            text = _("{recipient} declined your license #{id} for **{product}** from **{server}**; it stays yours.")
            return _to_holder(found, text.format(**facts))
        mine = _(
            "The staff of **{server}** denied the transfer of your license #{id} for **{product}** to {recipient}; "
            "it stays yours."
        )
        theirs = _("The staff of **{server}** denied the transfer of license #{id} for **{product}** to you.")
        letter = Letter(found.transfer.to_discord_id, theirs.format(**facts) + _reason(event))
        return [*_to_holder(found, mine.format(**facts) + _reason(event)), letter]

    async def _cancelled(self, event: Event, server: Server) -> list[Letter]:
        found = await self._transfer(event)
        facts = {"id": _id(found), "recipient": _recipient(found), **_names(found.license, server)}
        theirs = _("The transfer of license #{id} for **{product}** from **{server}** to you has ended without it.")
        letters = [Letter(found.transfer.to_discord_id, theirs.format(**facts))]
        if found.transfer.state is TransferState.EXPIRED:
            mine = _(
                "The transfer of your license #{id} for **{product}** from **{server}** to {recipient} was not "
                "decided in time; the license stays yours."
            )
            letters += _to_holder(found, mine.format(**facts))
        return letters

    async def _license(self, event: Event, license_id: int | None = None) -> LicenseView:
        system = Actor(organization_id=event.organization_id, kind=ActorKind.SYSTEM)
        return await self._services.licenses.view(system, f"#{license_id or event.license_id}")

    async def _transfer(self, event: Event) -> TransferView:
        transfer_id = int((event.after or {}).get("transfer_id", 0))
        return await self._services.transfers.view(event.organization_id, transfer_id)

    def _is_news(self, event: Event, view: LicenseView) -> bool:
        """Tell whether it is so still: what is told of many may come late, and after it what overtook it."""
        if event.action is Action.LICENSE_EXPIRED:
            return self._has_ended(view)
        state = (event.after or {}).get("state", view.license.state)
        return bool(state == view.license.state) or not event.is_one_of_many

    def _has_ended(self, view: LicenseView) -> bool:
        return license_status(view.license, view.product, now_ms=self._clock()) is Status.EXPIRED


def _holder_id(view: LicenseView, event: Event) -> int | None:
    """Return whom an event concerns, if the license is still theirs."""
    same = view.license.customer_id == event.customer_id
    return view.customer.discord_id if view.customer and same else None


def _to_holder(found: TransferView, text: str) -> list[Letter]:
    return [Letter(found.holder.discord_id, text)] if found.holder.discord_id else []


def _recipient(found: TransferView) -> str:
    return words.person(found.transfer.to_discord_id, found.transfer.to_name)


def _id(found: TransferView) -> int:
    return found.license.license.id


def _names(view: LicenseView, server: Server) -> dict[str, str]:
    return {"product": words.plain(view.product.name), "server": words.plain(server.name)}


def _reason(event: Event) -> str:
    if event.reason is None or not event.reason.strip():
        return ""
    return "\n" + _("Reason: {reason}").format(reason=words.plain(event.reason, _REASON_LENGTH))
