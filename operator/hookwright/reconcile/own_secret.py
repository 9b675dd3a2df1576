"""The Secret that is made for a BuildTrigger, as a typed value, and what is written of it. Pure.

All that is to be remembered stands in it: the newest secret, those before it and until when each is good, when the
newest was made, and which requests to replace it were fulfilled. So every step is one write, and who would make it
again, after a crash or as another operator, finds that there is nothing to do.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from hookwright.builds.wanted import format_time
from hookwright.cluster.secret_values import (
    GOOD_UNTIL,
    SecretState,
    find_owners,
    judge_secret,
    name_owners,
    read_time,
)
from hookwright.cluster.watched_secrets import WATCHED_LABEL
from hookwright.kinds import API_VERSION, LIVE_SECRET_KEYS, PREVIOUS_SECRET_KEYS, SECRET_KEY, BuildTrigger, Raw

OPAQUE: Final = "Opaque"
LABELS: Mapping[str, str] = {"app.kubernetes.io/managed-by": "hookwright", WATCHED_LABEL: "true"}
MADE_AT: Final = "hookwright.dev/secret-made-at"
HANDLED: Final = "hookwright.dev/handled-rotations"
MOST_OLD = len(PREVIOUS_SECRET_KEYS)
# A stale copy of a BuildTrigger may show a request again that was fulfilled before the newest one.
MOST_HANDLED = 8


@dataclass(frozen=True, kw_only=True)
class OldSecret:
    """A secret that was replaced, in base64, and until when it is good."""

    value: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, kw_only=True)
class OwnSecret:
    """What is in it: the newest secret in base64 (None: it cannot be used), the older ones, the newest of them first.

    `handled` are the requests that were fulfilled, the newest first.
    """

    live: str | None = field(repr=False)
    made_at: datetime
    olds: tuple[OldSecret, ...] = ()
    handled: tuple[str, ...] = ()


def was_made_for(raw: Raw, trigger: BuildTrigger) -> bool:
    """Say whether a Secret was made here for a BuildTrigger."""
    return name_owners(trigger)[0] in find_owners(raw)


def is_meant_for(raw: Raw, trigger: BuildTrigger) -> bool:
    """Say whether a Secret is a user's, who says that it is for a BuildTrigger."""
    return not was_made_for(raw, trigger) and name_owners(trigger)[1] in find_owners(raw)


def was_made_for_another(raw: Raw, name: str) -> bool:
    """Say whether a Secret was made for a BuildTrigger of this name that may be gone."""
    owners = raw["metadata"].get("ownerReferences") or ()
    return any((owner.get("kind"), owner.get("name")) == (BuildTrigger.KIND, name) for owner in owners)


def read_own(raw: Raw, *, now: datetime, overlap: timedelta) -> OwnSecret:
    """Read a Secret that was made here; an old secret that does not say until when it is good is so for `overlap`."""
    annotations, data = raw["metadata"].get("annotations") or {}, raw.get("data") or {}
    olds = tuple(
        OldSecret(value=data[key], until=read_time(annotations.get(GOOD_UNTIL[key])) or now + overlap)
        for key in PREVIOUS_SECRET_KEYS
        if judge_secret(raw, key).state is SecretState.USABLE
    )
    usable = judge_secret(raw, SECRET_KEY).state is SecretState.USABLE
    created_at = read_time(raw["metadata"].get("creationTimestamp"))
    return OwnSecret(
        live=data[SECRET_KEY] if usable else None,
        made_at=read_time(annotations.get(MADE_AT)) or created_at or now,
        olds=olds,
        handled=tuple(filter(None, annotations.get(HANDLED, "").split(",")))[:MOST_HANDLED],
    )


def make_manifest(own: OwnSecret, *, name: str, trigger: BuildTrigger) -> dict[str, Any]:  # Any: a JSON object
    """Give the Secret to create for a BuildTrigger, with which it goes."""
    metadata = trigger.metadata
    owner = {"apiVersion": API_VERSION, "kind": BuildTrigger.KIND, "name": metadata.name, "uid": metadata.uid}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": metadata.namespace,
            "labels": dict(LABELS),
            "annotations": _annotations(own),
            "ownerReferences": [owner],
        },
        "type": OPAQUE,
        "data": _data(own),
    }


def make_patch(raw: Raw, own: OwnSecret) -> dict[str, Any] | None:  # Any: a JSON object
    """Give the merge patch that makes `raw`, in the very version that was read, into `own`; None if it is that."""
    metadata = raw["metadata"]
    annotations = _differing(metadata.get("annotations") or {}, _annotations(own), (MADE_AT, HANDLED, *_UNTIL))
    labels = _differing(metadata.get("labels") or {}, LABELS, tuple(LABELS))
    data = _differing(raw.get("data") or {}, _data(own), LIVE_SECRET_KEYS)
    if not (annotations or labels or data):
        return None
    known = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
    more = {"annotations": annotations, "labels": labels}
    return {"metadata": known | {name: value for name, value in more.items() if value}} | (
        {"data": data} if data else {}
    )


def encode(secret: str) -> str:
    """Give a secret as a Secret holds it."""
    return base64.b64encode(secret.encode()).decode()


_UNTIL: Final = tuple(GOOD_UNTIL[key] for key in PREVIOUS_SECRET_KEYS)


def _annotations(own: OwnSecret) -> dict[str, str]:
    wanted = {MADE_AT: format_time(own.made_at)}
    if own.handled:
        wanted[HANDLED] = ",".join(own.handled[:MOST_HANDLED])
    return wanted | {name: format_time(old.until) for name, old in zip(_UNTIL, own.olds, strict=False)}


def _data(own: OwnSecret) -> dict[str, str]:
    live = {SECRET_KEY: own.live} if own.live is not None else {}
    return live | {key: old.value for key, old in zip(PREVIOUS_SECRET_KEYS, own.olds, strict=False)}


def _differing(found: Mapping[str, str], wanted: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str | None]:
    """Give what of `names` is to change; None there removes one."""
    return {name: wanted.get(name) for name in names if found.get(name) != wanted.get(name)}
