"""IP: who calls from the range is let in, in whichever form the two are written."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from schemes_samples import make_scheme, send

from hookwright.errors import InvalidSpec, NotAuthentic
from hookwright.intake.schemes.ip import read_range
from hookwright.kinds import Authentication
from hookwright.reasons import ADDRESS_NOT_ALLOWED

FIELD = "spec.authenticationConfiguration.allowedIPRange"


def allows(text, client):
    scheme = make_scheme(Authentication.IP, allowedIPRange=text)
    request = send(client=ip_address(client) if client is not None else None)
    try:
        scheme.verify(request, [])
    except NotAuthentic as error:
        assert error.reason == ADDRESS_NOT_ALLOWED.name  # noqa: PT017 - either is right
        return False
    return True


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("192.0.2.0/24", ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"], ["192.0.1.255", "192.0.3.0", "2001:db8::1"]),
        ("192.0.2.7/32", ["192.0.2.7", "::ffff:192.0.2.7"], ["192.0.2.6", "192.0.2.8"]),
        ("192.0.2.6/31", ["192.0.2.6", "192.0.2.7"], ["192.0.2.5", "192.0.2.8"]),
        ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::1", "2001:db8::1", "::1.2.3.4"]),
        ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff::1"], ["2001:db9::", "192.0.2.1", "::ffff:192.0.2.1"]),
        ("2001:db8::1/128", ["2001:db8::1"], ["2001:db8::2", "2001:db8::"]),
        ("2001:DB8::/32", ["2001:db8::1"], ["2001:db9::1"]),
        # An IPv4 caller is an IPv4 address, however its socket shows it: the range of all IPv6 is not for it.
        ("::/0", ["::1", "2001:db8::1"], ["192.0.2.1", "::ffff:192.0.2.1"]),
        ("::ffff:192.0.2.0/120", ["192.0.2.1", "::ffff:192.0.2.1"], ["192.0.3.1", "2001:db8::1"]),
        ("::ffff:192.0.2.7/128", ["192.0.2.7"], ["192.0.2.8"]),
        ("::ffff:0:0/96", ["192.0.2.1", "::ffff:8.8.8.8"], ["::1"]),
    ],
)
def test_range_is_what_it_says(text, inside, outside):
    """The first and the last address are in, the neighbours are not; IPv4 in IPv6 is IPv4, on both sides."""
    assert all(allows(text, client) for client in inside)
    assert not any(allows(text, client) for client in outside)


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "192.0.2.0/24"])
def test_unknown_caller_is_in_no_range(text):
    """Whose address is not known is refused, even where everybody is allowed."""
    assert not allows(text, None)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("192.0.2.0/255.255.255.0", "/24"),
        ("192.0.2.0/0.0.0.255", "/24"),
        # As a netmask this would be everybody.
        ("0.0.0.0/0.0.0.0", "/24"),
        ("::ffff:192.0.2.1/120", "has host bits set; write ::ffff:"),
        ("fe80::%eth0/64", "leave it out"),
        ("fe80::1%1/128", "leave it out"),
        ("", "192.0.2.0/24"),
        ("/", "192.0.2.0/24"),
        ("/24", "192.0.2.0/24"),
        ("192.0.2.0/", "192.0.2.0/24"),
        ("192.0.2.0/33", "192.0.2.0/24"),
        ("192.0.2.0/-1", "192.0.2.0/24"),
        ("192.0.2.0/+24", "192.0.2.0/24"),
        ("192.0.2.0/ 24", "192.0.2.0/24"),
        ("192.0.2.0/٢٤", "192.0.2.0/24"),
        (" 192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.0/24\n", "192.0.2.0/24"),
        ("192.0.2.0/24,198.51.100.0/24", "192.0.2.0/24"),
        ("192.0.2.0/24/24", "192.0.2.0/24"),
        ("192.0.2/24", "192.0.2.0/24"),
        ("192.0.2.0-192.0.2.255", "192.0.2.0/24"),
        ("192.000.002.000/24", "192.0.2.0/24"),
        ("3221225984/24", "192.0.2.0/24"),
        ("[2001:db8::]/32", "192.0.2.0/24"),
        ("2001:db8::/129", "192.0.2.0/24"),
        ("example.com/24", "192.0.2.0/24"),
        ("any", "192.0.2.0/24"),
    ],
)
def test_what_is_no_range_is_refused_with_what_to_write(text, remedy):
    """Host bits, a lone address, a netmask, a zone, several ranges: the message has field, value and remedy."""
    with pytest.raises(InvalidSpec) as refused:
        read_range(text)
    assert (refused.value.field, refused.value.code) == (FIELD, "InvalidWebhookAuthenticationParametersException")
    assert refused.value.message.startswith(f"{FIELD}: {text}: ")
    assert remedy in refused.value.message.removeprefix(f"{FIELD}: {text}: ")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789abcdef:./% ", max_size=30) | st.text(max_size=20))
def test_any_text_is_a_range_or_refused(text):
    """No text, however odd, raises anything but InvalidSpec, and what is taken is a network."""
    try:
        network = read_range(text)
    except InvalidSpec:
        return
    assert network == ip_network(str(network))


@settings(max_examples=100, deadline=None)
@given(address=st.ip_addresses(), bits=st.integers(0, 128), other=st.ip_addresses())
def test_networks_are_read_as_the_standard_library_writes_them(address, bits, other):
    """Whatever network the standard library writes, its members are let in and others are not."""
    network = ip_network((address, min(bits, address.max_prefixlen)), strict=False)
    # IPv4 in IPv6 is said above, case by case.
    assume(not any(one.version == 6 and one.ipv4_mapped for one in (address, other, network.network_address)))
    assert allows(str(network), str(address))
    assert allows(str(network), str(other)) == (other.version == network.version and other in network)


def test_no_secret_is_needed():
    """The address is the proof; forms are read, since whoever is in the range may send them."""
    scheme = make_scheme(Authentication.IP, allowedIPRange="192.0.2.0/24")
    assert (scheme.needs_secret, scheme.reads_forms) == (False, True)
    assert scheme.delivery_id(send(x_github_delivery="1")) is None
