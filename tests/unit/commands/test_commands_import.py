"""`hookwright import codepipeline`: what AWS has becomes Webhooks, and nothing that is lost is lost in silence."""

from __future__ import annotations

import copy
import io
import json
import re
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import yaml
from command_line import run, write
from hypothesis import given
from hypothesis import strategies as st

from hookwright.commands.codepipeline import MAX_WEBHOOKS, Wishes, convert
from hookwright.commands.codepipeline_json import read_listing, read_pipeline
from hookwright.errors import InvalidExpression, UsageError
from hookwright.filters import compile_filter
from hookwright.kinds import Webhook, read
from hookwright.settings import Settings

TOKEN = "a-token-that-nobody-may-see"
URL = "https://eu-central-1.webhooks.aws/trigger?t=also-nobody"


def definition(**changes):
    """Give a definition as AWS shows it; None takes a member away."""
    found = {
        "name": "hello",
        "targetPipeline": "hello",
        "targetAction": "Source",
        "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/main"}],
        "authentication": "GITHUB_HMAC",
        "authenticationConfiguration": {"SecretToken": TOKEN},
    } | changes
    return {name: value for name, value in found.items() if value is not None}


def listed(*definitions, **more):
    """Give what list-webhooks prints."""
    items = [
        {
            "definition": one,
            "url": URL,
            "arn": f"arn:aws:codepipeline:eu-central-1:111122223333:webhook:{one.get('name')}",
            "lastTriggered": "2026-05-01T12:00:00+00:00",
            "tags": [],
        }
        for one in definitions
    ]
    return {"webhooks": items, **more}


def pipeline(name="hello", *, action="Source", **configuration):
    """Give what get-pipeline prints."""
    actions = [{"name": action, "actionTypeId": {"category": "Source"}, "configuration": configuration}]
    stages = [{"name": "Source", "actions": actions}, {"name": "Build", "actions": [{"name": "Later"}]}]
    return {"pipeline": {"name": name, "stages": stages, "version": 1}, "metadata": {"pipelineArn": "arn:…"}}


@dataclass(kw_only=True)
class Result:
    """What an import left: its exit code, its objects by kind, and its lines on standard error."""

    code: int
    webhooks: list
    secrets: list
    lost: list
    notes: list
    out: str
    err: str


@pytest.fixture
def imports(capsys, tmp_path):
    """Run `hookwright import codepipeline` on a document."""

    def do(document, *options, pipelines=()):
        file = write(tmp_path / "webhooks.json", document)
        more = [
            word
            for index, one in enumerate(pipelines)
            for word in ("--pipeline", write(tmp_path / f"pipeline{index}.json", one))
        ]
        ran = run(capsys, "import", "codepipeline", file, *more, *options)
        objects = [one for one in yaml.safe_load_all(ran.out) if one]
        lines = ran.err.splitlines()
        return Result(
            code=ran.code,
            webhooks=[one for one in objects if one["kind"] == "Webhook"],
            secrets=[one for one in objects if one["kind"] == "Secret"],
            lost=[line for line in lines if ": not carried over: " in line],
            notes=[line for line in lines if ": note: " in line],
            out=ran.out,
            err=ran.err,
        )

    return do


# ── what is carried over ──────────────────────────────────────────────────────────────────────────────────────────────


def test_whole_webhook_is_carried_over(imports):
    """A webhook that AWS shows whole becomes a Webhook and its Secret, exit code 0, and notes say what differs."""
    found = imports({"webhook": definition(), "tags": [{"key": "team", "value": "a b"}]})
    assert (found.code, found.lost) == (0, [])
    read(Webhook, found.webhooks[0], strict=True)
    assert [one["metadata"] | {"stringData": one["stringData"]} for one in found.secrets] == [
        {
            "name": "hello-webhook",
            "labels": {"hookwright.dev/watched": "true"},
            "stringData": {"token": TOKEN},
        }
    ]
    assert found.webhooks == [
        {
            "apiVersion": "hookwright.dev/v1alpha1",
            "kind": "Webhook",
            "metadata": {"name": "hello"},
            "spec": {
                "name": "hello",
                "targetPipeline": {"apiVersion": "hookwright.dev/v1alpha1", "kind": "BuildTrigger", "name": "hello"},
                "targetAction": "Source",
                "authentication": "GITHUB_HMAC",
                "authenticationConfiguration": {"secretTokenRef": {"name": "hello-webhook", "key": "token"}},
                "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/main"}],
                "tags": [{"key": "team", "value": "a b"}],
            },
        }
    ]
    assert len(found.notes) == 2
    assert "status.url" in found.notes[0]
    assert "BuildTrigger hello must exist" in found.notes[1]


