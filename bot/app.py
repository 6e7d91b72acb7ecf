"""Puts everything together: the only place that opens the store and knows both the API and Discord."""

import asyncio
import contextlib
import logging
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.api import AddressReader, Health, build_api, serve
from bot.commands.versions import program_version
from bot.config import Api, Config, Database
from bot.workers import last_time, repeat, running
from licensing.models import Plan
from licensing.ports import Clock
from licensing.services.organizations import Plans
from licensing.services.upkeep import UpkeepService
from licensing.services.usage import LastSeen, UsageMeter
from licensing.services.validation import ValidationService
from storage import DatabaseSettings, open_store
from storage.store import SqliteStore

if TYPE_CHECKING:
    from bot.client import KeyPortClient
    from cogs.context import Services

_FLUSH_EVERY_S = 0.5
_SWEEP_EVERY_S = 20.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class House:
    """Everything that both doors, Discord and HTTP, are built on."""

    store: SqliteStore
    plans: Plans
    clock: Clock
    usage: UsageMeter
    seen: LastSeen
    health: Health


def now_ms() -> int:
    """Return the time in milliseconds since 1970 UTC: the clock of the running program."""
    return time.time_ns() // 1_000_000


async def run(config: Config) -> None:
    """Run the bot and the API until told to stop.

    Raises: StoreRefused, OSError.
    """
    async with opened(config) as house, serving(house, config.api) as bound:
        log.info("Serving validations on %s", web_address(*bound))
        public_url = config.api.public_url or web_address(*bound)
        async with running(connect_discord(house, config, public_api_url=public_url), name="Discord"):
            await told_to_stop()


async def run_api(config: Config) -> None:
    """Run the API alone until told to stop.

    Raises: StoreRefused, OSError.
    """
    async with opened(config) as house, serving(house, config.api) as bound:
        log.info("Serving validations on %s", web_address(*bound))
        await told_to_stop()


@asynccontextmanager
async def stored(config: Config, *, clock: Clock = now_ms) -> AsyncIterator[House]:
    """Open the store and leave it at that: for one command beside a process that does the rest.

    Raises: StoreRefused.
    """
    async with open_store(store_settings(config.database, cached_licenses=config.cache.licenses)) as store:
        yield House(
            store=store,
            plans=plans_of(config),
            clock=clock,
            usage=UsageMeter(store.snapshots),
            seen=LastSeen(),
            health=Health(version=program_version(), read_store=_reads(store)),
        )


@asynccontextmanager
async def opened(config: Config, *, clock: Clock = now_ms) -> AsyncIterator[House]:
    """Open the store and write behind what validations leave; the last of it is written at the end.

    Raises: StoreRefused.
    """
    async with stored(config, clock=clock) as house:
        upkeep = UpkeepService(house.store, clock=clock)
        try:
            async with (
                running(repeat(lambda: _flush(house), every_s=_FLUSH_EVERY_S, name="usage"), name="usage"),
                running(repeat(lambda: _sweep(house, upkeep), every_s=_SWEEP_EVERY_S, name="upkeep"), name="upkeep"),
            ):
                yield house
        finally:
            await last_time(lambda: _flush(house), name="usage")


@asynccontextmanager
async def serving(house: House, config: Api, *, reuse_port: bool = False) -> AsyncIterator[tuple[str, int]]:
    """Serve the API and yield the host and port it is bound to.

    Raises: OSError.
    """
    addresses = AddressReader(
        config.trusted_proxies,
        clock=house.clock,
        client_ip_header=config.client_ip_header,
        ipv6_prefix=config.ipv6_prefix,
    )
    api = build_api(build_validation(house), addresses=addresses, health=house.health)
    async with serve(api, host=config.host, port=config.port, reuse_port=reuse_port) as bound:
        yield bound


