"""Tags, as AWS has them on all its resources."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from hookwright.kinds.base import Model, rules

MAX_TAGS = 50
# Beyond MAX_TAGS the answer is ours, with AWS's code; beyond this it is the schema's.
_MOST_TAGS = 200

# A rule of the spec that has tags.
TOO_MANY_TAGS = f"!has(self.tags) || self.tags.size() <= {MAX_TAGS}"


def tag_rules(code: str) -> dict[str, Any]:  # Any: a part of a JSON schema
    """Describe the CEL rules of one tag; their messages begin with `code`."""
    return rules(
        {
            "!self.key.matches('^[aA][wW][sS]:')": (
                f"{code}: spec.tags: keys that begin with aws: are reserved, as at AWS; choose another"
            ),
            "(self.key + self.value).matches('^[\\\\p{L}\\\\p{Z}\\\\p{N}_.:/=+\\\\-@]*$')": (
                f"{code}: spec.tags: letters, digits, blanks and _.:/=+-@ only"
            ),
        }
    )


class Tag(Model):
    """One tag."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(description="The tag's key.")
    value: Annotated[str, StringConstraints(max_length=256)] = Field(description="The tag's value; may be empty.")


# Any: a list of the kind's own tags
TAGS: Any = Field(
    default_factory=list,
    max_length=_MOST_TAGS,
    description="Tags as at AWS: at most 50, each key once. Hookwright does nothing with them.",
    json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["key"]},
)
