"""What is at a key of a Secret: one state for whatever is there, and the value's very bytes if it can be used."""

from __future__ import annotations

import base64
import json
import tracemalloc
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.cluster.secret_values import (
    CLOCKS_DIFFER,
    GOOD_UNTIL,
    MADE_FOR,
    FoundSecret,
    SecretCopy,
    SecretState,
    judge_secret,
    measure_copy,
    name_owners,
)
from support.objects import NOON, TRIGGER_UID, make_buildtrigger

VALUES = st.none() | st.text(max_size=60) | st.binary(max_size=60).map(lambda value: base64.b64encode(value).decode())
# What no API server shows, and a broken one might.
STRANGE = st.integers() | st.booleans() | st.lists(st.text(max_size=3), max_size=2)
KEYS = st.sampled_from(["token", "password", "a.b", ""])


@given(value=st.binary(max_size=200))
def test_bytes_are_given_as_they_are(value):
    """A secret is the bytes that the user wrote, newlines and all; blanks alone are no secret."""
    found = judge_secret({"data": {"token": base64.b64encode(value).decode()}}, "token")
    if value.strip():
        assert (found.state, found.values) == (SecretState.USABLE, (value,))
    else:
        assert (found.state, found.values) == (SecretState.EMPTY, ())


@given(data=st.none() | st.dictionaries(KEYS, VALUES | STRANGE, max_size=4), key=KEYS)
def test_whatever_is_there_has_a_state(data, key):
    """Nothing in a Secret raises; there are values exactly if they can be used, and none shows when it is printed."""
    found = judge_secret({"data": data}, key)
    value = (data or {}).get(key)
    assert (found.state is SecretState.NO_KEY) == (value is None)
    assert (found.state is SecretState.USABLE) == bool(found.values)
    assert all(one.strip() for one in found.values)
    assert repr(found) == f"FoundSecret(state={found.state!r})"


@given(data=st.none() | st.dictionaries(KEYS, VALUES, max_size=4), keys=st.lists(KEYS, max_size=6))
def test_copy_judges_as_the_secret_does(data, keys):
    """A copy says the same as the Secret it was made of, however often it is asked; it has a size."""
    secret = {"metadata": {"name": "hello"}, "data": data}
    copy = SecretCopy.of(secret)
    assert [copy.judge(key) for key in keys] == [judge_secret(secret, key) for key in keys]
    assert measure_copy(copy) >= sum(len(value or "") for value in (data or {}).values())


@given(key=KEYS)
def test_what_does_not_exist_or_may_not_be_read_is_said(key):
    """A Secret that is not there, and one that may not be read, are that at every key."""
    assert judge_secret(None, key).state is SecretCopy.of(None).judge(key).state is SecretState.NO_SECRET
    assert SecretCopy(data=None, forbidden=True).judge(key).state is SecretState.FORBIDDEN


OWNER = {"apiVersion": "hookwright.dev/v1alpha1", "kind": "BuildTrigger", "name": "hello", "uid": TRIGGER_UID}
FOREIGN = {
    "nobody's": {},
    "another's": {"ownerReferences": [OWNER | {"uid": "another"}]},
    "of another kind": {"ownerReferences": [OWNER | {"kind": "Webhook"}]},
    "of another group": {"ownerReferences": [OWNER | {"apiVersion": "example.com/v1"}]},
    "meant for another": {"annotations": {MADE_FOR: "another"}},
    "meant for nobody": {"annotations": {MADE_FOR: ""}},
}


@pytest.mark.parametrize("metadata", FOREIGN.values(), ids=FOREIGN)
def test_secret_that_is_for_somebody_else_is_not_given(metadata):
    """Who asks for a Secret that is for a BuildTrigger does not get one that does not say so."""
    copy = SecretCopy.of({"metadata": metadata, "data": {"secret": "eA=="}})
    assert copy.judge("secret", name_owners(make_buildtrigger())) == FoundSecret(state=SecretState.FOREIGN)
    assert copy.judge("secret").values == (b"x",)


@pytest.mark.parametrize("metadata", [{"ownerReferences": [OWNER]}, {"annotations": {MADE_FOR: "hello"}}])
def test_secret_that_says_for_whom_it_is_is_given_to_them(metadata):
    """A Secret that was made for a BuildTrigger, or that a user meant for it, is its secret."""
    copy = SecretCopy.of({"metadata": metadata, "data": {"secret": "eA=="}})
    assert copy.judge("secret", name_owners(make_buildtrigger())).values == (b"x",)


MOMENT = timedelta(microseconds=1)
PATIENT = NOON + CLOCKS_DIFFER


@pytest.mark.parametrize(
    ("until", "now", "is_good"),
    [
        ("2026-05-01T12:00:00Z", NOON - MOMENT, True),
        ("2026-05-01T12:00:00Z", PATIENT - MOMENT, True),
        ("2026-05-01T12:00:00Z", PATIENT, False),
        ("2026-05-01T14:00:00+02:00", PATIENT, False),
        ("2026-05-01T12:00:00", PATIENT, False),
        ("0001-01-01T00:00:00+14:00", NOON, False),
        ("9999-12-31T23:59:59-14:00", PATIENT, True),
        ("", PATIENT, True),
        ("tomorrow", PATIENT, True),
    ],
)
@pytest.mark.parametrize("key", GOOD_UNTIL)
def test_old_secret_ends_at_its_time(key, until, now, is_good):
    """An old secret is none for its BuildTrigger a minute after its end, whoever should have taken it away."""
    owners = name_owners(make_buildtrigger())
    metadata = {"ownerReferences": [OWNER], "annotations": {GOOD_UNTIL[key]: until}}
    copy = SecretCopy.of({"metadata": metadata, "data": dict.fromkeys(["secret", *GOOD_UNTIL], "eA==")})
    assert copy.judge(key, owners, now=now).state is (SecretState.USABLE if is_good else SecretState.NO_KEY)
    # Who asks for the key of a Secret, whosever it is, and when nobody says, gets what is there.
    assert copy.judge(key, now=now).values == copy.judge(key, owners).values == (b"x",)
    others = {"secret", *GOOD_UNTIL} - {key}
    assert all(copy.judge(other, owners, now=now).values == (b"x",) for other in others)


@pytest.mark.parametrize(
    "secret",
    [
        {"metadata": {"annotations": dict.fromkeys(GOOD_UNTIL.values(), "2026-05-01T12:00:00Z")}},
        {"data": {f"k{number}": "" for number in range(10_000)}},
        {"data": {"token": "eA==" * 10_000}},
        {
            "metadata": {
                "ownerReferences": [
                    {"kind": "BuildTrigger", "apiVersion": "hookwright.dev/v1", "uid": str(number)}
                    for number in range(5_000)
                ]
            }
        },
    ],
    ids=["ends", "keys", "value", "owners"],
)
def test_copy_is_measured_as_it_weighs(secret):
    """What a copy is reckoned to take is no less than what it takes, of whatever many small parts it is."""
    text = json.dumps(secret)
    tracemalloc.start()
    try:
        copy = SecretCopy.of(json.loads(text))
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken <= measure_copy(copy) <= 3 * taken + 2_000
