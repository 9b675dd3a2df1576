"""`hookwright lint`: every problem of objects in files, as the operator would say it, without a cluster."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from command_line import run, write

from hookwright.kinds import InvalidObject, Webhook, read
from hookwright.reconcile.checks import check_buildtrigger, check_webhook
from support.objects import (
    JOB_SPEC,
    SECRET,
    make_buildtrigger,
    raw_buildtrigger,
    raw_secret,
    raw_webhook,
)

EXAMPLES = Path(__file__).parents[3] / "examples"
VALIDATION = "ValidationException"
FILTER = "InvalidWebhookFilterPatternException"
AUTHENTICATION = "InvalidWebhookAuthenticationParametersException"
PIPELINE = "PipelineNotFoundException"
INPUT = "InvalidInputException"
LINT = {"file", "kind", "namespace", "name", "severity", "code", "message"}


@pytest.fixture
def lint(capsys, tmp_path):
    """Lint objects, which are right until a test changes one; give what was said."""

    def call(*documents, more=(), secret=True, target=True):
        file = write(tmp_path / "all.yaml", *documents, *[raw_secret()] * secret, *[raw_buildtrigger()] * target)
        ran = run(capsys, "lint", "-f", file, "-o", "json", *more)
        said = ran.json["findings"]
        assert ran.code == (1 if any(one["severity"] == "finding" for one in said) else 0)
        assert {frozenset(one) for one in said} <= {frozenset(LINT)}
        return said

    return call


def codes(said, severity="finding"):
    return [one["code"] for one in said if one["severity"] == severity]


# ── what is right ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_examples_are_clean(capsys):
    """Nothing is found in the examples, however strictly one looks; what is not ours there is passed over."""
    ran = run(capsys, "lint", "--strict", "-f", EXAMPLES)
    assert (ran.code, ran.out) == (0, "")


@pytest.mark.parametrize("folder", sorted(EXAMPLES.iterdir()), ids=lambda folder: folder.name)
def test_each_example_is_clean_by_itself(capsys, folder):
    """Nothing is wrong with one example alone, though it may name what another one has."""
    ran = run(capsys, "lint", "-f", folder)
    said = [line for line in ran.out.splitlines() if ": note: " not in line]
    # Some hold nothing but what others need: a payload, a Role.
    assert (ran.code, [line for line in said if ": NothingToCheck: " not in line]) == (0, [])


def test_right_objects_are_counted(capsys, tmp_path):
    """Nothing is printed of what is right; how much was looked at stands on standard error."""
    file = write(tmp_path / "all.yaml", raw_webhook(), raw_buildtrigger(), raw_secret(), {"kind": "Kustomization"}, "x")
    ran = run(capsys, "lint", "-f", file)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "objects checked: 2, others ignored: 3, findings: 0, warnings: 0, notes: 0\n"


def test_files_with_nothing_of_ours_are_warned_of(capsys, tmp_path):
    """Where nothing is checked, most likely other files were meant: a warning, and a finding if strict."""
    file = write(tmp_path / "all.yaml", raw_secret(), {"kind": "Kustomization"})
    ran = run(capsys, "lint", "-f", file)
    assert (ran.code, ran.out.startswith(f"{file}: warning: NothingToCheck: ")) == (0, True)
    ran = run(capsys, "lint", "-f", file, "--strict", "-o", "json")
    (said,) = ran.json["findings"]
    assert (ran.code, said["severity"], said["code"]) == (1, "finding", "NothingToCheck")
    assert (said["kind"], said["namespace"], said["name"]) == (None, None, None)


def test_narrow_range_and_filters_are_no_thought(lint):
    """A range of some addresses, or any filter, leaves nothing to warn of."""
    everywhere, narrow = ({"allowedIPRange": text} for text in ("0.0.0.0/0", "192.0.2.0/24"))
    assert lint(raw_webhook(authentication="IP", authenticationConfiguration=everywhere)) == []
    assert lint(raw_webhook(authentication="IP", authenticationConfiguration=narrow, filters=[])) == []


def test_cronjob_is_a_target(lint):
    """A CronJob in the files is a target, and is not read as strictly as our own kinds."""
    pipeline = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "hello"}
    cronjob = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "hello", "namespace": "default"},
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": JOB_SPEC}},
    }
    assert lint(raw_webhook(targetPipeline=pipeline, filters=[]), cronjob) == []
    said = lint(raw_webhook(targetPipeline=pipeline, filters=[]), cronjob | {"spec": {"schedule": "@daily"}})
    assert codes(said) == ["PipelineNotFoundException"]
    assert "jobTemplate" in said[0]["message"]


def test_name_too_long_for_the_targets_indexed_job(lint):
    """Builds are named for the Webhook, which says so where Kubernetes would take none of its target's."""
    template = {"spec": {**JOB_SPEC, "completionMode": "Indexed", "completions": 2}}
    target = raw_buildtrigger(build={"jobTemplate": template})
    assert lint(raw_webhook(), target, target=False) == []
    said = lint(raw_webhook(metadata={"name": "n" * 41}), target, target=False)
    assert codes(said) == [VALIDATION]
    assert said[0]["message"].startswith("metadata.name: ")
    named = raw_buildtrigger(metadata={"name": "n" * 41}, build={"jobTemplate": template})
    assert codes(lint(named, target=False)) == [INPUT]


