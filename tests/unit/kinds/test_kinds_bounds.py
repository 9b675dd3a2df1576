"""The bounds of the kinds are AWS's: each is taken at its edge and refused beyond it, with a message that names it."""

from __future__ import annotations

import pytest

from hookwright.kinds import BuildTrigger, InvalidObject, Webhook, read
from support.objects import JOB_SPEC, make_buildtrigger, make_webhook, raw_buildtrigger, raw_webhook

REF = {"secretTokenRef": {"name": "s"}}
RULE = {"jsonPath": "$.ref"}
PUSH = {"type": "EVENT", "pattern": "PUSH"}
WEBHOOK_TAKES = [
    {"name": "N" * 100},
    {"name": "A.b@C-d_9"},
    {"targetPipeline": {"name": "n" * 100}},
    {"targetAction": "a" * 100},
    {"filters": []},
    {"filters": [RULE] * 5},
    {"filters": [{"jsonPath": "$" * 150, "matchEquals": "ü" * 150}]},
    {"filters": [{"jsonPath": "$", "matchEquals": "x"}]},
    {"authenticationConfiguration": {}},
    {"authenticationConfiguration": {"secretToken": "s" * 100}},
    {"parameters": [{"name": f"P{n}", "value": ""} for n in range(50)]},
    {"parameters": [{"name": "_a.b-c" + "n" * 122, "value": "v" * 4096}]},
    {"actionConfiguration": {"K" * 50: "v" * 1000}},
    {"actionConfiguration": {f"K{n}": "" for n in range(50)}},
    {"maxBodyBytes": 1},
    {"maxBodyBytes": 25 * 1024 * 1024},
    {"serviceAccountName": "s" * 253},
]
WEBHOOK_REFUSES = [
    ("spec.name", {"name": ""}),
    ("spec.name", {"name": "n" * 101}),
    ("spec.name", {"name": "a b"}),
    ("spec.name", {"name": "a/b"}),
    ("spec.name", {"name": "ends\n"}),
    ("spec.targetPipeline.name", {"targetPipeline": {"name": "n" * 101}}),
    ("spec.targetPipeline.name", {"targetPipeline": {}}),
    ("spec.targetPipeline.kind", {"targetPipeline": {"name": "n", "kind": "Pipeline"}}),
    ("spec.targetPipeline.apiVersion", {"targetPipeline": {"name": "n", "apiVersion": "v1"}}),
    ("spec.targetAction", {"targetAction": "a" * 101}),
    ("spec.targetAction", {"targetAction": ""}),
    ("spec.authentication", {"authentication": "TOKEN"}),
    ("spec.authentication", {"authentication": "github_hmac"}),
    ("spec.authenticationConfiguration.secretToken", {"authenticationConfiguration": {"secretToken": ""}}),
    ("spec.authenticationConfiguration.secretToken", {"authenticationConfiguration": {"secretToken": "s" * 101}}),
    ("spec.authenticationConfiguration.secretTokenRef.name", {"authenticationConfiguration": {"secretTokenRef": {}}}),
    ("spec.filters", {"filters": [RULE] * 6}),
    ("spec.filters", {"filters": None}),
    ("spec.filters[0].jsonPath", {"filters": [{"jsonPath": ""}]}),
    ("spec.filters[1].jsonPath", {"filters": [RULE, {"jsonPath": "$" * 151}]}),
    ("spec.filters[0].matchEquals", {"filters": [{"jsonPath": "$", "matchEquals": ""}]}),
    ("spec.filters[0].matchEquals", {"filters": [{"jsonPath": "$", "matchEquals": "x" * 151}]}),
    ("spec.filters[0].matchEquals", {"filters": [{"jsonPath": "$", "matchEquals": 42}]}),
    ("spec.parameters", {"parameters": [{"name": f"P{n}", "value": ""} for n in range(51)]}),
    ("spec.parameters[0].name", {"parameters": [{"name": "1st", "value": ""}]}),
    ("spec.parameters[0].name", {"parameters": [{"name": "a" * 129, "value": ""}]}),
    ("spec.parameters[0].value", {"parameters": [{"name": "A", "value": "v" * 4097}]}),
    ("spec.parameters[0].from", {"parameters": [{"name": "A", "from": "body"}]}),
    ("spec.parameters[0].jsonPath", {"parameters": [{"name": "A", "jsonPath": "$" * 151}]}),
    ("spec.actionConfiguration", {"actionConfiguration": {f"K{n}": "" for n in range(51)}}),
    ("spec.actionConfiguration.K", {"actionConfiguration": {"K": "v" * 1001}}),
    ("spec.maxBodyBytes", {"maxBodyBytes": 0}),
    ("spec.maxBodyBytes", {"maxBodyBytes": 25 * 1024 * 1024 + 1}),
    ("spec.serviceAccountName", {"serviceAccountName": "s" * 254}),
    ("spec.suspend", {"suspend": "perhaps"}),
]
TRIGGER_TAKES = [
    {"projectName": "ab"},
    {"projectName": "9" + "-" * 149},
    {"source": {}},
    {"source": {"repository": "group/sub/repo", "branch": "feature/x"}},
    {"source": {"repository": "o/" + "r" * 253, "branch": "b" * 255}},
    {"build": {"jobTemplate": {"spec": {}}}},
    {"build": {"jobTemplate": {"spec": JOB_SPEC, "metadata": {"labels": {"a": "b" * 63}}}}},
    {"tags": [{"key": "k" * 127, "value": "v" * 255}]},
    {"branchFilter": ""},
    {"branchFilter": "b" * 2000},
    {"filterGroups": [[PUSH] * 16] * 32},
    {"filterGroups": [[PUSH, {"type": "HEAD_REF", "pattern": "p" * 2000, "excludeMatchedPattern": True}]]},
]
TRIGGER_REFUSES = [
    ("spec.projectName", {"projectName": "a"}),
    ("spec.projectName", {"projectName": "a" * 151}),
    ("spec.projectName", {"projectName": "-ab"}),
    ("spec.source.repository", {"source": {"repository": "nothing-before-a-slash"}}),
    ("spec.source.repository", {"source": {"repository": "a b/c"}}),
    ("spec.source.branch", {"source": {"branch": "a b"}}),
    ("spec.source.branch", {"source": {"branch": "b" * 256}}),
    ("spec.build.jobTemplate", {"build": {}}),
    ("spec.build.jobTemplate.spec", {"build": {"jobTemplate": {}}}),
    ("spec.build.jobTemplate.spec", {"build": {"jobTemplate": {"spec": []}}}),
    (
        "spec.build.jobTemplate.metadata.labels.a",
        {"build": {"jobTemplate": {"spec": {}, "metadata": {"labels": {"a": "b" * 64}}}}},
    ),
    ("spec.parameters[0].value", {"parameters": [{"name": "A"}]}),
    ("spec.parameters[0].name", {"parameters": [{"name": "A B", "value": ""}]}),
    ("spec.tags[0].key", {"tags": [{"key": "k" * 128, "value": ""}]}),
    ("spec.tags[0].value", {"tags": [{"key": "k", "value": "v" * 256}]}),
    ("spec.branchFilter", {"branchFilter": "b" * 2001}),
    ("spec.filterGroups", {"filterGroups": [[PUSH]] * 33}),
    ("spec.filterGroups[0]", {"filterGroups": [[PUSH] * 17]}),
    ("spec.filterGroups[0]", {"filterGroups": [[]]}),
    ("spec.filterGroups[0][0].type", {"filterGroups": [[{"type": "event", "pattern": "PUSH"}]]}),
    ("spec.filterGroups[0][0].pattern", {"filterGroups": [[{"type": "EVENT"}]]}),
    ("spec.filterGroups[0][0].pattern", {"filterGroups": [[{"type": "HEAD_REF", "pattern": ""}]]}),
    ("spec.filterGroups[0][0].pattern", {"filterGroups": [[{"type": "HEAD_REF", "pattern": "p" * 2001}]]}),
    ("spec.filterGroups[0][0].excludeMatchedPattern", {"filterGroups": [[PUSH | {"excludeMatchedPattern": "true"}]]}),
]


