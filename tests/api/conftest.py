"""A real server on a real SQLite file, with one organization, for every test of the API."""

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from factories import DAY_MS, NOW_MS, ORGANIZATION_ID, make_actor, make_organization, make_plan, seeded_bytes
from hypothesis import settings
from new_databases import lay
from shown_metrics import Parts

from bot.api import AddressReader, Health, Metrics, MetricsPage, Proofs, build_api, serve
from bot.api.errors import answering
from bot.api.health import healthz
from bot.api.metrics import Traffic
from licensing.models import Plan, ProductSettings
from licensing.services.api_keys import ApiKeyService
from licensing.services.attempts import AttemptLog
from licensing.services.catalog import CatalogService, NewApiKey
from licensing.services.licenses import Issued, LicenseService
from licensing.services.limits import Limits, Rates
from licensing.services.organizations import Plans
from licensing.services.refusals import RefusalLog
from licensing.services.signing import SigningService
from licensing.services.terms import Terms
from licensing.services.traces import Traces
from licensing.services.usage import LastSeen, UsageMeter
from licensing.services.validation import ValidationService
from storage import DatabaseSettings, Signer, open_store

# A busy machine is no bug.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

ADDRESS = "203.0.113.7"


@dataclass
class Clock:
    """A clock that only the test moves."""

    now_ms: int = NOW_MS

    def __call__(self):
        return self.now_ms


@dataclass
class Reply:
    """What came back over the wire."""

    code: int
    headers: Any
    raw: bytes

    @property
    def body(self):
        return json.loads(self.raw)

    @property
    def seen(self):
        """The code and the status, which most tests are about."""
        return self.code, self.body["status"]


@dataclass
class Shop:
    """One organization's staff, its store and the API in front of it."""

    store: Any
    http: aiohttp.ClientSession
    url: str
    clock: Clock
    catalog: CatalogService
    signing: SigningService
    api_keys: ApiKeyService
    licenses: LicenseService
    validation: ValidationService
    usage: UsageMeter
    health: Health
    traces: Traces
    metrics: Metrics
    staff: Any = field(default_factory=make_actor)

    async def product(self, name="Widget", **switches) -> NewApiKey:
        return await self.catalog.create(self.staff, name=name, settings=ProductSettings(**switches))

    async def issue(self, product="Widget", **terms) -> Issued:
        terms = {"discord_id": 7} | terms
        if terms.get("email"):
            terms["discord_id"] = None
        return await self.licenses.issue(self.staff, Terms(product, **terms))

    async def post(self, body: bytes, headers: dict[str, str]) -> Reply:
        async with self.http.post(f"{self.url}/api/v1/validate", data=body, headers=headers) as response:
            return Reply(response.status, response.headers, await response.read())

    async def validate(self, api_key, key, *, address=ADDRESS, **members) -> Reply:
        headers = {
            "Authorization": f"Bearer {api_key}",
            "Content-Type": "application/json",
            "X-Forwarded-For": address,
        }
        return await self.post(json.dumps({"license_key": key, **members}).encode(), headers)

    async def refusal(self, code):
        """Return what is kept of a refusal under its support code."""
        await self.traces.refusals.flush(self.store)
        return await self.store.read(lambda tx: tx.history.refusal(self.staff.organization_id, code))

    async def get(self, path, api_key=None, method="GET") -> Reply:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        async with self.http.request(method, self.url + path, headers=headers) as response:
            return Reply(response.status, response.headers, await response.read())


@asynccontextmanager
async def running_shop(
    folder,
    *,
    plan: Plan | None = None,
    organization=None,
    trusted=("127.0.0.1/32",),
    clock=None,
    rates=None,
    metrics_token="",
):
    plans = Plans({"default": plan or make_plan()}, default="default")
    clock = clock or Clock()
    settings = DatabaseSettings(folder / "keyport.db", folder / "keyport.key")
    lay(settings)
    async with open_store(settings) as store:
        await store.write(
            lambda tx: tx.organizations.save_joined(organization or make_organization(), now_ms=clock.now_ms)
        )
        usage = UsageMeter(store.snapshots)
        random_bytes = seeded_bytes()
        catalog = CatalogService(store, plans=plans, clock=clock, random_bytes=random_bytes)
        licenses = LicenseService(store, store.vault, plans=plans, clock=clock, random_bytes=random_bytes)
        signer = Signer(store.vault, random_bytes)
        signing = SigningService(store, signer, clock=clock)
        api_keys = ApiKeyService(store, clock=clock, random_bytes=random_bytes)
        traces = Traces(usage=usage, seen=LastSeen(), attempts=AttemptLog(keep=50), refusals=RefusalLog(random_bytes))
        limits = Limits(rates or Rates())
        validation = ValidationService(store, store.vault, plans=plans, limits=limits, traces=traces, clock=clock)
        health = Health("1.2.3", lambda: store.read(lambda tx: tx.ledger.fact("ready")))
        addresses = AddressReader((ip_network(text) for text in trusted), clock=clock)
        metrics = Metrics(
            version="1.2.3", started_s=0.0, discord=lambda: health.discord, cache=dict, writer_queue=lambda: 0
        )
        app = build_api(
            validation,
            addresses=addresses,
            proofs=Proofs(signer, file_key=signing.file_key, clock=clock),
            health=health,
            metrics=metrics,
            metrics_page=MetricsPage(metrics, token=metrics_token),
        )
        async with (
            serve(app, host="127.0.0.1", port=0) as (host, port),
            aiohttp.ClientSession() as http,
        ):
            url = f"http://{host}:{port}"
            yield Shop(
                store,
                http,
                url,
                clock,
                catalog,
                signing,
                api_keys,
                licenses,
                validation,
                usage,
                health,
                traces,
                metrics,
            )


@pytest.fixture
def open_shop(tmp_path):
    """Start a server with settings of the test's own."""
    return lambda **settings: running_shop(tmp_path, **settings)


@pytest.fixture
async def shop(tmp_path):
    """A server with nothing special about it."""
    async with running_shop(tmp_path) as shop:
        yield shop


@pytest.fixture
async def api_key(shop):
    """The key of the only product there is."""
    return (await shop.product()).api_key


@pytest.fixture
def organization_id():
    return ORGANIZATION_ID


@pytest.fixture
def midnight_ms():
    """The next 00:00 UTC after the clock's start."""
    return (NOW_MS // DAY_MS + 1) * DAY_MS


@pytest.fixture
async def small():
    """A server that only says that it lives, and what its sockets count."""
    app, traffic = web.Application(), Traffic()
    app.router.add_get("/healthz", answering(healthz))
    async with serve(app, host="127.0.0.1", port=0, traffic=traffic) as (host, port):
        yield f"http://{host}:{port}", traffic


@pytest.fixture
def parts():
    return Parts()


@pytest.fixture
def metrics(parts):
    return parts.metrics()
