"""The live connection to one open page: whatever its person sees, told as soon as it changes."""

import asyncio
import json
from typing import Any

from aiohttp import WSCloseCode, web

from sandbox.errors import Json
from sandbox.hub import Hub
from sandbox.model import User
from sandbox.page import view
from sandbox.page.guide import Guide

GATHER_SECONDS = 0.01  # changes that come together are told together
LOOK_AGAIN_SECONDS = 1.0  # some changes come without a signal
PING_SECONDS = 20.0


class Stream:
    """What one page was told so far, and the difference to what holds now."""

    def __init__(self, hub: Hub, guide: Guide, me: User) -> None:
        self._hub = hub
        self._guide = guide
        self._me = me
        self._places: Json = {}
        self._messages: dict[int, tuple[int, int]] = {}
        self._interactions: dict[int, tuple[Any, ...]] = {}

    def changes(self) -> list[Json]:
        """What is new since the last time, oldest first."""
        return [*self._new_places(), *self._new_messages(), *self._new_interactions()]

    def _new_places(self) -> list[Json]:
        now = view.places(self._hub, self._guide, self._me)
        if now == self._places:
            return []
        self._places = now
        return [{"type": "places", **now}]

    def _new_messages(self) -> list[Json]:
        told: list[Json] = []
        there: set[int] = set()
        for channel in view.channels(self._hub, self._me):
            there |= channel.messages.keys()
            for message in view.shown(self._hub, self._me, channel):
                now = (message.revision, int(message.flags))
                if self._messages.get(message.id) != now:
                    self._messages[message.id] = now
                    told.append({"type": "message", "message": view.message(message)})
        gone = self._messages.keys() - there
        for message_id in gone:
            del self._messages[message_id]
        return [*told, *({"type": "gone", "id": str(each)} for each in gone)]

    def _new_interactions(self) -> list[Json]:
        told = []
        for found in view.interactions(self._hub, self._me):
            now = (found.failed, found.answer, found.modal is None)
            if self._interactions.get(found.id) != now:
                self._interactions[found.id] = now
                told.append({"type": "interaction", "interaction": view.interaction(found)})
        return told


async def serve(
    request: web.Request, hub: Hub, guide: Guide, me: User, *, run: str, among: set[web.WebSocketResponse]
) -> web.WebSocketResponse:
    """Tell a page everything its person sees, then every change, until the page or the sandbox goes."""
    socket = web.WebSocketResponse(heartbeat=PING_SECONDS)
    await socket.prepare(request)
    among.add(socket)
    listening = asyncio.create_task(_listen(socket))
    try:
        await _tell(socket, Stream(hub, guide, me), hub, listening, run=run)
    except ConnectionResetError:
        pass  # the page went while it was told something
    finally:
        listening.cancel()
        among.discard(socket)
    return socket


async def _tell(
    socket: web.WebSocketResponse, stream: Stream, hub: Hub, listening: "asyncio.Task[None]", *, run: str
) -> None:
    # All at once, so that a page goes from one person's view to another's without anything in between.
    await socket.send_str(_wire([{"type": "hello", "run": run}, *stream.changes(), {"type": "ready"}]))
    while not listening.done():
        turn = asyncio.ensure_future(hub.world.signal.changed(timeout=LOOK_AGAIN_SECONDS))
        await asyncio.wait({turn, listening}, return_when=asyncio.FIRST_COMPLETED)
        turn.cancel()
        await asyncio.sleep(GATHER_SECONDS)
        changes = stream.changes()
        if changes:
            await socket.send_str(_wire(changes))


async def _listen(socket: web.WebSocketResponse) -> None:
    """Read until the page goes; it has nothing to say here."""
    async for _ignored in socket:
        pass


async def close_all(open_now: "set[web.WebSocketResponse]") -> None:
    for socket in list(open_now):
        await socket.close(code=WSCloseCode.GOING_AWAY)


def _wire(batch: list[Json]) -> str:
    return json.dumps(batch, separators=(",", ":"))
