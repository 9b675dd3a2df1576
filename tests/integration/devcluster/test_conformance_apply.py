"""What any API server does with server-side apply."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import yaml

from integration.devcluster.api import MERGE_PATCH, Kind
from integration.devcluster.applying import apply, conflicts_of, owners_of


async def test_create_byapply(api: httpx.AsyncClient, widgets: Kind) -> None:
    """What is not there is created; the applier owns what was stated, and nobody owns a default."""
    created = await apply(api, f"{widgets.path}/a", widgets.make("a", labels={"l": "1"}))
    assert created.status_code == 201
    assert created.json()["spec"] == {"url": "https://a.example", "retries": 5}
    fields = {"f:metadata": {"f:labels": {"f:l": {}}}, "f:spec": {"f:url": {}}}
    assert owners_of(created) == {("one", "Apply"): fields}
    entry = created.json()["metadata"]["managedFields"][0]
    assert entry.keys() == {"manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1"}
    assert (entry["apiVersion"], entry["fieldsType"]) == (f"{widgets.group}/v1", "FieldsV1")


async def test_apply_again_changes_nothing(api: httpx.AsyncClient, widgets: Kind) -> None:
    """The same configuration applied twice writes nothing; another applier of it is noted without a time."""
    path, body = f"{widgets.path}/a", widgets.make("a", spec={"parts": [{"name": "x"}], "marks": ["m"]})
    created = await apply(api, path, body)
    again = await apply(api, path, body)
    assert (again.status_code, again.json()) == (200, created.json())
    shared = await apply(api, path, body, "two")
    fields = owners_of(created)["one", "Apply"]
    assert owners_of(shared) == {("one", "Apply"): fields, ("two", "Apply"): fields}
    assert [("time" in one) for one in shared.json()["metadata"]["managedFields"]] == [False, True]


async def test_yaml(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A configuration may be YAML; what looks like a date is a text."""
    body = yaml.safe_dump(widgets.make("a", spec={"texts": {"day": "DAY"}})).replace("DAY", "2001-01-01")
    response = await apply(api, f"{widgets.path}/a", body)
    assert response.json()["spec"]["texts"] == {"day": "2001-01-01"}


async def test_fields_that_are_not_applied_any_more(api: httpx.AsyncClient, widgets: Kind) -> None:
    """What its applier states no longer is removed, unless another owns it; a default comes back."""
    path = f"{widgets.path}/a"
    first = widgets.make("a", spec={"mode": "Fast", "note": "n", "retries": 7, "inner": {"a": "1"}}, labels={"l": "1"})
    await apply(api, path, first)
    await apply(api, path, widgets.make("a", spec={"note": "n"}), "two")
    left = await apply(api, path, widgets.make("a"))
    assert left.json()["spec"] == {"url": "https://a.example", "note": "n", "retries": 5}
    assert "labels" not in left.json()["metadata"]
    gone = await apply(api, path, widgets.make("a"), "two")
    assert gone.json()["spec"] == {"url": "https://a.example", "retries": 5}


