"""What any API server does with the kinds that are built in, and with what it is sent."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from integration.devcluster.api import BATCH, CORE, MERGE_PATCH, Kind, eventually, gone


def make_job(name: str = "job", **spec: Any) -> dict[str, Any]:
    """Make a Job that is taken; it is suspended, so that nobody runs it."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}
    metadata = {"name": name}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"suspend": True, "template": {"spec": pod}, **spec},
    }


async def test_namespace_must_exist(api: httpx.AsyncClient, widgets: Kind) -> None:
    """An object in a namespace that does not exist is answered 404 with the namespace's name."""
    path = widgets.path.replace(widgets.namespace, "no-such-namespace")
    response = await api.post(path, json=widgets.make("x", namespace="no-such-namespace"))
    assert response.status_code == 404
    assert response.json()["message"] == 'namespaces "no-such-namespace" not found'


async def test_new_namespace(api: httpx.AsyncClient, namespace: str) -> None:
    """A new namespace is active, carries its name as a label, and gets a ServiceAccount."""
    found = (await api.get(f"{CORE}/namespaces/{namespace}")).json()
    assert found["status"]["phase"] == "Active"
    assert found["metadata"]["labels"]["kubernetes.io/metadata.name"] == namespace
    accounts = (await api.get(f"{CORE}/namespaces/{namespace}/serviceaccounts")).json()["items"]
    assert [one["metadata"]["name"] for one in accounts] == ["default"]


