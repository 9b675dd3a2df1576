"""A Kubernetes API server in memory, as far as Hookwright asks one; what is not true of a real one is a mistake here.

It knows: AlreadyExists, 404 for objects and for missing namespaces, generateName, UIDs, resourceVersion (kept where a
write changes nothing), generation (of spec only), the status subresource, merge patches, dry runs, lists whose pages
show one moment, watches from a version on. Failures are chosen by the test; each may come instead of the effect or
after it, as when an answer is lost.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from hookwright.cluster import BUILDTRIGGERS, NAMESPACES, SERVICE_ACCOUNTS, WEBHOOKS, Resource
from hookwright.cluster.mirror import Mirror
from hookwright.cluster.port import PAGE, Page
from hookwright.errors import ClusterError
from hookwright.kinds import BuildTrigger, ObjectKind, Webhook
from support.fakewatches import Choice, FakeWatches

Object = dict[str, Any]

WITH_STATUS = {WEBHOOKS.plural: Webhook, BUILDTRIGGERS.plural: BuildTrigger}
CREATED_AT = "2026-05-01T11:00:00Z"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request that was made."""

    verb: str
    resource: Resource
    namespace: str | None
    name: str | None = None
    body: Mapping[str, Any] | None = None
    subresource: str | None = None
    service_account: str | None = None
    dry_run: bool = False
    selector: str = ""
    version: str = ""
    uid: str = ""


@dataclass(kw_only=True)
class Failure:
    """What the next `times` requests of a kind are answered; `after` says that they take effect all the same."""

    verb: str
    resource: Resource
    error: Exception
    times: float
    after: bool
    dry_run: bool | None
    namespace: str | None


