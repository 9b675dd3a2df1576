"""BuildTriggers that take deliveries themselves, their Secrets, and deliveries as each Git host signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode
from typing import Any

import httpx

from hookwright.scm import Provider
from support.deliveries import DELIVERIES
from support.running import Running, make_buildtrigger

SECRET = "5f" * 32
# The repository of the recorded deliveries, and who it is of.
REPOSITORIES = {
    Provider.GITHUB: "octo/hello",
    Provider.GITHUB_ENTERPRISE: "octo/hello",
    Provider.GITLAB: "group/sub/hello",
    Provider.BITBUCKET_CLOUD: "octo/hello",
    Provider.BITBUCKET_DATA_CENTER: "OCTO/hello",
    Provider.GITEA: "lab/e2e1795376427",
}


def make_trigger(
    name: str = "hello", provider: Provider = Provider.GITHUB, *, source: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """Give a BuildTrigger with a provider."""
    given = source if source is not None else {"repository": REPOSITORIES[provider]}
    return make_buildtrigger(name, source={"provider": str(provider), **given}, **spec)


def make_trigger_secret(name: str = "hello", *, secret: str = SECRET, **more: str) -> dict[str, Any]:
    """Give the Secret of a BuildTrigger as a user may make it; `more` are further keys."""
    annotations = {"hookwright.dev/buildtrigger": name}
    metadata = {"name": f"{name}-hookwright", "namespace": "default", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"secret": secret, **more}}


def prove(provider: Provider, body: bytes, secret: str) -> dict[str, str]:
    """Give the headers with which a Git host proves that it knows `secret`."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    match provider:
        case Provider.GITLAB:
            return {"x-gitlab-token": secret}
        case Provider.GITEA:
            return {"x-gitea-signature": digest}
        case Provider.BITBUCKET_CLOUD | Provider.BITBUCKET_DATA_CENTER:
            return {"x-hub-signature": f"sha256={digest}"}
        case _:
            return {"x-hub-signature-256": f"sha256={digest}"}


def name_delivery(provider: Provider, delivery_id: str) -> dict[str, str]:
    """Give the header with which a Git host names a delivery."""
    header = {
        Provider.GITLAB: "idempotency-key",
        Provider.GITEA: "x-gitea-delivery",
        Provider.BITBUCKET_CLOUD: "x-request-uuid",
        Provider.BITBUCKET_DATA_CENTER: "x-request-id",
    }.get(provider, "x-github-delivery")
    return {header: delivery_id}


def make_delivery(
    provider: Provider, what: str = "push", *, delivery_id: str = "d-1", secret: str = SECRET, payload: Any = None
) -> tuple[bytes, dict[str, str]]:
    """Give body and headers of a recorded delivery; with `payload` that instead of the recorded one."""
    delivery = DELIVERIES[provider, what]
    body = json.dumps(delivery.payload if payload is None else payload).encode()
    headers = delivery.headers | name_delivery(provider, delivery_id) | prove(provider, body, secret)
    return body, {"content-type": "application/json", **headers}


async def begin(running: Running, name: str = "hello", provider: Provider = Provider.GITHUB, **given: Any) -> str:
    """Apply a BuildTrigger, and give its URL once it is Ready."""
    running.apply(make_trigger(name, provider, **given))
    return await until_url(running, name)


def read_secret(running: Running, name: str = "hello") -> str:
    """Give the newest secret of a BuildTrigger."""
    secret = running.cluster.get("secrets", "default", f"{name}-hookwright") or {}
    return b64decode(secret["data"]["secret"]).decode()


def count_secrets(running: Running, name: str = "hello") -> int:
    """Count the secrets of a BuildTrigger that are good."""
    return len((running.cluster.get("secrets", "default", f"{name}-hookwright") or {}).get("data", {}))


async def until_url(running: Running, name: str = "hello") -> str:
    """Wait until a BuildTrigger is Ready and has a URL, and give that."""

    def find() -> str:
        status = running.trigger_status(name)
        ready = any((one["type"], one["status"]) == ("Ready", "True") for one in status.get("conditions", ()))
        return str(status.get("payloadUrl", "")) if ready else ""

    return str(await running.until(find, f"BuildTrigger {name} has a URL"))


async def deliver(
    running: Running,
    url: str,
    provider: Provider = Provider.GITHUB,
    what: str = "push",
    *,
    name: str = "hello",
    secret: str | None = None,
    **given: Any,
) -> httpx.Response:
    """Deliver a recorded delivery, signed with the secret of BuildTrigger `name`, or another."""
    body, headers = make_delivery(provider, what, secret=secret or read_secret(running, name), **given)
    return await running.client.post(url, content=body, headers=headers)


def environment_of(job: dict[str, Any]) -> dict[str, str]:
    """Give the environment of a Job's container."""
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return {variable["name"]: variable["value"] for variable in container["env"]}


async def outlive(running: Running, name: str) -> None:
    """Have the builds of a BuildTrigger, whose time is over, be beyond its history limit, until they are gone."""
    ours = [job["metadata"] for job in running.jobs() if job["metadata"]["ownerReferences"][0]["name"] == name]
    assert ours
    over = {"metadata": {"annotations": {"hookwright.dev/kept-until": "2020-01-01T00:00:00Z"}}}
    patches = [(f"batch/v1/namespaces/default/jobs/{metadata['name']}", over) for metadata in ours]
    limit = {"spec": {"successfulBuildsHistoryLimit": 0}}
    for path, patch in (*patches, (f"hookwright.dev/v1alpha1/namespaces/default/buildtriggers/{name}", limit)):
        answer = await running.client.patch(
            f"{running.cluster.url}/apis/{path}", json=patch, headers={"content-type": "application/merge-patch+json"}
        )
        assert answer.is_success, answer.text
    names = {metadata["name"] for metadata in ours}
    await running.until(lambda: not names & {job["metadata"]["name"] for job in running.jobs()})
