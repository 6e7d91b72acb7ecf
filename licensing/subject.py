"""What a validation looks at: the call, and the product and the license as they are at that moment."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from licensing.addresses import IP
from licensing.blacklist import NOTHING_BLOCKED, Blacklist
from licensing.choices import KeyScope, OrganizationState, UnlistedVersions
from licensing.models import License, Product, SigningKey
from licensing.versions import VersionList

NO_VERSIONS = VersionList((), UnlistedVersions.REFUSE)


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class LicenseSnapshot:
    """What a validation needs of a license."""

    license: License
    addresses: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()


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
