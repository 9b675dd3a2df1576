"""What any API server notes of who owns which field, and server-side apply of built-in kinds."""

from __future__ import annotations

import json
from typing import Any

import httpx

from integration.devcluster.api import CORE, JSON_PATCH, MERGE_PATCH, Kind
from integration.devcluster.applying import apply, conflicts_of, owners_of

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


async def test_other_writes_own_what_they_change(api: httpx.AsyncClient, widgets: Kind) -> None:
    """POST, PUT and the other patches own what they add or change, in the name of the field manager or the program."""
    path = f"{widgets.path}/a"
    body = widgets.make("a", spec={"mode": "Fast", "texts": {"k": "v"}, "parts": [{"name": "x"}]})
    created = await api.post(widgets.path, json=body, params={"fieldManager": "poster"})
    part = {".": {}, "f:name": {}, "f:port": {}}
    fields = {
        ".": {},
        "f:mode": {},
        "f:parts": {".": {}, 'k:{"name":"x"}': part},
        "f:retries": {},
        "f:texts": {".": {}, "f:k": {}},
        "f:url": {},
    }
    assert owners_of(created) == {("poster", "Update"): {"f:spec": fields}}
    headers = {**MERGE_PATCH, "user-agent": "agent/1.0 (x)"}
    patched = await api.patch(path, json={"spec": {"note": "n", "mode": None}}, headers=headers)
    del fields["f:mode"]
    expected = {("agent", "Update"): {"f:spec": {"f:note": {}}}, ("poster", "Update"): {"f:spec": fields}}
    assert owners_of(patched) == expected
    same = await api.patch(path, json={"spec": {"note": "n"}}, headers=MERGE_PATCH, params={"fieldManager": "idle"})
    assert owners_of(same) == expected


