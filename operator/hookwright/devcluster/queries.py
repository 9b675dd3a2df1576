"""What a request asks for, read from its path, query, headers and body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hookwright.devcluster.errors import ApiError, bad_request, unsupported
from hookwright.devcluster.lifecycle import DeleteOptions, WriteOptions
from hookwright.devcluster.protobuf import decode_object
from hookwright.devcluster.resources import Resource
from hookwright.devcluster.values import Json, decode

BODY_LIMIT: Final = 8 * 1024 * 1024
"""The longest body in bytes."""

PROTOBUF: Final = "application/vnd.kubernetes.protobuf"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a path leads to: a kind's objects, one of them, or its status.

    `namespace` is None for a namespaced kind in all namespaces, and empty for a cluster-wide kind.
    """

    resource: Resource
    namespace: str | None
    name: str
    subresource: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request about objects."""

    method: str
    target: Target
    query: Mapping[str, str]
    content_type: str
    accept: str
    body: bytes

    @property
    def wants_table(self) -> bool:
        """Whether the caller asks for rows to show instead of objects."""
        return "as=Table" in self.accept


def flag(query: Mapping[str, str], name: str) -> bool:
    """Read a parameter that is on or off, as Go reads it."""
    return query.get(name, "").lower() in ("1", "t", "true")


def number(query: Mapping[str, str], name: str) -> int:
    """Read a parameter that counts; 0 if it is absent. Raise ApiError 400 for what is no number."""
    text = query.get(name) or "0"
    if not re.fullmatch(r"\d{1,18}", text):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax (parameter {name})')
    return int(text)


def _is_dry_run(value: Json) -> bool:
    if value not in (None, "", [], "All", ["All"]):
        raise bad_request(f"dryRun: Unsupported value: {value}: supported values: All")
    return bool(value)


def write_options(call: Call) -> WriteOptions:
    """Read how an object is to be written."""
    validation = call.query.get("fieldValidation") or "Warn"
    if validation not in ("Strict", "Warn", "Ignore"):
        raise bad_request(f"fieldValidation: Unsupported value: {validation}: supported values: Ignore, Strict, Warn")
    return WriteOptions(
        dry_run=_is_dry_run(call.query.get("dryRun")),
        validation=validation,
        subresource=call.target.subresource,
        is_patch=call.method == "PATCH",
    )


def delete_options(call: Call) -> DeleteOptions:
    """Read how an object is to be deleted: the query and the body may both say so."""
    body = read_object(call) if call.body else {}
    preconditions = body.get("preconditions") or {}
    if not isinstance(preconditions, dict):
        raise bad_request("the body is no DeleteOptions object")
    orphan = body.get("orphanDependents") is True
    policy = call.query.get("propagationPolicy") or body.get("propagationPolicy") or ("Orphan" if orphan else "")
    return DeleteOptions(
        dry_run=_is_dry_run(call.query.get("dryRun") or body.get("dryRun")),
        policy=str(policy),
        uid=str(preconditions.get("uid") or ""),
        version=str(preconditions.get("resourceVersion") or ""),
    )


def read_object(call: Call) -> Json:
    """Read a body that holds an object; raise ApiError 400 or 415 if it cannot be read."""
    if call.content_type == PROTOBUF:
        return decode_object(call.body)
    if call.content_type not in ("", "application/json"):
        raise unsupported(
            f"the body of the request was in an unknown format ({call.content_type}) - accepted media types include: "
            f"application/json, {PROTOBUF}"
        )
    body = read_json(call.body)
    if not isinstance(body, dict):
        raise bad_request("the object provided is unrecognized (must be of type Object)")
    return body


def read_json(body: bytes) -> Json:
    """Read JSON; raise ApiError 400 if it is none."""
    try:
        return decode(body)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise bad_request(
            f"the object provided is unrecognized: couldn't get version/kind; json parse error: {why}"
        ) from error


_ACCOUNT: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?:[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_ACCOUNT_PREFIX: Final = "system:serviceaccount:"


def check_impersonation(headers: Mapping[str, str]) -> None:
    """Raise ApiError 400 where it is unclear as whom the caller wants to act."""
    user = headers.get("Impersonate-User", "")
    if not user:
        others = [name for name in headers if name.lower().startswith("impersonate-")]
        if others:
            raise bad_request(f"requested {others} without impersonating a user")
    elif user.startswith(_ACCOUNT_PREFIX) and not _ACCOUNT.fullmatch(user.removeprefix(_ACCOUNT_PREFIX)):
        raise bad_request(f"{user!r} is no ServiceAccount: expected {_ACCOUNT_PREFIX}NAMESPACE:NAME")


def check_origin(headers: Mapping[str, str], host: str) -> None:
    """Raise ApiError 403 for what a web page sends: there is no authorisation that could stop it otherwise."""
    if "Origin" in headers or not _is_loopback(host):
        raise ApiError(403, "Forbidden", "the development API server does not answer web pages, nor other host names")


@lru_cache(maxsize=64)
def _is_loopback(host: str) -> bool:
    return re.fullmatch(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?", host) is not None