# ── findings ──────────────────────────────────────────────────────────────────────────────────────────────────────────

NOBODY = {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}}
WEBHOOKS = {
    "a misspelt field": ({"filter": []}, VALIDATION, "spec.filter: is not a field of this kind"),
    "a misspelt member": ({"targetPipeline": {"name": "hello", "knd": "x"}}, PIPELINE, "spec.targetPipeline.knd"),
    "another type": ({"suspend": "yes"}, VALIDATION, "spec.suspend"),
    "too many filters": ({"filters": [{"jsonPath": "$.a"}] * 6}, FILTER, "spec.filters"),
    "an unknown scheme": ({"authentication": "MAGIC"}, AUTHENTICATION, "spec.authentication"),
    "a wrong rate": ({"rateLimit": {"perMinute": 0}}, VALIDATION, "spec.rateLimit.perMinute"),
    "a refused expression": ({"filters": [{"jsonPath": "$.a["}]}, FILTER, "spec.filters[0].jsonPath: "),
    "an unknown key": ({"filters": [{"jsonPath": "$.a", "matchEquals": "{b}"}]}, FILTER, "spec.filters[0].matchEquals"),
    "no secret": ({"authenticationConfiguration": {}}, AUTHENTICATION, "spec.authenticationConfiguration: "),
    "a secret too many": ({"authentication": "UNAUTHENTICATED"}, AUTHENTICATION, "secretTokenRef: UNAUTHENTICATED"),
    "host bits": (
        {"authentication": "IP", "authenticationConfiguration": {"allowedIPRange": "192.0.2.1/24"}},
        AUTHENTICATION,
        "write 192.0.2.0/24",
    ),
    "a wrong action": ({"targetAction": "Deploy"}, VALIDATION, "spec.targetAction: Deploy"),
    "another API version": (
        {"targetPipeline": {"apiVersion": "batch/v1", "kind": "BuildTrigger", "name": "hello"}},
        VALIDATION,
        "spec.targetPipeline.apiVersion",
    ),
    "a short window": ({"duplicateWindow": "5m"}, VALIDATION, "spec.duplicateWindow: 5m"),
    "a reserved tag": ({"tags": [{"key": "aws:x", "value": ""}]}, "InvalidTagsException", "spec.tags[0]: aws:x"),
    "too many tags": (
        {"tags": [{"key": str(n), "value": ""} for n in range(51)]},
        "TooManyTagsException",
        "spec.tags: 51 tags",
    ),
    "a secret's name": (
        {"actionConfiguration": {"OAuthToken": "x"}},
        VALIDATION,
        "spec.actionConfiguration.OAuthToken",
    ),
    "two sources": ({"parameters": [{"name": "A", "value": "x", "jsonPath": "$"}]}, VALIDATION, "spec.parameters[0]"),
    "a name twice": ({"parameters": [{"name": "A", "value": ""}] * 2}, VALIDATION, "spec.parameters[1].name: A"),
}


@pytest.mark.parametrize(("change", "code", "words"), WEBHOOKS.values(), ids=WEBHOOKS)
def test_each_problem_of_a_webhook_is_found_once(lint, change, code, words):
    """What schema and operator would refuse is found, with AWS's code, field and remedy, and nothing besides."""
    (said,) = lint(raw_webhook(**change))
    assert (said["kind"], said["namespace"], said["name"]) == ("Webhook", "default", "hello")
    assert (said["severity"], said["code"]) == ("finding", code)
    assert words in said["message"]


@pytest.mark.parametrize("change", [change for change, _, _ in WEBHOOKS.values()], ids=WEBHOOKS)
def test_operator_says_the_same(lint, change):
    """The finding is in the operator's own words: those that would stand in status."""
    raw = raw_webhook(**change)
    (said,) = lint(raw)
    try:
        webhook = read(Webhook, raw, strict=True)
    except InvalidObject as invalid:
        webhook = invalid
    finding = check_webhook(webhook, make_buildtrigger())
    assert (said["code"], said["message"]) == (finding.code, finding.message)


