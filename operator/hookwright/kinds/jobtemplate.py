"""The Job to be, as BuildTriggers and CronJobs have it: kept as JSON, bounded, and read when a build is made.

It is the one part of our kinds that no schema bounds, and CronJobs are anybody's. Read by Python, JSON of many
small parts takes thirty times its size: whoever may write a few objects would fill the memory that all tenants share.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError, PydanticKnownError

from hookwright.kinds.base import UNBOUNDED, Model

# Job specs have some kilobytes, large ones some tens of them; what has more brings files along, as a ConfigMap would.
# While a build is made of one, this becomes thirty times as much: 8 MiB.
MAX_TEMPLATE_BYTES = 256 * 1024
# So much Kubernetes lets the annotations of an object have, keys and values together; here with the labels.
MAX_METADATA_BYTES = 256 * 1024
# Job specs have some fifteen levels. Python's JSON is read by recursion, whose depth depends on who asks.
MAX_TEMPLATE_DEPTH = 64
LIFETIME = "ttlSecondsAfterFinished"
_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]')

Label = Annotated[str, StringConstraints(max_length=63)]


def _pack(spec: object) -> bytes:
    """Give the compact JSON of a spec.

    Raises:
        PydanticKnownError: it is no object.
        PydanticCustomError: it is too large, nests too deeply, or holds what JSON cannot say, as a file may.
    """
    if not isinstance(spec, dict):
        raise PydanticKnownError("dict_type")
    try:
        text = json.dumps(spec, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except RecursionError:
        raise _too_deep() from None
    except (TypeError, ValueError):
        message = "cannot be written as JSON: it holds a value with a YAML tag or a number that is not finite: quote it"
        raise PydanticCustomError(UNBOUNDED, "{said}", {"said": message}) from None
    packed = text.encode(errors="surrogatepass")
    if len(packed) > MAX_TEMPLATE_BYTES:
        message = (
            f"{len(packed):,} bytes as JSON: at most {MAX_TEMPLATE_BYTES:,}; keep scripts and files in the repository, "
            "or in a ConfigMap that the pod mounts"
        )
        raise PydanticCustomError(UNBOUNDED, "{said}", {"said": message})
    if packed.count(b"{") + packed.count(b"[") > MAX_TEMPLATE_DEPTH and _find_depth(packed) > MAX_TEMPLATE_DEPTH:
        raise _too_deep()
    return packed


def _too_deep() -> PydanticCustomError:
    return PydanticCustomError(
        UNBOUNDED, "{said}", {"said": f"nests too deeply: at most {MAX_TEMPLATE_DEPTH} levels; a Job's spec has fewer"}
    )


def _find_depth(text: bytes) -> int:
    """Give how many levels a JSON text has."""
    depth = deepest = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        if token[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in b"]}":
            depth -= 1
    return deepest


class TemplateMetadata(Model):
    """Labels and annotations that the build receives, of at most 262,144 bytes together."""

    labels: dict[str, Label] = Field(default_factory=dict, max_length=50, description="Labels of the build.")
    annotations: dict[str, Annotated[str, StringConstraints(max_length=65536)]] = Field(
        default_factory=dict, max_length=50, description="Annotations of the build."
    )

    @model_validator(mode="after")
    def _bound(self) -> Self:
        size = sum(
            len(text.encode(errors="surrogatepass"))
            for texts in (self.labels, self.annotations)
            for pair in texts.items()
            for text in pair
        )
        if size > MAX_METADATA_BYTES:
            message = f"labels and annotations have {size:,} bytes, keys and values: at most {MAX_METADATA_BYTES:,}"
            raise PydanticCustomError(UNBOUNDED, "{said}", {"said": message})
        return self


class JobTemplate(Model):
    """A Job to be, as a CronJob has it."""

    metadata: TemplateMetadata = Field(
        default_factory=TemplateMetadata,
        description="Labels and annotations of the Job, of at most 262,144 bytes, keys and values together.",
    )
    # The API server judges it (by a dry run), not this model.
    packed: Annotated[
        bytes,
        BeforeValidator(_pack),
        PlainSerializer(json.loads),
        WithJsonSchema({"type": "object"}),
    ] = Field(
        alias="spec",
        description=(
            "The Job's spec, as in batch/v1, of at most 262,144 bytes as JSON. Hookwright tries it by a dry run and "
            "says in status what is wrong."
        ),
    )

    @property
    def spec(self) -> dict[str, Any]:  # Any: a JobSpec of Kubernetes
        """The Job's spec, read anew each time: the caller's own."""
        found: dict[str, Any] = json.loads(self.packed)
        return found

    @property
    def lifetime(self) -> object:
        """What the spec has as ttlSecondsAfterFinished; it is read only if it has one."""
        return self.spec.get(LIFETIME) if LIFETIME.encode() in self.packed else None