FORMS = {
    "list-webhooks": listed(definition()),
    "a bare list": listed(definition())["webhooks"],
    "a list of definitions": [definition()],
    "put-webhook's input": {"webhook": definition()},
    "put-webhook's output": {"webhook": listed(definition())["webhooks"][0], "tags": []},
    "one of list-webhooks": listed(definition())["webhooks"][0],
    "a definition": definition(),
    "with null for what is absent": listed(definition(filters=definition()["filters"]), NextToken=None),
}


@pytest.mark.parametrize("document", FORMS.values(), ids=list(FORMS))
def test_all_forms_say_the_same(imports, document):
    """Whichever of the CLI's forms a webhook has, the same comes of it."""
    found, expected = imports(document), imports(FORMS["list-webhooks"])
    assert (found.code, found.out) == (0, expected.out)


def test_tags_are_read_in_both_places(imports):
    """put-webhook has the tags beside the webhook, list-webhooks inside."""
    tags = [{"key": "team", "value": ""}]
    for document in ({"webhook": definition(), "tags": tags}, [{"definition": definition(), "tags": tags}]):
        assert imports(document).webhooks[0]["spec"]["tags"] == tags


def test_other_schemes_need_no_secret(imports):
    """IP carries its range over, UNAUTHENTICATED nothing, and neither gets a Secret."""
    ranged = {"AllowedIPRange": "192.0.2.0/24"}
    found = imports(
        [
            definition(name="ip", authentication="IP", authenticationConfiguration=ranged),
            definition(name="open", authentication="UNAUTHENTICATED", authenticationConfiguration={}),
        ]
    )
    assert (found.code, found.secrets) == (0, [])
    assert [one["spec"]["authenticationConfiguration"] for one in found.webhooks] == [
        {"allowedIPRange": "192.0.2.0/24"},
        {},
    ]


def test_filters_stay_as_they_are(imports):
    """Filters keep their order and form; matchEquals is absent where AWS has none."""
    filters = [{"jsonPath": "$.a"}, {"jsonPath": "$.b[?(@.c=='d')]", "matchEquals": "y"}]
    assert imports([definition(filters=filters)]).webhooks[0]["spec"]["filters"] == filters
    nulled = [{"jsonPath": "$.a", "matchEquals": None}]
    assert imports([definition(filters=nulled)]).webhooks[0]["spec"]["filters"] == [{"jsonPath": "$.a"}]


def test_namespace_is_that_of_all_objects(imports):
    """--namespace stands on every object; without it none has one."""
    found = imports([definition()], "--namespace", "team-a")
    assert {one["metadata"]["namespace"] for one in found.webhooks + found.secrets} == {"team-a"}
    found = imports([definition()])
    assert [one for one in found.webhooks + found.secrets if "namespace" in one["metadata"]] == []


def test_target_can_be_a_cronjob(imports):
    """--target-kind CronJob names a batch/v1 CronJob, whose name Kubernetes keeps to 52 characters."""
    found = imports([definition(targetPipeline="P" * 60)], "--target-kind", "CronJob")
    target = found.webhooks[0]["spec"]["targetPipeline"]
    assert (found.code, target["apiVersion"], target["kind"], len(target["name"])) == (0, "batch/v1", "CronJob", 52)
    assert target["name"] in found.notes[-1]


def test_json_is_a_list_of_the_same(capsys, imports, tmp_path):
    """-o json prints a List of what the YAML holds; the remarks stand on standard error as ever."""
    found = imports([definition()])
    ran = run(capsys, "import", "codepipeline", tmp_path / "webhooks.json", "-o", "json")
    assert (ran.code, ran.json["kind"], ran.json["items"]) == (0, "List", found.secrets + found.webhooks)
    assert ran.err == found.err


def test_standard_input_is_a_file(monkeypatch, capsys):
    """`-` reads what the AWS CLI pipes, in whichever encoding of Unicode a shell has put it."""
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        piped = io.BytesIO(json.dumps(listed(definition())).encode(encoding))
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=piped))
        assert run(capsys, "import", "codepipeline", "-").code == 0


# ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_names_are_converted_and_said(imports):
    """spec.name keeps AWS's name, metadata.name and the target's are valid ones, and both conversions are said."""
    found = imports([definition(name="My_Hook@x", targetPipeline="My_Pipeline")])
    (webhook,) = found.webhooks
    assert (webhook["spec"]["name"], webhook["metadata"]["name"]) == ("My_Hook@x", "my-hook-x")
    assert webhook["spec"]["targetPipeline"]["name"] == "my-pipeline"
    assert found.code == 0
    assert any("metadata.name is my-hook-x" in note for note in found.notes)
    assert any("my-pipeline" in note and "My_Pipeline" in note for note in found.notes)


def test_names_that_would_be_one_stay_apart(imports):
    """Webhooks, Secrets and pipelines of different names never share an object."""
    found = imports([definition(name=name, targetPipeline=name) for name in ("a_b", "a-b", "A-B")])
    assert len({one["metadata"]["name"] for one in found.webhooks}) == 3
    assert len({one["metadata"]["name"] for one in found.secrets}) == 3
    assert len({one["spec"]["targetPipeline"]["name"] for one in found.webhooks}) == 3


def test_webhooks_of_one_pipeline_share_their_target(imports):
    """One pipeline is one target, however many webhooks start it."""
    found = imports([definition(name=name, targetPipeline="My_P") for name in ("a", "b")])
    assert [one["spec"]["targetPipeline"]["name"] for one in found.webhooks] == ["my-p", "my-p"]


def test_source_action_of_another_name_is_said(imports):
    """An action that is not called Source needs an annotation of the target, which is said."""
    assert "hookwright.dev/source-action: Fetch" in imports([definition(targetAction="Fetch")]).notes[-1]
    assert "source-action" not in imports([definition()]).err


# ── secrets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("configuration", [{"SecretToken": "****"}, {"SecretToken": ""}, {}, None])
def test_token_that_aws_does_not_show_is_made_new(imports, configuration):
    """A new random token takes the place of one that is not shown, and that is said loudly, exit code 1."""
    first = imports([definition(authenticationConfiguration=configuration)])
    again = imports([definition(authenticationConfiguration=configuration)])
    tokens = [found.secrets[0]["stringData"]["token"] for found in (first, again)]
    assert (first.code, len(first.lost)) == (1, 1)
    assert "SET IT AT THE GIT HOST" in first.lost[0]
    assert tokens[0] != tokens[1]
    assert min(len(token) for token in tokens) >= 43
    # As long as AWS takes it, so that it could be given back.
    assert max(len(token) for token in tokens) <= 100
    # A token that begins like a number is quoted.
    one, other = (re.sub("token: .*", "", found.out) for found in (first, again))
    assert one == other


def test_every_webhook_has_a_token_of_its_own(imports):
    """No two new tokens are the same."""
    hidden = [definition(name=name, authenticationConfiguration={"SecretToken": "****"}) for name in ("a", "b")]
    assert len({one["stringData"]["token"] for one in imports(hidden).secrets}) == 2


def test_nothing_secret_is_said(imports):
    """Neither a token, nor AWS's URL, nor a secret of the pipeline stands on standard error or in a comment."""
    values = {"Branch": "main", "OAuthToken": "oauth-nobody", "ApiKey": "key-nobody"}
    wrong = {"SecretToken": TOKEN, "AllowedIPRange": "x" * 200}
    found = imports(
        listed(
            definition(),
            definition(name="b", authentication="IP", authenticationConfiguration=wrong),
            definition(name="c", filters=[{"jsonPath": "$.a", "matchEquals": "{OAuthToken}"}]),
        ),
        pipelines=[pipeline(**values)],
    )
    comments = "".join(line for line in found.out.splitlines() if line.startswith("#"))
    assert found.code == 1
    assert found.out.count(TOKEN) == 2
    for secret in (TOKEN, URL, "nobody"):
        assert secret not in found.err
        assert secret not in comments
    for secret in (URL, "oauth-nobody", "key-nobody"):
        assert secret not in found.out


# ── placeholders ──────────────────────────────────────────────────────────────────────────────────────────────────────

