"""What any API server does with custom kinds: discovery, schemas, and the life of a definition."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from integration.devcluster.api import (
    DEFINITIONS,
    JSON_PATCH,
    MERGE_PATCH,
    Kind,
    eventually,
    gone,
    watching,
    widget_definition,
)

AGGREGATED = {"accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}


async def test_definition_is_established(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A definition says in its status that it is served, and under which names."""

    async def conditions() -> dict[str, str] | None:
        status = (await api.get(widgets.definition_path)).json().get("status", {})
        found = {one["type"]: one["status"] for one in status.get("conditions", ())}
        return found if "Established" in found else None

    assert await eventually(conditions, "the definition is established") == {
        "NamesAccepted": "True",
        "Established": "True",
    }
    status = (await api.get(widgets.definition_path)).json()["status"]
    assert status["storedVersions"] == ["v1"]
    assert status["acceptedNames"]["listKind"] == "WidgetList"


async def test_discovery(api: httpx.AsyncClient, widgets: Kind) -> None:
    """The kind and its status stand among the resources of its version."""
    found = (await api.get(widgets.version_path)).json()
    assert (found["kind"], found["groupVersion"]) == ("APIResourceList", f"{widgets.group}/v1")
    resources = {one["name"]: one for one in found["resources"]}
    assert resources.keys() == {"widgets", "widgets/status"}
    assert (resources["widgets"]["shortNames"], resources["widgets"]["namespaced"]) == (["wdg"], True)
    assert {"create", "watch", "deletecollection"} <= set(resources["widgets"]["verbs"])


async def test_discovery_of_groups(api: httpx.AsyncClient, widgets: Kind) -> None:
    """The group stands among the groups, and by itself."""
    groups = (await api.get("/apis")).json()["groups"]
    assert widgets.group in {one["name"] for one in groups}
    group = (await api.get(f"/apis/{widgets.group}")).json()
    assert group["preferredVersion"] == {"groupVersion": f"{widgets.group}/v1", "version": "v1"}
    assert (await api.get("/api")).json()["versions"] == ["v1"]
    assert (await api.get("/api/v1")).json()["groupVersion"] == "v1"


async def test_aggregated_discovery(api: httpx.AsyncClient, widgets: Kind) -> None:
    """One document lists all kinds, with scope and subresources."""

    async def entry() -> dict[str, Any] | None:
        found = (await api.get("/apis", headers=AGGREGATED)).json()
        assert found["kind"] == "APIGroupDiscoveryList"
        groups = {one["metadata"]["name"]: one for one in found["items"]}
        return groups.get(widgets.group)

    group = await eventually(entry, "the group is discovered")
    (resource,) = group["versions"][0]["resources"]
    assert (resource["resource"], resource["scope"]) == ("widgets", "Namespaced")
    assert [one["subresource"] for one in resource["subresources"]] == ["status"]


async def test_openapi(api: httpx.AsyncClient, widgets: Kind) -> None:
    """OpenAPI v3 has the schema, and a PATCH that knows fieldValidation."""
    path = f"apis/{widgets.group}/v1"

    async def address() -> str | None:
        return (await api.get("/openapi/v3")).json()["paths"].get(path, {}).get("serverRelativeURL")

    document = (await api.get(await eventually(address, "the schema is published"))).json()
    kind = [{"group": widgets.group, "version": "v1", "kind": "Widget"}]
    schemas = document["components"]["schemas"].values()
    schema = next(one for one in schemas if one.get("x-kubernetes-group-version-kind") == kind)
    assert schema["properties"]["spec"]["properties"]["url"]["description"] == "Where the Widget points to."
    patch = document["paths"][f"/{path}/namespaces/{{namespace}}/widgets/{{name}}"]["patch"]
    parameters = [*patch.get("parameters", ())]
    assert "fieldValidation" in {one.get("name") for one in parameters}
    assert patch["x-kubernetes-group-version-kind"] == kind[0]


