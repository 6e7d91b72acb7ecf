"""Statements about many licenses at once, each a single one however many rows there are.

They are SQLite's: JSON lists are unfolded by json_each and folded by json_group_array, and what is picked stays as
it is for the rest of the transaction, there being one writer. PostgreSQL's driver says the same with unnest,
array_agg and FOR UPDATE, and counts on its own words for where an INSERT's ids begin (RETURNING).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from licensing.bulk import Alike, Holders, MadeKey, Meant, Tally
from licensing.choices import LicenseState
from licensing.events import Event
from licensing.models import License
from licensing.ports import Steps
from storage.statements.base import Statement
from storage.statements.ledger import values_of as event_values
from storage.statements.licenses import ENDED, INSERT_LICENSE, INSERTED, status_is
from storage.statements.licenses import values_of as license_values
from storage.statements.transfers import PENDING

INSERTED_AT_ONCE = 100  # keys, each on a page of its own: half a millisecond
_MEANT = "FROM licenses l JOIN products p ON p.id = l.product_id WHERE"
# CROSS JOIN keeps the order, or SQLite might look through a whole product for each of the rows.
_PICKED = (
    "FROM json_each(:ids) AS picked CROSS JOIN licenses l ON l.id = picked.value"
    " CROSS JOIN products p ON p.id = l.product_id WHERE"
)
# Within what counts and groups: PostgreSQL locks rows, not groups of them.
_LOCKING = "/* FOR UPDATE */"
_UNNOTICED = f"{ENDED} AND EXISTS (SELECT 1 FROM products p WHERE p.id = product_id AND p.enforce_expiry = 1)"
_OF_STATES = "l.state IN (SELECT value FROM json_each(:states))"
# The ids are scattered before they are added up: of their sum or their squares alone, swaps such as #1 and #4 for #2
# and #3 would be missed. Both products stay below 2^62.
_SCATTERED = "(l.id % 2147483648 * 1103515245 % 2147483647)"
_DIGEST = f"SUM({_SCATTERED} * {_SCATTERED} % 4294967291)"
_CONDITIONS = {
    "product_id": "l.product_id = :product_id",
    "status": status_is(enforced="p.enforce_expiry = 1"),
    "discord_id": (
        "l.customer_id IN (SELECT c.id FROM customers c"
        " WHERE c.organization_id = :organization AND c.discord_id = :discord_id)"
    ),
    "license_ids": "l.id IN (SELECT value FROM json_each(:license_ids))",
    "up_to_id": "l.id <= :up_to_id",
}


class BulkStatements:
    """See `licensing.bulk.Bulk`."""

    def insert(self, license_: License, keys: Sequence[MadeKey]) -> Steps[Sequence[int]]:
        ids: list[int] = []
        for start in range(0, len(keys), INSERTED_AT_ONCE):
            ids += yield from self._insert(license_, keys[start : start + INSERTED_AT_ONCE])
        return ids

    def _insert(self, license_: License, keys: Sequence[MadeKey]) -> Steps[Sequence[int]]:
        prefixes = json.dumps([prefix for _, _, prefix, _, _ in keys])
        yield Statement(
            f"{INSERT_LICENSE} SELECT {INSERTED} FROM json_each(:keys)",
            license_values(license_) | {"keys": prefixes},
            writes_many=True,
        )
        # Ids are given out one after another, and nobody else is given any meanwhile.
        rows = yield Statement("SELECT MAX(id) FROM licenses")
        first_id = rows[0][0] - len(keys) + 1
        # Blobs of one length stand one behind the other, since JSON holds none.
        yield Statement(
            "INSERT INTO license_keys (organization_id, digest, license_id, prefix, key_id, ciphertext)"
            " SELECT :organization, substr(:digests, key * :digest_size + 1, :digest_size), :first_id + key, value,"
            " :key_id, substr(:sealed, key * :sealed_size + 1, :sealed_size) FROM json_each(:keys)",
            {"organization": license_.organization_id, "first_id": first_id, "keys": prefixes} | _joined(keys),
            writes_many=True,
        )
        return range(first_id, first_id + len(keys))

    def standings(self, organization_id: int, meant: Meant) -> Steps[Mapping[LicenseState, Tally]]:
        where, values = _conditions(organization_id, meant)
        sql = f"SELECT l.state, COUNT(*), MIN(l.id), MAX(l.id), {_DIGEST} {_MEANT} {where} GROUP BY l.state"
        rows = yield Statement(sql, values)
        return {LicenseState(state): Tally(*tally) for state, *tally in rows}

    def holders(self, organization_id: int, meant: Meant, states: Sequence[LicenseState]) -> Steps[Holders]:
        where, values = _conditions(organization_id, meant)
        held = f"SELECT DISTINCT l.customer_id AS id {_MEANT} {where} AND {_OF_STATES}"
        sql = f"SELECT COUNT(*), COUNT(c.discord_id) FROM ({held}) AS held JOIN customers c ON c.id = held.id"
        rows = yield Statement(sql, values | {"states": json.dumps(states)})
        return Holders(*rows[0])

    def page(
        self, organization_id: int, meant: Meant, states: Sequence[LicenseState], *, after_id: int, limit: int
    ) -> Steps[Sequence[int]]:
        where, values = _conditions(organization_id, meant)
        # One row: each that is fetched costs a fight for the interpreter.
        rows = yield Statement(
            f"SELECT json_group_array(id) FROM (SELECT l.id AS id {_MEANT} {where} AND {_OF_STATES}"
            " AND l.id > :after ORDER BY l.id LIMIT :limit)",
            values | {"states": json.dumps(states), "after": after_id, "limit": limit},
        )
        found: list[int] = json.loads(rows[0][0])
        return found

    def lock(self, organization_id: int, meant: Meant, license_ids: Sequence[int]) -> Steps[Sequence[Alike]]:
        where, values = _conditions(organization_id, meant)
        rows = yield Statement(
            "SELECT state, COUNT(*), json_group_array(id) FROM"
            f" (SELECT l.state AS state, l.id AS id {_PICKED} {where} {_LOCKING}) locked GROUP BY state",
            values | {"ids": json.dumps(license_ids)},
        )
        return [Alike(LicenseState(state), count, ids) for state, count, ids in rows]

    def ended(self, *, now_ms: int, limit: int) -> Steps[Sequence[int]]:
        rows = yield Statement(
            f"SELECT json_group_array(id) FROM (SELECT id FROM licenses WHERE {_UNNOTICED} LIMIT :limit) found",
            {"now": now_ms, "limit": limit},
        )
        found: list[int] = json.loads(rows[0][0])
        return found

    def lock_ended(self, license_ids: Sequence[int], *, now_ms: int) -> Steps[Alike]:
        rows = yield Statement(
            "SELECT COUNT(*), json_group_array(id) FROM (SELECT l.id AS id FROM json_each(:ids) AS picked"
            f" CROSS JOIN licenses l ON l.id = picked.value WHERE {_UNNOTICED} {_LOCKING}) locked",
            {"now": now_ms, "ids": json.dumps(license_ids)},
        )
        return Alike(LicenseState.ACTIVE, *rows[0])

    def save(self, ids: str, changed: Mapping[str, Any], *, now_ms: int) -> Steps[None]:
        written = {**changed, "updated_at_ms": now_ms}
        columns = ", ".join(f"{name} = :{name}" for name in written)
        sql = f"UPDATE licenses SET {columns} WHERE id IN (SELECT value FROM json_each(:ids))"
        yield Statement(sql, written | {"ids": ids}, writes_many=True)

    def changing_hands(self, ids: str) -> Steps[Sequence[tuple[int, int]]]:
        rows = yield Statement(
            "SELECT t.organization_id, t.license_id FROM json_each(:ids) AS picked"
            f" CROSS JOIN transfers t ON t.license_id = picked.value AND {PENDING}",
            {"ids": ids},
        )
        return [(row[0], row[1]) for row in rows]

    def append(self, event: Event, ids: str) -> Steps[None]:
        yield Statement(
            "INSERT INTO events (organization_id, at_ms, action, actor_kind, actor_id, product_id, license_id,"
            " customer_id, before, after, reason) SELECT l.organization_id, :at_ms, :action, :actor_kind, :actor_id,"
            " l.product_id, l.id, l.customer_id, :before, :after, :reason"
            " FROM json_each(:ids) AS picked CROSS JOIN licenses l ON l.id = picked.value",
            event_values(event) | {"ids": ids},
            writes_many=True,
        )


def _joined(keys: Sequence[MadeKey]) -> dict[str, Any]:
    """Return the blobs of keys of one shape, sealed with one secret.

    Raises: ValueError, for keys that are not.
    """
    digests, _, _, key_ids, sealed = zip(*keys, strict=True)
    if len({*map(len, digests)}) != 1 or len({*map(len, sealed)}) != 1 or len({*key_ids}) != 1:
        raise ValueError("keys of different shapes cannot be written together")
    return {
        "digests": b"".join(digests),
        "digest_size": len(digests[0]),
        "sealed": b"".join(sealed),
        "sealed_size": len(sealed[0]),
        "key_id": key_ids[0],
    }


def _conditions(organization_id: int, meant: Meant) -> tuple[str, dict[str, Any]]:
    conditions = ["l.organization_id = :organization"]
    conditions += [sql for name, sql in _CONDITIONS.items() if getattr(meant, name) is not None]
    values = {
        "organization": organization_id,
        "product_id": meant.product_id,
        "status": meant.status,
        "discord_id": meant.discord_id,
        "license_ids": None if meant.license_ids is None else json.dumps(list(meant.license_ids)),
        "up_to_id": meant.up_to_id,
        "now": meant.now_ms,
    }
    return " AND ".join(conditions), values
