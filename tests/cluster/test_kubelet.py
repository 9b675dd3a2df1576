"""The stand-in kubelet: pods live as on a node, and tests can lay hands on them."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from integration.devcluster.api import eventually
from support.access import read_kubeconfig
from support.clients import make_client
from support.kubelet import Kubelet, local

WEB = """
import http.server, os, signal, sys, pathlib
said = [pathlib.Path(os.environ["FOLDER"], "starts")]
said[0].parent.mkdir(parents=True, exist_ok=True)
with said[0].open("a") as file: file.write(os.environ["HOSTNAME"] + "\\n")
print("up", *sys.argv[1:], flush=True)
def stop(*_):
    print("bye", flush=True); os._exit(0)
signal.signal(signal.SIGTERM, stop)
broken = set()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if self.path in broken else 200); self.end_headers()
        self.wfile.write(os.environ.get(self.path[1:], "").encode())
    def do_POST(self):
        broken.add(self.path); self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((os.environ["ADDRESS"], 8000), Handler).serve_forever()
"""
IMAGE = "registry.example.com:5000/team/web:1"
READS = [
    {"name": "HOSTNAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    {"name": "FOLDER", "value": "/data/$(HOSTNAME)"},
]


@pytest.fixture
def kubelet(control_plane, tmp_path) -> Iterator[Kubelet]:
    """A node that knows the image of a small web server."""
    program = (sys.executable, "-c", WEB)
    with Kubelet(control_plane, tmp_path / "kubelet", programs={IMAGE.rpartition(":")[0]: program}) as started:
        yield started


@pytest.fixture
async def api(control_plane) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the administrator's."""
    async with control_plane.access.client() as client:
        yield client


def web(**more: Any) -> dict[str, Any]:
    """Give the pod of a small web server."""
    container = {
        "name": "web",
        "image": IMAGE,
        "env": READS + more.pop("env", []),
        "ports": [{"name": "http", "containerPort": 8000}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 1, "timeoutSeconds": 30},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        **more.pop("container", {}),
    }
    spec = {"containers": [container], "volumes": [{"name": "data", "emptyDir": {}}]}
    return {"metadata": {"labels": {"app": "web"}, **more.pop("metadata", {})}, "spec": {**spec, **more}}


async def create(api: httpx.AsyncClient, namespace: str, plural: str, body: dict[str, Any], group: str = "") -> str:
    """Create an object, and give its path."""
    start = f"/apis/{group}" if group else "/api/v1"
    path = f"{start}/namespaces/{namespace}/{plural}"
    answer = await api.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return f"{path}/{answer.json()['metadata']['name']}"


async def until(
    api: httpx.AsyncClient, path: str, happened: Callable[[dict[str, Any]], Any], what: str
) -> dict[str, Any]:
    """Wait until an object is as it should be, and give it."""
    seen: dict[str, Any] = {}

    async def look() -> bool:
        answer = await api.get(path)
        seen.clear()
        seen.update(answer.json())
        return answer.status_code == 200 and bool(happened(seen))

    try:
        await eventually(look, what)
    except TimeoutError:
        raise AssertionError(f"did not happen: {what}; {seen.get('status', seen)}") from None
    return seen


def is_ready(pod: dict[str, Any]) -> bool:
    """Say whether a pod is Ready."""
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


async def run_web(api: httpx.AsyncClient, namespace: str, name: str = "web", **more: Any) -> str:
    """Run the web server in a pod of this name until it is Ready, and give the pod's path."""
    path = await create(api, namespace, "pods", web(**more, metadata={"name": name}))
    await until(api, path, is_ready, f"pod {name} is Ready")
    return path


async def gone(api: httpx.AsyncClient, path: str) -> None:
    """Wait until there is nothing."""

    async def look() -> bool:
        return (await api.get(path)).status_code == 404

    await eventually(look, f"{path} is gone")


async def ask(kubelet: Kubelet, namespace: str, name: str, path: str, method: str = "GET") -> httpx.Response:
    """Ask the web server of a pod."""
    async with make_client() as client:
        return await client.request(method, f"http://{kubelet.address_of(namespace, name)}:8000{path}")


