"""What any API server does with objects: created, read, changed, deleted."""

from __future__ import annotations

import asyncio
import json
import re

import httpx
import pytest

from integration.devcluster.api import CORE, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, TABLE, Kind, gone


async def test_creation_sets_system_metadata(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A created object has a UID, a resourceVersion, a creationTimestamp and generation 1."""
    response = await api.post(widgets.path, json=widgets.make("a"))
    assert response.status_code == 201
    metadata = response.json()["metadata"]
    assert metadata["generation"] == 1
    assert {"uid", "resourceVersion"} <= metadata.keys()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])


async def test_second_creation_is_refused(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A name that is taken is answered 409 AlreadyExists, with the name in the details."""
    await api.post(widgets.path, json=widgets.make("twice"))
    response = await api.post(widgets.path, json=widgets.make("twice"))
    status = response.json()
    assert (response.status_code, status["reason"]) == (409, "AlreadyExists")
    assert status["details"] == {"name": "twice", "group": widgets.group, "kind": "widgets"}
    assert status["message"] == f'widgets.{widgets.group} "twice" already exists'


async def test_generate_name(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A generateName makes a different name each time."""
    names = set()
    for _ in range(3):
        response = await api.post(widgets.path, json=widgets.make(generateName="gen-"))
        names.add(response.json()["metadata"]["name"])
    assert len(names) == 3
    assert all(name.startswith("gen-") for name in names)


async def test_creation_with_a_resource_version_is_refused(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A resourceVersion must not be set on what is to be created."""
    response = await api.post(widgets.path, json=widgets.make("rv", resourceVersion="7"))
    assert response.status_code == 500
    assert response.json()["message"] == "resourceVersion should not be set on objects to be created"


async def test_missing_object(api: httpx.AsyncClient, widgets: Kind) -> None:
    """What is not there is answered 404 NotFound."""
    response = await api.get(f"{widgets.path}/nope")
    assert (response.status_code, response.json()["reason"]) == (404, "NotFound")
    assert response.json()["message"] == f'widgets.{widgets.group} "nope" not found'


async def test_unknown_path(api: httpx.AsyncClient) -> None:
    """An unknown kind is answered 404."""
    assert (await api.get("/apis/nothing.example.com/v1/things")).status_code == 404
    assert (await api.get(f"{CORE}/gadgets")).status_code == 404


async def test_method_that_the_path_does_not_take(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A method that makes no sense on a path is answered 405, or 400 where the kind is a custom one."""
    assert (await api.put(widgets.path, json=widgets.make("x"))).status_code == 400
    assert (await api.put(f"{CORE}/namespaces/default/configmaps", json={})).status_code == 405


async def test_list(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A list names its kind and version and holds the objects of one namespace."""
    for name in ("b", "a"):
        await api.post(widgets.path, json=widgets.make(name))
    listed = (await api.get(widgets.path)).json()
    assert (listed["kind"], listed["apiVersion"]) == ("WidgetList", f"{widgets.group}/v1")
    assert listed["metadata"]["resourceVersion"].isdigit()
    assert [item["metadata"]["name"] for item in listed["items"]] == ["a", "b"]
    assert all(item["kind"] == "Widget" for item in listed["items"])


async def test_list_of_all_namespaces(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A path without a namespace lists all of them."""
    await api.post(widgets.path, json=widgets.make("everywhere"))
    listed = (await api.get(f"{widgets.version_path}/widgets")).json()
    assert widgets.namespace in {item["metadata"]["namespace"] for item in listed["items"]}


async def test_pages(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Limit and continue give every object once, under one resourceVersion."""
    for name in "abcde":
        await api.post(widgets.path, json=widgets.make(name))
    names, versions, token = [], set(), ""
    for _ in range(3):
        page = (await api.get(widgets.path, params={"limit": 2, "continue": token})).json()
        names += [item["metadata"]["name"] for item in page["items"]]
        versions.add(page["metadata"]["resourceVersion"])
        token = page["metadata"].get("continue", "")
    assert (names, token) == (list("abcde"), "")
    assert len(versions) == 1


async def test_broken_continue_token(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A continue token that nobody gave out is answered 400."""
    assert (await api.get(widgets.path, params={"limit": 1, "continue": "bm9wZQ"})).status_code == 400


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app=z", ["one"]),
        ("app==z", ["one"]),
        ("app!=z", ["none", "two"]),
        ("app in (z, y)", ["one", "two"]),
        ("app notin (z)", ["none", "two"]),
        ("app", ["one", "two"]),
        ("!app", ["none"]),
        ("app,tier=db", ["two"]),
        ("tier in (db),app=y", ["two"]),
    ],
)
async def test_label_selectors(api: httpx.AsyncClient, widgets: Kind, selector: str, names: list[str]) -> None:
    """Label selectors select by equality, by set and by existence."""
    await api.post(widgets.path, json=widgets.make("one", labels={"app": "z"}))
    await api.post(widgets.path, json=widgets.make("two", labels={"app": "y", "tier": "db"}))
    await api.post(widgets.path, json=widgets.make("none"))
    listed = (await api.get(widgets.path, params={"labelSelector": selector})).json()
    assert [item["metadata"]["name"] for item in listed["items"]] == names


@pytest.mark.parametrize("selector", ["a=b=c", "in (a)", "a in b", "a,", "-x=1"])
async def test_broken_label_selectors(api: httpx.AsyncClient, widgets: Kind, selector: str) -> None:
    """A label selector that cannot be read is answered 400."""
    assert (await api.get(widgets.path, params={"labelSelector": selector})).status_code == 400


async def test_field_selectors(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Custom objects are selected by name and namespace, and by no other field."""
    for name in ("a", "b"):
        await api.post(widgets.path, json=widgets.make(name))
    for selector, names in (("metadata.name=a", ["a"]), ("metadata.name!=a", ["b"]), ("metadata.namespace=x", [])):
        listed = (await api.get(widgets.path, params={"fieldSelector": selector})).json()
        assert [item["metadata"]["name"] for item in listed["items"]] == names
    assert (await api.get(widgets.path, params={"fieldSelector": "spec.url=x"})).status_code == 400


async def test_replacement(api: httpx.AsyncClient, widgets: Kind) -> None:
    """PUT replaces an object and counts its generation up."""
    obj = (await api.post(widgets.path, json=widgets.make("put"))).json()
    obj["spec"]["url"] = "https://b.example"
    replaced = (await api.put(f"{widgets.path}/put", json=obj)).json()
    assert replaced["spec"]["url"] == "https://b.example"
    assert replaced["metadata"]["generation"] == 2
    assert replaced["metadata"]["uid"] == obj["metadata"]["uid"]


async def test_replacement_of_an_older_version(api: httpx.AsyncClient, widgets: Kind) -> None:
    """PUT of an older resourceVersion is answered 409 Conflict; without one, 422."""
    obj = (await api.post(widgets.path, json=widgets.make("old"))).json()
    await api.patch(f"{widgets.path}/old", json={"spec": {"url": "https://c.example"}}, headers=MERGE_PATCH)
    response = await api.put(f"{widgets.path}/old", json=obj)
    assert (response.status_code, response.json()["reason"]) == (409, "Conflict")
    del obj["metadata"]["resourceVersion"]
    response = await api.put(f"{widgets.path}/old", json=obj)
    assert response.status_code == 422
    assert response.json()["details"]["causes"][0]["field"] == "metadata.resourceVersion"


async def test_name_and_url_must_agree(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A body that names another object or namespace than the URL is answered 400, another kind 422."""
    obj = (await api.post(widgets.path, json=widgets.make("this"))).json()
    other = {**obj, "metadata": {**obj["metadata"], "name": "that"}}
    assert (await api.put(f"{widgets.path}/this", json=other)).status_code == 400
    assert (await api.post(widgets.path, json=widgets.make("x", namespace="default"))).status_code == 400
    assert (await api.post(widgets.path, json=widgets.make("x") | {"kind": "Gadget"})).status_code == 422


async def test_merge_patch(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A merge patch sets members, removes those that are null, and replaces lists."""
    await api.post(widgets.path, json=widgets.make("mp", spec={"tags": ["a", "b"], "note": "n"}))
    patch = {"spec": {"note": None, "tags": ["c"], "mode": "Fast"}}
    spec = (await api.patch(f"{widgets.path}/mp", json=patch, headers=MERGE_PATCH)).json()["spec"]
    assert spec == {"url": "https://a.example", "retries": 5, "tags": ["c"], "mode": "Fast"}


async def test_patch_of_an_older_version(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A patch that names an older resourceVersion is answered 409."""
    obj = (await api.post(widgets.path, json=widgets.make("mp"))).json()
    patch = {"metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]}, "spec": {"mode": "Fast"}}
    first = await api.patch(f"{widgets.path}/mp", json=patch, headers=MERGE_PATCH)
    second = await api.patch(f"{widgets.path}/mp", json=patch, headers=MERGE_PATCH)
    assert (first.status_code, second.status_code) == (200, 409)


async def test_json_patch(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A JSON patch is applied as a whole or, where a test fails, not at all and with 422."""
    await api.post(widgets.path, json=widgets.make("jp", spec={"tags": ["a"]}))
    operations = [
        {"op": "test", "path": "/spec/tags/0", "value": "a"},
        {"op": "add", "path": "/spec/tags/-", "value": "b"},
        {"op": "replace", "path": "/spec/url", "value": "https://j.example"},
        {"op": "remove", "path": "/spec/retries"},
    ]
    response = await api.patch(f"{widgets.path}/jp", content=json.dumps(operations), headers=JSON_PATCH)
    # The default comes back for what was removed.
    assert response.json()["spec"] == {"url": "https://j.example", "tags": ["a", "b"], "retries": 5}
    operations = [
        {"op": "replace", "path": "/spec/url", "value": "https://k.example"},
        {"op": "test", "path": "/spec/url", "value": "https://other.example"},
    ]
    response = await api.patch(f"{widgets.path}/jp", content=json.dumps(operations), headers=JSON_PATCH)
    assert response.status_code == 422
    assert (await api.get(f"{widgets.path}/jp")).json()["spec"]["url"] == "https://j.example"


async def test_strategic_merge_patch(api: httpx.AsyncClient, namespace: str) -> None:
    """A strategic merge patch merges the containers of a Job's template by their names."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    containers = [{"name": "a", "image": "one"}, {"name": "b", "image": "one"}]
    template = {"metadata": {"labels": {"x": "y"}}, "spec": {"containers": containers}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"x": "y"}}, "template": template}
    created = await api.post(path, json={"metadata": {"name": "d"}, "spec": spec})
    assert created.status_code == 201, created.text
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "b", "image": "two"}]}}}}
    patched = (await api.patch(f"{path}/d", json=patch, headers=STRATEGIC_PATCH)).json()
    images = {one["name"]: one["image"] for one in patched["spec"]["template"]["spec"]["containers"]}
    assert images == {"a": "one", "b": "two"}


async def test_strategic_merge_patch_of_a_custom_object(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Custom kinds have no strategic merge patch: 415."""
    await api.post(widgets.path, json=widgets.make("smp"))
    response = await api.patch(f"{widgets.path}/smp", json={}, headers=STRATEGIC_PATCH)
    assert response.status_code == 415


async def test_patch_of_nothing(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A patch does not create: 404."""
    response = await api.patch(f"{widgets.path}/nope", json={"spec": {}}, headers=MERGE_PATCH)
    assert response.status_code == 404


async def test_unchanged_object_keeps_its_version(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A patch that changes nothing writes nothing."""
    before = (await api.post(widgets.path, json=widgets.make("noop"))).json()
    patch = {"spec": {"url": "https://a.example"}}
    after = (await api.patch(f"{widgets.path}/noop", json=patch, headers=MERGE_PATCH)).json()
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_generation_counts_the_spec(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Labels leave the generation alone; the spec counts it up."""
    await api.post(widgets.path, json=widgets.make("gen"))
    labelled = await api.patch(f"{widgets.path}/gen", json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE_PATCH)
    changed = await api.patch(f"{widgets.path}/gen", json={"spec": {"mode": "Safe"}}, headers=MERGE_PATCH)
    assert [one.json()["metadata"]["generation"] for one in (labelled, changed)] == [1, 2]


async def test_status_is_apart(api: httpx.AsyncClient, widgets: Kind) -> None:
    """The main path does not write status, the status path writes nothing else and leaves the generation alone."""
    created = await api.post(widgets.path, json=widgets.make("st") | {"status": {"phase": "Forged"}})
    assert "status" not in created.json()
    path = f"{widgets.path}/st"
    main = await api.patch(path, json={"status": {"phase": "X"}}, headers=MERGE_PATCH)
    assert "status" not in main.json()
    patch = {"status": {"phase": "Y"}, "spec": {"url": "https://other.example"}, "metadata": {"labels": {"a": "b"}}}
    await api.patch(f"{path}/status", json=patch, headers=MERGE_PATCH)
    obj = (await api.get(path)).json()
    assert obj["status"] == {"phase": "Y"}
    assert obj["spec"]["url"] == "https://a.example"
    assert (obj["metadata"]["generation"], "labels" in obj["metadata"]) == (1, False)
    assert (await api.get(f"{path}/status")).json()["metadata"]["uid"] == obj["metadata"]["uid"]
    obj["spec"]["mode"] = "Fast"
    del obj["status"]
    assert (await api.put(path, json=obj)).json()["status"] == {"phase": "Y"}


async def test_status_of_a_kind_without_one(api: httpx.AsyncClient, namespace: str) -> None:
    """A kind without a status subresource has no such path: 404."""
    path = f"{CORE}/namespaces/{namespace}/configmaps"
    await api.post(path, json={"metadata": {"name": "zz"}})
    assert (await api.patch(f"{path}/zz/status", json={}, headers=MERGE_PATCH)).status_code == 404


async def test_dry_run(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A dry run answers as if it wrote, and writes nothing."""
    dry = {"dryRun": "All"}
    created = await api.post(widgets.path, json=widgets.make("dry"), params=dry)
    assert (created.status_code, created.json()["spec"]["retries"]) == (201, 5)
    assert (await api.get(f"{widgets.path}/dry")).status_code == 404
    assert (await api.post(widgets.path, json=widgets.make("dry", spec={"url": "x"}), params=dry)).status_code == 422
    await api.post(widgets.path, json=widgets.make("dry"))
    patched = await api.patch(f"{widgets.path}/dry", json={"spec": {"mode": "Fast"}}, headers=MERGE_PATCH, params=dry)
    assert patched.json()["spec"]["mode"] == "Fast"
    assert (await api.delete(f"{widgets.path}/dry", params=dry)).status_code == 200
    assert "mode" not in (await api.get(f"{widgets.path}/dry")).json()["spec"]


async def test_deletion(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A deletion is answered with a Status that names what is gone."""
    uid = (await api.post(widgets.path, json=widgets.make("del"))).json()["metadata"]["uid"]
    status = (await api.delete(f"{widgets.path}/del")).json()
    assert (status["kind"], status["status"]) == ("Status", "Success")
    assert status["details"] == {"name": "del", "group": widgets.group, "kind": "widgets", "uid": uid}
    assert (await api.delete(f"{widgets.path}/del")).status_code == 404


async def test_deletion_with_preconditions(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A deletion that is about another UID is answered 409."""
    await api.post(widgets.path, json=widgets.make("pre"))
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "not-this-one"}}
    response = await api.request("DELETE", f"{widgets.path}/pre", json=options)
    assert (response.status_code, response.json()["reason"]) == (409, "Conflict")


async def test_finalizers(api: httpx.AsyncClient, widgets: Kind) -> None:
    """An object with a finalizer stays, marked, until the last finalizer is taken off; new ones are refused."""
    await api.post(widgets.path, json=widgets.make("fin", finalizers=["example.com/f"]))
    path = f"{widgets.path}/fin"
    deleted = (await api.delete(path)).json()
    assert deleted["metadata"]["deletionGracePeriodSeconds"] == 0
    found = (await api.get(path)).json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["metadata"]["deletionTimestamp"])
    more = {"metadata": {"finalizers": ["example.com/f", "example.com/g"]}}
    assert (await api.patch(path, json=more, headers=MERGE_PATCH)).status_code == 422
    await api.patch(path, json={"metadata": {"finalizers": []}}, headers=MERGE_PATCH)
    assert (await api.get(path)).status_code == 404


async def test_deletion_of_a_collection(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A collection is deleted as far as the selector goes."""
    await api.post(widgets.path, json=widgets.make("one", labels={"a": "b"}))
    await api.post(widgets.path, json=widgets.make("two"))
    assert (await api.delete(widgets.path, params={"labelSelector": "a=b"})).status_code == 200
    await gone(api, f"{widgets.path}/one")
    assert [item["metadata"]["name"] for item in (await api.get(widgets.path)).json()["items"]] == ["two"]


async def test_table(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A Table has the columns of the definition, with their priorities, and one row per object."""
    await api.post(widgets.path, json=widgets.make("t"))
    status = {"status": {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]}}
    await api.patch(f"{widgets.path}/t/status", json=status, headers=MERGE_PATCH)
    table = (await api.get(widgets.path, headers=TABLE)).json()
    columns = [(one["name"], one["type"], one["priority"]) for one in table["columnDefinitions"]]
    assert columns == [
        ("Name", "string", 0),
        ("URL", "string", 0),
        ("Ready", "string", 0),
        ("Retries", "integer", 1),
        ("Age", "date", 0),
    ]
    assert table["rows"][0]["cells"][:4] == ["t", "https://a.example", "True", 5]
    assert re.fullmatch(r"\d+s", table["rows"][0]["cells"][4])
    assert table["rows"][0]["object"]["metadata"]["name"] == "t"


async def test_many_writers(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Of many that replace the same version, one succeeds."""
    obj = (await api.post(widgets.path, json=widgets.make("race"))).json()
    bodies = [{**obj, "spec": {**obj["spec"], "note": str(number)}} for number in range(8)]
    responses = await asyncio.gather(*(api.put(f"{widgets.path}/race", json=body) for body in bodies))
    assert sorted(response.status_code for response in responses) == [200] + [409] * 7
