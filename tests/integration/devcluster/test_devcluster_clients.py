"""The Python clients against devcluster: `kubernetes`, `kubernetes.aio`, kopf."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Self

import kopf
import kubernetes
import pytest
import yaml
from kubernetes import aio

from hookwright.devcluster import DevCluster
from integration.devcluster.api import widget_definition
from integration.devcluster.test_conformance_builtin import make_job
from support.access import PATIENCE
from support.waiting import Patience, patience

GROUP = "clients.example.com"
KIND = f"widgets.{GROUP}"
PLACE = {"group": GROUP, "version": "v1", "namespace": "default", "plural": "widgets"}


def _widget(name: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Widget",
        "metadata": {"name": name, **metadata},
        "spec": {"url": "https://a.example"},
    }


@pytest.fixture
def served(cluster: DevCluster) -> DevCluster:
    """A cluster that serves the kind Widget."""
    cluster.apply(widget_definition(GROUP))
    return cluster


@pytest.fixture
def client(served: DevCluster) -> Iterator[kubernetes.client.ApiClient]:
    """The official client, by kubeconfig."""
    config = yaml.safe_load(served.kubeconfig())
    with kubernetes.config.new_client_from_config_dict(config) as client:
        yield client


@pytest.fixture
async def async_client(served: DevCluster, tmp_path: Path) -> AsyncIterator[aio.client.ApiClient]:
    """The official asynchronous client, by kubeconfig."""
    file = tmp_path / "kubeconfig"
    file.write_text(served.kubeconfig(), encoding="utf-8")
    configuration = aio.client.Configuration()
    await aio.config.load_kube_config(config_file=str(file), client_configuration=configuration)
    async with aio.client.ApiClient(configuration) as client:
        yield client


def test_typed_client(client: kubernetes.client.ApiClient) -> None:
    """The official client's models go to the server and come back."""
    core, batch = kubernetes.client.CoreV1Api(client), kubernetes.client.BatchV1Api(client)
    secret = kubernetes.client.V1Secret(metadata={"name": "s"}, string_data={"a": "b"})
    assert core.create_namespaced_secret("default", secret).data == {"a": "Yg=="}
    assert core.read_namespaced_secret("s", "default").type == "Opaque"
    assert batch.create_namespaced_job("default", make_job()).spec.completions == 1
    assert batch.patch_namespaced_job("job", "default", {"spec": {"suspend": False}}).metadata.generation == 2
    assert core.list_namespace().items[0].metadata.name == "default"
    with pytest.raises(kubernetes.client.ApiException) as refused:
        core.create_namespaced_secret("default", secret)
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")
    core.patch_namespaced_secret("s", "default", {"metadata": {"labels": {"a": "b"}}})
    core.delete_namespaced_secret("s", "default")
    assert core.list_namespaced_secret("default").items == []


def test_custom_objects(client: kubernetes.client.ApiClient) -> None:
    """The official client creates, patches, replaces, lists and deletes custom objects."""
    api = kubernetes.client.CustomObjectsApi(client)
    created = api.create_namespaced_custom_object(**PLACE, body=_widget("a"))
    assert created["spec"]["retries"] == 5
    api.patch_namespaced_custom_object_status(**PLACE, name="a", body={"status": {"phase": "Up"}})
    found = api.get_namespaced_custom_object(**PLACE, name="a")
    assert found["status"] == {"phase": "Up"}
    found["spec"]["mode"] = "Fast"
    assert api.replace_namespaced_custom_object(**PLACE, name="a", body=found)["metadata"]["generation"] == 2
    assert len(api.list_namespaced_custom_object(**PLACE)["items"]) == 1
    assert api.delete_namespaced_custom_object(**PLACE, name="a")["status"] == "Success"


def test_watch(client: kubernetes.client.ApiClient, served: DevCluster) -> None:
    """The official client's watch sees what is there and what comes."""
    served.apply(_widget("a"))
    api = kubernetes.client.CustomObjectsApi(client)
    watch, seen = kubernetes.watch.Watch(), []
    for event in watch.stream(api.list_namespaced_custom_object, **PLACE, timeout_seconds=120):
        seen.append((event["type"], event["object"]["metadata"]["name"]))
        if len(seen) == 1:
            served.apply(_widget("b"))
        else:
            watch.stop()
    assert seen == [("ADDED", "a"), ("ADDED", "b")]


def test_dynamic_client(client: kubernetes.client.ApiClient) -> None:
    """The dynamic client finds the kind by discovery."""
    api = kubernetes.dynamic.DynamicClient(client).resources.get(api_version=f"{GROUP}/v1", kind="Widget")
    assert api.create(body=_widget("a"), namespace="default").spec.retries == 5
    assert [one.metadata.name for one in api.get(namespace="default").items] == ["a"]


