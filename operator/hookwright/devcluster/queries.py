"""What a request asks for, read from its path, query, headers and body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import yaml

from hookwright.devcluster.errors import (
    ApiError,
    Cause,
    bad_request,
    forbidden_field,
    invalid_options,
    invalid_value,
    not_acceptable,
    required,
    too_long,
    unsupported,
)
from hookwright.devcluster.lifecycle import DeleteOptions, WriteOptions
from hookwright.devcluster.patches import APPLY_PATCH
from hookwright.devcluster.protobuf import decode_object
from hookwright.devcluster.resources import Resource
from hookwright.devcluster.values import Json, JsonObject, decode, encode

BODY_LIMIT: Final = 8 * 1024 * 1024
"""The longest body in bytes."""

PARTIAL: Final = "PartialObjectMetadata"
"""The form of objects that holds their metadata alone."""

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
    user_agent: str
    body: bytes

    def view(self, *, many: bool = False) -> str:
        """Return the form in which objects are asked for: `Table`, `PartialObjectMetadata`, or empty for whole ones.

        Raises ApiError 406 if none of what is asked for can be had.
        """
        for clause in self.accept.split(","):
            form = next((part.removeprefix("as=") for part in map(str.strip, clause.split(";")) if "as=" in part), "")
            if form in ("", "Table"):
                return form
            if form.removesuffix("List") == PARTIAL:
                if form.endswith("List") != many:
                    is_list = "a list" if many else "not a list"
                    raise not_acceptable(f"you requested {form}, but the requested object is {is_list}")
                return PARTIAL
        raise not_acceptable("only the following media types are accepted: application/json")


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
        manager=_read_manager(call),
    )


_MANAGER_LENGTH: Final = 128
_OPTIONS: Final = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}


def _read_manager(call: Call) -> str:
    """Read who writes: the field manager, else the program's name; raise ApiError 422 for a name that will not do."""
    manager, is_apply = call.query.get("fieldManager", ""), call.content_type == APPLY_PATCH
    causes: list[Cause] = []
    if is_apply and not manager:
        causes.append(required("fieldManager", "is required for apply patch"))
    if call.method == "PATCH" and not is_apply and "force" in call.query:
        causes.append(forbidden_field("force", "may not be specified for non-apply patch"))
    if len(manager.encode(errors="replace")) > _MANAGER_LENGTH:
        causes.append(too_long("fieldManager", _MANAGER_LENGTH))
    for place, letter in enumerate(manager[:_MANAGER_LENGTH]):
        if not letter.isprintable():
            why = f"invalid character U+{ord(letter):04X} (at position {place})"
            causes.append(invalid_value("fieldManager", manager, why))
    if causes:
        raise invalid_options(_OPTIONS[call.method], causes)
    program = call.user_agent.partition("/")[0][:_MANAGER_LENGTH]
    return manager or "".join(filter(str.isprintable, program))


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


class _Loader(yaml.SafeLoader):
    """Reads YAML as far as it is JSON: no times, and no aliases, with which a short text can say a lot."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own name for a constant
        letter: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one value."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not known here")
        return super().compose_node(parent, index)


def read_configuration(call: Call) -> JsonObject:
    """Read what is applied, in YAML or JSON; raise ApiError 400 if it is no object of the target's kind."""
    try:
        body = decode(call.body)
    except ValueError:
        try:
            # To JSON and back: what JSON cannot say is refused, and what names members becomes text.
            body = decode(encode(_Loader(call.body).get_single_data()))
        except (yaml.YAMLError, ValueError, TypeError) as error:
            raise bad_request(f"error decoding YAML: {error}") from error
    body = {} if body is None else body
    if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict | None):
        raise bad_request("error decoding YAML: the configuration, and its metadata, must be of type Object")
    resource = call.target.resource
    version, kind = body.get("apiVersion") or "", body.get("kind") or ""
    if (version, kind) != (resource.api_version, resource.kind):
        group = version if "/" in str(version) else f"/{version}"
        raise bad_request(f"invalid object type: {group}, Kind={kind}")
    metadata = body["metadata"] = dict(body.get("metadata") or {})
    if metadata.get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    return resource.inward(body)


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