async def test_conflict(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Another value for a field that somebody else applies is a conflict, which names field and owner."""
    path = f"{widgets.path}/a"
    await apply(api, path, widgets.make("a", spec={"mode": "Fast"}))
    refused = await apply(api, path, widgets.make("a", spec={"mode": "Safe"}), "two")
    assert conflicts_of(refused) == {(".spec.mode", 'conflict with "one"')}
    assert refused.json()["message"] == 'Apply failed with 1 conflict: conflict with "one": .spec.mode'
    assert (await api.get(path)).json()["spec"]["mode"] == "Fast"


async def test_manyconflicts_of(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Conflicts are listed by owner, in the order of the fields' depth, as people read paths."""
    path = f"{widgets.path}/a"
    spec = {
        "mode": "Fast",
        "tags": ["t"],
        "pair": {"a": "1"},
        "texts": {"k": "v"},
        "free": {"m": {"n": 1}},
        "parts": [{"name": "x", "value": "1"}],
    }
    await apply(api, path, widgets.make("a", spec=spec, labels={"l": "1"}))
    await apply(api, path, widgets.make("a", spec={"mode": "Fast"}), "two")
    other = {
        "mode": "Safe",
        "tags": ["u"],
        "pair": {"b": "1"},
        "texts": {"k": "w"},
        "free": {"m": {"n": 2}},
        "parts": [{"name": "x", "value": "2"}],
    }
    refused = await apply(api, path, widgets.make("a", spec=other, labels={"l": "2"}), "three")
    assert refused.json()["message"].splitlines() == [
        'Apply failed with 8 conflicts: conflicts with "one":',
        "- .metadata.labels.l",
        "- .spec.mode",
        "- .spec.pair",
        "- .spec.tags",
        "- .spec.free.m.n",
        '- .spec.parts[name="x"].value',
        "- .spec.texts.k",
        'conflicts with "two":',
        "- .spec.mode",
    ]
    assert len(conflicts_of(refused)) == 8


async def test_force(api: httpx.AsyncClient, widgets: Kind) -> None:
    """With force the value is written, and the field changes hands."""
    path = f"{widgets.path}/a"
    await apply(api, path, widgets.make("a", spec={"mode": "Fast", "note": "n"}))
    forced = await apply(api, path, widgets.make("a", spec={"mode": "Safe"}), "two", force="true")
    assert forced.json()["spec"]["mode"] == "Safe"
    assert owners_of(forced) == {
        ("one", "Apply"): {"f:spec": {"f:note": {}, "f:url": {}}},
        ("two", "Apply"): {"f:spec": {"f:mode": {}, "f:url": {}}},
    }
    assert (forced.json()["metadata"]["generation"], forced.status_code) == (2, 200)


async def test_lists_with_keys(api: httpx.AsyncClient, widgets: Kind) -> None:
    """The items of a list with keys are owned one by one; one that nobody applies goes with what was filled in."""
    path = f"{widgets.path}/a"
    await apply(api, path, widgets.make("a", spec={"parts": [{"name": "x", "value": "1"}, {"name": "y"}]}))
    merged = await apply(api, path, widgets.make("a", spec={"parts": [{"name": "z"}, {"name": "x"}]}), "two")
    parts = merged.json()["spec"]["parts"]
    assert {one["name"] for one in parts} == {"x", "y", "z"}
    assert all(one["port"] == 80 for one in parts)
    left = await apply(api, path, widgets.make("a"))
    assert {one["name"]: one.get("value") for one in left.json()["spec"]["parts"]} == {"z": None, "x": None}
    item = {".": {}, "f:name": {}}
    assert owners_of(left)["two", "Apply"]["f:spec"]["f:parts"] == {'k:{"name":"x"}': item, 'k:{"name":"z"}': item}


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        ("abc", "xby", "axbcy"),
        ("axbcy", "cba", "xcyba"),
        ("abc", "", "abc"),
        ("abc", "cab", "cab"),
        ("abc", "xyz", "abcxyz"),
        ("abcd", "db", "acdb"),
    ],
)
async def test_order_of_merged_lists(
    api: httpx.AsyncClient, widgets: Kind, live: str, applied: str, merged: str
) -> None:
    """Applied items stand in the order in which they are applied, the others keep their places as far as they can."""
    path = f"{widgets.path}/a"
    await apply(api, path, widgets.make("a", spec={"parts": [{"name": name} for name in live]}))
    body = widgets.make("a", spec={"parts": [{"name": name} for name in applied], "marks": list(applied)})
    parts = (await apply(api, path, body, "two")).json()["spec"]["parts"]
    assert "".join(one["name"] for one in parts) == merged


async def test_sets_and_wholes(api: httpx.AsyncClient, widgets: Kind) -> None:
    """The items of a set are owned one by one; a list without a type, and an atomic map, are owned as a whole."""
    path = f"{widgets.path}/a"
    body = widgets.make("a", spec={"marks": ["p", "q"], "tags": ["t"], "pair": {"a": "1"}}, finalizers=["a.example/f"])
    await apply(api, path, body)
    shared = widgets.make("a", spec={"marks": ["q", "r"]}, finalizers=["b.example/f"])
    merged = await apply(api, path, shared, "two")
    assert merged.json()["spec"]["marks"] == ["p", "q", "r"]
    assert set(merged.json()["metadata"]["finalizers"]) == {"a.example/f", "b.example/f"}
    forced = await apply(api, path, widgets.make("a", spec={"tags": ["u"], "pair": {"b": "2"}}), "two", force="true")
    assert forced.json()["spec"]["pair"] == {"b": "2"}
    assert forced.json()["spec"]["tags"] == ["u"]
    assert forced.json()["spec"]["marks"] == ["p", "q"]
    fields = owners_of(forced)
    assert fields["two", "Apply"] == {"f:spec": {"f:pair": {}, "f:tags": {}, "f:url": {}}}
    assert fields["one", "Apply"]["f:spec"] == {"f:marks": {'v:"p"': {}, 'v:"q"': {}}, "f:url": {}}
    assert fields["one", "Apply"]["f:metadata"] == {"f:finalizers": {'v:"a.example/f"': {}}}
    await api.patch(path, json={"metadata": {"finalizers": None}}, headers=MERGE_PATCH)


