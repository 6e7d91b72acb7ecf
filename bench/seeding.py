"""Fills databases through the storage layer, fast: sorted by key hash, one statement a table and chunk.

Beside each database stand its key file, the products' API keys (`products.json`) and every license key (`*.keys`).
They are kept from run to run, until the schema or this module changes.
"""

import asyncio
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from bench.layout import ENDS_2035_MS, ENDS_2090_MS, ORGANIZATION_ID, Kind, Shelf, address_of
from bench.names import name_of
from bench.setting import config_of
from bot.app import now_ms, opened
from bot.house import House, plans_of
from licensing.choices import ActorKind, SigningKind
from licensing.keys import PREFIX_LENGTH, make_license_key, tidy
from licensing.models import Actor, Organization, ProductSettings
from licensing.ports import Steps
from licensing.services.catalog import CatalogService
from storage.revisions import HEAD
from storage.statements import StatementTransaction
from storage.statements.base import Statement
from storage.statements.words import words_of
from storage.vault import FileVault, KeyFile

DATABASE = "keyport.db"
_VERSION = 2
_CHUNK = 5_000
_BATCH = 20_000  # keys that one process makes at a time
_DIGEST, _SEALED = 32, 47  # bytes: a hash; a nonce, a key of 19 letters and a tag
_BY = Actor(organization_id=ORGANIZATION_ID, kind=ActorKind.OPERATOR)

_CUSTOMERS = (
    "INSERT INTO customers (id, organization_id, discord_id, email, name, words, created_at_ms, updated_at_ms)"
    " SELECT value ->> 0, :organization, value ->> 1, value ->> 2, value ->> 3, value ->> 4, :now, :now"
    " FROM json_each(:rows)"
)
_LICENSES = (
    "INSERT INTO licenses (id, organization_id, product_id, customer_id, state, expires_at_ms, max_ips, notes,"
    " words, claimed_at_ms, created_at_ms, updated_at_ms) SELECT value ->> 0, :organization, :product,"
    " value ->> 1, 'active', :ends, 3, value ->> 2, value ->> 2, iif(value ->> 1 IS NULL, NULL, :now), :now, :now"
    " FROM json_each(:rows)"
)
# Blobs of one length stand one behind the other, since JSON holds none.
_KEYS = (
    "INSERT INTO license_keys (organization_id, digest, license_id, prefix, key_id, ciphertext) SELECT :organization,"
    f" substr(:digests, key * {_DIGEST} + 1, {_DIGEST}), value ->> 0, value ->> 3, :key_id,"
    f" substr(:sealed, key * {_SEALED} + 1, {_SEALED}) FROM json_each(:rows)"
)
_ADDRESSES = (
    "INSERT INTO license_addresses (license_id, address, first_seen_at_ms, last_seen_at_ms)"
    " SELECT value ->> 0, value ->> 4, :now, :now FROM json_each(:rows)"
)
_EVENTS = (
    "INSERT INTO events (organization_id, at_ms, action, actor_kind, product_id, license_id, customer_id, after)"
    " SELECT :organization, :now, 'license.created', 'operator', :product, value ->> 0, value ->> 1,"
    """ '{"expires_at_ms": null, "max_ips": 3, "notes": null}' FROM json_each(:rows)"""
)


class Made(NamedTuple):
    """One license key, sealed by a process beside."""

    digest: bytes
    key: str
    key_id: str
    sealed: bytes


def seeded(folder: Path, shelves: Sequence[Shelf]) -> Path:
    """Return the folder of a database with these shelves, made now unless an earlier run left it."""
    stamp = _stamp(shelves)
    marked = folder / "seeded"
    if marked.exists() and marked.read_text(encoding="utf-8") == stamp:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.perf_counter()
    asyncio.run(_fill(folder, shelves))
    marked.write_text(stamp, encoding="utf-8")
    count = sum(shelf.count for shelf in shelves)
    print(f"seeded {count:,} licenses in {time.perf_counter() - began:.1f} s", flush=True)
    return folder


def _stamp(shelves: Sequence[Shelf]) -> str:
    """Return what a seeded database is recognised by."""
    schema = hashlib.sha256()
    for source in ("storage/schema.py", "licensing/models.py"):
        schema.update((Path(__file__).parents[1] / source).read_bytes())
    return json.dumps([_VERSION, HEAD, schema.hexdigest(), [str(shelf) for shelf in shelves]])


