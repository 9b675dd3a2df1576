"""Chart and process say the same of a value: what the chart lets pass, no pod refuses at its start, and the reverse."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from helm_python import HelmError
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.errors import UsageError
from hookwright.intake.addresses import parse_networks
from hookwright.settings import Settings
from support.chart import render

RANGES = [
    *("10.0.0.0/8", "10.1.2.3/32", "10.1.2.3", "10.1.2.0/23", "128.0.0.0/1", "255.255.255.255/32"),
    *("fd00::/8", "FD00::/8", "fc00::/7", "fd80::/9", "::1/128", "::1", "::", "::/96", "2001:db8:8000::/33"),
    *("fd00:0:0:0:0:0:0:0/8", "1:2:3:4:5:6:7:8/128", "1:2:3:4:5:6:7::", "::10.0.0.1", "1:2:3:4:5:6:10.0.0.1"),
    *("::ffff:10.0.0.0/104", "::ffff:a00:0/104", "::ffff:10.0.0.1", "::ffff:0:0/97", "::fffe:0:0/95"),
]
NO_RANGES = [
    *("", "host", "host/8", "/8", "10.0.0", "10.0.0.0/", "10.0.0.0.0", "256.0.0.0/8", "10.0.0.0/33", "10.0.0.0/8/8"),
    *("01.0.0.0/8", "010.0.0.0/8", "10.0.0.00/8", "10.0.0.0/08", "10.0.0.0/00", "10.0.0.0/-1", "10.0.0.0/+8"),
    *("10.0.0.0/255.0.0.0", "10.0.0.0/0.255.255.255", "10.0.0.0/0x8", "\u0661.0.0.0/8", "10.0.0.0/\u0668"),
    *(
        ":",
        ":/64",
        ":::",
        "::/129",
        "g::/8",
        "12345::/16",
        "1::2::3",
        "fd00::/08",
        "fd00:0:0:0:0:0:0/8",
        "fe80::1%eth0",
    ),
    *("1:2:3:4:5:6:7:8:9", "1:2:3:4::5:6:7:8", "1:2:3:4:5:6:7:10.0.0.1", "10.0.0.1::", "::10.0.0.1:1", "::256.0.0.1"),
    # Bits behind the prefix.
    *(
        "10.0.0.1/8",
        "10.1.3.0/23",
        "192.0.0.0/1",
        "fd00::1/8",
        "fd00::/7",
        "fdc0::/9",
        "2001:db8:4000::/33",
        "::ffff:10.0.0.1/104",
    ),
    # Everybody.
    *("0.0.0.0/0", "0.0.0.0/00", "::/0", "::/00", "::ffff:0:0/96", "::ffff:0.0.0.0/96"),
]

URLS = [
    *(
        "https://hooks.example.com",
        "https://Example.com",
        "https://a_b.example.com/{a}",
        "https://-",
        "https://192.0.2.1",
    ),
    *("http://localhost:8080/", "https://example.com/", "https://example.com//", "https://example.com/a/b/"),
    *("https://[2001:db8::1]/a", "https://[2001:db8::1]:443/a", "https://[::ffff:192.0.2.1]"),
    *(
        "https://example.com:1",
        "https://example.com:65535/",
        "https://example.com:09999",
        "https://example.com:000443/a",
    ),
    *("https://[::1]:080/", "https://example.com/a:0443", "https://example.com/:99999", "https://example.com/a:70000/"),
    *("https://example.com/a%2eb", "https://example.com/a%", "https://example.com/ä", "https://example.com/..a"),
]
NO_URLS = [
    *("https://", "/hooks", "hooks.example.com", "ftp://example.com", "HTTPS://example.com", "https://u:p@example.com"),
    *("https://example.com:", "https://example.com:/a", "https://example.com:0", "https://example.com:00"),
    *(
        "https://example.com:65536",
        "https://example.com:065536",
        "https://example.com:99999",
        "https://example.com:0x50",
    ),
    *("https://example.com:18446744073709551617", "https://example.com:+80", "https://example.com:80:80"),
    *("https://[::1", "https://[zz::1]", "https://[1:2]", "https://[:::]:80", "https://[v1.a]", "https://[::1]a"),
    *("https://[1.2.3.4]", "https://[1.2.3.4]:443/a", "https://[]"),
    *("https://a,b", "https://ä.com", "https://.", "https://..", "https://example.com\\a", "https://example.com?x"),
    *("https://example.com/?", "https://example.com/#", "https://example.com/a b", "https://example.com/a\u00a0b"),
    *(
        "https://example.com/a\u2028b",
        "https://example.com/a\x0bb",
        "https://example.com/a\x1cb",
        "https://example.com/\x85",
    ),
    *(" https://example.com", "https://example.com ", "https://example.com\n", "\x01https://example.com"),
    *(
        "https://example.com/a//b",
        "https://example.com/.",
        "https://example.com/a/../b",
        "https://example.com/%2E%2e/a",
    ),
    *("https://example.com/a%2f%2Fb", "https://example.com/%2e"),
]


def is_refused(values: dict[str, object]) -> bool:
    """Say whether the chart refuses values."""
    try:
        render(values)
    except HelmError:
        return True
    return False


def is_range(text: str) -> bool:
    """Say whether a receiver takes a range of proxies at its start."""
    try:
        return bool(parse_networks(text))
    except UsageError:
        return False


def is_public_url(url: str) -> bool:
    """Say whether Hookwright takes a public URL at its start."""
    try:
        Settings.from_environ({"HOOKWRIGHT_PUBLIC_URL": url})
    except UsageError:
        return False
    return True


@pytest.mark.parametrize("text", RANGES)
def test_range_is_taken_by_both(text):
    """What is a range of proxies is one to chart and receiver; an address alone is a range of one."""
    assert is_range(text)
    assert not is_refused({"trustedProxies": [text]})


@pytest.mark.parametrize("text", NO_RANGES)
def test_what_is_no_range_is_refused_by_both(text):
    """What a receiver would refuse at its start is refused before there is a pod."""
    assert not is_range(text)
    assert is_refused({"trustedProxies": [text]})


@settings(max_examples=60, deadline=None)
@given(st.ip_addresses(), st.integers(0, 128), st.booleans(), st.booleans())
def test_chart_and_receiver_agree_on_ranges(address, prefix, tidy, exploded):
    """Whatever range is written, in short or at length, both take it, or neither does."""
    prefix %= address.max_prefixlen + 1
    if tidy:
        address = ip_network((address, prefix), strict=False).network_address
    text = f"{address.exploded if exploded else address.compressed}/{prefix}"
    assert is_refused({"trustedProxies": [text]}) is not is_range(text)


@pytest.mark.parametrize("url", URLS)
def test_public_url_is_taken_by_both(url):
    """What is a public URL is one to chart and Hookwright."""
    assert is_public_url(url)
    assert not is_refused({"publicUrl": url})


@pytest.mark.parametrize("url", NO_URLS)
def test_what_is_no_public_url_is_refused_by_both(url):
    """What Hookwright would refuse at its start is refused before there is a pod."""
    assert not is_public_url(url)
    assert is_refused({"publicUrl": url})
