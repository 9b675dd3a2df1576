"""What any API server does with lists: pages, versions, selections and forms; and with watches of a selection."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from integration.devcluster.api import CORE, MERGE_PATCH, Kind, version_of, watching

PARTIAL = {"accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}
PARTIAL_LIST = {"accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
LATER = 10**9
"""How far a version is ahead that has not come yet."""


async def _list(api: httpx.AsyncClient, path: str, **query: Any) -> tuple[list[str], dict[str, Any]]:
    """Return the names in a list, and the list's metadata."""
    response = await api.get(path, params=query)
    assert response.status_code == 200, response.text
    return [one["metadata"]["name"] for one in response.json()["items"]], response.json()["metadata"]


async def _fill(api: httpx.AsyncClient, widgets: Kind, names: str) -> None:
    for name in names:
        (await api.post(widgets.path, json=widgets.make(name))).raise_for_status()


async def test_pages_are_one_state(api: httpx.AsyncClient, widgets: Kind) -> None:
    """What changes between two pages is not seen: they are of one version, which the token carries."""
    await _fill(api, widgets, "abcde")
    names, first = await _list(api, widgets.path, limit=2)
    assert (names, first["remainingItemCount"]) == (["a", "b"], 3)
    await _fill(api, widgets, ["aa", "cc"])
    await api.patch(f"{widgets.path}/c", json={"spec": {"mode": "Fast"}}, headers=MERGE_PATCH)
    await api.delete(f"{widgets.path}/d")
    page = (await api.get(widgets.path, params={"limit": 2, "continue": first["continue"]})).json()
    assert [one["metadata"]["name"] for one in page["items"]] == ["c", "d"]
    assert "mode" not in page["items"][0]["spec"]
    names, last = await _list(api, widgets.path, limit=2, **{"continue": page["metadata"]["continue"]})
    assert (names, last.get("continue", "")) == (["e"], "")
    assert {page["metadata"]["resourceVersion"], last["resourceVersion"]} == {first["resourceVersion"]}
    assert (await _list(api, widgets.path))[0] == ["a", "aa", "b", "c", "cc", "e"]


async def test_pages_of_a_selection(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A selection comes in pages, too, but nobody counts what remains."""
    for name in "abc":
        await api.post(widgets.path, json=widgets.make(name, labels={"app": "z"} if name != "b" else {}))
    names, metadata = await _list(api, widgets.path, limit=1, labelSelector="app=z")
    assert (names, "remainingItemCount" in metadata) == (["a"], False)
    token = metadata["continue"]
    names, metadata = await _list(api, widgets.path, limit=1, labelSelector="app=z", **{"continue": token})
    assert (names, metadata.get("continue", "")) == (["c"], "")


async def test_older_state(api: httpx.AsyncClient, widgets: Kind) -> None:
    """With the match Exact, or a limit, a list is of the very version that is asked for; else at least as new."""
    await _fill(api, widgets, "abc")
    version = await version_of(api, widgets.path)
    await api.delete(f"{widgets.path}/b")
    await _fill(api, widgets, "d")
    exact = {"resourceVersion": version, "resourceVersionMatch": "Exact"}
    names, metadata = await _list(api, widgets.path, **exact)
    assert (names, metadata["resourceVersion"]) == (["a", "b", "c"], version)
    names, metadata = await _list(api, widgets.path, limit=2, **exact)
    assert (names, metadata["remainingItemCount"]) == (["a", "b"], 1)
    assert (await _list(api, widgets.path, resourceVersion=version, limit=2))[0] == ["a", "b"]
    assert (await _list(api, widgets.path, resourceVersion=version))[0] == ["a", "c", "d"]
    newer = exact | {"resourceVersionMatch": "NotOlderThan"}
    assert (await _list(api, widgets.path, **newer))[0] == ["a", "c", "d"]
    assert (await _list(api, widgets.path, resourceVersion="0", limit=2))[0] == ["a", "c", "d"]


async def test_version_that_has_not_come(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A version that is yet to come is answered 504, with the cause that clients look for."""
    await _fill(api, widgets, "a")
    later = {"resourceVersion": str(int(await version_of(api, widgets.path)) + LATER)}
    exact = later | {"resourceVersionMatch": "Exact"}
    for path, query in ((widgets.path, later), (widgets.path, exact), (f"{widgets.path}/a", later)):
        response = await api.get(path, params=query)
        status = response.json()
        assert (response.status_code, status["reason"]) == (504, "Timeout")
        assert status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ({"resourceVersionMatch": "Exact"}, "resourceVersionMatch", "FieldValueForbidden"),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, "resourceVersionMatch", "FieldValueForbidden"),
        ({"resourceVersionMatch": "Any", "resourceVersion": "1"}, "resourceVersionMatch", "FieldValueNotSupported"),
        ({"resourceVersionMatch": "Exact", "continue": "x"}, "resourceVersionMatch", "FieldValueForbidden"),
        ({"sendInitialEvents": "true"}, "sendInitialEvents", "FieldValueForbidden"),
        ({"watch": "1", "sendInitialEvents": "true"}, "resourceVersionMatch", "FieldValueForbidden"),
        (
            {"watch": "1", "resourceVersionMatch": "NotOlderThan", "resourceVersion": "1"},
            "resourceVersionMatch",
            "FieldValueForbidden",
        ),
        (
            {"watch": "1", "sendInitialEvents": "true", "resourceVersionMatch": "Exact"},
            "resourceVersionMatch",
            "FieldValueNotSupported",
        ),
    ],
)
async def test_options_that_do_not_go_together(
    api: httpx.AsyncClient, widgets: Kind, query: dict[str, str], field: str, reason: str
) -> None:
    """Options of a list, or of a watch, that do not go together are answered 422."""
    response = await api.get(widgets.path, params=query)
    assert (response.status_code, response.json()["details"]["kind"]) == (422, "ListOptions")
    assert (field, reason) in {(one["field"], one["reason"]) for one in response.json()["details"]["causes"]}