@pytest.mark.parametrize(
    ("spec", "field", "reason", "message"),
    [
        ({"url": "ftp://x"}, "spec.url", "FieldValueInvalid", "spec.url in body should match '^https?://'"),
        ({"url": None}, "spec.url", "FieldValueRequired", "Required value"),
        ({"retries": -1}, "spec.retries", "FieldValueInvalid", "should be greater than or equal to 0"),
        ({"retries": 11}, "spec.retries", "FieldValueInvalid", "should be less than or equal to 10"),
        ({"retries": "x"}, "spec.retries", "FieldValueTypeInvalid", 'must be of type integer: "string"'),
        ({"mode": "Slow"}, "spec.mode", "FieldValueNotSupported", 'supported values: "Fast", "Safe"'),
        ({"note": "longer"}, "spec.note", "FieldValueTooLong", "Too long: may not be more than 5"),
        ({"tags": ["a", "b", "c"]}, "spec.tags", "FieldValueTooMany", "Too many: 3: must have at most 2 items"),
        ({"steps": [{"name": "a"}, {}]}, "spec.steps[1].name", "FieldValueRequired", "Required value"),
        ({"steps": [{"name": "a", "path": "b"}]}, "spec.steps[0].path", "FieldValueInvalid", "should match '^\\$'"),
        ({"texts": {"a": 1}}, "spec.texts.a", "FieldValueTypeInvalid", 'must be of type string: "integer"'),
        ({"port": True}, "spec.port", "FieldValueTypeInvalid", "must be of type integer,string"),
    ],
)
async def test_validation(
    api: httpx.AsyncClient, widgets: Kind, *, spec: dict[str, Any], field: str, reason: str, message: str
) -> None:
    """What the schema refuses is answered 422 with field, reason and message of each mistake."""
    response = await api.post(widgets.path, json=widgets.make("bad", spec=spec))
    status = response.json()
    assert (response.status_code, status["reason"]) == (422, "Invalid")
    assert (status["details"]["kind"], status["details"]["name"]) == ("Widget", "bad")
    causes = {one["field"]: one for one in status["details"]["causes"]}
    assert causes[field]["reason"] == reason
    assert message in causes[field]["message"]
    assert status["message"].startswith(f'Widget.{widgets.group} "bad" is invalid: ')
    assert f"{field}: {causes[field]['message']}" in status["message"]


async def test_validation_of_an_update(api: httpx.AsyncClient, widgets: Kind) -> None:
    """An update is validated too, and changes nothing if it is refused."""
    await api.post(widgets.path, json=widgets.make("good"))
    response = await api.patch(f"{widgets.path}/good", json={"spec": {"url": "x"}}, headers=MERGE_PATCH)
    assert response.status_code == 422
    assert (await api.get(f"{widgets.path}/good")).json()["spec"]["url"] == "https://a.example"


