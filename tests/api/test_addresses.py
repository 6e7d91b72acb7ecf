"""Guarantees about whose address a call is counted under."""

import logging
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

import pytest
from aiohttp.test_utils import make_mocked_request
from factories import NOW_MS
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from bot.api.addresses import FORGOTTEN_AFTER_MS, HOPS_AT_MOST, NOBODY, REPORTED_AT_MOST, AddressReader
from licensing.addresses import Counting

PROXIES = tuple(ip_network(text) for text in ("10.0.0.0/8", "fd00::/8", "::1/128"))


class Socket:
    """The end of a connection, as aiohttp asks for it."""

    def __init__(self, peer):
        self.peer = peer

    def get_extra_info(self, name, default=None):
        return self.peer if name == "peername" else default

    def is_closing(self):
        return False


@dataclass
class Moving:
    """A clock that only the test moves."""

    now_ms: int

    def __call__(self):
        return self.now_ms


def request_from(peer, *headers):
    socket = Socket((peer, 4711))
    return make_mocked_request("POST", "/api/v1/validate", CIMultiDict(headers), transport=socket)


def reader_of(trusted=(), *, clock=lambda: NOW_MS, **settings):
    return AddressReader(trusted, clock=clock, **settings)


def address_of(reader, request):
    """Return the address that a call counts under, which is the one it came from as well."""
    caller = reader.read(request)
    assert (caller.address is None) == (caller.ip is None)
    return caller.address


def seen(peer, *claims, trusted=PROXIES, header="X-Forwarded-For", prefix=64):
    reader = reader_of(trusted, client_ip_header=header, counting=Counting(prefix))
    return address_of(reader, request_from(peer, *((header, claim) for claim in claims)))


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2a01:4f8:1:2:3:4:5:6", "2a01:4f8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::2", "::/64"),
        ("", None),
        ("not an address", None),
    ],
)
def test_without_a_proxy_the_socket_decides(peer, address):
    assert seen(peer) == address


@pytest.mark.parametrize(
    ("claim", "address"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("1.2.3.4, 8.8.8.8", "8.8.8.8"),
        ("8.8.8.8, 10.1.1.1, 10.2.2.2", "8.8.8.8"),
        ("8.8.8.8:51234", "8.8.8.8"),
        ("[2a01:4f8:1:2::9]:443", "2a01:4f8:1:2::/64"),
        ("2a01:4f8:1:2::9", "2a01:4f8:1:2::/64"),
        ('"8.8.8.8"', "8.8.8.8"),
        ("::ffff:8.8.8.8", "8.8.8.8"),
        ("::ffff:8.8.8.8, ::ffff:10.0.0.8", "8.8.8.8"),
        ("192.168.1.5", "192.168.1.5"),
        (" 8.8.8.8 ,, ", "8.8.8.8"),
    ],
)
def test_behind_a_trusted_proxy_the_rightmost_address_that_is_no_proxy_counts(claim, address):
    reader = reader_of(PROXIES)
    assert address_of(reader, request_from("10.0.0.1", ("X-Forwarded-For", claim))) == address
    assert reader.misconfigured == ()


@pytest.mark.parametrize(
    "claim",
    [
        *("8.8.8.8, unknown", "unknown", "", ",,,", "for=1.2.3.4", "_hidden", "'; DROP TABLE licenses; --"),
        *("10.0.0.9", "10.0.0.9, ::1", "::ffff:10.0.0.9, 10.0.0.8"),
        ", ".join(f"10.0.0.{last}" for last in range(200)),
        "nonsense, " * 50,
    ],
)
def test_a_trusted_proxy_that_names_no_caller_is_reported_once_and_counts_nowhere(claim, caplog):
    reader = reader_of(PROXIES)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert reader.read(request_from("10.0.0.1", ("X-Forwarded-For", claim))) is NOBODY
    assert reader.misconfigured == ("10.0.0.1",)
    assert len(caplog.records) == 1


def test_several_forwarding_headers_count_as_one_list_in_their_order():
    assert seen("10.0.0.1", "1.1.1.1", "8.8.8.8, 10.9.9.9") == "8.8.8.8"


def test_a_public_caller_that_claims_another_address_is_not_believed():
    assert seen("8.8.4.4", "1.2.3.4") == "8.8.4.4"


def test_a_configured_header_is_read_in_place_of_the_usual_one():
    reader = reader_of(PROXIES, client_ip_header="CF-Connecting-IP")
    request = request_from("10.0.0.1", ("CF-Connecting-IP", "8.8.8.8"), ("X-Forwarded-For", "1.1.1.1"))
    assert address_of(reader, request) == "8.8.8.8"


@pytest.mark.parametrize(
    ("prefix", "address"),
    [(128, "2a01:4f8:1:2::9"), (56, "2a01:4f8:1::/56"), (48, "2a01:4f8:1::/48")],
)
def test_the_ipv6_prefix_is_the_operators_choice(prefix, address):
    assert seen("2a01:4f8:1:2::9", prefix=prefix) == address


