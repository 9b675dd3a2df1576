"""AWS's rules for a Webhook: each refusal has AWS's code, the field, the value, the limit and what to do."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.cluster.claims import Standing
from hookwright.errors import InvalidSpec
from hookwright.intake import rules
from hookwright.intake.rules import (
    CONCURRENT_MODIFICATION,
    INVALID_AUTHENTICATION,
    INVALID_FILTER,
    INVALID_TAGS,
    LIMIT_EXCEEDED,
    PIPELINE_NOT_FOUND,
    TOO_MANY_TAGS,
    VALIDATION,
    check_action,
    check_rules,
    check_standing,
)
from hookwright.intake.webhook_route import compile_webhook, describe_shape
from hookwright.kinds import MAX_TAGS, Webhook, crd
from hookwright.reconcile.checks import check_webhook
from support.cel import broken
from support.objects import make_buildtrigger, make_invalid, make_route, make_webhook, raw_webhook

SCHEMA = crd(Webhook)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
REF = {"secretTokenRef": {"name": "a"}}


def refusal(check, *arguments):
    with pytest.raises(InvalidSpec) as refused:
        check(*arguments)
    return refused.value


def tag(key, value=""):
    return {"key": key, "value": value}


# Spec, code, field, and what the message says behind the field: value, limit, remedy.
REFUSED = [
    (
        {"authenticationConfiguration": {}},
        INVALID_AUTHENTICATION,
        "spec.authenticationConfiguration",
        ["GITHUB_HMAC", "either secretTokenRef or secretToken", "neither"],
    ),
    (
        {"authenticationConfiguration": {**REF, "secretToken": "hush"}},
        INVALID_AUTHENTICATION,
        "spec.authenticationConfiguration",
        ["there are both"],
    ),
    (
        {"authentication": "UNAUTHENTICATED"},
        INVALID_AUTHENTICATION,
        "spec.authenticationConfiguration.secretTokenRef",
        ["UNAUTHENTICATED takes no properties", "remove it"],
    ),
    (
        {"authentication": "IP", "authenticationConfiguration": {}},
        INVALID_AUTHENTICATION,
        "spec.authenticationConfiguration.allowedIPRange",
        ["IP needs it"],
    ),
    (
        {"authentication": "HMAC", "authenticationConfiguration": {**REF, "header": "X-S", "toleranceSeconds": 60}},
        INVALID_AUTHENTICATION,
        "spec.authenticationConfiguration.toleranceSeconds",
        ["timestampHeader", "add that"],
    ),
    (
        {"tags": [tag(f"k{n}") for n in range(MAX_TAGS + 1)]},
        TOO_MANY_TAGS,
        "spec.tags",
        ["51", "at most 50", "remove some"],
    ),
    ({"tags": [tag("aws:x")]}, INVALID_TAGS, "spec.tags[0]", ["aws:x", "reserved", "choose another"]),
    ({"deliveryIdHeader": "Authorization"}, VALIDATION, "spec.deliveryIdHeader", ["Authorization", "proves", "name"]),
    ({"tags": [tag("AWS:x")]}, INVALID_TAGS, "spec.tags[0]", ["AWS:x", "reserved"]),
    (
        {
            "authentication": "STANDARD_WEBHOOKS",
            "authenticationConfiguration": {"secretToken": "whsec_a2V5"},
            "deliveryIdHeader": "X-Id",
        },
        VALIDATION,
        "spec.deliveryIdHeader",
        ["X-Id", "webhook-id", "remove"],
    ),
    ({"tags": [tag("a"), tag("aws:")]}, INVALID_TAGS, "spec.tags[1]", ["aws:", "choose another"]),
    ({"tags": [tag("a"), tag("b"), tag("a")]}, INVALID_TAGS, "spec.tags[2]", ["a", "twice", "remove one"]),
    ({"tags": [tag("a#b")]}, INVALID_TAGS, "spec.tags[0]", ["a#b", "letters, digits, blanks and _.:/=+-@ only"]),
    ({"tags": [tag("a", "x;y")]}, INVALID_TAGS, "spec.tags[0]", ["a", "in key and value"]),
    ({"tags": [tag("a", "\n")]}, INVALID_TAGS, "spec.tags[0]", ["in key and value"]),
    (
        {"targetPipeline": {"kind": "CronJob", "name": "n"}},
        VALIDATION,
        "spec.targetPipeline.apiVersion",
        ["hookwright.dev/v1alpha1", "a CronJob has batch/v1", "write that"],
    ),
    (
        {"targetPipeline": {"apiVersion": "batch/v1", "name": "n"}},
        VALIDATION,
        "spec.targetPipeline.apiVersion",
        ["batch/v1", "a BuildTrigger has hookwright.dev/v1alpha1"],
    ),
    ({"duplicateWindow": "59m"}, VALIDATION, "spec.duplicateWindow", ["59m", "at least 1h", "at most 72h"]),
    ({"duplicateWindow": "0h59m59s"}, VALIDATION, "spec.duplicateWindow", ["0h59m59s", "at least 1h"]),
    ({"duplicateWindow": "72h1s"}, VALIDATION, "spec.duplicateWindow", ["72h1s", "at most 72h"]),
    (
        {"actionConfiguration": {"Branch": "main", "OAuthToken": "hush"}},
        VALIDATION,
        "spec.actionConfiguration.OAuthToken",
        ["named like a secret", "remove it"],
    ),
]


@pytest.mark.parametrize(("spec", "code", "field", "told"), REFUSED, ids=lambda value: str(value)[:60])
def test_refusal_has_code_field_value_and_remedy(spec, code, field, told):
    """What AWS refuses is refused with AWS's code, and the message begins with the field."""
    error = refusal(check_rules, make_webhook(**spec))
    assert (error.code, error.field) == (code, field)
    assert error.message.startswith(f"{field}: ")
    for part in told:
        assert part in error.message.removeprefix(f"{field}: ")
    assert "hush" not in error.message


