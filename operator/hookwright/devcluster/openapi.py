"""OpenAPI documents: what `kubectl apply` and `kubectl explain` read.

Version 3 is served per group and version, with the schemas of the definitions. Of version 2 there is only a stub:
kubectl falls back to it where version 3 does not tell whether a PATCH knows `fieldValidation` (kubectl's
`pkg/util/openapi/query_param_verifier`), which happens for a kind that it has not seen yet.
"""

from __future__ import annotations

import hashlib
from typing import Final

from hookwright.devcluster.errors import not_served
from hookwright.devcluster.registry import Registry
from hookwright.devcluster.resources import Resource
from hookwright.devcluster.shapes import INTEGER, TEXT, TEXTS, items, shape
from hookwright.devcluster.values import JsonObject, encode

V2_TYPE: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_META_SCHEMA: Final = shape(
    name=TEXT,
    generateName=TEXT,
    namespace=TEXT,
    uid=TEXT,
    resourceVersion=TEXT,
    creationTimestamp=TEXT,
    deletionTimestamp=TEXT,
    generation=INTEGER,
    labels=TEXTS,
    annotations=TEXTS,
    finalizers=items(TEXT),
    ownerReferences=items({"type": "object", "additionalProperties": True}),
)
_HEAD_SCHEMAS: Final[JsonObject] = {
    "apiVersion": {**TEXT, "description": "Group and version of this object."},
    "kind": {**TEXT, "description": "The kind of this object."},
    "metadata": {"description": "Standard object's metadata.", "allOf": [{"$ref": f"#/components/schemas/{_META}"}]},
}
_PARAMETERS: Final = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation", "pretty")
]


class Documents:
    """The OpenAPI documents of what the registry serves, made when they are first asked for."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._revision = -1
        self._documents: dict[str, bytes] = {}

    def index(self) -> JsonObject:
        """Return where the documents are; the hash tells clients whether theirs is still the right one."""
        return {
            "paths": {
                path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={hashlib.sha256(document).hexdigest()}"}
                for path, document in self._current().items()
            }
        }

    def document(self, path: str) -> bytes:
        """Return the document at `apis/GROUP/VERSION` or `api/v1`; raise ApiError 404 if there is none."""
        if path not in self._current():
            raise not_served()
        return self._current()[path]

    def _current(self) -> dict[str, bytes]:
        if self._revision != self._registry.revision:
            self._revision = self._registry.revision
            self._documents = {
                (f"apis/{group}/{version}" if group else f"api/{version}"): encode(_document(resources))
                for group, versions in self._registry.groups().items()
                for version, resources in versions.items()
            }
        return self._documents


def _document(resources: list[Resource]) -> JsonObject:
    schemas: JsonObject = {_META: _META_SCHEMA}
    paths: JsonObject = {}
    for resource in resources:
        gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        name = ".".join((*reversed((resource.group or "core.api.k8s.io").split(".")), resource.version, resource.kind))
        schema = dict(resource.schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
        schema["properties"] = {**schema.get("properties", {}), **_HEAD_SCHEMAS}
        schemas[name] = schema | {"x-kubernetes-group-version-kind": [gvk]}
        root = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.version}"
        base = f"{root}/namespaces/{{namespace}}" if resource.namespaced else root
        paths[f"{base}/{resource.plural}"] = _operations(gvk, name, get="list", post="post")
        single = _operations(gvk, name, get="get", put="put", patch="patch", delete="delete")
        paths[f"{base}/{resource.plural}/{{name}}"] = single
    info = {"title": "devcluster", "version": "v1"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _operations(gvk: JsonObject, schema: str, **actions: str) -> JsonObject:
    """Describe the verbs of one path; kubectl looks for the kind and for `fieldValidation` in them."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    common = {"parameters": _PARAMETERS, "responses": {"200": {"description": "OK", "content": content}}}
    kinds = {"x-kubernetes-group-version-kind": gvk}
    return {
        verb: {"operationId": f"{action}{gvk['kind']}", "x-kubernetes-action": action, **common, **kinds}
        for verb, action in actions.items()
    }


def _field(number: int, value: str | bytes) -> bytes:
    """Write one text or message field of a protobuf message."""
    content = value.encode() if isinstance(value, str) else value
    size, length = len(content), b""
    while size >= 0x80:  # noqa: PLR2004 - the continuation bit
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def _v2_stub() -> bytes:
    """Say, in protobuf, that PATCH of a Namespace knows `fieldValidation`: the question that kubectl asks of any kind.

    Field numbers: github.com/google/gnostic-models `openapiv2/OpenAPIv2.proto`.
    """
    query_parameter = _field(2, _field(3, _field(2, "query") + _field(4, "fieldValidation")))
    extension = _field(1, "x-kubernetes-group-version-kind") + _field(
        2, _field(2, 'group: ""\nkind: Namespace\nversion: v1\n')
    )
    patch = _field(8, _field(8, _field(1, query_parameter)) + _field(13, extension))
    path = _field(2, _field(1, "/api/v1/namespaces/{name}") + _field(2, patch))
    return _field(1, "2.0") + _field(2, _field(1, "devcluster") + _field(2, "v1")) + _field(8, path)


V2_STUB: Final = _v2_stub()
