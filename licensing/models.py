"""The records of the domain: frozen, strict, told apart by what they mean and not by where they are kept.

Times are whole milliseconds since 1970 UTC and end in `_at_ms`. An organization's id is its Discord server's.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from licensing.choices import (
    ActorKind,
    AutoRegister,
    BlockLevel,
    DurationFrom,
    KeyScope,
    LicenseState,
    OrganizationState,
    Permission,
    ProductState,
    SigningKind,
    TransferRule,
    TransferState,
    UnlistedVersions,
    VersionMode,
    VersionState,
)

MAX_IPS_LIMIT = 100_000
MAX_IDLE_DAYS = 3_650
MAX_DEVICES_LIMIT = 100_000
MAX_FILE_DAYS = 366
MAX_RESET_DAYS = 365
MAX_RESETS = 365
PLATFORM = 0  # what the operator decides for every server is kept under this id; no Discord server has it
NOTES_LIMIT = 1_000
PRODUCT_NAME_LIMIT = 80


class Record(BaseModel):
    """A fact as it was read; a change makes a new one."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Actor(Record):
    """Who asks: a member of one Discord server with the roles they hold at this moment."""

    organization_id: int
    kind: ActorKind = ActorKind.MEMBER
    id: int | None = None
    name: str | None = None
    role_ids: frozenset[int] = frozenset()
    is_administrator: bool = False


class Organization(Record):
    """One Discord server and what the operator decided about it; without a plan of its own it has the default."""

    id: int
    name: str
    plan: str = ""
    state: OrganizationState = OrganizationState.ACTIVE


class Plan(Record):
    """A named bundle of limits; None means no limit."""

    name: str = "default"
    products: int | None = None
    licenses: int | None = None
    calls_per_product_per_day: int | None = None


class ProductSettings(Record):
    """A product's switches, each changeable on its own."""

    enforce_expiry: bool = True
    track_ip_on_validate: bool = True
    auto_register: AutoRegister = AutoRegister.UP_TO_MAX
    default_max_ips: Annotated[int, Field(ge=1, le=MAX_IPS_LIMIT)] | None = None
    role_id: int | None = None
    address_idle_days: Annotated[int, Field(ge=1, le=MAX_IDLE_DAYS)] | None = None
    default_duration: str | None = None
    duration_from: DurationFrom = DurationFrom.ISSUE
    transfers: TransferRule = TransferRule.STAFF
    max_devices: Annotated[int, Field(ge=1, le=MAX_DEVICES_LIMIT)] | None = None
    versions: VersionMode = VersionMode.OFF
    unlisted_versions: UnlistedVersions = UnlistedVersions.REFUSE
    custom_response: bool = True
    explain: bool = False
    strict_statuses: bool = False
    sign_hmac: bool = False
    sign_headers: SigningKind | None = None  # Ed25519 or RSA
    license_file_days: Annotated[int, Field(ge=1, le=MAX_FILE_DAYS)] | None = None
    reset_cooldown_days: Annotated[int, Field(ge=1, le=MAX_RESET_DAYS)] | None = None  # of holders; None: staff alone
    resets_per_year: Annotated[int, Field(ge=1, le=MAX_RESETS)] | None = None


class Product(Record):
    """One piece of software that an organization sells."""

    id: int
    organization_id: int
    name: str
    state: ProductState = ProductState.ACTIVE
    settings: ProductSettings = ProductSettings()
    created_at_ms: int
    updated_at_ms: int
    custom: str | None = None  # the response template, as canonical JSON


class ApiKey(Record):
    """What is known of a product's API key: never the key itself. The primary one has no name."""

    prefix: str
    created_at_ms: int
    valid_until_ms: int | None = None
    name: str | None = None
    scope: KeyScope = KeyScope.FULL


class VersionRule(Record):
    """What a product says of a version (`1.4.0`) or a range of versions (`>=2.1 <2.4`)."""

    spec: str
    state: VersionState
    created_at_ms: int


