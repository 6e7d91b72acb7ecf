"""The words that licenses are found by, indexes for what is rare among many, a log of who was last seen."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Int64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_CHUNK = 10_000
_WORD_LENGTH = 64
_HAS_NOT = "' ' || coalesce({words}, '') || ' ' NOT LIKE '% ' || {word} || ' %'"
_WORD = re.compile(r"[a-z0-9]+")


def upgrade() -> None:
    """Take names, emails and notes apart into words."""
    _columns()
    _words()
    _triggers()
    _indexes()
    op.create_table(
        "seen_log",
        sa.Column("id", Int64, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('address', 'device')", name=op.f("ck_seen_log_kind")),
        sa.PrimaryKeyConstraint("id", name="pk_seen_log"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )


def _columns() -> None:
    op.drop_index("ix_customers_organization_id_name_folded", "customers")
    op.drop_column("customers", "name_folded")
    op.drop_column("licenses", "notes_folded")
    for table, texts in (("customers", ("name", "email")), ("licenses", ("notes",))):
        op.add_column(table, sa.Column("words", sa.Text(), nullable=True))
        _fill(table, texts)


def _fill(table: str, texts: Sequence[str]) -> None:
    connection, last_id = op.get_bind(), 0
    read = sa.text(f"SELECT id, {', '.join(texts)} FROM {table} WHERE id > :last ORDER BY id LIMIT {_CHUNK}")
    write = sa.text(f"UPDATE {table} SET words = :words WHERE id = :id")
    while rows := connection.execute(read, {"last": last_id}).all():
        filled: list[Mapping[str, object]] = [
            {"id": row[0], "words": words} for row in rows if (words := _words_of(row[1:])) is not None
        ]
        if filled:
            connection.execute(write, filled)
        last_id = rows[-1][0]


def _words_of(texts: Sequence[str | None]) -> str | None:
    found = dict.fromkeys(word[:_WORD_LENGTH] for text in texts if text for word in _split(text))
    return " ".join(found) or None


def _split(text: str) -> list[str]:
    if text.isascii():
        return _WORD.findall(text.lower())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(it if it.isalnum() or unicodedata.category(it).startswith("M") else " " for it in folded).split()


def _words() -> None:
    op.create_table(
        "license_words",
        sa.Column("organization_id", Int64, nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("license_id", Int64, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "word", "license_id", name="pk_license_words"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    words = "trim(coalesce(l.words, '') || coalesce(' ' || c.words, ''))"
    # In the order of its tree; a colon before a name would be a value's.
    op.execute(
        "INSERT INTO license_words (organization_id, word, license_id)"
        f" SELECT DISTINCT l.organization_id, w.value, l.id FROM licenses l LEFT JOIN customers c"
        f""" ON c.id = l.customer_id, json_each('["' || replace({words}, ' ', '","') || '"]') w"""
        " WHERE w.value <> '' ORDER BY 1, 2, 3"
    )


def _triggers() -> None:
    """Lay what keeps the words true, as SQLite says it."""
    changed = "(new.words IS NOT old.words OR new.customer_id IS NOT old.customer_id)"
    were, are = _list("coalesce(old.words, '')"), _list("coalesce(new.words, '')")
    had = _has_words("old")
    add = (
        "INSERT INTO license_words (organization_id, word, license_id)"
        f" SELECT new.organization_id, value, new.id FROM {_of('new')} WHERE value <> '' ON CONFLICT DO NOTHING;"
    )
    remove = (
        "DELETE FROM license_words WHERE organization_id = old.organization_id AND license_id = old.id"
        f" AND word IN (SELECT value FROM {_of('old')});"
    )
    for name, rest in (
        ("issued", f"AFTER INSERT ON licenses WHEN {_has_words('new')} BEGIN {add} END"),
        (
            "changing",
            f"BEFORE UPDATE OF words, customer_id ON licenses WHEN {changed} AND {had} BEGIN {remove} END",
        ),
        (
            "changed",
            f"AFTER UPDATE OF words, customer_id ON licenses WHEN {changed} AND {_has_words('new')} BEGIN {add} END",
        ),
        ("deleted", f"BEFORE DELETE ON licenses BEGIN {remove} END"),
        (
            "renamed",
            (
                "AFTER UPDATE OF words ON customers WHEN new.words IS NOT old.words BEGIN"
                " DELETE FROM license_words WHERE organization_id = old.organization_id AND word IN (SELECT value"
                f" FROM {were} WHERE {_HAS_NOT.format(words='new.words', word='value')})"
                " AND license_id IN (SELECT l.id FROM licenses l WHERE l.customer_id = old.id)"
                " AND EXISTS (SELECT 1 FROM licenses l WHERE l.id = license_id"
                f" AND {_HAS_NOT.format(words='l.words', word='word')});"
                " INSERT INTO license_words (organization_id, word, license_id) SELECT l.organization_id, value, l.id"
                f" FROM {are} CROSS JOIN licenses l WHERE l.customer_id = new.id AND value <> ''"
                f" AND {_HAS_NOT.format(words='old.words', word='value')} ON CONFLICT DO NOTHING; END"
            ),
        ),
    ):
        op.get_bind().exec_driver_sql(f"CREATE TRIGGER license_words_{name} {rest}")


def _list(words: str) -> str:
    return f"""json_each('["' || replace(trim({words}), ' ', '","') || '"]')"""


def _of(row: str) -> str:
    holder = f"(SELECT ' ' || words FROM customers WHERE id = {row}.customer_id)"
    return _list(f"coalesce({row}.words, '') || coalesce({holder}, '')")


def _has_words(row: str) -> str:
    return f"({row}.words IS NOT NULL OR {row}.customer_id IS NOT NULL)"


def _indexes() -> None:
    op.drop_index("ix_license_keys_organization_id_prefix", "license_keys")
    op.create_index(
        "ix_license_keys_starting",
        "license_keys",
        ["organization_id", sa.text("substr(prefix, 1, 1)"), "license_id", "prefix"],
    )
    for name, columns, where in (
        ("stopped", ["organization_id", "state", "id"], "state <> 'active'"),
        ("unclaimed", ["organization_id", "id", "product_id"], "customer_id IS NULL"),
        ("due", ["organization_id", "expires_at_ms"], "expires_at_ms IS NOT NULL AND expired_at_ms IS NULL"),
        ("noticed", ["organization_id", "id"], "expired_at_ms IS NOT NULL"),
    ):
        rare = sa.text(where)
        op.create_index(f"ix_licenses_{name}", "licenses", columns, sqlite_where=rare, postgresql_where=rare)
