"""Brings what is stored of addresses and devices to how they are kept now: in clear, or as keyed hashes.

A hash cannot be undone, nor can an IPv6 prefix be made longer: what was kept in another way then matches nobody any
more, which is counted and told.
"""

import contextlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from licensing.addresses import Counting, is_pseudonym
from licensing.ports import Steps, Unavailable
from licensing.services.usage import fold_seen
from storage.statements import StatementTransaction
from storage.statements.base import Row, Statement
from storage.store import SqliteStore

FACT = "addresses.kept"
CHUNK = 500  # rows of a transaction

_EARLIEST, _LATEST = "MIN({0}.{1}, excluded.{1})", "MAX({0}.{1}, excluded.{1})"
_NAMES = frozenset({"address", "addresses", "device", "devices"})  # members that hold such, in events and traces
_NAMES_IN_TRACES = _NAMES | {"network"}  # the entry of a blacklist that a caller met, whose own address it can be

Hash = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Way:
    """How addresses and devices are kept; `scrubbed` once no byte of what was kept in clear is left in the file."""

    ipv6_prefix: int
    hashed: bool
    scrubbed: bool = True


@dataclass(frozen=True, slots=True)
class Recounted:
    """What was done: rows that were hashed, and seats that match nobody any more."""

    now: Way
    hashed: int = 0
    lost_addresses: int = 0
    lost_devices: int = 0


class Seats(NamedTuple):
    """A table whose key holds addresses or devices, so that two rows can become one."""

    name: str
    key: Sequence[str]
    hashed: Sequence[str]
    added_up: Sequence[str] = ()

    @property
    def columns(self) -> Sequence[str]:
        """Return the columns; every such table knows when something was first and last seen."""
        return [*self.key, *self.added_up, *self._times]

    @property
    def merged(self) -> str:
        """Return how a row takes another one in."""
        first, last = self._times
        sums = [f"{name} = {self.name}.{name} + excluded.{name}" for name in self.added_up]
        earliest, latest = _EARLIEST.format(self.name, first), _LATEST.format(self.name, last)
        return ", ".join([*sums, f"{first} = {earliest}", f"{last} = {latest}"])

    @property
    def _times(self) -> tuple[str, str]:
        return ("first_at_ms", "last_at_ms") if self.added_up else ("first_seen_at_ms", "last_seen_at_ms")


_KEYED = (
    Seats("license_addresses", ("license_id", "address"), ("address",)),
    Seats("license_devices", ("license_id", "device"), ("device",)),
    Seats("attempts", ("license_id", "status", "address", "device", "version"), ("address", "device"), ("count",)),
)


async def recount(store: SqliteStore, counting: Counting) -> Recounted:
    """Hash what is stored in clear, if that is asked for now, and count the seats that no call will match.

    It is done before anything is served, chunk by chunk; interrupted, it goes on at the next start.

    Raises: Unavailable.
    """
    known = await store.read(lambda tx: tx.ledger.fact(FACT))
    before = Way(**json.loads(known)) if known else Way(counting.ipv6_prefix, hashed=False)
    now = Way(counting.ipv6_prefix, hashed=counting.pseudonym is not None, scrubbed=before.scrubbed)
    lost_addresses, lost_devices = await store.read(lambda tx: _lost(tx, before, now))
    hashed = 0
    if counting.pseudonym is not None and (not before.hashed or await store.read(_anything_in_clear)):
        await fold_seen(store)  # what is in the log names seats as they are called until now
        hashed = await _hash_all(store, counting.pseudonym)
        now = Way(now.ipv6_prefix, hashed=True, scrubbed=False)
        await _save(store, now)
    if not now.scrubbed and await store.scrub():
        now = Way(now.ipv6_prefix, now.hashed)
    if now != before or not known:
        with contextlib.suppress(Unavailable):  # a full disk keeps nobody from serving; told again next time
            await _save(store, now)
    return Recounted(now, hashed, lost_addresses, lost_devices)


async def _save(store: SqliteStore, way: Way) -> None:
    value = json.dumps({"ipv6_prefix": way.ipv6_prefix, "hashed": way.hashed, "scrubbed": way.scrubbed})
    await store.write(lambda tx: tx.ledger.save_fact(FACT, value))


def _lost(_tx: StatementTransaction, before: Way, now: Way) -> Steps[tuple[int, int]]:
    """Count the seats of addresses and devices that were kept so that none is found by them any more."""
    if before.hashed and not now.hashed:
        return (yield from _count("license_addresses")), (yield from _count("license_devices", "device <> ''"))
    if before.ipv6_prefix == now.ipv6_prefix:
        return 0, 0
    # Of a hash it cannot be told whether it was made of an IPv6 address.
    return (yield from _count("license_addresses", "" if before.hashed else "address LIKE '%:%'")), 0


def _anything_in_clear(_tx: StatementTransaction) -> Steps[bool]:
    """Look for what another process wrote that was still told to keep addresses in clear."""
    for seats in _KEYED:
        for name in seats.hashed:
            in_clear = f"{name} <> '' AND {name} NOT LIKE '~%'"
            rows = yield Statement(f"SELECT 1 FROM {seats.name} WHERE {in_clear} LIMIT 1")
            if rows:
                return True
    hashed = "instr(seat.key, ' ~') = instr(seat.key, ' ')"
    in_log = yield Statement(f"SELECT 1 FROM seen_log l, json_each(l.seen) AS seat WHERE NOT {hashed} LIMIT 1")
    return bool(in_log)


