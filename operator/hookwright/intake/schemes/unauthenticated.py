"""UNAUTHENTICATED: whoever knows the URL may call."""

from __future__ import annotations

from collections.abc import Sequence

from hookwright.intake.request import Request
from hookwright.intake.schemes.scheme import AnySender
from hookwright.kinds import AuthenticationConfiguration


class Unauthenticated(AnySender):
    """No proof; the URL is the credential.

    A header that anybody can set is no id of a delivery, unless the object's owner says so: it must not make a
    stranger's delivery a duplicate.
    """

    needs_secret = False
    reads_forms = True

    def __init__(self, _: AuthenticationConfiguration) -> None:
        """Need nothing."""

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Accept everybody."""
