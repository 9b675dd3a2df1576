"""What devcluster does beyond any API server: it lets itself be paused, made to fail, looked into, and stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from hookwright.devcluster import ApiError, DevCluster
from hookwright.devcluster.store import HISTORY
from integration.devcluster.api import (
    BATCH,
    CORE,
    DEFINITIONS,
    eventually,
    version_of,
    watching,
    widget_definition,
)
from integration.devcluster.test_conformance_builtin import make_job

CONFIG_MAPS = f"{CORE}/namespaces/default/configmaps"
JOBS = f"{BATCH}/namespaces/default/jobs"


def _config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def test_pause_holds_requests_and_events(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """While the server is paused nothing is answered and no watch hears anything; afterwards all is made up for."""
    async with watching(dev, CONFIG_MAPS, resourceVersion=await version_of(dev, CONFIG_MAPS)) as events:
        cluster.pause()
        cluster.apply(_config_map("behind-its-back"))
        request = asyncio.create_task(dev.get(CONFIG_MAPS))
        event = asyncio.create_task(events.next())
        done, _ = await asyncio.wait({request, event}, timeout=0.2)
        assert not done
        assert cluster.get("configmaps", "default", "behind-its-back")
        cluster.resume()
        assert (await event)["object"]["metadata"]["name"] == "behind-its-back"
        assert len((await request).json()["items"]) == 1


async def test_chosen_answers(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """Matching requests get the chosen Status, as often as was said, and have no effect; others are served."""
    fault = cluster.answer(
        method="POST",
        path=r"/api/v1/namespaces/[^/]+/configmaps",
        status=503,
        reason="ServiceUnavailable",
        message="come again",
        times=2,
        headers={"Retry-After": "7"},
    )
    for _ in range(2):
        response = await dev.post(CONFIG_MAPS, json=_config_map("c"))
        status = response.json()
        assert (response.status_code, status["reason"], status["message"]) == (503, "ServiceUnavailable", "come again")
        assert (response.headers["retry-after"], status["details"]["retryAfterSeconds"]) == ("7", 7)
        assert (await dev.get(CONFIG_MAPS)).json()["items"] == []
    assert (await dev.post(CONFIG_MAPS, json=_config_map("c"))).status_code == 201
    assert fault.hits == 2


async def test_fault_without_an_end(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """A fault without a number stays until it is removed; of two, the older one counts."""
    fault = cluster.answer(path="/version", status=500, reason="InternalError")
    cluster.answer(path="/version", status=429, reason="TooManyRequests", times=1)
    assert [(await dev.get("/version")).status_code for _ in range(3)] == [500, 500, 500]
    fault.remove()
    fault.remove()
    assert [(await dev.get("/version")).status_code for _ in range(2)] == [429, 200]


@pytest.mark.parametrize("after", [False, True])
async def test_dropped_connections(cluster: DevCluster, dev: httpx.AsyncClient, *, after: bool) -> None:
    """A dropped request gets no answer; whether it took effect is the test's choice."""
    cluster.drop(method="POST", path=CONFIG_MAPS, times=1, after=after)
    with pytest.raises(httpx.TransportError):
        await dev.post(CONFIG_MAPS, json=_config_map("c"))
    assert (cluster.get("configmaps", "default", "c") is not None) == after
    assert cluster.requests[-1].status == 0
    assert (await dev.post(CONFIG_MAPS, json=_config_map("c"))).status_code == (409 if after else 201)


