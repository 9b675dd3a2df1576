"""What is at a key of a Secret: a secret that can be used, or why there is none. Pure."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from enum import StrEnum

from hookwright.kinds import Raw


class SecretState(StrEnum):
    """How a secret was found."""

    USABLE = "usable"
    NO_SECRET = "no secret"  # noqa: S105 - a state's name
    NO_KEY = "no key"
    EMPTY = "empty"
    FORBIDDEN = "forbidden"  # we may not read it
    UNKNOWN = "unknown"  # the API server did not say


@dataclass(frozen=True, kw_only=True)
class FoundSecret:
    """What was found where a secret should be; `values` are the live secrets, empty unless usable."""

    state: SecretState
    values: tuple[bytes, ...] = field(default=(), repr=False)


def judge_secret(secret: Raw | None, key: str) -> FoundSecret:
    """Say what is at `key` of a Secret; None stands for a Secret that does not exist."""
    if secret is None:
        return FoundSecret(state=SecretState.NO_SECRET)
    encoded = (secret.get("data") or {}).get(key)
    if encoded is None:
        return FoundSecret(state=SecretState.NO_KEY)
    try:
        value = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError, TypeError):
        value = b""
    if not value.strip():
        return FoundSecret(state=SecretState.EMPTY)
    return FoundSecret(state=SecretState.USABLE, values=(value,))
