"""Processes of the program, as an operator starts and stops them."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


def environment(**settings: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("KEYPORT_")}
    return own | {f"KEYPORT_{name}": value for name, value in settings.items()}


@asynccontextmanager
async def keyport(*arguments: str, **settings: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, cwd=ROOT, stderr=asyncio.subprocess.PIPE,
        env=environment(**({"LOG__FORMAT": "json", "API__PORT": "0"} | settings)),
    )  # fmt: skip
    try:
        yield process, await _address(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        event = json.loads(line)["event"]
        if event.startswith("Serving validations on "):
            return str(event.removeprefix("Serving validations on "))
    raise AssertionError("the process ended before it served")


async def stopped(process: asyncio.subprocess.Process, by: signal.Signals) -> float:
    begun = time.monotonic()
    process.send_signal(by)
    await asyncio.wait_for(process.communicate(), timeout=5)
    return time.monotonic() - begun
