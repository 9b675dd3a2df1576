"""A route is a checked Webhook: what is wrong with a spec is said once, with AWS's code, field, value and remedy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.intake.schemes.github_hmac import GithubHmac
from hookwright.intake.webhook_route import compile_webhook
from hookwright.kinds import BuildTrigger, Webhook
from support.objects import (
    SECRET,
    WEBHOOK_UID,
    make_buildtrigger,
    make_invalid,
    make_route,
    make_webhook,
    push,
    raw_buildtrigger,
    raw_webhook,
)

VALIDATION = "ValidationException"
FILTER = "InvalidWebhookFilterPatternException"
AUTHENTICATION = "InvalidWebhookAuthenticationParametersException"
REF = {"name": "s", "key": "k"}
REFUSED = {
    "an expression that is not treated as Jayway treats it": (
        {"filters": [{"jsonPath": "$.ref"}, {"jsonPath": "$.a.len()"}]},
        (FILTER, "spec.filters[1].jsonPath", ["$.a.len()"]),
    ),
    "an expression that is none": (
        {"filters": [{"jsonPath": "$["}]},
        (FILTER, "spec.filters[0].jsonPath", ["$["]),
    ),
    "a placeholder that nobody has a value for": (
        {"filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{branch}"}]},
        (FILTER, "spec.filters[0].matchEquals", ["{branch}", "Branch", "spec.actionConfiguration"]),
    ),
    "no secret at all": (
        {"authenticationConfiguration": {}},
        (AUTHENTICATION, "spec.authenticationConfiguration", ["secretTokenRef", "secretToken", "neither"]),
    ),
    "two secrets": (
        {"authenticationConfiguration": {"secretTokenRef": REF, "secretToken": "hush"}},
        (AUTHENTICATION, "spec.authenticationConfiguration", ["secretTokenRef", "secretToken", "both"]),
    ),
    "a Secret for nothing": (
        {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {"secretTokenRef": REF}},
        (AUTHENTICATION, "spec.authenticationConfiguration.secretTokenRef", ["UNAUTHENTICATED", "remove"]),
    ),
    "an inline secret for nothing": (
        {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {"secretToken": "hush"}},
        (AUTHENTICATION, "spec.authenticationConfiguration.secretToken", ["UNAUTHENTICATED", "remove"]),
    ),
    "an action that the target does not have": (
        {"targetAction": "Deploy"},
        (VALIDATION, "spec.targetAction", ["Deploy", "Source", "BuildTrigger hello"]),
    ),
    "a parameter from nothing": (
        {"parameters": [{"name": "A"}]},
        (VALIDATION, "spec.parameters[0]", ["A", "value, jsonPath and from", "0"]),
    ),
    "a parameter from two things": (
        {"parameters": [{"name": "A", "value": "x"}, {"name": "B", "value": "", "from": "deliveryId"}]},
        (VALIDATION, "spec.parameters[1]", ["B", "value, jsonPath and from", "2"]),
    ),
    "a reserved name": (
        {"parameters": [{"name": "HOOKWRIGHT_BUILD_ID", "value": "x"}]},
        (VALIDATION, "spec.parameters[0].name", ["HOOKWRIGHT_BUILD_ID", "choose another"]),
    ),
    "a name by which programs find code": (
        {"parameters": [{"name": "A", "value": "x"}, {"name": "BASH_ENV", "jsonPath": "$.a"}]},
        (VALIDATION, "spec.parameters[1].name", ["BASH_ENV", "code", "choose another", "owner of the target"]),
    ),
    "a name that is there twice": (
        {"parameters": [{"name": "A", "value": "x"}, {"name": "A", "value": "y"}]},
        (VALIDATION, "spec.parameters[1].name", ["A", "twice", "remove"]),
    ),
    "a parameter's expression that is refused": (
        {"parameters": [{"name": "A", "jsonPath": "$.a.len()"}]},
        (VALIDATION, "spec.parameters[0].jsonPath", ["$.a.len()"]),
    ),
}


@pytest.mark.parametrize(("changes", "expected"), REFUSED.values(), ids=REFUSED)
def test_refused_spec_has_code_field_and_remedy(changes, expected):
    """Each mistake in a spec becomes the route's problem: AWS's code, the field, the value, and what to do."""
    code, field, words = expected
    problem = make_route(**changes).problem
    assert (problem.code, problem.field) == (code, field)
    assert problem.message.startswith(f"{field}: ")
    assert [word for word in words if word not in problem.message] == []


@pytest.mark.parametrize(("changes", "_expected"), REFUSED.values(), ids=REFUSED)
def test_no_problem_repeats_a_secret(changes, _expected):
    """What is said of a spec does not hold the secret that is in it."""
    route = make_route(**changes)
    assert "hush" not in route.problem.message
    assert "hush" not in repr(route)


def test_right_spec_has_no_problem():
    """A right Webhook is ready to judge, with everything that a verdict needs."""
    route = make_route(serviceAccountName="builder", maxBodyBytes=1000, suspend=True)
    assert route.problem is None
    assert (route.namespace, route.name, route.uid) == ("default", "hello", WEBHOOK_UID)
    assert (route.suspend, route.max_body_bytes, route.service_account) == (True, 1000, "builder")
    assert (route.target.kind, route.target.name, route.target_exists) == ("BuildTrigger", "hello", True)
    assert [ref[:3] for ref in route.secret_refs] == [("default", "hello-webhook", "token")]
    assert isinstance(route.scheme, GithubHmac)


def test_inline_secret_is_kept_and_not_shown():
    """An inline secret is what deliveries are verified with, and no log line of a route holds it."""
    route = make_route(authenticationConfiguration={"secretToken": SECRET.decode()})
    assert (route.inline_secret, route.secret_refs) == (SECRET, ())
    assert SECRET.decode() not in repr(route)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("{Branch}", "main"),
        ("{BranchName}", "main"),
        ("{Owner}", "octo"),
        ("{Repo}", "hello"),
        ("{FullRepositoryId}", "octo/hello"),
        ("{Owner}/{Repo}@{Branch}", "octo/hello@main"),
    ],
)
def test_placeholders_come_from_the_target(key, value):
    """The keys of the target's source fill placeholders."""
    route = make_route(filters=[{"jsonPath": "$.ref", "matchEquals": key}])
    assert (route.tests[0](push(ref=value)), route.tests[0](push(ref=key))) == (True, False)


