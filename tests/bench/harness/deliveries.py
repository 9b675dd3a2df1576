"""Deliveries as GitHub sends them, and the objects that they are for."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

from hookwright.cluster.secret_values import MADE_FOR
from hookwright.intake.routes import PATH, make_token
from hookwright.kinds import API_VERSION
from hookwright.providers.github import dialect

SIZE = 8200
SECRET = b"a-secret-for-benchmarks"
ROOT_KEY = b"a-root-key-for-benchmarks-only.."
NAMESPACE = "default"
TARGET = "builder"
TAKER = "taker"
SECRET_NAME = "github"
SERVICE_ACCOUNT = "default"

Raw = dict[str, Any]  # any: objects as JSON


def make_push(branch: str) -> bytes:
    """Give a push to `branch` of about `SIZE` bytes: GitHub's usual one, with so many commits."""
    payload = dialect.make_sample("push", repository="octo/hello", branch=branch)
    commit = payload["head_commit"]
    payload["commits"] = []
    while len(json.dumps(payload, separators=(",", ":"))) < SIZE:
        payload["commits"].append(commit)
    return json.dumps(payload, separators=(",", ":")).encode()


def make_headers(body: bytes, *, secret: bytes = SECRET) -> dict[str, str]:
    """Give the headers of a push but for its delivery id, which each request has for itself."""
    headers = dialect.make_headers(event="push", delivery_id="", body=body, secret=secret)
    return {name: value for name, value in headers.items() if name.lower() != dialect.DELIVERY_HEADER}


def make_secret() -> Raw:
    """Give the Secret that all Webhooks share; that of the BuildTrigger which takes deliveries has the same secret."""
    encoded = base64.b64encode(SECRET).decode()
    data = {"token": encoded, "secret": encoded}
    metadata = {**_metadata(SECRET_NAME), "annotations": {MADE_FOR: TAKER}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


def make_buildtrigger() -> Raw:
    """Give the BuildTrigger that all Webhooks start; it builds the branch main."""
    container = {"name": "build", "image": "busybox:1.37", "command": ["sh", "-c", 'echo "building $COMMIT"']}
    pod = {"restartPolicy": "Never", "containers": [container]}
    job = {"backoffLimit": 0, "ttlSecondsAfterFinished": 86400, "template": {"spec": pod}}
    spec = {
        "projectName": "hello",
        "source": {"repository": "octo/hello", "branch": "main"},
        "build": {"jobTemplate": {"spec": job}},
    }
    return {"apiVersion": API_VERSION, "kind": "BuildTrigger", "metadata": _metadata(TARGET), "spec": spec}


def make_taker() -> Raw:
    """Give a BuildTrigger that takes deliveries itself, and builds pushes to main and pull requests for it."""
    manifest = make_buildtrigger()
    main = "^refs/heads/main$"
    groups = [
        [{"type": "EVENT", "pattern": "PUSH"}, {"type": "HEAD_REF", "pattern": main}],
        [{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"}, {"type": "BASE_REF", "pattern": main}],
    ]
    more = {"projectName": TAKER, "source": {"provider": "GitHub", "repository": "octo/hello"}, "filterGroups": groups}
    return {**manifest, "metadata": _metadata(TAKER), "spec": {**manifest["spec"], **more}}


def make_webhook(number: int) -> Raw:
    """Give a Webhook that starts builds for pushes to main, with one filter and two parameters."""
    spec = {
        "targetPipeline": {"name": TARGET},
        "targetAction": "Source",
        "authentication": "GITHUB_HMAC",
        "authenticationConfiguration": {"secretTokenRef": {"name": SECRET_NAME, "key": "token"}},
        "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{Branch}"}],
        "parameters": [{"name": "COMMIT", "jsonPath": "$.after"}, {"name": "PUSHER", "jsonPath": "$.pusher.name"}],
    }
    return {"apiVersion": API_VERSION, "kind": "Webhook", "metadata": _metadata(f"hook-{number}"), "spec": spec}


def as_stored(manifest: Raw) -> Raw:
    """Give an object as an API server shows it: with UID, version and generation, always the same ones."""
    metadata = manifest["metadata"]
    uid = make_uid(metadata["name"])
    return {**manifest, "metadata": {**metadata, "uid": uid, "resourceVersion": "1", "generation": 1}}


def make_uid(name: str) -> str:
    """Give the UID of an object that `as_stored` has made."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def path_of(number: int) -> str:
    """Give the path of a stored Webhook's URL."""
    return PATH + make_token(ROOT_KEY, make_uid(f"hook-{number}"))


def path_of_taker() -> str:
    """Give the path of the URL of the BuildTrigger that takes deliveries."""
    return PATH + make_token(ROOT_KEY, make_uid(TAKER))


def _metadata(name: str) -> Raw:
    return {"name": name, "namespace": NAMESPACE}
