"""The objects of Hookwright as typed models, and the CRDs made from them.

Descriptions of fields are written for users: they are the CRD reference and what `kubectl explain` prints.
"""

from hookwright.kinds.authentication import (
    DEFAULT_TOLERANCE_SECONDS,
    MEMBERS,
    Authentication,
    AuthenticationConfiguration,
    HmacAlgorithm,
    Members,
    SecretKey,
    SignatureEncoding,
    check_members,
    given_members,
)
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
    recognise,
)
from hookwright.kinds.buildtrigger import (
    LIVE_SECRET_KEYS,
    MAX_ACTIVE,
    MAX_SOURCE_VERSION,
    PREVIOUS_SECRET_KEY,
    PREVIOUS_SECRET_KEYS,
    SECRET_KEY,
    BuildState,
    BuildTrigger,
    SecretReference,
    SecretRotation,
)
from hookwright.kinds.crds import KINDS, crd, crd_file_name, crd_yaml
from hookwright.kinds.cronjob import CronJob
from hookwright.kinds.deliveries import LONGEST_WINDOW, SHORTEST_WINDOW, BuildReference, LastDelivery
from hookwright.kinds.filter_groups import FilterGroup, WebhookFilter
from hookwright.kinds.jobtemplate import LIFETIME, MAX_TEMPLATE_BYTES, JobTemplate
from hookwright.kinds.parameter_names import CODE_NAMES, CODE_REMEDY, takes_code
from hookwright.kinds.source import BuildSource
from hookwright.kinds.tags import MAX_TAGS, Tag
from hookwright.kinds.texts import parse_duration
from hookwright.kinds.webhook import (
    CREDENTIAL_HEADERS,
    DEFAULT_MAX_BODY_BYTES,
    SECRET_NAME,
    ParameterSource,
    RateLimit,
    Webhook,
)

__all__ = [
    "API_VERSION",
    "CODE_NAMES",
    "CODE_REMEDY",
    "CREDENTIAL_HEADERS",
    "DEFAULT_MAX_BODY_BYTES",
    "DEFAULT_TOLERANCE_SECONDS",
    "GROUP",
    "KINDS",
    "LIFETIME",
    "LIVE_SECRET_KEYS",
    "LONGEST_WINDOW",
    "MAX_ACTIVE",
    "MAX_SOURCE_VERSION",
    "MAX_TAGS",
    "MAX_TEMPLATE_BYTES",
    "MEMBERS",
    "PREVIOUS_SECRET_KEY",
    "PREVIOUS_SECRET_KEYS",
    "SECRET_KEY",
    "SECRET_NAME",
    "SHORTEST_WINDOW",
    "VERSION",
    "Authentication",
    "AuthenticationConfiguration",
    "BuildReference",
    "BuildSource",
    "BuildState",
    "BuildTrigger",
    "Condition",
    "CronJob",
    "FilterGroup",
    "HmacAlgorithm",
    "InvalidObject",
    "JobTemplate",
    "LastDelivery",
    "Members",
    "ObjectKind",
    "ObjectMeta",
    "ParameterSource",
    "Problem",
    "RateLimit",
    "Raw",
    "SecretKey",
    "SecretReference",
    "SecretRotation",
    "SignatureEncoding",
    "Tag",
    "Webhook",
    "WebhookFilter",
    "check_members",
    "crd",
    "crd_file_name",
    "crd_yaml",
    "given_members",
    "parse_duration",
    "read",
    "recognise",
    "takes_code",
]
