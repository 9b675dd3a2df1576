"""Kubernetes' CronJob, as far as it can be a target: the Job in it is started, whatever its schedule.

It is no kind of ours: it has no CRD here, and its status is not ours to write.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from hookwright.kinds.base import Model, ObjectKind
from hookwright.kinds.jobtemplate import JobTemplate


class CronJobSpec(Model):
    """The one part of a CronJob's spec that is used here."""

    job_template: JobTemplate


class CronJob(ObjectKind):
    """A CronJob of batch/v1."""

    API_VERSION: ClassVar[str] = "batch/v1"
    KIND: ClassVar[str] = "CronJob"
    PLURAL: ClassVar[str] = "cronjobs"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("cj",)
    COLUMNS: ClassVar[tuple[dict[str, Any], ...]] = ()
    ARN_TYPE: ClassVar[str] = ""

    api_version: str = "batch/v1"
    spec: CronJobSpec = Field(description="What is used of its spec.")
