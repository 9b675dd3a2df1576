"""The root key: made if it is absent, the same for all processes, refused in one sentence if it cannot be used."""

from __future__ import annotations

import asyncio
import base64

import pytest

from hookwright.cluster import NAMESPACES, SECRETS
from hookwright.errors import ClusterError, Unready
from hookwright.intake.routes import PATH, Routes, make_token, make_url
from hookwright.reconcile.rootkey import KEY_BYTES, NAME, load_root_keys
from support.fakecluster import FakeCluster
from support.objects import make_route

NAMESPACE = "hookwright-system"
FIRST, SECOND = b"1" * 32, b"2" * 16


def encode(*lines):
    return base64.b64encode(b"\n".join(lines)).decode()


def put_keys(cluster, data):
    metadata = {"name": NAME, "namespace": NAMESPACE}
    cluster.put(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})


def keys_data(*keys):
    return {"keys": encode(*(base64.b64encode(key) for key in keys))}


async def test_absent_key_is_made():
    """Where there is no root key, one of 32 random bytes is made, in a Secret that says whose it is."""
    cluster = FakeCluster()
    (key,) = await load_root_keys(cluster, NAMESPACE, make=True)
    assert len(key) == KEY_BYTES == 32
    secret = cluster.find(SECRETS, NAME, namespace=NAMESPACE)
    assert secret["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "hookwright",
        "hookwright.dev/watched": "true",
    }


async def test_next_process_finds_the_same_key():
    """URLs survive restarts: the key that was made is the key that is read."""
    cluster = FakeCluster()
    assert await load_root_keys(cluster, NAMESPACE, make=True) == await load_root_keys(cluster, NAMESPACE, make=True)
    assert cluster.count("create", SECRETS) == 1


async def test_keys_of_two_clusters_differ():
    """A key is random."""
    one, other = [await load_root_keys(FakeCluster(), NAMESPACE, make=True) for _ in range(2)]
    assert one != other


async def test_processes_that_race_agree():
    """Of processes that find no key at the same time one makes it, and all use that one."""
    cluster = FakeCluster()
    found = await asyncio.gather(*(load_root_keys(cluster, NAMESPACE, make=True) for _ in range(5)))
    assert len(set(found)) == 1
    assert cluster.count("create", SECRETS) == 5


@pytest.mark.parametrize("separator", [b"\n", b"\n\n", b" ", b"\r\n"])
async def test_several_keys_are_read_in_their_order(separator):
    """A list of keys is one line each; blanks and empty lines between them do not count."""
    cluster = FakeCluster()
    text = separator.join([base64.b64encode(FIRST), base64.b64encode(SECOND), b""])
    put_keys(cluster, {"keys": base64.b64encode(text).decode()})
    assert await load_root_keys(cluster, NAMESPACE, make=True) == (FIRST, SECOND)


async def test_first_key_makes_urls_and_all_are_known():
    """While a key is rotated, new URLs are those of the first key, and URLs of every key lead to their object."""
    cluster = FakeCluster()
    put_keys(cluster, keys_data(FIRST, SECOND))
    keys = await load_root_keys(cluster, NAMESPACE, make=True)
    route, routes = make_route(), Routes(keys)
    routes.put(route)
    assert make_url("", keys, route.uid) == PATH + make_token(FIRST, route.uid)
    assert [routes.find(PATH + make_token(key, route.uid)) for key in (FIRST, SECOND)] == [route, route]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, ["there is no key"]),
        ({}, ["there is no key"]),
        ({"other": encode(b"x")}, ["there is no key"]),
        ({"keys": ""}, ["there is no key"]),
        ({"keys": None}, ["there is no key"]),
        ({"keys": encode(b" \n ")}, ["there is no key"]),
        ({"keys": "***"}, ["not base64"]),
        ({"keys": encode(b"hush-hush!")}, ["not base64"]),
        ({"keys": encode(b"aGVsbG8")}, ["not base64"]),
        (keys_data(b"hush" * 3), ["too short", "at least 16"]),
        (keys_data(FIRST, b"short"), ["too short"]),
        (keys_data(b""), ["there is no key"]),
    ],
)
async def test_key_that_cannot_be_used_is_refused(data, words):
    """An empty, malformed or short key is refused with where it stands and what is right, and is not replaced."""
    cluster = FakeCluster()
    put_keys(cluster, data)
    with pytest.raises(Unready) as refused:
        await load_root_keys(cluster, NAMESPACE, make=True)
    message = refused.value.message
    assert [w for w in [*words, f"Secret {NAME} in namespace {NAMESPACE}", "key keys"] if w not in message] == []
    assert "hush" not in message
    assert cluster.count("create", SECRETS) == 0


async def test_missing_namespace_is_said():
    """Without its own namespace Hookwright says how to make it, and makes nothing."""
    cluster = FakeCluster()
    cluster.drop(NAMESPACES, NAMESPACE)
    with pytest.raises(Unready, match=f"kubectl create namespace {NAMESPACE}"):
        await load_root_keys(cluster, NAMESPACE, make=True)
    assert cluster.all(SECRETS) == []


async def test_receiver_makes_no_key():
    """Who may not make a key asks for it by its name alone, says who makes it, and finds it once it is there."""
    cluster = FakeCluster()
    with pytest.raises(Unready, match=f"no Secret {NAME} in namespace {NAMESPACE} yet: the operator makes it"):
        await load_root_keys(cluster, NAMESPACE, make=False)
    assert [(call.verb, call.resource, call.name) for call in cluster.calls] == [("get", SECRETS, NAME)]
    made = await load_root_keys(cluster, NAMESPACE, make=True)
    assert await load_root_keys(cluster, NAMESPACE, make=False) == made


@pytest.mark.parametrize(("verb", "status"), [("get", 503), ("get", 403), ("create", 403), ("create", 0)])
async def test_refusal_of_the_api_server_is_passed_on(verb, status):
    """Whether to try again is for the caller to decide."""
    cluster = FakeCluster()
    cluster.fail(verb, SECRETS, status=status)
    with pytest.raises(ClusterError):
        await load_root_keys(cluster, NAMESPACE, make=True)


async def test_lost_answer_makes_no_second_key():
    """A key that was made although the answer was lost is found at the next try."""
    cluster = FakeCluster()
    cluster.fail("create", SECRETS, status=0, after=True)
    with pytest.raises(ClusterError):
        await load_root_keys(cluster, NAMESPACE, make=True)
    await load_root_keys(cluster, NAMESPACE, make=True)
    assert cluster.count("create", SECRETS) == 1
