"""The BuildTrigger as a target: it makes a Job from its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hookwright.builds.names import identify, name_wanted
from hookwright.builds.wanted import WantedBuild, clean_value, format_time
from hookwright.kinds import API_VERSION, BuildTrigger

DELIVERY_ANNOTATION = "hookwright.dev/delivery"
OWNER_ANNOTATION = "hookwright.dev/started-by"
ACCEPTED_ANNOTATION = "hookwright.dev/accepted-at"
BUILD_API_VERSION = "batch/v1"
BUILD_KIND = "Job"


def values(target: BuildTrigger) -> dict[str, str]:
    """Give the values for `{Key}` placeholders that the target's source configuration holds."""
    found: dict[str, str] = {}
    if target.spec.source.repository is not None:
        owner, _, repo = target.spec.source.repository.rpartition("/")
        found |= {"FullRepositoryId": target.spec.source.repository, "Owner": owner, "Repo": repo}
    if target.spec.source.branch is not None:
        found |= {"Branch": target.spec.source.branch, "BranchName": target.spec.source.branch}
    return found


def render(wanted: WantedBuild, target: BuildTrigger) -> dict[str, Any]:
    """Give the Job for `wanted`, as a JSON object for the API server."""
    template = target.spec.build.job_template
    name = name_wanted(wanted)
    parameters = {parameter.name: parameter.value for parameter in target.spec.parameters} | dict(wanted.parameters)
    parameters |= {
        "HOOKWRIGHT_BUILD_ID": name,
        "HOOKWRIGHT_DELIVERY_ID": wanted.delivery_id,
        "HOOKWRIGHT_PROJECT_NAME": target.spec.project_name,
    }
    return {
        "apiVersion": BUILD_API_VERSION,
        "kind": BUILD_KIND,
        "metadata": {
            "name": name,
            "namespace": wanted.namespace,
            "labels": template.metadata.labels | {"app.kubernetes.io/managed-by": "hookwright"},
            "annotations": template.metadata.annotations
            | {
                DELIVERY_ANNOTATION: identify(wanted),
                OWNER_ANNOTATION: f"{wanted.owner_kind}/{wanted.owner_name}",
                ACCEPTED_ANNOTATION: format_time(wanted.accepted_at),
            },
            # As a CronJob owns its Jobs. Not `blockOwnerDeletion`: that needs a right on the owner's finalizers.
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": BuildTrigger.KIND,
                    "name": target.metadata.name,
                    "uid": target.metadata.uid,
                    "controller": True,
                }
            ],
        },
        "spec": _with_environment(template.spec, parameters),
    }


def _with_environment(spec: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """Give every container of a JobSpec the parameters; what has no pod template is for the API server to refuse."""
    template = spec.get("template")
    pod = template.get("spec") if isinstance(template, Mapping) else None
    if not isinstance(template, Mapping) or not isinstance(pod, Mapping):
        return dict(spec)
    containers = {
        field: [_add_environment(container, parameters) for container in pod[field]]
        for field in ("initContainers", "containers")
        if isinstance(pod.get(field), Sequence) and not isinstance(pod.get(field), str)
    }
    return {**spec, "template": {**template, "spec": {**pod, **containers}}}


def _add_environment(container: Any, parameters: Mapping[str, str]) -> Any:  # Any: a template is the user's
    """Put the parameters before a container's own variables, which may so refer to them as `$(NAME)`."""
    if not isinstance(container, Mapping) or not isinstance(container.get("env"), list | None):
        return container
    given = [{"name": name, "value": _escape(value)} for name, value in parameters.items()]
    own = container.get("env") or []
    names = list(parameters)  # in which anything can be looked for, also what cannot be a key
    kept = [v for v in own if not (isinstance(v, Mapping) and v.get("name") in names)]
    return {**container, "env": given + kept}


def _escape(value: str) -> str:
    """Keep a payload's `$(NAME)` from being replaced by Kubernetes with the value of another variable.

    Source: Kubernetes, "Define Dependent Environment Variables": `$$` stands for one `$`.
    """
    return clean_value(value).replace("$", "$$")