async def test_defaults(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Defaults are stored where a field is absent."""
    created = (await api.post(widgets.path, json=widgets.make("def"))).json()
    assert created["spec"] == {"url": "https://a.example", "retries": 5}


async def test_pruning(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Unknown fields are dropped with a warning, but kept where the schema preserves them."""
    spec = {"bogus": 1, "free": {"anything": {"goes": [1]}}, "steps": [{"name": "a", "odd": 1}]}
    response = await api.post(widgets.path, json=widgets.make("prune", spec=spec))
    created = response.json()["spec"]
    assert created["free"] == {"anything": {"goes": [1]}}
    assert created["steps"] == [{"name": "a"}]
    assert "bogus" not in created
    warnings = response.headers.get_list("warning")
    assert any('unknown field \\"spec.bogus\\"' in warning for warning in warnings)
    assert any('unknown field \\"spec.steps[0].odd\\"' in warning for warning in warnings)


async def test_strict_field_validation(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Strict refuses unknown fields: 400 for what is sent whole, 422 for a patch. Ignore says nothing."""
    strict = {"fieldValidation": "Strict"}
    body = widgets.make("strict", spec={"bogus": 1})
    response = await api.post(widgets.path, json=body, params=strict)
    assert (response.status_code, response.json()["reason"]) == (400, "BadRequest")
    assert 'strict decoding error: unknown field "spec.bogus"' in response.json()["message"]
    silent = await api.post(widgets.path, json=body, params={"fieldValidation": "Ignore"})
    assert (silent.status_code, "warning" in silent.headers) == (201, False)
    patch = {"spec": {"bogus": 1}}
    response = await api.patch(f"{widgets.path}/strict", json=patch, headers=MERGE_PATCH, params=strict)
    assert response.status_code == 422
    operations = [{"op": "add", "path": "/metadata/odd", "value": 1}]
    response = await api.patch(
        f"{widgets.path}/strict", content=json.dumps(operations), headers=JSON_PATCH, params=strict
    )
    assert response.status_code == 422


async def test_kind_and_version_are_required(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A custom object without kind or apiVersion is answered 400."""
    for name in ("kind", "apiVersion"):
        body = {member: value for member, value in widgets.make("x").items() if member != name}
        assert (await api.post(widgets.path, json=body)).status_code == 400


@pytest.fixture
async def definition(api: httpx.AsyncClient) -> AsyncIterator[dict[str, Any]]:
    """A definition that the test may spoil; it is not yet applied."""
    made = widget_definition(f"g{uuid.uuid4().hex[:8]}.example.com")
    yield made
    path = f"{DEFINITIONS}/{made['metadata']['name']}"
    await api.patch(path, json={"metadata": {"finalizers": []}}, headers=MERGE_PATCH)
    await api.delete(path)


async def test_definition_under_another_name(api: httpx.AsyncClient, definition: dict[str, Any]) -> None:
    """A definition's name is plural.group."""
    definition["metadata"]["name"] = "gadgets.example.com"
    response = await api.post(DEFINITIONS, json=definition)
    assert response.status_code == 422
    assert "metadata.name" in {one["field"] for one in response.json()["details"]["causes"]}


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("spec", "versions", 0, "schema"), None, "schema.openAPIV3Schema: Required value"),
        (("spec", "versions", 0, "storage"), False, "storage version"),
        (("spec", "names", "kind"), None, "spec.names.kind"),
        (("spec", "scope"), "Everywhere", "spec.scope"),
        (("spec", "group"), None, "spec.group"),
    ],
)
async def test_unservable_definition(
    api: httpx.AsyncClient, definition: dict[str, Any], path: tuple[Any, ...], value: object, field: str
) -> None:
    """A definition that cannot be served is answered 422."""
    place: Any = definition
    for name in path[:-1]:
        place = place[name]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    response = await api.post(DEFINITIONS, json=definition)
    assert response.status_code == 422
    assert field in response.json()["message"]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {}}},
        {"properties": {"a": {"type": "text"}}},
        {"properties": {"a": {"type": "array"}}},
        {"properties": {"a": {"$ref": "#/definitions/b"}}},
        {"properties": {"a": {"type": "string", "pattern": "("}}},
        {"properties": {"a": {"type": "string", "pattern": "a(?!b)"}}},
        {"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
    ],
    ids=["no type", "unknown type", "no items", "reference", "pattern", "look-around", "both kinds of properties"],
)
async def test_schema_that_is_not_structural(
    api: httpx.AsyncClient, definition: dict[str, Any], schema: dict[str, Any]
) -> None:
    """A schema that is not structural is answered 422."""
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = {"type": "object", **schema}
    assert (await api.post(DEFINITIONS, json=definition)).status_code == 422


async def _serve(api: httpx.AsyncClient, definition: dict[str, Any], version: str = "v1") -> str:
    """Apply a definition, and return the path of its objects once they are served."""
    (await api.post(DEFINITIONS, json=definition)).raise_for_status()
    path = f"/apis/{definition['spec']['group']}/{version}/namespaces/default/widgets"

    async def is_served() -> bool:
        return (await api.get(path)).status_code == 200

    await eventually(is_served, "the kind is served")
    return path


