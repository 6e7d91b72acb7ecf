"""Everything that both doors, Discord and HTTP, are built on, put together from the settings and the store."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.api import Health, Metrics
from bot.api.errors import Seldom
from bot.commands.versions import program_version
from bot.config import Config
from licensing.addresses import Counting
from licensing.models import Plan
from licensing.ports import Clock
from licensing.services.attempts import AttemptLog
from licensing.services.history import Keeping
from licensing.services.limits import Limits, Rates
from licensing.services.organizations import Plans
from licensing.services.refusals import RefusalLog
from licensing.services.signing import SigningService
from licensing.services.traces import Traces
from licensing.services.usage import LastSeen, UsageMeter
from licensing.services.validation import ValidationService
from storage.signing import Signer
from storage.store import SqliteStore

if TYPE_CHECKING:
    from cogs.context import Services

_GUESSING_LOGGED_EVERY_S = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class House:
    """Everything that both doors, Discord and HTTP, are built on."""

    config: Config
    store: SqliteStore
    plans: Plans
    clock: Clock
    counting: Counting
    traces: Traces
    signer: Signer
    signing: SigningService
    health: Health
    metrics: Metrics

    @property
    def keeping(self) -> Keeping:
        """How much of the past is kept."""
        history = self.config.history
        return Keeping(history.attempts_per_license, history.attempts_days, history.refusal_days)


def build_house(config: Config, store: SqliteStore, *, clock: Clock) -> House:
    """Put together what both doors share."""
    health = Health(version=program_version(), read_store=_reads(store))
    pseudonym = store.vault.pseudonym if config.privacy.hash_addresses else None
    signer = Signer(store.vault, os.urandom)
    return House(
        config=config,
        store=store,
        plans=plans_of(config),
        clock=clock,
        counting=Counting(config.api.ipv6_prefix, pseudonym),
        traces=Traces(
            usage=UsageMeter(store.snapshots),
            seen=LastSeen(),
            attempts=AttemptLog(keep=config.history.attempts_per_license),
            refusals=RefusalLog(os.urandom),
        ),
        signer=signer,
        signing=SigningService(store, signer, clock=clock),
        health=health,
        metrics=_metrics(store, health),
    )


def build_validation(house: House) -> ValidationService:
    """Put together what answers validations."""
    limits = house.config.limits
    rates = Rates(**limits.model_dump())
    return ValidationService(
        house.store,
        house.store.vault,
        plans=house.plans,
        limits=Limits(rates, guessing=_point_out()),
        traces=house.traces,
        clock=house.clock,
    )


def build_services(house: House) -> "Services":
    """Put together what Discord offers."""
    from cogs.context import Services  # noqa: PLC0415 - the API alone must not wait for discord.py
    from licensing.services.account import AccountService  # noqa: PLC0415
    from licensing.services.api_keys import ApiKeyService  # noqa: PLC0415
    from licensing.services.blacklist import BlacklistService  # noqa: PLC0415
    from licensing.services.bulk import BulkService  # noqa: PLC0415
    from licensing.services.catalog import CatalogService  # noqa: PLC0415
    from licensing.services.changes import ChangeService  # noqa: PLC0415
    from licensing.services.finder import FinderService  # noqa: PLC0415
    from licensing.services.history import HistoryService  # noqa: PLC0415
    from licensing.services.licenses import LicenseService  # noqa: PLC0415
    from licensing.services.organizations import OrganizationService  # noqa: PLC0415
    from licensing.services.resets import ResetService  # noqa: PLC0415
    from licensing.services.roles import RoleService  # noqa: PLC0415
    from licensing.services.staff import StaffService  # noqa: PLC0415
    from licensing.services.transfers import TransferService  # noqa: PLC0415
    from licensing.services.versions import VersionService  # noqa: PLC0415

    store, vault, plans, clock = house.store, house.store.vault, house.plans, house.clock
    return Services(
        catalog=CatalogService(store, plans=plans, clock=clock, random_bytes=os.urandom),
        versions=VersionService(store, clock=clock),
        signing=house.signing,
        api_keys=ApiKeyService(store, clock=clock, random_bytes=os.urandom),
        licenses=LicenseService(store, vault, plans=plans, clock=clock, random_bytes=os.urandom),
        bulk=BulkService(store, vault, plans=plans, clock=clock, random_bytes=os.urandom),
        finder=FinderService(store, vault, clock=clock),
        changes=ChangeService(store, vault, clock=clock),
        resets=ResetService(store, clock=clock),
        transfers=TransferService(store, clock=clock),
        account=AccountService(store, vault, clock=clock),
        staff=StaffService(store, clock=clock),
        blacklist=BlacklistService(store, vault, clock=clock),
        organizations=OrganizationService(store, plans=plans, clock=clock),
        roles=RoleService(store, clock=clock),
        history=HistoryService(store, vault, keeping=house.keeping, clock=clock),
    )


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


def _metrics(store: SqliteStore, health: Health) -> Metrics:
    cache = store.snapshots
    return Metrics(
        version=health.version,
        started_s=time.time(),
        discord=lambda: health.discord,
        cache=lambda: {"hits": cache.hits, "misses": cache.misses, "size": len(cache)},
        writer_queue=lambda: store.waiting,
    )


def _point_out() -> Callable[[str], None]:
    """Return what tells the operator of guessing: whoever shares that address is refused along with it."""
    seldom = Seldom(_GUESSING_LOGGED_EVERY_S)

    def point_out(address: str) -> None:
        if seldom.is_due(now_s=time.monotonic()):
            log.warning(
                "Many unknown keys are tried from %s. Until that slows down, only licenses that hold a seat there "
                "are answered, even if an honest customer sits behind the same address (limits.failures_per_minute).",
                address,
            )

    return point_out


def _reads(store: SqliteStore) -> Callable[[], Any]:
    async def check() -> None:
        store.snapshots.check()  # on the same connection that validations read from

    return check
