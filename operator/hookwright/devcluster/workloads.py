"""Pods, Jobs and CronJobs: what must be right in them for the real server to take them, and the Job's defaults.

Only the essentials of k8s.io/kubernetes `pkg/apis/core/validation` and `pkg/apis/batch/validation`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo

from hookwright.devcluster.errors import Cause, duplicate, invalid_value, not_supported, required
from hookwright.devcluster.metadata import check_dns_label, check_label
from hookwright.devcluster.schedules import check_schedule
from hookwright.devcluster.shapes import BOOLEAN, COUNT, TEXT, TEXTS, items, one_of, shape
from hookwright.devcluster.values import JsonObject, find

_VARIABLE: Final = shape(name=TEXT, value=TEXT)
_CONTAINER: Final = shape(name=TEXT, image=TEXT, command=items(TEXT), args=items(TEXT), env=items(_VARIABLE))
_POD_SPEC: Final = shape(
    containers=items(_CONTAINER), initContainers=items(_CONTAINER), restartPolicy=TEXT, serviceAccountName=TEXT
)
_METADATA: Final = shape(labels=TEXTS, annotations=TEXTS)
_JOB_SPEC: Final = shape(
    "template",
    template=shape(metadata=_METADATA, spec=_POD_SPEC),
    suspend=BOOLEAN,
    parallelism=COUNT,
    completions=COUNT,
    completionMode=TEXT,
    backoffLimit=COUNT,
    ttlSecondsAfterFinished=COUNT,
    activeDeadlineSeconds=COUNT,
)
_JOB_TEMPLATE: Final = shape(metadata=_METADATA, spec=_JOB_SPEC | {"required": []})
_CRON_JOB_SPEC: Final = shape(
    "schedule",
    schedule=TEXT,
    timeZone=TEXT,
    concurrencyPolicy=one_of("Allow", "Forbid", "Replace"),
    suspend=BOOLEAN,
    startingDeadlineSeconds=COUNT,
    successfulJobsHistoryLimit=COUNT,
    failedJobsHistoryLimit=COUNT,
    jobTemplate=_JOB_TEMPLATE,
)

POD: Final = shape("spec", spec=_POD_SPEC)
JOB: Final = shape("spec", spec=_JOB_SPEC)
CRON_JOB: Final = shape("spec", spec=_CRON_JOB_SPEC)

_CRON_JOB_NAME_LENGTH: Final = 52
_CRON_JOB_DEFAULTS: Final = {
    "concurrencyPolicy": "Allow",
    "suspend": False,
    "successfulJobsHistoryLimit": 3,
    "failedJobsHistoryLimit": 1,
}
_JOB_DEFAULTS: Final = {
    "parallelism": 1,
    "completions": 1,
    "backoffLimit": 6,
    "suspend": False,
    "completionMode": "NonIndexed",
}


def prepare_pod(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    """Complete a Pod whose types are right, and yield what is wrong in it."""
    if old is None:
        new.setdefault("status", {"phase": "Pending", "qosClass": "BestEffort"})
    policy = new["spec"].setdefault("restartPolicy", "Always")
    if policy not in ("Always", "OnFailure", "Never"):
        yield not_supported("spec.restartPolicy", policy, ("Always", "OnFailure", "Never"))
    yield from _check_pod_spec(new["spec"], "spec")


def prepare_job(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    """Complete a Job whose types are right, and yield what is wrong in it."""
    if old is None:
        _set_job_defaults(new)
    yield from _check_indexes(new)
    yield from _check_template(new["spec"]["template"], "spec.template")


def prepare_cron_job(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    """Complete a CronJob whose types are right, and yield what is wrong in it."""
    spec = new["spec"] = _CRON_JOB_DEFAULTS | new["spec"]
    if len(name := new["metadata"].get("name", "")) > _CRON_JOB_NAME_LENGTH:
        yield invalid_value("metadata.name", name, f"must be no more than {_CRON_JOB_NAME_LENGTH} characters")
    if not spec["schedule"]:
        yield required("spec.schedule")
    elif why := check_schedule(spec["schedule"]):
        yield invalid_value("spec.schedule", spec["schedule"], why)
    if "timeZone" in spec:
        yield from _check_time_zone(spec["timeZone"])
    yield from _check_template(find(spec, "jobTemplate", "spec", "template") or {}, "spec.jobTemplate.spec.template")


def _check_time_zone(name: str) -> Iterator[Cause]:
    if not name:
        yield invalid_value("spec.timeZone", name, "timeZone must be nil or non-empty string")
    elif name.lower() == "local":
        why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        yield invalid_value("spec.timeZone", name, why)
    # A machine without time zones knows none of them: then all are taken.
    elif not _is_zone(name) and _is_zone("Etc/UTC"):
        yield invalid_value("spec.timeZone", name, f"unknown time zone {name}")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def _set_job_defaults(obj: JsonObject) -> None:
    """Give a new Job what the real server gives it: counts, a selector, and its template the labels to match."""
    spec = obj["spec"] = _JOB_DEFAULTS | obj["spec"]
    if not spec.get("manualSelector"):
        uid, job = obj["metadata"]["uid"], obj["metadata"].get("name", "")
        labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
        # Before 1.27 the labels had no prefix; both are written.
        for prefix in ("", "batch.kubernetes.io/"):
            labels |= {f"{prefix}controller-uid": uid, f"{prefix}job-name": job}
        spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}


def _check_indexes(job: JsonObject) -> Iterator[Cause]:
    """Check the hostname of an Indexed Job's last pod: the Job's name and the index."""
    # An update that leaves them out has the defaults, too.
    spec, name = _JOB_DEFAULTS | job["spec"], job["metadata"].get("name", "")
    mode = spec["completionMode"]
    if mode not in ("Indexed", "NonIndexed"):
        yield not_supported("spec.completionMode", mode, ("Indexed", "NonIndexed"))
    elif mode == "Indexed" and spec["completions"] > 0:
        hostname = f"{name}-{spec['completions'] - 1}"
        for _ in check_dns_label("metadata.name", hostname):
            why = f"will not able to create pod with invalid DNS label: {hostname}"
            yield invalid_value("metadata.name", name, why)


def _check_template(template: JsonObject, path: str) -> Iterator[Cause]:
    # The Job's own name is among the labels: that is why it may have no more than 63 characters.
    for key, value in (find(template, "metadata", "labels") or {}).items():
        yield from check_label(f"{path}.labels", key, value)
    spec = template.get("spec", {})
    yield from _check_pod_spec(spec, f"{path}.spec")
    policy = spec.get("restartPolicy", "Always")
    if policy == "Always":
        yield required(f"{path}.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield not_supported(f"{path}.spec.restartPolicy", policy, ("OnFailure", "Never"))


def _check_pod_spec(spec: JsonObject, path: str) -> Iterator[Cause]:
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    names: set[str] = set()
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field, ())):
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
    for index, variable in enumerate(container.get("env", ())):
        field = f"{path}.env[{index}].name"
        if not variable.get("name"):
            yield required(field)
        elif not re.fullmatch(r"[ -<>-~]+", variable["name"]):
            message = "a valid environment variable name must consist only of printable ASCII characters other than '='"
            yield invalid_value(field, variable["name"], message)
