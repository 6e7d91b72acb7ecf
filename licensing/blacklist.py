"""Blocked addresses: how one is typed, and which block, if any, an address meets first."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import NamedTuple

from licensing.addresses import IP, parse_ip
from licensing.choices import BlockLevel
from licensing.input_errors import NetworkInvalid, NetworkTooWide

_IPV4_BITS = 32
_IPV6_BITS = 128
_LENGTH = re.compile(r"[0-9]{1,3}")
_WIDEST = {_IPV4_BITS: 8, _IPV6_BITS: 16}

Scope = tuple[BlockLevel, int | None]
# Per prefix length, longest first: how far an address is shifted, and the networks by what is left of it.
Table = tuple[tuple[int, dict[int, str]], ...]


class Blocked(NamedTuple):
    """The block that an address met."""

    level: BlockLevel
    network: str


def parse_network(text: str) -> str:
    """Return the canonical text of an address or a range; NetworkInvalid, NetworkTooWide."""
    typed, slash, length_text = (part.strip() for part in text.partition("/"))
    address = parse_ip(typed)
    length = (
        None if address is None else _prefix_length(address, length_text if slash else None, is_ipv6=":" in typed)
    )
    if address is None or length is None:
        raise NetworkInvalid(text=text)
    if length < _WIDEST[address.max_prefixlen]:
        raise NetworkTooWide(text=text)
    return str(address if length == address.max_prefixlen else ip_network((address, length), strict=False))


def _prefix_length(address: IP, text: str | None, *, is_ipv6: bool) -> int | None:
    """Return a typed prefix length as it counts for the address, which may have been typed as IPv6; None for none."""
    if text is None:
        return address.max_prefixlen
    typed_bits = _IPV6_BITS if is_ipv6 else _IPV4_BITS
    if not _LENGTH.fullmatch(text) or int(text) > typed_bits:
        return None
    return max(int(text) - (typed_bits - address.max_prefixlen), 0)


class Blacklist:
    """The blocks that concern one product's calls, ready to be asked on every one of them."""

    def __init__(self, blocks: Iterable[tuple[BlockLevel, int | None, str]]) -> None:
        self._ipv4: dict[Scope, Table] = {}
        self._ipv6: dict[Scope, Table] = {}
        gathered: dict[Scope, dict[int, dict[int, dict[int, str]]]] = {}
        for level, target_id, network in blocks:
            bits, shift, prefix = _parsed(network)
            by_bits = gathered.setdefault(_scope(level, target_id), {})
            by_bits.setdefault(bits, {}).setdefault(shift, {})[prefix] = network
        for scope, by_bits in gathered.items():
            for bits, by_shift in by_bits.items():
                tables = self._ipv4 if bits == _IPV4_BITS else self._ipv6
                tables[scope] = tuple(sorted(by_shift.items()))

    def __bool__(self) -> bool:
        """Tell whether anything is blocked at all."""
        return bool(self._ipv4 or self._ipv6)

    def find(self, ip: IP | None, *, customer_id: int | None, license_id: int | None) -> Blocked | None:
        """Return the first block that an address meets: by level, then the narrowest."""
        if ip is None or not self:
            return None
        if isinstance(ip, IPv6Address):
            ip = ip.ipv4_mapped or ip
        tables = self._ipv4 if isinstance(ip, IPv4Address) else self._ipv6
        if not tables:
            return None
        address = int(ip)
        for scope in _scopes(customer_id, license_id):
            network = _find(tables.get(scope, ()), address)
            if network is not None:
                return Blocked(scope[0], network)
        return None


NOTHING_BLOCKED = Blacklist(())


def _scope(level: BlockLevel, target_id: int | None) -> Scope:
    """Return where a block belongs; the first two levels have one target, which goes without saying."""
    return (level, target_id if level in {BlockLevel.CUSTOMER, BlockLevel.LICENSE} else None)


def _scopes(customer_id: int | None, license_id: int | None) -> list[Scope]:
    scopes: list[Scope] = [(BlockLevel.PLATFORM, None), (BlockLevel.ORGANIZATION, None)]
    if customer_id is not None:
        scopes.append((BlockLevel.CUSTOMER, customer_id))
    if license_id is not None:
        scopes.append((BlockLevel.LICENSE, license_id))
    return scopes


def _find(table: Table, address: int) -> str | None:
    for shift, networks in table:
        network = networks.get(address >> shift)
        if network is not None:
            return network
    return None


def _parsed(network: str) -> tuple[int, int, int]:
    """Return (bits of an address, bits that do not count, prefix) of a canonical network."""
    # ip_network would do, but takes several times as long, and a list can be thousands long.
    text, _, length = network.partition("/")
    address = IPv6Address(text) if ":" in text else IPv4Address(text)
    bits = address.max_prefixlen
    shift = bits - int(length or bits)
    return bits, shift, int(address) >> shift
