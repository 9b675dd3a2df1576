"""The schemes: how a caller proves itself. One module per scheme.

A scheme is made for one object's `authenticationConfiguration`. It verifies a request's raw bytes against the object's
live secrets, and knows the sender's words for the delivery and for what happened. To add one: a module here with a
class that has `Scheme`'s face, its name and its members in `kinds.authentication`, and a line in `SCHEMES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hookwright.intake.schemes.basic import Basic
from hookwright.intake.schemes.bearer_token import BearerToken
from hookwright.intake.schemes.github_hmac import GithubHmac
from hookwright.intake.schemes.gitlab_token import GitlabToken
from hookwright.intake.schemes.hmac_header import HmacHeader
from hookwright.intake.schemes.ip import Ip
from hookwright.intake.schemes.scheme import Scheme
from hookwright.intake.schemes.standard_webhooks import StandardWebhooks
from hookwright.intake.schemes.unauthenticated import Unauthenticated
from hookwright.kinds import Authentication, AuthenticationConfiguration

__all__ = ["SCHEMES", "Scheme"]

# Each raises InvalidSpec for members that cannot be: which of them there must be is already checked.
SCHEMES: Mapping[str, Callable[[AuthenticationConfiguration], Scheme]] = {
    Authentication.GITHUB_HMAC: GithubHmac,
    Authentication.GITLAB_TOKEN: GitlabToken,
    Authentication.STANDARD_WEBHOOKS: StandardWebhooks,
    Authentication.HMAC: HmacHeader,
    Authentication.BEARER_TOKEN: BearerToken,
    Authentication.BASIC: Basic,
    Authentication.IP: Ip,
    Authentication.UNAUTHENTICATED: Unauthenticated,
}
