"""Requests about objects: read, list, watch, create, replace, patch and delete. No input or output happens here."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from hookwright.devcluster import errors, patches
from hookwright.devcluster.admission import check_declared, check_nulls
from hookwright.devcluster.errors import ApiError, bad_request, not_allowed, unsupported
from hookwright.devcluster.lifecycle import Lifecycle, WriteOptions, Written
from hookwright.devcluster.listings import Page, check_watch, read_page, read_version, write_token
from hookwright.devcluster.ownership import Writer, apply
from hookwright.devcluster.queries import (
    PARTIAL,
    Call,
    Target,
    delete_options,
    flag,
    number,
    read_configuration,
    read_json,
    read_object,
    write_options,
)
from hookwright.devcluster.resources import META_VERSION, Resource, show_metadata
from hookwright.devcluster.selectors import select
from hookwright.devcluster.store import Store, Stored
from hookwright.devcluster.tables import TableWriter
from hookwright.devcluster.values import Json, JsonObject, encode
from hookwright.devcluster.watches import WatchRequest

JSON_TYPE: Final = "application/json"

_WATCH_SECONDS: Final = 1800.0
_PATCHES: Final[dict[str, Callable[[Json, Json], Json]]] = {
    patches.MERGE_PATCH: patches.merge,
    patches.JSON_PATCH: patches.json_patch,
    patches.STRATEGIC_PATCH: patches.strategic,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What goes back to the caller."""

    body: bytes
    status: int = 200
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Objects:
    """Answers requests about objects."""

    def __init__(self, store: Store, lifecycle: Lifecycle) -> None:
        self._store = store
        self._lifecycle = lifecycle

    def answer(self, call: Call) -> Answer | WatchRequest:
        """Do what is asked; a watch is handed back for the server to stream. Raises ApiError."""
        one = bool(call.target.name)
        match call.method:
            case "GET" if flag(call.query, "watch"):
                return self._watch(call)
            case "GET":
                return self._get(call) if one else self._list(call)
            case "POST" if not one:
                return self._create(call)
            case "PUT" if one:
                return self._replace(call)
            case "PATCH" if one:
                return self._patch(call)
            case "DELETE" if not call.target.subresource:
                return self._delete(call) if one else self._delete_all(call)
            case "PUT" | "PATCH" if not one and call.target.resource.custom:
                raise bad_request("name must be provided")
            case _:
                raise not_allowed()

    def _get(self, call: Call) -> Answer:
        resource = call.target.resource
        stored = self._lifecycle.get(resource, call.target.namespace or "", call.target.name)
        read_version(call.query, self._store.version)
        if (view := call.view()) == "Table":
            obj = stored.read()
            return Answer(body=encode(_table(call).rows([obj], obj["metadata"])))
        return Answer(body=_shower(resource, view)(stored.json))

    def _selected(self, call: Call, version: int | None = None) -> list[Stored]:
        selector = select(call.target.resource, call.query)
        key, namespace = call.target.resource.key, call.target.namespace
        is_present = version in (None, self._store.version)
        found = self._store.all(key, namespace) if is_present else self._store.all_at(key, version or 0, namespace)
        return found if selector is None else [stored for stored in found if selector(stored)]

    def _list(self, call: Call) -> Answer:
        view = call.view(many=True)
        page, metadata = self._page(call, read_page(call.query, self._store.version))
        if view == "Table":
            return Answer(body=encode(_table(call).rows((stored.read() for stored in page), metadata)))
        return Answer(body=_list_body(call.target.resource, metadata, page, view))

    def _page(self, call: Call, page: Page) -> tuple[list[Stored], JsonObject]:
        """Cut the page that is asked for; the next one begins after this one's last name, in the same state."""
        found = self._selected(call, page.version)
        if page.after is not None:
            found = found[bisect.bisect_right(found, page.after, key=lambda stored: (stored.namespace, stored.name)) :]
        version = self._store.version if page.version is None else page.version
        metadata: JsonObject = {"resourceVersion": str(version)}
        cut = found[: page.limit or len(found)]
        if len(cut) < len(found):
            metadata["continue"] = write_token(version, cut[-1])
            # Of what is selected, the real server does not know how much there is.
            if not call.query.get("labelSelector") and not call.query.get("fieldSelector"):
                metadata["remainingItemCount"] = len(found) - len(cut)
        return cut, metadata

    def _watch(self, call: Call) -> WatchRequest:
        target, query = call.target, call.query
        check_watch(query)
        view = call.view()
        initial = flag(query, "sendInitialEvents")
        version = number(query, "resourceVersion")
        return WatchRequest(
            resource=target.resource,
            namespace=target.namespace,
            name=target.name,
            selector=select(target.resource, query),
            version=None if initial or not version else version,
            initial_end=initial,
            bookmarks=flag(query, "allowWatchBookmarks"),
            seconds=number(query, "timeoutSeconds") or _WATCH_SECONDS,
            table=_table(call) if view == "Table" else None,
            show=_shower(target.resource, view),
        )

    def _create(self, call: Call) -> Answer:
        resource, namespace = call.target.resource, call.target.namespace
        if namespace is None:
            raise not_allowed()
        written = self._lifecycle.create(resource, namespace, read_object(call), write_options(call))
        return _written(resource, written, 201)

    def _replace(self, call: Call) -> Answer:
        return self._update(call, read_object(call), write_options(call))

    def _patch(self, call: Call) -> Answer:
        resource = call.target.resource
        if call.content_type == patches.APPLY_PATCH:
            return self._apply(call)
        apply_patch = _PATCHES.get(call.content_type)
        if apply_patch is None or (resource.custom and apply_patch is patches.strategic):
            raise _unknown_patch(call)
        options = write_options(call)
        stored = self._lifecycle.get(resource, call.target.namespace or "", call.target.name)
        patch = read_json(call.body)
        if apply_patch is not patches.json_patch and not isinstance(patch, dict):
            raise bad_request("the patch is not an object")
        return self._update(call, apply_patch(resource.outward(stored.read()), patch), options)

    def _apply(self, call: Call) -> Answer:
        """Answer a server-side apply, which creates what is not there."""
        target, resource = call.target, call.target.resource
        namespace, options = target.namespace or "", write_options(call)
        config = read_configuration(call)
        check_declared(resource, config)
        stored = self._store.get(resource.key, namespace, target.name)
        if stored is None:
            _check_new(target, config["metadata"])
        writer = Writer(manager=options.manager, subresource=target.subresource)
        live = stored.read() if stored else {}
        body, managed = apply(resource, live, config, writer, force=flag(call.query, "force"))
        check_nulls(resource, body)
        body, options = resource.outward(body), replace(options, managed=managed)
        if stored is None:
            return _written(resource, self._lifecycle.create(resource, namespace, body, options), 201)
        return self._update(call, body, options)

    def _update(self, call: Call, body: Json, options: WriteOptions) -> Answer:
        target = call.target
        written = self._lifecycle.update(target.resource, target.namespace or "", target.name, body, options)
        return _written(target.resource, written, 200)

    def _delete(self, call: Call) -> Answer:
        target, resource = call.target, call.target.resource
        namespace, options = target.namespace or "", delete_options(call)
        gone = self._lifecycle.get(resource, namespace, target.name)
        if remaining := self._lifecycle.delete(resource, namespace, target.name, options):
            return Answer(body=resource.show(remaining.json))
        details = {"name": gone.name, "group": resource.group, "kind": resource.plural, "uid": gone.uid}
        head = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return Answer(body=encode(head | {"details": details}))

    def _delete_all(self, call: Call) -> Answer:
        resource, options = call.target.resource, delete_options(call)
        found = self._selected(call)
        for stored in found:
            try:
                self._lifecycle.delete(resource, stored.namespace, stored.name, options)
            except ApiError as error:
                # One that went with another is gone as was asked; one that may not be deleted stays.
                if error.status not in (403, 404):
                    raise
        return Answer(body=_list_body(resource, {"resourceVersion": str(self._store.version)}, found, ""))


