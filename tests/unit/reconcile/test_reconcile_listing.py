"""Lists for kopf: typed objects in place of raw ones, and all other answers as they are."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration

from hookwright.kinds import MAX_TEMPLATE_BYTES, BuildTrigger, InvalidObject, Webhook
from hookwright.reconcile.listing import FOUND, ListedResponse, find_typed
from hookwright.reconcile.watches import NoMemory, _connect, _make_settings, _open_session
from support.objects import JOB_SPEC, make_buildtrigger, make_webhook, raw_buildtrigger, raw_webhook
from support.waiting import patience

TRIGGERS = "/apis/hookwright.dev/v1alpha1/buildtriggers"


@asynccontextmanager
async def answering(answer, *, status=200, response_class=ListedResponse):
    """Give what gets the JSON of a path from a server that answers `answer` to everything."""

    async def handle(_):
        return web.Response(body=answer, status=status, content_type="application/json")

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host = site.name

    async def get(path):
        async with session.get(host + path) as response:
            return await response.json()

    try:
        async with patience(), aiohttp.ClientSession(response_class=response_class) as session:
            yield get
    finally:
        await runner.cleanup()


def listing(*items, **members):
    found = {"items": items, "kind": "BuildTriggerList", "metadata": {"resourceVersion": "7"}}
    return json.dumps(found | members).encode()


async def test_list_comes_with_typed_objects():
    """Of each object kopf gets who it is, and what it is; of the list itself all."""
    raw = raw_buildtrigger(metadata={"labels": {"a": "b"}})
    async with answering(listing(raw)) as get:
        found = await get(TRIGGERS)
    (item,) = found["items"]
    assert (found["kind"], found["metadata"]) == ("BuildTriggerList", {"resourceVersion": "7"})
    assert item["metadata"] == {name: raw["metadata"][name] for name in ("name", "namespace", "uid", "resourceVersion")}
    assert item[FOUND] == make_buildtrigger()
    assert set(item) == {"metadata", FOUND}


async def test_object_beyond_bounds_is_in_the_list_too():
    """A BuildTrigger with a template that is too large comes as one that is invalid."""
    spec = {**JOB_SPEC, "x": "x" * MAX_TEMPLATE_BYTES}
    async with answering(listing(raw_buildtrigger(build={"jobTemplate": {"spec": spec}}))) as get:
        (item,) = (await get(TRIGGERS))["items"]
    assert isinstance(item[FOUND], InvalidObject)
    assert item[FOUND].metadata.name == "hello"


@pytest.mark.parametrize(
    ("path", "status"), [("/apis/hookwright.dev/v1alpha1", 200), (TRIGGERS, 403), ("/api/v1/pods", 200)]
)
async def test_all_else_is_as_it_is(path, status):
    """What is no list of our kinds, a refusal too, is read as aiohttp reads it."""
    answer = {"kind": "Status", "items": [{"metadata": {"labels": {"a": "b"}}}]}
    async with answering(json.dumps(answer).encode(), status=status) as get:
        assert await get(path) == answer


@pytest.mark.parametrize("answer", [b"<html>", listing(raw_buildtrigger())[:-30], b'{"metadata":{},"items":[{}]}'])
async def test_broken_list_is_an_error_that_kopf_survives(answer):
    """A list that breaks off, or is none, is one of the errors upon which kopf lists again."""
    async with answering(answer) as get:
        with pytest.raises(aiohttp.ClientPayloadError):
            await get(TRIGGERS)


def test_object_of_a_watch_is_typed():
    """What a watch shows is typed as what a list shows is."""
    assert find_typed(Webhook, raw_webhook()) == make_webhook()
    assert find_typed(BuildTrigger, {"metadata": {}, FOUND: make_buildtrigger()}) == make_buildtrigger()
    assert find_typed(Webhook, raw_webhook() | {FOUND: "forged"}) == make_webhook()


async def test_kopfs_session_has_the_access():
    """The session that kopf gets proves who we are, and reads lists our way."""
    configuration = Configuration()
    configuration.host = "http://127.0.0.1:1"
    configuration.api_key["BearerToken"] = "Bearer t0ken"
    made = _open_session(await _connect(configuration), None)
    async with made.aiohttp_session as session:
        assert made.server == "http://127.0.0.1:1"
        assert session.headers["Authorization"] == "Bearer t0ken"
        assert session._response_class is ListedResponse


def test_kopf_copies_no_object():
    """Objects are asked for 500 at a time; nothing is kept of what they were, or of what annotations say they were."""
    settings = _make_settings()
    storage = settings.persistence.diffbase_storage
    body = {"metadata": {"annotations": {"kopf.zalando.org/last-handled-configuration": "{"}}, "spec": {"a": [1]}}
    assert isinstance(storage, NoMemory)
    assert (storage.build(body=body, extra_fields=[]), storage.fetch(body=body)) == ({}, None)
    assert settings.watching.chunk_size == 500
