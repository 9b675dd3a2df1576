"""From a raw object to a typed one: what is wrong comes out in the user's own words, and never with a secret."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.kinds import BuildTrigger, InvalidObject, Webhook, read
from support.objects import raw_buildtrigger, raw_webhook

HUSH = "hush-hush-0123456789"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def problems_of(kind, raw, **how):
    with pytest.raises(InvalidObject) as refused:
        read(kind, raw, **how)
    return refused.value


def test_message_names_field_and_value():
    """A problem says where it is and which value was found there."""
    invalid = problems_of(Webhook, raw_webhook(filters=[{"jsonPath": "$.ref", "matchEquals": 42}]))
    assert str(invalid) == "spec.filters[0].matchEquals: should be a valid string, not 42"


def test_bound_is_part_of_the_message():
    """A value that is too long is answered with the bound."""
    (problem,) = problems_of(Webhook, raw_webhook(targetAction="a" * 101)).problems
    assert "at most 100 characters" in problem.message


def test_long_value_is_cut():
    """A message repeats no more of a value than a line of a terminal holds."""
    (problem,) = problems_of(Webhook, raw_webhook(targetAction="a" * 5000)).problems
    assert len(problem.message) < 200


def test_every_problem_is_named():
    """All that is wrong is said at once."""
    invalid = problems_of(Webhook, raw_webhook(targetAction="", authentication="NONE", filters="all"))
    assert [p.field for p in invalid.problems] == ["spec.targetAction", "spec.authentication", "spec.filters"]


@pytest.mark.parametrize(
    "configuration",
    [
        HUSH,
        [HUSH],
        {"secretToken": {HUSH: HUSH}},
        {"secretToken": [HUSH]},
        {"secretToken": HUSH * 20},
        {"secretTokenRef": HUSH},
        {"secretTokenRef": {"name": [HUSH]}},
        {"secretTokenRef": {"name": "s", "key": f"{HUSH} {HUSH}"}},
    ],
)
def test_no_message_repeats_a_secret(configuration):
    """Whatever is wrong with authenticationConfiguration, the message holds none of its values."""
    invalid = problems_of(Webhook, raw_webhook(authenticationConfiguration=configuration))
    assert HUSH not in str(invalid)


@pytest.mark.parametrize("wrap", [lambda spec: [spec], lambda spec: {"filters": {**spec, "filters": []}}])
def test_no_message_repeats_what_a_secret_may_be_inside(wrap):
    """A part of the object that has another shape than it should is not printed: a secret may be in it."""
    spec = {"authenticationConfiguration": {"secretToken": HUSH}}
    assert HUSH not in str(problems_of(Webhook, {"metadata": {"name": "x"}, "spec": wrap(spec)}))


def test_fields_are_known_by_their_own_names_only():
    """The Python names of fields are not names of fields: the API server would drop them."""
    raw = raw_webhook(without=["targetAction"], target_action="Source")
    assert "spec.targetAction: is required" in str(problems_of(Webhook, raw))


def test_secret_under_a_python_name_is_not_repeated():
    """A secret under a misspelt field is no more repeated than one under the right one."""
    raw = raw_webhook(without=["authenticationConfiguration"], authentication_configuration={"secret_token": [HUSH]})
    assert HUSH not in str(problems_of(Webhook, raw, strict=True))


def test_unknown_fields_are_dropped():
    """A field that the kind does not have is no problem in an object from the API server, which prunes it."""
    assert read(Webhook, raw_webhook(colour="red"))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("spec.colour", {"colour": "red"}),
        ("spec.service_account_name", {"service_account_name": "builder"}),
        ("spec.targetPipeline.namespace", {"targetPipeline": {"name": "x", "namespace": "other"}}),
        ("spec.filters[0].matchEqual", {"filters": [{"jsonPath": "$.ref", "matchEqual": "x"}]}),
        ("spec.authenticationConfiguration.secretTokenReff", {"authenticationConfiguration": {"secretTokenReff": {}}}),
    ],
)
def test_unknown_fields_are_problems_in_files(field, changes):
    """Read strictly, a misspelt field of spec is named."""
    invalid = problems_of(Webhook, raw_webhook(**changes), strict=True)
    (problem,) = invalid.problems
    assert (problem.field, problem.unknown) == (field, True)


@pytest.mark.parametrize(
    ("meant", "changes"),
    [
        ("secretToken", {"authenticationConfiguration": {"secret_token": HUSH}}),
        ("serviceAccountName", {"service-account-name": "builder"}),
        ("matchEquals", {"filters": [{"jsonPath": "$.ref", "matchequals": "x"}]}),
    ],
)
def test_field_of_another_spelling_is_answered_with_the_right_one(meant, changes):
    """A field that is right but for case, _ and - is answered with the field that was meant."""
    (problem,) = problems_of(Webhook, raw_webhook(**changes), strict=True).problems
    assert problem.message.endswith(f"write {meant}")
    (problem,) = problems_of(Webhook, raw_webhook(colour="red"), strict=True).problems
    assert problem.message.endswith("(misspelt?)")


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        ("spec.targetPipeline: should be an object such as {name: 'hello'}, not 'hello'", {"targetPipeline": "hello"}),
        ("spec.targetPipeline: should be an object, not a list", {"targetPipeline": ["hello"]}),
        ("spec.actionConfiguration: should be an object, not 'a=b'", {"actionConfiguration": "a=b"}),
        ("spec.filters: should be a list, not 'all'", {"filters": "all"}),
        ("spec.filters: should have at most 5 items, not 6", {"filters": [{"jsonPath": "$.ref"}] * 6}),
    ],
)
def test_shapes_are_called_as_kubernetes_calls_them(said, changes):
    """A value of another shape is answered with object and list, and with how many may be there."""
    assert str(problems_of(Webhook, raw_webhook(**changes))) == said


def test_example_of_an_object_is_one():
    """A text is not shown inside an object whose one field takes no text."""
    (problem,) = problems_of(BuildTrigger, raw_buildtrigger(build="make")).problems
    assert problem.message == "should be an object, not 'make'"


def test_strict_reading_leaves_metadata_and_templates_alone():
    """What users may write freely is not checked for unknown fields: metadata, status and Job templates."""
    raw = raw_buildtrigger(metadata={"finalizers": ["x"]}, status={"anything": 1})
    raw["spec"]["build"]["jobTemplate"]["spec"]["whatever"] = {"a": [1]}
    assert read(BuildTrigger, raw, strict=True).spec.build.job_template.spec["whatever"] == {"a": [1]}


def test_metadata_of_an_invalid_object_is_kept():
    """An invalid object still says who it is and what its status was, so that its status can say what is wrong."""
    conditions = [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Listening",
            "message": "",
            "lastTransitionTime": "2026-05-01T12:00:00Z",
        }
    ]
    invalid = problems_of(Webhook, raw_webhook(filters="all", status={"url": "http://x", "conditions": conditions}))
    assert (invalid.metadata.name, invalid.metadata.generation) == ("hello", 1)
    assert invalid.found_status["url"] == "http://x"
    assert [condition.reason for condition in invalid.conditions] == ["Listening"]


@pytest.mark.parametrize("raw", [{}, {"spec": None}, {"metadata": 5}, {"metadata": {"name": 5}, "status": "x"}])
def test_object_without_any_shape_is_invalid(raw):
    """What has nothing that an object needs is invalid, no more."""
    assert problems_of(Webhook, raw, strict=True).problems
    assert problems_of(BuildTrigger, raw).conditions == []


@settings(max_examples=150, deadline=None)
@given(JSON, JSON, JSON)
def test_reading_raises_nothing_else(spec, metadata, status):
    """Whatever JSON an object is made of, reading it gives an object or InvalidObject."""
    for kind in (Webhook, BuildTrigger):
        for strict in (False, True):
            try:
                read(kind, {"spec": spec, "metadata": metadata, "status": status}, strict=strict)
            except InvalidObject as invalid:
                assert invalid.problems  # noqa: PT017 - either is right
