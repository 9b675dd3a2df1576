"""Builders of objects, requests and wanted builds: right as they come, wrong in exactly what a test changes."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hookwright.builds.wanted import TargetRef, Undecided, WantedBuild
from hookwright.intake.request import Request
from hookwright.intake.webhook_decision import WebhookRoute
from hookwright.intake.webhook_route import compile_webhook
from hookwright.kinds import API_VERSION, BuildTrigger, InvalidObject, ObjectKind, Webhook, read
from hookwright.providers.github import dialect

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
NAMESPACE = "default"
SECRET = b"It's a Secret to Everybody"
WEBHOOK_UID = "3b1e9f0a-5d0e-4f58-9f6d-0b9e7a0c1d11"
TRIGGER_UID = "7c2d8e1b-6e1f-4a69-8a7e-1c0f8b1d2e22"
DELIVERY_ID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
NEW_ID = "00000000-0000-4000-8000-000000000001"
# One that real clusters' Jobs have: one container, and the shape that the API server wants.
JOB_SPEC: Mapping[str, Any] = {
    "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "build", "image": "busybox:1.37"}]}}
}
_WEBHOOK_SPEC: Mapping[str, Any] = {
    "targetPipeline": {"name": "hello"},
    "targetAction": "Source",
    "authentication": "GITHUB_HMAC",
    "authenticationConfiguration": {"secretTokenRef": {"name": "hello-webhook", "key": "token"}},
    "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{Branch}"}],
}
_TRIGGER_SPEC: Mapping[str, Any] = {
    "projectName": "hello",
    "source": {"repository": "octo/hello", "branch": "main"},
    "build": {"jobTemplate": {"spec": JOB_SPEC}},
}


def raw_object(
    kind: type[ObjectKind],
    spec: Mapping[str, Any],
    *,
    metadata: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Give an object as the API server shows it."""
    uid = WEBHOOK_UID if kind is Webhook else TRIGGER_UID
    known = {"name": "hello", "namespace": NAMESPACE, "uid": uid, "generation": 1, "resourceVersion": "1"}
    raw = {"apiVersion": API_VERSION, "kind": kind.KIND, "metadata": {**known, **(metadata or {})}, "spec": {**spec}}
    return copy.deepcopy(raw | ({"status": {**status}} if status is not None else {}))


def raw_webhook(
    *,
    metadata: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    without: Sequence[str] = (),
    **spec: Any,
) -> dict[str, Any]:
    """Give a Webhook with `spec` in place of what it has by default, and without the fields of spec in `without`."""
    merged = {name: value for name, value in {**_WEBHOOK_SPEC, **spec}.items() if name not in without}
    return raw_object(Webhook, merged, metadata=metadata, status=status)


def make_webhook(**changes: Any) -> Webhook:
    """Give what `raw_webhook` gives, typed."""
    return read(Webhook, raw_webhook(**changes))


def raw_buildtrigger(
    *,
    metadata: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    without: Sequence[str] = (),
    **spec: Any,
) -> dict[str, Any]:
    """Give a BuildTrigger with `spec` in place of what it has by default."""
    merged = {name: value for name, value in {**_TRIGGER_SPEC, **spec}.items() if name not in without}
    return raw_object(BuildTrigger, merged, metadata=metadata, status=status)


def make_buildtrigger(**changes: Any) -> BuildTrigger:
    """Give what `raw_buildtrigger` gives, typed."""
    return read(BuildTrigger, raw_buildtrigger(**changes))


def make_invalid(kind: type[ObjectKind], raw: Mapping[str, Any]) -> InvalidObject:
    """Give what the mirror holds for an object that is not of its kind's shape."""
    try:
        read(kind, raw)
    except InvalidObject as invalid:
        return invalid
    raise AssertionError("the object is valid")


def raw_secret(*, name: str = "hello-webhook", value: bytes | None = SECRET, key: str = "token") -> dict[str, Any]:
    """Give a Secret as the API server shows it; without `value` it has no keys."""
    secret: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "type": "Opaque",
    }
    if value is not None:
        secret["data"] = {key: base64.b64encode(value).decode()}
    return secret


def make_route(
    target: BuildTrigger | InvalidObject | None = None, *, missing: bool = False, **changes: Any
) -> WebhookRoute:
    """Give the route of `make_webhook(**changes)` to a BuildTrigger; with `missing`, to one that is not there."""
    found = None if missing else target or make_buildtrigger()
    return compile_webhook(make_webhook(**changes), found)


def push(**members: Any) -> dict[str, Any]:
    """Give the payload of a push, as small as it may be."""
    return {"ref": "refs/heads/main", "after": "6dcb09b5", **members}


def make_request(
    payload: Any = None,
    *,
    body: bytes | None = None,
    method: str = "POST",
    secret: bytes | None = SECRET,
    without: Sequence[str] = (),
    **headers: str | Sequence[str],
) -> Request:
    """Give a request as GitHub sends it, signed with `secret` (None: not signed).

    Headers are named with `_` for `-`; several values make a header that came several times.
    """
    sent = body if body is not None else json.dumps(push() if payload is None else payload).encode()
    default = dialect.make_headers(event="push", delivery_id=DELIVERY_ID, body=sent, secret=secret)
    lines: dict[str, Sequence[str]] = {name.lower(): [value] for name, value in default.items()}
    for name, value in headers.items():
        lines[name.replace("_", "-")] = [value] if isinstance(value, str) else list(value)
    kept = {name: values for name, values in lines.items() if name not in without}
    return Request(method=method, path="/hooks/token", headers=kept, body=sent, received_at=NOON)


def make_wanted(
    *, undecided: Sequence[Undecided] = (), parameters: Mapping[str, str] | None = None, **changes: Any
) -> WantedBuild:
    """Give a wanted build of the default Webhook and BuildTrigger."""
    known: dict[str, Any] = {
        "namespace": NAMESPACE,
        "owner_kind": Webhook.KIND,
        "owner_name": "hello",
        "owner_uid": WEBHOOK_UID,
        "delivery_id": DELIVERY_ID,
        "accepted_at": NOON,
        "target": TargetRef(api_version=API_VERSION, kind=BuildTrigger.KIND, name="hello"),
        "service_account": None,
    }
    return WantedBuild(**(known | changes), undecided=tuple(undecided), parameters=parameters or {})
