"""Protobuf, as far as kubectl speaks it: `kubectl create` sends four kinds in it, and deletions their options.

The numbers are those of the `.proto` files in k8s.io/api/core/v1 and k8s.io/apimachinery; the envelope is described in
https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final

from hookwright.devcluster.errors import bad_request, unsupported
from hookwright.devcluster.values import JsonObject

MAGIC: Final = b"k8s\x00"

Fields = list[tuple[int, bytes]]
"""Field number and value; numbers are left out, nothing that is read here is one."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT: Final = 10


def decode_object(body: bytes) -> JsonObject:
    """Read a Namespace, Secret, ConfigMap or ServiceAccount.

    Raises ApiError: 400 for what is no protobuf, 415 for other kinds, with a way out.
    """
    if not body.startswith(MAGIC):
        raise bad_request("the body is no Kubernetes protobuf message: it does not begin with its four bytes")
    try:
        envelope = _last(read_fields(body[len(MAGIC) :]))
        kind_fields = _last(read_fields(envelope.get(1, b"")))
        api_version, kind = kind_fields[1].decode(), kind_fields[2].decode()
        fields = read_fields(envelope.get(2, b""))
        if kind == "DeleteOptions":
            return {}
        if (api_version, kind) not in _KINDS:
            raise unsupported(
                f"the development API server reads {kind} as JSON only, not as protobuf; "
                "use: kubectl create ... --dry-run=client -o yaml | kubectl apply -f -"
            )
        head = {"apiVersion": api_version, "kind": kind, "metadata": _metadata(_last(fields).get(1, b""))}
        return head | _KINDS[api_version, kind](fields)
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise bad_request(f"the body is no readable protobuf message: {error}") from error


def read_fields(message: bytes) -> Fields:
    """Split a message into its fields; raise IndexError where it is cut off."""
    fields: Fields = []
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            _, position = _varint(message, position)
            continue
        if kind == _LENGTH:
            size, position = _varint(message, position)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise IndexError(f"unknown wire type {kind}")
        if position + size > len(message):
            raise IndexError("the message is cut off")
        fields.append((number, message[position : position + size]))
        position += size
    return fields


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(_MAX_VARINT):
        byte = message[position + shift]
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, position + shift + 1
    raise IndexError("a number is too long")


def _last(fields: Fields) -> dict[int, bytes]:
    return dict(fields)


def _text(value: bytes) -> str:
    return value.decode()


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _map(fields: Fields, number: int, read: Callable[[bytes], str] = _text) -> dict[str, str]:
    entries = [_last(read_fields(value)) for found, value in fields if found == number]
    return {entry.get(1, b"").decode(): read(entry.get(2, b"")) for entry in entries}


def _metadata(message: bytes) -> JsonObject:
    fields = read_fields(message)
    single = _last(fields)
    metadata: JsonObject = {
        name: single[number].decode()
        for number, name in ((1, "name"), (2, "generateName"), (3, "namespace"))
        if single.get(number)
    }
    return metadata | _present(labels=_map(fields, 11), annotations=_map(fields, 12))


def _present(**members: JsonObject) -> JsonObject:
    return {name: member for name, member in members.items() if member}


def _secret(fields: Fields) -> JsonObject:
    kind = _last(fields).get(3, b"").decode()
    members = _present(data=_map(fields, 2, _base64), stringData=_map(fields, 4))
    return members | ({"type": kind} if kind else {})


def _config_map(fields: Fields) -> JsonObject:
    return _present(data=_map(fields, 2), binaryData=_map(fields, 3, _base64))


_KINDS: Final[dict[tuple[str, str], Callable[[Fields], JsonObject]]] = {
    ("v1", "Namespace"): lambda _: {},
    ("v1", "ServiceAccount"): lambda _: {},
    ("v1", "Secret"): _secret,
    ("v1", "ConfigMap"): _config_map,
}