def web_address(host: str, port: int) -> str:
    """Return where a server that listens on a host and port can be asked."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def build_validation(house: House) -> ValidationService:
    """Put together what answers validations."""
    return ValidationService(
        house.store,
        house.store.vault,
        plans=house.plans,
        usage=house.usage,
        seen=house.seen,
        clock=house.clock,
    )


def build_services(house: House) -> "Services":
    """Put together what Discord offers."""
    from cogs.context import Services  # noqa: PLC0415 - the API alone must not wait for discord.py
    from licensing.services.account import AccountService  # noqa: PLC0415
    from licensing.services.catalog import CatalogService  # noqa: PLC0415
    from licensing.services.changes import ChangeService  # noqa: PLC0415
    from licensing.services.finder import FinderService  # noqa: PLC0415
    from licensing.services.licenses import LicenseService  # noqa: PLC0415
    from licensing.services.organizations import OrganizationService  # noqa: PLC0415
    from licensing.services.roles import RoleService  # noqa: PLC0415
    from licensing.services.staff import StaffService  # noqa: PLC0415
    from licensing.services.transfers import TransferService  # noqa: PLC0415

    store, vault, plans, clock = house.store, house.store.vault, house.plans, house.clock
    return Services(
        catalog=CatalogService(store, plans=plans, clock=clock, random_bytes=os.urandom),
        licenses=LicenseService(store, vault, plans=plans, clock=clock, random_bytes=os.urandom),
        finder=FinderService(store, vault, clock=clock),
        changes=ChangeService(store, vault, clock=clock),
        transfers=TransferService(store, clock=clock),
        account=AccountService(store, vault, clock=clock),
        staff=StaffService(store, clock=clock),
        organizations=OrganizationService(store, clock=clock),
        roles=RoleService(store, clock=clock),
    )


def store_settings(config: Database, *, cached_licenses: int) -> DatabaseSettings:
    """Return where the store is, as storage wants to know it."""
    return DatabaseSettings(path=config.path, key_file=config.key_path, cached_licenses=cached_licenses)


def plans_of(config: Config) -> Plans:
    """Return the configured plans; 0 there is no limit."""
    plans = {
        name: Plan(
            name=name,
            products=limits.products or None,
            licenses=limits.licenses or None,
            calls_per_product_per_day=limits.calls_per_product_per_day or None,
        )
        for name, limits in config.plans.items()
    }
    return Plans(plans, default=config.organizations.default_plan)


async def connect_discord(house: House, config: Config, *, public_api_url: str, endpoints: Any = None) -> None:
    """Keep the bot connected until cancelled; `endpoints` point it elsewhere than at Discord."""
    from bot.client import Endpoints, build_client, point_discord_at  # noqa: PLC0415 - as in build_services
    from bot.supervisor import Supervisor  # noqa: PLC0415

    services = build_services(house)
    point_discord_at(endpoints or Endpoints(rest=config.discord.api_base))

    def build(members_intent: bool) -> "KeyPortClient":  # noqa: FBT001 - the supervisor's one question
        return build_client(
            services,
            house.store,
            members_intent=members_intent,
            public_api_url=public_api_url,
            ipv6_prefix=config.api.ipv6_prefix,
        )

    supervisor = Supervisor(
        build,
        token=config.discord.token.get_secret_value(),
        health=house.health,
        members_intent=config.discord.members_intent,
        chance=random.random,
    )
    await supervisor.run()


async def told_to_stop() -> None:
    """Return when the process is asked to end, by SIGTERM or Ctrl-C."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    with contextlib.ExitStack() as handlers:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
            handlers.callback(loop.remove_signal_handler, number)
        await stop.wait()
    log.info("Stopping.")


def _reads(store: SqliteStore) -> Callable[[], Any]:
    async def check() -> None:
        store.snapshots.check()  # on the same connection that validations read from

    return check


async def _flush(house: House) -> None:
    try:
        await house.usage.flush(house.store)
    finally:
        await house.seen.flush(house.store)


async def _sweep(house: House, upkeep: UpkeepService) -> None:
    await house.seen.flush(house.store)  # a seat in use now must not look idle
    await upkeep.sweep()
