"""examples/: each is applied, and does what it is for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.commands.deliver import prepare, send
from hookwright.commands.delivering.prepared import Wish
from hookwright.commands.files import read_manifests
from hookwright.kinds import Webhook, read
from hookwright.kinds.authentication import Authentication
from support.running import Running, run_hookwright

EXAMPLES = Path(__file__).parents[2] / "examples"
SCHEMES, TRIGGERS = EXAMPLES / "schemes", EXAMPLES / "buildtriggers"
# Each of the others has one Webhook that `hookwright deliver` can speak to.
FOLDERS = sorted(
    folder
    for folder in EXAMPLES.iterdir()
    if folder.is_dir() and folder.name not in ("buildtriggers", "payloads", "rights", "schemes")
)
COMMIT = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c"
GIT_PUSH = {"ref": "refs/heads/main", "before": "0" * 40, "after": COMMIT, "deleted": False}
GITLAB_PUSH = {"object_kind": "push", "ref": "refs/heads/main", "checkout_sha": COMMIT}
NOTHING_PUSHED = {**GIT_PUSH, "before": COMMIT}


def apply(running: Running, *paths: Path) -> list[dict[str, Any]]:
    """Apply examples in namespace default; give their Webhooks."""
    manifests = read_manifests(paths)
    for manifest in manifests:
        running.apply({**manifest, "metadata": {"namespace": "default", **manifest["metadata"]}})
    return [manifest for manifest in manifests if manifest["kind"] == "Webhook"]


def is_ready(running: Running, name: str) -> bool:
    """Say whether a BuildTrigger is Ready."""
    found = running.cluster.get("buildtriggers.hookwright.dev", "default", name) or {}
    conditions = found.get("status", {}).get("conditions", [])
    return {each["type"]: each["status"] for each in conditions} == {"Ready": "True"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_example_starts_a_build(tmp_path: Path, folder: Path):
    """The example becomes ready, and the delivery that `hookwright deliver` makes for it starts a Job."""
    async with run_hookwright(tmp_path) as running:
        (webhook,) = apply(running, folder)
        name = webhook["metadata"]["name"]
        await running.until_ready(name)
        access = await load_access(running.kubeconfig)
        async with KubernetesCluster(access.configuration) as cluster:
            delivery = await prepare(cluster, "default", name, Wish())
        status, answer = await send(delivery)
        assert (status, answer["outcome"]) == (202, "started")
        await running.until(running.jobs)


# ── examples/schemes: what each sender sends, made here and not by Hookwright's own code ──────────────────────────────


def sign(secret: bytes, signed: bytes) -> bytes:
    """Give the HMAC-SHA256."""
    return hmac.new(secret, signed, hashlib.sha256).digest()


def sign_as_standard_webhooks(secret: bytes, body: bytes) -> dict[str, str]:
    """Give the three headers of Standard Webhooks."""
    key = base64.b64decode(secret.removeprefix(b"whsec_"))
    name, now = str(uuid.uuid4()), str(int(time.time()))
    signature = base64.b64encode(sign(key, f"{name}.{now}.".encode() + body)).decode()
    return {"webhook-id": name, "webhook-timestamp": now, "webhook-signature": f"v1,{signature}"}


def sign_as_slack(secret: bytes, body: bytes) -> dict[str, str]:
    """Give Slack's two headers."""
    now = str(int(time.time()))
    signature = sign(secret, f"v0:{now}:".encode() + body).hex()
    return {"X-Slack-Signature": f"v0={signature}", "X-Slack-Request-Timestamp": now}


def make_change(branch: str, commit: str) -> dict[str, Any]:
    """Give one change of a push to Bitbucket Cloud."""
    return {"new": {"type": "branch", "name": branch, "target": {"hash": commit}}}


def make_update(branch: str, commit: str) -> dict[str, str]:
    """Give one change of a push to Bitbucket Data Center."""
    return {"type": "UPDATE", "refId": f"refs/heads/{branch}", "toHash": commit}


@dataclass(frozen=True, kw_only=True)
class Sender:
    """What a sender sends, and how it proves itself; `silent` is a body that must start nothing."""

    body: Mapping[str, Any]
    prove: Callable[[bytes, bytes], dict[str, str]]
    id_header: str | None = None
    silent: Mapping[str, Any] | None = None
    refusal: int = 401