async def test_free_form_fields(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Members of free-form objects are owned one by one, their lists as a whole."""
    path = f"{widgets.path}/a"
    created = await apply(api, path, widgets.make("a", spec={"free": {"m": {"n": 1}, "l": [1]}, "texts": {"k": "v"}}))
    free = {"f:l": {}, "f:m": {".": {}, "f:n": {}}}
    assert owners_of(created)["one", "Apply"]["f:spec"] == {"f:free": free, "f:texts": {"f:k": {}}, "f:url": {}}
    body = widgets.make("a", spec={"free": {"m": {"o": 2}}, "texts": {"j": "w"}})
    merged = await apply(api, path, body, "two")
    assert merged.json()["spec"]["free"] == {"m": {"n": 1, "o": 2}, "l": [1]}
    left = await apply(api, path, widgets.make("a"))
    assert left.json()["spec"] == body["spec"] | {"retries": 5}


async def test_empty_values(api: httpx.AsyncClient, widgets: Kind) -> None:
    """An empty object, and an empty list that is one whole, are owned; an empty list of single items is not."""
    spec = {"parts": [], "marks": [], "tags": [], "inner": {}, "pair": {}, "texts": {}, "free": {"m": {}}}
    created = await apply(api, f"{widgets.path}/a", widgets.make("a", spec=spec))
    owned = {f"f:{name}": {} for name in ("inner", "pair", "tags", "texts", "url")}
    assert owners_of(created) == {("one", "Apply"): {"f:spec": owned | {"f:free": {"f:m": {}}}}}


async def test_list_that_loses_its_last_item(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A list that somebody owns, and whose last item goes, becomes null, which its kind may not take."""
    path = f"{widgets.path}/a"
    await api.post(widgets.path, json=widgets.make("a", spec={"parts": []}), params={"fieldManager": "poster"})
    await apply(api, path, widgets.make("a", spec={"parts": [{"name": "x"}]}))
    refused = await apply(api, path, widgets.make("a"))
    causes = [(one["field"], one["reason"]) for one in refused.json()["details"]["causes"]]
    assert (refused.status_code, causes) == (422, [("spec.parts", "FieldValueTypeInvalid")])


async def test_status(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Status is applied on its own path, and owned there; the main path neither writes nor owns it."""
    path = f"{widgets.path}/a"
    head = {"apiVersion": f"{widgets.group}/v1", "kind": "Widget", "metadata": {"name": "a"}}
    assert (await apply(api, f"{path}/status", head)).status_code == 404
    await apply(api, path, widgets.make("a") | {"status": {"phase": "Forged"}})
    ready = {"type": "Ready", "status": "True"}
    body = widgets.make("a", spec={"mode": "Safe"}) | {"status": {"phase": "X", "conditions": [ready]}}
    applied = await apply(api, f"{path}/status", body, "controller")
    assert applied.json()["status"] == {"phase": "X", "conditions": [ready]}
    assert "mode" not in applied.json()["spec"]
    item = {".": {}, "f:status": {}, "f:type": {}}
    conditions = {"f:conditions": {'k:{"type":"Ready"}': item}}
    assert owners_of(applied) == {
        ("one", "Apply"): {"f:spec": {"f:url": {}}},
        ("controller", "Apply"): {"f:status": {"f:phase": {}, **conditions}},
    }
    refused = await apply(api, f"{path}/status", head | {"status": {"phase": "Y"}}, "two")
    assert conflicts_of(refused) == {(".status.phase", 'conflict with "controller" with subresource "status"')}
    patched = await api.patch(f"{path}/status", json={"status": {"phase": "Z"}}, headers=MERGE_PATCH)
    assert owners_of(patched)["controller", "Apply"] == {"f:status": conditions}


async def test_dry_run(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A dry run answers as if it applied, conflicts included, and writes nothing."""
    path, dry = f"{widgets.path}/a", {"dryRun": "All"}
    assert (await apply(api, path, widgets.make("a"), **dry)).status_code == 201
    assert (await api.get(path)).status_code == 404
    await apply(api, path, widgets.make("a", spec={"mode": "Fast"}))
    tried = await apply(api, path, widgets.make("a"), **dry)
    assert (tried.json()["spec"], owners_of(tried)) == (
        {"url": "https://a.example", "retries": 5},
        {("one", "Apply"): {"f:spec": {"f:url": {}}}},
    )
    assert (await apply(api, path, widgets.make("a", spec={"mode": "Safe"}), "two", **dry)).status_code == 409
    assert (await api.get(path)).json()["spec"]["mode"] == "Fast"


async def test_field_managers(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Apply needs the name of a field manager, a printable one of bounded length; force is for apply alone."""
    path, body = f"{widgets.path}/a", widgets.make("a")
    for query, field, reason in (
        ({}, "fieldManager", "FieldValueRequired"),
        ({"fieldManager": "x" * 129}, "fieldManager", "FieldValueTooLong"),
        ({"fieldManager": "a\nb"}, "fieldManager", "FieldValueInvalid"),
    ):
        refused = await apply(api, path, body, "", **query)
        assert refused.status_code == 422
        assert [(one["field"], one["reason"]) for one in refused.json()["details"]["causes"]] == [(field, reason)]
    refused = await api.patch(path, json={}, headers=MERGE_PATCH, params={"force": "true"})
    assert (refused.status_code, refused.json()["details"]["causes"][0]["field"]) == (422, "force")
    refused = await api.post(widgets.path, json=body, params={"fieldManager": "x" * 129})
    assert (refused.status_code, refused.json()["details"]["kind"]) == (422, "CreateOptions")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"metadata": {"name": "b"}}, 400),
        ({"metadata": {}}, 400),
        ({"metadata": {"name": "a", "namespace": "default"}}, 400),
        ({"metadata": {"name": "a", "managedFields": []}}, 400),
        ({"metadata": {"name": "a", "uid": "u"}}, 409),
        ({"metadata": {"name": "a", "bogus": "x"}}, 500),
        ({"kind": "Gadget"}, 400),
        ({"apiVersion": "v1"}, 400),
        ({"kind": None}, 400),
        ({"spec": {"url": "https://a.example", "bogus": 1}}, 500),
        ({"spec": {"url": "https://a.example", "retries": "many"}}, 500),
        ({"spec": {"url": "ftp://a.example"}}, 422),
        ({"spec": {}}, 422),
    ],
)
async def test_configurations_that_are_refused(
    api: httpx.AsyncClient, widgets: Kind, change: dict[str, Any], status: int
) -> None:
    """A configuration that is about another object, or not what its kind can hold, is refused and creates nothing."""
    refused = await apply(api, f"{widgets.path}/a", widgets.make("a") | change)
    assert (refused.status_code, refused.json()["kind"]) == (status, "Status")
    assert (await api.get(f"{widgets.path}/a")).status_code == 404


@pytest.mark.parametrize("body", ["a: [", "hello", "[]", ""])
async def test_bodies_that_are_no_configuration(api: httpx.AsyncClient, widgets: Kind, body: str) -> None:
    """What is no YAML, or no object, is answered 400."""
    refused = await apply(api, f"{widgets.path}/a", body)
    assert (refused.status_code, refused.json()["reason"]) == (400, "BadRequest")


async def test_name_and_version_may_be_left_out(api: httpx.AsyncClient, widgets: Kind) -> None:
    """What is there is applied without its name; a resourceVersion is checked, but not where one creates."""
    path = f"{widgets.path}/a"
    created = await apply(api, path, widgets.make("a", resourceVersion="1"))
    assert created.status_code == 201
    body = widgets.make("a", spec={"mode": "Fast"})
    del body["metadata"]
    assert (await apply(api, path, body)).json()["spec"]["mode"] == "Fast"
    version = created.json()["metadata"]["resourceVersion"]
    refused = await apply(api, path, widgets.make("a", resourceVersion=version))
    assert (refused.status_code, "object has been modified" in refused.text) == (409, True)