BRANCH = [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{Branch}"}]


def test_pipeline_fills_placeholders(imports):
    """--pipeline carries the source action's configuration over, but for its secrets, which are named."""
    configuration = {"Owner": "octo", "Repo": "hello", "Branch": "main", "OAuthToken": "****", "Other": "****"}
    found = imports([definition(filters=BRANCH)], pipelines=[pipeline(**configuration), pipeline("other")])
    assert (found.code, found.lost) == (0, [])
    values = {"Owner": "octo", "Repo": "hello", "Branch": "main"}
    assert found.webhooks[0]["spec"]["actionConfiguration"] == values
    assert [
        key for key in ("OAuthToken", "Other") if not any(f"{key} is a secret" in note for note in found.notes)
    ] == []
    assert any("no webhook starts pipeline other" in note for note in found.notes)


def test_placeholder_without_a_value_is_said(imports):
    """Without --pipeline, or with one that lacks the key, the key and where it may come from are said, exit code 1."""
    found = imports([definition(filters=BRANCH)])
    assert (found.code, len(found.lost)) == (1, 1)
    assert "{Branch}" in found.lost[0]
    assert "--pipeline" in found.lost[0]
    assert "# not carried over: {Branch}" in found.out
    found = imports([definition(filters=BRANCH)], pipelines=[pipeline(Owner="octo")])
    assert (found.code, len(found.lost)) == (1, 1)
    assert "--pipeline" not in found.lost[0]


def test_placeholder_of_a_secret_cannot_be_filled(imports):
    """A key that is named like a secret is no advice to write it down."""
    filters = [{"jsonPath": "$.a", "matchEquals": "{OAuthToken}"}]
    found = imports([definition(filters=filters)], pipelines=[pipeline(OAuthToken="x")])
    assert len(found.lost) == 1
    assert "spec.filters[0].matchEquals: {OAuthToken}: named like a secret" in found.lost[0]


@pytest.mark.parametrize("action", ["Fetch", "Later"])
def test_action_must_be_in_the_first_stage(imports, action):
    """An action that the pipeline's first stage has not is said, with those that it has."""
    found = imports([definition(targetAction=action)], pipelines=[pipeline(Branch="main")])
    assert (found.code, len(found.lost)) == (1, 1)
    assert f"{action}: the first stage of pipeline hello has no such action (it has: Source)" in found.lost[0]
    assert "actionConfiguration" not in found.webhooks[0]["spec"]


# ── what cannot be carried over ───────────────────────────────────────────────────────────────────────────────────────


def test_refused_expression_is_kept_and_said_in_hookwrights_words(imports):
    """An expression that Hookwright refuses stays in the manifest, with Hookwright's own message, once."""
    found = imports([definition(filters=[{"jsonPath": "$.ref"}, {"jsonPath": "$.a["}])])
    assert found.webhooks[0]["spec"]["filters"][1] == {"jsonPath": "$.a["}
    with pytest.raises(InvalidExpression) as refused:
        compile_filter("$.a[", None)
    assert (found.code, len(found.lost)) == (1, 1)
    assert f"spec.filters[1].jsonPath: {refused.value.message}" in found.lost[0]


LIMITS = {
    "six filters": (definition(filters=[{"jsonPath": "$.a"}] * 6), "spec.filters"),
    "a long expression": (definition(filters=[{"jsonPath": "$." + "a" * 149}]), "spec.filters[0].jsonPath"),
    "a long matchEquals": (
        definition(filters=[{"jsonPath": "$.a", "matchEquals": "a" * 151}]),
        "spec.filters[0].matchEquals",
    ),
    "a long name": (definition(name="a" * 101), "spec.name"),
    "a name with a blank": (definition(name="a b"), "spec.name"),
    "an unknown scheme": (definition(authentication="SIGV4"), "spec.authentication"),
    "no range": (definition(authentication="IP", authenticationConfiguration={}), "allowedIPRange"),
    "a range that is none": (
        definition(authentication="IP", authenticationConfiguration={"AllowedIPRange": "192.0.2.0/99"}),
        "allowedIPRange",
    ),
}


@pytest.mark.parametrize(("wrong", "field"), LIMITS.values(), ids=list(LIMITS))
def test_what_hookwright_would_refuse_is_said(imports, wrong, field):
    """What is beyond a limit, or of another form, is printed as it is, and the field is named once, exit code 1."""
    found = imports([wrong])
    assert (found.code, len(found.webhooks), len([line for line in found.lost if field in line])) == (1, 1, 1)


@pytest.mark.parametrize(
    ("tags", "named"),
    [
        ([{"key": f"k{index}", "value": ""} for index in range(51)], "TooManyTagsException"),
        ([{"key": "a", "value": ""}, {"key": "a", "value": "b"}], "InvalidTagsException"),
        ([{"key": "a" * 129, "value": ""}], "spec.tags[0].key"),
        ([{"key": "a", "value": "b" * 257}], "spec.tags[0].value"),
    ],
)
def test_tags_that_hookwright_refuses_are_said(imports, tags, named):
    """Tags beyond AWS's limits are printed as they are, and said."""
    found = imports([{"definition": definition(), "tags": tags}])
    assert (found.code, found.webhooks[0]["spec"]["tags"]) == (1, tags)
    assert any(named in line for line in found.lost)


def test_tags_of_aws_are_left_out_and_said(imports):
    """Tags that begin with aws:, in whatever case, are AWS's own."""
    tags = [{"key": key, "value": "x"} for key in ("aws:cloudformation:stack-name", "AWS:x", "aws")]
    found = imports([{"definition": definition(), "tags": tags}])
    assert [one["key"] for one in found.webhooks[0]["spec"]["tags"]] == ["aws"]
    assert (found.code, len(found.lost)) == (1, 2)


def test_members_that_nobody_knows_are_said(imports):
    """Whatever else AWS may come to have, at each level, is left out and named."""
    strange = definition(
        new=1,
        filters=[{"jsonPath": "$.ref", "flags": "i"}],
        authenticationConfiguration={"SecretToken": TOKEN, "Algorithm": "x"},
    )
    found = imports([{"definition": strange, "tags": [], "state": "x"}])
    assert found.code == 1
    for name in ("state", "new", "filters[0].flags", "authenticationConfiguration.Algorithm"):
        assert len([line for line in found.lost if f": {name}: " in line]) == 1


def test_members_of_another_scheme_are_left_out_and_said(imports):
    """A scheme's configuration is what it needs, and what AWS should not have shown is named, not printed."""
    both = {"SecretToken": TOKEN, "AllowedIPRange": "192.0.2.0/24"}
    found = imports(
        [
            definition(name="a", authenticationConfiguration=both),
            definition(name="b", authentication="IP", authenticationConfiguration=both),
            definition(name="c", authentication="UNAUTHENTICATED", authenticationConfiguration=both),
        ]
    )
    assert [line.split(": ")[0] + " " + line.split(": ")[2] for line in found.lost] == [
        "a AllowedIPRange",
        "b SecretToken",
        "c AllowedIPRange",
        "c SecretToken",
    ]
    for webhook in found.webhooks:
        read(Webhook, webhook, strict=True)


def test_absent_filters_are_said(imports):
    """No filters at all would let every delivery through: an empty list is AWS's word for that, absence is not."""
    found = imports([definition(filters=None)])
    assert (found.code, found.webhooks[0]["spec"]["filters"], len(found.lost)) == (1, [], 1)
    assert imports([definition(filters=[])]).code == 0


def test_name_that_is_there_twice_counts_once(imports):
    """Of webhooks of one name the first is kept; that another one differs is a loss, that it is the same is a note."""
    found = imports([definition(), definition(targetPipeline="other")])
    assert (found.code, len(found.webhooks), len(found.lost)) == (1, 1, 1)
    assert found.webhooks[0]["spec"]["targetPipeline"]["name"] == "hello"
    found = imports([definition(), definition()])
    assert (found.code, len(found.webhooks), found.lost) == (0, 1, [])
    assert any("2 webhooks of this name" in note for note in found.notes)


def test_list_that_was_cut_off_is_said(imports):
    """NextToken means that AWS has more."""
    found = imports(listed(definition(), NextToken="x"))
    assert (found.code, len(found.webhooks), len(found.lost)) == (1, 1, 1)
    assert "NextToken" in found.lost[0]


def test_more_webhooks_than_a_namespace_may_have_are_said(imports):
    """300 webhooks are AWS's quota, and by default a namespace's."""
    assert Settings.model_fields["webhook_quota"].default == MAX_WEBHOOKS
    names = [f"w{index}" for index in range(301)]
    open_to_all = {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}}
    found = imports([definition(name=name, **open_to_all) for name in names])
    assert (found.code, len(found.webhooks), len(found.lost)) == (1, 301, 1)
    assert "LimitExceededException" in found.lost[0]


