"""Names of builds: decided by the delivery alone, so that whoever starts it makes the same object, however often.

Nor do they depend on the version, or on the target: receivers of two versions work side by side, and one to which
another's delivery comes again knows of its build by the name alone. So no name is made shorter where a template would
need it: that is said instead.
"""

from __future__ import annotations

import hashlib
import re

from hookwright.builds.wanted import WantedBuild
from hookwright.kinds import JobTemplate

MAX_NAME = 63  # a Job's name becomes a label of its pods
_HASH_LENGTH = 20  # of hex: 80 bits
_LONGEST_INDEX = len("-2147483646")  # the last of as many completions as an int32 can say
_INDEXED = b'"Indexed"'


def name_build(*, owner_name: str, owner_uid: str, delivery_id: str, index: int = 0) -> str:
    """Give the name of the build for change number `index` of a delivery to the object with `owner_uid`.

    The object's name stands before it for people; only the hash tells builds apart.
    """
    identity = f"{owner_uid}\n{delivery_id}\n{index}".encode()
    digest = hashlib.sha256(identity).hexdigest()[:_HASH_LENGTH]
    prefix = re.sub(r"[^a-z0-9-]+", "-", owner_name.lower())[: MAX_NAME - 1 - _HASH_LENGTH].strip("-") or "build"
    return f"{prefix}-{digest}"


def check_index(owner_kind: str, owner_name: str, template: JobTemplate) -> str | None:
    """Say why Kubernetes takes no Job of `template` that is named for its owner; None: that is no reason.

    The pods of an Indexed Job have the Job's name and their index as hostname, a label of DNS (batch/v1 validation).
    All else that may be wrong with a template is for the API server to say.
    """
    length = len(name_build(owner_name=owner_name, owner_uid="", delivery_id=""))
    if length + _LONGEST_INDEX <= MAX_NAME or _INDEXED not in template.packed:
        return None
    spec = template.spec
    completions = spec.get("completions", 1)
    if spec.get("completionMode") != "Indexed" or not isinstance(completions, int) or completions < 1:
        return None
    room = MAX_NAME - len(f"-{completions - 1}")
    if length <= room:
        return None
    return (
        f"Kubernetes takes no Indexed Job of {completions} completions whose name has more than {room} characters: the "
        f"hostname of each pod is that name and an index; builds of {owner_kind} {owner_name} have {length}: give it a "
        f"name of at most {room - 1 - _HASH_LENGTH} characters"
    )


def name_wanted(wanted: WantedBuild) -> str:
    """Give the name of a wanted build."""
    return name_build(
        owner_name=wanted.owner_name,
        owner_uid=wanted.owner_uid,
        delivery_id=wanted.delivery_id,
        index=wanted.index,
    )


def identify(wanted: WantedBuild) -> str:
    """Give the text by which a build proves, in an annotation, that it is of this very delivery."""
    return f"{wanted.owner_uid}/{wanted.index}/{wanted.delivery_id}"
