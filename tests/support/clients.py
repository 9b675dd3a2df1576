"""The HTTP clients with which tests stand for senders, scrapers and probes."""

from __future__ import annotations

import httpx

from support.trust import TRUST_NOBODY
from support.waiting import HTTP_SECONDS


def make_client(*, timeout: float = HTTP_SECONDS) -> httpx.AsyncClient:
    """Make a client that has a connection of its own for each request.

    A server ends a connection that nobody used for a while. A test that was busy elsewhere for just that time would
    send into its end, and be told of an error that no server made.
    """
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(timeout=timeout, trust_env=False, limits=limits, verify=TRUST_NOBODY)