async def test_unreadable_versions(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A version that is no number is answered 400, and so is a version beside a token."""
    await _fill(api, widgets, "ab")
    token = (await _list(api, widgets.path, limit=1))[1]["continue"]
    version = await version_of(api, widgets.path)
    for query in ({"resourceVersion": "abc"}, {"limit": "x"}, {"continue": token, "resourceVersion": version}):
        assert (await api.get(widgets.path, params=query)).status_code == 400


async def test_selected_secrets(api: httpx.AsyncClient, namespace: str) -> None:
    """Secrets are listed and watched by label: what gets the label is added, what loses it is deleted."""
    path, query = f"{CORE}/namespaces/{namespace}/secrets", {"labelSelector": "example.com/watched=true"}
    watched = {"example.com/watched": "true"}
    for name, labels in (("in", watched), ("out", {})):
        await api.post(path, json={"metadata": {"name": name, "labels": labels}, "stringData": {"k": "v"}})
    assert (await _list(api, path, **query))[0] == ["in"]
    version = await version_of(api, path)
    async with watching(api, path, resourceVersion=version, **query) as events:
        for name, labels in (("out", watched), ("in", dict.fromkeys(watched)), ("in", {"other": "x"}), ("in", watched)):
            await api.patch(f"{path}/{name}", json={"metadata": {"labels": labels}}, headers=MERGE_PATCH)
        await api.patch(f"{path}/in", json={"stringData": {"k": "w"}}, headers=MERGE_PATCH)
        await api.delete(f"{path}/out")
        seen = [await events.next() for _ in range(5)]
    assert [(one["type"], one["object"]["metadata"]["name"]) for one in seen] == [
        ("ADDED", "out"),
        ("DELETED", "in"),
        ("ADDED", "in"),
        ("MODIFIED", "in"),
        ("DELETED", "out"),
    ]
    assert seen[1]["object"]["metadata"]["labels"] == watched
    assert seen[3]["object"]["data"] == {"k": "dw=="}


async def test_bookmarks(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Before its time is up, a watch with bookmarks tells how far it is, though nothing happened that it is about."""
    version = await version_of(api, widgets.path)
    query = {"resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": 4}
    for number in range(10):
        began = time.monotonic()
        async with watching(api, widgets.path, fieldSelector="metadata.name=nothing", **query) as events:
            # While it goes: a real server does not tell of what was written before.
            other = (await api.post(widgets.path, json=widgets.make(f"a{number}"))).json()
            seen = await events.rest() if time.monotonic() - began < 1 else []
        # Who gets no turn in the last seconds of a watch, server or test, has no time left to tell, or to be told of.
        if seen:
            break
    assert {one["type"] for one in seen} == {"BOOKMARK"}
    bookmark = seen[-1]["object"]
    assert (bookmark["kind"], bookmark["metadata"].get("name")) == ("Widget", None)
    assert int(bookmark["metadata"]["resourceVersion"]) >= int(other["metadata"]["resourceVersion"])


async def test_metadata_alone(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Objects can be had without what is in them: one, a list, and a watch."""
    await _fill(api, widgets, "a")
    one = (await api.get(f"{widgets.path}/a", headers=PARTIAL)).json()
    head = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    assert one == head | {"metadata": (await api.get(f"{widgets.path}/a")).json()["metadata"]}
    listed = (await api.get(widgets.path, headers=PARTIAL_LIST)).json()
    assert (listed["kind"], listed["items"]) == ("PartialObjectMetadataList", [one])
    assert listed["metadata"]["resourceVersion"].isdigit()
    query = {"watch": "1", "resourceVersion": listed["metadata"]["resourceVersion"]}
    async with api.stream("GET", widgets.path, params=query, headers=PARTIAL) as response:
        await _fill(api, widgets, "b")
        event = httpx.Response(200, text=await anext(response.aiter_lines())).json()
    assert (event["type"], event["object"].keys()) == ("ADDED", {"kind", "apiVersion", "metadata"})


async def test_forms_that_cannot_be_had(api: httpx.AsyncClient, namespace: str) -> None:
    """An unknown form, or the form of a list for one object, is answered 406, unless JSON will do as well."""
    path = f"{CORE}/namespaces/{namespace}/configmaps"
    await api.post(path, json={"metadata": {"name": "a"}})
    unknown = "application/json;as=Poem;g=meta.k8s.io;v=v1"
    for place, accept in ((f"{path}/a", PARTIAL_LIST["accept"]), (path, PARTIAL["accept"]), (path, unknown)):
        response = await api.get(place, headers={"accept": accept})
        assert (response.status_code, response.json()["reason"]) == (406, "NotAcceptable")
    response = await api.get(path, headers={"accept": f"{unknown},application/json"})
    assert response.json()["kind"] == "ConfigMapList"
