"""Have Hookwright wait for its callers as long as tests wait for it.

A sender that is slow is not kept for long. A test's is slow whenever its loop, or the machine, is busy elsewhere: where
Hookwright runs in the same loop, a hundred deliveries at the same time leave one waiting for seconds between its
connection and its first byte. Tests of these limits set them anew.

`python -m support.calm` is `hookwright` with this patience.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import hookwright.app.intake  # noqa: F401 - it takes a limit for its own end, which stays as it is
from hookwright.app import admin
from hookwright.cluster import secrets
from hookwright.commands import main
from hookwright.intake import bodies, server
from support.waiting import HTTP_SECONDS

LIMITS = (
    (server, "HEADER_MILLISECONDS", int(HTTP_SECONDS * 1000)),
    (server, "BODY_SECONDS", HTTP_SECONDS),
    (bodies, "WAIT_SECONDS", HTTP_SECONDS),
    (admin, "HEAD_SECONDS", HTTP_SECONDS),
    (admin, "ANSWER_SECONDS", HTTP_SECONDS),
    (secrets, "PATIENCE_SECONDS", HTTP_SECONDS),
)


@contextmanager
def be_calm() -> Iterator[None]:
    """Wait long for heads, bodies, and what the API server says of Secrets, for the length of a `with` block."""
    before = [(module, name, getattr(module, name)) for module, name, _ in LIMITS]
    try:
        for module, name, limit in LIMITS:
            setattr(module, name, limit)
        yield
    finally:
        for module, name, limit in before:
            setattr(module, name, limit)


if __name__ == "__main__":
    with be_calm():
        main()