def test_no_webhooks_are_no_loss(imports):
    """An empty list is said, and is nothing to fail about."""
    found = imports({"webhooks": []})
    assert (found.code, found.webhooks, found.lost, len(found.notes)) == (0, [], [], 1)


def test_error_at_aws_is_noted(imports):
    """What AWS found wrong with a webhook is passed on in its own words, without its URL and its token."""
    said = f"no pipeline, see {URL} and {TOKEN}"
    found = imports([{"definition": definition(), "errorCode": "PipelineNotFound", "errorMessage": said}])
    assert any("PipelineNotFound: no pipeline, see (a URL) and (the token)" in note for note in found.notes)
    assert URL not in found.err
    assert TOKEN not in found.err


def test_secrets_of_webhooks_are_named_apart(imports):
    """A name that ends in webhook gets no second one, and no two Webhooks share a Secret."""
    names = ["my", "my-webhook", "webhook"]
    found = imports([definition(name=name) for name in names])
    assert [one["metadata"]["name"] for one in found.secrets] == ["my-webhook", "my-webhook-secret", "webhook-secret"]


def test_remarks_stand_above_their_objects(imports):
    """Each line on standard error is a comment above the object that it is about: the token's above the Secret."""
    found = imports([definition(name="A", filters=BRANCH, authenticationConfiguration={"SecretToken": "****"})])
    secret, webhook = found.out.split("---\n")
    assert "kind: Secret" in secret
    for line in found.err.splitlines():
        _, _, remark = line.partition(": ")
        assert f"# {remark}\n" in (secret if "SET IT" in line else webhook)


