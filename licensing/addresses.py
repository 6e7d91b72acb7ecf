"""How an IP address counts as a seat: IPv4 whole, IPv6 by its prefix, IPv4 in IPv6 clothes as IPv4."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

IP = IPv4Address | IPv6Address

_PSEUDONYM = re.compile(r"~[a-z2-7]{26}")


@dataclass(frozen=True, slots=True)
class Counting:
    """How callers are told apart: IPv6 by so many bits, and by a keyed hash where nothing of them may be kept."""

    ipv6_prefix: int = 64
    pseudonym: Callable[[str], str] | None = None

    def address(self, ip: IP) -> str:
        """Return an address as its seat is counted and kept."""
        text = counted(ip, ipv6_prefix=self.ipv6_prefix)
        return self.pseudonym(text) if self.pseudonym else text

    def device(self, device_id: str | None) -> str | None:
        """Return a device as its seat is counted and kept."""
        return self.pseudonym(device_id) if self.pseudonym and device_id else device_id


EVERYTHING_PLAIN = Counting()


def parse_ip(text: str) -> IP | None:
    """Return the address that a text spells, its zone left out; None where it spells none."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def counted(address: IP, *, ipv6_prefix: int) -> str:
    """Return an address as it is registered: an IPv6 one stands for its whole prefix (`2001:db8:1:2::/64`)."""
    if isinstance(address, IPv4Address) or ipv6_prefix == address.max_prefixlen:
        return str(address)
    return str(ip_network((address, ipv6_prefix), strict=False))


def is_pseudonym(text: str) -> bool:
    """Tell whether a text is a keyed hash in place of an address or a device, as the vault makes them."""
    return _PSEUDONYM.fullmatch(text) is not None
