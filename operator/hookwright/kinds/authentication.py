"""How a caller proves itself to a Webhook: the schemes' names, and what each needs to be told.

`MEMBERS` is the one table of which scheme takes which member of `authenticationConfiguration`; the CEL rules of the CRD
and the operator's own check are both made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from hookwright.kinds.base import Model
from hookwright.kinds.texts import HeaderName, ObjectName

ERROR = "InvalidWebhookAuthenticationParametersException"
MAX_ADDITIONAL_SECRETS = 4
DEFAULT_TOLERANCE_SECONDS = 300
# A delivery that is recorded and sent again must find its build: none is kept for less than an hour.
MAX_TOLERANCE_SECONDS = 3600

# RFC 7617: a user's name has no colon, and no control characters.
UserName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^:\x00-\x1f\x7f]+$")]


class Authentication(StrEnum):
    """The schemes by which a caller proves itself."""

    GITHUB_HMAC = "GITHUB_HMAC"
    GITLAB_TOKEN = "GITLAB_TOKEN"  # noqa: S105 - a scheme's name
    STANDARD_WEBHOOKS = "STANDARD_WEBHOOKS"
    HMAC = "HMAC"
    BEARER_TOKEN = "BEARER_TOKEN"  # noqa: S105 - a scheme's name
    BASIC = "BASIC"
    IP = "IP"
    UNAUTHENTICATED = "UNAUTHENTICATED"


class HmacAlgorithm(StrEnum):
    """The hash functions that HMAC can be made with."""

    SHA1 = "SHA1"
    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


class SignatureEncoding(StrEnum):
    """How a signature is written."""

    HEX = "HEX"
    BASE64 = "BASE64"


class SecretKey(Model):
    """One key of a Secret in the object's own namespace."""

    name: ObjectName = Field(description="The name of the Secret, in the object's own namespace.")
    key: Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")] = Field(
        default="token", description="The key in the Secret whose value is the secret."
    )


