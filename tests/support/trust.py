"""Whom tests trust at the other end of TLS: nobody, unless they say whom.

What they talk to is on loopback, and mostly without TLS. To read the certificates that the machine trusts would be most
of what a client costs: 20 ms each, and a process makes four.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# An authority whose key was never kept: instead of no file at all, since some who read one want a certificate in it.
NOBODY = Path(__file__).with_name("nobody.pem")
ENVIRONMENT = {"SSL_CERT_FILE": str(NOBODY)}
# For the clients of tests themselves, which do not read the variable; no server passes.
TRUST_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextmanager
def trust_nobody() -> Iterator[None]:
    """Have this process, and those that it starts, trust nobody for the length of a `with` block."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield
