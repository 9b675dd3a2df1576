"""A route is a checked BuildTrigger: what is wrong with a spec is said once, with CodeBuild's code and the field."""

from __future__ import annotations

import re

import pytest

from hookwright.cluster.claims import Standing
from hookwright.intake.schemes.providers import PROVIDER_SCHEMES
from hookwright.intake.trigger_route import compile_trigger, find_trigger_secret_refs
from hookwright.kinds import LIVE_SECRET_KEYS, BuildTrigger, crd
from hookwright.scm import Provider
from support.cel import broken
from support.objects import JOB_SPEC, TRIGGER_UID, make_buildtrigger, make_invalid, raw_buildtrigger

INVALID = "InvalidInputException"
GITHUB = {"provider": "GitHub", "repository": "octo/hello"}
EVENT = {"type": "EVENT", "pattern": "PUSH"}
REFUSED = {
    "two sources": ({"source": GITHUB | {"organization": "octo"}}, "spec.source", ["repository and organization"]),
    "no source": ({"source": {"provider": "GitHub"}}, "spec.source", ["GitHub needs one of"]),
    "an organization of nobody": ({"source": {"organization": "octo"}}, "spec.source.provider", ["an organization"]),
    "a group at GitHub": ({"source": {"provider": "GitHub", "group": "g"}}, "spec.source.group", ["write organ"]),
    "an organization at GitLab": (
        {"source": {"provider": "GitLab", "organization": "g"}},
        "spec.source.organization",
        ["write group"],
    ),
    "filters without a provider": (
        {"filterGroups": [[EVENT]], "branchFilter": "x"},
        "spec.source.provider",
        ["branchFilter and filterGroups"],
    ),
    "rotation without a provider": ({"secretRotation": {"every": "24h"}}, "spec.source.provider", ["secretRotation"]),
    "a filter that cannot be": (
        {"source": GITHUB, "filterGroups": [[EVENT], [EVENT, {"type": "HEAD_REF", "pattern": "("}]]},
        "spec.filterGroups[1][1].pattern",
        ["at character"],
    ),
    "a group without EVENT": (
        {"source": GITHUB, "filterGroups": [[{"type": "HEAD_REF", "pattern": "x"}]]},
        "spec.filterGroups[0]",
        ["EVENT"],
    ),
    "an event that nobody sends": (
        {
            "source": {"provider": "BitbucketCloud", "repository": "octo/hello"},
            "filterGroups": [[{"type": "EVENT", "pattern": "RELEASED"}]],
        },
        "spec.filterGroups[0][0].pattern",
        ["RELEASED is not read from BitbucketCloud"],
    ),
    "an event that is none": (
        {"source": GITHUB, "filterGroups": [[{"type": "EVENT", "pattern": "PUSHED"}]]},
        "spec.filterGroups[0][0].pattern",
        ["PUSHED is no event", "write PUSH"],
    ),
    "a base ref of a push": (
        {"source": GITHUB, "filterGroups": [[EVENT, {"type": "BASE_REF", "pattern": "x"}]]},
        "spec.filterGroups[0][1].type",
        ["no base ref"],
    ),
    "a repository's name of one repository": (
        {"source": GITHUB, "filterGroups": [[EVENT, {"type": "REPOSITORY_NAME", "pattern": "x"}]]},
        "spec.filterGroups[0][1].type",
        ["organisation or a group"],
    ),
    "a repository with its host": (
        {"source": {"provider": "GitHubEnterprise", "repository": "ghe.example/octo/hello"}},
        "spec.source.repository",
        ["ghe.example/octo/hello", "one slash"],
    ),
    "a repository as an organization": (
        {"source": {"provider": "BitbucketCloud", "organization": "octo/hello"}},
        "spec.source.organization",
        ["octo/hello", "without a slash"],
    ),
    "two ways to filter": (
        {"source": GITHUB, "filterGroups": [[EVENT]], "branchFilter": "main"},
        "spec.branchFilter",
        ["keep one of the two"],
    ),
    "a reserved parameter": (
        {"parameters": [{"name": "HOOKWRIGHT_X", "value": ""}]},
        "spec.parameters[0].name",
        ["HOOKWRIGHT_X"],
    ),
    "a parameter twice": (
        {"parameters": [{"name": "A", "value": ""}, {"name": "A", "value": ""}]},
        "spec.parameters[1].name",
        ["A is there twice"],
    ),
    "a tag of AWS's": ({"tags": [{"key": "AWS:x", "value": ""}]}, "spec.tags[0]", ["reserved"]),
    "a character that no tag may have": (
        {"tags": [{"key": "a", "value": ""}, {"key": "b", "value": "#"}]},
        "spec.tags[1]",
        ["b: letters"],
    ),
    "a tag twice": ({"tags": [{"key": "x", "value": ""}] * 2}, "spec.tags[1]", ["there twice"]),
    "too many tags": ({"tags": [{"key": str(n), "value": ""} for n in range(51)]}, "spec.tags", ["51 tags"]),
    "a short window": ({"duplicateWindow": "59m"}, "spec.duplicateWindow", ["59m", "at least 1h"]),
    "a Job that goes too soon": (
        {"build": {"jobTemplate": {"spec": {**JOB_SPEC, "ttlSecondsAfterFinished": 60}}}},
        "spec.build.jobTemplate.spec.ttlSecondsAfterFinished",
        ["60", "at least 3600"],
    ),
    "secrets for a day at most": (
        {"source": GITHUB, "secretRotation": {"every": "23h"}},
        "spec.secretRotation.every",
        ["at least 24h"],
    ),
    "secrets that never end": (
        {"source": GITHUB, "secretRotation": {"every": "48h", "overlap": "49h"}},
        "spec.secretRotation.overlap",
        ["at most every"],
    ),
}


