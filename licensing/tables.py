"""What a transaction can ask for, table by table; `storage.statements` answers.

A transaction is written once, as a generator: it asks its `Transaction` for data with `yield from` and never
awaits, so a driver can run the whole of it in one hop on its writer thread, or drive it with awaits.
"""

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from licensing.choices import BlockLevel, Permission, SeatKind
from licensing.events import Action, Event
from licensing.models import (
    Address,
    ApiKey,
    Attempt,
    Block,
    Customer,
    Device,
    HeldRole,
    License,
    LicenseView,
    Organization,
    Product,
    RefusalRecord,
    SealedKey,
    SigningKey,
    StaffGrant,
    Transfer,
    TransferView,
    VersionRule,
)
from licensing.verdict import ProductSnapshot

T = TypeVar("T")
Steps = Generator[Any, Any, T]
# An attempt as it is written: license, status, address, device, version (empty where there was none), how often,
# when first and when last. No record, since there are many and they are made while calls wait to be answered.
AttemptRow = tuple[int, str, str, str, str, int, int, int]


class Standing(NamedTuple):
    """A Discord server, what it has, and whether the bot is still in it."""

    organization: Organization
    products: int
    licenses: int
    present: bool


class Organizations(Protocol):
    """Discord servers."""

    def get(self, organization_id: int) -> Steps[Organization | None]: ...
    def lock(self, organization_id: int) -> Steps[Organization | None]: ...
    def save(self, organization: Organization) -> Steps[None]:
        """Write what the operator decided: plan and state."""

    def standings(self) -> Steps[Sequence[Standing]]:
        """Return every one by name, with how many products and licenses it has."""

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

    def snapshot(self, product_id: int, *, cached: ProductSnapshot | None = None) -> Steps[ProductSnapshot | None]:
        """Return what a validation needs of a product as it is stored now, its lists as in an older snapshot.

        Whoever changed a list after the validation began is seen by the next one, which is early enough.
        """

    def count(self, organization_id: int) -> Steps[int]: ...
    def insert(self, product: Product) -> Steps[Product]: ...
    def save(self, product: Product) -> Steps[None]: ...
    def api_keys(self, product_id: int, *, now_ms: int) -> Steps[Sequence[ApiKey]]:
        """Return the primary keys that are valid now: one, or more while an old one has its grace."""

    def named_api_keys(self, product_id: int, *, now_ms: int) -> Steps[Sequence[ApiKey]]: ...
    def insert_api_key(self, product_id: int, key: ApiKey, *, digest: bytes) -> Steps[None]: ...
    def end_api_keys(self, product_id: int, *, now_ms: int, valid_until_ms: int) -> Steps[None]:
        """Let every primary key that is valid now end at a time, or sooner if it already would."""

    def end_named_api_key(self, product_id: int, name: str, *, now_ms: int) -> Steps[bool]: ...

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
    def forget_ends(self, product_id: int) -> Steps[None]:
        """Let ends of a product's licenses that were noticed be noticed again."""


class Addresses(Protocol):
    """The seats of licenses: which addresses took one."""

    def of(self, license_id: int) -> Steps[Sequence[Address]]: ...
    def delete(self, license_id: int) -> Steps[Sequence[str]]:
        """Free every seat and return whose they were."""

    def free_idlest(self, license_id: int, *, keep: int) -> Steps[Sequence[str]]:
        """Free all seats but those used last, and return whose they were."""

    def devices_of(self, license_id: int) -> Steps[Sequence[Device]]: ...
    def delete_devices(self, license_id: int) -> Steps[Sequence[str]]: ...
    def unseated(self, product_id: int) -> Steps[int]: ...
    def on_more_devices(self, product_id: int, limit: int, *, since_ms: int | None) -> Steps[int]: ...

    def idle(self, *, now_ms: int, limit: int) -> Steps[Sequence[tuple[License, Address]]]:
        """Return seats that no address used for their product's idle days, each with its license."""

    def free(self, license_id: int, seat: Address) -> Steps[bool]:
        """Free a seat, unless it was used since it was read; tell which."""


class SeenLog(Protocol):
    """When seats were last seen: written down in a log, whose entries come into the seats' own tables later."""

    def append(self, kind: SeatKind, seen: Sequence[tuple[int, str, int]]) -> Steps[None]:
        """Write an entry: when (license id, name, time) was last seen."""

    def parts(self, *, entries: int) -> Steps[Sequence[int]]:
        """Divide the log into parts of so many entries; return the id that each ends with, the oldest first."""

    def newest(self, kind: SeatKind, *, last_id: int, seats: int) -> Steps[Sequence[str]]:
        """Return each seat up to an entry once, with its newest time, so many together, as `move` takes them."""

    def move(self, kind: SeatKind, seats: str) -> Steps[None]:
        """Bring times forward in the seats' table; a seat that was lost stays lost."""

    def forget(self, *, last_id: int) -> Steps[None]: ...


