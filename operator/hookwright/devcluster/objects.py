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
from hookwright.devcluster.values import Json, JsonObject, clone, encode
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
            case "GET" if call.wants_watch:
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
            case _:
                raise not_allowed()

    def _get(self, call: Call) -> Answer:
        target = call.target
        stored = self._lifecycle.get(target.resource, target.namespace or "", target.name)
        if call.wants_table:
            writer = TableWriter(target.resource, call.query.get("includeObject", ""))
            return Answer(body=encode(writer.rows([stored.obj], stored.obj["metadata"])))
        return Answer(body=_shown(target.resource, stored))

    def _selected(self, call: Call) -> list[Stored]:
        target, query = call.target, call.query
        labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
        selector = select(target.resource, labels=labels, fields=fields)
        found = self._store.all(target.resource.key, target.namespace)
        return found if selector is None else [stored for stored in found if selector(stored.obj)]

    def _list(self, call: Call) -> Answer:
        resource = call.target.resource
        page, metadata = self._page(call, self._selected(call))
        if call.wants_table:
            writer = TableWriter(resource, call.query.get("includeObject", ""))
            return Answer(body=encode(writer.rows([stored.obj for stored in page], metadata)))
        return Answer(body=_list_body(resource, metadata, [_shown(resource, stored) for stored in page]))

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
            selector=select(
                target.resource, labels=query.get("labelSelector", ""), fields=query.get("fieldSelector", "")
            ),
            version=None if initial or not version else version,
            initial_end=initial,
            bookmarks=flag(query, "allowWatchBookmarks"),
            seconds=number(query, "timeoutSeconds") or _WATCH_SECONDS,
            table=TableWriter(target.resource, query.get("includeObject", "")) if call.wants_table else None,
        )

    def _create(self, call: Call) -> Answer:
        target = call.target
        body = read_object(call)
        namespace = target.namespace
        if namespace is None:
            raise not_allowed()
        return _written(
            target.resource, self._lifecycle.create(target.resource, namespace, body, write_options(call)), 201
        )

    def _replace(self, call: Call) -> Answer:
        target = call.target
        options, body = write_options(call), read_object(call)
        written = self._lifecycle.update(target.resource, target.namespace or "", target.name, body, options)
        return _written(target.resource, written)

    def _patch(self, call: Call) -> Answer:
        target, resource = call.target, call.target.resource
        apply_patch = _PATCHES.get(call.content_type)
        if apply_patch is None or (resource.custom and apply_patch is patches.strategic):
            raise _unknown_patch(call)
        stored = self._lifecycle.get(resource, target.namespace or "", target.name)
        patch = read_json(call.body)
        if apply_patch is not patches.json_patch and not isinstance(patch, dict):
            raise bad_request("the patch is not an object")
        # What a patch leaves alone is shared with the stored object, which must not be changed.
        patched = clone(apply_patch(resource.outward(stored.obj), patch))
        options = write_options(call)
        written = self._lifecycle.update(resource, target.namespace or "", target.name, patched, options)
        return _written(resource, written)

    def _delete(self, call: Call) -> Answer:
        target = call.target
        namespace, options = target.namespace or "", delete_options(call)
        gone = self._lifecycle.get(target.resource, namespace, target.name)
        remaining = self._lifecycle.delete(target.resource, namespace, target.name, options)
        if remaining:
            return Answer(body=_shown(target.resource, remaining))
        details = {"name": gone.name, "group": target.resource.group, "kind": target.resource.plural, "uid": gone.uid}
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return Answer(body=encode(status))

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
        metadata = {"resourceVersion": str(self._store.version)}
        return Answer(body=_list_body(resource, metadata, [_shown(resource, stored) for stored in found]))


def _shown(resource: Resource, stored: Stored) -> bytes:
    return stored.json if resource.is_stored_form else encode(resource.outward(stored.obj))


def _written(resource: Resource, written: Written, status: int = 200) -> Answer:
    body = _shown(resource, written.stored) if written.stored else encode(resource.outward(written.obj))
    return Answer(body=body, status=status, warnings=tuple(written.warnings))


def _list_body(resource: Resource, metadata: JsonObject, items: list[bytes]) -> bytes:
    head = encode({"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": metadata})
    return b'%s,"items":[%s]}' % (head[:-1], b",".join(items))


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