async def test_two_versions(api: httpx.AsyncClient, definition: dict[str, Any]) -> None:
    """An object is shown in the version in which it is asked for."""
    second = copy.deepcopy(definition["spec"]["versions"][0])
    second |= {"name": "v1beta1", "storage": False}
    definition["spec"]["versions"].append(second)
    path = await _serve(api, definition)
    group = definition["spec"]["group"]
    body = Kind(group=group, namespace="default").make("two")
    (await api.post(path, json=body)).raise_for_status()
    older = (await api.get(f"{path.replace('/v1/', '/v1beta1/')}/two")).json()
    assert older["apiVersion"] == f"{group}/v1beta1"
    older["spec"]["mode"] = "Fast"
    newer = (await api.put(f"{path.replace('/v1/', '/v1beta1/')}/two", json=older)).json()
    assert newer["apiVersion"] == f"{group}/v1beta1"
    found = (await api.get(f"{path}/two")).json()
    assert (found["apiVersion"], found["spec"]["mode"]) == (f"{group}/v1", "Fast")

    async def prefers() -> bool:
        found = (await api.get(f"/apis/{group}")).json()
        return len(found.get("versions", ())) == 2 and found["preferredVersion"]["version"] == "v1"

    await eventually(prefers, "both versions are discovered, and v1 is preferred")


async def test_cluster_wide_kind(api: httpx.AsyncClient, definition: dict[str, Any]) -> None:
    """Objects of a cluster-wide kind have no namespace, and their path has none."""
    definition["spec"]["scope"] = "Cluster"
    (await api.post(DEFINITIONS, json=definition)).raise_for_status()
    group = definition["spec"]["group"]
    path = f"/apis/{group}/v1/widgets"

    async def create() -> dict[str, Any] | None:
        body = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "wide"}}
        response = await api.post(path, json=body | {"spec": {"url": "https://a.example"}})
        return response.json() if response.status_code == 201 else None

    created = await eventually(create, "the object is created")
    assert "namespace" not in created["metadata"]
    assert (await api.get(f"{path}/wide")).status_code == 200
    assert (await api.get(f"/apis/{group}/v1/namespaces/default/widgets")).status_code == 404


async def test_changed_schema_is_in_force(api: httpx.AsyncClient, definition: dict[str, Any]) -> None:
    """A changed definition decides about what comes after it."""
    path = await _serve(api, definition)
    name = definition["metadata"]["name"]
    operations = [
        {
            "op": "replace",
            "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/retries/default",
            "value": 7,
        }
    ]
    response = await api.patch(f"{DEFINITIONS}/{name}", content=json.dumps(operations), headers=JSON_PATCH)
    assert response.status_code == 200
    kind = Kind(group=definition["spec"]["group"], namespace="default")

    async def has_new_default() -> bool:
        # A real server may refuse for a moment, while it takes up what has changed.
        created = (await api.post(path, json=kind.make(generateName="d-"))).json()
        return created.get("spec", {}).get("retries") == 7

    await eventually(has_new_default, "the new default is in force")


async def test_deleted_definition_takes_its_objects(api: httpx.AsyncClient, definition: dict[str, Any]) -> None:
    """With a definition go its objects, which watches are told, and its paths."""
    path = await _serve(api, definition)
    kind = Kind(group=definition["spec"]["group"], namespace="default")
    await api.post(path, json=kind.make("doomed"))
    async with watching(api, path) as events:
        assert await events.take(1) == [("ADDED", "doomed")]
        assert (await api.delete(kind.definition_path)).status_code == 200
        assert ("DELETED", "doomed") in await events.take(1)
    await gone(api, kind.definition_path)
    await gone(api, path)


async def test_definition_waits_for_finalizers(api: httpx.AsyncClient, definition: dict[str, Any]) -> None:
    """A definition stays, terminating, while one of its objects has a finalizer; new objects are refused."""
    path = await _serve(api, definition)
    kind = Kind(group=definition["spec"]["group"], namespace="default")
    await api.post(path, json=kind.make("held", finalizers=["example.com/f"]))
    await api.delete(kind.definition_path)

    async def is_marked() -> bool:
        return "deletionTimestamp" in (await api.get(f"{path}/held")).json()["metadata"]

    await eventually(is_marked, "the object is marked")
    assert "deletionTimestamp" in (await api.get(kind.definition_path)).json()["metadata"]
    assert (await api.post(path, json=kind.make("late"))).status_code in (403, 405)
    await api.patch(f"{path}/held", json={"metadata": {"finalizers": None}}, headers=MERGE_PATCH)
    await gone(api, kind.definition_path)