class Block(Record):
    """An address or a range that may not validate, and why.

    `target_id` is the customer's or the license's at those levels, and 0 at the others.
    """

    id: int
    organization_id: int
    level: BlockLevel
    target_id: int = 0
    network: str
    reason: str | None = None
    created_at_ms: int


class SigningKey(Record):
    """A key that answers are signed with; the private half, or the shared secret, is sealed.

    The newest that has begun signs; one that was rotated with a grace period begins when the old one ends.
    """

    id: str
    product_id: int
    kind: SigningKind
    public: str = ""  # PEM; empty for a shared secret
    sealing_id: str
    sealed: bytes
    created_at_ms: int
    signs_from_ms: int
    signs_until_ms: int | None = None


class Customer(Record):
    """Somebody who holds licenses: known by a Discord ID, an email address, or both."""

    id: int
    organization_id: int
    discord_id: int | None = None
    email: str | None = None
    name: str | None = None


class License(Record):
    """One customer's right to use one product; without a customer it is stock, waiting for its claim."""

    id: int
    organization_id: int
    product_id: int
    customer_id: int | None = None
    state: LicenseState = LicenseState.ACTIVE
    expires_at_ms: int | None = None
    max_ips: int | None = None
    notes: str | None = None
    claimed_at_ms: int | None = None
    revoked_at_ms: int | None = None
    created_at_ms: int
    updated_at_ms: int
    expired_at_ms: int | None = None  # when its end was noticed, so that it is told of once
    duration: str | None = None  # counts from the claim, which has not happened yet
    version_pinned: str | None = None
    version_min: str | None = None  # inclusive
    version_max: str | None = None  # exclusive
    custom: str | None = None  # overrides the product's response template, as canonical JSON


class SealedKey(Record):
    """A license key at rest: found by its keyed hash, readable only with the key file."""

    digest: bytes
    prefix: str
    key_id: str
    ciphertext: bytes


class Address(Record):
    """One registered address (an IPv6 one stands for its whole prefix)."""

    address: str
    first_seen_at_ms: int
    last_seen_at_ms: int


class Device(Record):
    """One registered device; the empty name stands for every caller that names none."""

    device: str
    first_seen_at_ms: int
    last_seen_at_ms: int


class Attempt(Record):
    """Validations of a license that were alike: how they ended, from where, how often, and when last."""

    license_id: int
    status: str
    address: str | None = None
    device: str | None = None
    version: str | None = None
    count: int = 1
    first_at_ms: int
    last_at_ms: int


class RefusalRecord(Record):
    """A refused validation under its support code, with the trace that tells why."""

    code: str
    organization_id: int
    product_id: int
    license_id: int | None = None
    status: str
    address: str | None = None
    device: str | None = None
    version: str | None = None
    trace: str  # JSON: [{"check", "outcome", "status", "fact"}, ...]
    count: int = 1
    first_at_ms: int
    last_at_ms: int


class LicenseView(Record):
    """A license with what people want to see beside it."""

    license: License
    product: Product
    customer: Customer | None
    key: SealedKey
    addresses: tuple[Address, ...] = ()
    devices: tuple[Device, ...] = ()


class StaffGrant(Record):
    """A permission that a Discord role carries."""

    role_id: int
    permission: Permission


class HeldRole(Record):
    """A Discord role that the bot itself gave to a member, and so may take back."""

    organization_id: int
    discord_id: int
    role_id: int


class Transfer(Record):
    """A license on its way from its holder to another member."""

    id: int
    organization_id: int
    license_id: int
    from_customer_id: int
    to_discord_id: int
    to_name: str
    state: TransferState = TransferState.OFFERED
    created_at_ms: int
    expires_at_ms: int
    decided_at_ms: int | None = None


class TransferView(Record):
    """A transfer with what people want to see beside it."""

    transfer: Transfer
    license: LicenseView
    holder: Customer
