"""The chart's admission policy on a real API server: of Secrets, Hookwright writes only those of BuildTriggers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hookwright.kinds import BuildTrigger, read
from hookwright.reconcile.own_secret import OldSecret, OwnSecret, encode, make_manifest, make_patch
from hookwright.reconcile.secret_plan import ROTATE
from support.access import Access
from support.chart import render
from support.controlplane import ControlPlane
from support.deployed import deploy
from support.objects import NOON, raw_buildtrigger
from support.realapi import RealApi, allow, rule, until, until_may
from support.running import make_root_key
from support.triggers import make_trigger

POLICY = "hookwright-secrets-hookwright-system"
OPERATOR = "system:serviceaccount:hookwright-system:hookwright-operator"
OTHER = "system:serviceaccount:hookwright-system:other"
OWNER = {"apiVersion": "hookwright.dev/v1alpha1", "kind": "BuildTrigger", "name": "hello", "uid": "1"}


def find_policy() -> list[dict[str, Any]]:
    """Give the policy and its binding."""
    return [one for one in render({"admissionPolicy": {"enabled": True}}) if one["metadata"]["name"] == POLICY]


def as_made() -> dict[str, Any]:
    """Give the very Secret that the operator makes."""
    trigger = read(BuildTrigger, raw_buildtrigger(metadata={"namespace": ""}))
    own = OwnSecret(live=encode("x"), made_at=NOON)
    return make_manifest(own, name=trigger.secret_name, trigger=trigger)


def secret(name: str = "hello-hookwright", *, owners: Any = (OWNER,), **more: Any) -> dict[str, Any]:
    """Give a Secret as Hookwright makes it."""
    metadata = {"name": name, "ownerReferences": list(owners)} | more.pop("metadata", {})
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"secret": "x"}, **more}


def account(name: str) -> dict[str, str]:
    """Give a ServiceAccount as the subject of a binding."""
    return {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name}


@pytest.fixture(scope="module")
def admin(server: Access) -> Iterator[RealApi]:
    """An administrator in a new namespace where two accounts may write Secrets, and where the policy is in force."""
    api = RealApi(server)
    policy = find_policy()
    assert len(policy) == 2
    api.install_crds()
    with api.new_namespace("secrets") as namespace, api.holding(*policy):
        api.namespace = namespace
        # Of an owner that is not there Kubernetes removes what it owns.
        api.apply({**make_trigger(), "metadata": {"name": "hello"}})
        OWNER["uid"] = api.get("BuildTrigger", "hello")["metadata"]["uid"]
        rights = rule("", "secrets", "get", "create", "patch")
        for index, user in enumerate((OPERATOR, OTHER)):
            api.apply(*allow(f"write-{index}", namespace, account(user), rights))
        forbidden = secret("wrong-name")
        # It takes some seconds until it is in force.
        until(lambda: is_refused(api, OPERATOR, forbidden), "the policy is in force")
        for somebody in (OPERATOR, OTHER):
            until_may(api, somebody, "patch", "secrets")
        yield api


def is_refused(api: RealApi, user: str, obj: dict[str, Any]) -> bool:
    """Say whether the policy keeps somebody from creating a Secret: a right may not be known yet."""
    answer = try_to_create(api, user, obj, dry_run=True)
    return answer.status_code == 403 and "ValidatingAdmissionPolicy" in answer.text


def try_to_create(api: RealApi, user: str, obj: dict[str, Any], *, dry_run: bool = False) -> httpx.Response:
    """Create a Secret as somebody."""
    parameters = {"dryRun": "All"} if dry_run else {}
    somebody = api.as_user(user)
    return somebody.client.post(somebody.path("Secret"), json=obj, params=parameters)


def test_own_secret_may_be_made_and_changed(admin: RealApi):
    """What Hookwright makes for a BuildTrigger passes, and so does replacing what is in it."""
    manifest = as_made()
    manifest["metadata"].pop("namespace")
    manifest["metadata"]["ownerReferences"][0]["uid"] = OWNER["uid"]
    made = try_to_create(admin, OPERATOR, manifest)
    assert made.status_code == 201, made.text
    own = OwnSecret(live=encode("y"), made_at=NOON, olds=(OldSecret(value=encode("x"), until=NOON),), handled=("1",))
    patch = make_patch(admin.get("Secret", "hello-hookwright"), own)
    assert patch is not None
    changed = admin.as_user(OPERATOR).change("Secret", "hello-hookwright", patch)
    assert changed.status_code == 200, changed.text
    admin.remove({**secret(), "metadata": {"name": "hello-hookwright", "namespace": admin.namespace}})


TOKEN = {"annotations": {"kubernetes.io/service-account.name": "default"}}
WRONG = {
    "a token of a ServiceAccount": (secret(type="kubernetes.io/service-account-token", metadata=TOKEN), "type Opaque"),
    "another name": (secret("hello"), "ends with -hookwright"),
    "nobody's": (secret(owners=()), "belong to a BuildTrigger"),
    "of another kind": (secret(owners=[OWNER | {"kind": "Webhook"}]), "belong to a BuildTrigger"),
    "of another group": (secret(owners=[OWNER | {"apiVersion": "x.dev/v1"}]), "belong to a BuildTrigger"),
    "a root key elsewhere": (secret("hookwright-root-key"), "ends with -hookwright"),
}


@pytest.mark.parametrize(("obj", "said"), WRONG.values(), ids=WRONG)
def test_other_secrets_may_not_be_made(admin: RealApi, obj, said):
    """Whatever else is made by Hookwright's account is refused, and by another's is none of the policy's business."""
    refused = try_to_create(admin, OPERATOR, obj)
    assert refused.status_code == 403
    assert said in refused.json()["message"]
    assert try_to_create(admin, OTHER, obj, dry_run=True).status_code == 201


