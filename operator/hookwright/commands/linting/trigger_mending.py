"""All problems of a BuildTrigger: what the operator's check refuses is put right, and it is asked again. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from hookwright.builds.trigger_filters import find_filter_source, list_filter_groups
from hookwright.cluster.claims import Standing
from hookwright.commands.linting.filter_groups import MOST_PROBLEMS, find_filter_problems
from hookwright.errors import InvalidSpec
from hookwright.intake.trigger_route import compile_trigger
from hookwright.intake.trigger_rules import LIFETIME_FIELD
from hookwright.kinds import LIFETIME, MAX_TAGS, BuildTrigger, JobTemplate
from hookwright.kinds.buildtrigger import Build, BuildParameter, BuildTriggerSpec, ProjectTag
from hookwright.scm import Provider

_FILTERS = ("spec.branchFilter", "spec.filterGroups")
_INDEXED = re.compile(r"spec\.(parameters|tags)\[(\d+)\]")
_DEFAULT_WINDOW = "1h"
_ANYTHING = "mended/mended"


def find_trigger_problems(trigger: BuildTrigger, standing: Standing) -> tuple[list[InvalidSpec], BuildTrigger]:
    """Give everything that `compile_trigger` refuses, and a copy of the BuildTrigger without it.

    What it refuses first is put right, and it is asked again, until it has nothing more to say.
    """
    problems: list[InvalidSpec] = []
    while len(problems) < MOST_PROBLEMS:
        problem = compile_trigger(trigger, standing).problem
        if problem is None:
            break
        if problem.field == "spec.projectName":
            problems.append(problem)
            standing = replace(standing, name_holder=None)
            continue
        source = find_filter_source(trigger.spec.source)
        changes: dict[str, object] = {}
        if problem.field.startswith(_FILTERS) and source is not None:
            problems += find_filter_problems(trigger.spec.branch_filter, list_filter_groups(trigger), source)[0]
            changes = {"branch_filter": None, "filter_groups": None}
        else:
            problems.append(problem)
            changes = _mend(trigger.spec, problem.field)
        if not changes:
            break
        trigger = trigger.model_copy(update={"spec": trigger.spec.model_copy(update=changes)})
    return problems, trigger


def _mend(spec: BuildTriggerSpec, field: str) -> dict[str, object]:
    """Give changes after which nothing is wrong with `field` any more; none for one that is not known here."""
    if (indexed := _INDEXED.match(field)) is not None:
        name, index = indexed[1], int(indexed[2])
        # Places in lists stay as they are, so that later problems are said of the right one.
        whole: list[object] = list(getattr(spec, name))
        parameter = BuildParameter(name=f"mended__{index}", value="")
        whole[index] = parameter if name == "parameters" else ProjectTag(key=f"mended/{index}", value="")
        return {name: whole}
    if field.startswith("spec.source"):
        return _mend_source(spec, field)
    if field.startswith("spec.secretRotation"):
        return {"secret_rotation": None}
    if field == LIFETIME_FIELD:
        template = spec.build.job_template
        kept = {name: value for name, value in template.spec.items() if name != LIFETIME}
        return {"build": Build(job_template=JobTemplate.model_validate({"metadata": template.metadata, "spec": kept}))}
    if field == "spec.tags":
        return {"tags": spec.tags[:MAX_TAGS]}
    return {"duplicate_window": _DEFAULT_WINDOW} if field == "spec.duplicateWindow" else {}


def _mend_source(spec: BuildTriggerSpec, field: str) -> dict[str, object]:
    source = spec.source
    if field == "spec.source.provider":
        # Without one nothing can be said of what is about deliveries.
        kept = source.model_copy(update={"organization": None, "group": None})
        return {"source": kept, "branch_filter": None, "filter_groups": None, "secret_rotation": None}
    owner = source.organization or source.group
    alone: dict[str, object] = {"repository": None, "organization": None, "group": None}
    if field == "spec.source.repository":
        alone["repository"] = _ANYTHING
    elif source.repository is not None or owner is None:
        alone["repository"] = source.repository or _ANYTHING
    elif source.provider is Provider.GITLAB:
        alone["group"] = owner
    else:
        alone["organization"] = owner.replace("/", "-")
    return {"source": source.model_copy(update=alone)}