async def test_conflict_with_an_update(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Who has changed an applied field by other means is in the way of its next apply."""
    path = f"{widgets.path}/a"
    await apply(api, path, widgets.make("a", spec={"mode": "Fast"}))
    patch = {"spec": {"mode": "Safe"}}
    await api.patch(path, json=patch, headers=MERGE_PATCH, params={"fieldManager": "someone"})
    refused = await apply(api, path, widgets.make("a", spec={"mode": "Fast"}))
    assert conflicts_of(refused) == {(".spec.mode", f'conflict with "someone" using {widgets.group}/v1')}
    assert (await apply(api, path, widgets.make("a", spec={"mode": "Safe"}))).status_code == 200
    assert (await apply(api, path, widgets.make("a"))).json()["spec"]["mode"] == "Safe"


async def test_objects_that_nobody_owns(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Owners can be forgotten; nothing is tracked from then on, until somebody applies: then it all was before."""
    path = f"{widgets.path}/a"
    await apply(api, path, widgets.make("a", spec={"mode": "Fast"}))
    reset = await api.patch(path, json={"metadata": {"managedFields": [{}]}}, headers=MERGE_PATCH)
    assert owners_of(reset) == {}
    changed = await api.patch(path, json={"spec": {"note": "n"}}, headers=MERGE_PATCH)
    assert (owners_of(changed), changed.json()["spec"]["note"]) == ({}, "n")
    refused = await apply(api, path, widgets.make("a", spec={"note": "m"}))
    assert conflicts_of(refused) == {(".spec.note", f'conflict with "before-first-apply" using {widgets.group}/v1')}
    assert (await apply(api, path, widgets.make("a", spec={"note": "n"}))).status_code == 200


async def test_owners_can_be_replaced(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Who writes managedFields decides whose is what; what is no list of owners, or none, changes nothing."""
    path = f"{widgets.path}/a"
    await apply(api, path, widgets.make("a", spec={"mode": "Fast"}))
    entry = {
        "manager": "me",
        "operation": "Apply",
        "apiVersion": f"{widgets.group}/v1",
        "time": "2024-01-01T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:mode": {}}},
    }

    async def write(entries: list[dict[str, Any]]) -> httpx.Response:
        operation = {"op": "replace", "path": "/metadata/managedFields", "value": entries}
        return await api.patch(path, content=json.dumps([operation]), headers=JSON_PATCH)

    mine = {("me", "Apply"): {"f:spec": {"f:mode": {}}}}
    assert owners_of(await write([entry])) == mine
    assert owners_of(await write([entry | {"operation": "Seize"}])) == mine
    assert owners_of(await write([])) == mine
    dropped = await apply(api, path, widgets.make("a"), "me")
    assert dropped.json()["spec"] == {"url": "https://a.example", "retries": 5}


async def test_many_updaters(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Ten updaters are told apart; of more, the oldest ones become one."""
    path = f"{widgets.path}/a"
    await apply(api, path, widgets.make("a"))
    for number in range(12):
        patch = {"spec": {"texts": {f"t{number}": "v"}}}
        query = {"fieldManager": f"m{number}"}
        response = await api.patch(path, json=patch, headers=MERGE_PATCH, params=query)
    updaters = {manager for manager, operation in owners_of(response) if operation == "Update"}
    assert len(updaters) == 10
    assert "ancient-changes" in updaters


async def test_config_map(api: httpx.AsyncClient, namespace: str) -> None:
    """The entries of a built-in kind's map are owned one by one."""
    path = f"{CORE}/namespaces/{namespace}/configmaps/c"
    head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    created = await apply(api, path, head | {"data": {"a": "1", "b": "1"}})
    assert (created.status_code, owners_of(created)) == (201, {("one", "Apply"): {"f:data": {"f:a": {}, "f:b": {}}}})
    refused = await apply(api, path, head | {"data": {"a": "2"}}, "two")
    assert conflicts_of(refused) == {(".data.a", 'conflict with "one"')}
    await apply(api, path, head | {"data": {"c": "1"}}, "two")
    assert (await apply(api, path, head | {"data": {"a": "2"}})).json()["data"] == {"a": "2", "c": "1"}
    refused = await apply(api, path, head | {"data": {"a": 3}})
    assert (refused.status_code, ".data.a: " in refused.json()["message"]) == (500, True)


async def test_secret(api: httpx.AsyncClient, namespace: str) -> None:
    """A Secret's stringData is owned as that, apart from its data, which stays when stringData is dropped."""
    path = f"{CORE}/namespaces/{namespace}/secrets/s"
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    created = await apply(api, path, head | {"stringData": {"a": "b"}})
    assert (created.json()["data"], owners_of(created)) == (
        {"a": "Yg=="},
        {("one", "Apply"): {"f:stringData": {"f:a": {}}}},
    )
    taken = await apply(api, path, head | {"data": {"a": "eHh4"}}, "two")
    assert taken.json()["data"] == {"a": "eHh4"}
    assert (await apply(api, path, head)).json()["data"] == {"a": "eHh4"}


def _deployment(**images: str) -> dict[str, Any]:
    containers = [
        {
            "name": name,
            "image": image,
            "args": [image],
            "env": [{"name": "E", "value": image}],
            "ports": [{"containerPort": 80 + number}],
        }
        for number, (name, image) in enumerate(images.items())
    ]
    template = {"metadata": {"labels": {"x": "y"}}, "spec": {"containers": containers}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"x": "y"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}


async def test_pod_template(api: httpx.AsyncClient, namespace: str) -> None:
    """Containers and variables are told apart by name, ports by number and protocol; selectors are owned as a whole."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/d"
    created = await apply(api, path, _deployment(a="1", b="1"))
    spec = owners_of(created)["one", "Apply"]["f:spec"]
    assert (spec["f:selector"], spec["f:replicas"]) == ({}, {})
    container = spec["f:template"]["f:spec"]["f:containers"]['k:{"name":"a"}']
    assert container["f:ports"] == {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}}
    assert container["f:args"] == {}
    refused = await apply(api, path, _deployment(a="2"), "two")
    base = '.spec.template.spec.containers[name="a"]'
    fields = {f"{base}.image", f"{base}.args", f'{base}.env[name="E"].value'}
    assert conflicts_of(refused) == {(field, 'conflict with "one"') for field in fields}
    await apply(api, path, _deployment(a="1", c="1"), "two")
    left = await apply(api, path, _deployment(a="1"))
    assert [one["name"] for one in left.json()["spec"]["template"]["spec"]["containers"]] == ["a", "c"]


async def test_service_ports(api: httpx.AsyncClient, namespace: str) -> None:
    """Two ports of one number are two, if their protocols differ."""
    path = f"{CORE}/namespaces/{namespace}/services/s"
    head = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    udp, tcp = {"name": "u", "port": 53, "protocol": "UDP"}, {"name": "t", "port": 53}
    created = await apply(api, path, head | {"spec": {"ports": [udp, tcp]}})
    assert len(created.json()["spec"]["ports"]) == 2
    left = await apply(api, path, head | {"spec": {"ports": [tcp]}})
    assert [one["name"] for one in left.json()["spec"]["ports"]] == ["t"]


async def test_role(api: httpx.AsyncClient, namespace: str) -> None:
    """A list of a built-in kind that has no keys is owned as a whole."""
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/r"
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}}
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    await apply(api, path, head | {"rules": [rule]})
    refused = await apply(api, path, head | {"rules": [rule, rule | {"resources": ["secrets"]}]}, "two")
    assert conflicts_of(refused) == {(".rules", 'conflict with "one"')}


async def test_kubectl_takes_over_from_itself(api: httpx.AsyncClient, namespace: str) -> None:
    """What kubectl applied from the client's side it applies from the server's, unless it was changed since then."""
    path = f"{CORE}/namespaces/{namespace}/configmaps"
    head = {"apiVersion": "v1", "kind": "ConfigMap"}
    applied = head | {"metadata": {"name": "c", "annotations": {}}, "data": {"a": "1", "b": "1"}}
    body = applied | {"metadata": {"name": "c", "annotations": {LAST_APPLIED: json.dumps(applied)}}}
    await api.post(path, json=body, params={"fieldManager": "kubectl-client-side-apply"})
    await api.patch(f"{path}/c", json={"data": {"b": "2"}}, headers=MERGE_PATCH, params={"fieldManager": "someone"})
    wanted = head | {"metadata": {"name": "c"}, "data": {"a": "3", "b": "3"}}
    refused = await apply(api, f"{path}/c", wanted, "kubectl")
    assert conflicts_of(refused) == {(".data.b", 'conflict with "someone" using v1')}
    assert len(conflicts_of(await apply(api, f"{path}/c", wanted, "other"))) == 2
    wanted["data"] = {"a": "3"}
    taken = (await apply(api, f"{path}/c", wanted, "kubectl")).json()
    assert taken["data"] == {"a": "3", "b": "2"}
    assert json.loads(taken["metadata"]["annotations"][LAST_APPLIED])["data"] == {"a": "3"}
    assert taken["metadata"]["annotations"][LAST_APPLIED].endswith("\n")
