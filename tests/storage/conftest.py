"""A real SQLite file for every test, with the services on it and a clock that tests move."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from storage_world import World, opened

from storage import DatabaseSettings


@pytest.fixture
def settings(tmp_path: Path) -> DatabaseSettings:
    return DatabaseSettings(tmp_path / "keyport.db", tmp_path / "keyport.key")


@pytest.fixture
async def world(settings: DatabaseSettings) -> AsyncIterator[World]:
    async with opened(settings) as world:
        yield world