def test_all_problems_of_a_webhook_are_found(lint):
    """One look finds them all, whatever the operator says first, each of the right item of a list."""
    said = lint(
        raw_webhook(
            targetAction="Deploy",
            authentication="IP",
            duplicateWindow="5m",
            actionConfiguration={"ApiKey": "x", "Branch": "main", "Password": "x"},
            tags=[{"key": "a", "value": ""}, {"key": "a", "value": ""}, {"key": "aws:", "value": "é!"}],
            filters=[{"jsonPath": "$["}, {"jsonPath": "$.ref"}, {"jsonPath": "$.a", "matchEquals": "{Nobody}"}],
            parameters=[{"name": "A"}, {"name": "HOOKWRIGHT_X", "value": ""}, {"name": "B", "jsonPath": "$["}],
            more=1,
        )
    )
    fields = [one["message"].partition(": ")[0] for one in said]
    assert sorted(fields) == sorted(
        [
            "spec.more",
            "spec.authenticationConfiguration.secretTokenRef",
            "spec.tags[1]",
            "spec.tags[2]",
            "spec.duplicateWindow",
            "spec.actionConfiguration.ApiKey",
            "spec.actionConfiguration.Password",
            "spec.filters[0].jsonPath",
            "spec.filters[2].matchEquals",
            "spec.parameters[0]",
            "spec.parameters[1].name",
            "spec.parameters[2].jsonPath",
            "spec.targetAction",
        ]
    )


def test_all_problems_of_shape_are_found(lint):
    """Of an object of another shape every problem is said, with the code that each has."""
    said = lint(raw_webhook(filters="all", targetAction=5, without=["authenticationConfiguration"]))
    assert {one["code"] for one in said} == {VALIDATION, FILTER, AUTHENTICATION}
    assert len(said) == 3


TRIGGERS = {
    "a misspelt field": ({"source": {"repository": "a/b", "brnch": "x"}}, "spec.source.brnch"),
    "a short name": ({"projectName": "x"}, "spec.projectName"),
    "a short life": (
        {"build": {"jobTemplate": {"spec": {**JOB_SPEC, "ttlSecondsAfterFinished": 60}}}},
        "spec.build.jobTemplate.spec.ttlSecondsAfterFinished: 60",
    ),
    "no build": ({"build": {}}, "spec.build.jobTemplate: is required"),
}


@pytest.mark.parametrize(("change", "words"), TRIGGERS.values(), ids=TRIGGERS)
def test_each_problem_of_a_buildtrigger_is_found(lint, change, words):
    """What keeps a BuildTrigger from making builds is said of itself, and not of its Webhooks too."""
    raw = raw_buildtrigger(**change)
    (said,) = lint(raw_webhook(actionConfiguration={"Branch": "main"}), raw, target=False)
    assert (said["kind"], said["code"], words in said["message"]) == ("BuildTrigger", INPUT, True)


def test_all_problems_of_a_buildtrigger_are_found(lint):
    """One look finds the short life behind the misspelt field."""
    build = {"jobTemplate": {"spec": {**JOB_SPEC, "ttlSecondsAfterFinished": 60}}}
    assert len(lint(raw_buildtrigger(build=build, more=1, other=2), target=False)) == 3
    assert check_buildtrigger(make_buildtrigger(build=build), None).code == INPUT


SECRETS = {
    "no key": (raw_secret(key="other"), {}, "has no key token"),
    "an empty key": (raw_secret(value=b" \n"), {}, "is empty"),
    "another form": (raw_secret(), {"authentication": "STANDARD_WEBHOOKS"}, "whsec_"),
}


@pytest.mark.parametrize(("secret", "change", "words"), SECRETS.values(), ids=SECRETS)
def test_secret_in_the_files_is_checked(lint, secret, change, words):
    """A Secret that is in the files must have the key, and a secret of the form that the scheme needs."""
    (said,) = lint(raw_webhook(**change), secret, secret=False)
    assert (said["code"], words in said["message"]) == (AUTHENTICATION, True)
    assert SECRET.decode() not in str(said)


