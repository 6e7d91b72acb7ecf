"""How the tables are made: columns, checks and keys that SQLite and PostgreSQL both take."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# STRICT tables know neither BIGINT nor BLOB's synonyms; every SQLite integer is a 64-bit one anyway.
Int64 = BigInteger().with_variant(Integer(), "sqlite")


def whole(name: str, *args: Any, nullable: bool = False) -> Column[int]:
    return Column(name, Int64, *args, nullable=nullable)


def text_(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def blob(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def id_() -> Column[int]:
    return Column("id", Int64, primary_key=True, autoincrement=True)


def one_of(column: str, *values: str) -> CheckConstraint:
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def table(name: str, *items: Any) -> Table:
    return Table(name, metadata, *items, sqlite_strict=True)


def numbered(name: str, *items: Any) -> Table:
    """A table whose ids are never given out twice: buttons and logs go on naming them."""
    return Table(name, metadata, id_(), *items, sqlite_strict=True, sqlite_autoincrement=True)


def keyed(name: str, *items: Any) -> Table:
    """A table that is looked up by its key alone, so its rows lie in the key's own tree."""
    return Table(name, metadata, *items, sqlite_strict=True, sqlite_with_rowid=False)


def partial(name: str, where: str, *columns: Column[Any], unique: bool = False) -> None:
    """Lay an index of some rows only."""
    Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))