async def test_statefulset(kubelet, api, namespace):
    """A StatefulSet's pods become Ready one after the other; what they write into their claims stays when they go."""
    template = web(volumes=[])
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    spec = {
        "serviceName": "web",
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template,
        "volumeClaimTemplates": [claim],
    }
    path = await create(api, namespace, "statefulsets", {"metadata": {"name": "web"}, "spec": spec}, "apps/v1")
    await until(api, path, lambda found: found["status"].get("readyReplicas") == 2, "both are Ready")
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/data-web-1"
    assert (await api.get(claims)).json()["status"]["phase"] == "Bound"
    pod = f"/api/v1/namespaces/{namespace}/pods/web-1"
    uid = (await api.get(pod)).json()["metadata"]["uid"]
    await api.delete(pod)
    await until(api, pod, lambda found: is_ready(found) and found["metadata"]["uid"] != uid, "web-1 is there again")
    starts = kubelet.folder_of_claim(namespace, "data-web-1") / "web-1" / "starts"
    assert starts.read_text() == "web-1\nweb-1\n"
    assert kubelet.log_of(namespace, "web-1") == "up\nbye\nup\n"


@pytest.mark.parametrize(("code", "condition"), [(0, "Complete"), (1, "Failed")])
async def test_job(kubelet, api, namespace, code, condition):
    """A Job of any image ends at once, well or badly as its annotation says."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "build", "image": "busybox:1.37"}]}
    template = {"metadata": {"annotations": {"stand-in/exit-code": str(code)}}, "spec": pod}
    job = {"metadata": {"name": "build"}, "spec": {"backoffLimit": 0, "template": template}}
    path = await create(api, namespace, "jobs", job, "batch/v1")
    await until(
        api,
        path,
        lambda found: any(one["type"] == condition for one in found["status"].get("conditions", ())),
        f"the Job is {condition}",
    )


async def test_service(kubelet, api, namespace):
    """The EndpointSlice of a Service lists a Deployment's Ready pod, and at its address on this machine it answers."""
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": web()}
    await create(api, namespace, "deployments", {"metadata": {"name": "web"}, "spec": spec}, "apps/v1")
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    service = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": ports}}
    await create(api, namespace, "services", service)
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"

    def ready(found: dict[str, Any]) -> list[dict[str, Any]]:
        endpoints = (one for item in found["items"] for one in item.get("endpoints") or ())
        return [one for one in endpoints if one["conditions"]["ready"]]

    [endpoint] = ready(await until(api, slices, ready, "an endpoint is ready"))
    async with make_client() as client:
        answer = await client.get(f"http://{local(endpoint['addresses'][0])}:8000/HOSTNAME")
    assert answer.text == endpoint["targetRef"]["name"]
    container = {"args": [f"--peer=http://web.{namespace}.svc:80/x", f"http://web.{namespace}.svc.cluster.local"]}
    await run_web(api, namespace, "caller", container=container)
    address = local(endpoint["addresses"][0])
    assert kubelet.log_of(namespace, "caller") == f"up --peer=http://{address}:8000/x http://{address}:8000\n"


