"""Names of builds: decided by the delivery alone, so that whoever starts it makes the same object, however often."""

from __future__ import annotations

import hashlib
import re

from hookwright.builds.wanted import WantedBuild

MAX_NAME = 63  # a Job's name becomes a label of its pods
_HASH_LENGTH = 20  # of hex: 80 bits


def name_build(*, owner_name: str, owner_uid: str, delivery_id: str, index: int = 0) -> str:
    """Give the name of the build for change number `index` of a delivery to the object with `owner_uid`.

    The object's name stands before it for people; only the hash tells builds apart.
    """
    identity = f"{owner_uid}\n{delivery_id}\n{index}".encode()
    digest = hashlib.sha256(identity).hexdigest()[:_HASH_LENGTH]
    prefix = re.sub(r"[^a-z0-9-]+", "-", owner_name.lower())[: MAX_NAME - 1 - _HASH_LENGTH].strip("-") or "build"
    return f"{prefix}-{digest}"


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
