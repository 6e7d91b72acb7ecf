"""What a validation looks at: the call, and the product and the license as they are at that moment."""

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from licensing.addresses import IP
from licensing.blacklist import NOTHING_BLOCKED, Blacklist
from licensing.choices import KeyScope, LicenseState, OrganizationState, UnlistedVersions
from licensing.models import License, Product, SigningKey
from licensing.versions import VersionList

NO_VERSIONS = VersionList((), UnlistedVersions.REFUSE)

_FEW = 8  # names that are compared one by one as fast as they are hashed


@dataclass(frozen=True, slots=True, weakref_slot=True)
class ProductSnapshot:
    """What a validation needs of a product; `product` is None when it vanished after its key was read."""

    product: Product | None
    organization_state: OrganizationState
    plan: str
    key_valid_until_ms: int | None = None
    scope: KeyScope = KeyScope.FULL
    versions: VersionList = NO_VERSIONS
    blacklist: Blacklist = NOTHING_BLOCKED
    signing_keys: tuple[SigningKey, ...] = ()
    api_key_digest: bytes = b""
    # Answers that are good as long as this snapshot and their license's are, by caller; gone with it.
    settled: dict[Hashable, Any] = field(default_factory=dict, init=False, compare=False, repr=False)


class LicenseSnapshot(NamedTuple):
    """What a validation needs of a license, and nothing else: tens of thousands of these are kept in memory.

    One flat tuple, since everything that can hold something else is looked at by each full garbage collection, and
    nothing else runs meanwhile.
    """

    id: int
    product_id: int
    customer_id: int | None
    state: LicenseState
    expires_at_ms: int | None
    max_ips: int | None
    version_pinned: str | None
    version_min: str | None
    version_max: str | None
    custom: str | None
    addresses: Collection[str] = ()
    devices: Collection[str] = ()

    @classmethod
    def of(cls, license_: License, addresses: Iterable[str] = (), devices: Iterable[str] = ()) -> Self:
        """Return what a validation needs of a license that these addresses and devices hold seats of."""
        return cls(
            id=license_.id,
            product_id=license_.product_id,
            customer_id=license_.customer_id,
            state=license_.state,
            expires_at_ms=license_.expires_at_ms,
            max_ips=license_.max_ips,
            version_pinned=license_.version_pinned,
            version_min=license_.version_min,
            version_max=license_.version_max,
            custom=license_.custom,
            addresses=seats(addresses),
            devices=seats(devices),
        )


def seats(names: Iterable[str]) -> Collection[str]:
    """Return the names that hold seats: few as a tuple, which has a quarter of a set's size and is not traversed."""
    few = tuple(names)
    return few if len(few) <= _FEW else frozenset(few)


class Call(NamedTuple):
    """What a product sends.

    `address` is the caller's as seats are counted, `ip` as it is now, for the blacklists; both are None where it
    cannot be known.
    """

    key: str
    address: str | None = None
    version: str | None = None
    device_id: str | None = None
    ip: IP | None = None


class Subject(NamedTuple):
    """All that a check may look at."""

    product: ProductSnapshot
    license: LicenseSnapshot | None
    call: Call
    now_ms: int
