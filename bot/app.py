"""Puts everything together: the only place that opens the store and knows both the API and Discord."""

import asyncio
import contextlib
import gc
import logging
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bot.api import AddressReader, MetricsPage, Proofs, build_api, serve
from bot.config import Api, Config, Database
from bot.house import House, build_house, build_services, build_validation
from bot.workers import last_time, repeat, running
from licensing.ports import Clock, Unavailable
from licensing.services.upkeep import UpkeepService
from licensing.services.usage import fold_seen
from storage import DatabaseSettings, open_store
from storage.recount import Recounted, recount

if TYPE_CHECKING:
    from bot.client import KeyPortClient

_FLUSH_EVERY_S = 0.5
_FLUSH_HISTORY_EVERY_S = 4.0
_FOLD_EVERY_S = 10.0
_LAST_FOLD_S = 1.0
_FOLLOW_EVERY_S = 0.5
_SWEEP_EVERY_S = 20.0

log = logging.getLogger(__name__)


def now_ms() -> int:
    """Return the time in milliseconds since 1970 UTC: the clock of the running program."""
    return time.time_ns() // 1_000_000


async def run(config: Config) -> None:
    """Run the bot and the API until told to stop.

    Raises: StoreRefused, OSError.
    """
    async with opened(config) as house, serving(house, config.api) as bound:
        log.info("Serving validations on %s", web_address(*bound))
        collect_rarely()
        public_url = config.api.public_url or web_address(*bound)
        async with running(connect_discord(house, config, public_api_url=public_url), name="Discord"):
            await told_to_stop()


async def run_api(config: Config) -> None:
    """Run the API alone until told to stop.

    Raises: StoreRefused, OSError.
    """
    async with opened(config) as house, serving(house, config.api) as bound:
        log.info("Serving validations on %s", web_address(*bound))
        collect_rarely()
        await told_to_stop()


@asynccontextmanager
async def stored(config: Config, *, clock: Clock = now_ms) -> AsyncIterator[House]:
    """Open the store and leave it at that: for one command beside a process that does the rest.

    Raises: StoreRefused.
    """
    async with open_store(store_settings(config.database, cached_licenses=config.cache.licenses)) as store:
        yield build_house(config, store, clock=clock)


@asynccontextmanager
async def opened(config: Config, *, clock: Clock = now_ms) -> AsyncIterator[House]:
    """Open the store and write behind what validations leave; the last of it is written at the end.

    Raises: StoreRefused, Unavailable.
    """
    async with stored(config, clock=clock) as house:
        _tell(await recount(house.store, house.counting))
        with contextlib.suppress(Unavailable):  # a full disk keeps nobody from serving
            await fold_seen(house.store)  # what a process left that was killed
        upkeep = UpkeepService(house.store, keeping=house.keeping, clock=clock)
        works = (
            ("usage", _FLUSH_EVERY_S, lambda: _flush(house)),
            ("events", _FOLLOW_EVERY_S, house.store.follow),
            ("refusals", _FLUSH_EVERY_S, lambda: house.traces.refusals.flush(house.store)),
            ("history", _FLUSH_HISTORY_EVERY_S, lambda: house.traces.attempts.flush(house.store, now_ms=clock())),
            ("last seen", _FOLD_EVERY_S, lambda: fold_seen(house.store)),
            ("upkeep", _SWEEP_EVERY_S, lambda: _sweep(house, upkeep)),
        )
        try:
            async with contextlib.AsyncExitStack() as stack:
                for name, every_s, work in works:
                    await stack.enter_async_context(running(repeat(work, every_s=every_s, name=name), name=name))
                yield house
        finally:
            await last_time(lambda: _flush(house), name="usage")
            await asyncio.gather(last_time(lambda: _flush_history(house), name="history"), _fold_last(house))


@asynccontextmanager
async def serving(house: House, config: Api) -> AsyncIterator[tuple[str, int]]:
    """Serve the API and yield the host and port it is bound to.

    Raises: OSError.
    """
    metrics = house.config.metrics
    api = build_api(
        build_validation(house),
        addresses=AddressReader(
            config.trusted_proxies,
            clock=house.clock,
            client_ip_header=config.client_ip_header,
            counting=house.counting,
        ),
        proofs=Proofs(house.signer, file_key=house.signing.file_key, clock=house.clock),
        health=house.health,
        metrics=house.metrics,
        metrics_page=MetricsPage(house.metrics, token=metrics.token.get_secret_value()) if metrics.enabled else None,
    )
    traffic = house.metrics.traffic
    async with serve(api, host=config.host, port=config.port, reuse_port=config.reuse_port, traffic=traffic) as bound:
        yield bound


def web_address(host: str, port: int) -> str:
    """Return where a server that listens on a host and port can be asked."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def store_settings(config: Database, *, cached_licenses: int) -> DatabaseSettings:
    """Return where the store is, as storage wants to know it."""
    return DatabaseSettings(path=config.path, key_file=config.key_path, cached_licenses=cached_licenses)


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
            counting=house.counting,
        )

    supervisor = Supervisor(
        build,
        token=config.discord.token.get_secret_value(),
        health=house.health,
        members_intent=config.discord.members_intent,
        chance=random.random,
    )
    await supervisor.run()


def collect_rarely() -> None:
    """Let the garbage collector seldom look at what lives long.

    With a warm cache a full look stops the event loop for 0.1 s and more, and finds next to nothing: what is made
    for a request goes with it by reference counts. What is new is looked at every ten thousand objects, which takes
    a few milliseconds; a hundred thousand at once, as bulk work makes them, would take eighty.
    """
    gc.freeze()
    gc.set_threshold(10_000, 1_000, 1_000)


async def told_to_stop() -> None:
    """Return when the process is asked to end, by SIGTERM or Ctrl-C."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    with contextlib.ExitStack() as handlers:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
            handlers.callback(loop.remove_signal_handler, number)
        await stop.wait()
    log.info("Stopping.")


def _tell(recounted: Recounted) -> None:
    """Say what became of addresses that were kept in another way until now."""
    if recounted.hashed:
        log.info("Addresses and devices are kept as hashes from now on; %d entries were hashed.", recounted.hashed)
    if not recounted.now.scrubbed:
        log.warning(
            "The database could not be written anew, so its file may still hold bytes of addresses in clear. Make "
            "room for a second copy of it, end every other process that uses it, and start again."
        )
    if recounted.lost_addresses or recounted.lost_devices:
        log.warning(
            "api.ipv6_prefix or privacy.hash_addresses was changed. The addresses (%d) and devices (%d) registered "
            "until now can no longer be recognised: each takes a new seat when it validates next. Seats of old ones "
            "are freed by /license reset-ips, or after the product's idle days.",
            recounted.lost_addresses,
            recounted.lost_devices,
        )


async def _flush(house: House) -> None:
    # Together: they become one commit. Nothing that comes in many parts is among them: the next turn would wait.
    await asyncio.gather(house.traces.usage.flush(house.store), house.traces.seen.flush(house.store))


async def _flush_history(house: House) -> None:
    await asyncio.gather(house.traces.refusals.flush(house.store), house.traces.attempts.flush(house.store))


async def _fold_last(house: House) -> None:
    """Fold what was flushed last; what cannot be done in time stays in the log for the next start."""
    with contextlib.suppress(Unavailable, TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(_LAST_FOLD_S):
            await fold_seen(house.store)


async def _sweep(house: House, upkeep: UpkeepService) -> None:
    await house.traces.seen.flush(house.store)  # a seat in use now must not look idle
    await upkeep.sweep()