@pytest.mark.parametrize(("spec", "code", "field", "told"), REFUSED, ids=lambda value: str(value)[:60])
def test_route_of_what_is_refused_judges_nothing(spec, code, field, told):
    """What the rules refuse is the problem of the route, so that the receiver refuses the same."""
    problem = make_route(**spec).problem
    assert (problem.code, problem.field) == (code, field)
    assert problem.message == refusal(check_rules, make_webhook(**spec)).message


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"tags": [tag(f"k{n}") for n in range(MAX_TAGS)]},
        {"tags": [tag("Straße 1", "a@b"), tag("A"), tag("a"), tag("_.:/=+-@"), tag("x" * 128, "y" * 256)]},
        {"tags": [tag("x-aws:"), tag("aws"), tag("東京", "١٢")]},
        {"duplicateWindow": "1h"},
        {"duplicateWindow": "72h"},
        {"duplicateWindow": "60m"},
        {"duplicateWindow": "3600s"},
        {"duplicateWindow": "71h60m"},
        {"targetPipeline": {"apiVersion": "batch/v1", "kind": "CronJob", "name": "n"}},
        {"actionConfiguration": {"Branch": "main", "Owner": "octo"}},
    ],
)
def test_what_is_right_is_taken(spec):
    """At its bounds a Webhook is right, to the operator and to the rules of the CRD."""
    check_rules(make_webhook(**spec))
    assert refused_at_apply(raw_webhook(**spec)["spec"]) == []


# ── the object and its siblings, and its target ───────────────────────────────────────────────────────────────────


def test_name_that_is_taken_is_a_concurrent_modification():
    """Of two objects with one name the younger is told which the other is."""
    error = refusal(check_standing, make_webhook(name="My@Hook"), Standing(name_holder="older"))
    assert (error.code, error.field) == (CONCURRENT_MODIFICATION, "spec.name")
    assert error.message.startswith("spec.name: My@Hook: ")
    assert "Webhook older" in error.message
    assert "change one" in error.message


def test_name_is_that_of_the_object_where_none_is_given():
    """Without spec.name the value in the message is metadata.name."""
    assert "spec.name: hello: " in refusal(check_standing, make_webhook(), Standing(name_holder="older")).message


