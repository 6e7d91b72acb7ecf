"""What the use cases need of the world: a store that runs transactions, a vault for keys, a clock.

A transaction is written once, as a generator: it asks its `Transaction` for data with `yield from` and never
awaits, so a driver can run the whole of it in one hop on its writer thread, or drive it with awaits.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from licensing.events import Action, Event
from licensing.models import (
    Address,
    ApiKey,
    Customer,
    HeldRole,
    License,
    LicenseView,
    Organization,
    Permission,
    Product,
    SealedKey,
    StaffGrant,
    Transfer,
    TransferView,
)
from licensing.verdict import LicenseSnapshot, ProductSnapshot, Status


@dataclass(frozen=True, slots=True)
class Search:
    """What licenses are sought; None is any. `status` is a license's own (`verdict.license_status`)."""

    text: str = ""
    product_id: int | None = None
    status: Status | None = None
    now_ms: int = 0
    before_id: int | None = None
    page: int = 0
    limit: int = 25


T = TypeVar("T")
Steps = Generator[Any, Any, T]
Clock = Callable[[], int]


class Unavailable(Exception):  # noqa: N818 - the store's state, as HTTP 503 names it
    """The store cannot be read or written now; nothing was changed."""


class Organizations(Protocol):
    """Discord servers."""

    def get(self, organization_id: int) -> Steps[Organization | None]: ...
    def all(self) -> Steps[Sequence[Organization]]:
        """Return every one by name, those too that the bot has left."""

    def save_joined(self, organization: Organization, *, now_ms: int) -> Steps[bool]:
        """Add an organization, bring back one that was left, or rename it; tell whether it was not there before."""

    def present(self) -> Steps[frozenset[int]]:
        """Return the ids of those that the bot has not left."""

    def mark_left(self, organization_id: int, *, now_ms: int) -> Steps[bool]:
        """Note that the bot is gone; tell whether it was there before."""


class Products(Protocol):
    """Products and their API keys; everything is looked up within an organization."""

    def get(self, organization_id: int, product_id: int) -> Steps[Product | None]: ...
    def lock(self, organization_id: int, product_id: int) -> Steps[Product | None]: ...
    def by_name(self, organization_id: int, name: str) -> Steps[Product | None]: ...
    def list(self, organization_id: int, *, starting: str, limit: int) -> Steps[Sequence[Product]]: ...
    def giving(self, organization_id: int, role_id: int) -> Steps[Product | None]:
        """Return a product whose holders are given a role."""

    def snapshot(self, product_id: int) -> Steps[ProductSnapshot | None]:
        """Return what a validation needs of a product, as it is stored at this moment."""

    def count(self, organization_id: int) -> Steps[int]: ...
    def insert(self, product: Product) -> Steps[Product]: ...
    def save(self, product: Product) -> Steps[None]: ...
    def api_keys(self, product_id: int, *, now_ms: int) -> Steps[Sequence[ApiKey]]: ...
    def insert_api_key(self, product_id: int, key: ApiKey, *, digest: bytes) -> Steps[None]: ...
    def end_api_keys(self, product_id: int, *, now_ms: int, valid_until_ms: int) -> Steps[None]:
        """Let every key that is valid now end at a time, or sooner if it already would."""

    def holders(self, product_id: int) -> Steps[int]:
        """Count the licenses of a product that are not revoked."""


class Customers(Protocol):
    """The people who hold licenses."""

    def get(self, organization_id: int, customer_id: int) -> Steps[Customer | None]: ...
    def by_discord(self, organization_id: int, discord_id: int) -> Steps[Customer | None]: ...
    def by_email(self, organization_id: int, email: str) -> Steps[Customer | None]: ...
    def insert(self, customer: Customer, *, now_ms: int) -> Steps[Customer]: ...
    def save(self, customer: Customer, *, now_ms: int) -> Steps[None]: ...


class Licenses(Protocol):
    """Licenses, their keys and their registered addresses."""

    def lock(self, organization_id: int, license_id: int) -> Steps[License | None]: ...
    def lock_by_key(self, organization_id: int, digest: bytes) -> Steps[License | None]: ...
    def insert(self, license_: License, key: SealedKey) -> Steps[License]: ...
    def save(self, license_: License) -> Steps[None]: ...
    def count(self, organization_id: int) -> Steps[int]: ...
    def view(self, organization_id: int, license_id: int) -> Steps[LicenseView | None]: ...
    def view_by_key(self, product_id: int, digest: bytes) -> Steps[LicenseView | None]: ...
    def find_by_key(self, organization_id: int, digest: bytes) -> Steps[LicenseView | None]: ...
    def held_by(self, organization_id: int, discord_id: int) -> Steps[Sequence[LicenseView]]: ...
    def held_count(self, customer_id: int) -> Steps[int]: ...
    def search(self, organization_id: int, sought: Search) -> Steps[Sequence[LicenseView]]:
        """Find licenses, newest first; the text is a key's start, or part of a holder, an email or notes."""

    def found(self, organization_id: int, sought: Search) -> Steps[int]:
        """Count what a search finds in all."""

    def lock_snapshot(self, license_id: int) -> Steps[LicenseSnapshot | None]: ...

    def forget_ends(self, product_id: int) -> Steps[None]:
        """Let ends of a product's licenses that were noticed be noticed again."""

    def lock_ended(self, *, now_ms: int, limit: int) -> Steps[Sequence[License]]:
        """Return licenses whose end has passed unnoticed."""


