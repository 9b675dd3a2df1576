"""Which address families this machine has."""

from __future__ import annotations

import socket


def has_both() -> bool:
    """Say whether one socket can listen for IPv4 and IPv6 here, and loopback has an address of each."""
    if not socket.has_dualstack_ipv6():
        return False
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        # The kernel knows IPv6, and no interface has it, as in many containers.
        return False
    return True


BOTH = has_both()
MISSING = "no IPv6 on loopback here, or no socket for both families"
