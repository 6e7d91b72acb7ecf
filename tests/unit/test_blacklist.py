"""Blocked addresses: what may be typed, and that an address meets exactly the blocks that it lies in."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.blacklist import NOTHING_BLOCKED, Blacklist, Blocked, parse_network
from licensing.choices import BlockLevel
from licensing.input_errors import NetworkInvalid, NetworkTooWide

PLATFORM, ORGANIZATION, CUSTOMER, LICENSE = BlockLevel
CUSTOMER_ID, LICENSE_ID = 7, 9

# Few bits differ, so that addresses often lie in networks and networks in one another.
ipv4 = st.integers(0, 255).map(lambda host: IPv4Address(0xCB007100 + host))
ipv6 = st.integers(0, 255).map(lambda host: IPv6Address((0x20010DB8 << 96) + host))
mapped = ipv4.map(lambda address: IPv6Address(f"::ffff:{address}"))
addresses = st.one_of(ipv4, ipv6, mapped)
ipv4_networks = st.tuples(ipv4, st.integers(8, 32)).map(lambda parts: IPv4Network(parts, strict=False))
ipv6_networks = st.tuples(ipv6, st.integers(16, 128)).map(lambda parts: IPv6Network(parts, strict=False))
networks = st.one_of(ipv4_networks, ipv6_networks)
targets = st.sampled_from(
    [
        (PLATFORM, None),
        (ORGANIZATION, None),
        (CUSTOMER, 7),
        (CUSTOMER, 8),
        (LICENSE, 9),
        (LICENSE, 7),
        (CUSTOMER, None),
    ]
)
blocks = st.lists(st.tuples(targets, networks), max_size=12)
holders = st.sampled_from([None, 7, 8, 9])


def canonical(network: IPv4Network | IPv6Network) -> str:
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address if single else network)


@pytest.mark.parametrize(
    ("typed", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7\n", "203.0.113.7"),
        ("203.0.113.7/32", "203.0.113.7"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("203.0.113.7/24", "203.0.113.0/24"),
        ("203.0.113.7 / 24", "203.0.113.0/24"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:0DB8:0:0::1/128", "2001:db8::1"),
        ("2001:db8::1/48", "2001:db8::/48"),
        ("2001:db8::/16", "2001::/16"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7/128", "203.0.113.7"),
        ("::ffff:203.0.113.9/120", "203.0.113.0/24"),
        ("::ffff:cb00:7107/104", "203.0.0.0/8"),
        ("fe80::1%eth0", "fe80::1"),
        ("fe80::1%eth0/64", "fe80::/64"),
    ],
)
def test_an_address_or_a_range_is_kept_in_one_spelling(typed: str, network: str):
    assert parse_network(typed) == network


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "/", "/24", "localhost", "203.0.113", "203.0.113.256", "203.0.113.7/", "203.0.113.0/33",
        "2001:db8::/129", "::ffff:1.2.3.4/129", "203.0.113.0/-1", "203.0.113.0/+8", "203.0.113.0/255.255.255.0",
        "203.0.113.0/24/24", "203.0.113.0/\uff12\uff14", "\uff11.1.1.1", "203.0.113.0/1000", "203.0.113.*",
        "203.0.113.1-203.0.113.9", "010.0.0.1", "1" * 10_000, "\ud800",
    ],
)  # fmt: skip
def test_what_is_neither_an_address_nor_a_range_is_refused(typed: str):
    with pytest.raises(NetworkInvalid) as refused:
        parse_network(typed)
    assert refused.value.data == {"text": typed}


@pytest.mark.parametrize(
    "typed",
    ["0.0.0.0/0", "10.0.0.0/7", "::/0", "2000::/15", "::ffff:0:0/96", "::ffff:10.0.0.0/103", "::ffff:1.2.3.4/8"],
)
def test_a_range_that_would_block_nearly_everybody_is_refused(typed: str):
    with pytest.raises(NetworkTooWide) as refused:
        parse_network(typed)
    assert refused.value.data == {"text": typed}


@given(text=st.one_of(st.text(), st.text(st.sampled_from("0123456789abf.:/% "), max_size=45)))
def test_whatever_is_typed_becomes_a_network_that_reads_back_as_itself_or_a_refusal(text: str):
    try:
        network = parse_network(text)
    except (NetworkInvalid, NetworkTooWide):
        return
    assert parse_network(network) == network == canonical(ip_network(network))


@given(network=networks, address=addresses)
def test_a_network_is_read_alike_however_its_host_bits_are_set(network: IPv4Network | IPv6Network, address):
    assert parse_network(str(network)) == canonical(network)
    if address in network:
        assert parse_network(f"{address}/{network.prefixlen}") == canonical(network)


@given(listed=blocks, ip=addresses, customer_id=holders, license_id=holders)
def test_an_address_meets_the_first_level_with_a_network_that_holds_it(listed, ip, customer_id, license_id):
    blacklist = Blacklist((level, target, canonical(network)) for (level, target), network in listed)
    plain = getattr(ip, "ipv4_mapped", None) or ip
    concerned = {(PLATFORM, None), (ORGANIZATION, None)}
    concerned |= {(CUSTOMER, customer_id)} if customer_id is not None else set()
    concerned |= {(LICENSE, license_id)} if license_id is not None else set()
    met = [
        (level, network) for (level, target), network in listed if (level, target) in concerned and plain in network
    ]
    found = blacklist.find(ip, customer_id=customer_id, license_id=license_id)
    if not met:
        assert found is None
        return
    first = min((level for level, _ in met), key=list(BlockLevel).index)
    narrowest = max((network for level, network in met if level is first), key=lambda network: network.prefixlen)
    assert found == Blocked(first, canonical(narrowest))


def test_levels_are_looked_at_from_the_platform_down_to_the_license():
    rules = [(LICENSE, LICENSE_ID), (CUSTOMER, CUSTOMER_ID), (ORGANIZATION, None), (PLATFORM, None)]
    for left_out in range(4):
        blacklist = Blacklist((level, target, "203.0.113.0/24") for level, target in rules[: 4 - left_out])
        found = blacklist.find(ip_address("203.0.113.7"), customer_id=CUSTOMER_ID, license_id=LICENSE_ID)
        assert found == Blocked(list(BlockLevel)[left_out], "203.0.113.0/24")


def test_the_platforms_and_the_organizations_blocks_concern_every_call_whatever_target_they_carry():
    for level in (PLATFORM, ORGANIZATION):
        blacklist = Blacklist([(level, 5, "203.0.113.7")])
        assert blacklist.find(ip_address("203.0.113.7"), customer_id=None, license_id=None) == Blocked(
            level, "203.0.113.7"
        )


def test_the_block_of_another_customer_or_license_is_none_of_this_calls():
    blacklist = Blacklist([(CUSTOMER, 8, "203.0.113.7"), (LICENSE, 8, "203.0.113.7")])
    assert blacklist.find(ip_address("203.0.113.7"), customer_id=CUSTOMER_ID, license_id=LICENSE_ID) is None
    assert blacklist.find(ip_address("203.0.113.7"), customer_id=None, license_id=None) is None


@given(ip=st.one_of(st.none(), addresses), customer_id=holders, license_id=holders)
def test_where_nothing_is_blocked_or_no_address_is_known_nothing_is_met(ip, customer_id, license_id):
    assert NOTHING_BLOCKED.find(ip, customer_id=customer_id, license_id=license_id) is None
    everything = Blacklist([(PLATFORM, None, "0.0.0.0/0"), (PLATFORM, None, "::/0")])
    assert (everything.find(ip, customer_id=customer_id, license_id=license_id) is None) == (ip is None)


def test_thousands_of_blocks_are_each_found():
    hosts = [str(IPv4Address(0x0A000000 + 512 * place)) for place in range(5_000)]
    blacklist = Blacklist((ORGANIZATION, None, host) for host in hosts)
    found = [blacklist.find(ip_address(host), customer_id=None, license_id=None) for host in hosts]
    assert found == [Blocked(ORGANIZATION, host) for host in hosts]
    assert blacklist.find(ip_address("10.0.0.1"), customer_id=None, license_id=None) is None
