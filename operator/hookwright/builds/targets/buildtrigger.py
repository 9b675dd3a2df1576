"""The BuildTrigger as a target: it makes a Job from its template."""

from __future__ import annotations

from typing import Any

from hookwright.builds.targets.job import JOB, render_job
from hookwright.builds.wanted import WantedBuild
from hookwright.kinds import API_VERSION, BuildTrigger


class BuildTriggers:
    """How BuildTriggers make builds."""

    api_version = API_VERSION
    build = JOB

    def values(self, target: BuildTrigger) -> dict[str, str]:
        """Give what its source says."""
        found: dict[str, str] = {}
        if target.spec.source.repository is not None:
            owner, _, repo = target.spec.source.repository.rpartition("/")
            found |= {"FullRepositoryId": target.spec.source.repository, "Owner": owner, "Repo": repo}
        if target.spec.source.branch is not None:
            found |= {"Branch": target.spec.source.branch, "BranchName": target.spec.source.branch}
        return found

    def service_account(self, target: BuildTrigger) -> str | None:
        """Give spec.serviceAccountName."""
        return target.spec.service_account_name

    def render(self, wanted: WantedBuild, target: BuildTrigger) -> dict[str, Any]:
        """Give a Job that the BuildTrigger owns, as a CronJob owns its Jobs."""
        parameters = {parameter.name: parameter.value for parameter in target.spec.parameters} | dict(wanted.parameters)
        return render_job(
            wanted,
            target.spec.build.job_template,
            parameters=parameters | {"HOOKWRIGHT_PROJECT_NAME": target.spec.project_name},
            # Not `blockOwnerDeletion`: that needs a right on the owner's finalizers.
            owner={
                "apiVersion": API_VERSION,
                "kind": BuildTrigger.KIND,
                "name": target.metadata.name,
                "uid": target.metadata.uid,
                "controller": True,
            },
            annotations={},
            lifetime_seconds=None,
        )
