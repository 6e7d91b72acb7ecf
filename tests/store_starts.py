"""A database that the program made, and starts on it that are refused and change nothing."""

import hashlib

import pytest
from storage_world import opened_by_the_program as opened

from storage import DatabaseSettings
from storage.errors import StoreRefused


async def made(settings: DatabaseSettings) -> str:
    async with opened(settings) as world:
        await world.product()
        return (await world.issue(discord_id=20)).key


async def refused(settings: DatabaseSettings) -> str:
    """Return why the store does not open, having made sure that not a byte of its files changed."""
    before = fingerprint(settings)
    with pytest.raises(StoreRefused) as refusal:
        async with opened(settings):
            pass
    assert fingerprint(settings) == before
    return refusal.value.code


def fingerprint(settings: DatabaseSettings) -> dict[str, str]:
    files = settings.path.parent.iterdir()
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file() and not file.name.endswith(("-shm", "-wal"))
    }
