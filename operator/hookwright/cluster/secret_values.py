"""What is at a key of a Secret: a secret that can be used, or why there is none. Pure.

A copy of a Secret decodes each value once, since a delivery has no time to do it again. Nothing here shows a value when
it is printed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from hookwright.kinds import GROUP, PREVIOUS_SECRET_KEYS, BuildTrigger, Raw

# By this annotation a user says that a Secret of the right name is for the BuildTrigger, and theirs to change.
MADE_FOR: Final = "hookwright.dev/buildtrigger"
# Until when the old secrets of a BuildTrigger are good, by their keys.
GOOD_UNTIL: Mapping[str, str] = {key: f"hookwright.dev/{key}-good-until" for key in PREVIOUS_SECRET_KEYS}
# Another's clock has set the end.
CLOCKS_DIFFER: Final = timedelta(minutes=1)


def name_owners(trigger: BuildTrigger) -> tuple[str, str]:
    """Give the words by which a Secret says that it is for a BuildTrigger: it was made for it, or is meant for it."""
    return f"BuildTrigger={trigger.metadata.uid}", f"{MADE_FOR}={trigger.metadata.name}"


def find_owners(secret: Raw) -> frozenset[str]:
    """Give the words by which a Secret says for which BuildTriggers it is."""
    metadata = secret.get("metadata") or {}
    found = {
        f"BuildTrigger={owner.get('uid')}"
        for owner in metadata.get("ownerReferences") or ()
        if owner.get("kind") == BuildTrigger.KIND and str(owner.get("apiVersion")).startswith(f"{GROUP}/")
    }
    meant = (metadata.get("annotations") or {}).get(MADE_FOR)
    return frozenset(found | ({f"{MADE_FOR}={meant}"} if meant else set()))


def read_time(text: str | None) -> datetime | None:
    """Read a time as an annotation has it; None where it says none."""
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _find_ends(secret: Raw) -> dict[str, datetime]:
    annotations = (secret.get("metadata") or {}).get("annotations") or {}
    times = {key: read_time(annotations.get(name)) for key, name in GOOD_UNTIL.items()}
    return {key: time for key, time in times.items() if time is not None}


class SecretState(StrEnum):
    """How a secret was found."""

    USABLE = "usable"
    NO_SECRET = "no secret"  # noqa: S105 - a state's name
    NO_KEY = "no key"
    EMPTY = "empty"
    FOREIGN = "somebody else's"  # it is not for who asks
    FORBIDDEN = "forbidden"  # we may not read it
    UNKNOWN = "unknown"  # the API server did not say


@dataclass(frozen=True, kw_only=True, slots=True)
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


_NO_KEY = FoundSecret(state=SecretState.NO_KEY)
# What a copy costs besides its data, and each key or owner in it besides its characters: 100,000 keys with nothing in
# them fit into a Secret.
_COPY_BYTES, _ENTRY_BYTES = 1000, 200


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretCopy:
    """What is kept of a Secret: its data, None if it does not exist; or that we may not read it."""

    data: Mapping[str, Any] | None = field(repr=False)  # Any: judged when it is asked for
    forbidden: bool = False
    owners: frozenset[str] = frozenset()
    ends: Mapping[str, datetime] = field(default_factory=dict)
    _found: dict[str, FoundSecret] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, secret: Raw | None) -> SecretCopy:
        """Copy what matters of a Secret as the API server shows it."""
        if secret is None:
            return cls(data=None)
        return cls(data=secret.get("data") or {}, owners=find_owners(secret), ends=_find_ends(secret))

    def judge(self, key: str, owners: Collection[str] = (), *, now: datetime | None = None) -> FoundSecret:
        """Say what is at `key`; nothing of a Secret that is for none of `owners`, where any are given.

        Nor is there anything for them, at the time `now`, at a key whose secret has ended: the operator, which takes it
        away, may be hindered.
        """
        if owners and self.data is not None and self.owners.isdisjoint(owners):
            return FoundSecret(state=SecretState.FOREIGN)
        if owners and now is not None and (end := self.ends.get(key)) is not None and now - CLOCKS_DIFFER >= end:
            return _NO_KEY
        found = self._found.get(key)
        if found is None:
            if self.forbidden:
                return FoundSecret(state=SecretState.FORBIDDEN)
            if self.data is not None and self.data.get(key) is None:
                # A delivery looks for keys that are mostly not there.
                return _NO_KEY
            found = judge_secret(None if self.data is None else {"data": self.data}, key)
            if self.data is not None and key in self.data:
                # Keys that are not there are anybody's to think up, so that they are not remembered.
                self._found[key] = found
        return found


def measure_copy(copy: SecretCopy) -> int:
    """Give about how many bytes a copy takes."""
    data = sum(_ENTRY_BYTES + len(key) + len(value or "") for key, value in (copy.data or {}).items())
    ends = _ENTRY_BYTES * len(copy.ends)
    return _COPY_BYTES + data + ends + sum(_ENTRY_BYTES + len(owner) for owner in copy.owners)
