"""A validation before it is judged, what can be wrong with it, and hypothesis' ways to make one."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

from factories import (
    ADDRESS,
    CUSTOMER_ID,
    LICENSE_ID,
    NOW_MS,
    PRODUCT_ID,
    make_call,
    make_license,
    make_product,
    make_product_snapshot,
    make_settings,
)
from hypothesis import strategies as st

from licensing.blacklist import Blacklist
from licensing.choices import (
    AutoRegister,
    BlockLevel,
    LicenseState,
    OrganizationState,
    ProductState,
    UnlistedVersions,
    VersionMode,
    VersionState,
)
from licensing.models import License, Product
from licensing.verdict import Call, LicenseSnapshot, ProductSnapshot, Status, Step, Verdict, judge, trace
from licensing.versions import VersionList

OTHERS = ("198.51.100.1", "198.51.100.2", "198.51.100.3")
BEFORE_THE_LICENSE = {
    Status.INVALID_API_KEY,
    Status.RATE_LIMIT_EXCEEDED,
    Status.INVALID_REQUEST,
    Status.UNAVAILABLE,
}


@dataclass(frozen=True)
class Situation:
    """A validation before it is judged; as it stands, it is a valid one from a new address."""

    product: Product = field(default_factory=make_product)
    organization_state: OrganizationState = OrganizationState.ACTIVE
    license: License = field(default_factory=make_license)
    addresses: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    address: str | None = ADDRESS
    device: str | None = None
    version: str | None = None
    rules: tuple[tuple[str, VersionState], ...] = ()
    blocks: tuple[tuple[BlockLevel, int, str], ...] = ()
    now_ms: int = NOW_MS
    product_vanished: bool = False
    license_missing: bool = False

    def with_product(self, **update: object) -> "Situation":
        return replace(self, product=self.product.model_copy(update=update))

    def with_settings(self, **update: object) -> "Situation":
        return self.with_product(settings=self.product.settings.model_copy(update=update))

    def with_license(self, **update: object) -> "Situation":
        return replace(self, license=self.license.model_copy(update=update))

    @property
    def product_snapshot(self) -> ProductSnapshot:
        found = replace(
            make_product_snapshot(self.product, organization_state=self.organization_state),
            versions=VersionList(self.rules, self.product.settings.unlisted_versions),
            blacklist=Blacklist(self.blocks),
        )
        return replace(found, product=None) if self.product_vanished else found

    @property
    def license_snapshot(self) -> LicenseSnapshot | None:
        return None if self.license_missing else LicenseSnapshot.of(self.license, self.addresses, self.devices)

    @property
    def call(self) -> Call:
        ip = ip_address(self.address) if self.address else None
        return make_call(address=self.address, ip=ip, device_id=self.device, version=self.version)

    def judged(self) -> Verdict:
        return judge(self.product_snapshot, self.license_snapshot, self.call, now_ms=self.now_ms)

    def traced(self) -> tuple[Step, ...]:
        return trace(self.product_snapshot, self.license_snapshot, self.call, now_ms=self.now_ms)


Change = Callable[[Situation], Situation]


def seats(mode: AutoRegister, *, max_ips: int | None, taken: int) -> Change:
    """Return the change to a license with so many seats, all taken seats by other addresses."""
    return lambda situation: replace(
        situation.with_settings(auto_register=mode).with_license(max_ips=max_ips),
        addresses=frozenset(OTHERS[:taken]),
    )


def blocked(level: BlockLevel, target_id: int = 0, network: str = "203.0.113.0/24") -> Change:
    return lambda situation: replace(situation, blocks=((level, target_id, network),))


def versions(
    mode: VersionMode, *rules: tuple[str, VersionState], version: str | None = "1.4.0", **pin: str
) -> Change:
    """Return the change to a product that looks at versions, a call that names one, and a license pinned to some."""
    return lambda situation: replace(
        situation.with_settings(versions=mode).with_license(**pin), rules=rules, version=version
    )


FULL_OF_DEVICES: Change = lambda situation: replace(  # noqa: E731 - one of the table's changes
    situation.with_settings(max_devices=2), devices=frozenset({"one", "two"}), device="three"
)
ENFORCE, LATEST = VersionMode.ENFORCE, VersionState.LATEST
ALLOWED, DEPRECATED, BLOCKED = VersionState.ALLOWED, VersionState.DEPRECATED, VersionState.BLOCKED

# Each group is one check of the contract, in its order; of one group only one thing can be wrong at a time.
WRONGS: dict[str, tuple[tuple[Status, Change], ...]] = {
    "product": (
        (Status.PRODUCT_NOT_FOUND, lambda situation: replace(situation, product_vanished=True)),
        (Status.PRODUCT_ARCHIVED, lambda situation: situation.with_product(state=ProductState.ARCHIVED)),
        (Status.PRODUCT_DISABLED, lambda situation: situation.with_product(state=ProductState.DISABLED)),
    ),
    "organization": (
        (Status.ORG_SUSPENDED, lambda s: replace(s, organization_state=OrganizationState.SUSPENDED)),
        (
            Status.BILLING_SUSPENDED,
            lambda s: replace(s, organization_state=OrganizationState.BILLING_SUSPENDED),
        ),
    ),
    "license": (
        (Status.LICENSE_NOT_FOUND, lambda situation: replace(situation, license_missing=True)),
        (Status.LICENSE_NOT_FOUND, lambda situation: situation.with_license(product_id=PRODUCT_ID + 1)),
    ),
    "state": (
        (Status.REVOKED, lambda situation: situation.with_license(state=LicenseState.REVOKED)),
        (Status.SUSPENDED, lambda situation: situation.with_license(state=LicenseState.SUSPENDED)),
    ),
    "claim": ((Status.NOT_CLAIMED, lambda situation: situation.with_license(customer_id=None)),),
    "expiry": ((Status.EXPIRED, lambda situation: situation.with_license(expires_at_ms=NOW_MS)),),
    "blacklist": (
        (Status.IP_BLOCKED, blocked(BlockLevel.PLATFORM)),
        (Status.IP_BLOCKED, blocked(BlockLevel.ORGANIZATION, network="203.0.113.7")),
        (Status.IP_BLOCKED, blocked(BlockLevel.CUSTOMER, CUSTOMER_ID)),
        (Status.IP_BLOCKED, blocked(BlockLevel.LICENSE, LICENSE_ID)),
    ),
    "address": (
        (Status.IP_NOT_REGISTERED, seats(AutoRegister.OFF, max_ips=3, taken=0)),
        (Status.IP_NOT_REGISTERED, seats(AutoRegister.FIRST, max_ips=3, taken=1)),
        (Status.IP_LIMIT_REACHED, seats(AutoRegister.UP_TO_MAX, max_ips=2, taken=2)),
    ),
    "device": ((Status.DEVICE_LIMIT_REACHED, FULL_OF_DEVICES),),
    "version": (
        (Status.VERSION_NOT_ALLOWED, versions(ENFORCE, ("1.4.0", BLOCKED))),
        (Status.VERSION_NOT_ALLOWED, versions(ENFORCE, ("1.x", ALLOWED), version_pinned="1.3.0")),
    ),
}
EVERY_WRONG = [(check, status, change) for check, wrongs in WRONGS.items() for status, change in wrongs]

addresses = st.sampled_from((ADDRESS, *OTHERS))
products = st.builds(
    make_product,
    state=st.sampled_from(ProductState),
    settings=st.builds(
        make_settings,
        enforce_expiry=st.booleans(),
        track_ip_on_validate=st.booleans(),
        auto_register=st.sampled_from(AutoRegister),
        max_devices=st.none() | st.integers(1, 3),
        versions=st.sampled_from(VersionMode),
        unlisted_versions=st.sampled_from(UnlistedVersions),
    ),
)
devices = st.sampled_from(("one", "two", "three", "four"))
named_versions = st.none() | st.sampled_from(("1.0.0", "1.4.0", "2.0.0-beta.1", "build-7"))
rules = st.lists(
    st.tuples(st.sampled_from(("1.0.0", "1.4.0", "1.x", ">=2.0.0")), st.sampled_from((ALLOWED, DEPRECATED, BLOCKED))),
    max_size=3,
).map(tuple)
blocks = st.lists(
    st.tuples(
        st.sampled_from(BlockLevel),
        st.sampled_from((0, CUSTOMER_ID, LICENSE_ID)),
        st.sampled_from((ADDRESS, "198.51.100.0/31", "192.0.2.0/24")),
    ),
    max_size=2,
).map(tuple)
licenses = st.builds(
    make_license,
    product_id=st.sampled_from((PRODUCT_ID, PRODUCT_ID, PRODUCT_ID, PRODUCT_ID + 1)),
    customer_id=st.sampled_from((None, 20, 20)),
    state=st.sampled_from(LicenseState),
    expires_at_ms=st.none() | st.integers(NOW_MS - 2, NOW_MS + 2),
    max_ips=st.none() | st.integers(0, 4),
    version_pinned=st.none() | st.sampled_from(("1.4.0", "2.0.0")),
)
situations = st.builds(
    Situation,
    product=products,
    organization_state=st.sampled_from(OrganizationState),
    license=licenses,
    addresses=st.frozensets(addresses),
    devices=st.frozensets(devices),
    address=st.none() | addresses,
    device=st.none() | devices,
    version=named_versions,
    rules=rules,
    blocks=blocks,
    now_ms=st.integers(NOW_MS - 2, NOW_MS + 2),
    product_vanished=st.booleans(),
    license_missing=st.booleans(),
)
working = st.builds(
    Situation,
    product=products.map(lambda product: product.model_copy(update={"state": ProductState.ACTIVE})),
    license=st.builds(make_license, max_ips=st.none() | st.integers(0, 4)),
    addresses=st.frozensets(addresses),
    devices=st.frozensets(devices),
    address=st.none() | addresses,
    device=st.none() | devices,
)
