"""The triggers that keep the words of licenses true, as SQLite says them: the migrations' target, as the tables are.

No statement can forget them, set-based ones included, and nothing of a text outlives it. Rebuilding `licenses` or
`customers` in a migration drops them with the old table: lay them anew there. PostgreSQL takes the same five as
functions, with `string_to_table` where `json_each` stands here.
"""


def _split(words: str) -> str:
    # A word is letters and digits alone, so a list of them needs no quoting.
    return f"""json_each('["' || replace(trim({words}), ' ', '","') || '"]')"""


def _of(row: str) -> str:
    holder = f"(SELECT ' ' || words FROM customers WHERE id = {row}.customer_id)"
    return _split(f"coalesce({row}.words, '') || coalesce({holder}, '')")


def _has_words(row: str) -> str:
    return f"({row}.words IS NOT NULL OR {row}.customer_id IS NOT NULL)"


_WERE, _ARE = _split("coalesce(old.words, '')"), _split("coalesce(new.words, '')")
_HAS_NOT = "' ' || coalesce({words}, '') || ' ' NOT LIKE '% ' || {word} || ' %'"
_CHANGED = "(new.words IS NOT old.words OR new.customer_id IS NOT old.customer_id)"
_ADD = (
    "INSERT INTO license_words (organization_id, word, license_id)"
    f" SELECT new.organization_id, value, new.id FROM {_of('new')} WHERE value <> '' ON CONFLICT DO NOTHING;"
)
_REMOVE = (
    "DELETE FROM license_words WHERE organization_id = old.organization_id AND license_id = old.id"
    f" AND word IN (SELECT value FROM {_of('old')});"
)

# SQLite runs the triggers of one kind in no certain order: what was goes before, what is comes after.
TRIGGERS = {
    "license_words_issued": f"AFTER INSERT ON licenses WHEN {_has_words('new')} BEGIN {_ADD} END",
    "license_words_changing": (
        f"BEFORE UPDATE OF words, customer_id ON licenses WHEN {_CHANGED} AND {_has_words('old')} BEGIN {_REMOVE} END"
    ),
    "license_words_changed": (
        f"AFTER UPDATE OF words, customer_id ON licenses WHEN {_CHANGED} AND {_has_words('new')} BEGIN {_ADD} END"
    ),
    "license_words_deleted": f"BEFORE DELETE ON licenses BEGIN {_REMOVE} END",
    "license_words_renamed": (
        "AFTER UPDATE OF words ON customers WHEN new.words IS NOT old.words BEGIN"
        " DELETE FROM license_words WHERE organization_id = old.organization_id AND word IN (SELECT value"
        f" FROM {_WERE} WHERE {_HAS_NOT.format(words='new.words', word='value')})"
        " AND license_id IN (SELECT l.id FROM licenses l WHERE l.customer_id = old.id)"
        " AND EXISTS (SELECT 1 FROM licenses l WHERE l.id = license_id"
        f" AND {_HAS_NOT.format(words='l.words', word='word')});"
        " INSERT INTO license_words (organization_id, word, license_id) SELECT l.organization_id, value, l.id"
        f" FROM {_ARE} CROSS JOIN licenses l WHERE l.customer_id = new.id AND value <> ''"
        f" AND {_HAS_NOT.format(words='old.words', word='value')} ON CONFLICT DO NOTHING; END"
    ),
}