@pytest.mark.parametrize(("spec", "field", "told"), REFUSED.values(), ids=REFUSED)
def test_spec_is_refused(spec, field, told):
    """What a BuildTrigger may not say is InvalidInputException, with the field, the value and what to do."""
    problem = compile_trigger(make_buildtrigger(**spec)).problem
    assert (problem.code, problem.field) == (INVALID, field)
    assert problem.message.startswith(field)
    assert all(text in problem.message for text in told), problem.message


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"source": {}},
        {"source": GITHUB},
        {"source": GITHUB, "branchFilter": "", "filterGroups": []},
        {"source": GITHUB, "branchFilter": "^main$"},
        {"source": {"repository": "a/b/c"}},
        {"source": {"provider": "GitLab", "repository": "a/b/c"}},
        {"source": {"provider": "GitLab", "group": "a/b"}},
        {"source": {"provider": "BitbucketDataCenter", "repository": "~ada/hello"}},
        {"source": {"provider": "Gitea", "organization": "a"}, "secretRotation": {"every": "24h"}},
    ],
)
def test_spec_is_taken(spec):
    """What the schema takes and makes sense is no problem."""
    assert compile_trigger(make_buildtrigger(**spec)).problem is None


def test_older_sibling_has_the_project():
    """Of two BuildTriggers of one project the younger is ResourceAlreadyExistsException, and takes no deliveries."""
    problem = compile_trigger(make_buildtrigger(source=GITHUB), Standing(name_holder="other")).problem
    assert (problem.code, problem.field) == ("ResourceAlreadyExistsException", "spec.projectName")
    assert "other" in problem.message


def test_object_of_another_shape_has_a_route():
    """What cannot be read has a URL all the same, which says that the spec is invalid."""
    route = compile_trigger(make_invalid(BuildTrigger, raw_buildtrigger(projectName="", filterGroups="all")))
    assert (route.uid, route.problem.code, route.provider) == (TRIGGER_UID, INVALID, None)


def test_misspelt_field_is_told_first():
    """A field that is misspelt is missing too; the misspelling is what its author wants to hear of."""
    invalid = make_invalid(BuildTrigger, raw_buildtrigger(projectName=""))
    assert compile_trigger(invalid).problem.field == "spec.projectName"


@pytest.mark.parametrize("provider", Provider)
def test_provider_decides_scheme_dialect_and_secrets(provider):
    """Each Git host has its way of proving; the secrets are those of the BuildTrigger's own Secret, newest first."""
    trigger = make_buildtrigger(source={"provider": str(provider), "repository": "octo/hello"})
    route = compile_trigger(trigger)
    assert route.scheme is PROVIDER_SCHEMES[provider]
    assert [(ref.name, ref.key) for ref in route.secret_refs] == [("hello-hookwright", key) for key in LIVE_SECRET_KEYS]
    assert (route.target.kind, route.target.name) == ("BuildTrigger", "hello")


def test_without_a_provider_there_is_no_secret():
    """A BuildTrigger that only Webhooks start has nothing to verify."""
    assert find_trigger_secret_refs(make_buildtrigger()) == ()


# ── the CRD's rules ───────────────────────────────────────────────────────────────────────────────────────────────────

SPEC = crd(BuildTrigger)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
# Patterns, and what has any form.
BEYOND_RULES = ("spec.filterGroups[", "spec.branchFilter", "spec.build.jobTemplate.spec.")
# A map's keys are unique in Kubernetes.
KEYS = ("there twice",)


def refused_at_apply(spec):
    """Give the messages of the CRD's rules that do not hold for a spec, those of its members too."""
    properties = SPEC["properties"]
    found = broken(SPEC, spec)
    for name in ("source", "secretRotation"):
        if name in spec:
            defaults = {key: one["default"] for key, one in properties[name]["properties"].items() if "default" in one}
            found += broken(properties[name], defaults | spec[name])
    for name in ("tags", "parameters"):
        for one in spec.get(name, ()):
            found += broken(properties[name]["items"], one)
    return found


def list_rules(schema):
    """Give the messages of all rules in a schema."""
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    own = [rule["message"] for rule in schema.get("x-kubernetes-validations", ())]
    return own + [message for each in inner for message in list_rules(each)]


@pytest.mark.parametrize(("spec", "field", "told"), REFUSED.values(), ids=REFUSED)
def test_rules_of_the_crd_refuse_the_same(spec, field, told):
    """What the operator refuses the API server refuses at apply, about the same field, where a rule can say it."""
    found = refused_at_apply(raw_buildtrigger(**spec)["spec"])
    if not found:
        assert field.startswith(BEYOND_RULES) or any(text in " ".join(told) for text in KEYS)
        return
    outer = re.sub(r"\[.*", "", field)
    assert any(message.startswith(f"{INVALID}: {outer}") for message in found), found


def test_operator_repeats_every_rule():
    """Each rule of the CRD is broken by one of the specs above, which the operator refuses too."""
    specs = [raw_buildtrigger(**spec)["spec"] for spec, _, _ in REFUSED.values()]
    assert set(list_rules(SPEC)) == {message for spec in specs for message in refused_at_apply(spec)}
