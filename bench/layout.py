"""What the seeded databases hold: products, each with licenses of one kind, and where their keys are noted."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ORGANIZATION_ID = 1
KEY_LINE = 20  # a key of ours and a line feed
ENDS_2035_MS = 2_051_222_400_000
ENDS_2090_MS = 3_786_912_000_000
AFTER_ENDS_MS = 2_082_758_400_000  # 2036

_ADDRESSES = 1 << 17  # 198.18.0.0/15, kept for benchmarks of networks


class Kind(StrEnum):
    """In which state a product's licenses begin."""

    REGISTERED = "registered"  # held, with an address
    FRESH = "fresh"  # held, never seen
    STOCK = "stock"  # nobody's
    ENDING = "ending"  # held, until 2035


@dataclass(frozen=True, slots=True)
class Shelf:
    """A product and its licenses, whose ids follow one another."""

    name: str
    kind: Kind
    count: int
    first_id: int = 0
    signs: str | None = None

    @property
    def file(self) -> str:
        return f"{self.name.lower()}.keys"


def shelves(count: int) -> list[Shelf]:
    """Return the shelves of a database with so many licenses, ids given."""
    tenth = count // 10
    kinds = [
        Shelf("Widget", Kind.REGISTERED, count - 4 * tenth),
        Shelf("Fresh", Kind.FRESH, tenth),
        Shelf("Stock", Kind.STOCK, tenth),
        Shelf("Ending", Kind.ENDING, tenth),
        Shelf("Bulk", Kind.REGISTERED, tenth),
    ]
    return list(_numbered(kinds))


def small_shelves(count: int) -> list[Shelf]:
    """Return the shelves of the small database: as many of each kind."""
    kinds = [
        Shelf("Widget", Kind.REGISTERED, count),
        Shelf("Fresh", Kind.FRESH, count),
        Shelf("Hmac", Kind.REGISTERED, count, signs="hmac"),
        Shelf("Ed25519", Kind.REGISTERED, count, signs="ed25519"),
    ]
    return list(_numbered(kinds))


def _numbered(kinds: list[Shelf]) -> Iterator[Shelf]:
    first = 1
    for shelf in kinds:
        yield Shelf(shelf.name, shelf.kind, shelf.count, first, shelf.signs)
        first += shelf.count


def address_of(number: int) -> str:
    """Return the address that the license in this place of its shelf is used from."""
    low = number % _ADDRESSES
    return f"198.{18 + (low >> 16)}.{low >> 8 & 255}.{low & 255}"


def key_at(file: Path, number: int) -> str:
    """Return one key of a shelf."""
    with file.open("rb") as keys:
        keys.seek(number * KEY_LINE)
        return keys.read(KEY_LINE - 1).decode()
