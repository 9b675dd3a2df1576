"""What users have who have view, edit or admin, on a real API server with the chart's roles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.access import Access
from support.chart import render
from support.realapi import RealApi, make, may, until_may, user
from support.running import make_buildtrigger, make_webhook

OBJECTS = {"Webhook": {**make_webhook()}, "BuildTrigger": {**make_buildtrigger()}}
READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete", "deletecollection")


@pytest.fixture(scope="module")
def admin(server: Access) -> Iterator[RealApi]:
    """An administrator in a namespace with one of each kind, and users view, edit and admin, who have these roles."""
    api = RealApi(server)
    api.install_crds()
    roles = [one for one in render() if one["metadata"]["name"].startswith("hookwright-aggregate-")]
    assert len(roles) == 2
    with api.new_namespace("roles") as namespace, api.holding(*roles):
        api.namespace = namespace
        for name in ("view", "edit", "admin"):
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
            api.apply(make("RoleBinding", name, namespace, roleRef=reference, subjects=[user(name)]))
        for obj in OBJECTS.values():
            api.apply({**obj, "metadata": {"name": "hello"}})
        # A controller joins them, one after the other: edit may have all when admin has nothing of it yet.
        for who, verb in (("view", "get"), ("edit", "get"), ("edit", "create"), ("admin", "get"), ("admin", "create")):
            until_may(api, who, verb, "buildtriggers")
        yield api


@pytest.mark.parametrize("verb", READ + WRITE)
@pytest.mark.parametrize("resource", ["webhooks", "buildtriggers"])
def test_each_role_may_do_what_is_meant(admin: RealApi, resource, verb):
    """View reads BuildTriggers and no Webhook, whose URL can be a credential; edit and admin read and write both."""
    assert may(admin, "view", verb, resource) == (resource == "buildtriggers" and verb in READ)
    assert may(admin, "edit", verb, resource)
    assert may(admin, "admin", verb, resource)


@pytest.mark.parametrize("verb", ["update", "patch"])
@pytest.mark.parametrize("who", ["view", "edit", "admin"])
@pytest.mark.parametrize("resource", ["webhooks", "buildtriggers"])
def test_nobody_writes_status(admin: RealApi, resource, who, verb):
    """Status is Hookwright's to write: what it says of a delivery or a URL cannot be made up."""
    assert not may(admin, who, verb, resource, "status")


def test_editors_may_use_all_accounts(admin: RealApi):
    """Kubernetes itself lets edit and admin use each ServiceAccount, so that naming one gives them nothing new."""
    allowed = {who: may(admin, who, "impersonate", "serviceaccounts") for who in ("view", "edit", "admin")}
    assert allowed == {"view": False, "edit": True, "admin": True}


def test_editor_writes_what_counts_and_no_status(admin: RealApi):
    """An editor changes a spec; status that comes with it is dropped, and written directly it is refused."""
    editor = admin.as_user("edit")
    changed = editor.change("Webhook", "hello", {"spec": {"suspend": True}, "status": {"url": "https://evil"}})
    assert changed.status_code == 200
    assert "status" not in admin.get("Webhook", "hello")
    assert editor.change("Webhook", "hello", {"status": {"url": "https://evil"}}, sub="status").status_code == 403


def test_viewer_sees_no_webhook(admin: RealApi):
    """Someone with view gets BuildTriggers, and of Webhooks neither one nor the list."""
    viewer = admin.as_user("view")
    assert [one["metadata"]["name"] for one in viewer.list("BuildTrigger")] == ["hello"]
    for path in (viewer.path("Webhook", "hello"), viewer.path("Webhook")):
        assert viewer.client.get(path).status_code == 403


def test_chosen_namespaces_get_no_cluster_role():
    """With watchNamespaces, or without rights.aggregate, no ClusterRole is made for it."""
    for values in ({"watchNamespaces": ["team-a"]}, {"rights": {"aggregate": False}}):
        assert [one for one in render(values) if "aggregate" in one["metadata"]["name"]] == []
    assert {one["kind"] for one in render({"watchNamespaces": ["team-a"]})} & {
        "ClusterRole",
        "ClusterRoleBinding",
    } == set()
