"""IP: the caller's address is in the range that the object names. Source: AWS, `AllowedIPRange`."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Interface, ip_interface, ip_network

from hookwright.errors import NotAuthentic
from hookwright.intake.addresses import Network, contains
from hookwright.intake.request import Request
from hookwright.intake.schemes.scheme import AnySender, refuse_member
from hookwright.kinds import AuthenticationConfiguration
from hookwright.reasons import ADDRESS_NOT_ALLOWED


class Ip(AnySender):
    """One range; the address is the one that `intake.addresses` finds behind the proxies that are trusted."""

    needs_secret = False
    reads_forms = True

    def __init__(self, configuration: AuthenticationConfiguration) -> None:
        """Take `allowedIPRange`."""
        self._range = read_range(configuration.allowed_ip_range or "")

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:  # noqa: ARG002 - as Scheme has it
        """Look whether the address is in the range; one that is not known is in none."""
        if request.client is None or not contains(self._range, request.client):
            raise NotAuthentic("the caller's address is not allowed", reason=ADDRESS_NOT_ALLOWED.name)


def read_range(text: str) -> Network:
    """Give the network that `text` writes.

    Raises:
        InvalidSpec: it writes none, or one with host bits.
    """
    try:
        interface = ip_interface(text)
    except ValueError:
        raise refuse_member("allowedIPRange", f"{text}: not a CIDR range; write one like 192.0.2.0/24") from None
    if isinstance(interface, IPv6Interface) and interface.scope_id is not None:
        raise refuse_member("allowedIPRange", f"{text}: has a zone, which no address here has; leave it out")
    if "/" not in text:
        raise refuse_member("allowedIPRange", f"{text}: not a CIDR range; write {interface.network} for this address")
    if not text.rpartition("/")[2].isdecimal():
        # Python reads netmasks too, and 0.0.0.0 as that of everybody.
        raise refuse_member("allowedIPRange", f"{text}: not a CIDR range; write its prefix as a number of bits: /24")
    if interface.ip != interface.network.network_address:
        raise refuse_member("allowedIPRange", f"{text}: has host bits set; write {interface.network}")
    mapped = getattr(interface.ip, "ipv4_mapped", None)
    if mapped is not None and interface.network.prefixlen >= 96:  # noqa: PLR2004 - ::ffff:0:0/96 is all of IPv4
        # Callers' addresses are folded in this way, so that the range must be too.
        return ip_network((mapped, interface.network.prefixlen - 96))
    return interface.network