@pytest.mark.parametrize("spec", WEBHOOK_TAKES)
def test_webhook_at_its_bounds_is_taken(spec):
    """A Webhook whose fields are as long, large or many as AWS allows is read."""
    assert make_webhook(**spec).spec


@pytest.mark.parametrize(("field", "spec"), WEBHOOK_REFUSES)
def test_webhook_beyond_its_bounds_is_refused(field, spec):
    """A Webhook with one field beyond its bounds is refused, and the message begins with that field."""
    with pytest.raises(InvalidObject) as refused:
        read(Webhook, raw_webhook(**spec))
    assert [problem.field for problem in refused.value.problems] == [field]
    assert str(refused.value).startswith(f"{field}: ")


@pytest.mark.parametrize(
    "field", ["targetPipeline", "targetAction", "authentication", "authenticationConfiguration", "filters"]
)
def test_fields_that_aws_requires_are_required(field):
    """A Webhook without a field that PutWebhook requires is refused."""
    with pytest.raises(InvalidObject) as refused:
        read(Webhook, raw_webhook(without=[field]))
    assert [(p.field, p.message) for p in refused.value.problems] == [(f"spec.{field}", "is required")]


@pytest.mark.parametrize("spec", TRIGGER_TAKES)
def test_buildtrigger_at_its_bounds_is_taken(spec):
    """A BuildTrigger whose fields are as long as CodeBuild allows is read."""
    assert make_buildtrigger(**spec).spec


@pytest.mark.parametrize(("field", "spec"), TRIGGER_REFUSES)
def test_buildtrigger_beyond_its_bounds_is_refused(field, spec):
    """A BuildTrigger with one field beyond its bounds is refused, and the message begins with that field."""
    with pytest.raises(InvalidObject) as refused:
        read(BuildTrigger, raw_buildtrigger(**spec))
    assert [problem.field for problem in refused.value.problems] == [field]


def test_defaults_are_the_documented_ones():
    """What a Webhook does not say has the value that its description names."""
    webhook = make_webhook()
    assert (webhook.spec.suspend, webhook.spec.max_body_bytes) == (False, 5 * 1024 * 1024)
    assert (webhook.spec.target_pipeline.kind, webhook.aws_name) == ("BuildTrigger", "hello")
    assert (
        read(
            Webhook, raw_webhook(authenticationConfiguration=REF)
        ).spec.authentication_configuration.secret_token_ref.key
        == "token"
    )


def test_aws_name_is_that_of_the_spec_if_it_has_one():
    """Spec.name is the name as at AWS, where it is given."""
    assert make_webhook(name="Hello@AWS").aws_name == "Hello@AWS"