async def test_deletion(kubelet, api, namespace):
    """A deleted pod has its preStop pause, then SIGTERM, and is gone when its process is."""
    pause = {"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}
    path = await run_web(api, namespace, container=pause)
    await api.delete(path)
    await gone(api, path)
    assert kubelet.log_of(namespace, "web") == "up\nbye\n"


async def test_pause_before_the_end(kubelet, api, namespace):
    """In its preStop pause a pod that is deleted works on; where its process ends by itself, the pod is gone."""
    # Longer than this test takes.
    pause = {"lifecycle": {"preStop": {"sleep": {"seconds": 600}}}}
    path = await run_web(api, namespace, container=pause, terminationGracePeriodSeconds=900)
    await api.delete(path)
    assert (await ask(kubelet, namespace, "web", "/HOSTNAME")).text == "web"
    assert kubelet.log_of(namespace, "web") == "up\n"
    kubelet.kill(namespace, "web", signal.SIGTERM)
    await gone(api, path)
    assert kubelet.log_of(namespace, "web") == "up\nbye\n"


async def test_process_that_does_not_end(kubelet, api, namespace):
    """A process that does not heed SIGTERM is killed when its time is over."""
    path = await run_web(api, namespace)
    kubelet.kill(namespace, "web", signal.SIGSTOP)
    await api.delete(path, params={"gracePeriodSeconds": "1"})
    await gone(api, path)
    assert kubelet.log_of(namespace, "web") == "up\n"


async def test_kill(kubelet, api, namespace):
    """A process that was killed is started again in the same pod, with the same volumes and address."""
    path = await run_web(api, namespace)
    before = kubelet.process_of(namespace, "web")
    address = kubelet.address_of(namespace, "web")
    kubelet.kill(namespace, "web")
    pod = await until(
        api,
        path,
        lambda found: is_ready(found) and found["status"]["containerStatuses"][0]["restartCount"],
        "it is back",
    )
    [status] = pod["status"]["containerStatuses"]
    assert status["lastState"]["terminated"]["exitCode"] == 128 + signal.SIGKILL
    assert kubelet.process_of(namespace, "web") != before
    assert kubelet.address_of(namespace, "web") == address
    assert kubelet.log_of(namespace, "web") == "up\nup\n"


async def test_probes(kubelet, api, namespace):
    """A pod that fails its readiness probe is not Ready; one that fails its liveness probe is started again."""
    often = {"periodSeconds": 1, "timeoutSeconds": 30}
    liveness = {"httpGet": {"path": "/alive", "port": 8000}, "failureThreshold": 2, **often}
    readiness = {"httpGet": {"path": "/ready", "port": "http"}, "failureThreshold": 1, **often}
    path = await run_web(api, namespace, container={"livenessProbe": liveness, "readinessProbe": readiness})
    await ask(kubelet, namespace, "web", "/ready", "POST")
    await until(api, path, lambda found: not is_ready(found), "the pod is not Ready")
    assert kubelet.log_of(namespace, "web") == "up\n"
    await ask(kubelet, namespace, "web", "/alive", "POST")
    await until(api, path, is_ready, "the pod is Ready again")
    assert "liveness probe failed" in kubelet.log_of(namespace, "web")


async def test_what_a_pod_waits_for(kubelet, api, namespace):
    """A pod waits for the objects that its volumes and variables come from, and then has what they hold."""
    env = [
        {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "later", "key": "colour"}}},
        {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "later", "key": "word"}}},
        {"name": "BOTH", "value": "$(COLOUR) $(WORD) $$(WORD) $(NONE)"},
    ]
    path = await create(api, namespace, "pods", web(env=env, metadata={"name": "web"}))
    told = '"later" not found'
    await until(api, path, lambda found: told in str(found["status"]), "the pod says what it waits for")
    await create(api, namespace, "configmaps", {"metadata": {"name": "later"}, "data": {"colour": "blue"}})
    await create(api, namespace, "secrets", {"metadata": {"name": "later"}, "stringData": {"word": "open"}})
    await until(api, path, is_ready, "the pod is Ready")
    assert (await ask(kubelet, namespace, "web", "/BOTH")).text == "blue open $(WORD) $(NONE)"


async def test_pod_acts_as_its_account(kubelet, api, namespace, control_plane):
    """A pod's process finds a kubeconfig with its own account's token, which ends with the pod."""
    path = await run_web(api, namespace)
    kubeconfig = (await ask(kubelet, namespace, "web", "/KUBECONFIG")).text
    access = read_kubeconfig(control_plane.folder / kubeconfig)
    pods = f"/api/v1/namespaces/{namespace}/pods"
    async with access.client() as client:
        refused = await client.get(pods)
        assert f"system:serviceaccount:{namespace}:default" in refused.json()["message"]
        await api.delete(path)
        await gone(api, path)

        async def is_unknown() -> bool:
            return (await client.get(pods)).status_code == 401

        await eventually(is_unknown, "the token is good no more")