@dataclass
class FakeCluster:
    """The API server; `calls` are the requests that were made, `objects` what it holds."""

    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    interruptions: list[tuple[str, Resource, Callable[[], None]]] = field(default_factory=list)
    mirrors: list[Mirror] = field(default_factory=list)
    watches: FakeWatches = field(default_factory=FakeWatches)
    gate: asyncio.Event | None = None  # while it is there and not set, requests wait
    gated: str | None = None  # the namespace of which alone they do
    version: int = 100

    def __post_init__(self) -> None:
        for name in ("default", "hookwright-system"):
            self.put(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            self.put_account("default", namespace=name)

    # ── what tests do with it ─────────────────────────────────────────────────────────────────────────────────────

    def put(self, resource: Resource, manifest: Mapping[str, Any]) -> Object:
        """Hold `manifest` in place of what has its name, as if its user had applied it; its UID and status are kept."""
        obj = copy.deepcopy(dict(manifest))
        metadata = obj["metadata"]
        key = (resource.plural, metadata.get("namespace") or "", metadata["name"])
        before = self.objects.get(key)
        if before is None:
            metadata.setdefault("uid", f"uid-{self.version}")
            metadata.setdefault("generation", 1)
        else:
            metadata["uid"] = before["metadata"]["uid"]
            metadata["generation"] = before["metadata"]["generation"] + (obj.get("spec") != before.get("spec"))
            obj.setdefault("status", before.get("status", {}))
        metadata.setdefault("creationTimestamp", CREATED_AT)
        return self._store(key, obj)

    def put_account(self, name: str, *, namespace: str = "default") -> None:
        """Hold a ServiceAccount, of which each namespace has one from its beginning."""
        metadata = {"name": name, "namespace": namespace}
        self.put(SERVICE_ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})

    def drop(self, resource: Resource, name: str, *, namespace: str = "default") -> None:
        """Remove an object, as if somebody had deleted it."""
        obj = self.objects.pop((resource.plural, namespace if resource.namespaced else "", name))
        self.version += 1
        self.watches.record(self.version, resource.plural, obj, None)
        for mirror in self.mirrors:
            if resource.plural in WITH_STATUS:
                mirror.remove(WITH_STATUS[resource.plural], obj)

    def find(self, resource: Resource, name: str, *, namespace: str = "default") -> Object | None:
        """Give an object as it is, without a request."""
        return self.objects.get((resource.plural, namespace if resource.namespaced else "", name))

    def all(self, resource: Resource) -> list[Object]:
        """Give all objects of a resource, without a request."""
        return [obj for (plural, _, _), obj in self.objects.items() if plural == resource.plural]

    def fail(
        self,
        verb: str,
        resource: Resource,
        *,
        status: int = 0,
        reason: str = "",
        message: str = "the API server does not answer",
        error: Exception | None = None,
        times: float = 1,
        after: bool = False,
        dry_run: bool | None = None,
        namespace: str | None = None,
    ) -> None:
        """Answer the next `times` requests with a refusal; `dry_run` chooses among creates (None: both)."""
        chosen = error or ClusterError(message, status=status, reason=reason)
        self.failures.append(
            Failure(
                verb=verb,
                resource=resource,
                error=chosen,
                times=times,
                after=after,
                dry_run=dry_run,
                namespace=namespace,
            )
        )

    def heal(self) -> None:
        """Fail no more."""
        self.failures.clear()

    def interrupt(self, verb: str, resource: Resource, act: Callable[[], None]) -> None:
        """Have `act` called once, when the next such request arrives and before it takes effect."""
        self.interruptions.append((verb, resource, act))

    def feed(self, mirror: Mirror) -> None:
        """Show `mirror` all objects now, and each of `put` and `drop` when it happens, as a watch does."""
        for plural, kind in WITH_STATUS.items():
            for (held, _, _), obj in self.objects.items():
                if held == plural:
                    mirror.put(kind, obj)
        self.mirrors.append(mirror)

    def show(self) -> None:
        """Show the mirrors all objects as they are, as a watch does after writes of others."""
        for mirror in self.mirrors:
            for (plural, _, _), obj in list(self.objects.items()):
                if plural in WITH_STATUS:
                    mirror.put(WITH_STATUS[plural], copy.deepcopy(obj))

    def expire(self) -> None:
        """Forget all changes up to now."""
        self.version += 1
        self.watches.expired = self.version

    def count(self, verb: str, resource: Resource, *, dry_run: bool = False) -> int:
        """Count the requests of a kind."""
        return len(self.made(verb, resource, dry_run=dry_run))

    def made(self, verb: str, resource: Resource, *, dry_run: bool = False) -> list[Call]:
        """Give the requests of a kind."""
        return [c for c in self.calls if (c.verb, c.resource, c.dry_run) == (verb, resource, dry_run)]

    # ── the port ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def get(self, resource: Resource, *, namespace: str | None = None, name: str) -> Object | None:
        """See `Cluster.get`."""
        return await self._answer(
            Call(verb="get", resource=resource, namespace=namespace, name=name),
            lambda: self.find(resource, name, namespace=namespace or ""),
        )

    async def list(self, resource: Resource, *, namespace: str | None = None) -> AsyncIterator[Object]:
        """See `Cluster.list`."""
        call = Call(verb="list", resource=resource, namespace=namespace)
        found = await self._answer(
            call,
            lambda: [o for o in self.all(resource) if namespace in (None, o["metadata"].get("namespace"))],
        )
        for obj in found:
            yield obj

    async def list_pages(
        self, resource: Resource, *, namespace: str | None = None, label_selector: str = "", size: int = PAGE
    ) -> AsyncIterator[Page]:
        """See `Cluster.list_pages`."""
        choice = Choice(resource=resource, namespace=namespace, selector=label_selector)
        call = Call(verb="list", resource=resource, namespace=namespace, selector=label_selector)
        found = await self._answer(call, lambda: [obj for obj in self.all(resource) if choice.has(obj)])
        version = self.version
        yield Page(items=found[:size], resource_version=str(version))
        for start in range(size, len(found), size):
            await self._answer(call, lambda: self.watches.check(version))
            yield Page(items=found[start : start + size], resource_version=str(version))

    async def watch(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str = "",
        resource_version: str,
        seconds: int,
    ) -> AsyncGenerator[tuple[str, Object]]:
        """See `Cluster.watch`."""
        choice = Choice(resource=resource, namespace=namespace, selector=label_selector)
        call = Call(
            verb="watch", resource=resource, namespace=namespace, selector=label_selector, version=resource_version
        )
        await self._answer(call, lambda: None)
        async with aclosing(self.watches.follow(self.watches.begin(choice, int(resource_version)))) as events:
            async for event in events:
                yield event

    async def create(
        self,
        resource: Resource,
        manifest: Mapping[str, Any],
        *,
        namespace: str | None = None,
        service_account: str | None = None,
        dry_run: bool = False,
    ) -> Object:
        """See `Cluster.create`."""
        call = Call(
            verb="create",
            resource=resource,
            namespace=namespace,
            name=manifest["metadata"].get("name"),
            body=copy.deepcopy(manifest),
            service_account=service_account,
            dry_run=dry_run,
        )
        return await self._answer(call, lambda: self._create(resource, manifest, namespace, dry_run=dry_run))

    async def patch(
        self,
        resource: Resource,
        patch: Mapping[str, Any],
        *,
        namespace: str | None = None,
        name: str,
        subresource: str | None = None,
    ) -> Object:
        """See `Cluster.patch`."""
        call = Call(
            verb="patch",
            resource=resource,
            namespace=namespace,
            name=name,
            body=copy.deepcopy(patch),
            subresource=subresource,
        )
        return await self._answer(call, lambda: self._patch(resource, patch, namespace or "", name, subresource))

    async def delete(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        name: str,
        uid: str,
        service_account: str | None = None,
    ) -> None:
        """See `Cluster.delete`."""
        call = Call(
            verb="delete", resource=resource, namespace=namespace, name=name, service_account=service_account, uid=uid
        )
        await self._answer(call, lambda: self._delete(resource, namespace or "", name, uid))

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _answer(self, call: Call, act: Callable[[], Any]) -> Any:
        self.calls.append(call)
        await asyncio.sleep(0)  # as over a network: others go on meanwhile
        if self.gate is not None and self.gated in (None, call.namespace):
            await self.gate.wait()
        for one in [one for one in self.interruptions if one[:2] == (call.verb, call.resource)][:1]:
            self.interruptions.remove(one)
            one[2]()
        failure = self._find_failure(call)
        if failure is not None and not failure.after:
            raise failure.error
        answer = copy.deepcopy(act())
        if failure is not None:
            raise failure.error
        return answer

    def _find_failure(self, call: Call) -> Failure | None:
        for failure in self.failures:
            same = (failure.verb, failure.resource) == (call.verb, call.resource)
            meant = failure.dry_run in (None, call.dry_run) and failure.namespace in (None, call.namespace)
            if same and meant and failure.times > 0:
                failure.times -= 1
                return failure
        return None

    def _create(
        self, resource: Resource, manifest: Mapping[str, Any], namespace: str | None, *, dry_run: bool
    ) -> Object:
        where = namespace or ""
        if resource.namespaced and self.find(NAMESPACES, where) is None:
            raise ClusterError(f'namespaces "{where}" not found', status=404, reason="NotFound")
        obj = copy.deepcopy(dict(manifest))
        metadata = obj["metadata"]
        if "name" not in metadata:
            metadata["name"] = f"{metadata['generateName']}{self.version:05d}"
        key = (resource.plural, where, metadata["name"])
        if key in self.objects:
            group = f".{resource.group}" if resource.group else ""
            message = f'{resource.plural}{group} "{metadata["name"]}" already exists'
            raise ClusterError(message, status=409, reason="AlreadyExists")
        if resource.plural in WITH_STATUS:
            obj.pop("status", None)
        obj["metadata"] = {
            **metadata,
            **({"namespace": where} if resource.namespaced else {}),
            "uid": f"uid-{self.version}",
            "generation": 1,
            "creationTimestamp": CREATED_AT,
        }
        return obj if dry_run else self._store(key, obj)

    def _patch(
        self, resource: Resource, patch: Mapping[str, Any], namespace: str, name: str, subresource: str | None
    ) -> Object:
        key = (resource.plural, namespace, name)
        found = self.objects.get(key)
        if found is None:
            group = f".{resource.group}" if resource.group else ""
            raise ClusterError(f'{resource.plural}{group} "{name}" not found', status=404, reason="NotFound")
        version = patch.get("metadata", {}).get("resourceVersion")
        if version not in (None, found["metadata"]["resourceVersion"]):
            raise ClusterError("the object has been modified", status=409, reason="Conflict")
        patched = merge_patch(found, patch)
        if subresource == "status":
            patched = {**found, "status": patched.get("status", {})}
        elif resource.plural in WITH_STATUS:
            patched = {**patched, "status": found.get("status", {})}
            if patched.get("spec") != found.get("spec"):
                patched["metadata"] = {**patched["metadata"], "generation": found["metadata"]["generation"] + 1}
        if patched == found:
            return found
        return self._store(key, patched, shown=False)

    def _delete(self, resource: Resource, namespace: str, name: str, uid: str) -> None:
        found = self.find(resource, name, namespace=namespace)
        if found is not None and found["metadata"]["uid"] != uid:
            raise ClusterError("the UID in the precondition is not the object's", status=409, reason="Conflict")
        if found is not None:
            self.drop(resource, name, namespace=namespace)

    def _store(self, key: tuple[str, str, str], obj: Object, *, shown: bool = True) -> Object:
        self.version += 1
        obj["metadata"] = {**obj["metadata"], "resourceVersion": str(self.version)}
        before = self.objects.get(key)
        self.objects[key] = obj
        self.watches.record(self.version, key[0], before, obj)
        kind: type[ObjectKind] | None = WITH_STATUS.get(key[0])
        if shown and kind is not None:
            for mirror in self.mirrors:
                mirror.put(kind, copy.deepcopy(obj))
        return obj


def merge_patch(target: Any, patch: Any) -> Any:
    """Merge as RFC 7386 says: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
