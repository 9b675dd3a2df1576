"""The targets: what can make builds. One module per kind, and the registry of them.

To add one: its typed object in `kinds`, a module here with a class that has `TargetKind`'s face, a line in
`TARGET_KINDS`, its name in `kinds.webhook.TargetPipeline`, and who watches it in `app`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hookwright.builds.targets.buildtrigger import BuildTriggers
from hookwright.builds.targets.cronjob import CronJobs
from hookwright.builds.targets.kind import BuildKind, TargetKind
from hookwright.builds.wanted import TargetRef, WantedBuild
from hookwright.kinds import SECRET_NAME, BuildTrigger, CronJob, ObjectKind

__all__ = [
    "DEFAULT_SERVICE_ACCOUNT",
    "DEFAULT_SOURCE_ACTION",
    "SOURCE_ACTION_ANNOTATION",
    "TARGET_KINDS",
    "BuildKind",
    "TargetKind",
    "find_api_version",
    "find_build_kind",
    "find_service_account",
    "find_source_action",
    "find_values",
    "is_secret_name",
    "render",
]

# `Any`: each kind takes its own typed object, and is only ever given that.
TARGET_KINDS: Mapping[str, TargetKind[Any]] = {
    BuildTrigger.KIND: BuildTriggers(),
    CronJob.KIND: CronJobs(),
}
DEFAULT_SOURCE_ACTION = "Source"
SOURCE_ACTION_ANNOTATION = "hookwright.dev/source-action"
# Placeholders' values on targets of any kind: config.hookwright.dev/Branch: main
VALUE_ANNOTATION = "config.hookwright.dev/"
DEFAULT_SERVICE_ACCOUNT = "default"
_SECRET_NAME = re.compile(SECRET_NAME)


def find_build_kind(target: TargetRef) -> BuildKind:
    """Give what a target makes, whether it exists or not."""
    return TARGET_KINDS[target.kind].build


def find_api_version(kind: str) -> str:
    """Give the API version that targets of `kind` have."""
    return TARGET_KINDS[kind].api_version


def find_values(target: ObjectKind) -> dict[str, str]:
    """Give the values for `{Key}` placeholders that `target` has; an annotation goes before what it has by nature."""
    written = {
        name.removeprefix(VALUE_ANNOTATION): value
        for name, value in target.metadata.annotations.items()
        if name.startswith(VALUE_ANNOTATION)
    }
    return _kind(target).values(target) | {name: value for name, value in written.items() if not is_secret_name(name)}


def is_secret_name(key: str) -> bool:
    """Say whether a key is named like a secret, whose value no filter may be told (AWS shows it as ****)."""
    return _SECRET_NAME.search(key) is not None


def find_source_action(target: ObjectKind) -> str:
    """Give the name of the one source action of `target`."""
    return target.metadata.annotations.get(SOURCE_ACTION_ANNOTATION, DEFAULT_SOURCE_ACTION)


def find_service_account(wanted: WantedBuild, target: ObjectKind) -> str:
    """Give the ServiceAccount as which the build is created."""
    return wanted.service_account or _kind(target).service_account(target) or DEFAULT_SERVICE_ACCOUNT


def render(wanted: WantedBuild, target: ObjectKind) -> dict[str, Any]:
    """Give the build for `wanted`, as a JSON object for the API server."""
    return _kind(target).render(wanted, target)


def _kind(target: ObjectKind) -> TargetKind[Any]:
    return TARGET_KINDS[target.KIND]