SENDERS = {
    "github-hmac": Sender(
        body=GIT_PUSH,
        prove=lambda secret, body: {"X-Hub-Signature-256": f"sha256={sign(secret, body).hex()}"},
        id_header="X-GitHub-Delivery",
        silent={**GIT_PUSH, "deleted": True},
    ),
    "gitlab-token": Sender(
        body=GITLAB_PUSH,
        prove=lambda secret, _: {"X-Gitlab-Token": secret.decode()},
        id_header="Idempotency-Key",
        silent={**GITLAB_PUSH, "checkout_sha": None},
    ),
    "standard-webhooks": Sender(
        body=GITLAB_PUSH, prove=sign_as_standard_webhooks, silent={**GITLAB_PUSH, "object_kind": "tag_push"}
    ),
    "hmac-gitea": Sender(
        body=GIT_PUSH,
        prove=lambda secret, body: {"X-Gitea-Signature": sign(secret, body).hex()},
        id_header="X-Gitea-Delivery",
        silent=NOTHING_PUSHED,
    ),
    "hmac-bitbucket-cloud": Sender(
        body={"push": {"changes": [make_change("next", "0" * 12), make_change("main", COMMIT)]}},
        prove=lambda secret, body: {"X-Hub-Signature": f"sha256={sign(secret, body).hex()}"},
        id_header="X-Request-UUID",
        silent={"push": {"changes": [{"new": None, "old": {"type": "branch", "name": "main"}}]}},
    ),
    "hmac-bitbucket-data-center": Sender(
        body={"changes": [make_update("next", "0" * 40), make_update("main", COMMIT)]},
        prove=lambda secret, body: {"X-Hub-Signature": f"sha256={sign(secret, body).hex()}"},
        id_header="X-Request-Id",
        silent={"changes": [{"type": "DELETE", "refId": "refs/heads/main", "toHash": "0" * 40}]},
    ),
    "hmac-timestamp": Sender(
        body={"event": {"type": "deploy"}}, prove=sign_as_slack, silent={"event": {"type": "message"}}
    ),
    "bearer-token": Sender(
        body={"commit": COMMIT},
        prove=lambda secret, _: {"Authorization": f"Bearer {secret.decode()}"},
        id_header="Idempotency-Key",
    ),
    "basic": Sender(
        body={},
        prove=lambda secret, _: {"Authorization": "Basic " + base64.b64encode(b"ci:" + secret).decode()},
    ),
    "ip": Sender(body={}, prove=lambda *_: {"X-Forwarded-For": "198.51.100.9, 192.0.2.7"}, refusal=403),
    "unauthenticated": Sender(body={"action": "deploy"}, prove=lambda *_: {}, silent={"action": "other"}, refusal=202),
}


def test_each_scheme_has_an_example():
    """There is an example for each scheme, and a sender here for each example."""
    files = sorted(SCHEMES.iterdir())
    assert [file.stem for file in files] == sorted(SENDERS)
    webhooks = [read(Webhook, m, strict=True) for m in read_manifests(files) if m["kind"] == "Webhook"]
    assert {webhook.spec.authentication for webhook in webhooks} == set(Authentication)


def find_secret(path: Path) -> bytes:
    """Give the secret in an example: token or password of its Secret; empty if it has none."""
    secrets = [manifest["stringData"] for manifest in read_manifests([path]) if manifest["kind"] == "Secret"]
    return next((data.get("token") or data["password"] for data in secrets), "").encode()


@pytest.mark.parametrize("name", SENDERS)
async def test_scheme_lets_its_sender_in(tmp_path: Path, name: str):
    """The example becomes ready; its sender starts a Job, once for each of its ids, and nobody without a proof does."""
    sender, path = SENDERS[name], SCHEMES / f"{name}.yaml"
    secret = find_secret(path)
    async with run_hookwright(tmp_path, trusted_proxies="127.0.0.0/8") as running:
        apply(running, EXAMPLES / "hello" / "2-buildtrigger.yaml")
        (webhook,) = apply(running, path)
        url = await running.until_ready(webhook["metadata"]["name"])

        async def post(document: Mapping[str, Any], *, proven: bool = True) -> tuple[int, str]:
            body = json.dumps(document).encode()
            headers = {"Content-Type": "application/json"} | (sender.prove(secret, body) if proven else {})
            headers |= {sender.id_header: "1"} if sender.id_header is not None else {}
            answer = await running.client.post(url, content=body, headers=headers)
            return answer.status_code, answer.json()["outcome"]

        if sender.silent is not None:
            assert await post(sender.silent) == (200, "ignored")
        assert await post(sender.body) == (202, "started")
        again = await post(sender.body)
        assert again == ((200, "duplicate") if sender.id_header is not None else (202, "started"))
        assert (await post(sender.body, proven=False))[0] == sender.refusal
        jobs = await running.until(running.jobs)
        (container,) = jobs[0]["spec"]["template"]["spec"]["containers"]
        environment = {variable["name"]: variable["value"] for variable in container["env"]}
        wanted = [parameter["name"] for parameter in webhook["spec"].get("parameters", [])]
        assert {one: environment[one] for one in wanted} == dict.fromkeys(wanted, COMMIT)


async def test_examples_stand_beside_each_other(tmp_path: Path):
    """All examples can be applied to one namespace: no name is taken twice, and all become ready."""
    async with run_hookwright(tmp_path) as running:
        manifests = read_manifests([*FOLDERS, SCHEMES, TRIGGERS])
        names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests]
        assert len(names) == len(set(names))
        for webhook in apply(running, *FOLDERS, SCHEMES, TRIGGERS):
            await running.until_ready(webhook["metadata"]["name"])
        for name in (name for kind, name in names if kind == "BuildTrigger"):
            await running.until(lambda name=name: is_ready(running, name), f"BuildTrigger {name} is Ready")


async def test_rights_are_objects_that_an_api_server_takes(tmp_path: Path):
    """examples/rights is applied as it stands."""
    async with run_hookwright(tmp_path, started=False) as running:
        for manifest in read_manifests([EXAMPLES / "rights"]):
            namespace = (
                {}
                if manifest["kind"] in ("Namespace", "ClusterRole", "ClusterRoleBinding")
                else {"namespace": "default"}
            )
            running.cluster.apply({**manifest, "metadata": namespace | manifest["metadata"]})
        assert running.cluster.get("clusterroles.rbac.authorization.k8s.io", None, "hookwright-receiver")


async def test_example_payload_is_signed_for_hello(tmp_path: Path):
    """The payload and headers in examples/payloads are a true delivery to examples/hello."""
    body = (EXAMPLES / "payloads" / "push.json").read_bytes()
    headers = json.loads((EXAMPLES / "payloads" / "headers.json").read_text())
    async with run_hookwright(tmp_path) as running:
        apply(running, EXAMPLES / "hello")
        response = await running.client.post(await running.until_ready(), content=body, headers=headers)
        assert response.status_code == 202
