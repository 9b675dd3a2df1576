"""What the API server refuses, in Kubernetes' own words: one exception that carries a Status object.

Messages and reasons follow k8s.io/apimachinery `pkg/api/errors` and `pkg/util/validation/field`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hookwright.devcluster.resources import Resource
from hookwright.devcluster.values import Json, JsonObject, encode


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
        self.message = message
        self.details = details or {}
        self.headers = dict(headers or {})

    def body(self) -> JsonObject:
        """Return the Status object that a client sees."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.status,
        }


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is wrong: `reason` is Kubernetes' constant, `field` a path, `message` what is wrong there."""

    reason: str
    field: str
    message: str


def required(field: str, message: str = "") -> Cause:
    """Say that a field is missing."""
    return Cause("FieldValueRequired", field, f"Required value: {message}" if message else "Required value")


def invalid_value(field: str, value: Json, message: str, reason: str = "FieldValueInvalid") -> Cause:
    """Say that a field's value will not do, and why."""
    return Cause(reason, field, f"Invalid value: {encode(value).decode()}: {message}")


def not_supported(field: str, value: Json, choices: Iterable[Json]) -> Cause:
    """Say that a field's value is none of the choices."""
    known = ", ".join(encode(choice).decode() for choice in choices)
    message = f"Unsupported value: {encode(value).decode()}: supported values: {known}"
    return Cause("FieldValueNotSupported", field, message)


def duplicate(field: str, value: Json) -> Cause:
    """Say that a value stands twice where it may stand once."""
    return Cause("FieldValueDuplicate", field, f"Duplicate value: {encode(value).decode()}")


def too_long(field: str, limit: int) -> Cause:
    """Say that a text is too long."""
    return Cause("FieldValueTooLong", field, f"Too long: may not be more than {limit} bytes")


def too_many(field: str, count: int, limit: int) -> Cause:
    """Say that a list or map has too many members."""
    return Cause("FieldValueTooMany", field, f"Too many: {count}: must have at most {limit} items")


def invalid(resource: Resource, name: str, causes: Iterable[Cause]) -> ApiError:
    """Refuse an object for what is in its fields (422)."""
    return invalid_kind(resource.group, resource.kind, name, causes)


def invalid_kind(group: str, kind: str, name: str, causes: Iterable[Cause]) -> ApiError:
    """Refuse with causes (422); a patch that cannot be decoded has neither kind nor name."""
    found = list(causes)
    texts = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in found))
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    listed = [{"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in found]
    full_kind = f"{kind}.{group}" if group else kind
    details = {"name": name, "group": group, "kind": kind, "causes": listed}
    return ApiError(422, "Invalid", f'{full_kind} "{name}" is invalid: {text}', details=details)


def _details(resource: Resource, name: str) -> JsonObject:
    return {"name": name, "group": resource.group, "kind": resource.plural}


def not_found(resource: Resource, name: str) -> ApiError:
    """Say that there is no such object."""
    return ApiError(404, "NotFound", f'{resource.full_name} "{name}" not found', details=_details(resource, name))


def already_exists(resource: Resource, name: str) -> ApiError:
    """Say that the name is taken."""
    message = f'{resource.full_name} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, details=_details(resource, name))


def conflict(resource: Resource, name: str, why: str = "") -> ApiError:
    """Say that the caller knew an older version, or another object, than there is."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {resource.full_name} "{name}": {why}'
    return ApiError(409, "Conflict", message, details=_details(resource, name))


def forbidden(resource: Resource, name: str, why: str, causes: Iterable[JsonObject] = ()) -> ApiError:
    """Refuse for the state of the surroundings, for instance a namespace that is going away."""
    details = _details(resource, name) | ({"causes": found} if (found := list(causes)) else {})
    return ApiError(403, "Forbidden", f'{resource.full_name} "{name}" is forbidden: {why}', details=details)


def bad_request(message: str) -> ApiError:
    """Refuse a request that makes no sense (400)."""
    return ApiError(400, "BadRequest", message)


def undecodable(resource: Resource, why: str) -> ApiError:
    """Refuse a body whose values have types that the kind cannot hold (400)."""
    text = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {why}'
    return bad_request(text)


def wrong_type(resource: Resource, found: Json, field: str, wanted: str) -> ApiError:
    """Refuse a value that a typed field of a built-in kind, or of the metadata, cannot hold."""
    name = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    given = name.get(type(found), "null")
    return undecodable(resource, f"json: cannot unmarshal {given} into Go struct field {field} of type {wanted}")


def not_served() -> ApiError:
    """Answer for a path that leads nowhere."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def not_allowed() -> ApiError:
    """Answer for a method that the path does not take."""
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def unsupported(message: str) -> ApiError:
    """Refuse a media type (415)."""
    return ApiError(415, "UnsupportedMediaType", message)


def expired(message: str) -> ApiError:
    """Say that a resourceVersion is older than what is remembered (410): the caller has to list again."""
    return ApiError(410, "Expired", message)
