"""The chart's admission policy on a real API server: only who may use a ServiceAccount may have an object name it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.access import Access
from support.chart import render
from support.realapi import RealApi, allow, rule, until, until_may, user
from support.running import make_buildtrigger, make_webhook

KINDS = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
WRITER, BUILDER, OUTSIDER = "writer", "holder-of-builder", "holder-elsewhere"
WRITE = rule("hookwright.dev", "webhooks,buildtriggers", "get", "create", "update", "patch")


def named(obj: dict[str, Any], name: str) -> dict[str, Any]:
    """Give an object of another name, for the namespace in which it is made."""
    return {**obj, "metadata": {"name": name}}


def trigger(name: str = "hello", *, pod: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """Give a BuildTrigger; `pod` are members of its pods' spec."""
    made = named(make_buildtrigger(**spec), name)
    made["spec"]["projectName"] = name + "-project"
    made["spec"]["build"]["jobTemplate"]["spec"]["template"]["spec"] |= pod or {}
    return made


def webhook(name: str = "hello", **spec: Any) -> dict[str, Any]:
    """Give a Webhook."""
    return named(make_webhook(**spec), name)


def find_policy(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the policy about ServiceAccounts, and its binding."""
    found = [one for one in render(values) if one["kind"] in KINDS]
    return [one for one in found if one["metadata"]["name"].startswith("hookwright-service-accounts-")]


@pytest.fixture(scope="module")
def admin(server: Access) -> Iterator[RealApi]:
    """An administrator in a new namespace of which three users may write our kinds, and where the policy is in force.

    One of them may use no account, one may use `builder`, one may use accounts elsewhere only.
    """
    api = RealApi(server)
    api.install_crds()
    policy = find_policy({"admissionPolicy": {"enabled": True}})
    assert {one["kind"] for one in policy} == KINDS
    with api.new_namespace("policy") as namespace, api.new_namespace("elsewhere") as elsewhere, api.holding(*policy):
        api.namespace = namespace
        for name in (WRITER, BUILDER, OUTSIDER):
            api.apply(*allow(f"write-{name}", namespace, user(name), WRITE))
        use = rule("", "serviceaccounts", "impersonate", names=("builder", "default"))
        api.apply(*allow("use", namespace, user(BUILDER), use), *allow("use", elsewhere, user(OUTSIDER), use))
        for name in (WRITER, BUILDER, OUTSIDER):
            until_may(api, name, "create", "webhooks")
        until_may(api, BUILDER, "impersonate", "serviceaccounts", name="builder")
        # It takes some seconds until it is in force; before, a right that is not known yet may be what is lacking.
        until(lambda: is_refused_by_policy(api.as_user(WRITER)), "the policy is in force")
        yield api


def is_refused_by_policy(writer: RealApi) -> bool:
    """Say whether the policy keeps somebody from naming an account."""
    answer = writer.client.post(writer.path("BuildTrigger"), json=trigger(), params={"dryRun": "All"})
    return answer.status_code == 403 and "ValidatingAdmissionPolicy" in answer.text


ACCOUNTS = {
    "the creator": trigger(serviceAccountName="builder", pod={"serviceAccountName": "default"}),
    "the default creator": trigger(pod={"serviceAccountName": "builder"}),
    "the pods'": trigger(serviceAccountName="builder", pod={"serviceAccountName": "builder"}),
    "the pods', by its old name": trigger(serviceAccountName="builder", pod={"serviceAccount": "builder"}),
    "the pods', empty": trigger(serviceAccountName="builder", pod={"serviceAccountName": "", "serviceAccount": ""}),
    "a Webhook's": webhook(serviceAccountName="builder"),
    "a CronJob's": webhook(targetPipeline={"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly"}),
}


@pytest.mark.parametrize("user_name", [WRITER, OUTSIDER])
@pytest.mark.parametrize("obj", ACCOUNTS.values(), ids=ACCOUNTS)
def test_who_may_not_use_an_account_may_not_name_it(admin: RealApi, obj, user_name):
    """Whoever may write the object but not use the account is refused, with the account, the user and the right."""
    refused = admin.as_user(user_name).create(obj)
    assert refused.status_code == 403
    said = refused.json()["message"]
    assert user_name in said
    assert f"the verb impersonate on it in namespace {admin.namespace}" in said
    assert ("ServiceAccount builder" in said) or ("ServiceAccount default" in said)


@pytest.mark.parametrize("obj", ACCOUNTS.values(), ids=ACCOUNTS)
def test_who_may_use_the_accounts_may_name_them(admin: RealApi, obj):
    """Whoever may use both accounts writes all of them, and may change them."""
    owner = admin.as_user(BUILDER)
    assert owner.create(obj).status_code == 201
    changed = {"suspend": True} if obj["kind"] == "Webhook" else {"projectName": "other-project"}
    assert owner.change(obj["kind"], "hello", {"spec": changed}).status_code == 200
    assert admin.get(obj["kind"], "hello")["metadata"]["generation"] == 2
    admin.remove(obj)


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (trigger(serviceAccountName="root"), "spec.serviceAccountName: builds would be created as ServiceAccount root"),
        (trigger(pod={"serviceAccountName": "root"}), "jobTemplate: pods would run as ServiceAccount root"),
        (trigger(pod={"serviceAccount": "root"}), "jobTemplate: pods would run as ServiceAccount root"),
        (webhook(serviceAccountName="root"), "spec.serviceAccountName: builds would be created as ServiceAccount root"),
    ],
)
def test_message_says_which_account_and_where(admin: RealApi, obj, said):
    """Of several accounts the one that may not be used is named, with the field."""
    refused = admin.as_user(BUILDER).create(obj)
    assert refused.status_code == 403
    assert said in refused.json()["message"]


def test_account_of_a_template_that_is_no_name_is_refused(admin: RealApi):
    """What cannot be judged is not let in: the policy fails closed."""
    for wrong in (5, ["default"], {"name": "default"}):
        refused = admin.as_user(BUILDER).create(trigger(pod={"serviceAccountName": wrong}))
        assert refused.is_client_error, wrong


def test_webhook_that_leaves_it_to_its_buildtrigger_names_nobody(admin: RealApi):
    """A Webhook without an account is anybody's to write: its BuildTrigger's author was asked."""
    assert admin.as_user(WRITER).create(webhook("leaves-it")).status_code == 201


def test_changes_are_judged_as_creations(admin: RealApi):
    """Whoever may not use the account may not name it in a change, nor change what runs as it; labels they may."""
    writer, owner = admin.as_user(WRITER), admin.as_user(BUILDER)
    admin.apply(webhook("plain"))
    naming = writer.change("Webhook", "plain", {"spec": {"serviceAccountName": "builder"}})
    assert naming.status_code == 403
    assert owner.change("Webhook", "plain", {"spec": {"serviceAccountName": "builder"}}).status_code == 200
    assert writer.change("Webhook", "plain", {"spec": {"suspend": True}}).status_code == 403
    assert writer.change("Webhook", "plain", {"metadata": {"labels": {"a": "b"}}}).status_code == 200
    assert owner.change("Webhook", "plain", {"spec": {"suspend": True}}).status_code == 200
    # Away from an account whoever may write may go.
    assert writer.change("Webhook", "plain", {"spec": {"serviceAccountName": None}}).status_code == 200
    assert writer.change("Webhook", "plain", {"spec": {"suspend": False}}).status_code == 200


def test_writer_cannot_put_another_build_under_an_account(admin: RealApi):
    """The Job of a BuildTrigger is changed only by who may use the accounts under which it runs."""
    admin.apply(trigger("theirs", serviceAccountName="builder", pod={"serviceAccountName": "builder"}))
    other = trigger("theirs", serviceAccountName="builder", pod={"serviceAccountName": "builder"})["spec"]
    other["build"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"] = "evil"
    assert admin.as_user(WRITER).change("BuildTrigger", "theirs", {"spec": other}).status_code == 403
    assert admin.as_user(BUILDER).change("BuildTrigger", "theirs", {"spec": other}).status_code == 200


def test_status_is_not_asked_about(admin: RealApi):
    """Who may write status and nothing else, as Hookwright does, is not stopped by the policy."""
    admin.apply(webhook("told", serviceAccountName="builder"))
    admin.apply(
        *allow("status", admin.namespace, user("status-writer"), rule("hookwright.dev", "webhooks/status", "patch"))
    )
    until_may(admin, "status-writer", "patch", "webhooks", "status")
    patch = {"status": {"errorMessage": "x"}}
    assert admin.as_user("status-writer").change("Webhook", "told", patch, sub="status").status_code == 200
    assert admin.get("Webhook", "told")["status"]["errorMessage"] == "x"


def test_other_namespaces_are_left_alone_where_some_are_chosen(admin: RealApi):
    """With watchNamespaces the policy is about these namespaces only."""
    values = {"admissionPolicy": {"enabled": True}, "watchNamespaces": ["team-a"]}
    (binding,) = [one for one in find_policy(values) if one["kind"] == "ValidatingAdmissionPolicyBinding"]
    (expression,) = binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert expression == {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["team-a"]}


def test_policy_has_no_warnings(admin: RealApi):
    """The API server's own check of the expressions against the CRDs finds nothing."""
    (policy,) = [one for one in find_policy({"admissionPolicy": {"enabled": True}}) if one["kind"] == min(KINDS)]
    name = policy["metadata"]["name"]

    def find_status() -> dict[str, Any]:
        return admin.get("ValidatingAdmissionPolicy", name).get("status", {})

    until(lambda: "typeChecking" in find_status(), "it is checked")
    status = find_status()
    assert status["typeChecking"].get("expressionWarnings", []) == []
