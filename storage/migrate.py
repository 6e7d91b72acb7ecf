"""Brings a SQLite file to the newest schema, in one transaction; imported only when there is something to do."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import NullPool

from storage.revisions import HEAD


def upgrade(path: Path, *, to: str = HEAD, facts: Mapping[str, str] | None = None) -> None:
    """Run every migration that the file lacks, and write facts down with it; on any error it stays as it was.

    Foreign keys are off meanwhile, since rebuilding a table would delete its children, and checked at the end.
    """
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    event.listen(engine, "connect", _take_transactions_into_our_hands)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            _run(connection, to)
            for fact in (facts or {}).items():
                connection.exec_driver_sql("INSERT INTO facts (name, value) VALUES (?, ?)", fact)
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")
    engine.dispose()


def _run(connection: Connection, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if orphans:
        raise sqlite3.IntegrityError(f"{len(orphans)} rows would have lost what they belong to")


def _take_transactions_into_our_hands(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None
