"""Who calls: the client's address, found behind the proxies that are trusted.

X-Forwarded-For is believed only as far as trusted proxies wrote it: each of them adds, at the right end, who called it.
So it is read from the right until somebody is named who is not trusted; what stands left of that is hearsay. Where it
cannot be followed so far, the client is unknown, and whoever is unknown is in no range.

Addresses are compared in one form: `::ffff:192.0.2.1`, as a socket for both families shows IPv4, is 192.0.2.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Interface, IPv6Network, ip_address, ip_interface

from hookwright.errors import UsageError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FORWARDED_HEADER = "x-forwarded-for"
TRUSTED_VARIABLE = "HOOKWRIGHT_TRUSTED_PROXIES"
MAX_HOPS = 32
_MAX_ENTRY = 80  # an IPv6 address that ends in an IPv4 one, brackets and a port take 54; the rest may be blanks
_ENTRY = re.compile(
    r"(?P<v4>[0-9.]+)(?::(?P<port4>[0-9]{1,5}))?"
    r"|(?P<v6>[0-9A-Fa-f:.]+)"
    r"|\[(?P<in6>[0-9A-Fa-f:.]+)\](?::(?P<port6>[0-9]{1,5}))?"
)
_MAX_PORT = 65535
_MAPPED_PREFIX = 96  # ::ffff:0:0/96 is all of IPv4


def find_client(peer: str, forwarded: Sequence[str], trusted: tuple[Network, ...]) -> Address | None:
    """Give the address of the client; None if it is not known.

    `peer` is the socket's other end as granian shows it: `192.0.2.1:5678`, `[2001:db8::1]:5678`; that of a Unix socket
    is no address. `forwarded` are the lines of X-Forwarded-For in their order. An entry that is no address, or more
    than MAX_HOPS of them, make the client unknown. If all are trusted, the leftmost is the client: a trusted one named
    it.
    """
    address = _read_peer(peer.rpartition(":")[0])
    if not trusted or address is None or not _is_trusted(address, trusted):
        return address
    for hop, entry in enumerate(_read_backwards(forwarded)):
        address = _read_entry(entry) if hop < MAX_HOPS else None
        if address is None or not _is_trusted(address, trusted):
            return address
    return address


def is_proxy(peer: str, trusted: tuple[Network, ...]) -> bool:
    """Say whether the socket's other end is a proxy that is trusted."""
    address = _read_peer(peer.rpartition(":")[0]) if trusted else None
    return address is not None and _is_trusted(address, trusted)


def contains(network: Network, address: Address) -> bool:
    """Say whether `address` is in `network`, IPv4 in either of its forms."""
    return fold(address) in network


def fold(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 one stands for; any other as it is."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read the setting: CIDRs with commas between them; an address alone is a range of one.

    Raises:
        UsageError: one of them cannot be; it says which, and what is right.
    """
    return tuple(_parse_network(part.strip()) for part in text.split(",")) if text.strip() else ()


def _parse_network(text: str) -> Network:
    try:
        interface = ip_interface(text)
    except ValueError:
        raise _refuse(text, "is no CIDR; write it like 10.0.0.0/8 or 2001:db8::/32") from None
    network: Network = interface.network
    if isinstance(interface, IPv6Interface) and interface.scope_id is not None:
        raise _refuse(text, "has a zone, which no proxy names; leave it out")
    if "/" in text and text.rpartition("/")[2] != str(network.prefixlen):
        raise _refuse(text, f"is no CIDR; write {network}")
    if interface.ip != network.network_address:
        raise _refuse(text, f"has bits set behind its prefix; write {network}")
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_PREFIX:
        mapped = network.network_address.ipv4_mapped
        network = IPv4Network((mapped, network.prefixlen - _MAPPED_PREFIX)) if mapped is not None else network
    if network.prefixlen == 0:
        raise _refuse(text, "would believe whatever anybody says; name the ranges of your proxies")
    return network


def _refuse(text: str, why: str) -> UsageError:
    return UsageError(f"{TRUSTED_VARIABLE}: {text or 'an empty entry'} {why}")


def _is_trusted(address: Address, trusted: tuple[Network, ...]) -> bool:
    return any(address in network for network in trusted)


@lru_cache(maxsize=4096)
def _read_peer(host: str) -> Address | None:
    """Read what the kernel says. A zone is the interface that a neighbour is on, and no part of who it is."""
    try:
        return fold(ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        return None


def _read_backwards(lines: Sequence[str]) -> Iterator[str]:
    """Give the entries of a list header from right to left, without splitting more than is asked for."""
    for line in reversed(lines):
        rest, comma = line, ","
        while comma:
            rest, comma, entry = rest.rpartition(",")
            yield entry


def _read_entry(entry: str) -> Address | None:
    """Read one entry: an address, perhaps with a port, IPv6 perhaps in brackets; None if it is anything else."""
    matched = _ENTRY.fullmatch(entry.strip(" \t")) if len(entry) <= _MAX_ENTRY else None
    if matched is None or int(matched["port4"] or matched["port6"] or 0) > _MAX_PORT:
        return None
    try:
        return fold(IPv6Address(matched["in6"]) if matched["in6"] else ip_address(matched["v4"] or matched["v6"]))
    except ValueError:
        return None