def test_secret_of_somebody_else_may_not_be_taken(admin: RealApi):
    """A Secret that belongs to no BuildTrigger is not changed, whatever it is called, nor made into one that does."""
    metadata = {"name": "theirs-hookwright", "namespace": admin.namespace}
    admin.apply({**secret(owners=()), "metadata": metadata})
    operator = admin.as_user(OPERATOR)
    for patch in ({"stringData": {"a": "b"}}, {"metadata": {"ownerReferences": [OWNER]}}):
        refused = operator.change("Secret", "theirs-hookwright", patch)
        assert refused.status_code == 403
        assert "belong to a BuildTrigger" in refused.json()["message"]


def test_policy_is_about_the_accounts_of_the_release(admin: RealApi):
    """Each account that teams let in, those of both modes, is named in either, whatever it is called."""
    values = {"admissionPolicy": {"enabled": True}, "single": {"serviceAccount": {"name": "mine"}}}
    names = ("hookwright-receiver", "hookwright-operator", "mine")
    users = ", ".join(f"'system:serviceaccount:hookwright-system:{name}'" for name in names)
    for mode in ("split", "single"):
        (policy, _) = [one for one in render({**values, "mode": mode}) if one["metadata"]["name"] == POLICY]
        conditions = {one["name"]: one["expression"] for one in policy["spec"]["matchConditions"]}
        assert conditions["hookwright"].endswith(f"in [{users}]")


def test_root_key_may_be_made(server: Access, admin: RealApi):
    """In its own namespace the operator makes the root key at its first start."""
    with RealApi(server).new_namespace("own") as own:
        (policy, binding) = [
            one
            for one in render({"admissionPolicy": {"enabled": True}}, namespace=own)
            if one["metadata"]["name"] == f"hookwright-secrets-{own}"
        ]
        user = f"system:serviceaccount:{own}:hookwright-operator"
        admin.apply(*allow("write-own", own, account(user), rule("", "secrets", "create")))
        with admin.holding(policy, binding):
            api = RealApi(server)
            api.namespace = own
            until(lambda: is_refused(api, user, secret("x")), "the policy is in force")
            key = make_root_key()
            key["metadata"]["namespace"] = own
            assert try_to_create(api, user, key, dry_run=True).status_code == 201


async def test_operator_works_under_the_policy(control_plane: ControlPlane, tmp_path: Path):
    """Where the policy is in force, a BuildTrigger gets its secret, and another when it asks for one."""
    async with deploy(control_plane, tmp_path, mode="single") as deployed:
        values = {"admissionPolicy": {"enabled": True}, "mode": "single"}
        name = f"hookwright-secrets-{deployed.own}"
        policy = [one for one in render(values, namespace=deployed.own) if one["metadata"]["name"] == name]
        user = f"system:serviceaccount:{deployed.own}:hookwright"
        with deployed.api.holding(*policy):
            wrong = secret("x")
            until(lambda: is_refused(deployed.api, user, wrong), "the policy is in force")
            trigger = make_trigger()
            trigger["metadata"] = {"name": "hello", "namespace": deployed.team}
            deployed.api.apply(trigger)
            await deployed.until_secrets("hello", 1)
            trigger["metadata"]["annotations"] = {ROTATE: "1"}
            deployed.api.apply(trigger)
            await deployed.until_secrets("hello", 2)


def test_policy_has_no_warnings(admin: RealApi):
    """The API server's own check of the expressions finds nothing."""

    def find_status() -> dict[str, Any]:
        return admin.get("ValidatingAdmissionPolicy", POLICY).get("status", {})

    until(lambda: "typeChecking" in find_status(), "it is checked")
    assert find_status()["typeChecking"].get("expressionWarnings", []) == []
