"""Who calls: peers as the server shows them, X-Forwarded-For as far as it is believed, ranges."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.errors import UsageError
from hookwright.intake.addresses import MAX_HOPS, contains, find_client, fold, is_proxy, parse_networks

PROXIES = parse_networks("10.0.0.0/8, fd00::/8")
STRANGER = "203.0.113.7"

addresses = st.ip_addresses()


def show(address) -> str:
    """Write an address with a port, as the server does."""
    return f"[{address}]:4711" if address.version == 6 else f"{address}:4711"


def found(peer: str, *forwarded: str, trusted=PROXIES) -> str | None:
    """Give the client as text."""
    client = find_client(peer, forwarded, trusted)
    return None if client is None else str(client)


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        ("203.0.113.7:5678", "203.0.113.7"),
        ("[2001:db8::1]:5678", "2001:db8::1"),
        ("[::ffff:203.0.113.7]:5678", "203.0.113.7"),
        ("[fe80::1%2]:5678", "fe80::1"),
        ("", None),
        ("/run/hookwright.sock", None),
        ("localhost:80", None),
    ],
)
def test_peer_is_the_client(peer, client):
    """The socket's other end counts, with or without proxies that are trusted; what is no address is unknown."""
    assert found(peer, trusted=()) == client
    assert found(peer, "198.51.100.1") == client


@pytest.mark.parametrize(
    ("peer", "trusted", "proxy"),
    [
        ("10.0.0.1:5678", PROXIES, True),
        ("[fd00::1]:5678", PROXIES, True),
        ("[::ffff:10.0.0.1]:5678", PROXIES, True),
        ("203.0.113.7:5678", PROXIES, False),
        ("/run/hookwright.sock", PROXIES, False),
        ("10.0.0.1:5678", (), False),
    ],
)
def test_proxy_is_known_by_its_own_address(peer, trusted, proxy):
    """A connection is a proxy's if its other end is in a range that is trusted."""
    assert is_proxy(peer, trusted) is proxy


