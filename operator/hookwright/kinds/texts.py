"""Bounded texts that several kinds have in common."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import StringConstraints

AWS_NAME = r"^[A-Za-z0-9.@\-_]+$"
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_|~-]+$"

AwsName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=AWS_NAME)]
ObjectName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN)]
# RFC 9110 §5.6.2: a header's name is a token. No header that we know of has a longer one.
HeaderName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=HEADER_NAME)]

# A part of Go's durations, which Kubernetes uses: 90m, 1h30m.
DURATION = r"^([0-9]{1,4}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?$"


def parse_duration(text: str) -> timedelta:
    """Give the duration that a text of the form `DURATION` writes."""
    units = {"h": 3600, "m": 60, "s": 1}
    return timedelta(seconds=sum(int(number) * units[unit] for number, unit in re.findall(r"([0-9]+)([hms])", text)))
