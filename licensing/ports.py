"""What the use cases need of the world: a store that runs transactions, a vault for keys, a signer, a clock."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from licensing.bulk import Bulk
from licensing.choices import SigningKind
from licensing.models import SealedKey, SigningKey
from licensing.searches import Search, Searches
from licensing.tables import (
    Addresses,
    Blacklists,
    Customers,
    History,
    Ledger,
    Licenses,
    Organizations,
    Products,
    SeenLog,
    SigningKeys,
    Staff,
    Steps,
    Transfers,
    Versions,
)
from licensing.verdict import LicenseSnapshot, ProductSnapshot

__all__ = [
    "Clock",
    "NewSeat",
    "Search",
    "Signer",
    "Snapshots",
    "Steps",
    "Store",
    "Transaction",
    "Unavailable",
    "Vault",
]

T = TypeVar("T")
Clock = Callable[[], int]
NewSeat = tuple[int, str, int]  # a license, the address or device that sits there, and since when


class Unavailable(Exception):  # noqa: N818 - the store's state, as HTTP 503 names it
    """The store cannot be read or written now; nothing was changed."""


class Seats(Protocol):
    """Seats of many licenses at once."""

    def lock(self, license_ids: Collection[int]) -> Steps[dict[int, LicenseSnapshot]]:
        """Lock licenses and return those that there are, by id, as they are stored."""

    def insert(self, seats: Sequence[NewSeat]) -> Steps[None]: ...
    def insert_devices(self, seats: Sequence[NewSeat]) -> Steps[None]: ...
    def leave(self, licenses: Mapping[int, LicenseSnapshot]) -> None:
        """Say how licenses that were locked are once this transaction is committed."""


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
    def search(self) -> Searches: ...
    @property
    def bulk(self) -> Bulk: ...
    @property
    def addresses(self) -> Addresses: ...
    @property
    def seats(self) -> Seats: ...
    @property
    def seen(self) -> SeenLog: ...
    @property
    def versions(self) -> Versions: ...
    @property
    def blacklist(self) -> Blacklists: ...
    @property
    def signing_keys(self) -> SigningKeys: ...
    @property
    def history(self) -> History: ...
    @property
    def transfers(self) -> Transfers: ...
    @property
    def staff(self) -> Staff: ...
    @property
    def ledger(self) -> Ledger: ...


class Entry:
    """A license's entry in the cache: current until the cache drops it, or keeps the license as something else."""

    __slots__ = ("is_current",)

    def __init__(self) -> None:
        self.is_current = True


class Snapshots(Protocol):
    """The hot path's cached reads; what a committed write touched is never answered from before it."""

    hits: int  # licenses that were looked at without being read

    def entry(self, product: ProductSnapshot, key: tuple[int, bytes], license_: LicenseSnapshot) -> Entry | None:
        """Return what tells how long a license is as it is now; None is no harm, it has it asked for again."""

    def are_current(self, product: ProductSnapshot, entry: Entry) -> bool:
        """Tell whether a product and a license are still what would be answered now."""

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

    async def settle(self) -> None:
        """Rest, and wait where more is written than can be put away: asked between the transactions of a big work."""


class Vault(Protocol):
    """Keeps license keys: a keyed hash to find them by, and a sealed copy to show them."""

    def digest(self, tidied_key: str) -> bytes: ...
    def seal(self, key: str, *, digest: bytes, prefix: str) -> SealedKey: ...
    def reveal(self, key: SealedKey) -> str: ...
    def pseudonym(self, text: str) -> str:
        """Return a keyed hash that stands for an address or a device where they may not be kept."""


class Signer(Protocol):
    """Makes signing keys and signs with them; slow for RSA (about a millisecond to sign, many to make)."""

    def make(self, product_id: int, kind: SigningKind, *, now_ms: int, signs_from_ms: int) -> SigningKey: ...
    def secret(self, key: SigningKey) -> str:
        """Return a shared secret as it is shown once."""

    def sign(self, key: SigningKey, data: bytes) -> str:
        """Return a signature: hexadecimal, of RSA base64."""

    def license_file(self, key: SigningKey, payload: Mapping[str, Any]) -> str:
        """Return a compact JWS."""

    def jwk(self, key: SigningKey) -> Mapping[str, Any]:
        """Return the public half."""
