"""Builders of Jobs as the API server shows them, in each phase that a build can have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hookwright.kinds import API_VERSION
from support.objects import JOB_SPEC, NAMESPACE, TRIGGER_UID

CREATED = "2026-05-01T12:00:00Z"
BEGAN = "2026-05-01T12:00:02Z"
ENDED = "2026-05-01T12:05:00Z"
_ENDS: Mapping[str, Sequence[str]] = {
    "Succeeded": ("SuccessCriteriaMet", "Complete"),
    "Failed": ("FailureTarget", "Failed"),
}


def make_condition(name: str, *, status: str = "True", at: str = ENDED) -> dict[str, Any]:
    """Give one condition of a Job."""
    return {"type": name, "status": status, "reason": "Because", "lastTransitionTime": at, "lastProbeTime": at}


def raw_job(
    *,
    name: str = "build-1",
    uid: str | None = None,
    namespace: str = NAMESPACE,
    owner: str = "hello",
    owner_uid: str = TRIGGER_UID,
    phase: str = "Running",
    created: str = CREATED,
    started: str | None = BEGAN,
    ended: str = ENDED,
    conditions: Sequence[Mapping[str, Any]] | None = None,
    kept_until: str | None = None,
    version: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    spec: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Give a Job that a BuildTrigger controls; `conditions` take the place of those that `phase` has."""
    annotations = {"hookwright.dev/kept-until": kept_until, "hookwright.dev/source-version": version}
    status: dict[str, Any] = {}
    if phase != "Pending" and started is not None:
        status["startTime"] = started
    if conditions is None:
        conditions = [make_condition(one, at=ended) for one in _ENDS.get(phase, ())]
        if phase == "Succeeded":
            status["completionTime"] = ended
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid or f"uid-{name}",
            "creationTimestamp": created,
            "labels": {"app.kubernetes.io/managed-by": "hookwright", "hookwright.dev/build": "true"},
            "annotations": {key: value for key, value in annotations.items() if value is not None},
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": "BuildTrigger",
                    "name": owner,
                    "uid": owner_uid,
                    "controller": True,
                }
            ],
            **(metadata or {}),
        },
        "spec": {**JOB_SPEC, **(spec or {})},
        "status": {**status, "conditions": [dict(one) for one in conditions]},
    }
