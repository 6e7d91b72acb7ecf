"""Statements about events and their followers, facts of the installation, and usage."""

import json
from collections.abc import Sequence
from typing import Any

from licensing.events import Action, Event
from licensing.ports import Steps
from storage.statements.base import Row, Statement, columns_of

_JSON = ("before", "after")
# Calls that were turned away for coming too often are written down, and burn no quota.
COUNTED = "status <> 'rate_limit_exceeded'"


class LedgerStatements:
    """See `licensing.tables.Ledger`."""

    def append(self, event: Event) -> Steps[Event]:
        rows = yield Statement(
            "INSERT INTO events (organization_id, at_ms, action, actor_kind, actor_id, product_id, license_id,"
            " customer_id, before, after, reason) VALUES (:organization_id, :at_ms, :action, :actor_kind,"
            " :actor_id, :product_id, :license_id, :customer_id, :before, :after, :reason) RETURNING id",
            values_of(event),
        )
        return event.model_copy(update={"id": rows[0][0]})

    def after(self, event_id: int, *, limit: int) -> Steps[Sequence[Event]]:
        rows = yield Statement(
            f"SELECT {columns_of(Event)} FROM events WHERE id > :id ORDER BY id LIMIT :limit",
            {"id": event_id, "limit": limit},
        )
        return [_event(row) for row in rows]

    def last(self, license_id: int, action: Action) -> Steps[Event | None]:
        rows = yield Statement(
            f"SELECT {columns_of(Event)} FROM events WHERE license_id = :license AND action = :action"
            " ORDER BY id DESC LIMIT 1",
            {"license": license_id, "action": action},
        )
        return _event(rows[0]) if rows else None

    def since(self, license_id: int, action: Action, *, since_ms: int) -> Steps[Sequence[Event]]:
        rows = yield Statement(
            f"SELECT {columns_of(Event)} FROM events WHERE license_id = :license AND action = :action"
            " AND at_ms > :since ORDER BY id",
            {"license": license_id, "action": action, "since": since_ms},
        )
        return [_event(row) for row in rows]

    def position(self, follower: str) -> Steps[int]:
        rows = yield Statement("SELECT event_id FROM followers WHERE name = :name", {"name": follower})
        return int(rows[0][0]) if rows else 0

    def move(self, follower: str, event_id: int) -> Steps[None]:
        yield Statement(
            "INSERT INTO followers (name, event_id) VALUES (:name, :id)"
            " ON CONFLICT (name) DO UPDATE SET event_id = excluded.event_id",
            {"name": follower, "id": event_id},
        )

    def fact(self, name: str) -> Steps[str | None]:
        rows = yield Statement("SELECT value FROM facts WHERE name = :name", {"name": name})
        return str(rows[0][0]) if rows else None

    def save_fact(self, name: str, value: str) -> Steps[None]:
        yield Statement(
            "INSERT INTO facts (name, value) VALUES (:name, :value)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            {"name": name, "value": value},
        )

    def add_usage(self, calls: Sequence[tuple[int, int, str, int]]) -> Steps[Sequence[tuple[int, int, int]]]:
        # One statement for all rows, as in SeenStatements.
        added = json.dumps(calls)
        yield Statement(
            "INSERT INTO usage_daily (product_id, day, status, calls)"
            " SELECT used.value ->> 0, used.value ->> 1, used.value ->> 2, used.value ->> 3"
            " FROM json_each(:calls) AS used WHERE true ON CONFLICT (product_id, day, status) DO UPDATE"
            " SET calls = usage_daily.calls + excluded.calls",
            {"calls": added},
        )
        rows = yield Statement(
            "SELECT product_id, day, SUM(calls) FROM usage_daily"
            f" WHERE {COUNTED} AND (product_id, day) IN (SELECT used.value ->> 0, used.value ->> 1"
            " FROM json_each(:calls) AS used) GROUP BY product_id, day",
            {"calls": added},
        )
        return [(row[0], row[1], row[2]) for row in rows]


def values_of(event: Event) -> dict[str, Any]:
    """Return an event's columns."""
    values = event.model_dump(mode="json")
    return values | {name: json.dumps(values[name]) if values[name] is not None else None for name in _JSON}


def _event(row: Row) -> Event:
    values = dict(zip(Event.model_fields, row, strict=True))
    parsed = {name: json.loads(values[name]) if values[name] is not None else None for name in _JSON}
    return Event.model_validate(values | parsed)
