"""What all kinds share: the model's manners, metadata, conditions, and how a raw object becomes a typed one.

Models are frozen and speak camelCase outside, snake_case inside. A raw object becomes a model once, at the edge, by
`read`; what is wrong with it comes out as a list of `Problem`s in the user's own words, never as a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

GROUP = "hookwright.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

# What is in the names of all annotations that are read here.
OURS = f"{GROUP}/"

# A Kubernetes object as JSON; `Any` because that is what it is until `read` has typed it.
Raw = Mapping[str, Any]


# Shared by all models, which are frozen: what copies a model copies it first.
_GIVEN: set[str] = set()


class Model(BaseModel):
    """The manners of every model here: frozen, camelCase outside, unknown fields dropped as the API server prunes."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        # An error that reaches a log must not repeat what it is about: that may be a secret.
        hide_input_in_errors=True,
    )

    def model_post_init(self, _: Any, /) -> None:  # Any: pydantic's context
        """Forget which fields were given: nobody asks, and for 10,000 Webhooks it would take 40 MB."""
        object.__setattr__(self, "__pydantic_fields_set__", _GIVEN)

    def to_raw(self) -> dict[str, Any]:
        """Give the JSON form: camelCase, times as RFC 3339, without the fields that are None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def _keep_ours(annotations: object) -> object:
    """Give the annotations that Hookwright reads: others' may be the whole object once more."""
    if not isinstance(annotations, dict):
        return annotations
    return {name: value for name, value in annotations.items() if OURS in str(name)}


class ObjectMeta(Model):
    """The part of Kubernetes' metadata that is used here; of annotations those of hookwright.dev and below it.

    No labels: nothing bounds how many an object has, and nobody here asks for them.
    """

    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    annotations: Annotated[dict[str, str], BeforeValidator(_keep_ours)] = Field(default_factory=dict)
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
    """One thing that is wrong with an object: which field, and what to do about it.

    `unknown` says that the kind has no such field: then what is missing may be there, and only misspelt.
    """

    field: str
    message: str
    unknown: bool = False


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

# An object is wrong in so many places at most: who makes each of 20,000 labels too long is told the first of them.
MAX_PROBLEMS = 20
# The type of a validation error whose message says all, and does not quote the value.
UNBOUNDED: Final = "unbounded"


def read(kind: type[K], raw: Raw, *, strict: bool = False) -> K:
    """Make a typed object of a raw one.

    With `strict`, fields of spec that the kind does not have are problems too: a file is read so, because a misspelt
    field would otherwise be dropped in silence.

    Raises:
        InvalidObject: the object does not have its kind's shape.
    """
    found = recognise(kind, raw, strict=strict)
    if isinstance(found, InvalidObject):
        raise found
    return found


def recognise(kind: type[K], raw: Raw, *, strict: bool = False) -> K | InvalidObject:
    """Give what `read` gives, or raises.

    What was raised would keep alive, by its traceback, the raw object that it is about.
    """
    try:
        if strict:
            # Only spec is the user's: metadata and status hold more than our models do.
            kind.model_validate({"spec": raw.get("spec", {})}, extra="forbid", by_alias=True, by_name=False)
        return kind.model_validate(raw, by_alias=True, by_name=False)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)[:MAX_PROBLEMS]
        problems = tuple(_problem(kind, detail) for detail in details)
        status = raw.get("status")
        found_status = status if isinstance(status, Mapping) else {}
        return InvalidObject(kind.KIND, _metadata(raw), problems, found_status)


def _problem(kind: type[ObjectKind], detail: Mapping[str, Any]) -> Problem:
    """Say a pydantic error in Kubernetes' words: a path with brackets, and the value that was found."""
    path, field = detail["loc"], ""
    for step in path:
        field += f"[{step}]" if isinstance(step, int) else f".{step}" if field else str(step)
    about, _, wanted = str(detail["msg"]).partition(" should ")
    match detail["type"]:
        case "missing":
            return Problem(field=field, message="is required")
        case "extra_forbidden":
            meant = _find_meant(kind, path)
            hint = f": write {meant}" if meant is not None else " (misspelt?)"
            return Problem(field=field, message=f"is not a field of this kind{hint}", unknown=True)
        case "too_long" | "too_short":
            # They are about lists and maps, and say how many there are.
            return Problem(field=field, message=f"should {wanted.replace(' after validation', '')}")
        case _ if detail["type"] == UNBOUNDED:
            return Problem(field=field, message=str(detail["msg"]))
        case "model_type" | "dict_type":
            wanted = f"be an object{_show_object(kind, path, detail.get('input'))}"
        case "list_type":
            wanted = "be a list"
    message = f"should {wanted or f'be {about}'}"
    if not _secret(path):
        message += f", not {_shorten(detail.get('input'))}"
    return Problem(field=field, message=message)


def _find_meant(kind: type[ObjectKind], path: tuple[str | int, ...]) -> str | None:
    """Give the field that is written like the last step of `path` but for case, _ and -; None if there is none."""
    model = _find_model(kind, path[:-1])
    names = _fields_of(model) if model is not None else ()
    return next((name for name in names if _fold(name) == _fold(str(path[-1]))), None)


def _fold(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _show_object(kind: type[ObjectKind], path: tuple[str | int, ...], found: object) -> str:
    """Show how a text becomes the object that should stand there, where the object needs only one field, a text."""
    model = _find_model(kind, path)
    if model is None or not isinstance(found, str) or _secret(path):
        return ""
    needed = [(name, field.annotation) for name, field in _fields_of(model).items() if field.is_required()]
    return f" such as {{{needed[0][0]}: {_shorten(found)}}}" if [type_ for _, type_ in needed] == [str] else ""


def _find_model(kind: type[ObjectKind], path: tuple[str | int, ...]) -> type[Model] | None:
    """Give the model of what stands at `path`; None if users may write there what they like."""
    model: type[Model] | None = kind
    for step in path:
        if isinstance(step, str) and model is not None:
            field = _fields_of(model).get(step)
            model = _unwrap(field.annotation) if field is not None else None
    return model


def _fields_of(model: type[Model]) -> dict[str, FieldInfo]:
    """Give the fields of a model by their outward names."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _unwrap(annotation: Any) -> type[Model] | None:  # Any: what an annotation is
    """Give the model in an annotation such as `list[X] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    return next((model for one in get_args(annotation) if (model := _unwrap(one)) is not None), None)


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
