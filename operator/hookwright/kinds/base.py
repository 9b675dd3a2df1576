"""What all kinds share: the model's manners, metadata, conditions, and how a raw object becomes a typed one.

Models are frozen and speak camelCase outside, snake_case inside. A raw object becomes a model once, at the edge, by
`read`; what is wrong with it comes out as a list of `Problem`s in the user's own words, never as a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

GROUP = "hookwright.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

# A Kubernetes object as JSON; `Any` because that is what it is until `read` has typed it.
Raw = Mapping[str, Any]


# Shared by all models, which are frozen: what copies a model copies it first.
_GIVEN: set[str] = set()


class Model(BaseModel):
    """The manners of every model here: frozen, camelCase outside, unknown fields dropped as the API server prunes."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    def model_post_init(self, _: Any, /) -> None:  # Any: pydantic's context
        """Forget which fields were given: nobody asks, and for 10,000 Webhooks it would take 40 MB."""
        object.__setattr__(self, "__pydantic_fields_set__", _GIVEN)

    def to_raw(self) -> dict[str, Any]:
        """Give the JSON form: camelCase, times as RFC 3339, without the fields that are None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class ObjectMeta(Model):
    """The part of Kubernetes' metadata that is used here."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None


class Condition(Model):
    """One condition of a status, as Kubernetes' own `metav1.Condition`."""

    type: str = Field(max_length=316, description="What the condition is about, such as Ready.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: str = Field(max_length=1024, description="Why, as one documented CamelCase word.")
    message: str = Field(max_length=32768, description="Why, for a person: what, where, which value, what to do.")
    last_transition_time: datetime = Field(description="When the status of this condition last changed.")
    observed_generation: int | None = Field(
        default=None, description="The metadata.generation that the condition was worked out for."
    )


CONDITIONS = Field(
    default_factory=list[Condition],
    max_length=16,
    description=(
        "Ready says whether the object does its work. Reconciling is there only while Hookwright waits for something "
        "that will heal by itself (a Secret or a target that is missing); Stalled only while the spec must be mended."
    ),
    json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
)


def rules(messages: Mapping[str, str]) -> dict[str, Any]:
    """Describe CEL rules, each with its message, for `json_schema_extra`: core CEL only."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": said} for rule, said in messages.items()]}


def column(name: str, kind: str, path: str, description: str, *, wide: bool = False) -> dict[str, Any]:
    """Describe one printer column; a wide one is shown by `kubectl get -o wide` only."""
    described: dict[str, Any] = {"name": name, "type": kind, "jsonPath": path, "description": description}
    return described | ({"priority": 1} if wide else {})


class ObjectKind(Model):
    """An object of one of our kinds. Subclasses say what the CRD needs to know about the kind."""

    KIND: ClassVar[str]
    PLURAL: ClassVar[str]
    SHORT_NAMES: ClassVar[tuple[str, ...]]
    COLUMNS: ClassVar[tuple[dict[str, Any], ...]]  # printer columns, as apiextensions/v1 writes them
    ARN_TYPE: ClassVar[str]  # the word for this kind in an ARN-like ID

    api_version: str = API_VERSION
    kind: str = ""
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with an object: which field, and what to do about it."""

    field: str
    message: str


class InvalidObject(ValueError):
    """An object that is not of its kind's shape, although the API server let it in (or a file, which nobody checked).

    `metadata` is what could be read of it, so that a status can say what is wrong; `found_status` is its status now.
    """

    def __init__(self, kind: str, metadata: ObjectMeta, problems: tuple[Problem, ...], found_status: Raw) -> None:
        super().__init__("; ".join(f"{p.field}: {p.message}" for p in problems))
        self.kind = kind
        self.metadata = metadata
        self.problems = problems
        self.found_status = found_status

    @property
    def conditions(self) -> list[Condition]:
        """The conditions of its status, as far as they can be read."""
        try:
            return _CONDITIONS.validate_python(self.found_status.get("conditions") or [])
        except ValidationError:
            return []


_CONDITIONS = TypeAdapter(list[Condition])

K = TypeVar("K", bound=ObjectKind)


def read(kind: type[K], raw: Raw, *, strict: bool = False) -> K:
    """Make a typed object of a raw one.

    With `strict`, fields of spec that the kind does not have are problems too: a file is read so, because a misspelt
    field would otherwise be dropped in silence.

    Raises:
        InvalidObject: the object does not have its kind's shape.
    """
    try:
        if strict:
            # Only spec is the user's: metadata and status hold more than our models do.
            kind.model_validate({"spec": raw.get("spec", {})}, extra="forbid", by_alias=True, by_name=False)
        found = kind.model_validate(raw, by_alias=True, by_name=False)
    except ValidationError as error:
        problems = tuple(_problem(detail) for detail in error.errors(include_url=False, include_context=False))
        status = raw.get("status")
        found_status = status if isinstance(status, Mapping) else {}
        raise InvalidObject(kind.KIND, _metadata(raw), problems, found_status) from None
    return found


def _problem(detail: Mapping[str, Any]) -> Problem:
    """Say a pydantic error in Kubernetes' words: a path with brackets, and the value that was found."""
    path, field = detail["loc"], ""
    for step in path:
        field += f"[{step}]" if isinstance(step, int) else f".{step}" if field else str(step)
    message = str(detail["msg"]).removeprefix("Input should be ").removeprefix("String should ")
    match detail["type"]:
        case "missing":
            message = "is required"
        case "extra_forbidden":
            message = "is not a field of this kind (misspelt?)"
        case _:
            message = f"should be {message}" if not message.startswith(("have", "match")) else f"should {message}"
            if not _secret(path):
                message += f", not {_shorten(detail.get('input'))}"
    return Problem(field=field, message=message)


def _secret(path: tuple[str | int, ...]) -> bool:
    """Whether the value at `path` may be a secret, which no message repeats."""
    return "authenticationConfiguration" in path


def _shorten(value: object) -> str:
    if isinstance(value, dict | list):
        # Inside of what stands at the wrong place may be a secret.
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - a line of a terminal


def _metadata(raw: Raw) -> ObjectMeta:
    try:
        return ObjectMeta.model_validate(raw.get("metadata") or {})
    except ValidationError:
        return ObjectMeta()
