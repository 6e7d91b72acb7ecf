"""The servers that are compared, each in a process of its own: ours, with or without the bot, and the barest handler.

    python -m bench.servers '{"kind": "keyport", "database": ".../keyport.db", "loop": "uvloop"}'

Prints its port, then carries out orders from its standard input until that closes.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from bench.bare import bare, reading, writing
from bench.process import Json


@asynccontextmanager
async def keyport(spec: Json) -> AsyncIterator[tuple[Any, Json]]:
    """Our API, as `keyport api` serves it; with a `gateway` our bot too, as `keyport run` does."""
    from bench.chores import time_collections, time_the_lock  # noqa: PLC0415 - the bare handler's process must not know us
    from bench.setting import config_of  # noqa: PLC0415
    from bot import app  # noqa: PLC0415

    time_the_lock()
    time_collections()
    config = config_of(Path(spec["database"]))
    port = {"port": spec.get("port", 0), "reuse_port": spec.get("reuse_port", False)}
    api = config.api.model_copy(update=port)
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(app.opened(config))
        host, bound_to = await stack.enter_async_context(app.serving(house, api))
        if "gateway" in spec:
            url = app.web_address(host, bound_to)
            await stack.enter_async_context(_connected(house, config, spec["gateway"], public_api_url=url))
        app.collect_rarely()  # as a process of its own does
        yield house, {"port": bound_to}


@asynccontextmanager
async def _connected(house: Any, config: Any, gateway: Json, *, public_api_url: str) -> AsyncIterator[None]:
    from pydantic import SecretStr  # noqa: PLC0415

    from bot import app  # noqa: PLC0415
    from bot.client import Endpoints  # noqa: PLC0415
    from bot.config import Discord  # noqa: PLC0415
    from bot.workers import running  # noqa: PLC0415

    own = config.model_copy(update={"discord": Discord(token=SecretStr(gateway["token"]))})
    endpoints = Endpoints(rest=gateway["rest"], gateway=gateway["url"], cdn=gateway["cdn"])
    connection = app.connect_discord(house, own, public_api_url=public_api_url, endpoints=endpoints)
    async with running(connection, name="Discord"):
        yield


@asynccontextmanager
async def sandbox(_spec: Json) -> AsyncIterator[tuple[Any, Json]]:
    """The stand-in for Discord, with one server that the bot is in."""
    from sandbox.driver import Sandbox  # noqa: PLC0415 - of this process alone

    async with Sandbox() as discord:
        discord.add_guild("Bench", owner="Olivia")
        yield (
            discord,
            {"rest": discord.rest_base, "url": discord.gateway_url, "cdn": discord.cdn_base, "token": discord.token},
        )


KINDS = {
    "bare": bare,
    "reading": reading,
    "writing": writing,
    "keyport": keyport,
    "sandbox": sandbox,
}


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    if name == "uvloop":
        import uvloop  # noqa: PLC0415 - an extra

        return uvloop.new_event_loop
    return asyncio.new_event_loop


async def _serve(spec: Json) -> None:
    from bench.chores import carry_out  # noqa: PLC0415

    async with KINDS[spec["kind"]](spec) as (served, ready):
        _answer(ready)
        while line := await asyncio.to_thread(sys.stdin.readline):
            try:
                _answer(await carry_out(served, json.loads(line)))
            except Exception as error:  # noqa: BLE001 - whoever asked is told, and stops
                _answer({"error": repr(error)})


def _answer(answer: Json) -> None:
    print(json.dumps(answer), flush=True)


def main() -> None:
    spec = json.loads(sys.argv[1])
    with asyncio.Runner(loop_factory=loop_factory(spec.get("loop", "asyncio"))) as runner:
        runner.run(_serve(spec))


if __name__ == "__main__":
    main()
