"""How many registered addresses a block would keep out: what staff are shown beside it."""

from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network

from licensing.choices import BlockLevel
from licensing.models import Block
from licensing.ports import Steps, Transaction

_MOST = 20_000  # seats that are looked at; beyond, nobody waits for the count
_WIDE_BELOW = {4: 16, 6: 32}  # bits of the prefix, by IP version

_OCTET_BITS = 8
_GROUP_BITS = 16


@dataclass(frozen=True, slots=True)
class Reach:
    """How many seats lie in a block, and of how many licenses."""

    seats: int
    licenses: int


def reach_of(tx: Transaction, block: Block) -> Steps[Reach | None]:
    """Return whom a block concerns in its organization; None where that is too much to count."""
    if block.level is BlockLevel.PLATFORM:
        return None
    rows = yield from tx.blacklist.seats(
        block.organization_id, block.level, block.target_id, starting=common_start(block.network), limit=_MOST + 1
    )
    if len(rows) > _MOST:
        return None
    met = [license_id for license_id, address in rows if _meet(address, block.network)]
    return Reach(len(met), len(set(met)))


def is_wide(network: str) -> bool:
    """Tell whether a range holds so many addresses that whoever blocks it is asked first."""
    parsed = ip_network(network)
    return parsed.prefixlen < _WIDE_BELOW[parsed.version]


def common_start(network: str) -> str:
    """Return what the text of every address of a network starts with, as far as that is sure.

    An IPv6 seat stands for a whole prefix, and a run of zeros is written as nothing: only the first group is sure.
    """
    parsed = ip_network(network)
    if isinstance(parsed, IPv4Network):
        octets = str(parsed.network_address).split(".")[: parsed.prefixlen // _OCTET_BITS]
        return ".".join(octets) + ("." if len(octets) * _OCTET_BITS < parsed.max_prefixlen else "")
    first = int(parsed.network_address) >> (parsed.max_prefixlen - _GROUP_BITS)
    return f"{first:x}:" if first and parsed.prefixlen >= _GROUP_BITS else ""


def _meet(address: str, network: str) -> bool:
    try:
        seat = ip_network(address)
    except ValueError:
        return False  # kept as a keyed hash
    blocked = ip_network(network)
    return seat.version == blocked.version and seat.overlaps(blocked)