def _table(call: Call) -> TableWriter:
    return TableWriter(call.target.resource, call.query.get("includeObject", ""))


def _written(resource: Resource, written: Written, status: int) -> Answer:
    return Answer(body=resource.show(written.json), status=status, warnings=tuple(written.warnings))


def _shower(resource: Resource, view: str) -> Callable[[bytes], bytes]:
    return show_metadata if view == PARTIAL else resource.show


def _list_body(resource: Resource, metadata: JsonObject, items: list[Stored], view: str) -> bytes:
    show = _shower(resource, view)
    kind, version = (PARTIAL, META_VERSION) if view else (resource.kind, resource.api_version)
    head = encode({"kind": f"{kind}List", "apiVersion": version, "metadata": metadata})
    return b'%s,"items":[%s]}' % (head[:-1], b",".join(show(stored.json) for stored in items))


def _check_new(target: Target, metadata: JsonObject) -> None:
    """Check a configuration that is applied where nothing is yet."""
    if target.subresource:
        raise errors.not_found(target.resource, target.name)
    if not (name := metadata.get("name")):
        why = "was undeterminable: name must be provided"
        raise bad_request(f"the name of the object ({target.name} based on URL) {why}")
    if name != target.name:
        raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({target.name})")
    if uid := metadata.get("uid"):
        why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        raise errors.conflict(target.resource, name, why)
    metadata.pop("resourceVersion", None)


def _unknown_patch(call: Call) -> ApiError:
    known = [patches.JSON_PATCH, patches.MERGE_PATCH, patches.APPLY_PATCH]
    known += [] if call.target.resource.custom else [patches.STRATEGIC_PATCH]
    return unsupported(
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(known)}"
    )