def test_owner_of_a_subgroup_is_all_before_the_last_slash():
    """A repository in a group of groups has the whole group as its owner."""
    target = make_buildtrigger(source={"repository": "group/sub/repo"})
    route = make_route(target, filters=[{"jsonPath": "$.ref", "matchEquals": "{Owner}|{Repo}"}])
    assert route.tests[0](push(ref="group/sub|repo"))


def test_own_configuration_goes_before_the_target():
    """A key of actionConfiguration hides the target's."""
    route = make_route(actionConfiguration={"Branch": "own"})
    assert (route.tests[0](push(ref="refs/heads/own")), route.tests[0](push())) == (True, False)


def test_unknown_placeholder_with_a_missing_target_is_no_problem_yet():
    """The target may bring the key, so that nothing is said until it is there."""
    route = make_route(missing=True, filters=[{"jsonPath": "$.ref", "matchEquals": "{Later}"}])
    assert (route.problem, route.tests, route.values, route.target_exists) == (None, None, None, False)


def test_target_without_a_source_has_no_branch():
    """A target that is there and has no branch makes {Branch} a mistake."""
    assert make_route(make_buildtrigger(source={})).problem.code == FILTER


def test_filters_without_placeholders_need_no_target():
    """A Webhook whose filters need nothing of the target judges as well without it."""
    route = make_route(missing=True, filters=[{"jsonPath": "$.ref", "matchEquals": "refs/heads/main"}])
    assert (route.tests[0](push()), route.target_exists) == (True, False)


