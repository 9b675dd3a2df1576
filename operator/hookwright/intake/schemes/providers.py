"""How each Git host proves its deliveries to a BuildTrigger, which names the host and not a scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from hookwright.intake.request import Request
from hookwright.intake.schemes.github_hmac import GithubHmac
from hookwright.intake.schemes.gitlab_token import GitlabToken
from hookwright.intake.schemes.hmac_header import HmacHeader
from hookwright.intake.schemes.scheme import AnySender, Scheme
from hookwright.kinds import AuthenticationConfiguration
from hookwright.scm import Provider

# The first that a request has counts.
GITEA_SIGNATURES = ("x-gitea-signature", "x-forgejo-signature", "x-gogs-signature")


class FirstOf(AnySender):
    """The scheme of the first of some headers that a request has; without any, and to prove, the first scheme.

    The secret is the same for all, so that it does not matter which one a sender chooses.
    """

    def __init__(self, schemes: Mapping[str, Scheme]) -> None:
        self._schemes = schemes
        self._first = next(iter(schemes.values()))

    def check_secret(self, secret: bytes) -> str | None:
        """Want what the first scheme wants."""
        return self._first.check_secret(secret)

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Verify as the chosen scheme does."""
        self._choose(request).verify(request, secrets)

    def prove(self, body: bytes, secret: bytes, *, delivery_id: str, now: datetime) -> dict[str, str]:
        """Prove as the first scheme does."""
        return self._first.prove(body, secret, delivery_id=delivery_id, now=now)

    def _choose(self, request: Request) -> Scheme:
        return next((scheme for header, scheme in self._schemes.items() if header in request.headers), self._first)


def _signed(header: str, prefix: str = "") -> Scheme:
    return HmacHeader(AuthenticationConfiguration(header=header, prefix=prefix or None))


_NOTHING_TO_SAY = AuthenticationConfiguration()
_GITHUB = GithubHmac(_NOTHING_TO_SAY)
_BITBUCKET = _signed("x-hub-signature", "sha256=")
PROVIDER_SCHEMES: Mapping[Provider, Scheme] = MappingProxyType(
    {
        Provider.GITHUB: _GITHUB,
        Provider.GITHUB_ENTERPRISE: _GITHUB,
        Provider.GITLAB: GitlabToken(_NOTHING_TO_SAY),
        Provider.BITBUCKET_CLOUD: _BITBUCKET,
        Provider.BITBUCKET_DATA_CENTER: _BITBUCKET,
        # Forgejo says the same in Gitea's header and its own; Gogs only in its own.
        Provider.GITEA: FirstOf({name: _signed(name) for name in GITEA_SIGNATURES}),
    }
)