@given(addresses, st.text())
def test_nobody_is_believed_without_trusted_proxies(address, forwarded):
    """With no trusted proxies the header counts for nothing, whatever it says."""
    assert find_client(show(address), [forwarded], ()) == fold(address)


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1", "203.0.113.7, 10.9.9.9"], "203.0.113.7"),
        (["203.0.113.7", "10.9.9.9", "fd00::1"], "203.0.113.7"),
        (["garbage, 203.0.113.7"], "203.0.113.7"),
        (["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        ([], "10.0.0.1"),
        ([" \t203.0.113.7 \t"], "203.0.113.7"),
        (["203.0.113.7:1234"], "203.0.113.7"),
        (["2001:db8::1"], "2001:db8::1"),
        (["[2001:db8::1]"], "2001:db8::1"),
        (["[2001:db8::1]:443"], "2001:db8::1"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, ::ffff:10.3.3.3"], "203.0.113.7"),
    ],
)
def test_first_untrusted_from_the_right_is_the_client(forwarded, client):
    """All lines are one list; it is believed from the right, as far as trusted proxies wrote it, and no further."""
    assert found("10.0.0.1:5678", *forwarded) == client


@pytest.mark.parametrize(
    "entry",
    [
        "",
        " ",
        "unknown",
        "_hidden",
        "203.0.113",
        "203.0.113.07",
        "203.0.113.7:",
        "203.0.113.7:99999",
        "203.0.113.7:1:2",
        "203.0.113.7 203.0.113.8",
        "203.0.113.7;",
        "203.0.113.7/32",
        "[203.0.113.7]",
        "[2001:db8::1",
        "2001:db8::1]",
        "[2001:db8::1]443",
        "fe80::1%eth0",
        "[fe80::1%25eth0]:80",
        '"203.0.113.7"',
        "for=203.0.113.7",
        "٢٠٣.0.113.7",
        "203.0.113.7" + " " * 100,
        "2130706433",
    ],
)
def test_entry_that_is_no_address_makes_the_client_unknown(entry):
    """What a trusted proxy wrote and nobody can read says that the client is not known, whatever stands left of it."""
    assert found("10.0.0.1:5678", entry) is None
    assert found("10.0.0.1:5678", f"203.0.113.7, {entry}, 10.2.2.2") is None
    assert found("10.0.0.1:5678", f"{entry}, 203.0.113.7") == "203.0.113.7"


@given(
    st.lists(addresses.filter(lambda a: not any(contains(n, a) for n in PROXIES)), max_size=3),
    st.lists(st.sampled_from(["10.1.2.3", "[fd00::5]:80", "::ffff:10.1.1.1"]), max_size=5),
    st.booleans(),
)
def test_forged_entries_never_win(forged, proxies, lines):
    """Whatever a client sends, the address that the first trusted proxy saw is the client."""
    chain = [str(address) for address in forged] + [STRANGER, *proxies]
    assert found("10.0.0.1:5678", *(chain if lines else [", ".join(chain)])) == STRANGER


def test_number_of_hops_is_bounded():
    """A list of trusted hops is followed so far and no further; then the client is unknown."""
    hops = ["10.2.2.2"] * (MAX_HOPS - 1)
    assert found("10.0.0.1:5678", ",".join([STRANGER, *hops])) == STRANGER
    assert found("10.0.0.1:5678", ",".join([STRANGER, "10.2.2.2", *hops])) is None


@given(st.lists(st.text(), max_size=4))
def test_any_header_is_read(lines):
    """No text of a header raises anything."""
    client = find_client("10.0.0.1:1", lines, PROXIES)
    assert client is None or isinstance(client, IPv4Address | IPv6Address)


@given(addresses)
def test_every_entry_as_it_is_written_is_read(address):
    """An address alone, with a port, and in brackets is that address."""
    for written in (str(address), show(address)):
        assert find_client("10.0.0.1:1", [f"{written}"], (ip_network("10.0.0.1"),)) == fold(address)


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("", []),
        ("  ", []),
        ("10.0.0.0/8", ["10.0.0.0/8"]),
        (" 10.0.0.0/8 ,2001:db8::/32 ", ["10.0.0.0/8", "2001:db8::/32"]),
        ("192.0.2.1", ["192.0.2.1/32"]),
        ("::ffff:192.0.2.0/120", ["192.0.2.0/24"]),
    ],
)
def test_ranges_are_read(text, networks):
    """The setting is a list of CIDRs, or of addresses; IPv4 may be written as IPv6."""
    assert [str(network) for network in parse_networks(text)] == networks


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("10.0.0.5/8", "write 10.0.0.0/8"),
        ("10.0.0.0/8,2001:db8::1/32", "write 2001:db8::/32"),
        ("10.0.0.0/255.0.0.0", "write 10.0.0.0/8"),
        ("10.0.0.0/08", "write 10.0.0.0/8"),
        ("10.0.0.0/8,", "an empty entry"),
        ("proxy.example.com", "proxy.example.com"),
        ("10.0.0.0/33", "10.0.0.0/33"),
        ("fe80::1%eth0", "zone"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
        ("::ffff:0:0/96", "::ffff:0:0/96"),
    ],
)
def test_wrong_range_is_refused_with_the_right_one(text, told):
    """A range that cannot be is a sentence that names the setting, the entry, and what to write."""
    with pytest.raises(UsageError, match="HOOKWRIGHT_TRUSTED_PROXIES") as refused:
        parse_networks(text)
    assert told in refused.value.message


def test_range_holds_ipv4_in_both_forms():
    """An IPv4 range holds its addresses as IPv6 writes them, and an IPv6 range holds no IPv4."""
    network = ip_network("192.0.2.0/24")
    assert contains(network, ip_address("192.0.2.1"))
    assert contains(network, ip_address("::ffff:192.0.2.1"))
    assert not contains(network, ip_address("192.0.3.1"))
    assert not contains(ip_network("2001:db8::/32"), ip_address("192.0.2.1"))