def test_values_from_the_file_stay_on_their_line(imports):
    """A name cannot end a comment, nor speak to a terminal, nor fill the screen."""
    found = imports([definition(name="a\nkind: Other\n\x1b[2J" + "b" * 5000)])
    assert len(found.webhooks + found.secrets) == 2
    assert "\x1b" not in found.err + found.out.split("apiVersion")[0]
    assert max(len(line) for line in found.err.splitlines()) <= 500
    assert all(line.startswith("a\\nkind") for line in found.err.splitlines())


# ── files that are something else ─────────────────────────────────────────────────────────────────────────────────────

HALF = "\ud800"
NO_LISTS = {
    "no JSON": "webhooks: []",
    "no text": b"\xff",
    "half a character": json.dumps([definition(name=HALF)]),
    "deep": "[" * 100_000,
    "empty": "",
}


@pytest.mark.parametrize("content", NO_LISTS.values(), ids=list(NO_LISTS))
def test_what_is_no_json_is_refused(capsys, tmp_path, content):
    """A file without JSON in it is said in one line, exit code 2."""
    ran = run(capsys, "import", "codepipeline", write(tmp_path / "x.txt", content))
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith(f"hookwright: {tmp_path / 'x.txt'}: no JSON: ")


WRONG = {
    "a number": (1, ""),
    "null": (None, ""),
    "another file": ({"pipelines": []}, ""),
    "webhooks that are no list": ({"webhooks": {}}, "webhooks: "),
    "a webhook that is no object": ([TOKEN], "[0]: "),
    "a definition that is no object": ([{"definition": [TOKEN]}], "[0].definition: "),
    "no name": ([definition(name=None)], "[0].name: "),
    "a name that is no text": (listed(definition(name={"a": TOKEN})), "webhooks[0].definition.name: "),
    "no pipeline": ([definition(targetPipeline=None)], "[0].targetPipeline: "),
    "no action": ([definition(targetAction=None)], "[0].targetAction: "),
    "no scheme": ([definition(authentication=None)], "[0].authentication: "),
    "filters that are no list": ([definition(filters={})], "[0].filters: "),
    "a filter that is no object": ([definition(filters=[TOKEN])], "[0].filters[0]: "),
    "a filter without a path": ([definition(filters=[{}])], "[0].filters[0].jsonPath: "),
    "a token that is no text": (
        [definition(authenticationConfiguration={"SecretToken": [TOKEN]})],
        "[0].authenticationConfiguration.SecretToken: ",
    ),
    "a configuration that is no object": (
        [definition(authenticationConfiguration=TOKEN)],
        "[0].authenticationConfiguration: ",
    ),
    "tags that are no list": ({"webhook": definition(), "tags": {}}, "tags: "),
    "a tag that is no object": ({"webhook": definition(), "tags": [TOKEN]}, "tags[0]: "),
    "a tag without a value": ({"webhook": definition(), "tags": [{"key": "a"}]}, "tags[0].value: "),
}


