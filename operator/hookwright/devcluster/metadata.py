"""Metadata: names, labels and the rest, by the rules of k8s.io/apimachinery `ValidateObjectMeta`."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Final

from hookwright.devcluster.errors import Cause, invalid_value, required, too_long, wrong_type
from hookwright.devcluster.resources import NAMESPACES, RBAC, Resource
from hookwright.devcluster.values import Json, JsonObject

_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_WORD: Final = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_IS_LABEL: Final = re.compile(_LABEL)
_IS_SUBDOMAIN: Final = re.compile(_SUBDOMAIN)
_IS_WORD: Final = re.compile(_WORD)

_BAD_SUBDOMAIN: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_BAD_LABEL: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_BAD_WORD: Final = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_WORD}')"
)
_BAD_VALUE: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'({_WORD})?')"
)
_LABEL_LENGTH: Final = 63
_NAME_LENGTH: Final = 253
_ANNOTATIONS_LENGTH: Final = 256 * 1024
_SUFFIX_LENGTH: Final = 5
_SUFFIX_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"

_TEXTS: Final = ("name", "generateName", "namespace", "uid", "resourceVersion", "selfLink", "creationTimestamp")
_FIELDS: Final = frozenset(
    (
        *_TEXTS,
        *("labels", "annotations", "finalizers", "ownerReferences", "managedFields", "generation"),
        *("deletionTimestamp", "deletionGracePeriodSeconds"),
    )
)


def generate_name(prefix: str) -> str:
    """Make a name out of `generateName` as Kubernetes does: five letters that spell no word."""
    room = _LABEL_LENGTH - _SUFFIX_LENGTH
    # Not a secret: Kubernetes draws it the same way.
    return prefix[:room] + "".join(random.choices(_SUFFIX_LETTERS, k=_SUFFIX_LENGTH))  # noqa: S311


def decode_metadata(resource: Resource, obj: JsonObject) -> tuple[JsonObject, list[str]]:
    """Return the object's metadata, made if absent and freed from unknown fields, and the unknown fields' paths.

    Raises ApiError 400 where a value has a type that metadata cannot hold.
    """
    metadata = obj.get("metadata")
    if metadata is None:
        metadata = obj["metadata"] = {}
    if not isinstance(metadata, dict):
        raise wrong_type(resource, metadata, "metadata", "v1.ObjectMeta")
    unknown = [name for name in metadata if name not in _FIELDS]
    for name in unknown:
        del metadata[name]
    for name in _TEXTS:
        if metadata.get(name) is None:
            metadata.pop(name, None)
        elif not isinstance(metadata[name], str):
            raise wrong_type(resource, metadata[name], f"ObjectMeta.metadata.{name}", "string")
    for name in ("labels", "annotations"):
        _check_texts(resource, metadata, name)
    for name, kind in (("finalizers", str), ("ownerReferences", dict)):
        _check_items(resource, metadata, name, kind)
    return metadata, [f"metadata.{name}" for name in unknown]


def _check_texts(resource: Resource, metadata: JsonObject, name: str) -> None:
    members = metadata.get(name)
    if not members:
        metadata.pop(name, None)
    elif not isinstance(members, dict):
        raise wrong_type(resource, members, f"ObjectMeta.metadata.{name}", "map[string]string")
    else:
        for value in members.values():
            if not isinstance(value, str):
                raise wrong_type(resource, value, f"ObjectMeta.metadata.{name}", "string")


def _check_items(resource: Resource, metadata: JsonObject, name: str, kind: type) -> None:
    items = metadata.get(name)
    if not items:
        metadata.pop(name, None)
        return
    for item in items if isinstance(items, list) else [items]:
        if not isinstance(item, kind) or not isinstance(items, list):
            raise wrong_type(resource, item, f"ObjectMeta.metadata.{name}", "string" if kind is str else "object")


def check_metadata(resource: Resource, metadata: JsonObject) -> list[Cause]:
    """Return what is wrong in an object's metadata."""
    causes = list(_check_name(resource, metadata))
    for key, value in metadata.get("labels", {}).items():
        causes += check_label_key("metadata.labels", key)
        causes += check_label_value("metadata.labels", value)
    size = 0
    for key, value in metadata.get("annotations", {}).items():
        causes += check_label_key("metadata.annotations", key.lower())
        size += len(key.encode(errors="replace")) + len(value.encode(errors="replace"))
    if size > _ANNOTATIONS_LENGTH:
        causes.append(too_long("metadata.annotations", _ANNOTATIONS_LENGTH))
    for index, finalizer in enumerate(metadata.get("finalizers", ())):
        causes += check_label_key(f"metadata.finalizers[{index}]", finalizer)
    for index, owner in enumerate(metadata.get("ownerReferences", ())):
        for name in ("apiVersion", "kind", "name", "uid"):
            if not isinstance(owner.get(name), str) or not owner[name]:
                field = f"metadata.ownerReferences[{index}].{name}"
                causes.append(invalid_value(field, owner.get(name) or "", "must not be empty"))
    return causes


def _check_name(resource: Resource, metadata: JsonObject) -> Iterator[Cause]:
    name = metadata.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif resource.key == NAMESPACES:
        yield from check_dns_label("metadata.name", name)
    elif resource.group == RBAC:
        # Roles are named freely (`system:node`), as long as the name fits one segment of a path.
        for part in ("/", "%"):
            if part in name:
                yield invalid_value("metadata.name", name, f"may not contain '{part}'")
    else:
        yield from check_dns_subdomain("metadata.name", name)


def check_dns_subdomain(field: str, value: str) -> Iterator[Cause]:
    """Yield what keeps a text from being an RFC 1123 subdomain."""
    if len(value) > _NAME_LENGTH:
        yield invalid_value(field, value, f"must be no more than {_NAME_LENGTH} bytes")
    if not _IS_SUBDOMAIN.fullmatch(value):
        yield invalid_value(field, value, _BAD_SUBDOMAIN)


def check_dns_label(field: str, value: str) -> Iterator[Cause]:
    """Yield what keeps a text from being an RFC 1123 label."""
    if len(value) > _LABEL_LENGTH:
        yield invalid_value(field, value, f"must be no more than {_LABEL_LENGTH} bytes")
    if not _IS_LABEL.fullmatch(value):
        yield invalid_value(field, value, _BAD_LABEL)


def check_label_key(field: str, key: str) -> Iterator[Cause]:
    """Yield what keeps a text from being a qualified name, `name` or `prefix/name`."""
    prefix, slash, name = key.rpartition("/")
    if slash and not _IS_SUBDOMAIN.fullmatch(prefix):
        yield invalid_value(field, key, f"prefix part {_BAD_SUBDOMAIN}" if prefix else "prefix part must be non-empty")
    if len(name) > _LABEL_LENGTH:
        yield invalid_value(field, key, f"name part must be no more than {_LABEL_LENGTH} bytes")
    if not _IS_WORD.fullmatch(name):
        yield invalid_value(field, key, _BAD_WORD)


def check_label_value(field: str, value: Json) -> Iterator[Cause]:
    """Yield what keeps a text from being a label's value."""
    if len(value) > _LABEL_LENGTH:
        yield invalid_value(field, value, f"must be no more than {_LABEL_LENGTH} bytes")
    if value and not _IS_WORD.fullmatch(value):
        yield invalid_value(field, value, _BAD_VALUE)
