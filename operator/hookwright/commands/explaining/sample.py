"""The delivery that is explained, as it is given in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hookwright.intake.addresses import Address
from hookwright.intake.request import Request

# The id of a delivery that brings none.
OWN_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A delivery to judge; `headers` is None if none were given, `secret` is what is used in place of the Secrets."""

    body: bytes = field(repr=False)
    headers: Mapping[str, Sequence[str]] | None = field(repr=False)
    secret: bytes | None = field(default=None, repr=False)
    client: Address | None = None
    at: datetime | None = None

    def make_request(self) -> Request:
        """Give the request, with now for a time that was not given."""
        # Who gives no content type gives a JSON payload all the same.
        headers = {"content-type": ["application/json"], **(self.headers or {})}
        at = self.at or datetime.now(UTC)
        return Request(method="POST", path="/", headers=headers, body=self.body, received_at=at, client=self.client)
