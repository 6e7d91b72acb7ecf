"""The database that the operator's commands work on, looked into from outside."""

import asyncio
from pathlib import Path

from storage_world import World, opened

from licensing.events import Event
from storage import DatabaseSettings

SETTINGS = DatabaseSettings(Path("data/keyport.db"), Path("data/keyport.key"))


def ask_store(question):
    async def ask():
        async with opened(SETTINGS, organizations=()) as world:
            return await question(world)

    return asyncio.run(ask())


def events() -> list[Event]:
    return ask_store(World.events)