def test_one_too_many_is_beyond_the_limit():
    """Whoever is beyond the quota is told the limit, and how to raise it."""
    error = refusal(check_standing, make_webhook(), Standing(quota=300))
    assert (error.code, error.field) == (LIMIT_EXCEEDED, "metadata.namespace")
    for part in ("metadata.namespace: default ", "300", "delete one", "HOOKWRIGHT_WEBHOOK_QUOTA"):
        assert part in error.message


def test_good_standing_is_taken():
    """Whose name is its own, and who is within the quota, is not refused."""
    check_standing(make_webhook(), Standing())


def test_standing_is_looked_at_first():
    """Who has no place of its own is told that, whatever else is wrong with it."""
    route = compile_webhook(make_webhook(tags=[tag("aws:x")]), make_buildtrigger(), Standing(quota=1))
    assert route.problem.code == LIMIT_EXCEEDED


def test_action_is_that_of_the_target():
    """Another source action than the target's is refused, with its name."""
    target = make_buildtrigger(metadata={"annotations": {"hookwright.dev/source-action": "Checkout"}})
    check_action(make_webhook(targetAction="Checkout"), target)
    error = refusal(check_action, make_webhook(targetAction="source"), target)
    assert (error.code, error.field) == (VALIDATION, "spec.targetAction")
    assert error.message == (
        "spec.targetAction: source: the source action of BuildTrigger hello is Checkout; write that"
    )


# ── AWS's codes ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_code_of_aws_is_given():
    """No code is there that nothing gives: these are the errors of PutWebhook, and its pipeline's absence."""
    given_codes = {code for _, code, _, _ in REFUSED}
    given_codes |= {CONCURRENT_MODIFICATION, LIMIT_EXCEEDED}  # above
    given_codes.add(make_route(filters=[{"jsonPath": "$.["}]).problem.code)
    given_codes.add(check_webhook(make_webhook(filters=[]), None, ()).code)
    known = {value for name, value in vars(rules).items() if name.isupper() and str(value).endswith("Exception")}
    assert given_codes == known
    assert {INVALID_FILTER, PIPELINE_NOT_FOUND} <= known


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"filters": [{"jsonPath": "$"}] * 6}, INVALID_FILTER),
        ({"filters": [{"jsonPath": "$" * 151}]}, INVALID_FILTER),
        ({"authenticationConfiguration": {"secretTokenRef": {"name": "A"}}}, INVALID_AUTHENTICATION),
        ({"authenticationConfiguration": {**REF, "toleranceSeconds": 0}}, INVALID_AUTHENTICATION),
        ({"tags": [{"key": "x" * 129, "value": ""}]}, VALIDATION),
        ({"name": "a b"}, VALIDATION),
        ({"authentication": "NONE"}, INVALID_AUTHENTICATION),
        ({"targetPipeline": "hello"}, PIPELINE_NOT_FOUND),
    ],
)
def test_what_the_schema_refuses_has_a_code_too(spec, code):
    """An object that came in without the schema is refused with the code of the field that is wrong."""
    problem = describe_shape(make_invalid(Webhook, raw_webhook(**spec)))
    assert problem.code == code
    assert problem.message.startswith(f"{problem.field}: ")


# ── the CEL rules say the same ────────────────────────────────────────────────────────────────────────────────────


def refused_at_apply(spec, *, about=""):
    """Give the messages of the CRD's rules that do not hold for a spec, those of its members too."""
    properties = SCHEMA["properties"]
    found = broken(SCHEMA, spec, about=about)
    # The API server sets the defaults first.
    target = {
        name: one["default"] for name, one in properties["targetPipeline"]["properties"].items() if "default" in one
    }
    found += broken(properties["targetPipeline"], target | spec["targetPipeline"])
    for one in spec.get("tags", []):
        found += broken(properties["tags"]["items"], one)
    for one in spec.get("parameters", []):
        found += broken(properties["parameters"]["items"], one)
    return found


