"""The answer to what takes long: how far it is, now and then, and how it ended, by whatever way is still open."""

import asyncio
import contextlib
import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
import discord

from cogs.context import Interaction
from cogs.ui.persistent import note

SHOWN_EVERY_S = 2.0

log = logging.getLogger(__name__)

_NOT_SHOWN = (discord.HTTPException, aiohttp.ClientError, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message of an answer: a panel, a plain text, or a text with a file."""

    view: discord.ui.LayoutView | None = None
    text: str = ""
    data: bytes = b""
    filename: str = ""

    def arguments(self) -> dict[str, Any]:
        """Return what sends it; a file is used up by every attempt, so each has its own."""
        if self.view is not None:
            return {"view": self.view}
        file = {"file": discord.File(io.BytesIO(self.data), self.filename)} if self.filename else {}
        return {"content": self.text, **file}


class LongAnswer:
    """One private answer: within `async with` it shows how far the work is, and `finish` puts the end in its place.

    Discord lets an answer be changed for fifteen minutes; what comes later goes to whoever asked by direct message.
    """

    def __init__(
        self, interaction: Interaction, say: Callable[[int, int], str], *, every_s: float = SHOWN_EVERY_S
    ) -> None:
        self._interaction = interaction
        self._say = say
        self._every_s = every_s
        self.at: tuple[int, int] | None = None
        self._over = asyncio.Event()
        self._showing: asyncio.Task[None] | None = None
        self._is_open = True

    def reached(self, done: int, total: int) -> None:
        """Note how far the work is; shown soon."""
        self.at = done, total

    async def __aenter__(self) -> Self:
        self._showing = asyncio.create_task(self._show(), name="progress")
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        # Not cancelled: an edit that is on its way could arrive after the end, and then stay.
        self._over.set()
        if self._showing is not None:
            await self._showing

    async def finish(self, parts: Sequence[Part]) -> bool:
        """Show how it ended, the first part in place of what was shown; tell whether all of it arrived."""
        try:
            for number, part in enumerate(parts):
                await self._send(part, is_first=number == 0)
        except _NOT_SHOWN as error:
            log.warning("the end of a long work could not be told to whoever asked: %s", type(error).__name__)
            return False
        return True

    async def _show(self) -> None:
        shown = None
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._over.wait()
            if self.at is not None and self.at != shown and not self._over.is_set():
                shown = self.at
                with contextlib.suppress(*_NOT_SHOWN):  # the next line or the end will be shown
                    await self._interaction.edit_original_response(view=note(self._say(*shown)))

    async def _send(self, part: Part, *, is_first: bool) -> None:
        if self._is_open:
            try:
                if is_first:
                    await self._interaction.edit_original_response(**_edited(part))
                else:
                    await self._interaction.followup.send(**part.arguments(), ephemeral=True)
            except _NOT_SHOWN as error:
                log.info("an answer goes on by direct message: %s", type(error).__name__)
                self._is_open = False
            else:
                return
        await self._interaction.user.send(**part.arguments())


def _edited(part: Part) -> dict[str, Any]:
    arguments = part.arguments()
    file = arguments.pop("file", None)
    return {**arguments, "attachments": [file]} if file else arguments
