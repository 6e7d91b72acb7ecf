"""A real SQLite file for every test, with the services on it and a clock that tests move."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sold_license import Sold, sold
from storage_world import World, opened

from storage import DatabaseSettings


@pytest.fixture
def settings(tmp_path: Path) -> DatabaseSettings:
    return DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")


@pytest.fixture
async def world(settings: DatabaseSettings) -> AsyncIterator[World]:
    async with opened(settings) as world:
        yield world


@pytest.fixture
async def two_shops(settings: DatabaseSettings) -> AsyncIterator[World]:
    async with opened(settings, organizations=(1, 2)) as world:
        yield world


@pytest.fixture
async def pro(world: World) -> Sold:
    return await sold(world)
