"""The rights in the chart: those of examples/rights, none for the cluster if it serves a part, what grant prints."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from hookwright.commands import hookwright
from support.accounts import render_all_rights, render_rights
from support.chart import find, render, render_files
from support.chart_modes import MODES, TENANTS
from support.rights import OURS, read_rules

RBAC = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
ACCOUNTS = {"split": ["hookwright-receiver", "hookwright-operator"], "single": ["hookwright"]}


def notes(values: dict[str, Any]) -> str:
    """Give what Helm prints after an install."""
    return render_files(values)["NOTES.txt"]


def strip(one: dict[str, Any]) -> dict[str, Any]:
    """Give an object without the labels that Helm's releases have."""
    return {**one, "metadata": {name: value for name, value in one["metadata"].items() if name != "labels"}}


@pytest.mark.parametrize("mode", ACCOUNTS)
@pytest.mark.parametrize("name", ["hookwright", "ci"])
@pytest.mark.parametrize("impersonate_only", [False, True])
def test_tenants_are_what_grant_prints(mode, name, impersonate_only):
    """Each tenant's objects are those that `hookwright grant` prints as the notes say, and no others come with it."""
    tenants = [{**tenant, "impersonateOnly": impersonate_only} for tenant in TENANTS]
    values = {"mode": mode, "fullnameOverride": name}
    without = [one for one in render(values) if one["kind"] in RBAC]
    found = [strip(one) for one in render({**values, "tenants": tenants}) if one["kind"] in RBAC and one not in without]
    (options,) = re.findall(r"hookwright grant TEAM-NAMESPACE --service-account BUILDER (.*) \|", notes(values))
    printed: list[dict[str, Any]] = []
    for tenant in TENANTS:
        arguments = [tenant["namespace"], "--service-account", tenant["serviceAccount"]]
        arguments += options.split()
        arguments += ["--impersonate-only"] if impersonate_only else []
        done = CliRunner().invoke(hookwright, ["grant", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        printed += [one for one in yaml.safe_load_all(done.output) if one]
    assert sorted(found, key=str) == sorted(printed, key=str)


def test_namespaced_release_has_no_rule_for_the_cluster():
    """With watchNamespaces all rights are Roles in these namespaces and in Hookwright's own."""
    objects = [one for one in render({"watchNamespaces": ["team-a", "team-b"]}) if one["kind"] in RBAC]
    assert {one["kind"] for one in objects} == {"Role", "RoleBinding"}
    assert {one["metadata"]["namespace"] for one in objects} == {"team-a", "team-b", "hookwright-system"}
    for one in objects:
        if one["kind"] == "RoleBinding":
            assert one["roleRef"]["kind"] == "Role"


def test_modes_beside_one_another_give_each_account_its_own_rights():
    """What tests give all modes at once in one cluster is for each account what its own mode gives it, and no more."""
    ours = {(OURS, name) for accounts in ACCOUNTS.values() for name in accounts}
    values = {"tenants": TENANTS, "rights": {"watchSecrets": True}}
    found = read_rules([one for one in render_all_rights(values, namespace=OURS) if one["kind"] in RBAC])
    expected = {}
    for mode, names in ACCOUNTS.items():
        rights = read_rules(
            [one for one in render_rights({**values, "mode": mode}, namespace=OURS) if one["kind"] in RBAC]
        )
        expected |= {who: rights[who] for who in rights if who not in ours or who[1] in names}
    assert found == expected


def find_accounts(objects: list[dict[str, Any]]) -> set[str]:
    """Give the names of the ServiceAccounts of what runs."""
    pods = (one["spec"]["template"]["spec"] for one in objects if one["kind"] == "StatefulSet")
    return {pod["serviceAccountName"] for pod in pods}


@pytest.mark.parametrize("values", MODES.values(), ids=list(MODES))
def test_bindings_are_to_roles_that_are_there(values):
    """Each binding binds a role of the same place to accounts that run; those of tenants, to the other mode's too."""
    objects = render(values)
    accounts = {mode: find_accounts(render({**values, "mode": mode, "adoptJournals": []})) for mode in ACCOUNTS}
    for one in objects:
        if one["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        assert find(objects, one["roleRef"]["kind"], one["roleRef"]["name"], one["metadata"].get("namespace"))
        name, subjects = one["metadata"]["name"], {subject["name"] for subject in one["subjects"]}
        if "-acts-as-" in name:
            assert subjects == accounts["split"] | accounts["single"]
        elif name.endswith("-keeps-secrets"):
            assert subjects == {"hookwright-operator", "hookwright"}
        elif not name.startswith("hookwright-builds-as-"):
            assert subjects <= accounts[values.get("mode", "split")]


def test_rights_can_be_made_by_hand():
    """With rights.create: false the release has no role and no binding."""
    assert not [one for one in render({"rights": {"create": False}}) if one["kind"] in RBAC]
