"""UNAUTHENTICATED: the URL is the credential, and nothing in a request is believed."""

from __future__ import annotations

import pytest

from hookwright.intake.schemes import SCHEMES
from hookwright.kinds import Authentication, AuthenticationConfiguration
from support.objects import make_request

SCHEME = SCHEMES[Authentication.UNAUTHENTICATED](AuthenticationConfiguration())


@pytest.mark.parametrize("signature", [[], ["sha256=wrong"], ["sha256=" + "0" * 64] * 2])
def test_everybody_is_accepted(signature):
    """No request is refused, signed or not."""
    SCHEME.verify(make_request(x_hub_signature_256=signature), [])
    assert SCHEME.needs_secret is False


def test_id_of_a_stranger_is_not_believed():
    """A header that anybody can set makes no delivery a duplicate of another."""
    assert SCHEME.delivery_id(make_request(x_github_delivery="one-that-was")) is None


def test_github_without_a_secret_is_understood():
    """Event and ping are read as GitHub sends them."""
    assert SCHEME.event(make_request(x_github_event="push")) == "push"
    assert SCHEME.is_ping(make_request(x_github_event="ping"))


def test_every_authentication_has_a_scheme():
    """Whatever the CRD lets a user choose, there is code for."""
    assert set(SCHEMES) == set(Authentication)
