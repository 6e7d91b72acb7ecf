"""Migrations: they lay the schema to the letter, and what older versions wrote comes through whole."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from storage_world import OWNER, World
from storage_world import opened_by_the_program as opened
from store_starts import made, refused

from licensing.models import Plan
from licensing.verdict import Status
from storage import DatabaseSettings, maintenance, migrate, open_store
from storage.revisions import HEAD, REVISIONS
from storage.schema import metadata
from storage.triggers import TRIGGERS


# SQLAlchemy reads no index of an expression back; those are compared as SQL.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
async def test_a_migrated_database_is_the_schema_to_the_letter(settings: DatabaseSettings) -> None:
    migrate.upgrade(settings.path)
    engine = create_engine(f"sqlite:///{settings.path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        found = MetaData()
        found.reflect(connection)
        sql = dict(connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all())
    engine.dispose()
    assert set(found.tables) - {"alembic_version"} == set(metadata.tables)
    for table in metadata.sorted_tables:
        wanted = str(CreateTable(table).compile(dialect=sqlite.dialect()))
        assert sorted(_clauses(sql[table.name])) == sorted(_clauses(wanted)), table.name
        for index in table.indexes:
            assert sql[str(index.name)] == str(CreateIndex(index).compile(dialect=sqlite.dialect()))


def _clauses(sql: str) -> list[str]:
    """Return a table's columns, constraints and options, each without line breaks and quotes."""
    inner, _, options = sql.partition("(")[2].rpartition(")")
    clauses, depth = [""], 0
    for symbol in inner:
        depth += (symbol == "(") - (symbol == ")")
        if symbol == "," and depth == 0:
            clauses.append("")
        else:
            clauses[-1] += symbol
    return [" ".join(clause.replace('"', "").split()) for clause in (*clauses, options)]


def test_a_migrated_database_has_the_triggers_of_this_program_and_no_other(settings: DatabaseSettings) -> None:
    migrate.upgrade(settings.path)
    with closing(sqlite3.connect(settings.path)) as connection:
        laid = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall())
    assert laid == {name: f"CREATE TRIGGER {name} {rest}" for name, rest in TRIGGERS.items()}


def test_the_schema_is_laid_for_postgresql_too() -> None:
    for table in metadata.sorted_tables:
        laid = str(CreateTable(table).compile(dialect=postgresql.dialect()))
        assert "BIGINT" in laid or "BIGSERIAL" in laid or table.name == "facts"


def test_the_program_knows_exactly_the_migrations_there_are() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == REVISIONS
    assert scripts.get_current_head() == HEAD


