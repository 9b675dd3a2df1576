"""What any API server does with watches."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from integration.devcluster.api import MERGE_PATCH, TABLE, Kind, version_of, watching


async def test_from_a_version_on(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A watch from a list's version tells what happens after it, and nothing before."""
    await api.post(widgets.path, json=widgets.make("before"))
    version = await version_of(api, widgets.path)
    async with watching(api, widgets.path, resourceVersion=version) as events:
        await api.post(widgets.path, json=widgets.make("a"))
        await api.patch(f"{widgets.path}/a", json={"spec": {"mode": "Fast"}}, headers=MERGE_PATCH)
        await api.delete(f"{widgets.path}/a")
        assert await events.take(3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_history_is_replayed(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A watch from an older version tells first what happened since then, each change with a version of its own."""
    version = await version_of(api, widgets.path)
    await api.post(widgets.path, json=widgets.make("a"))
    await api.delete(f"{widgets.path}/a")
    async with watching(api, widgets.path, resourceVersion=version) as events:
        added, deleted = await events.next(), await events.next()
    assert (added["type"], deleted["type"]) == ("ADDED", "DELETED")
    versions = [int(one["object"]["metadata"]["resourceVersion"]) for one in (added, deleted)]
    assert int(version) < versions[0] < versions[1]


@pytest.mark.parametrize("word", ["1", "true", "True"])
async def test_without_a_version(api: httpx.AsyncClient, widgets: Kind, word: str) -> None:
    """A watch without a version begins with everything that is there."""
    await api.post(widgets.path, json=widgets.make("a"))
    async with watching(api, widgets.path, watch=word) as events:
        assert await events.take(1) == [("ADDED", "a")]


async def test_of_all_namespaces(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A watch without a namespace sees all of them."""
    path = f"{widgets.version_path}/widgets"
    async with watching(api, path, resourceVersion=await version_of(api, path)) as events:
        await api.post(widgets.path, json=widgets.make("anywhere"))
        while ("ADDED", "anywhere") not in await events.take(1):
            pass


async def test_initial_events(api: httpx.AsyncClient, widgets: Kind) -> None:
    """With sendInitialEvents a watch tells what is there, and then in a bookmark that this was all."""
    await api.post(widgets.path, json=widgets.make("a"))
    query = {
        "allowWatchBookmarks": "true",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "timeoutSeconds": 600,
    }
    async with watching(api, widgets.path, **query) as events:
        first = await events.next()
        if "storage feature" in first["object"].get("message", ""):
            pytest.skip("the API server's etcd is older than 3.4.25 and cannot tell how far it is")
        assert first["type"] == "ADDED"
        bookmark = await events.next()
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true"
    assert bookmark["object"]["kind"] == "Widget"


async def test_too_old_version(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A version that is forgotten is answered 410, as an event of the watch or at once."""
    response = await api.get(widgets.path, params={"watch": "1", "resourceVersion": "1", "timeoutSeconds": "600"})
    if response.status_code == 200:
        event = response.json()
        assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
        assert event["object"]["reason"] in ("Expired", "Gone")
    else:
        assert response.status_code == 410


async def test_time_limit(api: httpx.AsyncClient, widgets: Kind) -> None:
    """The parameter timeoutSeconds ends a watch in good order."""
    async with watching(api, widgets.path, timeoutSeconds=1) as events:
        assert [one for one in await events.rest() if one["type"] != "BOOKMARK"] == []


async def test_selectors(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Only what is selected is told; who enters is ADDED, who leaves is DELETED as it was last."""
    await api.post(widgets.path, json=widgets.make("out"))
    path, query = f"{widgets.path}/a", {"labelSelector": "app=z"}
    version = await version_of(api, widgets.path)
    async with watching(api, widgets.path, resourceVersion=version, **query) as events:
        await api.post(widgets.path, json=widgets.make("a"))
        for labels in ({"app": "z"}, {"more": "y"}, {"app": "x"}):
            await api.patch(path, json={"metadata": {"labels": labels}}, headers=MERGE_PATCH)
        seen = [await events.next() for _ in range(3)]
    assert [one["type"] for one in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert seen[2]["object"]["metadata"]["labels"] == {"app": "z", "more": "y"}
    now = (await api.get(path)).json()["metadata"]["resourceVersion"]
    assert seen[2]["object"]["metadata"]["resourceVersion"] == now


async def test_one_object(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A field selector watches one object."""
    for name in ("a", "b"):
        await api.post(widgets.path, json=widgets.make(name))
    async with watching(api, widgets.path, fieldSelector="metadata.name=b") as events:
        assert await events.take(1) == [("ADDED", "b")]
        await api.delete(f"{widgets.path}/a")
        await api.delete(f"{widgets.path}/b")
        assert await events.take(1) == [("DELETED", "b")]


async def test_finalizers(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A watch sees the mark of a deletion first, and the deletion when the last finalizer is off."""
    await api.post(widgets.path, json=widgets.make("f", finalizers=["example.com/f"]))
    version = await version_of(api, widgets.path)
    async with watching(api, widgets.path, resourceVersion=version) as events:
        await api.delete(f"{widgets.path}/f")
        await api.patch(f"{widgets.path}/f", json={"metadata": {"finalizers": None}}, headers=MERGE_PATCH)
        assert await events.take(2) == [("MODIFIED", "f"), ("DELETED", "f")]


async def test_tables(api: httpx.AsyncClient, widgets: Kind) -> None:
    """A watch can tell rows of a Table; the columns stand in the first one."""
    version = await version_of(api, widgets.path)
    query = {"watch": "1", "resourceVersion": version}
    async with api.stream("GET", widgets.path, params=query, headers=TABLE) as response:
        await api.post(widgets.path, json=widgets.make("a"))
        await api.post(widgets.path, json=widgets.make("b"))
        lines = response.aiter_lines()
        first, second = httpx.Response(200, text=await anext(lines)), httpx.Response(200, text=await anext(lines))
    tables = [one.json()["object"] for one in (first, second)]
    assert [one["kind"] for one in tables] == ["Table", "Table"]
    assert [one["rows"][0]["cells"][0] for one in tables] == ["a", "b"]
    assert tables[0]["columnDefinitions"][0]["name"] == "Name"


async def test_many_watchers(api: httpx.AsyncClient, widgets: Kind) -> None:
    """Every one of many watches sees every change, in order."""
    version = await version_of(api, widgets.path)
    names = [f"w{number:02}" for number in range(20)]
    ready = [asyncio.Event() for _ in range(10)]

    async def follow(started: asyncio.Event) -> list[tuple[str, str]]:
        async with watching(api, widgets.path, resourceVersion=version) as events:
            started.set()
            return await events.take(len(names))

    async with asyncio.TaskGroup() as group:
        followers = [group.create_task(follow(event)) for event in ready]
        for event in ready:
            await event.wait()
        for name in names:
            await api.post(widgets.path, json=widgets.make(name))
    assert all(one.result() == [("ADDED", name) for name in names] for one in followers)
