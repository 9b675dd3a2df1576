"""A build's name is decided by its delivery alone, and Kubernetes takes it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.builds.names import MAX_NAME, check_index, identify, name_build, name_wanted
from hookwright.kinds import JobTemplate
from support.objects import JOB_SPEC, make_wanted

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")  # RFC 1123
# UIDs and delivery ids as they can be: words without line breaks.
WORDS = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1, max_size=128)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=260)


def name(owner="hello", uid="u", delivery="d", index=0):
    return name_build(owner_name=owner, owner_uid=uid, delivery_id=delivery, index=index)


def test_name_stays_as_it_was():
    """A change of this value would start builds twice that were accepted before an upgrade."""
    assert name_wanted(make_wanted()) == "hello-b7af9d49261cb516e70e"


@settings(max_examples=200, deadline=None)
@given(owner=NAMES, uid=WORDS, delivery=WORDS, index=st.integers(0, 1000))
def test_name_is_a_label(owner, uid, delivery, index):
    """Whatever the owner and the delivery are called, the name is an RFC 1123 label of at most 63 characters."""
    found = name(owner, uid, delivery, index)
    assert LABEL.fullmatch(found)
    assert len(found) <= MAX_NAME == 63


@settings(max_examples=200, deadline=None)
@given(owner=NAMES, uid=WORDS, delivery=WORDS, index=st.integers(0, 1000))
def test_name_is_stable(owner, uid, delivery, index):
    """The same delivery has the same name whenever it is asked for."""
    assert name(owner, uid, delivery, index) == name(owner, uid, delivery, index)


@settings(max_examples=200, deadline=None)
@given(one=st.tuples(WORDS, WORDS, st.integers(0, 99)), other=st.tuples(WORDS, WORDS, st.integers(0, 99)))
def test_other_deliveries_have_other_names(one, other):
    """Another object, id or index makes another name, and another proof of origin."""
    names = [name("hello", *parts) for parts in (one, other)]
    assert (names[0] == names[1]) == (one == other)


@pytest.mark.parametrize(("one", "other"), [(("u", "d1", 1), ("u", "d", 11)), (("u1", "d", 0), ("u", "1d", 0))])
def test_parts_do_not_run_into_each_other(one, other):
    """Characters that move from one part to the next make another delivery."""
    assert name("hello", *one) != name("hello", *other)


@pytest.mark.parametrize(
    ("owner", "prefix"),
    [
        ("hello", "hello"),
        ("Hello.World", "hello-world"),
        ("-a-", "a"),
        ("...", "build"),
        ("", "build"),
        ("ü", "build"),
        ("a" * 100, "a" * 42),
        ("a" * 41 + ".b", "a" * 41),
    ],
)
def test_owner_stands_before_the_hash(owner, prefix):
    """People see in the name whose build it is."""
    assert re.fullmatch(rf"{prefix}-[0-9a-f]{{20}}", name(owner))


def test_owner_name_alone_does_not_tell_builds_apart():
    """An owner that was renamed by nobody is not needed for identity: its UID is."""
    assert name("a")[-20:] == name("b")[-20:]


def test_proof_of_origin_has_uid_index_and_id():
    """The annotation's text is that of one delivery only."""
    wanted = make_wanted(owner_uid="u", delivery_id="d/1", index=2)
    assert identify(wanted) == "u/2/d/1"
    assert identify(make_wanted(owner_uid="u", delivery_id="2/d/1")) == "u/0/2/d/1"


# ── Indexed Jobs ──────────────────────────────────────────────────────────────────────────────────────────────────────


def template(**spec):
    return JobTemplate.model_validate({"spec": {**JOB_SPEC, **spec}})


def indexed(completions):
    return template(completionMode="Indexed", completions=completions)


@settings(max_examples=200, deadline=None)
@given(owner=NAMES, completions=st.integers(1, 2**31 - 1))
def test_hostname_with_an_index_is_a_label_where_nothing_is_said(owner, completions):
    """What is not refused has a hostname of at most 63 characters for its last pod, and what is refused has not."""
    hostname = f"{name(owner)}-{completions - 1}"
    assert (check_index("Webhook", owner, indexed(completions)) is None) == (len(hostname) <= MAX_NAME)


@pytest.mark.parametrize(("completions", "longest"), [(1, 40), (10, 40), (11, 39), (100_001, 35)])
def test_name_that_is_too_long_for_an_index(completions, longest):
    """It is said how long the owner's name may be, and that is true."""
    said = check_index("Webhook", "o" * (longest + 1), indexed(completions))
    assert f"at most {longest} characters" in said
    assert check_index("Webhook", "o" * longest, indexed(completions)) is None


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"completions": 5},
        {"completionMode": "NonIndexed", "completions": 5},
        {"completionMode": "Indexed", "completions": 0},
        {"completionMode": "Indexed", "completions": "many"},
        {"parallelism": 2, "completions": 2, "template": {"metadata": {"labels": {"mode": "Indexed"}}}},
    ],
)
def test_other_jobs_are_the_api_servers_to_judge(spec):
    """A Job without indexes has no such hostnames, and what else is wrong is said by the dry run."""
    assert check_index("Webhook", "o" * 253, template(**spec)) is None


def test_index_without_completions():
    """An Indexed Job that does not say how many completes once."""
    assert check_index("Webhook", "o" * 41, template(completionMode="Indexed")) is not None
    assert check_index("Webhook", "o" * 40, template(completionMode="Indexed")) is None
