"""One inbound request, and the verdict on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address

from hookwright.builds.wanted import WantedBuild
from hookwright.reasons import Outcome, Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request as it came, body included.

    `headers` has lower-case names; a header that came several times has several values. `client` is the caller's
    address behind the proxies that are trusted, None where it is not known.
    """

    method: str
    path: str
    headers: Mapping[str, Sequence[str]]
    body: bytes
    received_at: datetime
    client: IPv4Address | IPv6Address | None = None

    def header(self, name: str) -> str | None:
        """Give the value of a header that came exactly once; None if it did not come, or came several times."""
        values = self.headers.get(name, ())
        return values[0] if len(values) == 1 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What `judge` makes of a request: outcome, reason, and what to start.

    `authentic` says that the sender has proved itself, whatever else came of it. `retry_after` is in how many seconds
    the sender may try again, where that is known.
    """

    reason: Reason
    message: str
    delivery_id: str
    wanted: tuple[WantedBuild, ...] = ()
    authentic: bool = False
    retry_after: float | None = None

    @property
    def outcome(self) -> Outcome:
        """What becomes of the delivery."""
        return self.reason.outcome
