"""Which address a call comes from: the socket's, or the one that a trusted proxy passes on.

A proxy is believed only if the operator listed it. One that was not listed but passes addresses on would make
every customer look like one and the same; no address is registered from it, and the operator is told.
"""

import logging
from collections.abc import Iterable
from enum import Enum, auto
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from socket import AF_INET, inet_pton
from typing import NamedTuple

from aiohttp import web

from licensing.addresses import IP, Counting, parse_ip
from licensing.ports import Clock

Network = IPv4Network | IPv6Network

FORWARDED_FOR = "X-Forwarded-For"
REMEMBERED = 65_536
REMEMBERED_LENGTH = 128
HOPS_AT_MOST = 16
FORGOTTEN_AFTER_MS = 10 * 60_000  # a proxy that was mended stops being reported without a restart
REPORTED_AT_MOST = 16  # peers named in /readyz and the log; an attacker in the LAN must not fill either

_log = logging.getLogger(__name__)


class Caller(NamedTuple):
    """Where a call comes from, as its seat is counted and as it is; both None where that cannot be known."""

    address: str | None = None
    ip: IP | None = None


NOBODY = Caller()


class Peer(Enum):
    """Who is at the other end of the socket."""

    CALLER = auto()
    PRIVATE = auto()  # the caller, unless it passes on somebody else's address
    PROXY = auto()
    UNKNOWN = auto()


class AddressReader:
    """Reads where a call comes from."""

    def __init__(
        self,
        trusted_proxies: Iterable[Network] = (),
        *,
        clock: Clock,
        client_ip_header: str = FORWARDED_FOR,
        counting: Counting | None = None,
    ) -> None:
        self._trusted = tuple(trusted_proxies)
        self._header = client_ip_header
        self._suspicious = tuple(dict.fromkeys((client_ip_header, FORWARDED_FOR)))
        self._counting = counting or Counting()
        self._clock = clock
        self._misconfigured: dict[str, int] = {}  # by peer, when it was last seen misbehaving
        # Parsing costs more than the rest of a request's reading; most calls come from few peers.
        self._peer = lru_cache(REMEMBERED)(self._judge_peer)
        self._claim = lru_cache(REMEMBERED)(self._judge_claim)

    @property
    def misconfigured(self) -> tuple[str, ...]:
        """The peers that looked like proxies lately and did not pass a believable address on."""
        self._forget_mended()
        return tuple(self._misconfigured)

    def read(self, request: web.Request) -> Caller:
        """Return where a call comes from."""
        peer = request.remote or ""
        kind, caller = self._peer(peer)
        if kind is Peer.CALLER:
            return caller
        if kind is Peer.PROXY:
            return self._passed_on(peer, request)
        if kind is Peer.PRIVATE and any(name in request.headers for name in self._suspicious):
            self._report(peer, "passes on addresses but is not trusted; add it to api.trusted_proxies if it is yours")
            return NOBODY
        return caller

    def device(self, device_id: str | None) -> str | None:
        """Return the device that a call names, as its seat is counted."""
        return self._counting.device(device_id)

    def _passed_on(self, peer: str, request: web.Request) -> Caller:
        claims = request.headers.getall(self._header, ())
        if not claims:
            self._report(peer, f"is trusted but sends no {self._header}; let it set that header, or stop trusting it")
            return NOBODY
        claim = claims[0] if len(claims) == 1 else ",".join(claims)
        # Callers choose what stands on the left; long lies must not fill the memory.
        caller = self._claim(claim) if len(claim) <= REMEMBERED_LENGTH else self._judge_claim(claim)
        if caller is NOBODY:
            self._report(
                peer,
                f"is trusted but names no caller in {self._header}; let it put the caller's address there, and trust"
                " nothing but proxies",
            )
        return caller

    def _report(self, peer: str, problem: str) -> None:
        self._forget_mended()
        known = peer in self._misconfigured
        if not known and len(self._misconfigured) >= REPORTED_AT_MOST:
            return
        self._misconfigured[peer] = self._clock()
        if not known:
            _log.warning("The proxy %s %s. No address is registered from it until then.", peer, problem)

    def _forget_mended(self) -> None:
        since_ms = self._clock() - FORGOTTEN_AFTER_MS
        for peer in [peer for peer, seen_ms in self._misconfigured.items() if seen_ms <= since_ms]:
            del self._misconfigured[peer]

    def _judge_peer(self, peer: str) -> tuple[Peer, Caller]:
        ip = parse_ip(peer)
        if ip is None:
            return Peer.UNKNOWN, NOBODY
        if self._is_trusted(ip):
            return Peer.PROXY, NOBODY
        return Peer.CALLER if ip.is_global else Peer.PRIVATE, self._caller(ip)

    def _judge_claim(self, claim: str) -> Caller:
        """Return the rightmost address that is no proxy of ours: what stands left of it may be a lie.

        If all are proxies, nobody: as the caller a proxy would make one seat of every customer.
        """
        for entry in reversed(claim.rsplit(",", HOPS_AT_MOST)[-HOPS_AT_MOST:]):
            if not entry.strip():
                continue
            ip = _read(entry.strip())
            if ip is None:
                return NOBODY
            if not self._is_trusted(ip):
                return self._caller(ip)
        return NOBODY

    def _is_trusted(self, ip: IP) -> bool:
        for network in self._trusted:  # noqa: SIM110 - `any` takes half as long again, for every new caller
            if ip in network:
                return True
        return False

    def _caller(self, ip: IP) -> Caller:
        return Caller(self._counting.address(ip), ip)


def _read(entry: str) -> IP | None:
    """Return an address that a proxy passes on; the system reads IPv4 as strictly as Python does, and quicker."""
    try:
        return IPv4Address(inet_pton(AF_INET, entry))
    except (OSError, ValueError):
        return parse_ip(_without_port(entry))


def _without_port(entry: str) -> str:
    """Return the address of `1.2.3.4:5678`, `[2001:db8::1]:443`, or an entry as it is."""
    entry = entry.strip('"')
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry
