"""Rights in the words of RBAC: what roles allow, what was asked for, and how the two compare."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

OURS = "hookwright-system"


class Asked(NamedTuple):
    """What one request asks for; without a name it is about a collection, without a namespace about all."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str


class Allowed(NamedTuple):
    """What one rule allows: a name and a namespace that are empty stand for all."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str

    def covers(self, asked: Asked) -> bool:
        """Say whether it allows what is asked."""
        return self[:3] == asked[:3] and self.namespace in ("", asked.namespace) and self.name in ("", asked.name)


Account = tuple[str, str]  # namespace and name
Asking = tuple[Account, Asked]
Rights = dict[Account, set[Allowed]]


def read_rules(manifests: Iterable[Mapping[str, Any]], *, namespace: str = "") -> Rights:
    """Give what roles and bindings allow to each ServiceAccount; `namespace` is where objects go that name none."""
    objects = list(manifests)
    roles = {_place(one, namespace): one["rules"] for one in objects if "rules" in one}
    rights: Rights = {}
    for binding in objects:
        if "roleRef" not in binding:
            continue
        _, where, _ = _place(binding, namespace)
        reference = binding["roleRef"]
        role = (reference["kind"], "" if reference["kind"] == "ClusterRole" else where, reference["name"])
        for subject in binding["subjects"]:
            account = (subject.get("namespace", where), subject["name"])
            rights.setdefault(account, set()).update(_read(roles[role], where))
    return rights


def uncomment(text: str) -> str:
    """Make the rules that stand in comments ones that count."""
    return re.sub(r"^  # ((?:- |  )\S*(?:apiGroups|resources|verbs): )", r"  \1", text, flags=re.MULTILINE)


def _place(one: Mapping[str, Any], namespace: str) -> tuple[str, str, str]:
    metadata = one["metadata"]
    where = "" if one["kind"].startswith("Cluster") else metadata.get("namespace", namespace)
    return one["kind"], where, metadata["name"]


def _read(rules: Iterable[Mapping[str, Any]], namespace: str) -> Iterator[Allowed]:
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    for name in rule.get("resourceNames", [""]):
                        yield Allowed(verb, group, resource, namespace, name)


def as_account(user: str) -> Account:
    """Give the ServiceAccount that a user of the API server is."""
    kind, of, namespace, name = user.split(":")
    assert (kind, of) == ("system", "serviceaccount"), user
    return namespace, name


def as_user(account: Account) -> str:
    """Give the user of the API server that a ServiceAccount is."""
    return "system:serviceaccount:" + ":".join(account)


def split_impersonation(account: Account, impersonated: str, asked: Asked) -> list[Asking]:
    """Give who asks for what in one request: who acts as another asks for that, and the other for the rest."""
    if not impersonated:
        return [(account, asked)]
    other = as_account(impersonated)
    return [(account, Asked("impersonate", "", "serviceaccounts", *other)), (other, asked)]


def compare(asking: Iterable[Asking], rights: Rights) -> tuple[set[Asking], set[tuple[Account, Allowed]]]:
    """Give what was asked for and no right allows, and which rights nothing needed."""
    refused: set[Asking] = set()
    unused = {(account, allowed) for account, all_allowed in rights.items() for allowed in all_allowed}
    for account, asked in set(asking):
        covering = {(account, allowed) for allowed in rights.get(account, ()) if allowed.covers(asked)}
        if not covering:
            refused.add((account, asked))
        unused -= covering
    return refused, unused