class Addresses(Protocol):
    """The seats of licenses: which addresses took one."""

    def of(self, license_id: int) -> Steps[Sequence[Address]]: ...
    def insert(self, license_id: int, address: str, *, now_ms: int) -> Steps[None]: ...
    def touch(self, seen: Sequence[tuple[int, str, int]]) -> Steps[None]:
        """Write when (license id, address, time) was last seen; an address that lost its seat stays lost."""

    def delete(self, license_id: int) -> Steps[Sequence[str]]:
        """Free every seat and return whose they were."""

    def idle(self, *, now_ms: int, limit: int) -> Steps[Sequence[tuple[License, Address]]]:
        """Return seats that no address used for their product's idle days, each with its license."""

    def free(self, license_id: int, seat: Address) -> Steps[bool]:
        """Free a seat, unless it was used since it was read; tell which."""


class Transfers(Protocol):
    """Licenses on their way to another holder."""

    def insert(self, transfer: Transfer) -> Steps[Transfer]: ...
    def save(self, transfer: Transfer) -> Steps[None]: ...
    def view(self, organization_id: int, transfer_id: int) -> Steps[TransferView | None]: ...
    def pending_of(self, license_id: int) -> Steps[Transfer | None]: ...
    def of_member(self, organization_id: int, discord_id: int, *, now_ms: int) -> Steps[Sequence[TransferView]]: ...
    def accepted(self, organization_id: int, *, now_ms: int) -> Steps[Sequence[TransferView]]: ...
    def overdue(self, *, now_ms: int, limit: int) -> Steps[Sequence[Transfer]]:
        """Return pending transfers that nobody decided in time, not locked: a license is locked before them."""


class Staff(Protocol):
    """Which Discord role may do what, and which roles the bot itself gave to members."""

    def permissions(self, organization_id: int, role_ids: frozenset[int]) -> Steps[frozenset[Permission]]: ...
    def grants(self, organization_id: int) -> Steps[Sequence[StaffGrant]]: ...
    def grant(self, organization_id: int, grant: StaffGrant) -> Steps[bool]: ...
    def revoke(self, organization_id: int, grant: StaffGrant) -> Steps[bool]: ...
    def entitled_role(self, organization_id: int, discord_id: int, role_id: int, *, now_ms: int) -> Steps[bool]:
        """Tell whether a member holds a working license of any product that gives this role."""

    def held_role(self, held: HeldRole) -> Steps[bool]: ...
    def add_held_role(self, held: HeldRole, *, now_ms: int) -> Steps[None]: ...
    def remove_held_role(self, held: HeldRole) -> Steps[None]: ...


class Ledger(Protocol):
    """Events, how far their followers are, small facts about the installation, and usage."""

    def append(self, event: Event) -> Steps[Event]: ...
    def after(self, event_id: int, *, limit: int) -> Steps[Sequence[Event]]: ...
    def last(self, license_id: int, action: Action) -> Steps[Event | None]:
        """Return the latest event of a kind that a license had."""

    def position(self, follower: str) -> Steps[int]: ...
    def move(self, follower: str, event_id: int) -> Steps[None]: ...
    def fact(self, name: str) -> Steps[str | None]: ...
    def save_fact(self, name: str, value: str) -> Steps[None]: ...
    def add_usage(self, calls: Sequence[tuple[int, int, int]]) -> Steps[Sequence[tuple[int, int, int]]]:
        """Add (product id, day since 1970, calls); return the totals of the same products and days."""


class Transaction(Protocol):
    """All that one transaction can ask for."""

    @property
    def organizations(self) -> Organizations: ...
    @property
    def products(self) -> Products: ...
    @property
    def customers(self) -> Customers: ...
    @property
    def licenses(self) -> Licenses: ...
    @property
    def addresses(self) -> Addresses: ...
    @property
    def transfers(self) -> Transfers: ...
    @property
    def staff(self) -> Staff: ...
    @property
    def ledger(self) -> Ledger: ...


class Snapshots(Protocol):
    """The hot path's cached reads; what a committed write touched is never answered from before it."""

    async def product(self, api_key_digest: bytes) -> ProductSnapshot | None: ...
    async def license(self, product_id: int, key_digest: bytes) -> LicenseSnapshot | None: ...
    async def calls(self, product_id: int, day: int) -> int: ...


class Store(Protocol):
    """Where everything is kept.

    Raises: Unavailable, from every method.
    """

    @property
    def snapshots(self) -> Snapshots: ...
    async def write(self, work: Callable[[Transaction], Steps[T]]) -> T:
        """Run a transaction; when this returns it is durable and every cache knows."""

    async def read(self, work: Callable[[Transaction], Steps[T]]) -> T:
        """Run a transaction that only reads, on one consistent state."""


class Vault(Protocol):
    """Keeps license keys: a keyed hash to find them by, and a sealed copy to show them."""

    def digest(self, tidied_key: str) -> bytes: ...
    def seal(self, key: str, *, digest: bytes, prefix: str) -> SealedKey: ...
    def reveal(self, key: SealedKey) -> str: ...
