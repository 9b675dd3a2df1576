"""Hookwright running against a development cluster in the test's own process, and hands to work it with."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx

from hookwright.app import App, Role
from hookwright.app.process import now
from hookwright.builds.facts import FactSource, NoFacts
from hookwright.cluster.client import load_access
from hookwright.commands.dev import make_namespace
from hookwright.devcluster import ApiError, DevCluster
from hookwright.kinds import KINDS, crd
from hookwright.reconcile import rootkey
from hookwright.settings import Settings
from support.clients import make_client
from support.ports import find_port
from support.stage import as_role, open_cluster
from support.waiting import patience, within

PATIENCE = 60.0
KINDS_WITH_STATUS = {"Webhook": "webhooks.hookwright.dev", "BuildTrigger": "buildtriggers.hookwright.dev"}
SECRET = "It's a Secret to Everybody"


def make_secret(name: str = "hello-webhook", *, value: str = SECRET, key: str = "token") -> dict[str, Any]:
    """Give a Secret as a user writes it."""
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {key: value}}


def make_account(name: str) -> dict[str, Any]:
    """Give a ServiceAccount."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "default"}}


def make_root_key(key: bytes = b"k" * 32) -> dict[str, Any]:
    """Give the Secret of the root key, as an operator has made it."""
    metadata = {"name": rootkey.NAME, "namespace": "hookwright-system"}
    line = b64encode(key).decode() + "\n"
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"keys": line}}


def make_buildtrigger(name: str = "hello", **spec: Any) -> dict[str, Any]:
    """Give a BuildTrigger that makes a Job."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "build", "image": "busybox:1.37"}]}
    return {
        "apiVersion": "hookwright.dev/v1alpha1",
        "kind": "BuildTrigger",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "projectName": name + "-project",
            "source": {"repository": "octo/hello", "branch": "main"},
            "build": {"jobTemplate": {"spec": {"template": {"spec": pod}}}},
            **spec,
        },
    }


def make_webhook(name: str = "hello", /, **spec: Any) -> dict[str, Any]:
    """Give a Webhook that checks GitHub's signature and starts BuildTrigger hello for pushes to its branch."""
    return {
        "apiVersion": "hookwright.dev/v1alpha1",
        "kind": "Webhook",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "targetPipeline": {"name": "hello"},
            "targetAction": "Source",
            "authentication": "GITHUB_HMAC",
            "authenticationConfiguration": {"secretTokenRef": {"name": "hello-webhook", "key": "token"}},
            "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{Branch}"}],
            **spec,
        },
    }


def make_push(ref: str = "refs/heads/main", **more: Any) -> bytes:
    """Give a small push."""
    return json.dumps({"ref": ref, "after": "0a1b2c", **more}).encode()


def sign(body: bytes, secret: str = SECRET) -> str:
    """Give GitHub's signature."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def make_headers(
    body: bytes, *, secret: str | None = SECRET, delivery: str | None = None, **more: str
) -> dict[str, str]:
    """Give GitHub's headers; `more` adds headers, with _ for -."""
    headers = {"content-type": "application/json", "x-github-event": "push"}
    headers["x-github-delivery"] = delivery or str(uuid.uuid4())
    if secret is not None:
        headers["x-hub-signature-256"] = sign(body, secret)
    return headers | {name.replace("_", "-"): value for name, value in more.items()}