async def test_a_failed_migration_leaves_the_file_as_it_was(
    settings: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.path.touch()

    def fail_at_the_end(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("alembic.ddl.impl.DefaultImpl.emit_commit", fail_at_the_end, raising=False)
    original = migrate.command.upgrade

    def upgrade_then_fail(*args: object) -> None:
        original(*args)  # type: ignore[arg-type]
        fail_at_the_end()

    monkeypatch.setattr(migrate.command, "upgrade", upgrade_then_fail)
    with pytest.raises(RuntimeError, match="power cut"):
        migrate.upgrade(settings.path)
    with closing(sqlite3.connect(settings.path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []


async def test_a_database_of_the_first_version_is_migrated_with_everything_in_it(settings: DatabaseSettings) -> None:
    key = await made(settings)
    first = settings.path.with_name("first.db")
    _as_an_older_version_would_have_written_it(settings.path, "0001", first)
    settings.path.unlink()
    first.rename(settings.path)
    assert await refused(settings) == "database_older"
    assert maintenance.migrate(settings) == maintenance.MigrationReport("0001", HEAD)
    async with opened(settings) as world:
        assert await world.licenses.reveal(OWNER, key) == key
        assert (await world.licenses.view(OWNER, key)).customer is not None


async def test_a_database_of_the_second_version_keeps_its_licenses_seats_keys_and_what_is_left_of_the_day(
    settings: DatabaseSettings,
) -> None:
    plans = {"default": Plan(calls_per_product_per_day=5)}
    async with opened(settings) as world:
        product, other = await world.product(), await world.product("Lite")
        held, stock = await world.issue(discord_id=20, max_ips=2), await world.issue(discord_id=None)
        old = product.api_key
        product = await world.catalog.rotate_key(OWNER, name="Pro", grace="7d")
        for address in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
            await world.validate(product.api_key, held.key, address)
        await world.validate(other.api_key, "NO-SUCH-KEY")
        await world.usage.flush(world.store)
        await world.write_seen()
    second = settings.path.with_name("second.db")
    _as_an_older_version_would_have_written_it(settings.path, "0002", second)
    before = _rows(second, "licenses", "license_keys", "license_addresses", "customers", "events", "usage_daily")
    second.replace(settings.path)
    assert maintenance.migrate(settings) == maintenance.MigrationReport("0002", HEAD)

    after = _rows(settings.path, *before)
    assert sum(len(rows) for rows in before.values()) >= 12
    assert after.pop("usage_daily") == {(*row, "unknown") for row in before.pop("usage_daily")}
    assert after == before
    with closing(sqlite3.connect(settings.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("SELECT DISTINCT name, scope FROM api_keys").fetchall() == [(None, "full")]
        assert connection.execute("SELECT name FROM organizations ORDER BY id").fetchall() == [
            ("platform",),
            ("Shop 1",),
        ]
    async with open_store(settings) as store:
        world = World(store, plans=plans)
        first = await world.validate(product.api_key, held.key, "203.0.113.2")
        assert (first.status, first.ip_registered, first.ip_count) == ("active", True, 2)
        assert (await world.validate(old, held.key, "203.0.113.3")).status == "ip_limit_reached"
        assert (await world.validate(product.api_key, held.key)).status == "rate_limit_exceeded"  # 3 of 5 were used
        assert (await world.validate(other.api_key, "NO-SUCH-KEY")).status == "license_not_found"
        assert await world.licenses.reveal(OWNER, stock.key) == stock.key


# What came or went after the second version.
_OTHERWISE = {"version_pinned", "version_min", "version_max", "custom", "words", "name_folded", "notes_folded"}


def _rows(path: Path, *tables: str) -> dict[str, set[tuple[object, ...]]]:
    """Return what the second version keeps in its tables, and of usage the status too if it is known."""
    found = {}
    with closing(sqlite3.connect(path)) as connection:
        for table in tables:
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            old = [name for name in names if name not in _OTHERWISE]
            old.sort(key="status".__eq__)
            found[table] = set(connection.execute(f"SELECT {', '.join(old)} FROM {table}"))
    return found


def _as_an_older_version_would_have_written_it(now: Path, revision: str, then: Path) -> None:
    migrate.upgrade(then, to=revision)
    with closing(sqlite3.connect(then)) as connection, connection:
        connection.execute("ATTACH ? AS now", (str(now),))
        for (table,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            if table not in ("alembic_version", "sqlite_sequence"):
                names = [row[1] for row in connection.execute(f"PRAGMA main.table_info({table})")]
                columns = ", ".join(
                    name for name in names if name not in ("name_folded", "notes_folded") or table == "products"
                )
                newer = "id = 0" if table == "organizations" else "false"  # the platform came later
                rows = f"SELECT {columns} FROM now.{table} WHERE NOT ({newer})"
                if table == "usage_daily" and revision < "0003":  # one row a day, however the calls ended
                    rows = "SELECT product_id, day, SUM(calls) FROM now.usage_daily GROUP BY product_id, day"
                connection.execute(f"INSERT INTO main.{table} ({columns}) {rows}")


async def test_a_database_of_the_third_version_is_searched_by_the_words_of_all_that_is_in_it(
    settings: DatabaseSettings,
) -> None:
    async with opened(settings) as world:
        await world.product()
        held = await world.issue(discord_id=20, holder_name="Grace Hopper", notes="Straße 5; grace")
        await world.issue(email="ada.lovelace@example.com", discord_id=None)
        await world.issue(discord_id=None, notes="spring sale")
        await world.issue(discord_id=None)
    third = settings.path.with_name("third.db")
    _as_an_older_version_would_have_written_it(settings.path, "0003", third)
    words = "SELECT * FROM license_words"
    columns = [f"SELECT id, words FROM {table}" for table in ("customers", "licenses")]
    with closing(sqlite3.connect(settings.path)) as connection:
        wanted = [set(connection.execute(sql)) for sql in (words, *columns)]
    assert len(wanted[0]) == 10
    third.replace(settings.path)
    assert maintenance.migrate(settings) == maintenance.MigrationReport("0003", HEAD)

    with closing(sqlite3.connect(settings.path)) as connection:
        assert [set(connection.execute(sql)) for sql in (words, *columns)] == wanted
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    async with open_store(settings) as store:
        world = World(store)
        for text in ("strasse", "hop gra", held.key[:4]):
            assert (await world.finder.find(OWNER, text=text)).count == 1
        await world.licenses.revoke(OWNER, held.key)
        assert (await world.finder.find(OWNER, text="ada", status=Status.ACTIVE)).count == 1


async def test_a_database_of_the_fourth_version_keeps_its_seats_and_what_waits_to_be_folded_into_them(
    settings: DatabaseSettings,
) -> None:
    async with opened(settings) as world:
        product = await world.product()
        issued = await world.issue(discord_id=20)
        for _ in range(2):
            await world.validate(product.api_key, issued.key)
        await world.seen.flush(world.store)
    fourth = settings.path.with_name("fourth.db")
    _as_an_older_version_would_have_written_it(settings.path, "0004", fourth)
    before = _rows(fourth, "licenses", "license_addresses", "seen_log")
    assert [len(rows) for rows in before.values()] == [1, 1, 1]
    fourth.replace(settings.path)
    assert maintenance.migrate(settings) == maintenance.MigrationReport("0004", HEAD)
    assert _rows(settings.path, *before) == before
    async with open_store(settings) as store:
        assert (await World(store).validate(product.api_key, issued.key, "203.0.113.2")).ip_count == 2
