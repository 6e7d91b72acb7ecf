"""Statements about the log of when seats were last seen, and how it comes into the seats' tables."""

from collections.abc import Sequence
from operator import itemgetter

from pydantic_core import to_json

from licensing.choices import SeatKind
from licensing.ports import Steps
from storage.statements.base import Statement

_TABLES = {SeatKind.ADDRESS: "license_addresses", SeatKind.DEVICE: "license_devices"}
_at_ms = itemgetter(2)


class SeenStatements:
    """See `licensing.tables.SeenLog`.

    Many rows are one statement: row by row, the writer would fight the event loop for the interpreter at every one.
    json_each and json_group_array are SQLite's; PostgreSQL calls them jsonb_array_elements and jsonb_agg.
    """

    def append(self, kind: SeatKind, seen: Sequence[tuple[int, str, int]]) -> Steps[None]:
        # One flat object, since a name that holds both is read twice as fast as a list that has to be unfolded. In
        # the order of their times, since several callers sit on one seat: the last of them counts.
        times = {f"{license_id} {name}": at_ms for license_id, name, at_ms in sorted(seen, key=_at_ms)}
        values = {"kind": kind, "seen": to_json(times).decode()}
        yield Statement("INSERT INTO seen_log (kind, seen) VALUES (:kind, :seen)", values)

    def parts(self, *, entries: int) -> Steps[Sequence[int]]:
        rows = yield Statement(
            "SELECT MAX(id) FROM (SELECT id, (ROW_NUMBER() OVER (ORDER BY id) - 1) / :entries AS part FROM seen_log)"
            " AS entries GROUP BY part ORDER BY 1",
            {"entries": entries},
        )
        return [row[0] for row in rows]

    def newest(self, kind: SeatKind, *, last_id: int, seats: int) -> Steps[Sequence[str]]:
        # Sorted as the table is, so that each of its pages is come to once.
        rows = yield Statement(
            "SELECT json_group_array(json_array(license_id, name, at_ms)) FROM (SELECT license_id, name, at_ms,"
            " (ROW_NUMBER() OVER (ORDER BY license_id, name) - 1) / :seats AS part FROM (SELECT"
            " CAST(substr(seat, 1, instr(seat, ' ') - 1) AS INTEGER) AS license_id,"
            " substr(seat, instr(seat, ' ') + 1) AS name, at_ms FROM (SELECT it.key AS seat, MAX(it.value) AS at_ms"
            " FROM seen_log l, json_each(l.seen) AS it WHERE l.kind = :kind AND l.id <= :last GROUP BY it.key)))"
            " GROUP BY part ORDER BY part",
            {"kind": kind, "last": last_id, "seats": seats},
        )
        return [row[0] for row in rows]

    def move(self, kind: SeatKind, seats: str) -> Steps[None]:
        table = _TABLES[kind]
        yield Statement(
            "WITH seen (license_id, name, at_ms) AS MATERIALIZED"
            " (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:seats) ORDER BY 1)"
            f" UPDATE {table} SET last_seen_at_ms = seen.at_ms FROM seen"
            f" WHERE {table}.license_id = seen.license_id AND {kind} = seen.name AND last_seen_at_ms < seen.at_ms",
            {"seats": seats},
        )

    def forget(self, *, last_id: int) -> Steps[None]:
        yield Statement("DELETE FROM seen_log WHERE id <= :last", {"last": last_id})
