"""With addresses hashed everything works as before, and nowhere does an address stand in clear."""

import json
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from factories import DAY_MS, NOW_MS, make_actor, make_organization, seeded_bytes

from bot import app
from bot.config import Api, Config, Database, Limits, Privacy
from bot.house import House
from licensing.choices import BlockLevel
from licensing.events import Action, Event
from licensing.models import Block, ProductSettings
from licensing.services.catalog import CatalogService
from licensing.services.changes import ChangeService
from licensing.services.licenses import LicenseService
from licensing.services.terms import Terms
from licensing.services.upkeep import UpkeepService

HOME, OFFICE, IPV6 = "203.0.113.77", "198.51.100.88", "2001:db8:77:1::9"
DEVICE = "laptop-of-ada"
TRACES = (HOME, OFFICE, "2001:db8:77", DEVICE)


@dataclass
class Reply:
    """What came back over the wire."""

    code: int
    headers: Any
    body: Any


@dataclass
class Office:
    """The program itself on a file of its own, with staff to act in it; `now_ms` is its clock."""

    house: House
    http: aiohttp.ClientSession
    url: str
    clock: list[int]
    staff: Any

    def __post_init__(self):
        store, now = self.house.store, self.house.clock
        given = {"plans": self.house.plans, "clock": now, "random_bytes": seeded_bytes(5)}
        self.catalog = CatalogService(store, **given)
        self.licenses = LicenseService(store, store.vault, **given)
        self.changes = ChangeService(store, store.vault, clock=now)
        self.upkeep = UpkeepService(store, keeping=self.house.keeping, clock=now)

    async def product(self, **switches):
        return (await self.catalog.create(self.staff, name="Widget", settings=ProductSettings(**switches))).api_key

    async def issue(self, **terms):
        return await self.licenses.issue(self.staff, Terms("Widget", discord_id=7, **terms))

    async def validate(self, api_key, key, address=HOME, **members) -> Reply:
        headers = {"Authorization": f"Bearer {api_key}", "X-Forwarded-For": address}
        body = {"license_key": key, **members}
        async with self.http.post(f"{self.url}/api/v1/validate", json=body, headers=headers) as response:
            return Reply(response.status, response.headers, await response.json())

    async def flush(self):
        traces = self.house.traces
        for log in (traces.usage, traces.seen, traces.attempts, traces.refusals):
            await log.flush(self.house.store)

    async def block(self, network):
        row = Block(id=0, organization_id=self.staff.organization_id, level=BlockLevel.ORGANIZATION,
                    network=network, created_at_ms=1)  # fmt: skip
        await self.house.store.write(lambda tx: _blocked(tx, row))


def _blocked(tx, row):
    yield from tx.blacklist.insert(row)
    event = {
        "organization_id": row.organization_id,
        "at_ms": 1,
        "action": Action.ADDRESS_BLOCKED,
        "actor_kind": "system",
    }
    yield from tx.ledger.append(Event(**event))


@pytest.fixture
def running(tmp_path):
    """Start the program on one and the same file, with settings of the test's own."""

    @asynccontextmanager
    async def start(*, hashed=True, ipv6_prefix=64, rates=None):
        clock = [NOW_MS]
        database = Database(url=f"sqlite:///{tmp_path / 'keyport.db'}")
        api = Api(port=0, trusted_proxies="127.0.0.1", ipv6_prefix=ipv6_prefix)
        privacy, limits = Privacy(hash_addresses=hashed), rates or Limits()
        config = Config(database=database, api=api, privacy=privacy, limits=limits)
        async with (
            app.opened(config, clock=lambda: clock[0]) as house,
            app.serving(house, config.api) as (host, port),
            aiohttp.ClientSession() as http,
        ):
            await house.store.write(lambda tx: tx.organizations.save_joined(make_organization(), now_ms=NOW_MS))
            yield Office(house, http, f"http://{host}:{port}", clock, make_actor())

    start.path = tmp_path / "keyport.db"
    return start


def left_in(path):
    raw = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    return [trace for trace in TRACES if trace.encode() in raw]


async def test_seats_resets_idle_days_and_devices_work_on_hashes(running):
    async with running() as office:
        api_key = await office.product(address_idle_days=30, max_devices=1)
        issued = await office.issue(max_ips=2)
        answers = [await office.validate(api_key, issued.key, it) for it in (HOME, OFFICE, HOME, IPV6)]
        assert [it.body["status"] for it in answers] == ["active", "active", "active", "ip_limit_reached"]
        assert [it.body["ip_count"] for it in answers] == [1, 2, 2, 2]
        assert (await office.validate(api_key, issued.key, device_id=DEVICE)).body["status"] == "device_limit_reached"
        await office.changes.reset_ips(office.staff, issued.key)
        assert (await office.validate(api_key, issued.key, IPV6, device_id=DEVICE)).body["ip_count"] == 1
        assert (await office.validate(api_key, issued.key, "2001:db8:77:1::aaaa", device_id=DEVICE)).body[
            "ip_count"
        ] == 1
        office.clock[0] += 31 * DAY_MS
        await office.upkeep.sweep()
        assert (await office.validate(api_key, issued.key, HOME, device_id=DEVICE)).body["ip_count"] == 1


