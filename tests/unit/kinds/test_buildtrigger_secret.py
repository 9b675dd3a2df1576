"""The name of the Secret that is made for a BuildTrigger."""

from __future__ import annotations

from hookwright.kinds import LIVE_SECRET_KEYS, PREVIOUS_SECRET_KEY, SECRET_KEY, BuildTrigger, read
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


def test_keys_are_distinct_and_the_newest_is_first():
    """Receivers try every live secret: the newest, the one before it, and older ones."""
    assert LIVE_SECRET_KEYS[:2] == (SECRET_KEY, PREVIOUS_SECRET_KEY)
    assert len(set(LIVE_SECRET_KEYS)) == len(LIVE_SECRET_KEYS)