@pytest.mark.parametrize("peer", ["127.0.0.1", "172.17.0.1", "::1", "100.64.0.3", "fd12::1"])
def test_a_private_peer_that_passes_addresses_on_untrusted_is_reported_once_and_counts_nowhere(peer, caplog):
    reader = reader_of()
    request = request_from(peer, ("X-Forwarded-For", "8.8.8.8"))
    with caplog.at_level(logging.WARNING):
        assert [reader.read(request), reader.read(request)] == [NOBODY, NOBODY]
    assert reader.misconfigured == (peer,)
    assert [record.getMessage().count("api.trusted_proxies") for record in caplog.records] == [1]
    assert address_of(reader, request_from("8.8.8.8")) == "8.8.8.8"


def test_a_trusted_proxy_that_passes_nothing_on_is_reported_and_counts_nowhere():
    reader = reader_of(PROXIES)
    assert address_of(reader, request_from("10.0.0.1")) is None
    assert reader.misconfigured == ("10.0.0.1",)


def test_a_proxy_that_was_mended_is_reported_no_longer_and_one_that_fails_again_is_told_again(caplog):
    clock = Moving(0)
    reader = reader_of(clock=clock)
    odd = request_from("10.0.0.1", ("X-Forwarded-For", "8.8.8.8"))
    for at_ms, misbehaves, reported in (
        (0, True, True),
        (FORGOTTEN_AFTER_MS - 1, True, True),
        (2 * FORGOTTEN_AFTER_MS - 2, False, True),
        (2 * FORGOTTEN_AFTER_MS - 1, False, False),
        (3 * FORGOTTEN_AFTER_MS, True, True),
    ):
        clock.now_ms = at_ms
        if misbehaves:
            reader.read(odd)
        assert reader.misconfigured == (("10.0.0.1",) if reported else ())
    assert len([record for record in caplog.records if "api.trusted_proxies" in record.getMessage()]) == 2


def test_a_mended_proxy_makes_room_in_the_report_for_another():
    clock = Moving(0)
    reader = reader_of(clock=clock)
    for last in range(REPORTED_AT_MOST):
        reader.read(request_from(f"192.168.0.{last}", ("X-Forwarded-For", "8.8.8.8")))
    clock.now_ms = FORGOTTEN_AFTER_MS
    reader.read(request_from("192.168.1.1", ("X-Forwarded-For", "8.8.8.8")))
    assert reader.misconfigured == ("192.168.1.1",)


def test_a_long_lie_on_the_left_changes_nothing_and_is_not_remembered():
    reader = reader_of(PROXIES)
    for number in range(300):
        claim = ("1.2.3.4, " * 500) + f"nonsense{number}, 8.8.8.8, 10.0.0.2"
        assert address_of(reader, request_from("10.0.0.1", ("X-Forwarded-For", claim))) == "8.8.8.8"
    assert reader._claim.cache_info().currsize == 0


def test_a_caller_behind_very_many_proxies_is_not_looked_for_for_ever():
    proxies = ", ".join(f"10.0.0.{last}" for last in range(HOPS_AT_MOST))
    assert seen("10.0.0.1", f"8.8.8.8, {proxies}") is None
    assert seen("10.0.0.1", f"8.8.8.8, {proxies.partition(', ')[2]}") == "8.8.8.8"


def test_many_odd_peers_cannot_fill_the_report():
    reader = reader_of()
    for last in range(200):
        reader.read(request_from(f"192.168.0.{last}", ("X-Forwarded-For", "8.8.8.8")))
    assert len(reader.misconfigured) == REPORTED_AT_MOST


@given(st.ip_addresses(), st.lists(st.ip_addresses(v=4, network="10.0.0.0/8"), max_size=3))
def test_however_many_proxies_stand_between_the_same_caller_counts_the_same(caller, hops):
    claim = ", ".join(map(str, [caller, *hops]))
    direct = seen(str(caller), trusted=())
    if not any(ip_address(caller) in network for network in PROXIES):
        assert seen("10.0.0.1", claim) == direct


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=200))
def test_whatever_a_header_holds_is_an_address_or_nothing(claim):
    found = seen("10.0.0.1", claim)
    assert found is None or ip_network(found)


@given(st.from_regex(r"[0-9. /]{0,17}", fullmatch=True) | st.ip_addresses(v=4).map(str))
def test_an_address_that_is_passed_on_is_read_as_python_reads_it(text):
    try:
        address = ip_address(text.strip())
    except ValueError:
        address = None
    known = address is not None and address not in PROXIES[0]
    assert seen("10.0.0.1", text) == (str(address) if known else None)


@pytest.mark.parametrize(
    "text", ["1.2.3", "1.2.3.04", "01.2.3.4", "0x1.2.3.4", "1.2.3.256", "1.2.3.4.5", "16909060", "\u0661.2.3.4"]
)
def test_what_only_looks_like_an_address_is_none(text):
    assert seen("10.0.0.1", text) is None
