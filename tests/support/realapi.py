"""An API server asked as anybody: objects applied, read, and removed again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx

from hookwright.kinds import KINDS, crd
from support.access import Access
from support.waiting import Patience

PATIENCE = 180.0
POLL_SECONDS = 0.1
MERGE_PATCH = "application/merge-patch+json"
Object = dict[str, Any]


class Place(NamedTuple):
    """Where the objects of a kind are."""

    prefix: str
    plural: str
    namespaced: bool = True


RBAC = "/apis/rbac.authorization.k8s.io/v1"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
PLACES = {
    "Namespace": Place("/api/v1", "namespaces", namespaced=False),
    "Secret": Place("/api/v1", "secrets"),
    "ServiceAccount": Place("/api/v1", "serviceaccounts"),
    "Event": Place("/api/v1", "events"),
    "Job": Place("/apis/batch/v1", "jobs"),
    "CronJob": Place("/apis/batch/v1", "cronjobs"),
    "Role": Place(RBAC, "roles"),
    "RoleBinding": Place(RBAC, "rolebindings"),
    "ClusterRole": Place(RBAC, "clusterroles", namespaced=False),
    "ClusterRoleBinding": Place(RBAC, "clusterrolebindings", namespaced=False),
    "Webhook": Place("/apis/hookwright.dev/v1alpha1", "webhooks"),
    "BuildTrigger": Place("/apis/hookwright.dev/v1alpha1", "buildtriggers"),
    "CustomResourceDefinition": Place("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False),
    "ValidatingAdmissionPolicy": Place(ADMISSION, "validatingadmissionpolicies", namespaced=False),
    "ValidatingAdmissionPolicyBinding": Place(ADMISSION, "validatingadmissionpolicybindings", namespaced=False),
}


class RealApi:
    """An API server, asked as its administrator or, with `user`, as a user who has no rights but those given."""

    def __init__(self, access: Access, *, namespace: str = "default", user: str = "") -> None:
        self.namespace = namespace
        self._access = access
        headers = {"impersonate-user": user, "impersonate-group": "system:authenticated"} if user else {}
        self.client = access.sync_client()
        self.client.headers.update(headers)

    def as_user(self, user: str) -> RealApi:
        """Give the same, asked as another."""
        return RealApi(self._access, namespace=self.namespace, user=user)

    def path(self, kind: str, name: str = "", *, namespace: str | None = None) -> str:
        """Give the path of an object, or of all."""
        place = PLACES[kind]
        where = f"/namespaces/{namespace or self.namespace}" if place.namespaced else ""
        return f"{place.prefix}{where}/{place.plural}" + (f"/{name}" if name else "")

    def create(self, obj: Mapping[str, Any]) -> httpx.Response:
        """Try to create an object."""
        return self.client.post(self.path(obj["kind"], namespace=obj["metadata"].get("namespace")), json=obj)

    def change(self, kind: str, name: str, patch: Mapping[str, Any], *, sub: str = "") -> httpx.Response:
        """Try to merge a patch into an object."""
        path = self.path(kind, name) + (f"/{sub}" if sub else "")
        return self.client.patch(path, json=patch, headers={"content-type": MERGE_PATCH})

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Create objects, or change them into what they are to be."""
        for obj in objects:
            answer = self.create(obj)
            if answer.status_code == 409:
                path = self.path(obj["kind"], obj["metadata"]["name"], namespace=obj["metadata"].get("namespace"))
                answer = self.client.patch(path, json=obj, headers={"content-type": MERGE_PATCH})
            assert answer.is_success, answer.text

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> Object:
        """Give an object; empty if there is none."""
        answer = self.client.get(self.path(kind, name, namespace=namespace))
        if answer.status_code == 404:
            return {}
        return dict(answer.raise_for_status().json())

    def list(self, kind: str, *, namespace: str | None = None) -> list[Object]:
        """Give all objects of a kind in the namespace."""
        answer = self.client.get(self.path(kind, namespace=namespace))
        return list(answer.raise_for_status().json()["items"])

    def remove(self, *objects: Mapping[str, Any]) -> None:
        """Remove objects, if they are there."""
        for obj in objects:
            metadata = obj["metadata"]
            path = self.path(obj["kind"], metadata["name"], namespace=metadata.get("namespace"))
            answer = self.client.delete(path)
            assert answer.is_success or answer.status_code == 404, answer.text

    @contextmanager
    def holding(self, *objects: Mapping[str, Any]) -> Iterator[None]:
        """Have objects for the length of a `with` block."""
        try:
            self.apply(*objects)
            yield
        finally:
            self.remove(*reversed(objects))

    @contextmanager
    def new_namespace(self, prefix: str) -> Iterator[str]:
        """Have a namespace of a new name for the length of a `with` block; its ServiceAccount default is there."""
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        with self.holding(make("Namespace", name)):
            until(lambda: self.get("ServiceAccount", "default", namespace=name), f"namespace {name} has its account")
            yield name

    def install_crds(self) -> None:
        """Have our CRDs, as they are now; they stay."""
        for kind in KINDS:
            self.apply(crd(kind))
            until(
                lambda kind=kind: self.client.get(f"/apis/hookwright.dev/v1alpha1/{kind.PLURAL}").is_success,
                f"{kind.PLURAL} are served",
            )


def make(kind: str, name: str, namespace: str = "", **more: Any) -> Object:
    """Give an object."""
    version = PLACES[kind].prefix.removeprefix("/apis/").removeprefix("/api/")
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        **more,
    }


def allow(name: str, namespace: str, subject: Mapping[str, str], *rules: Mapping[str, Any]) -> list[Object]:
    """Give a Role and its binding to a user or an account."""
    group = "rbac.authorization.k8s.io"
    return [
        make("Role", name, namespace, rules=list(rules)),
        make(
            "RoleBinding",
            name,
            namespace,
            roleRef={"apiGroup": group, "kind": "Role", "name": name},
            subjects=[dict(subject)],
        ),
    ]


def user(name: str) -> dict[str, str]:
    """Give a user as the subject of a binding."""
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}


def rule(group: str, resource: str, *verbs: str, names: tuple[str, ...] = ()) -> Object:
    """Give a rule."""
    named = {"resourceNames": list(names)} if names else {}
    return {"apiGroups": [group], "resources": resource.split(","), "verbs": list(verbs), **named}


def may(
    api: RealApi, who: str, verb: str, resource: str, sub: str = "", *, group: str | None = None, name: str = ""
) -> bool:
    """Ask the API server whether a user may do something in the namespace; the group is Hookwright's for its kinds."""
    known = "hookwright.dev" if resource in ("webhooks", "buildtriggers") else ""
    about = {"group": known if group is None else group, "resource": resource, "verb": verb, "name": name}
    review = {"spec": {"user": who, "resourceAttributes": {**about, "namespace": api.namespace, "subresource": sub}}}
    answer = api.client.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", json=review).raise_for_status()
    return bool(answer.json()["status"]["allowed"])


def until_may(api: RealApi, who: str, verb: str, resource: str, sub: str = "", *, name: str = "") -> None:
    """Wait until a user may do something in the namespace: the API server hears of a right a moment later."""
    until(lambda: may(api, who, verb, resource, sub, name=name), f"{who} may {verb} {resource} {sub}")


def until(happened: Callable[[], Any], what: str, *, patience: float = PATIENCE) -> Any:
    """Wait until `happened` gives something true, and give that."""
    left = Patience(patience)
    while not (result := happened()):
        assert left.lasts(), f"did not happen: {what}"
        time.sleep(POLL_SECONDS)
    return result