async def test_record_of_requests(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """Each request is recorded with whom it impersonates, and how it was answered."""
    headers = {
        "impersonate-user": "system:serviceaccount:default:builder",
        "impersonate-group": "system:authenticated",
        "user-agent": "a-test/1",
    }
    await dev.post(CONFIG_MAPS, json=_config_map("c"), params={"dryRun": "All"}, headers=headers)
    await dev.get(f"{CONFIG_MAPS}/nope")
    first, second = cluster.requests
    assert (first.method, first.path, first.query, first.status) == ("POST", CONFIG_MAPS, "dryRun=All", 201)
    assert first.impersonate_user == "system:serviceaccount:default:builder"
    assert (first.impersonate_groups, first.user_agent) == (("system:authenticated",), "a-test/1")
    assert (second.method, second.status, second.impersonate_user) == ("GET", 404, "")


@pytest.mark.parametrize(
    "headers",
    [
        {"impersonate-group": "a"},
        {"impersonate-uid": "a"},
        {"impersonate-user": "system:serviceaccount:default"},
        {"impersonate-user": "system:serviceaccount:default:"},
        {"impersonate-user": "system:serviceaccount:UP:x"},
        {"impersonate-user": "system:serviceaccount:a:b:c"},
    ],
)
async def test_malformed_impersonation(dev: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """A request that impersonates nobody in particular is refused."""
    response = await dev.post(CONFIG_MAPS, json=_config_map("c"), headers=headers)
    assert response.status_code == 400


async def test_web_pages_are_not_served(dev: httpx.AsyncClient) -> None:
    """What comes from a web page, or under another host name, is refused: there is no authorisation behind it."""
    assert (await dev.get("/version", headers={"origin": "https://a.example"})).status_code == 403
    assert (await dev.get("/version", headers={"host": "a.example"})).status_code == 403
    assert (await dev.get("/version", headers={"host": "localhost:1"})).status_code == 200


async def test_looking_into_the_store(cluster: DevCluster) -> None:
    """Tests read and write the store directly, as copies; what is applied twice is replaced, with its status."""
    job = make_job() | {"status": {"succeeded": 1}}
    applied = cluster.apply(job)
    assert applied["status"] == {"succeeded": 1}
    assert "uid" not in job["metadata"]
    found = cluster.get("jobs.batch", "default", "job")
    found["spec"] = None
    assert cluster.list("jobs.batch", namespace="default")[0]["spec"]["completions"] == 1
    again = cluster.apply(job | {"status": {"failed": 1}})
    assert (again["status"], again["metadata"]["uid"]) == ({"failed": 1}, applied["metadata"]["uid"])
    assert cluster.get("jobs.batch", "default", "nope") is None
    assert cluster.get("namespaces", None, "default")["status"]["phase"] == "Active"
    with pytest.raises(LookupError, match=r"PLURAL\.GROUP"):
        cluster.list("jobs")
    with pytest.raises(LookupError, match="Gadget"):
        cluster.apply({"apiVersion": "x/v1", "kind": "Gadget"})
    with pytest.raises(ApiError, match="is invalid"):
        cluster.apply(_config_map("No"))


async def test_control_from_many_threads(cluster: DevCluster) -> None:
    """The store may be used from any thread."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: cluster.apply(_config_map(f"c{number}")), range(100)))
    versions = {one["metadata"]["resourceVersion"] for one in cluster.list("configmaps")}
    assert len(versions) == 100


async def test_closed_watches(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """All watches end in good order when they are told to, and new ones begin."""
    async with watching(dev, CONFIG_MAPS) as one, watching(dev, JOBS) as other:
        cluster.apply(_config_map("c"))
        assert await one.take(1) == [("ADDED", "c")]
        cluster.close_watches()
        assert await one.rest() == []
        assert await other.rest() == []
    async with watching(dev, CONFIG_MAPS) as one:
        assert await one.take(1) == [("ADDED", "c")]


async def test_expired_history(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """Older versions are answered 410 after the history was dropped, in watches and later pages; open watches go on."""
    for name in "abc":
        cluster.apply(_config_map(name))
    old = await version_of(dev, CONFIG_MAPS)
    token = (await dev.get(CONFIG_MAPS, params={"limit": 1})).json()["metadata"]["continue"]
    async with watching(dev, CONFIG_MAPS, resourceVersion=old) as events:
        cluster.apply(make_job())
        cluster.expire_history()
        cluster.apply(_config_map("d"))
        assert await events.take(1) == [("ADDED", "d")]
    async with watching(dev, CONFIG_MAPS, resourceVersion=old) as events:
        (error,) = await events.rest()
    assert (error["type"], error["object"]["code"], error["object"]["reason"]) == ("ERROR", 410, "Expired")
    page = await dev.get(CONFIG_MAPS, params={"limit": 1, "continue": token})
    assert (page.status_code, page.json()["reason"]) == (410, "Expired")


def test_states_of_the_past(cluster: DevCluster) -> None:
    """Each state of a kind can be had again, of one namespace and of all, until its history is forgotten."""
    store, key = cluster._store, ("", "configmaps")
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    steps = [("a", "default", "1"), ("a", "other", "1"), ("b", "default", "1"), ("a", "default", "2")]
    steps += [("a", "default", ""), ("a", "other", "2"), ("a", "default", "3"), ("b", "default", "")]
    states = {store.version: ([], [])}
    for name, namespace, text in steps:
        if text:
            body = _config_map(name, text=text)
            cluster.apply(body | {"metadata": {"name": name, "namespace": namespace}})
        else:
            cluster._call(lambda place=(namespace, name): store.remove(key, store.get(key, *place).read()))
        states[store.version] = (store.all(key), store.all(key, "default"))
    for version, (everywhere, here) in states.items():
        assert store.all_at(key, version) == everywhere
        assert store.all_at(key, version, "default") == here
    cluster.expire_history()
    with pytest.raises(ApiError, match="too old resource version"):
        store.all_at(key, min(states))


async def test_slow_watcher_is_cut_off(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """A watcher that falls behind the bounded history is told to list again."""
    old = await version_of(dev, CONFIG_MAPS)
    async with watching(dev, CONFIG_MAPS, resourceVersion=old, timeoutSeconds=60) as events:
        cluster.pause()
        # The watcher is woken by the first change, and then held with its position.
        await asyncio.to_thread(_change_often, cluster, HISTORY * 2)
        cluster.resume()
        seen = await events.rest()
    assert seen[-1]["object"]["code"] == 410
    assert len(seen) < HISTORY * 2


def _change_often(cluster: DevCluster, times: int) -> None:
    cluster.apply(_config_map("c"))
    # Let the watcher wake up before it is overrun.
    time.sleep(0.1)
    _in_parts(cluster, times, lambda number: _config_map("c", number=str(number)))


def _in_parts(cluster: DevCluster, count: int, make: Callable[[int], dict[str, Any]]) -> None:
    """Apply many objects, some hundreds at once: the server's loop has as long for each part as for one object."""
    for start in range(0, count, 500):

        def apply(start: int = start) -> None:
            for number in range(start, min(start + 500, count)):
                cluster._apply(make(number))

        cluster._call(apply)


async def test_ten_thousand_objects(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """Ten thousand objects are listed, paged and watched whole."""
    count = 10_000

    await asyncio.to_thread(_in_parts, cluster, count, lambda number: _config_map(f"c{number:05}", text="x" * 200))
    assert len((await dev.get(CONFIG_MAPS)).json()["items"]) == count
    page = (await dev.get(CONFIG_MAPS, params={"limit": 500})).json()
    assert (len(page["items"]), page["metadata"]["remainingItemCount"]) == (500, count - 500)
    async with watching(dev, CONFIG_MAPS) as events:
        assert [name for _, name in await events.take(count)][-1] == "c09999"


async def test_lost_clients_leave_nothing_behind(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """A client that goes away in the middle of a watch, of a body or of a wait takes its share with it."""
    async with watching(dev, CONFIG_MAPS):
        await eventually(lambda: _count_watches(cluster, 1), "the watch is open")
    await eventually(lambda: _count_watches(cluster, 0), "the watch is closed")
    connections = len(cluster._runner.server.connections)
    port = int(cluster.url.rsplit(":", 1)[1])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    await eventually(lambda: _count_connections(cluster, connections + 1), "the connection is there")
    writer.write(b"POST /api/v1/namespaces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    await eventually(lambda: _count_connections(cluster, connections), "the connection is gone")
    cluster.pause()
    waiting = asyncio.create_task(dev.get("/version"))
    await eventually(lambda: _count_waiting(cluster), "a request waits")
    waiting.cancel()
    cluster.resume()
    assert (await dev.get("/version")).status_code == 200


async def _count_watches(cluster: DevCluster, wanted: int) -> bool:
    return cluster._call(lambda: sum(map(len, cluster._watches._open.values()))) == wanted


async def _count_connections(cluster: DevCluster, wanted: int) -> bool:
    return cluster._call(lambda: len(cluster._runner.server.connections)) == wanted


async def _count_waiting(cluster: DevCluster) -> bool:
    return cluster._call(lambda: len(cluster._server.gate._waiting)) == 1


async def test_own_mistakes_are_not_shown(
    cluster: DevCluster, dev: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception of the server's own is answered 500 without a traceback, which is in the log."""

    def fail(*_: object) -> None:
        raise RuntimeError("not for clients")

    monkeypatch.setattr(cluster._server._objects, "answer", fail)
    response = await dev.get(CONFIG_MAPS)
    assert (response.status_code, response.json()["reason"]) == (500, "InternalError")
    assert "not for clients" not in response.text
    assert "not for clients" in caplog.text


async def test_cel_rules_are_ignored(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """A definition with CEL rules is served without them."""
    definition = widget_definition("cel.example.com")
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["x-kubernetes-validations"] = [{"rule": "false", "message": "never"}]
    await dev.post(DEFINITIONS, json=definition)
    body = {"apiVersion": "cel.example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    assert cluster.apply(body | {"spec": {"url": "https://a.example"}})["spec"]["retries"] == 5


async def test_yaml_that_says_a_lot_with_little(dev: httpx.AsyncClient) -> None:
    """YAML with aliases is refused: a few of them, nested, would fill the memory."""
    body = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, labels: &x {a: b}, annotations: *x}\n"
    headers, query = {"content-type": "application/apply-patch+yaml"}, {"fieldManager": "m"}
    response = await dev.patch(f"{CONFIG_MAPS}/c", content=body, headers=headers, params=query)
    assert (response.status_code, "aliases" in response.json()["message"]) == (400, True)


async def test_version_names_devcluster(dev: httpx.AsyncClient) -> None:
    """The version says that this is the development cluster."""
    assert "+devcluster" in (await dev.get("/version")).json()["gitVersion"]