async def _fill(folder: Path, shelves: Sequence[Shelf]) -> None:
    async with opened(config_of(folder / DATABASE)) as house:
        organization = Organization(id=ORGANIZATION_ID, name="Bench", plan="default")
        await house.store.write(lambda tx: tx.organizations.save_joined(organization, now_ms=now_ms()))
        products: dict[str, dict[str, Any]] = {}
        with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
            for shelf in shelves:
                products[shelf.name] = await _product(house, shelf)
                made = await _made(pool, house, shelf.count)
                (folder / shelf.file).write_text("".join(f"{one.key}\n" for one in made), encoding="ascii")
                await _stock(house, shelf, products[shelf.name]["id"], made)
        await house.store.write(_all_told)
    (folder / "products.json").write_text(json.dumps(products), encoding="utf-8")


async def _product(house: House, shelf: Shelf) -> dict[str, Any]:
    catalog = CatalogService(house.store, plans=plans_of(house.config), clock=now_ms, random_bytes=os.urandom)
    created = await catalog.create(_BY, name=shelf.name, settings=ProductSettings())
    if shelf.signs:
        await house.signing.turn_on(_BY, shelf.name, SigningKind(shelf.signs))
    return {"id": created.product.id, "api_key": created.api_key}


async def _made(pool: ProcessPoolExecutor, house: House, count: int) -> list[Made]:
    """Return new keys, sorted by hash: rows in the order of their index are written twice as fast."""
    loop, key_path = asyncio.get_running_loop(), str(house.config.database.key_path)
    sizes = [min(_BATCH, count - start) for start in range(0, count, _BATCH)]
    batches = await asyncio.gather(*(loop.run_in_executor(pool, make_keys, key_path, size) for size in sizes))
    return sorted(one for batch in batches for one in batch)


def make_keys(key_path: str, count: int) -> list[Made]:
    """Make and seal keys, in a process of its own."""
    vault = FileVault(KeyFile.read(Path(key_path)), os.urandom)
    keys = [make_license_key(os.urandom) for _ in range(count)]
    found = []
    for key in keys:
        digest = vault.digest(tidy(key))
        sealed = vault.seal(key, digest=digest, prefix="")
        found.append(Made(digest, key, sealed.key_id, sealed.ciphertext))
    return found


async def _stock(house: House, shelf: Shelf, product_id: int, made: Sequence[Made]) -> None:
    for start in range(0, shelf.count, _CHUNK):
        chunk = made[start : start + _CHUNK]
        rows = [_row(shelf, start + place, one) for place, one in enumerate(chunk)]
        values = {
            "organization": ORGANIZATION_ID,
            "product": product_id,
            "now": now_ms(),
            "ends": ENDS_2035_MS if shelf.kind is Kind.ENDING else ENDS_2090_MS,
            "rows": json.dumps(rows),
            "digests": b"".join(one.digest for one in chunk),
            "sealed": b"".join(one.sealed for one in chunk),
            "key_id": chunk[0].key_id,
        }
        await house.store.write(lambda _tx, shelf=shelf, values=values: _insert(shelf, values))


def _row(shelf: Shelf, place: int, one: Made) -> list[int | str | None]:
    """Return a license as the statements read it: id, customer, note, start of the key, address."""
    license_id = shelf.first_id + place
    holder = None if shelf.kind is Kind.STOCK else license_id
    note = f"order {license_id * 7919 % 1_000_003}" if license_id % 10 == 0 else None
    return [license_id, holder, note, tidy(one.key)[:PREFIX_LENGTH], address_of(place)]


def _insert(shelf: Shelf, values: dict[str, Any]) -> Steps[None]:
    if shelf.kind is not Kind.STOCK:
        holders = json.dumps(list(_holders(json.loads(values["rows"]))))
        yield Statement(_CUSTOMERS, values | {"rows": holders})
    yield Statement(_LICENSES, values)
    yield Statement(_KEYS, values)
    if shelf.kind is Kind.REGISTERED:
        yield Statement(_ADDRESSES, values)
    yield Statement(_EVENTS, values)


def _holders(rows: Sequence[Sequence[Any]]) -> Iterator[list[int | str | None]]:
    for license_id, *_ in rows:
        name = name_of(license_id)
        email = f"{name.replace(' ', '.').lower()}@example.com" if license_id % 4 == 0 else None
        yield [license_id, 10**15 + license_id, email, name, words_of(name, email)]


def _all_told(tx: StatementTransaction) -> Steps[None]:
    """Note that Discord knows every event: a bot that connects has nothing to catch up with."""
    rows = yield Statement("SELECT MAX(id) FROM events")
    yield from tx.ledger.move("discord", rows[0][0])