@dataclass(kw_only=True)
class Running:
    """A running Hookwright."""

    cluster: DevCluster
    settings: Settings
    kubeconfig: Path
    """A user's."""
    client: httpx.AsyncClient
    clock: Callable[[], datetime] = now
    role: Role = Role.RUN
    facts: FactSource = field(default_factory=NoFacts)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start Hookwright, and wait until it takes deliveries."""
        access = await load_access(as_role(self.cluster, self.kubeconfig, self.role))
        self._stop = asyncio.Event()
        ready = asyncio.Event()
        app = App(
            settings=self.settings,
            configuration=access.configuration,
            role=self.role,
            clock=self.clock,
            facts=self.facts,
        )
        task = self._task = asyncio.create_task(app.run(stop=self._stop, ready=ready.set))
        starting = asyncio.create_task(ready.wait())
        await asyncio.wait({starting, task}, return_when=asyncio.FIRST_COMPLETED)
        starting.cancel()
        if task.done():
            task.result()

    async def stop(self) -> None:
        """Stop Hookwright as SIGTERM does."""
        self._stop.set()
        if self._task is not None:
            await within(PATIENCE, self._task)
            self._task = None

    def apply(self, *objects: dict[str, Any]) -> None:
        """Apply objects as kubectl does: their status stays, also what is written into it at the same time."""
        for obj in objects:
            if isinstance(self.cluster, DevCluster):
                self.cluster._call(partial(self._replace, obj))
            else:
                # Where a status is a resource of its own, an object that says none leaves it as it is.
                self.cluster.apply(obj)

    def _replace(self, obj: dict[str, Any]) -> None:
        """Put an object in the place of what the development cluster has, but for its status; to be called there."""
        found, kind = None, KINDS_WITH_STATUS.get(obj["kind"])
        if kind is not None:
            found = self.cluster.get(kind, obj["metadata"]["namespace"], obj["metadata"]["name"])
        self.cluster.apply({**obj, **({"status": found["status"]} if found and "status" in found else {})})

    def try_to_apply(self, *objects: dict[str, Any]) -> str:
        """Apply objects; give what the API server says against it, which without CEL rules it leaves to the status."""
        try:
            self.apply(*objects)
        except ApiError as error:
            return str(error)
        return ""

    def webhook(self, name: str = "hello") -> dict[str, Any]:
        """Give a Webhook as it is now; empty if there is none."""
        return self.cluster.get("webhooks.hookwright.dev", "default", name) or {}

    def status(self, name: str = "hello") -> dict[str, Any]:
        """Give a Webhook's status as it is now."""
        return self.webhook(name).get("status", {})

    def trigger_status(self, name: str = "hello") -> dict[str, Any]:
        """Give a BuildTrigger's status as it is now."""
        found = self.cluster.get("buildtriggers.hookwright.dev", "default", name) or {}
        return dict(found.get("status", {}))

    def ready(self, name: str = "hello") -> tuple[str, str]:
        """Give status and reason of a Webhook's condition Ready."""
        for condition in self.status(name).get("conditions", []):
            if condition["type"] == "Ready":
                return condition["status"], condition["reason"]
        return "Unknown", ""

    def jobs(self) -> list[dict[str, Any]]:
        """Give all Jobs."""
        return self.cluster.list("jobs.batch", "default")

    async def until(self, happened: Callable[[], Any], what: str = "") -> Any:
        """Wait until `happened` gives something true, and give that."""
        try:
            async with patience(PATIENCE):
                # What is polled lives in other threads and processes.
                while not (result := happened()):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"did not happen: {what or happened}; status: {self.status()}") from None
        return result

    async def until_ready(self, name: str = "hello") -> str:
        """Wait until a Webhook is Ready, and give its URL."""
        await self.until(lambda: self.ready(name)[0] == "True", f"Webhook {name} is Ready")
        return str(self.status(name)["url"])

    async def push(self, url: str, body: bytes | None = None, **headers: Any) -> httpx.Response:
        """Deliver a signed push."""
        body = make_push() if body is None else body
        return await self.client.post(url, content=body, headers=make_headers(body, **headers))

    async def until_answered(self, url: str, status: int) -> None:
        """Deliver until the answer has `status`."""
        async with patience(PATIENCE):
            # Each try is a request: there is no event to wait for.
            while (await self.push(url)).status_code != status:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    def last(self, name: str = "hello") -> tuple[str, str]:
        """Give outcome and reason of a Webhook's newest delivery."""
        delivery = self.status(name).get("lastDelivery") or {}
        return delivery.get("outcome", ""), delivery.get("reason", "")


def make_settings(folder: Path, **more: Any) -> Settings:
    """Give settings for a test: loopback, a free port, a journal in `folder`."""
    port = find_port()
    given = {
        "public_url": f"http://127.0.0.1:{port}",
        "listen": f"127.0.0.1:{port}",
        "admin": "off",
        "journal": folder / "journal",
        "drain": 0,
        "cluster_name": "test",
        "target_patience": 300,
    }
    return Settings.model_validate(given | more)


@cache
def _write_crds() -> str:
    """Write the CRDs once: to make a schema of models costs more than all else that a test's cluster needs."""
    return json.dumps([crd(kind) for kind in KINDS])


def prepare_cluster(cluster: DevCluster, folder: Path) -> Path:
    """Install the CRDs and Hookwright's namespace; give the path of a user's kubeconfig."""
    for definition in json.loads(_write_crds()):
        cluster.apply(definition)
    cluster.apply(make_namespace("hookwright-system"))
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(cluster.kubeconfig())
    return kubeconfig


@asynccontextmanager
async def run_hookwright(folder: Path, *, started: bool = True, **settings: Any) -> AsyncIterator[Running]:
    """Run a development cluster and Hookwright for the length of a `with` block."""
    with open_cluster() as cluster:
        kubeconfig = prepare_cluster(cluster, folder)
        async with make_client() as client:
            running = Running(
                cluster=cluster, settings=make_settings(folder, **settings), kubeconfig=kubeconfig, client=client
            )
            if started:
                await running.start()
            try:
                yield running
            finally:
                cluster.resume()
                await running.stop()