async def test_deleted_namespace_takes_its_contents(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A deleted namespace stays, terminating and closed for new objects, until what is in it is gone."""
    path = f"{CORE}/namespaces/{widgets.namespace}"
    await api.post(f"{path}/configmaps", json={"metadata": {"name": "c"}})
    await api.post(widgets.path, json=widgets.make("held", finalizers=["example.com/f"]))
    assert (await api.delete(path)).status_code == 200
    assert (await api.get(path)).json()["status"]["phase"] == "Terminating"
    response = await api.post(f"{path}/configmaps", json={"metadata": {"name": "late"}})
    assert (response.status_code, response.json()["reason"]) == (403, "Forbidden")
    assert response.json()["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    await gone(api, f"{path}/configmaps/c")

    async def is_marked() -> bool:
        return "deletionTimestamp" in (await api.get(f"{widgets.path}/held")).json()["metadata"]

    await eventually(is_marked, "the held object is marked")
    await api.patch(f"{widgets.path}/held", json={"metadata": {"finalizers": None}}, headers=MERGE_PATCH)
    await gone(api, path)


async def test_default_namespace_stays(api: httpx.AsyncClient) -> None:
    """The namespace default may not be deleted."""
    assert (await api.delete(f"{CORE}/namespaces/default")).status_code == 403


async def test_secret(api: httpx.AsyncClient, namespace: str) -> None:
    """A Secret's stringData becomes data; the type is Opaque; data that is not base64 is refused."""
    path = f"{CORE}/namespaces/{namespace}/secrets"
    body = {"metadata": {"name": "s"}, "stringData": {"text": "grüße"}, "data": {"raw": "AAE="}}
    created = (await api.post(path, json=body)).json()
    assert created["data"] == {"raw": "AAE=", "text": base64.b64encode("grüße".encode()).decode()}
    assert (created["type"], "stringData" in created) == ("Opaque", False)
    patch = {"stringData": {"text": "new"}}
    patched = (await api.patch(f"{path}/s", json=patch, headers=MERGE_PATCH)).json()
    assert patched["data"] == {"raw": "AAE=", "text": "bmV3"}
    response = await api.post(path, json={"metadata": {"name": "bad"}, "data": {"k": "not base64!"}})
    assert (response.status_code, response.json()["reason"]) == (400, "BadRequest")


async def test_config_map_holds_texts(api: httpx.AsyncClient, namespace: str) -> None:
    """A number in a ConfigMap's data cannot be decoded: 400."""
    response = await api.post(
        f"{CORE}/namespaces/{namespace}/configmaps", json={"metadata": {"name": "c"}, "data": {"a": 1}}
    )
    assert response.status_code == 400


async def test_events_are_one_store(api: httpx.AsyncClient, namespace: str) -> None:
    """A Kubernetes Event is seen in both groups, under the names of each; both posts get names of their own."""
    path = f"{CORE}/namespaces/{namespace}/events"
    about = {"kind": "Widget", "name": "a", "namespace": namespace}
    body = {
        "metadata": {"generateName": "event-"},
        "involvedObject": about,
        "reason": "Tried",
        "message": "It was tried.",
        "type": "Normal",
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    names = {(await api.post(path, json=body)).json()["metadata"]["name"] for _ in range(2)}
    assert len(names) == 2
    newer = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events/{names.pop()}"
    found = (await api.get(newer)).json()
    assert (found["note"], found["regarding"]["name"]) == ("It was tried.", "a")
    selector = {"fieldSelector": "involvedObject.kind=Widget,involvedObject.name=a"}
    assert len((await api.get(path, params=selector)).json()["items"]) == 2
    selector = {"fieldSelector": "involvedObject.name=b"}
    assert (await api.get(path, params=selector)).json()["items"] == []


async def test_event_of_another_namespace(api: httpx.AsyncClient, namespace: str) -> None:
    """A Kubernetes Event stands in the namespace of what it is about."""
    body = {"metadata": {"name": "e"}, "involvedObject": {"name": "a", "namespace": "default"}, "reason": "R"}
    response = await api.post(f"{CORE}/namespaces/{namespace}/events", json=body)
    assert response.status_code == 422


async def test_lease(api: httpx.AsyncClient, namespace: str) -> None:
    """A Lease is taken over by a PUT that knows its version, and by no other."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    body = {"metadata": {"name": "l"}, "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}}
    lease = (await api.post(path, json=body)).json()
    first = await api.put(f"{path}/l", json={**lease, "spec": {"holderIdentity": "b"}})
    second = await api.put(f"{path}/l", json={**lease, "spec": {"holderIdentity": "c"}})
    assert (first.status_code, second.status_code) == (200, 409)


async def test_job_defaults(api: httpx.AsyncClient, namespace: str) -> None:
    """A Job gets counts, a selector, and the labels to match on its template."""
    job = (await api.post(f"{BATCH}/namespaces/{namespace}/jobs", json=make_job())).json()
    spec = job["spec"]
    assert (spec["parallelism"], spec["completions"], spec["backoffLimit"]) == (1, 1, 6)
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    assert labels["batch.kubernetes.io/job-name"] == "job"


def _container(**members: Any) -> dict[str, Any]:
    return {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i", **members}]}}}


@pytest.mark.parametrize(
    ("spec", "field", "reason"),
    [
        ({"template": {}}, "spec.template.spec.containers", "FieldValueRequired"),
        (
            {"template": {"spec": {"restartPolicy": "Never", "containers": []}}},
            "spec.template.spec.containers",
            "FieldValueRequired",
        ),
        (_container(name=""), "spec.template.spec.containers[0].name", "FieldValueRequired"),
        (_container(name="No"), "spec.template.spec.containers[0].name", "FieldValueInvalid"),
        (_container(image=""), "spec.template.spec.containers[0].image", "FieldValueRequired"),
        (_container(env=[{"value": "v"}]), "spec.template.spec.containers[0].env[0].name", "FieldValueRequired"),
        (_container(env=[{"name": "a=b"}]), "spec.template.spec.containers[0].env[0].name", "FieldValueInvalid"),
        (
            {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}},
            "spec.template.spec.restartPolicy",
            "FieldValueRequired",
        ),
        (
            {"template": {"spec": {"restartPolicy": "Sometimes", "containers": [{"name": "c", "image": "i"}]}}},
            "spec.template.spec.restartPolicy",
            "FieldValueNotSupported",
        ),
        ({"backoffLimit": -1}, "spec.backoffLimit", "FieldValueInvalid"),
    ],
)
async def test_invalid_job(
    api: httpx.AsyncClient, namespace: str, spec: dict[str, Any], field: str, reason: str
) -> None:
    """A Job that could not run is answered 422 with the field, also in a dry run."""
    for query in ({}, {"dryRun": "All"}):
        response = await api.post(f"{BATCH}/namespaces/{namespace}/jobs", json=make_job(**spec), params=query)
        assert (response.status_code, response.json()["reason"]) == (422, "Invalid")
        causes = [(one["field"], one["reason"]) for one in response.json()["details"]["causes"]]
        assert (field, reason) in causes


async def test_job_with_a_long_name(api: httpx.AsyncClient, namespace: str) -> None:
    """A Job's name becomes a label, so 64 characters are too many."""
    path = f"{BATCH}/namespaces/{namespace}/jobs"
    assert (await api.post(path, json=make_job("j" * 64))).status_code == 422
    assert (await api.post(path, json=make_job("j" * 63))).status_code == 201


async def test_indexed_job_with_a_long_name(api: httpx.AsyncClient, namespace: str) -> None:
    """The hostname of an Indexed Job's last pod is the Job's name and an index, with 63 characters at most."""
    path = f"{BATCH}/namespaces/{namespace}/jobs"
    for completions, length in ((1, 61), (10, 61), (11, 60), (1_000, 59), (1_001, 58)):
        indexed = {"completionMode": "Indexed", "completions": completions}
        refused = await api.post(path, json=make_job("j" * (length + 1), **indexed))
        assert refused.status_code == 422
        hostname = f"{'j' * (length + 1)}-{completions - 1}"
        assert f"will not able to create pod with invalid DNS label: {hostname}" in refused.json()["message"]
        params = {"dryRun": "All"}
        assert (await api.post(path, json=make_job("j" * length, **indexed), params=params)).status_code == 201
    unknown = await api.post(path, json=make_job(completionMode="Sometimes"))
    assert [one["field"] for one in unknown.json()["details"]["causes"]] == ["spec.completionMode"]


async def test_number_in_the_environment(api: httpx.AsyncClient, namespace: str) -> None:
    """An environment variable's value is a text: a number is answered 400."""
    spec = _container(env=[{"name": "A", "value": 1}])
    response = await api.post(f"{BATCH}/namespaces/{namespace}/jobs", json=make_job(**spec))
    assert (response.status_code, response.json()["reason"]) == (400, "BadRequest")


async def test_status_of_a_new_job_is_not_its_makers(api: httpx.AsyncClient, namespace: str) -> None:
    """A status that is sent with a new Job is dropped."""
    body = make_job() | {"status": {"succeeded": 1}}
    created = (await api.post(f"{BATCH}/namespaces/{namespace}/jobs", json=body)).json()
    assert "succeeded" not in created.get("status", {})


@pytest.mark.parametrize("name", ["Upper", "under_score", "-dash", "dash-", "a..b", "x" * 254, "sp ace"])
async def test_bad_names(api: httpx.AsyncClient, namespace: str, name: str) -> None:
    """A name that is no RFC 1123 subdomain is answered 422."""
    response = await api.post(f"{CORE}/namespaces/{namespace}/configmaps", json={"metadata": {"name": name}})
    assert response.status_code == 422
    assert "metadata.name" in {one["field"] for one in response.json()["details"]["causes"]}


@pytest.mark.parametrize(
    "labels", [{"a": "sp ace"}, {"a": "x" * 64}, {"a": "-b"}, {"sp ace": "b"}, {"Up.per/a": "b"}, {"a/b/c": "d"}]
)
async def test_bad_labels(api: httpx.AsyncClient, widgets: Kind, labels: dict[str, str]) -> None:
    """A label that is not legal is answered 422, for every kind."""
    for path, body in (
        (f"{CORE}/namespaces/{widgets.namespace}/configmaps", {"metadata": {"name": "c", "labels": labels}}),
        (widgets.path, widgets.make("c", labels=labels)),
    ):
        response = await api.post(path, json=body)
        assert response.status_code == 422
        assert "metadata.labels" in {one["field"] for one in response.json()["details"]["causes"]}


async def test_label_that_is_no_text(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A number for a label cannot be decoded: 400."""
    assert (await api.post(widgets.path, json=widgets.make("c", labels={"a": 1}))).status_code == 400


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"text"', b"", b"\xff\xfe", b'{"metadata": {"name": NaN}}', b"[" * 200_000]
)
async def test_broken_bodies(api: httpx.AsyncClient, namespace: str, body: bytes) -> None:
    """A body that is no object is answered 400, or 422, with a Status."""
    response = await api.post(
        f"{CORE}/namespaces/{namespace}/configmaps", content=body, headers={"content-type": "application/json"}
    )
    assert response.status_code in (400, 422)
    assert response.json()["kind"] == "Status"


async def test_unknown_media_type(api: httpx.AsyncClient, namespace: str) -> None:
    """A media type that is not known is answered 415."""
    path = f"{CORE}/namespaces/{namespace}/configmaps"
    response = await api.post(path, content=b"a=b", headers={"content-type": "application/x-www-form-urlencoded"})
    assert (response.status_code, response.json()["reason"]) == (415, "UnsupportedMediaType")


async def test_too_large_body(api: httpx.AsyncClient, namespace: str) -> None:
    """A body beyond all bounds is answered 413; a server may hang up before the sender has finished."""
    body = {"metadata": {"name": "c"}, "data": {"a": "x" * (9 * 1024 * 1024)}}
    try:
        status = (await api.post(f"{CORE}/namespaces/{namespace}/configmaps", json=body)).status_code
    except httpx.TransportError:
        status = None
    assert status in (413, None)
    assert (await api.get(f"{CORE}/namespaces/{namespace}/configmaps/c")).status_code == 404


async def _config_map(
    api: httpx.AsyncClient, namespace: str, name: str, owners: list[dict[str, Any]]
) -> dict[str, Any]:
    body = {"metadata": {"name": name, "ownerReferences": owners}}
    response = await api.post(f"{CORE}/namespaces/{namespace}/configmaps", json=body)
    return response.raise_for_status().json()


def _owner(obj: dict[str, Any]) -> dict[str, Any]:
    metadata = obj["metadata"]
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": metadata["name"], "uid": metadata["uid"]}


async def test_owned_objects_go_with_their_owner(api: httpx.AsyncClient, widgets: Kind) -> None:
    """What is owned goes with its owner, and what that owns too; what has another owner stays without the lost one."""
    owners = [(await api.post(widgets.path, json=widgets.make(name))).json() for name in ("one", "two")]
    child = await _config_map(api, widgets.namespace, "child", [_owner(owners[0])])
    await _config_map(api, widgets.namespace, "grandchild", [_owner(child | {"apiVersion": "v1", "kind": "ConfigMap"})])
    await _config_map(api, widgets.namespace, "shared", [_owner(one) for one in owners])
    await api.delete(f"{widgets.path}/one", params={"propagationPolicy": "Background"})
    path = f"{CORE}/namespaces/{widgets.namespace}/configmaps"
    await gone(api, f"{path}/child")
    await gone(api, f"{path}/grandchild")

    async def owner_names() -> bool:
        references = (await api.get(f"{path}/shared")).json()["metadata"]["ownerReferences"]
        return [one["name"] for one in references] == ["two"]

    await eventually(owner_names, "the lost owner is taken off")


async def test_orphans_stay(api: httpx.AsyncClient, widgets: Kind) -> None:
    """With the policy Orphan, what was owned stays and has no owner any more."""
    owner = (await api.post(widgets.path, json=widgets.make("one"))).json()
    await _config_map(api, widgets.namespace, "child", [_owner(owner)])
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Orphan"}
    await api.request("DELETE", f"{widgets.path}/one", json=options)
    path = f"{CORE}/namespaces/{widgets.namespace}/configmaps/child"

    async def is_free() -> bool:
        return "ownerReferences" not in (await api.get(path)).json()["metadata"]

    await eventually(is_free, "the child has no owner")
    await gone(api, f"{widgets.path}/one")


async def test_object_of_an_absent_owner_is_collected(api: httpx.AsyncClient, widgets: Kind) -> None:
    """What names an owner that is gone already is collected."""
    owner = (await api.post(widgets.path, json=widgets.make("one"))).json()
    await api.delete(f"{widgets.path}/one")
    await _config_map(api, widgets.namespace, "late", [_owner(owner)])
    await gone(api, f"{CORE}/namespaces/{widgets.namespace}/configmaps/late")


async def test_owner_without_a_uid(api: httpx.AsyncClient, widgets: Kind) -> None:
    """An owner reference without a UID is answered 422."""
    body = widgets.make("c", ownerReferences=[{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": ""}])
    response = await api.post(widgets.path, json=body)
    assert response.status_code == 422


async def test_version(api: httpx.AsyncClient) -> None:
    """The version says which Kubernetes this is."""
    assert (await api.get("/version")).json()["gitVersion"].startswith("v1.")
    assert (await api.get("/readyz")).text == "ok"