class AuthenticationConfiguration(Model):
    """What the scheme needs: exactly the members that `authentication` asks for, and no others."""

    secret_token_ref: SecretKey | None = Field(
        default=None,
        description=(
            "Every scheme but IP and UNAUTHENTICATED: where the secret is that the sender signs with, or sends. When "
            "it changes, the next delivery is checked with the new one. STANDARD_WEBHOOKS: whsec_ and base64."
        ),
    )
    secret_token: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None,
        repr=False,
        description=(
            "The secret itself, as at AWS, in place of secretTokenRef. Everybody who may read the Webhook can read "
            "it, and kubectl copies it into an annotation: use secretTokenRef instead."
        ),
    )
    additional_secret_token_refs: list[SecretKey] = Field(
        default_factory=list,
        max_length=MAX_ADDITIONAL_SECRETS,
        description=(
            "Further secrets that are accepted as well, for the time in which a secret is replaced: name the old one "
            "here, the new one in secretTokenRef, and take the old one out once the sender uses the new."
        ),
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    allowed_ip_range: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None,
        alias="allowedIPRange",
        description=(
            "IP: the one CIDR range, IPv4 or IPv6, that deliveries must come from: 192.0.2.0/24. Behind a proxy, "
            "Hookwright must be told which proxies to believe (HOOKWRIGHT_TRUSTED_PROXIES)."
        ),
    )
    username: UserName | None = Field(default=None, description="BASIC: the user's name; the secret is the password.")
    header: HeaderName | None = Field(default=None, description="HMAC: the header that carries the signature.")
    algorithm: HmacAlgorithm | None = Field(default=None, description="HMAC: the hash function. Default: SHA256.")
    encoding: SignatureEncoding | None = Field(
        default=None, description="HMAC: how the signature is written. Default: HEX."
    )
    prefix: Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[!-~][ -~]*$")] | None = Field(
        default=None, description="HMAC: what stands before the signature in its header: sha256="
    )
    timestamp_header: HeaderName | None = Field(
        default=None,
        description=(
            "HMAC: the header with the time of sending in seconds since 1970. A delivery whose time is further away "
            "than toleranceSeconds is refused, so that one that was recorded cannot be sent again later."
        ),
    )
    signed_content: Annotated[str, StringConstraints(min_length=6, max_length=100)] | None = Field(
        default=None,
        description=(
            "HMAC: what is signed, with {body} for the body and {timestamp} for the value of timestampHeader: "
            "v0:{timestamp}:{body}. Default: {timestamp}.{body} with a timestampHeader, else {body}."
        ),
    )
    tolerance_seconds: Annotated[int, Field(ge=1, le=MAX_TOLERANCE_SECONDS)] | None = Field(
        default=None,
        strict=True,
        description=(
            "STANDARD_WEBHOOKS, and HMAC with a timestampHeader: how far the time of sending may be away from now, "
            "before or after; at most an hour. Default: 300."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Members:
    """Which members of `authenticationConfiguration` a scheme takes, by their names in YAML.

    `secret`: exactly one of secretTokenRef and secretToken, and additionalSecretTokenRefs. `needs` must be there,
    `takes` may be.
    """

    secret: bool = False
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


_HMAC_OPTIONS = ("algorithm", "encoding", "prefix", "timestampHeader", "signedContent", "toleranceSeconds")
MEMBERS: Mapping[str, Members] = {
    Authentication.GITHUB_HMAC: Members(secret=True),
    Authentication.GITLAB_TOKEN: Members(secret=True),
    Authentication.STANDARD_WEBHOOKS: Members(secret=True, takes=("toleranceSeconds",)),
    Authentication.HMAC: Members(secret=True, needs=("header",), takes=_HMAC_OPTIONS),
    Authentication.BEARER_TOKEN: Members(secret=True),
    Authentication.BASIC: Members(secret=True, needs=("username",)),
    Authentication.IP: Members(needs=("allowedIPRange",)),
    Authentication.UNAUTHENTICATED: Members(),
}
SECRET_MEMBERS = ("secretTokenRef", "secretToken", "additionalSecretTokenRefs")
_FIELD = "spec.authenticationConfiguration"


def check_members(authentication: str, given: frozenset[str]) -> tuple[str, str] | None:
    """Give the first member that is missing or not wanted, as (field, what is wrong); None if all is as it must be.

    `given` are the YAML names of the members that are set.
    """
    members = MEMBERS[authentication]
    taken = {*members.needs, *members.takes, *(SECRET_MEMBERS if members.secret else ())}
    for name in sorted(given - taken):
        if not taken:
            return f"{_FIELD}.{name}", f"{authentication} takes no properties; remove it, or set spec.authentication"
        return f"{_FIELD}.{name}", f"{authentication} does not take it; remove it (it takes {', '.join(sorted(taken))})"
    if members.secret and ("secretTokenRef" in given) == ("secretToken" in given):
        found = "there are both" if "secretToken" in given else "there is neither"
        return _FIELD, f"{authentication} needs either secretTokenRef or secretToken; {found}"
    for name in members.needs:
        if name not in given:
            return f"{_FIELD}.{name}", f"{authentication} needs it"
    if "toleranceSeconds" in given and "timestampHeader" in members.takes and "timestampHeader" not in given:
        return f"{_FIELD}.toleranceSeconds", "it is about the time in timestampHeader; add that, or remove this"
    return None


def make_rules() -> dict[str, str]:
    """Give the CEL rules of a Webhook's spec that say the same as `check_members`, each with its message."""
    here = "self.authenticationConfiguration"
    rules = {}
    secret = [name for name, members in MEMBERS.items() if members.secret]
    for name in SECRET_MEMBERS:
        absent = f"!has({here}.{name})"
        if name == "additionalSecretTokenRefs":
            absent = f"(!has({here}.{name}) || {here}.{name}.size() == 0)"
        rules[f"{absent} || self.authentication in {_list(secret)}"] = (
            f"{ERROR}: {_FIELD}.{name}: IP takes allowedIPRange and UNAUTHENTICATED takes no properties; remove it, or "
            "set spec.authentication"
        )
    rules[f"!(self.authentication in {_list(secret)}) || has({here}.secretTokenRef) != has({here}.secretToken)"] = (
        f"{ERROR}: {_FIELD}: this scheme needs either secretTokenRef or secretToken"
    )
    others = dict.fromkeys(name for members in MEMBERS.values() for name in (*members.needs, *members.takes))
    for name in others:
        takers = [scheme for scheme, members in MEMBERS.items() if name in (*members.needs, *members.takes)]
        take = "takes" if len(takers) == 1 else "take"
        rules[f"!has({here}.{name}) || self.authentication in {_list(takers)}"] = (
            f"{ERROR}: {_FIELD}.{name}: only {' and '.join(takers)} {take} it; remove it, or set spec.authentication"
        )
        for scheme in (scheme for scheme, members in MEMBERS.items() if name in members.needs):
            rules[f"self.authentication != '{scheme}' || has({here}.{name})"] = (
                f"{ERROR}: {_FIELD}.{name}: {scheme} needs it"
            )
    rules[f"self.authentication != 'HMAC' || !has({here}.toleranceSeconds) || has({here}.timestampHeader)"] = (
        f"{ERROR}: {_FIELD}.toleranceSeconds: it is about the time in timestampHeader; add that, or remove this"
    )
    return rules


def _list(names: list[str]) -> str:
    return f"[{', '.join(repr(str(name)) for name in names)}]"


def given_members(configuration: AuthenticationConfiguration) -> frozenset[str]:
    """Give the YAML names of the members that are set."""
    set_members: dict[str, Any] = configuration.to_raw()
    return frozenset(name for name, value in set_members.items() if value != [])
