"""A store with every service on it, for tests that speak to the use cases as the doors do."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from new_databases import lay

from licensing.addresses import parse_ip
from licensing.events import Event
from licensing.keys import tidy
from licensing.models import Actor, Plan, ProductSettings
from licensing.services.account import AccountService
from licensing.services.api_keys import ApiKeyService
from licensing.services.attempts import AttemptLog
from licensing.services.blacklist import BlacklistService
from licensing.services.bulk import BulkService
from licensing.services.catalog import CatalogService, NewApiKey
from licensing.services.changes import ChangeService
from licensing.services.finder import FinderService
from licensing.services.history import HistoryService, Keeping
from licensing.services.licenses import Issued, LicenseService
from licensing.services.limits import Limits, Rates
from licensing.services.organizations import OrganizationService, Plans
from licensing.services.refusals import RefusalLog
from licensing.services.resets import ResetService
from licensing.services.roles import RoleService
from licensing.services.signing import SigningService
from licensing.services.staff import StaffService
from licensing.services.terms import Terms
from licensing.services.traces import Traces
from licensing.services.transfers import TransferService
from licensing.services.upkeep import UpkeepService
from licensing.services.usage import LastSeen, UsageMeter, fold_seen
from licensing.services.validation import ValidationService
from licensing.services.versions import VersionService
from licensing.verdict import Call, Verdict
from storage import DatabaseSettings, Signer, open_store
from storage.snapshots import SnapshotCache
from storage.sqlite import connect
from storage.store import SqliteStore

ORGANIZATION = 1
OWNER = Actor(organization_id=ORGANIZATION, id=10, name="Olivia", is_administrator=True)
OTHER_OWNER = OWNER.model_copy(update={"organization_id": 2})
NOON_MS = 1_750_000_000_000


def member(discord_id: int, *, organization_id: int = ORGANIZATION, roles: frozenset[int] = frozenset()) -> Actor:
    return Actor(organization_id=organization_id, id=discord_id, name=f"member {discord_id}", role_ids=roles)


@dataclass
class World:
    """Everything on one open store; `now_ms` is the clock."""

    store: SqliteStore
    plans: dict[str, Plan] = field(default_factory=lambda: {"default": Plan(), "large": Plan(products=1_000)})
    now_ms: int = NOON_MS
    rates: Rates = field(default_factory=Rates)

    def __post_init__(self) -> None:
        store, vault, plans = self.store, self.store.vault, Plans(self.plans, default="default")
        self.usage, self.seen = UsageMeter(store.snapshots), LastSeen()
        self.attempts, self.refusals = AttemptLog(keep=50), RefusalLog(os.urandom)
        self.traces = Traces(usage=self.usage, seen=self.seen, attempts=self.attempts, refusals=self.refusals)
        self.organizations = OrganizationService(store, plans=plans, clock=self.clock)
        self.blacklist = BlacklistService(store, vault, clock=self.clock)
        self.catalog = CatalogService(store, plans=plans, clock=self.clock, random_bytes=os.urandom)
        self.versions = VersionService(store, clock=self.clock)
        self.signer = Signer(vault, os.urandom)
        self.signing = SigningService(store, self.signer, clock=self.clock)
        self.api_keys = ApiKeyService(store, clock=self.clock, random_bytes=os.urandom)
        self.licenses = LicenseService(store, vault, plans=plans, clock=self.clock, random_bytes=os.urandom)
        self.bulk = BulkService(store, vault, plans=plans, clock=self.clock, random_bytes=os.urandom)
        self.account = AccountService(store, vault, clock=self.clock)
        self.finder = FinderService(store, vault, clock=self.clock)
        self.changes = ChangeService(store, vault, clock=self.clock)
        self.resets = ResetService(store, clock=self.clock)
        self.transfers = TransferService(store, clock=self.clock)
        self.upkeep = UpkeepService(store, keeping=Keeping(), clock=self.clock)
        self.history = HistoryService(store, vault, keeping=Keeping(), clock=self.clock)
        self.staff = StaffService(store, clock=self.clock)
        self.roles = RoleService(store, clock=self.clock)
        self.validation = ValidationService(
            store, vault, plans=plans, limits=Limits(self.rates), traces=self.traces, clock=self.clock
        )

    def clock(self) -> int:
        return self.now_ms

    async def product(self, name: str = "Pro", *, by: Actor = OWNER, **settings: object) -> NewApiKey:
        return await self.catalog.create(by, name=name, settings=ProductSettings.model_validate(settings))

    async def issue(self, product: str = "Pro", *, by: Actor = OWNER, **terms: object) -> Issued:
        return await self.licenses.issue(by, Terms(product=product, **terms))  # type: ignore[arg-type]

    async def validate(self, api_key: str, key: str, address: str | None = "203.0.113.1") -> Verdict:
        call = Call(key, address, ip=parse_ip(address) if address else None)
        return (await self.validation.validate(api_key, call)).verdict

    async def write_seen(self) -> None:
        """Write last-seen times behind, until they stand in the tables of seats."""
        await self.seen.flush(self.store)
        await fold_seen(self.store)

    async def events(self) -> list[Event]:
        return list(await self.store.read(lambda tx: tx.ledger.after(0, limit=10_000)))


def cache_on(path: Path, *, size: int = 100) -> SnapshotCache:
    """Return what another process would keep of a database in memory."""
    return SnapshotCache(connect(path, read_only=True), size=size, writer="nobody")


def digest_of(world: World, key: str) -> bytes:
    return world.store.vault.digest(tidy(key))


@asynccontextmanager
async def opened(
    settings: DatabaseSettings, *, organizations: tuple[int, ...] = (ORGANIZATION,)
) -> AsyncIterator[World]:
    lay(settings)
    async with opened_by_the_program(settings, organizations=organizations) as world:
        yield world


@asynccontextmanager
async def opened_by_the_program(
    settings: DatabaseSettings, *, organizations: tuple[int, ...] = (ORGANIZATION,)
) -> AsyncIterator[World]:
    """Open what is there; where nothing is, the program makes it, as in an operator's hands."""
    async with open_store(settings) as store:
        world = World(store)
        for organization_id in organizations:
            await world.organizations.joined(organization_id, name=f"Shop {organization_id}")
        yield world


@asynccontextmanager
async def store_away(world: World) -> AsyncIterator[None]:
    """Let the database take no writes for a while."""
    worker = world.store._writer._worker
    await worker.call(lambda connection: connection.execute("PRAGMA query_only = ON"))
    yield
    await worker.call(lambda connection: connection.execute("PRAGMA query_only = OFF"))