def _count(table: str, condition: str = "") -> Steps[int]:
    rows = yield Statement(f"SELECT COUNT(*) FROM {table}" + (f" WHERE {condition}" if condition else ""))
    return int(rows[0][0])


async def _hash_all(store: SqliteStore, pseudonym: Hash) -> int:
    hashing = partial(_hashed, pseudonym)
    count = 0
    for seats in _KEYED:
        count += await _in_chunks(store, partial(_hash_seats, seats, hashing), (0, *[""] * (len(seats.key) - 1)))
    count += await _in_chunks(store, partial(_hash_refusals, hashing), ("",))
    return count + await _in_chunks(store, partial(_hash_events, hashing), (0,))


async def _in_chunks(store: SqliteStore, hash_after: Callable[..., Steps[tuple[int, Row | None]]], start: Row) -> int:
    """Do a table chunk by chunk, each from where the last one ended; return how many rows were hashed."""
    count, after = 0, start
    while True:
        hashed, last = await store.write(partial(hash_after, after))
        count += hashed
        if last is None:
            return count
        after = last


def _hash_seats(seats: Seats, hashing: Hash, after: Row, tx: StatementTransaction) -> Steps[tuple[int, Row | None]]:
    columns, key = ", ".join(seats.columns), ", ".join(seats.key)
    bounds = {f"after_{name}": value for name, value in zip(seats.key, after, strict=True)}
    rows = yield Statement(
        f"SELECT {columns} FROM {seats.name} WHERE ({key}) > ({', '.join(f':{name}' for name in bounds)})"
        f" ORDER BY {key} LIMIT {CHUNK}",
        bounds,
    )
    hashed = 0
    for row in rows:
        old = dict(zip(seats.columns, row, strict=True))
        new = old | {name: hashing(old[name]) for name in seats.hashed}
        if new != old:
            hashed += 1
            tx.touched_licenses.add(old["license_id"])
            yield from _replace(seats, old, new)
    return hashed, rows[-1][: len(seats.key)] if rows else None


def _replace(seats: Seats, old: dict[str, Any], new: dict[str, Any]) -> Steps[None]:
    """Put one row in another's place, which may be taken: what was kept in clear in between becomes one with it."""
    names = ", ".join(f":{name}" for name in seats.columns)
    yield Statement(
        f"INSERT INTO {seats.name} ({', '.join(seats.columns)}) VALUES ({names})"
        f" ON CONFLICT ({', '.join(seats.key)}) DO UPDATE SET {seats.merged}",
        new,
    )
    found = " AND ".join(f"{name} = :{name}" for name in seats.key)
    yield Statement(f"DELETE FROM {seats.name} WHERE {found}", {name: old[name] for name in seats.key})


def _hash_refusals(hashing: Hash, after: Row, _tx: StatementTransaction) -> Steps[tuple[int, Row | None]]:
    rows = yield Statement(
        f"SELECT code, address, device, trace FROM refusals WHERE code > :after ORDER BY code LIMIT {CHUNK}",
        {"after": after[0]},
    )
    hashed = 0
    for code, address, device, trace in rows:
        old = {"address": address, "device": device, "trace": trace}
        new = {
            "address": address and hashing(address),
            "device": device and hashing(device),
            "trace": json.dumps(_without(json.loads(trace), hashing, _NAMES_IN_TRACES)),
        }
        if new != old:
            hashed += 1
            yield Statement(
                "UPDATE refusals SET address = :address, device = :device, trace = :trace WHERE code = :code",
                {"code": code, **new},
            )
    return hashed, rows[-1][:1] if rows else None


def _hash_events(hashing: Hash, after: Row, _tx: StatementTransaction) -> Steps[tuple[int, Row | None]]:
    rows = yield Statement(
        f"SELECT id, before, after FROM events WHERE id > :after ORDER BY id LIMIT {CHUNK}", {"after": after[0]}
    )
    hashed = 0
    for id_, *facts in rows:
        parsed = [json.loads(fact) if fact else None for fact in facts]
        new = [_without(fact, hashing) for fact in parsed]
        if new != parsed:
            hashed += 1
            texts = [json.dumps(fact) if fact is not None else None for fact in new]
            yield Statement(
                "UPDATE events SET before = :before, after = :after WHERE id = :id",
                {"id": id_, "before": texts[0], "after": texts[1]},
            )
    return hashed, rows[-1][:1] if rows else None


def _without(facts: Any, hashing: Hash, names: Collection[str] = _NAMES, *, named: bool = False) -> Any:
    """Return facts as JSON has them, with every text hashed that stands under the name of an address or device."""
    if isinstance(facts, dict):
        return {name: _without(value, hashing, names, named=name in names) for name, value in facts.items()}
    if isinstance(facts, list):
        return [_without(value, hashing, names, named=named) for value in facts]
    return hashing(facts) if named and isinstance(facts, str) else facts


def _hashed(pseudonym: Hash, text: str) -> str:
    """Return a text's hash; what is nobody's, or a hash already, stays."""
    return text if not text or is_pseudonym(text) else pseudonym(text)