@pytest.mark.parametrize(("spec", "code", "field", "told"), REFUSED, ids=lambda value: str(value)[:60])
def test_rules_of_the_crd_refuse_the_same(spec, code, field, told):
    """What the operator refuses the API server refuses at apply, with the same code and about the same field."""
    found = refused_at_apply(raw_webhook(**spec)["spec"])
    if "twice" in told:
        assert found == []  # a map's keys are unique in Kubernetes: `x-kubernetes-list-map-keys`
        return
    # A rule about the members of a list or a map names the list or the map.
    outer = re.sub(r"\[\d+\]", "", field).replace(".OAuthToken", "")
    assert any(message.startswith(f"{code}: {outer}") for message in found), found


def is_taken(**spec):
    try:
        check_rules(make_webhook(**spec))
    except InvalidSpec:
        return False
    return True


# Characters that RE2 and Python know alike: their tables of Unicode are of different years.
OLD = st.characters(max_codepoint=0x24F) | st.sampled_from("東京ΩЯ١٢\u2003\u2028\u3000\ufeff\u200b€😀½Ⅷ")


@settings(max_examples=150, deadline=None)
@given(key=st.text(OLD, min_size=1, max_size=12), value=st.text(OLD, max_size=12))
def test_tags_are_judged_alike(key, value):
    """A tag is taken by the operator if and only if the API server takes it."""
    if any(unicodedata.category(character) == "Cs" for character in key + value):
        return  # no JSON holds one
    tags = [tag(key, value)]
    assert is_taken(tags=tags) == (refused_at_apply(raw_webhook(tags=tags)["spec"], about="self.tags") == [])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["h", "m", "s"]), min_size=1, max_size=3, unique=True).map(sorted),
    st.lists(st.integers(0, 9999), min_size=3, max_size=3),
)
def test_windows_are_judged_alike(units, numbers):
    """A duration is taken by the operator if and only if the API server takes it."""
    spec = {"duplicateWindow": "".join(f"{number}{unit}" for unit, number in zip(units, numbers, strict=False))}
    assert is_taken(**spec) == (refused_at_apply(raw_webhook(**spec)["spec"], about="duplicateWindow") == [])


NAMES = [
    "Branch",
    "Token",
    "secret",
    "PASSWORD",
    "Passw",
    "credentials",
    "privateKey",
    "ApiKey",
    "Key",
    "toke",
    "Tok_en",
]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(NAMES) | st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True), max_size=4))
def test_keys_named_like_secrets_are_judged_alike(keys):
    """A key of the action's configuration is taken by the operator if and only if the API server takes it."""
    spec = {"actionConfiguration": dict.fromkeys(keys, "x")}
    assert is_taken(**spec) == (refused_at_apply(raw_webhook(**spec)["spec"], about="actionConfiguration") == [])


@pytest.mark.parametrize("kind", ["BuildTrigger", "CronJob", None])
@pytest.mark.parametrize("api_version", ["hookwright.dev/v1alpha1", "batch/v1", None])
def test_kinds_of_targets_are_judged_alike(kind, api_version):
    """Kind and API version of a target belong together, to the operator and to the API server."""
    target = {"name": "n", "kind": kind, "apiVersion": api_version}
    spec = {"targetPipeline": {name: value for name, value in target.items() if value is not None}}
    assert is_taken(**spec) == (refused_at_apply(raw_webhook(**spec)["spec"]) == [])


@pytest.mark.parametrize("value", [None, "", "x"])
@pytest.mark.parametrize("json_path", [None, "$.a"])
@pytest.mark.parametrize("source", [None, "deliveryId"])
@pytest.mark.parametrize("name", ["A", "HOOKWRIGHT_A", "HOOKWRIGHT", "hookwright_a", "PATH", "Git_X"])
def test_parameters_are_judged_alike(value, json_path, source, name):
    """A parameter has one value, and no name of ours or of code, to the operator and to the API server."""
    given_members = {"value": value, "jsonPath": json_path, "from": source}
    parameter = {"name": name} | {key: text for key, text in given_members.items() if text is not None}
    route = make_route(parameters=[parameter])
    assert (route.problem is None) == (refused_at_apply(raw_webhook(parameters=[parameter])["spec"]) == [])