def test_each_secret_is_checked(lint):
    """Of several secrets each is checked by itself: what is wrong, and what is not there."""
    refs = [{"name": "b", "key": "token"}, {"name": "c", "key": "token"}]
    configuration = {"secretTokenRef": {"name": "hello-webhook", "key": "x"}, "additionalSecretTokenRefs": refs}
    said = lint(raw_webhook(authenticationConfiguration=configuration), raw_secret(name="c", value=b""))
    assert [(one["severity"], one["message"].partition(":")[0]) for one in said] == [
        ("finding", "spec.authenticationConfiguration.secretTokenRef.key"),
        ("note", "Secret b is not in the files, so that it was not checked"),
        ("finding", "spec.authenticationConfiguration.additionalSecretTokenRefs[1]"),
    ]


def test_inline_secret_of_the_wrong_form_is_found(lint):
    """A secret in the spec is checked as well, and not repeated."""
    configuration = {"secretToken": "no base64"}
    said = lint(raw_webhook(authentication="STANDARD_WEBHOOKS", authenticationConfiguration=configuration))
    assert codes(said) == [AUTHENTICATION]
    assert "no base64" not in str(said)


# ── siblings ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def named(name, **metadata):
    return raw_webhook(name="One", metadata={"name": name, "uid": name, **metadata})


def test_name_that_is_claimed_twice_is_found(lint):
    """Of Webhooks with one spec.name in a namespace all but the first, or the oldest, are refused."""
    said = lint(named("b"), named("a"), named("c"), named("d", namespace="other"))
    assert [(one["name"], one["code"]) for one in said if one["severity"] == "finding"] == [
        ("a", "ConcurrentModificationException"),
        ("c", "ConcurrentModificationException"),
    ]
    said = lint(named("b"), named("a", creationTimestamp="2026-05-01T11:00:00Z"))
    assert [one["name"] for one in said] == ["b"]


def test_header_that_the_scheme_refuses_hides_nothing_else(lint):
    """A deliveryIdHeader that its scheme does not take is one finding; what is wrong besides is said too."""
    scheme = {"authentication": "STANDARD_WEBHOOKS", "deliveryIdHeader": "X-Id"}
    said = lint(raw_webhook(**scheme, filters=[{"jsonPath": "$["}]), secret=False)
    assert sorted(codes(said)) == sorted([VALIDATION, FILTER])


def test_name_counts_although_another_field_is_misspelt(lint):
    """A Webhook with a misspelt field claims its name all the same."""
    wrong = named("a")
    wrong["spec"]["more"] = 1
    said = lint(wrong, named("b"))
    assert [(one["name"], one["code"]) for one in said] == [
        ("a", VALIDATION),
        ("b", "ConcurrentModificationException"),
    ]


def test_times_without_a_zone_are_taken(lint):
    """A creationTimestamp as YAML may write it, without a zone, can be compared with others."""
    said = lint(
        named("a", creationTimestamp=datetime(2026, 5, 2)),  # noqa: DTZ001 - that is the point
        named("b", creationTimestamp=date(2026, 5, 1)),
        named("c"),
    )
    assert [one["name"] for one in said] == ["a", "c"]


def test_webhooks_beyond_the_quota_are_found(lint):
    """More Webhooks in a namespace than --quota are refused, the later ones."""
    said = lint(*(raw_webhook(metadata={"name": n, "uid": n}) for n in "cab"), more=["--quota", "2"])
    assert [(one["name"], one["code"]) for one in said] == [("b", "LimitExceededException")]
    both = lint(named("a"), named("b"), more=["--quota", "1"])
    assert codes(both) == ["ConcurrentModificationException", "LimitExceededException"]


def test_object_that_is_there_twice_is_noted(lint):
    """Of an object that is there twice only the last counts, which is a note."""
    said = lint(raw_webhook(), raw_webhook(), raw_buildtrigger())
    assert [(one["kind"], one["severity"], one["code"]) for one in said] == [
        ("Webhook", "note", "Repeated"),
        ("BuildTrigger", "note", "Repeated"),
    ]


# ── warnings and notes ────────────────────────────────────────────────────────────────────────────────────────────────

INLINE = {"authenticationConfiguration": {"secretToken": "x"}}
THOUGHTS = {
    "an inline secret": ({**INLINE}, {}, "warning", "InlineSecret"),
    "open to all": ({**NOBODY, "filters": []}, {}, "warning", "Unfiltered"),
    "open to all addresses": (
        {"authentication": "IP", "authenticationConfiguration": {"allowedIPRange": "0.0.0.0/0"}, "filters": []},
        {},
        "warning",
        "Unfiltered",
    ),
    "open to all IPv6 addresses": (
        {"authentication": "IP", "authenticationConfiguration": {"allowedIPRange": "::/0"}, "filters": []},
        {},
        "warning",
        "Unfiltered",
    ),
    "no Secret": ({}, {"secret": False}, "note", "SecretNotFound"),
    "no target": ({"filters": []}, {"target": False}, "note", "TargetNotFound"),
}