@pytest.mark.parametrize(("document", "where"), WRONG.values(), ids=list(WRONG))
def test_what_is_no_webhook_is_refused(capsys, tmp_path, document, where):
    """What the AWS CLI does not print is said with its place, in one line without values, exit code 2."""
    file = write(tmp_path / "x.json", document)
    ran = run(capsys, "import", "codepipeline", file)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith(f"hookwright: {file}: {where}")
    assert TOKEN not in ran.err


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({}, "name: "),
        (listed(definition()), "name: "),
        ({"pipeline": []}, "pipeline: "),
        ({"pipeline": {"name": "a", "stages": {}}}, "pipeline.stages: "),
        ({"name": "a", "stages": [{"actions": [{}]}]}, "stages[0].actions[0].name: "),
        ({"name": "a", "stages": [{"actions": [{"name": "b", "configuration": {"c": 1}}]}]}, "stages[0].actions[0].c"),
    ],
)
def test_what_is_no_pipeline_is_refused(capsys, tmp_path, document, where):
    """A file that get-pipeline did not print is refused with its place, exit code 2."""
    webhooks, file = write(tmp_path / "w.json", [definition()]), write(tmp_path / "p.json", document)
    ran = run(capsys, "import", "codepipeline", webhooks, "--pipeline", file)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.replace(".configuration", "").startswith(f"hookwright: {file}: {where}")


def test_words_that_contradict_each_other_are_refused(capsys, tmp_path):
    """One pipeline twice, standard input twice, a namespace that is none, and a kind that cannot be started: code 2."""
    webhooks, file = write(tmp_path / "w.json", [definition()]), write(tmp_path / "p.json", pipeline())
    for options, named in (
        (["--pipeline", file, "--pipeline", file], "given twice"),
        (["--pipeline", "-", "--pipeline", "-"], "only one file can be standard input"),
        (["--namespace", "A"], "--namespace 'A'"),
        (["--target-kind", "Pipeline"], "'--target-kind'"),
        (["--pipeline", tmp_path / "absent"], "absent: "),
    ):
        ran = run(capsys, "import", "codepipeline", webhooks, *options)
        assert (ran.code, ran.out) == (2, "")
        assert named in ran.err


MEMBERS = (
    *("webhooks", "webhook", "pipeline", "stages", "actions", "configuration", "tags", "key", "value"),
    *(*definition(), "definition", "jsonPath", "matchEquals", "SecretToken", "AllowedIPRange"),
)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.sampled_from(["GITHUB_HMAC", "IP", "*", "$.a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=6),
    max_leaves=20,
)


@given(JSON_VALUES, JSON_VALUES)
def test_any_json_is_read_or_refused(document, other):
    """Whatever JSON it is, it is read or refused as usage, and what is read can be converted."""
    pipelines = {}
    for value in (document, other):
        try:
            found = read_pipeline(value, "file")
            pipelines[found.name] = found
        except UsageError:
            pass
    try:
        listing = read_listing(document, "file")
    except UsageError:
        return
    convert(listing, Wishes(pipelines=pipelines), new_token=lambda: "new")


MEMBER = st.sampled_from([None, 0, "", "x", "a_B", [], {}, [1], {"a": 1}, "****", "IP", "UNAUTHENTICATED"])


@given(st.dictionaries(st.sampled_from(list(definition())), MEMBER, max_size=3), st.lists(MEMBER, max_size=2))
def test_conversion_is_the_same_each_time(changes, tags):
    """One file gives one result, and all randomness is that of the tokens."""
    document = [{"definition": definition(**changes), "tags": tags}, definition(name="other")]
    try:
        listing = read_listing(copy.deepcopy(document), "file")
    except UsageError:
        return
    one, other = (convert(listing, Wishes(), new_token=lambda: "new") for _ in range(2))
    assert one == other
