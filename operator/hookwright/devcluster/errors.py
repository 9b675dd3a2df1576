"""What the API server refuses, in Kubernetes' own words: one exception that carries a Status object.

Messages and reasons follow k8s.io/apimachinery `pkg/api/errors` and `pkg/util/validation/field`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hookwright.devcluster.resources import Resource
from hookwright.devcluster.values import Json, JsonObject, quote

WRONG_TYPE: Final = "FieldValueTypeInvalid"


class ApiError(Exception):
    """A request that is refused: `status` is HTTP's, `reason` and `details` are members of the Status object."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        details: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.details = details or {}
        self.headers = headers or {}

    def body(self) -> JsonObject:
        """Return the Status object that a client sees."""
        head = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": str(self)}
        details = {name: member for name, member in self.details.items() if member != ""}
        found = {"reason": self.reason, "details": details}
        return head | {name: member for name, member in found.items() if member} | {"code": self.status}


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is wrong: `reason` is Kubernetes' constant, `field` a path, `message` what is wrong there."""

    reason: str
    field: str
    message: str


def required(field: str, message: str = "") -> Cause:
    """Say that a field is missing."""
    return Cause("FieldValueRequired", field, f"Required value: {message}" if message else "Required value")


def invalid_value(field: str, value: Json, message: str) -> Cause:
    """Say that a field's value will not do, and why."""
    return Cause("FieldValueInvalid", field, f"Invalid value: {quote(value)}: {message}")


def not_supported(field: str, value: Json, choices: Iterable[Json]) -> Cause:
    """Say that a field's value is none of the choices."""
    known = ", ".join(map(quote, choices))
    return Cause("FieldValueNotSupported", field, f"Unsupported value: {quote(value)}: supported values: {known}")


def duplicate(field: str, value: Json) -> Cause:
    """Say that a value stands twice where it may stand once."""
    return Cause("FieldValueDuplicate", field, f"Duplicate value: {quote(value)}")


def too_long(field: str, limit: int) -> Cause:
    """Say that a text is too long."""
    return Cause("FieldValueTooLong", field, f"Too long: may not be more than {limit} bytes")


def too_many(field: str, count: int, limit: int) -> Cause:
    """Say that a list or map has too many members."""
    return Cause("FieldValueTooMany", field, f"Too many: {count}: must have at most {limit} items")


def forbidden_field(field: str, message: str) -> Cause:
    """Say that a field may not be there, or not have this value now."""
    return Cause("FieldValueForbidden", field, f"Forbidden: {message}")


def invalid(resource: Resource | None, name: str, causes: Iterable[Cause]) -> ApiError:
    """Refuse an object for what is in its fields (422); a patch that cannot be decoded has no kind."""
    found = list(causes)
    texts = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in found))
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    listed = [{"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in found]
    group, kind = (resource.group, resource.kind) if resource else ("", "")
    details = {"name": name, "group": group, "kind": kind, "causes": listed}
    return ApiError(422, "Invalid", f'{kind}{group and "."}{group} "{name}" is invalid: {text}', details=details)


def _about(resource: Resource, name: str, status: int, reason: str, message: str) -> ApiError:
    details = {"name": name, "group": resource.group, "kind": resource.plural}
    return ApiError(status, reason, message, details=details)


def not_found(resource: Resource, name: str) -> ApiError:
    """Say that there is no such object."""
    return _about(resource, name, 404, "NotFound", f'{resource.full_name} "{name}" not found')


def already_exists(resource: Resource, name: str) -> ApiError:
    """Say that the name is taken."""
    return _about(resource, name, 409, "AlreadyExists", f'{resource.full_name} "{name}" already exists')


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    """Say that the caller knew an older version, or another object, than there is."""
    message = f'Operation cannot be fulfilled on {resource.full_name} "{name}": {why}'
    return _about(resource, name, 409, "Conflict", message)


def apply_conflict(conflicts: Mapping[str, list[str]]) -> ApiError:
    """Say which fields of an applied configuration others own: the owners, as people read them, with paths."""
    pairs = [(owner, path) for owner, paths in conflicts.items() for path in paths]
    text = f"1 conflict: conflict with {pairs[0][0]}: {pairs[0][1]}"
    if len(pairs) > 1:
        lists = ([f"conflicts with {owner}:", *(f"- {path}" for path in paths)] for owner, paths in conflicts.items())
        text = f"{len(pairs)} conflicts: " + "\n".join(line for lines in lists for line in lines)
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {owner}", "field": path} for owner, path in pairs
    ]
    return ApiError(409, "Conflict", f"Apply failed with {text}", details={"causes": causes})


def invalid_options(kind: str, causes: Iterable[Cause]) -> ApiError:
    """Refuse what stands in the query (422); `kind` is `PatchOptions` and the like."""
    return invalid(Resource(group="meta.k8s.io", plural="", kind=kind), "", causes)


def forbidden(resource: Resource, name: str, why: str, cause: JsonObject | None = None) -> ApiError:
    """Refuse for the state of the surroundings, for instance a namespace that is going away."""
    error = _about(resource, name, 403, "Forbidden", f'{resource.full_name} "{name}" is forbidden: {why}')
    if cause:
        error.details["causes"] = [cause]
    return error


def bad_request(message: str) -> ApiError:
    """Refuse a request that makes no sense (400)."""
    return ApiError(400, "BadRequest", message)


def undecodable(resource: Resource, why: str) -> ApiError:
    """Refuse a body whose values have types that the kind cannot hold (400)."""
    kind = resource.kind
    return bad_request(f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {why}')


def not_served() -> ApiError:
    """Answer for a path that leads nowhere."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def not_allowed() -> ApiError:
    """Answer for a method that the path does not take."""
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def not_acceptable(message: str) -> ApiError:
    """Say that there is no such form (406)."""
    return ApiError(406, "NotAcceptable", message)


def unsupported(message: str) -> ApiError:
    """Refuse a media type (415)."""
    return ApiError(415, "UnsupportedMediaType", message)
