"""Paths of the Kubernetes API."""

from __future__ import annotations

import pytest

from hookwright.cluster import BUILDTRIGGERS, EVENTS, JOBS, NAMESPACES, SECRETS, WEBHOOKS


@pytest.mark.parametrize(
    ("resource", "where", "path"),
    [
        (SECRETS, {"namespace": "a", "name": "b"}, "/api/v1/namespaces/a/secrets/b"),
        (EVENTS, {"namespace": "a"}, "/api/v1/namespaces/a/events"),
        (NAMESPACES, {"name": "a"}, "/api/v1/namespaces/a"),
        (NAMESPACES, {"namespace": "ignored", "name": "a"}, "/api/v1/namespaces/a"),
        (JOBS, {"namespace": "a", "name": "b"}, "/apis/batch/v1/namespaces/a/jobs/b"),
        (WEBHOOKS, {}, "/apis/hookwright.dev/v1alpha1/webhooks"),
        (
            BUILDTRIGGERS,
            {"namespace": "a", "name": "b", "subresource": "status"},
            "/apis/hookwright.dev/v1alpha1/namespaces/a/buildtriggers/b/status",
        ),
        (SECRETS, {"namespace": "a/../b", "name": "?x#y"}, "/api/v1/namespaces/a%2F..%2Fb/secrets/%3Fx%23y"),
    ],
)
def test_paths(resource, where, path):
    """Objects, collections and subresources have the paths of the API server; every part is escaped."""
    assert resource.path(**where) == path


def test_api_version_has_the_group_if_there_is_one():
    """Core resources have no group before their version."""
    assert (SECRETS.api_version, JOBS.api_version) == ("v1", "batch/v1")