def test_unknown_placeholder_names_the_known_ones():
    """Who mistypes a key sees which there are."""
    route = make_route(make_buildtrigger(source={}), actionConfiguration={"Zone": "z", "Area": "a"})
    assert "known keys: Area, Zone" in route.problem.message
    assert "known keys: none" in make_route(make_buildtrigger(source={})).problem.message


def test_target_may_name_its_source_action():
    """The annotation of the target says which targetAction is right."""
    target = make_buildtrigger(metadata={"annotations": {"hookwright.dev/source-action": "Pull"}})
    assert make_route(target, targetAction="Pull").problem is None
    problem = make_route(target, targetAction="Source").problem
    assert (problem.code, "Pull" in problem.message) == (VALIDATION, True)


def test_action_is_not_checked_without_a_target():
    """While the target is missing nobody knows its action."""
    assert make_route(missing=True, targetAction="Anything").problem is None


def test_route_of_a_refused_spec_still_names_its_object():
    """A problem leaves who the object is, so that a delivery to it can be answered and reported."""
    route = make_route(filters=[{"jsonPath": "$["}])
    assert (route.namespace, route.name, route.uid) == ("default", "hello", WEBHOOK_UID)
    assert (route.target.name, route.target_exists) == ("hello", True)


def test_route_of_a_refused_spec_knows_the_values():
    """What the placeholders stand for is known although another filter is refused."""
    route = make_route(filters=[{"jsonPath": "$["}], actionConfiguration={"Own": "x"})
    assert dict(route.values) == {
        "Own": "x",
        "Branch": "main",
        "BranchName": "main",
        "FullRepositoryId": "octo/hello",
        "Owner": "octo",
        "Repo": "hello",
    }


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"filters": "all"}, FILTER, "spec.filters"),
        ({"filters": [{"jsonPath": "x" * 151}]}, FILTER, "spec.filters[0].jsonPath"),
        ({"authenticationConfiguration": 5}, AUTHENTICATION, "spec.authenticationConfiguration"),
        ({"targetAction": ""}, VALIDATION, "spec.targetAction"),
        ({"authentication": "ip"}, AUTHENTICATION, "spec.authentication"),
        ({"targetPipeline": "hello"}, "PipelineNotFoundException", "spec.targetPipeline"),
    ],
)
def test_object_of_another_shape_has_a_code_too(changes, code, field):
    """What the API server's schema should have refused is refused here, with AWS's code."""
    invalid = make_invalid(Webhook, raw_webhook(**changes))
    for target in (make_buildtrigger(), None):
        route = compile_webhook(invalid, target)
        assert (route.problem.code, route.problem.field) == (code, field)
        assert (route.name, route.uid, route.target_exists) == ("hello", WEBHOOK_UID, target is not None)


def test_target_of_another_shape_says_nothing():
    """A target that cannot be read has no values for placeholders, and starts nothing."""
    invalid = make_invalid(BuildTrigger, raw_buildtrigger(projectName=""))
    route = compile_webhook(make_webhook(), invalid)
    assert (route.problem, route.target_exists, route.tests) == (None, False, None)


NEARLY = st.text("$.@[]()?*:'\"=!<>&|0-9ab, ", min_size=1, max_size=30).map("$".__add__)
EXPRESSIONS = st.text(min_size=1, max_size=60) | NEARLY


@settings(max_examples=200, deadline=None)
@given(
    json_path=EXPRESSIONS, match_equals=st.none() | st.text("{}Ab/-", min_size=1, max_size=20), missing=st.booleans()
)
def test_no_text_in_a_spec_raises(json_path, match_equals, missing):
    """Whatever stands in a filter or a parameter, the route is ready to judge or has a problem that names the field."""
    rule = {"jsonPath": json_path} | ({"matchEquals": match_equals} if match_equals is not None else {})
    for changes in ({"filters": [rule]}, {"filters": [], "parameters": [{"name": "A", "jsonPath": json_path}]}):
        problem = make_route(missing=missing, **changes).problem
        assert problem is None or problem.message.startswith(("spec.filters[0].", "spec.parameters[0]."))
