"""The objects of Hookwright as typed models, and the CRDs made from them.

Descriptions of fields are written for users: they are the CRD reference and what `kubectl explain` prints.
"""

from hookwright.kinds.base import (
    API_VERSION,
    GROUP,
    VERSION,
    Condition,
    InvalidObject,
    ObjectKind,
    ObjectMeta,
    Problem,
    Raw,
    read,
)
from hookwright.kinds.buildtrigger import BuildTrigger
from hookwright.kinds.crds import KINDS, crd, crd_file_name, crd_yaml
from hookwright.kinds.webhook import (
    DEFAULT_MAX_BODY_BYTES,
    Authentication,
    BuildReference,
    LastDelivery,
    ParameterSource,
    Webhook,
)

__all__ = [
    "API_VERSION",
    "DEFAULT_MAX_BODY_BYTES",
    "GROUP",
    "KINDS",
    "VERSION",
    "Authentication",
    "BuildReference",
    "BuildTrigger",
    "Condition",
    "InvalidObject",
    "LastDelivery",
    "ObjectKind",
    "ObjectMeta",
    "ParameterSource",
    "Problem",
    "Raw",
    "Webhook",
    "crd",
    "crd_file_name",
    "crd_yaml",
    "read",
]
