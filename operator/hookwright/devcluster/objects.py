"""Requests about objects: read, list, watch, create, replace, patch and delete. No input or output happens here."""

from __future__ import annotations

import base64
import binascii
import bisect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hookwright.devcluster import patches
from hookwright.devcluster.errors import ApiError, bad_request, not_allowed, unsupported
from hookwright.devcluster.lifecycle import Lifecycle, Written
from hookwright.devcluster.queries import (
    Call,
    delete_options,
    flag,
    number,
    read_json,
    read_object,
    write_options,
)
from hookwright.devcluster.resources import Resource
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
        if call.wants_table:
            obj = stored.read()
            return Answer(body=encode(_table(call).rows([obj], obj["metadata"])))
        return Answer(body=resource.show(stored.json))

    def _selected(self, call: Call) -> list[Stored]:
        selector = select(call.target.resource, call.query)
        found = self._store.all(call.target.resource.key, call.target.namespace)
        return found if selector is None else [stored for stored in found if selector(stored)]

    def _list(self, call: Call) -> Answer:
        page, metadata = self._page(call, self._selected(call))
        if call.wants_table:
            return Answer(body=encode(_table(call).rows((stored.read() for stored in page), metadata)))
        return Answer(body=_list_body(call.target.resource, metadata, page))

    def _page(self, call: Call, found: list[Stored]) -> tuple[list[Stored], JsonObject]:
        """Cut the page that is asked for; the next one begins after this one's last name."""
        version, total = self._store.version, len(found)
        if token := call.query.get("continue"):
            version, *last = _read_token(token)
            self._store.check_remembered(call.target.resource.key, version)
            place = bisect.bisect_right(found, tuple(last), key=lambda stored: (stored.namespace, stored.name))
            found = found[place:]
        metadata: JsonObject = {"resourceVersion": str(version)}
        limit = number(call.query, "limit") or total
        page = found[:limit]
        if len(found) > limit:
            text = json.dumps([version, page[-1].namespace, page[-1].name])
            metadata["continue"] = base64.urlsafe_b64encode(text.encode()).decode()
            metadata["remainingItemCount"] = len(found) - limit
        return page, metadata

    def _watch(self, call: Call) -> WatchRequest:
        target, query = call.target, call.query
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
            table=_table(call) if call.wants_table else None,
        )

    def _create(self, call: Call) -> Answer:
        resource, namespace = call.target.resource, call.target.namespace
        if namespace is None:
            raise not_allowed()
        written = self._lifecycle.create(resource, namespace, read_object(call), write_options(call))
        return _written(resource, written, 201)

    def _replace(self, call: Call) -> Answer:
        return self._update(call, read_object(call))

    def _patch(self, call: Call) -> Answer:
        resource = call.target.resource
        apply_patch = _PATCHES.get(call.content_type)
        if apply_patch is None or (resource.custom and apply_patch is patches.strategic):
            raise _unknown_patch(call)
        stored = self._lifecycle.get(resource, call.target.namespace or "", call.target.name)
        patch = read_json(call.body)
        if apply_patch is not patches.json_patch and not isinstance(patch, dict):
            raise bad_request("the patch is not an object")
        return self._update(call, apply_patch(resource.outward(stored.read()), patch))

    def _update(self, call: Call, body: Json) -> Answer:
        target = call.target
        options = write_options(call)
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
        return Answer(body=_list_body(resource, {"resourceVersion": str(self._store.version)}, found))


def _table(call: Call) -> TableWriter:
    return TableWriter(call.target.resource, call.query.get("includeObject", ""))


def _written(resource: Resource, written: Written, status: int) -> Answer:
    return Answer(body=resource.show(written.json), status=status, warnings=tuple(written.warnings))


def _list_body(resource: Resource, metadata: JsonObject, items: list[Stored]) -> bytes:
    head = encode({"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": metadata})
    return b'%s,"items":[%s]}' % (head[:-1], b",".join(resource.show(stored.json) for stored in items))


def _read_token(token: str) -> tuple[int, str, str]:
    try:
        version, namespace, name = json.loads(base64.urlsafe_b64decode(token))
        return int(version), str(namespace), str(name)
    except (binascii.Error, ValueError, TypeError) as error:
        raise bad_request("continue key is not valid") from error


def _unknown_patch(call: Call) -> ApiError:
    if call.content_type == patches.APPLY_PATCH:
        return unsupported(
            "the development API server does not know server-side apply; "
            "use kubectl apply without --server-side, or a merge patch"
        )
    known = [patches.JSON_PATCH, patches.MERGE_PATCH]
    known += [] if call.target.resource.custom else [patches.STRATEGIC_PATCH]
    return unsupported(
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(known)}"
    )
