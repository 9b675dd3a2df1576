"""The CronJob as a target: a Job from its template, whatever its schedule, as `kubectl create job --from` makes one."""

from __future__ import annotations

from typing import Any

from hookwright.builds.targets.job import JOB, render_job
from hookwright.builds.wanted import WantedBuild
from hookwright.kinds import CronJob

# What kubectl writes on such Jobs.
INSTANTIATE_ANNOTATION = "cronjob.kubernetes.io/instantiate"
DEFAULT_LIFETIME_SECONDS = 86_400


class CronJobs:
    """How CronJobs make builds."""

    api_version = CronJob.API_VERSION
    build = JOB

    def values(self, target: CronJob) -> dict[str, str]:  # noqa: ARG002 - as TargetKind has it
        """Give none: what a CronJob has to say stands in its annotations."""
        return {}

    def service_account(self, target: CronJob) -> str | None:  # noqa: ARG002 - as TargetKind has it
        """Give None: a CronJob names the account of its pods, not one that creates Jobs."""
        return None

    def render(self, wanted: WantedBuild, target: CronJob) -> dict[str, Any]:
        """Give a Job that goes when the CronJob goes.

        The CronJob is not its controller: it would count the Job in its history limits and concurrencyPolicy, and
        remove it before `keep_seconds` are over. So the Job has a lifetime of its own.
        """
        return render_job(
            wanted,
            target.spec.job_template,
            parameters=dict(wanted.parameters),
            owner={
                "apiVersion": CronJob.API_VERSION,
                "kind": CronJob.KIND,
                "name": target.metadata.name,
                "uid": target.metadata.uid,
            },
            annotations={INSTANTIATE_ANNOTATION: "manual"},
            lifetime_seconds=DEFAULT_LIFETIME_SECONDS,
        )
