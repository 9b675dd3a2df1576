"""Metadata: names, labels and the rest, by the rules of k8s.io/apimachinery `ValidateObjectMeta`."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Final

from hookwright.devcluster.errors import Cause, invalid_value, required, too_long, undecodable
from hookwright.devcluster.resources import NAMESPACES, RBAC, Resource
from hookwright.devcluster.values import JsonObject, quote

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
_MAPS: Final = ("labels", "annotations")
_LISTS: Final = {"finalizers": str, "ownerReferences": dict}
_OTHERS: Final = ("managedFields", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
_FIELDS: Final = frozenset((*_TEXTS, *_MAPS, *_LISTS, *_OTHERS))


def generate_name(prefix: str) -> str:
    """Make a name out of `generateName` as Kubernetes does: five letters that spell no word."""
    # Not a secret: Kubernetes draws it the same way.
    suffix = "".join(random.choices(_SUFFIX_LETTERS, k=_SUFFIX_LENGTH))  # noqa: S311 - a name, not a secret
    return prefix[: _LABEL_LENGTH - _SUFFIX_LENGTH] + suffix


def decode_metadata(resource: Resource, obj: JsonObject) -> tuple[JsonObject, list[str]]:
    """Return the object's metadata, made if absent and freed from unknown fields, and the unknown fields' paths.

    Raises ApiError 400 where a value has a type that metadata cannot hold.
    """
    given = obj.get("metadata")
    if not isinstance(given, dict | None):
        raise undecodable(resource, "json: cannot unmarshal metadata into Go value of type v1.ObjectMeta")
    metadata = {
        name: member for name, member in (given or {}).items() if name in _FIELDS and member not in (None, {}, [])
    }
    for name in (*_TEXTS, *_MAPS, *_LISTS):
        if name in metadata and not _has_right_type(name, metadata[name]):
            text = f"json: cannot unmarshal {quote(metadata[name])} into Go struct field ObjectMeta.metadata.{name}"
            raise undecodable(resource, text)
    obj["metadata"] = metadata
    return metadata, [f"metadata.{name}" for name in given or {} if name not in _FIELDS]


def _has_right_type(name: str, value: object) -> bool:
    if name in _MAPS:
        return isinstance(value, dict) and all(isinstance(member, str) for member in value.values())
    if name in _LISTS:
        return isinstance(value, list) and all(isinstance(item, _LISTS[name]) for item in value)
    return isinstance(value, str)


def check_metadata(resource: Resource, metadata: JsonObject) -> Iterator[Cause]:
    """Yield what is wrong in an object's metadata."""
    yield from _check_name(resource, metadata.get("name", ""))
    for key, value in metadata.get("labels", {}).items():
        yield from check_label("metadata.labels", key, value)
    size = 0
    for key, value in metadata.get("annotations", {}).items():
        yield from check_label("metadata.annotations", key.lower(), "")
        size += len(key.encode(errors="replace")) + len(value.encode(errors="replace"))
    if size > _ANNOTATIONS_LENGTH:
        yield too_long("metadata.annotations", _ANNOTATIONS_LENGTH)
    for index, finalizer in enumerate(metadata.get("finalizers", ())):
        yield from check_label(f"metadata.finalizers[{index}]", finalizer, "")
    for index, owner in enumerate(metadata.get("ownerReferences", ())):
        for name in ("apiVersion", "kind", "name", "uid"):
            if not isinstance(owner.get(name), str) or not owner[name]:
                field = f"metadata.ownerReferences[{index}].{name}"
                yield invalid_value(field, owner.get(name) or "", "must not be empty")


def _check_name(resource: Resource, name: str) -> Iterator[Cause]:
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif resource.key == NAMESPACES:
        yield from check_dns_label("metadata.name", name)
    elif resource.group == RBAC:
        # Roles are named freely (`system:node`), as long as the name fits one segment of a path.
        if "/" in name or "%" in name:
            yield invalid_value("metadata.name", name, "may not contain '/' or '%'")
    else:
        if len(name) > _NAME_LENGTH:
            yield invalid_value("metadata.name", name, f"must be no more than {_NAME_LENGTH} bytes")
        if not _IS_SUBDOMAIN.fullmatch(name):
            yield invalid_value("metadata.name", name, _BAD_SUBDOMAIN)


def check_dns_label(field: str, value: str) -> Iterator[Cause]:
    """Yield what keeps a text from being an RFC 1123 label."""
    if len(value) > _LABEL_LENGTH:
        yield invalid_value(field, value, f"must be no more than {_LABEL_LENGTH} bytes")
    if not _IS_LABEL.fullmatch(value):
        yield invalid_value(field, value, _BAD_LABEL)


def check_label(field: str, key: str, value: str) -> Iterator[Cause]:
    """Yield what keeps a key from being a qualified name, `name` or `prefix/name`, or a value from being a label's."""
    prefix, slash, name = key.rpartition("/")
    if slash and not _IS_SUBDOMAIN.fullmatch(prefix):
        yield invalid_value(field, key, f"prefix part {_BAD_SUBDOMAIN}" if prefix else "prefix part must be non-empty")
    if len(name) > _LABEL_LENGTH:
        yield invalid_value(field, key, f"name part must be no more than {_LABEL_LENGTH} bytes")
    if not _IS_WORD.fullmatch(name):
        yield invalid_value(field, key, _BAD_WORD)
    if len(value) > _LABEL_LENGTH:
        yield invalid_value(field, value, f"must be no more than {_LABEL_LENGTH} bytes")
    if value and not _IS_WORD.fullmatch(value):
        yield invalid_value(field, value, _BAD_VALUE)