async def test_lost_pod(kubelet, api, namespace):
    """A pod of a dead node stays as it was last seen, and goes only by force."""
    path = await run_web(api, namespace)
    kubelet.lose(namespace, "web")

    async def refuses() -> bool:
        # What is just being killed may still take a connection.
        with suppress(httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            try:
                await ask(kubelet, namespace, "web", "/HOSTNAME")
            except httpx.ConnectError:
                return True
        return False

    await eventually(refuses, "nobody listens")
    await api.delete(path)
    pod = (await api.get(path)).json()
    assert is_ready(pod)
    await api.delete(path, params={"gracePeriodSeconds": "0"})
    await gone(api, path)


async def test_what_a_process_is_told(kubelet, api, namespace):
    """A process is told where its volumes are on this machine, and to listen at its pod's own address."""
    await run_web(api, namespace, container={"args": ["/data/web", "--file=/data", "/database", "0.0.0.0:7000"]})
    _, at, option, other, listen = kubelet.log_of(namespace, "web").split()
    assert at == option.removeprefix("--file=") + "/web"
    assert await asyncio.to_thread(Path(at, "starts").read_text) == "web\n"
    assert (other, listen) == ("/database", f"{kubelet.address_of(namespace, 'web')}:7000")


async def test_pod_that_is_not_understood(kubelet, api, namespace):
    """A pod that the stand-in does not understand stays as it is, is told of in its log, and hinders no other."""
    path = await create(
        api, namespace, "pods", web(metadata={"name": "odd", "annotations": {"stand-in/seconds": "few"}})
    )
    await run_web(api, namespace)

    async def is_told() -> bool:
        return f"pod {namespace}/odd" in kubelet.said()

    await eventually(is_told, "its log tells of it")
    assert (await api.get(path)).json()["status"]["phase"] == "Pending"


async def test_hookwright(kubelet, api, namespace):
    """A container of Hookwright's image is this Hookwright, with its pod's arguments."""
    container = {"name": "hookwright", "image": "ghcr.io/someone/hookwright:dev", "args": ["version"]}
    body = {"metadata": {"name": "version"}, "spec": {"restartPolicy": "Never", "containers": [container]}}
    path = await create(api, namespace, "pods", body)
    await until(api, path, lambda found: found["status"].get("phase") == "Succeeded", "the pod has ended well")
    assert kubelet.log_of(namespace, "version").startswith("hookwright ")


async def test_restart_of_the_api_server(kubelet, api, namespace, control_plane):
    """While the API server is away processes go on; when it is back, so is the kubelet's knowledge."""
    path = await run_web(api, namespace)
    control_plane.stop_api_server()
    assert (await ask(kubelet, namespace, "web", "/HOSTNAME")).text == "web"
    control_plane.start_api_server()
    await api.delete(path)
    await gone(api, path)
    assert kubelet.log_of(namespace, "web") == "up\nbye\n"


async def test_status_that_was_not_heard_is_told_again(control_plane, tmp_path, api, monkeypatch):
    """What a pod is told to be by somebody else, or was never heard to be, is put right when all pods are listed."""
    monkeypatch.setattr("support.kubelet.api.WATCH_SECONDS", 1)
    with Kubelet(control_plane, tmp_path / "kubelet"):
        pod = {"metadata": {"name": "lasting"}, "spec": {"containers": [{"name": "one", "image": "busybox:1.37"}]}}
        (await api.post("/api/v1/namespaces/default/pods", json=pod)).raise_for_status()
        path = "/api/v1/namespaces/default/pods/lasting"

        async def runs() -> bool:
            return (await api.get(path)).json()["status"]["phase"] == "Running"

        await eventually(runs, "the pod runs")
        merge = {"content-type": "application/merge-patch+json"}
        (await api.patch(path + "/status", json={"status": {"phase": "Pending"}}, headers=merge)).raise_for_status()
        await eventually(runs, "the pod runs again")
        await api.delete(path)
