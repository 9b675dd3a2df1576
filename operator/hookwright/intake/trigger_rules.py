"""What is demanded of a BuildTrigger beyond its schema, with CodeBuild's error codes.

The CRD says it too, by CEL rules; here it is said for objects that came in another way, and with the value that was
found. Each check raises InvalidSpec: field, value, limit and remedy.
"""

from __future__ import annotations

from datetime import timedelta

from hookwright.cluster.claims import Standing
from hookwright.errors import InvalidSpec
from hookwright.intake.rules import check_window, find_bad_tag
from hookwright.kinds import LIFETIME, MAX_TAGS, BuildTrigger, parse_duration
from hookwright.scm import Provider

INVALID_INPUT = "InvalidInputException"
ALREADY_EXISTS = "ResourceAlreadyExistsException"
RESERVED_PREFIX = "HOOKWRIGHT_"
SHORTEST_ROTATION = timedelta(hours=24)
# The floor for how long a finished Job is kept, in seconds.
SHORTEST_LIFETIME = 3600
LIFETIME_FIELD = f"spec.build.jobTemplate.spec.{LIFETIME}"


def check_trigger_rules(trigger: BuildTrigger) -> None:
    """Check all that the object says by itself, but for its filters."""
    check_source(trigger)
    check_provider(trigger)
    check_parameters(trigger)
    check_trigger_tags(trigger)
    check_window(trigger.spec.duplicate_window, code=INVALID_INPUT)
    check_rotation(trigger)


def check_trigger_standing(trigger: BuildTrigger, standing: Standing) -> None:
    """One BuildTrigger per project and namespace, as a project has one webhook at CodeBuild."""
    if standing.name_holder is not None:
        message = (
            f"spec.projectName: {trigger.spec.project_name}: BuildTrigger {standing.name_holder} is older and has this "
            "project; change one of the two names, or delete one"
        )
        raise InvalidSpec(message, code=ALREADY_EXISTS, field="spec.projectName")


def check_source(trigger: BuildTrigger) -> None:
    """One repository, organisation or group, of the kind that the provider has."""
    source = trigger.spec.source
    named = {"repository": source.repository, "organization": source.organization, "group": source.group}
    given = [name for name, value in named.items() if value is not None]
    if len(given) > 1:
        raise _refuse("spec.source", f"{' and '.join(given)} are given; keep one of them")
    if source.provider is None:
        if given and given != ["repository"]:
            raise _refuse("spec.source.provider", f"an {given[0]} is one of a provider's; say which")
        return
    if not given:
        raise _refuse("spec.source", f"{source.provider} needs one of repository, organization and group")
    if given == ["group"] and source.provider is not Provider.GITLAB:
        raise _refuse("spec.source.group", f"{source.group}: only GitLab has groups; write organization")
    if given == ["organization"] and source.provider is Provider.GITLAB:
        raise _refuse("spec.source.organization", f"{source.organization}: GitLab has groups; write group")
    if source.provider is not Provider.GITLAB:
        _check_depth(source.repository, source.organization)


def _check_depth(repository: str | None, organization: str | None) -> None:
    """Nothing would ever be covered: a delivery names the repository in full, and its owner has no slash."""
    if repository is not None and repository.count("/") != 1:
        raise _refuse(
            "spec.source.repository", f"{repository}: OWNER/NAME, with one slash; on GitLab alone there may be more"
        )
    if organization is not None and "/" in organization:
        raise _refuse("spec.source.organization", f"{organization}: its name without a slash")


def check_provider(trigger: BuildTrigger) -> None:
    """What is about deliveries needs who sends them."""
    spec = trigger.spec
    about = {
        "branchFilter": spec.branch_filter,
        "filterGroups": spec.filter_groups,
        "secretRotation": spec.secret_rotation,
    }
    given = [name for name, value in about.items() if value is not None]
    if given and spec.source.provider is None:
        message = f"{' and '.join(given)} are about what a provider sends; say which one, or remove them"
        raise _refuse("spec.source.provider", message)


def check_parameters(trigger: BuildTrigger) -> None:
    """Names are the user's own, and each is there once."""
    names: set[str] = set()
    for index, parameter in enumerate(trigger.spec.parameters):
        field = f"spec.parameters[{index}].name"
        if parameter.name.startswith(RESERVED_PREFIX):
            message = f"{parameter.name}: names with {RESERVED_PREFIX} are Hookwright's own; choose another"
            raise _refuse(field, message)
        if parameter.name in names:
            raise _refuse(field, f"{parameter.name} is there twice; remove one")
        names.add(parameter.name)


def check_trigger_tags(trigger: BuildTrigger) -> None:
    """AWS's rules for tags."""
    tags = trigger.spec.tags
    if len(tags) > MAX_TAGS:
        raise _refuse("spec.tags", f"{len(tags)} tags; at most {MAX_TAGS}: remove some")
    bad = find_bad_tag(tags)
    if bad is not None:
        index, wrong = bad
        raise _refuse(f"spec.tags[{index}]", f"{tags[index].key}: {wrong}")


def check_rotation(trigger: BuildTrigger) -> None:
    """An old secret must end, and a new one must have been brought to the provider, before the next one comes."""
    rotation = trigger.spec.secret_rotation
    if rotation is None:
        return
    every = parse_duration(rotation.every)
    if every < SHORTEST_ROTATION:
        raise _refuse("spec.secretRotation.every", f"{rotation.every}: at least 24h")
    if parse_duration(rotation.overlap) > every:
        message = f"{rotation.overlap}: at most every, which is {rotation.every}; else old secrets become ever more"
        raise _refuse("spec.secretRotation.overlap", message)


def check_lifetime(trigger: BuildTrigger) -> None:
    """A build must not go before its delivery may have come again."""
    lifetime = trigger.spec.build.job_template.lifetime
    if isinstance(lifetime, int) and lifetime < SHORTEST_LIFETIME:
        why = "or leave it out: a delivery that comes again is recognised by its Job"
        raise _refuse(LIFETIME_FIELD, f"{lifetime}: at least {SHORTEST_LIFETIME}, {why}")


def _refuse(field: str, message: str) -> InvalidSpec:
    return InvalidSpec(f"{field}: {message}", code=INVALID_INPUT, field=field)