@pytest.mark.parametrize(("change", "without", "severity", "code"), THOUGHTS.values(), ids=THOUGHTS)
def test_what_may_be_right_is_a_finding_only_when_strict(lint, change, without, severity, code):
    """What works, or stands in other files, is a warning or a note; --strict makes it a finding."""
    (said,) = lint(raw_webhook(**change), **without)
    assert (said["severity"], said["code"]) == (severity, code)
    (said,) = lint(raw_webhook(**change), **without, more=["--strict"])
    assert (said["severity"], said["code"]) == ("finding", code)


def test_unauthenticated_with_a_filter_is_no_warning(lint):
    """A filter is something that a stranger must know."""
    assert lint(raw_webhook(**NOBODY)) == []


def test_key_that_the_missing_target_may_bring_is_no_finding(lint):
    """A placeholder may come from a target that is not in the files."""
    said = lint(raw_webhook(), target=False)
    assert [one["severity"] for one in said] == ["note"]


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_line_names_file_object_and_code(capsys, tmp_path):
    """A line is FILE: Kind namespace/name: CODE: message, for each file its own, in their order."""
    folder = tmp_path / "in"
    folder.mkdir()
    first = write(folder / "1.yaml", raw_webhook(targetAction="X"), raw_secret())
    trigger = raw_buildtrigger(projectName="x")
    del trigger["metadata"]["namespace"]
    second = write(folder / "2.json", {"apiVersion": "v1", "kind": "List", "items": [trigger]})
    third = write(folder / "3.yml", raw_webhook(metadata={"name": "b", "uid": "b"}, **INLINE), raw_buildtrigger())
    ran = run(capsys, "lint", "-f", folder)
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[0].startswith(f"{first}: Webhook default/hello: {VALIDATION}: spec.targetAction: X")
    assert lines[1].startswith(f"{second}: BuildTrigger hello: {INPUT}: spec.projectName")
    assert lines[2].startswith(f"{third}: Webhook default/b: warning: InlineSecret: ")
    assert len(lines) == 3
    assert ran.err.endswith("findings: 2, warnings: 1, notes: 0\n")


def test_what_is_meant_as_ours_is_not_passed_over(lint):
    """Another version of our group, a kind that it does not have, and what lacks its version are findings."""
    said = lint(
        raw_webhook() | {"apiVersion": "hookwright.dev/v1"},
        raw_webhook() | {"kind": "WebHook"},
        {"kind": "Webhook", "metadata": {"name": "x"}},
        raw_webhook() | {"metadata": None},
        {"apiVersion": "other.dev/v1", "kind": "Webhook", "metadata": {"name": "x"}},
    )
    assert codes(said) == ["UnknownKind", "UnknownKind", "UnknownKind", "NoObject"]


@pytest.mark.parametrize("name", ["Hello", "a_b", "", "-a", "a" * 254, None, 5])
def test_names_that_kubernetes_does_not_take_are_found(lint, name):
    """A metadata.name that no API server takes is a finding."""
    said = lint(raw_webhook(metadata={"name": name}))
    assert any(one["message"].startswith("metadata.name: ") for one in said)


@pytest.mark.parametrize("spec", [None, 5, [], "x", {}])
def test_any_spec_is_survived(lint, spec):
    """Whatever stands where a spec should is a finding, and no traceback."""
    said = lint(raw_webhook() | {"spec": spec}, raw_buildtrigger() | {"spec": spec}, target=False)
    assert {one["kind"] for one in said} == {"Webhook", "BuildTrigger"}


def test_bad_file_is_a_usage_error(capsys, tmp_path):
    """A file that is no YAML, or is not there, is named, with exit code 2."""
    for file in (write(tmp_path / "bad.yaml", "a: [1"), tmp_path / "nowhere"):
        ran = run(capsys, "lint", "-f", file)
        assert (ran.code, ran.out, str(file) in ran.err) == (2, "", True)


def test_line_speaks_to_no_terminal(capsys, tmp_path):
    """What files hold cannot move a terminal's cursor, nor begin a line of its own."""
    file = write(tmp_path / "all.yaml", raw_webhook(targetAction="\x1b[2J\n", without=["filters"]))
    ran = run(capsys, "lint", "-f", file)
    assert [one for line in ran.out.splitlines() for one in line if not one.isprintable()] == []
    assert all(line.startswith(f"{file}: ") for line in ran.out.splitlines())