class Versions(Protocol):
    """What products say of their versions."""

    def of(self, product_id: int) -> Steps[Sequence[VersionRule]]: ...  # the newest first
    def save(self, product_id: int, rule: VersionRule) -> Steps[None]: ...  # in place of one for the same versions
    def delete(self, product_id: int, spec: str) -> Steps[bool]: ...
    def running(self, product_id: int, *, since_ms: int) -> Steps[Sequence[tuple[str, int]]]:
        """Return each version that validated since a time, and on how many licenses, the most used first."""

    def licenses_on(self, product_id: int, versions: Sequence[str], *, since_ms: int) -> Steps[int]:
        """Return on how many licenses any of these versions validated since a time."""

    def licenses_by_rule(  # (version, rule) in, licenses by rule out
        self, product_id: int, ran: Sequence[tuple[str, int]], *, since_ms: int
    ) -> Steps[dict[int, int]]: ...


class Blacklists(Protocol):
    """Addresses and ranges that may not validate."""

    def of(self, organization_id: int, level: BlockLevel | None = None, target_id: int = 0) -> Steps[Sequence[Block]]:
        """Return an organization's blocks, of one level and target or all of them, the newest first."""

    def count(self, organization_id: int) -> Steps[int]: ...
    def insert(self, block: Block) -> Steps[Block | None]:
        """Add a block; return None where it was there already."""

    def delete(self, organization_id: int, level: BlockLevel, target_id: int, network: str) -> Steps[Block | None]:
        """Remove a block and return it."""

    def seats(
        self, organization_id: int, level: BlockLevel, target_id: int, *, starting: str, limit: int
    ) -> Steps[Sequence[tuple[int, str]]]:
        """Return (license id, address) of a target's seats whose text starts so, revoked licenses left out."""


class SigningKeys(Protocol):
    """What answers are signed with."""

    def of(self, product_id: int) -> Steps[Sequence[SigningKey]]:
        """Return a product's keys of every kind, those that have ended too, the newest first."""

    def insert(self, key: SigningKey) -> Steps[None]: ...
    def end(self, key_id: str, *, signs_until_ms: int) -> Steps[None]: ...
    def forget(self, product_id: int, *, before_ms: int) -> Steps[None]:
        """Drop the keys of a product that ended before a time: every validation would read them again."""


class History(Protocol):
    """What validations left behind: how they ended lately, and why the refused ones were."""

    def add_attempts(self, attempts: Sequence[AttemptRow], *, keep: int) -> Steps[None]:
        """Add up attempts with those like them; of each license the latest `keep` stay."""

    def attempts(self, license_id: int, *, since_ms: int, limit: int) -> Steps[Sequence[Attempt]]: ...
    def forget_attempts(self, *, before_ms: int, after_license_id: int, limit: int) -> Steps[int | None]:
        """Drop old attempts of the next `limit` licenses; return the last one's id, or None after the end."""

    def add_refusals(
        self, refusals: Sequence[RefusalRecord], *, keep: int, keep_unknown: int
    ) -> Steps[frozenset[str]]:
        """Add refusals, keeping the latest of a license and reason, and of unknown keys; return the codes that go."""

    def count_refusals(self, again: Sequence[tuple[str, int, int]]) -> Steps[frozenset[str]]:
        """Add to refusals by their code: (code, how often more, when last); return the codes there are."""

    def refusal(self, organization_id: int, code: str) -> Steps[RefusalRecord | None]: ...
    def forget_refusals(self, *, before_ms: int, limit: int) -> Steps[int]:
        """Drop refusals that were last seen before a time; return how many."""


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

    def since(self, license_id: int, action: Action, *, since_ms: int) -> Steps[Sequence[Event]]:
        """Return the events of a kind that a license had after a time."""

    def position(self, follower: str) -> Steps[int]: ...
    def move(self, follower: str, event_id: int) -> Steps[None]: ...
    def fact(self, name: str) -> Steps[str | None]: ...
    def save_fact(self, name: str, value: str) -> Steps[None]: ...
    def add_usage(self, calls: Sequence[tuple[int, int, str, int]]) -> Steps[Sequence[tuple[int, int, int]]]:
        """Add (product id, day since 1970, status, calls); return what counts of the same products and days."""
