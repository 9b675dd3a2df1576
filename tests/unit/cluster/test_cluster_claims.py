"""Who has a name, and who is beyond the quota."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.cluster.claims import GOOD_STANDING, MAX_TOLD, Claims, Standing
from hookwright.kinds import Webhook
from support.objects import NOON, make_invalid, make_webhook, raw_webhook

QUOTA = 3


def webhook(name, *, claims=None, age=0, uid=None, namespace="default", going=False):
    """Give a Webhook that is `age` hours old."""
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": uid or f"uid-{name}",
        "creationTimestamp": (NOON - timedelta(hours=age)).isoformat(),
    }
    if going:
        metadata["deletionTimestamp"] = NOON.isoformat()
    return make_webhook(metadata=metadata, **({"name": claims} if claims else {}))


def stand(claims, name):
    return claims.standing("default", name)


def test_one_alone_stands_well():
    """A Webhook without siblings has its name and its place."""
    claims = Claims(quota=QUOTA)
    assert claims.put(webhook("a")) == []
    assert stand(claims, "a") is GOOD_STANDING


def test_oldest_has_the_name():
    """Of two that claim a name, by spec.name or by metadata.name, the older has it, whoever came first to us."""
    claims = Claims(quota=QUOTA)
    claims.put(webhook("young", claims="Deploy"))
    assert claims.put(webhook("old", claims="Deploy", age=1)) == ["young"]
    assert stand(claims, "young") == Standing(name_holder="old")
    assert stand(claims, "old") is GOOD_STANDING
    claims.put(webhook("Deploy".lower(), age=2))
    assert stand(claims, "deploy") is GOOD_STANDING


def test_uid_decides_between_twins():
    """Of two that were made in the same second the one with the smaller UID has the name."""
    claims = Claims(quota=QUOTA)
    claims.put(webhook("b", claims="X", uid="1"))
    claims.put(webhook("a", claims="X", uid="2"))
    assert stand(claims, "a") == Standing(name_holder="b")


@pytest.mark.parametrize("free", ["removed", "renamed", "going"])
def test_name_that_becomes_free_goes_to_the_next(free):
    """When its holder goes, or takes another name, the next oldest has the name, and all who wait are told."""
    claims = Claims(quota=QUOTA)
    claims.put(webhook("old", claims="X", age=2))
    claims.put(webhook("mid", claims="X", age=1))
    claims.put(webhook("new", claims="X"))
    match free:
        case "removed":
            told = claims.remove("default", "old")
        case "renamed":
            told = claims.put(webhook("old", claims="Y", age=2))
        case _:
            told = claims.put(webhook("old", claims="X", age=2, going=True))
    assert set(told) == {"mid", "new"}
    assert stand(claims, "mid") is GOOD_STANDING
    assert stand(claims, "new") == Standing(name_holder="mid")


def test_youngest_are_beyond_the_quota():
    """A namespace has places for the oldest; the youngest gets one when an older one goes, and is told."""
    claims = Claims(quota=QUOTA)
    for age in range(5):
        claims.put(webhook(f"w{age}", age=age))
    assert [stand(claims, f"w{age}").quota for age in range(5)] == [QUOTA, QUOTA, None, None, None]
    assert claims.remove("default", "w4") == ["w1"]
    assert stand(claims, "w1") is GOOD_STANDING


def test_namespaces_do_not_meet():
    """Names and quotas are a namespace's own."""
    claims = Claims(quota=1)
    claims.put(webhook("a", claims="X"))
    claims.put(webhook("a", claims="X", namespace="other"))
    assert stand(claims, "a") is claims.standing("other", "a") is GOOD_STANDING


def test_object_of_another_shape_claims_its_own_name():
    """A Webhook that cannot be read claims metadata.name, and takes a place."""
    claims = Claims(quota=1)
    claims.put(make_invalid(Webhook, raw_webhook(filters="all", metadata={"creationTimestamp": NOON.isoformat()})))
    claims.put(webhook("late", claims="hello", age=-1))
    assert stand(claims, "late") == Standing(name_holder="hello", quota=1)


def test_unchanged_claim_is_no_news():
    """A change of something else of an object tells nobody."""
    claims = Claims(quota=1)
    claims.put(webhook("a", age=1))
    claims.put(webhook("b"))
    assert claims.put(webhook("a", age=1)) == []


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from(["X", "Y", None]),
        st.integers(0, 3),
        st.sampled_from(["put", "remove"]),
    ),
    max_size=30,
)


@given(OPERATIONS, st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_standings_are_those_of_a_plain_count(operations, quota):
    """After any changes all stand as a count of all of them says, and whoever stands otherwise was told."""
    claims, there = Claims(quota=quota), {}
    for name, claimed, age, operation in operations:
        before = {one: stand(claims, one) for one in there}
        if operation == "put":
            there[name] = webhook(name, claims=claimed, age=age)
            told = claims.put(there[name])
        else:
            there.pop(name, None)
            told = claims.remove("default", name)
        ranked = sorted(there.values(), key=lambda one: (one.metadata.creation_timestamp, one.metadata.uid))
        for place, one in enumerate(ranked):
            holder = next(other for other in ranked if other.aws_name == one.aws_name)
            expected = Standing(
                name_holder=None if holder is one else holder.metadata.name, quota=quota if place >= quota else None
            )
            assert stand(claims, one.metadata.name) == expected
        changed = {one for one in before if one in there and one != name and stand(claims, one) != before[one]}
        assert changed <= set(told)


def test_many_that_wait_for_a_name_are_not_all_told():
    """Whoever gets a name is told, and of those who wait on the first few: a mass of them costs no square of it."""
    claims = Claims(quota=100)
    names = [f"w{number:02}" for number in range(50)]
    for age, name in enumerate(reversed(names)):
        claims.put(webhook(name, claims="X", age=age))
    assert claims.remove("default", "w00") == names[1 : MAX_TOLD + 1]
    assert claims.put(webhook("older", claims="X", age=99)) == names[1:MAX_TOLD]
    assert stand(claims, "w49") == Standing(name_holder="older")