async def test_async_client(async_client: aio.client.ApiClient) -> None:
    """The asynchronous client creates, patches, lists and deletes."""
    batch, custom = aio.client.BatchV1Api(async_client), aio.client.CustomObjectsApi(async_client)
    job = await batch.create_namespaced_job("default", make_job(), dry_run="All")
    assert job.spec.completions == 1
    created = await custom.create_namespaced_custom_object(**PLACE, body=_widget("a"))
    patch = {"status": {"phase": "Up"}}
    patched = await custom.patch_namespaced_custom_object_status(
        **PLACE, name="a", body=patch, _content_type="application/merge-patch+json"
    )
    assert patched["metadata"]["uid"] == created["metadata"]["uid"]
    assert patched["status"] == {"phase": "Up"}
    listed = await custom.list_namespaced_custom_object(**PLACE, label_selector="!x")
    assert [one["metadata"]["name"] for one in listed["items"]] == ["a"]
    await custom.delete_namespaced_custom_object(**PLACE, name="a")
    with pytest.raises(aio.client.ApiException) as refused:
        await custom.get_namespaced_custom_object(**PLACE, name="a")
    assert refused.value.status == 404


async def test_async_watch(async_client: aio.client.ApiClient, served: DevCluster) -> None:
    """The asynchronous client's watch follows from a list's version."""
    api = aio.client.CustomObjectsApi(async_client)
    version = (await api.list_namespaced_custom_object(**PLACE))["metadata"]["resourceVersion"]
    served.apply(_widget("a"))
    async with aio.watch.Watch() as watch:
        stream = watch.stream(api.list_namespaced_custom_object, **PLACE, resource_version=version)
        async with patience(PATIENCE):
            event = await anext(aiter(stream))
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "a")


class Operator:
    """A kopf operator in a thread and event loop of its own, which handles Widgets."""

    def __init__(self, url: str) -> None:
        self.created: list[str] = []
        self.deleted: list[str] = []
        self._stop = threading.Event()
        self._registry = kopf.OperatorRegistry()
        self._settings = kopf.OperatorSettings()
        self._settings.persistence.finalizer = "example.com/kopf"
        self._settings.queueing.idle_timeout = self._settings.queueing.exit_timeout = 0.1
        self._settings.networking.error_backoffs = (0.05,) * 20
        kopf.on.login(registry=self._registry)(lambda **_: kopf.ConnectionInfo(server=url))
        for decorator, handler in ((kopf.on.create, self._create), (kopf.on.delete, self._delete)):
            decorator(GROUP, "v1", "widgets", registry=self._registry, id=handler.__name__)(handler)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.run(
            kopf.operator(
                registry=self._registry,
                settings=self._settings,
                namespaces=["default"],
                standalone=True,
                stop_flag=self._stop,
            )
        )

    async def _create(self, *, name: str, body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:
        kopf.event(body, type="Normal", reason="Created", message=f"{name} is there")
        patch.status["phase"] = "Up"
        self.created.append(name)

    async def _delete(self, *, name: str, **_: Any) -> None:
        self.deleted.append(name)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def _until(happens: Callable[[], object], what: str) -> None:
    left = Patience(PATIENCE)
    while not happens():
        assert left.lasts(), what
        time.sleep(0.01)


def test_kopf(served: DevCluster) -> None:
    """Create and delete handlers run, with a finalizer, a status and a Kubernetes Event."""
    served.apply(_widget("before"))
    with Operator(served.url) as operator:
        _until(lambda: operator.created == ["before"], "what was there before is handled")
        served.apply(_widget("a"))
        _until(lambda: (served.get(KIND, "default", "a") or {}).get("status") == {"phase": "Up"}, "status is written")
        assert served.get(KIND, "default", "a")["metadata"]["finalizers"] == ["example.com/kopf"]
        _until(lambda: "a is there" in {one["message"] for one in served.list("events")}, "the event is posted")
        _delete(served, "a")
        _until(lambda: served.get(KIND, "default", "a") is None, "the finalizer is taken off")
        assert operator.deleted == ["a"]


@pytest.mark.parametrize("trouble", ["closed watches", "expired history", "refusals", "dropped connections"])
def test_kopf_in_trouble(served: DevCluster, trouble: str) -> None:
    """An operator goes on after watches end, history is lost, and requests fail."""
    with Operator(served.url) as operator:
        served.apply(_widget("a"))
        _until(lambda: operator.created == ["a"], "the first object is handled")
        _until(lambda: (served.get(KIND, "default", "a") or {}).get("status"), "status is written")
        match trouble:
            case "closed watches":
                served.close_watches()
            case "expired history":
                served.expire_history()
                served.close_watches()
            case "refusals":
                served.answer(method="PATCH", status=503, reason="ServiceUnavailable", times=3)
            case "dropped connections":
                served.drop(method="PATCH", times=3)
        served.apply(_widget("b"))
        _until(lambda: (served.get(KIND, "default", "b") or {}).get("status"), "the second object is handled")


def _delete(cluster: DevCluster, name: str) -> None:
    with contextlib.closing(kubernetes.config.new_client_from_config_dict(yaml.safe_load(cluster.kubeconfig()))) as api:
        kubernetes.client.CustomObjectsApi(api).delete_namespaced_custom_object(**PLACE, name=name)
