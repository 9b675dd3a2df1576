"""The name of the Secret that is made for a BuildTrigger."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.kinds import LIVE_SECRET_KEYS, PREVIOUS_SECRET_KEY, SECRET_KEY, BuildTrigger, read
from hookwright.kinds.texts import DNS_SUBDOMAIN
from support.running import make_buildtrigger


def name_of(name: str) -> str:
    """Give the Secret's name for a BuildTrigger of this name."""
    raw = make_buildtrigger()
    return read(BuildTrigger, {**raw, "metadata": {**raw["metadata"], "name": name}}).secret_name


def test_secret_is_named_after_the_buildtrigger():
    """Whoever knows the BuildTrigger finds its Secret."""
    assert name_of("hello") == "hello-hookwright"


def test_long_names_give_names_that_differ_and_fit():
    """Two names that differ in their last character have two Secrets, whose names are no longer than allowed."""
    names = {name_of("a" * 252 + last) for last in "ab"} | {name_of("a" * 242)}
    assert len(names) == 3
    assert max(map(len, names)) <= 253


LABELS = st.sampled_from(["a", "0", "a-a", "a--0", "a" * 7])


@given(st.lists(LABELS, min_size=1, max_size=130).map(lambda labels: ".".join(labels)[:253].rstrip("-.")))
def test_name_of_the_secret_is_one_that_kubernetes_takes(name):
    """Whatever a BuildTrigger may be called, its Secret can be made."""
    assert re.fullmatch(DNS_SUBDOMAIN, name_of(name))
    assert len(name_of(name)) <= 253


@pytest.mark.parametrize("last", [".", "-", "-.", "a"])
def test_name_that_is_cut_at_a_dot_stays_legal(last):
    """Where a long name is cut, nothing is left that may not stand before a dash."""
    name = ("a" * (221 - len(last)) + last).ljust(253, "b")
    assert re.fullmatch(DNS_SUBDOMAIN, name_of(name))


def test_keys_are_distinct_and_the_newest_is_first():
    """Receivers try every live secret: the newest, the one before it, and older ones."""
    assert LIVE_SECRET_KEYS[:2] == (SECRET_KEY, PREVIOUS_SECRET_KEY)
    assert len(set(LIVE_SECRET_KEYS)) == len(LIVE_SECRET_KEYS)
