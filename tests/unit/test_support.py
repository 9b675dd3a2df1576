"""The fake API server behaves as a real one where the tests rely on it."""

from __future__ import annotations

import pytest

from hookwright.cluster import EVENTS, JOBS, SECRETS, WEBHOOKS
from hookwright.errors import ClusterError
from support.fakecluster import FakeCluster, merge_patch
from support.objects import raw_secret, raw_webhook

JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {}}


async def refusal(work):
    with pytest.raises(ClusterError) as refused:
        await work
    return refused.value.status, refused.value.reason


async def test_name_is_taken_once():
    """A second object of a name is AlreadyExists; a dry run says so too and keeps nothing."""
    cluster = FakeCluster()
    await cluster.create(JOBS, JOB, namespace="default", dry_run=True)
    assert cluster.all(JOBS) == []
    await cluster.create(JOBS, JOB, namespace="default")
    for dry_run in (False, True):
        assert await refusal(cluster.create(JOBS, JOB, namespace="default", dry_run=dry_run)) == (409, "AlreadyExists")


async def test_missing_objects_and_namespaces_are_404():
    """What is not there is None to get, and 404 to patch or to create in."""
    cluster = FakeCluster()
    assert await cluster.get(SECRETS, namespace="default", name="x") is None
    assert await refusal(cluster.patch(WEBHOOKS, {}, namespace="default", name="x")) == (404, "NotFound")
    assert await refusal(cluster.create(JOBS, JOB, namespace="nowhere")) == (404, "NotFound")


async def test_versions_and_generations():
    """A write of status leaves spec and generation, one that changes nothing leaves the version."""
    cluster = FakeCluster()
    cluster.put(WEBHOOKS, raw_webhook())
    where = {"namespace": "default", "name": "hello"}
    first = await cluster.patch(WEBHOOKS, {"status": {"arn": "a"}, "spec": {"x": 1}}, **where, subresource="status")
    assert (first["status"], "x" in first["spec"], first["metadata"]["generation"]) == ({"arn": "a"}, False, 1)
    again = await cluster.patch(WEBHOOKS, {"status": {"arn": "a"}}, **where, subresource="status")
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    second = await cluster.patch(WEBHOOKS, {"spec": {"suspend": True}, "status": {"arn": "b"}}, **where)
    assert (second["status"], second["metadata"]["generation"]) == ({"arn": "a"}, 2)
    assert int(second["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])


async def test_names_are_generated():
    """An object with generateName gets a name of its own each time."""
    cluster = FakeCluster()
    event = {"apiVersion": "v1", "kind": "Event", "metadata": {"generateName": "e."}}
    names = {(await cluster.create(EVENTS, event, namespace="default"))["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3


async def test_chosen_failures_come_before_or_after_the_effect():
    """A request can fail without effect, or with the effect and a lost answer."""
    cluster = FakeCluster()
    cluster.fail("create", SECRETS, status=503)
    cluster.fail("create", SECRETS, status=0, after=True)
    assert await refusal(cluster.create(SECRETS, raw_secret(), namespace="default")) == (503, "")
    assert cluster.all(SECRETS) == []
    assert await refusal(cluster.create(SECRETS, raw_secret(), namespace="default")) == (0, "")
    assert len(cluster.all(SECRETS)) == 1


async def test_what_is_given_out_is_a_copy():
    """Nobody changes the API server's objects by changing what it gave them."""
    cluster = FakeCluster()
    cluster.put(SECRETS, raw_secret())
    found = await cluster.get(SECRETS, namespace="default", name="hello-webhook")
    found["data"].clear()
    assert cluster.find(SECRETS, "hello-webhook")["data"]


def test_merge_patch_is_rfc_7386():
    """Null removes, objects merge, everything else replaces."""
    assert merge_patch({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None, "e": 3}, "d": [2]}) == {
        "a": {"c": 2, "e": 3},
        "d": [2],
    }
