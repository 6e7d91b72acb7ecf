"""HTTP as bytes on a socket, for requests that no client would send and answers as they really are."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from factories import KEY

GOOD = json.dumps({"license_key": KEY}).encode()
JSON = "Content-Type: application/json"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """One answer, as it stood on the wire."""

    code: int
    headers: list[tuple[str, str]]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    def all(self, name: str) -> list[str]:
        return [value for header, value in self.headers if header.lower() == name.lower()]

    def one(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands there {len(values)} times"
        return values[0] if values else None


class Line:
    """An open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader = reader
        self.writer = writer

    async def ask(self, sent: bytes, *, head: bool = False) -> Answer:
        self.writer.write(sent)
        return await self.answer(head=head)

    async def answer(self, *, head: bool = False) -> Answer:
        """Read one answer; to HEAD it announces a body that does not come."""
        first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        pairs = [tuple(line.split(": ", 1)) for line in lines]
        found = Answer(int(first.split(" ")[1]), pairs, b"")
        if head or found.code < 200 or found.code == 204:
            return found
        return Answer(found.code, pairs, await self.reader.readexactly(int(found.one("Content-Length") or 0)))

    async def is_closed(self) -> bool:
        """Wait for the other side to hang up; a line that stays open runs into the test's time limit."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True


@asynccontextmanager
async def line_to(url: str):
    """Open a connection to a server and close it at the end."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


async def ask(url: str, sent: bytes, *, head: bool = False) -> Answer:
    """Ask once, on a connection of its own."""
    async with line_to(url) as line:
        return await line.ask(sent, head=head)


def posted(api_key: str, body: bytes, *headers: str, version: str = "1.1", length: bool = True) -> bytes:
    """Return a validation as bytes, whose further header lines are the test's own."""
    lines = [
        f"POST /api/v1/validate HTTP/{version}",
        "Host: x",
        f"Authorization: Bearer {api_key}",
        *headers,
        *([f"Content-Length: {len(body)}"] if length else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body
