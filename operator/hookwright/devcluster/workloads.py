"""Pods, Jobs and CronJobs: what must be right in them for the real server to take them, and the Job's defaults.

Only the essentials of k8s.io/kubernetes `pkg/apis/core/validation` and `pkg/apis/batch/validation`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hookwright.devcluster.errors import Cause, duplicate, invalid_value, not_supported, required
from hookwright.devcluster.metadata import check_dns_label, check_label_key, check_label_value
from hookwright.devcluster.values import JsonObject, find

_TEXTS: Final[JsonObject] = {"type": "object", "additionalProperties": {"type": "string"}}
_ENVIRONMENT: Final[JsonObject] = {
    "type": "array",
    "items": {"type": "object", "properties": {"name": {"type": "string"}, "value": {"type": "string"}}},
}
_ARGUMENTS: Final[JsonObject] = {"type": "array", "items": {"type": "string"}}
_CONTAINERS: Final[JsonObject] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "image": {"type": "string"},
            "command": _ARGUMENTS,
            "args": _ARGUMENTS,
            "env": _ENVIRONMENT,
        },
    },
}
_POD_SPEC: Final[JsonObject] = {
    "type": "object",
    "properties": {
        "containers": _CONTAINERS,
        "initContainers": _CONTAINERS,
        "restartPolicy": {"type": "string"},
        "serviceAccountName": {"type": "string"},
    },
}
_METADATA: Final[JsonObject] = {"type": "object", "properties": {"labels": _TEXTS, "annotations": _TEXTS}}
_TEMPLATE: Final[JsonObject] = {"type": "object", "properties": {"metadata": _METADATA, "spec": _POD_SPEC}}
_JOB_SPEC: Final[JsonObject] = {
    "type": "object",
    "required": ["template"],
    "properties": {
        "template": _TEMPLATE,
        "suspend": {"type": "boolean"},
        "parallelism": {"type": "integer", "minimum": 0},
        "completions": {"type": "integer", "minimum": 0},
        "backoffLimit": {"type": "integer", "minimum": 0},
        "ttlSecondsAfterFinished": {"type": "integer", "minimum": 0},
        "activeDeadlineSeconds": {"type": "integer", "minimum": 0},
    },
}
_JOB_TEMPLATE: Final[JsonObject] = {
    "type": "object",
    "required": ["spec"],
    "properties": {"metadata": _METADATA, "spec": _JOB_SPEC},
}

POD: Final[JsonObject] = {"type": "object", "required": ["spec"], "properties": {"spec": _POD_SPEC}}
JOB: Final[JsonObject] = {"type": "object", "required": ["spec"], "properties": {"spec": _JOB_SPEC}}
CRON_JOB: Final[JsonObject] = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["jobTemplate", "schedule"],
            "properties": {"jobTemplate": _JOB_TEMPLATE, "schedule": {"type": "string", "minLength": 1}},
        }
    },
}

_POLICIES: Final = ("Always", "OnFailure", "Never")
_JOB_POLICIES: Final = ("OnFailure", "Never")


def check_pod(obj: JsonObject) -> Iterator[Cause]:
    """Yield what is wrong in a Pod whose types are right."""
    obj["spec"].setdefault("restartPolicy", "Always")
    yield from _check_pod_spec(obj["spec"], "spec")
    yield from _check_policy(obj["spec"], "spec", _POLICIES)


def check_job(obj: JsonObject) -> Iterator[Cause]:
    """Yield what is wrong in a Job whose types are right."""
    yield from _check_template(obj["spec"]["template"], "spec.template")


def check_cron_job(obj: JsonObject) -> Iterator[Cause]:
    """Yield what is wrong in a CronJob whose types are right."""
    yield from _check_template(obj["spec"]["jobTemplate"]["spec"]["template"], "spec.jobTemplate.spec.template")


def set_job_defaults(obj: JsonObject) -> None:
    """Give a new Job what the real server gives it: counts, a selector, and its template the labels to match."""
    spec = obj["spec"]
    defaults = {"parallelism": 1, "completions": 1, "backoffLimit": 6, "suspend": False, "completionMode": "NonIndexed"}
    for name, value in defaults.items():
        spec.setdefault(name, value)
    uid, job = obj["metadata"]["uid"], obj["metadata"].get("name", "")
    if not spec.get("manualSelector"):
        # Before 1.27 the labels had no prefix; both are written.
        metadata = spec["template"].setdefault("metadata", {})
        labels = metadata["labels"] = metadata.get("labels") or {}
        for prefix in ("", "batch.kubernetes.io/"):
            labels |= {f"{prefix}controller-uid": uid, f"{prefix}job-name": job}
        spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}


def _check_template(template: JsonObject, path: str) -> Iterator[Cause]:
    spec = template.get("spec", {})
    for key, value in (find(template, "metadata", "labels") or {}).items():
        # The Job's own name is among the values: that is why it may have no more than 63 characters.
        yield from check_label_key(f"{path}.labels", key)
        yield from check_label_value(f"{path}.labels", value)
    yield from _check_pod_spec(spec, f"{path}.spec")
    if spec.get("restartPolicy", "Always") == "Always":
        yield required(f"{path}.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
    else:
        yield from _check_policy(spec, f"{path}.spec", _JOB_POLICIES)


def _check_policy(spec: JsonObject, path: str, policies: tuple[str, ...]) -> Iterator[Cause]:
    if spec["restartPolicy"] not in policies:
        yield not_supported(f"{path}.restartPolicy", spec["restartPolicy"], policies)


def _check_pod_spec(spec: JsonObject, path: str) -> Iterator[Cause]:
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    names: set[str] = set()
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield from _check_container(container, f"{path}.{field}[{index}]", names)


def _check_container(container: JsonObject, path: str, names: set[str]) -> Iterator[Cause]:
    name = container.get("name", "")
    if not name:
        yield required(f"{path}.name")
    elif name in names:
        yield duplicate(f"{path}.name", name)
    else:
        yield from check_dns_label(f"{path}.name", name)
    names.add(name)
    if not container.get("image"):
        yield required(f"{path}.image")
    elif container["image"] != container["image"].strip():
        yield invalid_value(f"{path}.image", container["image"], "must not have leading or trailing whitespace")
    for index, variable in enumerate(container.get("env") or ()):
        field = f"{path}.env[{index}].name"
        if not variable.get("name"):
            yield required(field)
        elif not re.fullmatch(r"[ -<>-~]+", variable["name"]):
            message = "a valid environment variable name must consist only of printable ASCII characters other than '='"
            yield invalid_value(field, variable["name"], message)
