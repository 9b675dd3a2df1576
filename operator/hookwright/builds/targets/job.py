"""A Job from a template: what BuildTriggers and CronJobs both make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hookwright.builds.names import identify, name_wanted
from hookwright.builds.targets.kind import BuildKind
from hookwright.builds.wanted import WantedBuild, clean_value, format_time
from hookwright.cluster.resources import JOBS
from hookwright.kinds import LIFETIME, MAX_SOURCE_VERSION, JobTemplate

# By this one builds are followed. The common label beside it is for people and their tools, who may well change it.
BUILD_LABEL = "hookwright.dev/build"
MANAGED_LABEL = "app.kubernetes.io/managed-by"
LABELS: Mapping[str, str] = {MANAGED_LABEL: "hookwright", BUILD_LABEL: "true"}
DELIVERY_ANNOTATION = "hookwright.dev/delivery"
OWNER_ANNOTATION = "hookwright.dev/started-by"
ACCEPTED_ANNOTATION = "hookwright.dev/accepted-at"
# Before this time a delivery that comes again is recognised by the Job: no history limit removes it.
KEPT_ANNOTATION = "hookwright.dev/kept-until"
SOURCE_VERSION_ANNOTATION = "hookwright.dev/source-version"
SOURCE_VERSION = "HOOKWRIGHT_SOURCE_VERSION"
JOB = BuildKind(api_version="batch/v1", kind="Job", resource=JOBS)


def render_job(
    wanted: WantedBuild,
    template: JobTemplate,
    *,
    parameters: Mapping[str, str],
    owner: Mapping[str, Any],
    annotations: Mapping[str, str],
    lifetime_seconds: int | None,
) -> dict[str, Any]:
    """Give the Job for `wanted`, as a JSON object for the API server.

    `lifetime_seconds` is for how long it stays once it has finished where the template does not say; None: for ever. It
    never stays shorter than `wanted.keep_seconds`: a delivery that comes again is recognised by its Job.
    """
    spec = template.spec
    lifetime = spec.get(LIFETIME, lifetime_seconds)
    if isinstance(lifetime, int):
        spec[LIFETIME] = max(lifetime, wanted.keep_seconds)
    name = name_wanted(wanted)
    own = {"HOOKWRIGHT_BUILD_ID": name, "HOOKWRIGHT_DELIVERY_ID": wanted.delivery_id}
    return {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "metadata": {
            "name": name,
            "namespace": wanted.namespace,
            "labels": template.metadata.labels | dict(LABELS),
            "annotations": template.metadata.annotations
            | {
                **annotations,
                DELIVERY_ANNOTATION: identify(wanted),
                OWNER_ANNOTATION: f"{wanted.owner_kind}/{wanted.owner_name}",
                ACCEPTED_ANNOTATION: format_time(wanted.accepted_at),
                KEPT_ANNOTATION: format_time(wanted.accepted_at + timedelta(seconds=wanted.keep_seconds)),
                **_name_source(parameters),
            },
            "ownerReferences": [dict(owner)],
        },
        "spec": _with_environment(spec, {**parameters, **own}),
    }


def _name_source(parameters: Mapping[str, str]) -> dict[str, str]:
    """Give the annotation that says what is built, where that is known."""
    version = clean_value(parameters.get(SOURCE_VERSION, ""))[:MAX_SOURCE_VERSION]
    return {SOURCE_VERSION_ANNOTATION: version} if version else {}


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
