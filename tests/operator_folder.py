"""An operator's folder: a database with its key file, how it is made, archived and looked at."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from factories import NOW_MS, ORGANIZATION_ID, make_actor, make_plan, make_settings

from bot import archive
from bot.__main__ import execute
from licensing.services.catalog import CatalogService
from licensing.services.licenses import LicenseService
from licensing.services.organizations import OrganizationService, Plans
from licensing.services.terms import Terms
from storage import DatabaseSettings, open_store

PASSPHRASE = "correct horse battery"
DATABASE, KEY_FILE = Path("data/keyport.db"), Path("data/keyport.key")
SETTINGS = DatabaseSettings(path=DATABASE, key_file=KEY_FILE)


@contextlib.asynccontextmanager
async def serving(settings: DatabaseSettings = SETTINGS, *, licenses: int = 0) -> AsyncIterator[None]:
    """Have the store open, as a running bot has, after issuing some licenses."""
    plans = Plans({"default": make_plan()}, default="default")
    chance = {"clock": lambda: NOW_MS, "random_bytes": os.urandom}
    async with open_store(settings) as store:
        if licenses:
            await OrganizationService(store, plans=plans, clock=lambda: NOW_MS).joined(ORGANIZATION_ID, name="G")
            catalog = CatalogService(store, plans=plans, **chance)
            await catalog.create(make_actor(), name="Editor", settings=make_settings())
            service = LicenseService(store, store.vault, plans=plans, **chance)
            for _number in range(licenses):
                await service.issue(make_actor(), Terms(product="Editor"))
        yield


async def _open_and_close(settings: DatabaseSettings, licenses: int) -> None:
    async with serving(settings, licenses=licenses):
        pass


def make_store(settings: DatabaseSettings = SETTINGS, *, licenses: int = 2) -> None:
    asyncio.run(_open_and_close(settings, licenses))


def make_archive(*, database: Path = DATABASE, key_file: Path = KEY_FILE, passphrase: str = PASSPHRASE) -> str:
    archive.write(
        Path("made.backup"),
        passphrase=passphrase,
        database=database,
        key_file=key_file,
        created_at_ms=NOW_MS,
        program_version="0.0.9",
        cost=archive.Cost(log2_n=4),
    )
    return "made.backup"


def state() -> dict[str, bytes]:
    """Return every file there is, with its content."""
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def count_licenses(database: Path = DATABASE) -> int:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT COUNT(*) FROM licenses").fetchone()[0]


def refused(capsys: pytest.CaptureFixture[str], *typed: str) -> str:
    capsys.readouterr()
    before = state()
    assert execute(list(typed)) == 2
    assert state() == before
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error.strip().splitlines()[-1]


def make_newer_database(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
