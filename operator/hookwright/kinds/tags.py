"""Tags, as AWS has them on all its resources."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from hookwright.kinds.base import Model, rules

MAX_TAGS = 50
# Beyond MAX_TAGS the answer is ours, with AWS's code; beyond this it is the schema's.
_MOST_TAGS = 200

# A rule of the spec that has tags.
TOO_MANY_TAGS = f"!has(self.tags) || self.tags.size() <= {MAX_TAGS}"
TAG_RULES = rules(
    {
        "!self.key.matches('^[aA][wW][sS]:')": (
            "InvalidTagsException: spec.tags: keys that begin with aws: are reserved, as at AWS; choose another"
        ),
        "(self.key + self.value).matches('^[\\\\p{L}\\\\p{Z}\\\\p{N}_.:/=+\\\\-@]*$')": (
            "InvalidTagsException: spec.tags: letters, digits, blanks and _.:/=+-@ only"
        ),
    }
)


class Tag(Model):
    """One tag."""

    model_config = ConfigDict(json_schema_extra=TAG_RULES)

    key: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(description="The tag's key.")
    value: Annotated[str, StringConstraints(max_length=256)] = Field(description="The tag's value; may be empty.")


Tags = list[Tag]
TAGS = Field(
    default_factory=list[Tag],
    max_length=_MOST_TAGS,
    description="Tags as at AWS: at most 50, each key once. Hookwright does nothing with them.",
    json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["key"]},
)
