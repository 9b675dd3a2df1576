"""A release at work: its receivers and operators as pods, a team's Webhook, and hands to work it with."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hookwright.journal import Journal
from support.clients import make_client
from support.controlplane import ControlPlane
from support.kubelet import Kubelet, local
from support.release import NAMESPACE, Release, install
from support.running import make_buildtrigger, make_headers, make_push, make_secret, make_webhook
from support.waiting import patience

# For a machine that does much else: a Lease alone takes 15 seconds to be over, a pod some 10 to come up. The garbage
# collector looks for kinds every 30 seconds, and stands still for as long again if one has just gone.
PATIENCE = 180.0
APPLY = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
RECEIVER, OPERATOR = "hookwright-receiver", "hookwright-operator"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/hookwright-operator"
DELIVERY = "hookwright.dev/delivery"
HTTP_PORT = 8080
# Jobs that wait for ever make no pods, of which a burst would keep this machine busy.
WAITING_JOB = {
    "suspend": True,
    "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "build", "image": "busybox:1.37"}]}},
}
PLACES = {
    "Secret": "/api/v1/namespaces/{}/secrets/{}",
    "Webhook": "/apis/hookwright.dev/v1alpha1/namespaces/{}/webhooks/{}",
    "BuildTrigger": "/apis/hookwright.dev/v1alpha1/namespaces/{}/buildtriggers/{}",
}


@dataclass(kw_only=True)
class Installed:
    """A release, the node on which its pods live, and the namespace of a team that lets it make builds."""

    control_plane: ControlPlane
    kubelet: Kubelet
    release: Release
    team: str


@contextmanager
def install_for_team(
    control_plane: ControlPlane, folder: Path, values: Mapping[str, Any] | None = None
) -> Iterator[Installed]:
    """Install the chart on a node of its own, for a new team, for the length of a `with` block."""
    team = f"team-{uuid.uuid4().hex[:8]}"
    with control_plane.access.sync_client() as client:
        client.post("/api/v1/namespaces", json={"metadata": {"name": team}}).raise_for_status()
        try:
            with Kubelet(control_plane, folder / "kubelet") as kubelet:
                tenants = [{"namespace": team, "serviceAccount": "default"}]
                release = install(control_plane, {"tenants": tenants, **(values or {})})
                try:
                    yield Installed(control_plane=control_plane, kubelet=kubelet, release=release, team=team)
                finally:
                    # An API server that a test has left paused would keep everything waiting.
                    control_plane.resume()
                    release.uninstall()
        finally:
            client.delete(f"/api/v1/namespaces/{team}")


@dataclass(kw_only=True)
class Site:
    """An installed release, with clients of the API server and of its receivers."""

    installed: Installed
    api: httpx.AsyncClient
    client: httpx.AsyncClient
    accepted: dict[str, str] = field(default_factory=dict)
    """The builds that were promised, by delivery."""

    @property
    def control_plane(self) -> ControlPlane:
        """The control plane."""
        return self.installed.control_plane

    @property
    def kubelet(self) -> Kubelet:
        """The node."""
        return self.installed.kubelet

    @property
    def team(self) -> str:
        """The team's namespace."""
        return self.installed.team

    async def apply(self, *objects: dict[str, Any]) -> None:
        """Apply objects in the team's namespace."""
        for obj in objects:
            name = obj["metadata"]["name"]
            body = {**obj, "metadata": {**obj["metadata"], "namespace": self.team}}
            path = PLACES[obj["kind"]].format(self.team, name)
            query = {"fieldManager": "test", "force": "true"}
            async with patience(PATIENCE):
                # An API server that has just got another schema, or has just started, may have to be asked again.
                while True:
                    answer = await self.api.patch(path, json=body, params=query, headers={"content-type": APPLY})
                    if not answer.is_server_error:
                        break
                    await asyncio.sleep(0.2)
            answer.raise_for_status()

    async def remove(self, kind: str, name: str) -> None:
        """Delete an object of the team's."""
        (await self.api.delete(PLACES[kind].format(self.team, name))).raise_for_status()

    async def set_up(self) -> None:
        """Apply Webhook `hello` with all that it needs, and wait until it is Ready."""
        await self.apply(make_secret(), make_buildtrigger(build={"jobTemplate": {"spec": WAITING_JOB}}), make_webhook())
        await self.until_ready()

    async def get(self, path: str) -> dict[str, Any]:
        """Get an object or a list; empty if there is none."""
        answer = await self.api.get(path)
        return {} if answer.status_code == httpx.codes.NOT_FOUND else dict(answer.raise_for_status().json())

    async def status(self, name: str = "hello") -> dict[str, Any]:
        """Give a Webhook's status."""
        return dict((await self.get(PLACES["Webhook"].format(self.team, name))).get("status", {}))

    async def last(self, name: str = "hello") -> tuple[str, str, str]:
        """Give id, outcome and reason of a Webhook's newest delivery."""
        last = (await self.status(name)).get("lastDelivery", {})
        return last.get("id", ""), last.get("outcome", ""), last.get("reason", "")

    async def until(self, happened: Callable[[], Awaitable[Any]], what: str) -> Any:
        """Wait until `happened` gives something true, and give that."""
        found = None
        try:
            async with patience(PATIENCE):
                # What is polled lives in other processes.
                while not (found := await happened()):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"did not happen: {what}; found at last: {found}") from None
        return found

    async def until_ready(self, name: str = "hello") -> None:
        """Wait until a Webhook is Ready."""

        async def is_ready() -> bool:
            conditions = (await self.status(name)).get("conditions", ())
            return any((one["type"], one["status"]) == ("Ready", "True") for one in conditions)

        await self.until(is_ready, f"Webhook {name} is Ready")

    async def until_pods(self, name: str, count: int) -> None:
        """Wait until a StatefulSet has so many pods, all of them of its newest revision and ready, and no others."""
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/{name}"

        async def are_ready() -> bool:
            found = await self.get(path)
            status, generation = found["status"], found["metadata"]["generation"]
            numbers = [status.get(key, 0) for key in ("replicas", "readyReplicas", "updatedReplicas")]
            if status.get("observedGeneration") != generation or numbers != [count] * 3:
                return False
            # Of a pod that has just been deleted the StatefulSet may not know yet.
            selector = ",".join(f"{key}={value}" for key, value in found["spec"]["selector"]["matchLabels"].items())
            pods = (await self.get(f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector={selector}"))["items"]
            return len(pods) == count and all(is_ready(pod) for pod in pods)

        await self.until(are_ready, f"{name} has {count} pods, all ready")

    async def scale(self, count: int, **values: Any) -> None:
        """Have so many receivers, by an upgrade of the release, and wait until all are ready and no others are left.

        Not by `kubectl scale`: Helm would refuse to take the number of pods back.
        """
        await asyncio.to_thread(self.installed.release.upgrade, {"receiver": {"replicas": count}, **values}, wait=False)
        await self.until_pods(RECEIVER, count)

    async def receivers(self) -> list[str]:
        """Give the addresses of the receivers that are ready, as the Service has them."""
        query = f"labelSelector=kubernetes.io/service-name={RECEIVER}"
        slices = await self.get(f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices?{query}")
        return [
            f"http://{local(endpoint['addresses'][0])}:{HTTP_PORT}"
            for one in slices["items"]
            for endpoint in one.get("endpoints") or ()
            if endpoint["conditions"].get("ready")
        ]

    def address_of(self, pod: str) -> str:
        """Give the address at which a receiver takes deliveries."""
        return f"http://{self.kubelet.address_of(NAMESPACE, pod)}:{HTTP_PORT}"

    async def url_path(self, name: str = "hello") -> str:
        """Give the path of a Webhook's URL."""
        return "/hooks/" + str((await self.status(name))["url"]).rpartition("/")[2]

    async def until_known(self, address: str, path: str) -> None:
        """Wait until a receiver knows a Webhook's URL: it may hear of it later than the operator that says Ready."""

        async def is_known() -> bool:
            # Without a signature it starts nothing.
            answer = await self.client.post(address + path, content=b"{}", headers=make_headers(b"{}", secret=None))
            return answer.status_code != httpx.codes.NOT_FOUND

        await self.until(is_known, f"{address} knows {path}")

    async def push(self, address: str, path: str, delivery: str) -> httpx.Response:
        """Deliver a signed push; what was accepted is noted."""
        body = make_push(delivery=delivery)
        answer = await self.client.post(address + path, content=body, headers=make_headers(body, delivery=delivery))
        if answer.is_success:
            for build in answer.json()["builds"]:
                self.accepted[delivery] = build["name"]
        return answer

    async def jobs(self) -> dict[str, str]:
        """Give the delivery of each Job of the team, by the Job's name."""
        found: dict[str, str] = {}
        token = ""
        while True:
            listed = await self.get(f"/apis/batch/v1/namespaces/{self.team}/jobs?limit=500&continue={token}")
            for job in listed["items"]:
                delivery = job["metadata"].get("annotations", {}).get(DELIVERY, "")
                found[job["metadata"]["name"]] = delivery.rpartition("/")[2]
            if not (token := listed["metadata"].get("continue", "")):
                return found

    async def until_started(self) -> None:
        """Wait until all that was accepted is started, each once, and nothing else is."""

        async def are_started() -> bool:
            return set(self.accepted.values()) <= (await self.jobs()).keys()

        await self.until(are_started, "all that was accepted is started")
        found = await self.jobs()
        doubled = [delivery for delivery, count in Counter(found.values()).items() if count > 1]
        assert doubled == []
        assert set(found.values()) == set(self.accepted)

    async def holder(self) -> str:
        """Give the pod that holds the Lease; empty if none does."""
        return str((await self.get(LEASE)).get("spec", {}).get("holderIdentity") or "")

    def claim_of(self, pod: str) -> Path:
        """Give the folder of a pod's journal."""
        return self.kubelet.folder_of_claim(NAMESPACE, f"journal-{pod}")


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Say whether a pod is Ready, and stays."""
    conditions = pod.get("status", {}).get("conditions", ())
    ready = any((one["type"], one["status"]) == ("Ready", "True") for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


@asynccontextmanager
async def work_at(installed: Installed) -> AsyncIterator[Site]:
    """Give the hands to work a release with, for the length of a `with` block."""
    async with (
        installed.control_plane.access.client() as api,
        make_client() as client,
    ):
        yield Site(installed=installed, api=api, client=client)


async def count_pending(folder: Path) -> int:
    """Count what waits in a journal that nobody works on."""
    journal = await Journal.open(folder)
    try:
        return await journal.depth()
    finally:
        await journal.close()
