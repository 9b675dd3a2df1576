"""Hookwright's own ServiceAccounts on a real API server, with the rights that the chart gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from support.chart import render
from support.controlplane import AuditEvent
from support.realapi import Object, RealApi, until
from support.rights import Account, Allowed, Asked, Asking, Rights, as_account, as_user, split_impersonation

# By the role of a process; which of them there are in each of the chart's modes.
ACCOUNTS = {"receiver": "hookwright-receiver", "operator": "hookwright-operator", "run": "hookwright"}
ROLES = {"split": ("receiver", "operator"), "single": ("run",)}
RIGHTS = {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
FORBIDDEN = (401, 403)


def render_rights(values: Mapping[str, Any], *, namespace: str) -> list[Object]:
    """Give the objects by which the chart gives rights."""
    return [one for one in render(values, namespace=namespace) if one["kind"] in RIGHTS]


def render_all_rights(values: Mapping[str, Any], *, namespace: str) -> list[Object]:
    """Give those of all modes for one cluster: a role that several modes have is bound to the accounts of each."""
    found: dict[tuple[str, ...], Object] = {}
    for mode in ROLES:
        for one in render_rights({**values, "mode": mode}, namespace=namespace):
            metadata = one["metadata"]
            there = found.setdefault((one["kind"], metadata.get("namespace", ""), metadata["name"]), one)
            if "subjects" in there:
                there["subjects"] += [subject for subject in one["subjects"] if subject not in there["subjects"]]
    return list(found.values())


def until_allowed(api: RealApi, rights: Rights) -> None:
    """Wait until the API server lets each account do what its roles say: it hears of them a moment later."""
    for account, all_allowed in rights.items():
        for allowed in all_allowed:
            until(lambda account=account, allowed=allowed: _may(api, account, allowed), f"{account} may {allowed}")


def until_refused(api: RealApi, before: Rights, after: Rights) -> None:
    """Wait until the API server lets no account do any more what only its rights `before` say, and `after` do not."""
    for account, all_allowed in before.items():
        left = after.get(account, set())
        for lost in all_allowed:
            if not any(one.covers(Asked(*lost)) for one in left):
                until(lambda account=account, lost=lost: not _may(api, account, lost), f"{account} may no more {lost}")


def _may(api: RealApi, account: Account, allowed: Allowed) -> bool:
    resource, _, subresource = allowed.resource.partition("/")
    attributes = {
        "verb": allowed.verb,
        "group": allowed.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": allowed.namespace,
        "name": allowed.name,
    }
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{account[0]}", "system:authenticated"]
    spec = {"user": as_user(account), "groups": groups, "resourceAttributes": attributes}
    answer = api.client.post(REVIEWS, json={"spec": spec}).raise_for_status()
    return bool(answer.json()["status"].get("allowed"))


def is_refused(event: AuditEvent) -> bool:
    """Say whether a request was refused for lack of a right; a full quota or an admission policy forbids too."""
    return event.code in FORBIDDEN and not event.authorized


def read_asking(events: Iterable[AuditEvent]) -> Iterator[Asking]:
    """Give who has asked for what, in the words of RBAC; discovery is everybody's right."""
    for event in events:
        if event.resource:
            # A right to create cannot be for a name, and of a collection the log may say none.
            name = "" if event.verb == "create" else event.name
            asked = Asked(event.verb, event.group, event.resource, event.namespace, name)
            yield from split_impersonation(as_account(event.user), event.impersonated, asked)