async def test_a_blacklist_meets_the_address_as_it_is_now(running):
    async with running() as office:
        api_key, issued = await office.product(), await office.issue()
        await office.block("203.0.113.0/24")
        await office.block("2001:db8:77::/48")
        answers = [await office.validate(api_key, issued.key, it) for it in (HOME, OFFICE, IPV6)]
        assert [it.body["status"] for it in answers] == ["ip_blocked", "active", "ip_blocked"]


async def test_throttles_tell_hashed_addresses_apart(running):
    async with running(rates=Limits(address_per_minute=2, license_per_minute=0)) as office:
        api_key, issued = await office.product(), await office.issue()
        answers = [await office.validate(api_key, issued.key, it) for it in (HOME, HOME, HOME, OFFICE)]
        assert [it.code for it in answers] == [200, 200, 429, 200]


async def test_no_address_stands_in_clear_in_the_database_the_log_or_an_event(running, caplog):
    caplog.set_level(logging.DEBUG)
    async with running(rates=Limits(failures_per_minute=2, license_per_minute=0)) as office:
        api_key = await office.product(max_devices=2)
        issued, other = await office.issue(max_ips=2), await office.issue()
        for address in (HOME, OFFICE, IPV6):
            await office.validate(api_key, issued.key, address, device_id=DEVICE)
        for _ in range(5):
            await office.validate(api_key, "NO-SUCH-KEY", OFFICE)
        await office.changes.reset_ips(office.staff, issued.key)
        await office.validate(api_key, other.key, HOME, device_id=DEVICE)
        await office.flush()
        assert left_in(running.path) == []
        events = await office.house.store.read(lambda tx: tx.ledger.after(0, limit=999))
        assert [event for event in events if any(trace in event.model_dump_json() for trace in TRACES)] == []
        assert "unknown keys are tried" in caplog.text
    assert left_in(running.path) == []
    written = "\n".join(record.getMessage() for record in caplog.records)
    assert [trace for trace in TRACES if trace in written] == []


async def test_switched_on_later_the_seats_stay_and_what_was_in_clear_is_gone(running, caplog):
    caplog.set_level(logging.INFO)
    async with running(hashed=False) as office:
        api_key = await office.product(max_devices=1)
        issued = await office.issue(max_ips=2)
        for address in (HOME, IPV6, OFFICE):
            await office.validate(api_key, issued.key, address, device_id=DEVICE)
        await office.flush()
    assert left_in(running.path) == list(TRACES)
    async with running() as office:
        assert "entries were hashed" in caplog.text
        assert left_in(running.path) == []
        answers = [await office.validate(api_key, issued.key, it, device_id=DEVICE) for it in (HOME, IPV6, OFFICE)]
        assert [it.body["status"] for it in answers] == ["active", "active", "ip_limit_reached"]
    assert left_in(running.path) == []
    assert "can no longer be recognised" not in caplog.text


@pytest.mark.parametrize(
    ("later", "told"),
    [
        ({"hashed": False}, "addresses (2) and devices (1)"),
        ({"ipv6_prefix": 56}, "addresses (2) and devices (0)"),
        ({}, None),
    ],
)
async def test_a_change_after_which_seats_match_nobody_is_told_with_their_number(running, caplog, later, told):
    async with running() as office:
        api_key = await office.product(max_devices=9)
        issued = await office.issue()
        for address in (HOME, IPV6):
            await office.validate(api_key, issued.key, address, device_id=DEVICE)
    async with running(**later) as office:
        found = [record.getMessage() for record in caplog.records if "no longer be recognised" in record.getMessage()]
        assert [told in message for message in found] == ([True] if told else [])
        expected = 2 if told is None else 3
        assert (await office.validate(api_key, issued.key, IPV6, device_id=DEVICE)).body["ip_count"] == expected


async def test_the_trace_of_a_refusal_names_no_address(running):
    async with running() as office:
        api_key, issued = await office.product(), await office.issue(max_ips=1)
        await office.validate(api_key, issued.key, HOME)
        await office.block(OFFICE)
        codes = [
            (await office.validate(api_key, issued.key, it)).headers["X-Support-Code"] for it in (OFFICE, "192.0.2.1")
        ]
        await office.flush()
        kept = [
            await office.house.store.read(lambda tx, it=it: tx.history.refusal(office.staff.organization_id, it))
            for it in codes
        ]
        facts = [next(step["fact"] for step in json.loads(it.trace) if step["outcome"] == "failed") for it in kept]
        assert facts[0] == {"level": "organization"}
        assert facts[1]["address"].startswith("~")
        assert (facts[1]["taken"], facts[1]["limit"]) == (1, 1)
