"""What becomes of the Secret of a BuildTrigger, step by step, as values: no clock, no chance, no cluster."""

from __future__ import annotations

import base64
import copy
import itertools
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.cluster.secret_values import MADE_FOR, SecretCopy
from hookwright.errors import ClusterError
from hookwright.kinds import LIVE_SECRET_KEYS, PREVIOUS_SECRET_KEYS, SECRET_KEY
from hookwright.reconcile.own_secret import HANDLED, LABELS, MADE_AT, MOST_OLD
from hookwright.reconcile.secret_plan import LONGEST_WAIT, ROTATE, SOON, Plan, Settled, judge_refusal, plan_secret
from support.fakecluster import merge_patch
from support.objects import NOON, TRIGGER_UID, make_buildtrigger

SOURCE = {"provider": "GitHub", "repository": "octo/hello"}
GIVEN_OUT = {"secretRef": {"name": "hello-hookwright", "key": "secret"}}
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


def make(request=None, rotation=None, status=None, **metadata):
    annotations = {} if request is None else {ROTATE: request}
    more = {} if rotation is None else {"secretRotation": rotation}
    return make_buildtrigger(source=SOURCE, status=status, metadata={"annotations": annotations, **metadata}, **more)


class Story:
    """A Secret through which plans go; each fresh secret is named by a number."""

    def __init__(self):
        self.secret = None
        self.now = NOON
        self.numbers = itertools.count(1)
        self.version = 1

    def plan(self, trigger):
        return plan_secret(trigger, copy.deepcopy(self.secret), now=self.now, fresh=f"number-{next(self.numbers)}")

    def step(self, trigger, *, later=timedelta(0)):
        """Plan, and write what the plan says."""
        self.now += later
        plan = self.plan(trigger)
        assert plan.create is None or plan.patch is None
        if plan.create is not None:
            self.secret = merge_patch({"metadata": {"uid": "of-the-secret"}}, plan.create)
        elif plan.patch is not None:
            self.secret = merge_patch(self.secret, plan.patch)
        if plan.create is not None or plan.patch is not None:
            self.version += 1
            self.secret["metadata"]["resourceVersion"] = str(self.version)
        return plan

    @property
    def live(self):
        """The secrets that are good, the newest first."""
        data = self.secret["data"]
        return [base64.b64decode(data[key]).decode() for key in LIVE_SECRET_KEYS if key in data]

    def annotate(self, **annotations):
        self.secret["metadata"]["annotations"].update(annotations)


@pytest.fixture
def story():
    made = Story()
    made.step(make())
    return made


def reasons(plan):
    return [notice.reason for notice in plan.notices]


# ── made ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_secret_is_made_for_the_buildtrigger():
    """It is Opaque, watched, said to be ours, goes with its BuildTrigger, and says when it was made."""
    plan = Story().plan(make())
    secret = plan.create
    metadata = secret["metadata"]
    assert (metadata["name"], metadata["namespace"], secret["type"]) == ("hello-hookwright", "default", "Opaque")
    assert metadata["labels"] == {"hookwright.dev/watched": "true", "app.kubernetes.io/managed-by": "hookwright"}
    owner = {"apiVersion": "hookwright.dev/v1alpha1", "kind": "BuildTrigger", "name": "hello", "uid": TRIGGER_UID}
    assert metadata["ownerReferences"] == [owner]
    assert metadata["annotations"] == {MADE_AT: "2026-05-01T12:00:00Z"}
    assert base64.b64decode(secret["data"]["secret"]) == b"number-1"
    assert (reasons(plan), plan.finding, plan.made_at) == (["SecretMade"], None, NOON)


def test_second_look_writes_nothing(story):
    """A Secret that is as it should be is left alone, and nothing is due."""
    plan = story.step(make())
    assert (plan.patch, plan.create, plan.notices, plan.look_again) == (None, None, (), None)
    assert plan.made_at == NOON


def test_lost_secret_is_made_anew_with_a_warning():
    """A Secret that was given out and is gone is made anew, and it is said that the Git host has the old one."""
    plan = Story().plan(make(status=GIVEN_OUT))
    assert plan.create is not None
    (notice,) = plan.notices
    assert (notice.reason, notice.warning) == ("SecretReplaced", True)
    assert "GitHub has the old secret" in notice.message


@pytest.mark.parametrize("value", [None, "", base64.b64encode(b" \n").decode()], ids=["removed", "empty", "blank"])
def test_key_that_was_emptied_is_filled_anew(story, value):
    """Without a secret at its key there is a new one, with a warning; what is else in the Secret stays."""
    story.step(make(request="1"), later=HOUR)
    story.secret["data"] = {**story.secret["data"], "note": "bm90ZQ=="}
    if value is None:
        del story.secret["data"][SECRET_KEY]
    else:
        story.secret["data"][SECRET_KEY] = value
    plan = story.step(make(request="1"), later=HOUR)
    assert reasons(plan) == ["SecretReplaced"]
    assert (story.live[0], story.live[1]) == ("number-3", "number-1")
    assert story.secret["data"]["note"] == "bm90ZQ=="
    assert plan.made_at == story.now


def test_value_that_a_user_put_there_stays(story):
    """A secret of the user's own at the key is used, and replaced by rotation only."""
    story.secret["data"][SECRET_KEY] = base64.b64encode(b"my own").decode()
    assert story.step(make()).patch is None
    story.step(make(request="1"))
    assert story.live == ["number-3", "my own"]


def test_value_that_the_provider_cannot_send_is_said_until_it_is_replaced():
    """No header carries a newline, so that GitLab's deliveries would all be refused; others sign with any secret."""
    gitlab = {"provider": "GitLab", "repository": "team/app"}
    story = Story()
    story.step(make_buildtrigger(source=gitlab))
    story.secret["data"][SECRET_KEY] = base64.b64encode(b"my own\n").decode()
    plan = story.step(make_buildtrigger(source=gitlab))
    assert (plan.create, plan.patch, plan.made_at) == (None, None, NOON)
    finding = plan.finding
    assert (finding.reason, finding.code, finding.heals) == ("SecretMalformed", "InvalidInputException", True)
    assert "Secret hello-hookwright, key secret" in finding.message
    assert "my own" not in finding.message
    assert story.step(make()).finding is None
    asked = make_buildtrigger(source=gitlab, metadata={"annotations": {ROTATE: "1"}})
    assert story.step(asked).finding is None


def test_labels_that_were_taken_away_come_back(story):
    """Without its label it would not be watched."""
    story.secret["metadata"]["labels"] = {"team": "a"}
    story.step(make())
    assert story.secret["metadata"]["labels"] == {"team": "a", **LABELS}


def test_write_is_for_the_version_that_was_read(story):
    """What another has written meanwhile is never overwritten."""
    patch = story.plan(make(request="1")).patch
    metadata = story.secret["metadata"]
    assert (patch["metadata"]["uid"], patch["metadata"]["resourceVersion"]) == (
        metadata["uid"],
        metadata["resourceVersion"],
    )


# ── rotated ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rotation_on_demand_keeps_the_one_before_for_a_day(story):
    """A new value of the annotation makes a new secret, once; the one before is good for 24 hours more."""
    plan = story.step(make(request="1"), later=HOUR)
    assert (reasons(plan), story.live) == (["SecretRotated"], ["number-2", "number-1"])
    assert "2026-05-02T13:00:00Z" in plan.notices[0].message
    assert plan.made_at == story.now
    assert story.step(make(request="1"), later=DAY - timedelta(seconds=1)).patch is None
    ended = story.step(make(request="1"), later=timedelta(seconds=1))
    assert (reasons(ended), story.live) == (["SecretEnded"], ["number-2"])
    assert not any("good-until" in name for name in story.secret["metadata"]["annotations"])


def test_request_that_was_there_first_is_fulfilled_by_the_first_secret():
    """A BuildTrigger that is created with the annotation gets one secret, not two."""
    story = Story()
    story.step(make(request="1"))
    assert story.step(make(request="1")).patch is None


def test_annotation_that_is_taken_away_asks_for_nothing(story):
    """Without the annotation, and with an earlier value again, nothing is replaced."""
    story.step(make(request="1"))
    assert story.step(make()).patch is None
    story.step(make(request="2"))
    before = story.live
    # A copy that is behind shows what was asked for earlier.
    assert story.step(make(request="1")).patch is None
    assert story.live == before


def test_two_rotations_within_a_minute_end_nothing_early(story):
    """The Git host may have either of the secrets before: both stay good, each for as long as it would have been."""
    story.step(make(request="1"))
    story.step(make(request="2"), later=timedelta(seconds=30))
    assert story.live == ["number-3", "number-2", "number-1"]
    story.step(make(request="2"), later=DAY - timedelta(seconds=30))
    assert story.live == ["number-3", "number-2"]
    story.step(make(request="2"), later=timedelta(seconds=30))
    assert story.live == ["number-3"]


def test_rotation_without_room_waits_and_says_so(story):
    """With three old secrets another one waits until the oldest has ended: none is given up before."""
    for number in range(MOST_OLD + 1):
        plan = story.step(make(request=str(number)), later=timedelta(minutes=1))
    assert plan.patch is None
    assert ROTATE in plan.note
    assert len(story.live) == MOST_OLD + 1
    assert story.live[-1] == "number-1"
    last = make(request=str(MOST_OLD))
    plan = story.step(last, later=DAY)
    assert (reasons(plan), plan.note) == (["SecretEnded", "SecretRotated"], "")
    assert story.step(last).patch is None


def test_old_secret_that_a_user_removes_is_gone(story):
    """Whoever must end an old secret at once takes its key away; the newest stays."""
    story.step(make(request="1"))
    story.step(make(request="2"))
    del story.secret["data"][PREVIOUS_SECRET_KEYS[0]]
    story.step(make(request="2"))
    assert story.live == ["number-3", "number-1"]
    assert list(story.secret["data"]) == [SECRET_KEY, PREVIOUS_SECRET_KEYS[0]]


@pytest.mark.parametrize("until", [None, "", "tomorrow"])
def test_old_secret_without_an_end_gets_one(story, until):
    """An old secret of which nothing says until when it is good does not stay for ever."""
    story.step(make(request="1"))
    name = f"hookwright.dev/{PREVIOUS_SECRET_KEYS[0]}-good-until"
    story.annotate(**{name: until})
    if until is None:
        del story.secret["metadata"]["annotations"][name]
    story.step(make(request="1"), later=HOUR)
    assert story.secret["metadata"]["annotations"][name] == "2026-05-02T13:00:00Z"


def test_schedule_replaces_in_time_and_looks_when_it_is_due():
    """A secret is replaced `every` after the last one, however it came, and good for `overlap` after that."""
    story = Story()
    trigger = make(rotation={"every": "24h", "overlap": "1h"})
    story.step(trigger)
    assert story.step(trigger, later=DAY - timedelta(seconds=10.5)).look_again == 11
    assert story.live == ["number-1"]
    plan = story.step(trigger, later=timedelta(seconds=11))
    assert (reasons(plan), story.live) == (["SecretRotated"], ["number-3", "number-1"])
    assert story.step(trigger, later=HOUR - timedelta(seconds=7)).look_again == 7
    story.step(trigger, later=timedelta(seconds=7))
    assert story.live == ["number-3"]
    asked = make(rotation={"every": "24h", "overlap": "1h"}, request="1")
    story.step(asked, later=HOUR)
    assert story.step(asked, later=DAY - HOUR).patch is not None  # the old one ends
    assert len(story.live) == 1
    story.step(asked, later=HOUR)
    assert len(story.live) == 2


def test_rotation_that_no_rule_has_checked_makes_no_secrets_without_end():
    """An `every` that came in past the rules counts as a day."""
    story = Story()
    trigger = make(rotation={"every": "1s", "overlap": "0s"})
    story.step(trigger)
    assert story.step(trigger, later=HOUR).patch is None
    assert story.step(trigger, later=DAY).patch is not None


def test_two_secrets_are_good_where_the_overlap_is_all_the_time(story):
    """An overlap as long as `every` leaves two secrets at any time: the older ends when the next one comes."""
    trigger = make(rotation={"every": "24h", "overlap": "24h"})
    lives = []
    for _ in range(4):
        story.step(trigger, later=DAY)
        lives.append(len(story.live))
    assert lives == [2] * 4


def test_secret_without_its_time_goes_by_its_creation(story):
    """Whoever takes the annotation away does not put off what is due."""
    del story.secret["metadata"]["annotations"][MADE_AT]
    story.secret["metadata"]["creationTimestamp"] = "2026-04-01T00:00:00Z"
    story.step(make(rotation={"every": "720h"}))
    assert len(story.live) == 2


def test_clock_that_was_set_back_replaces_nothing_early(story):
    """A secret that was made in what is now the future is replaced when it is due, no sooner."""
    trigger = make(rotation={"every": "24h"})
    story.now -= 6 * HOUR
    assert story.step(trigger).patch is None
    assert story.step(trigger, later=DAY + 6 * HOUR).patch is not None


# ── not ours ──────────────────────────────────────────────────────────────────────────────────────────────────────────

FOREIGN = {
    "metadata": {"name": "hello-hookwright", "uid": "x", "resourceVersion": "9"},
    "data": {"secret": "Zm9yZWlnbg=="},
}


OWNER = {"apiVersion": "hookwright.dev/v1alpha1", "kind": "BuildTrigger", "name": "hello", "uid": "earlier"}


def foreign(**metadata):
    return {**FOREIGN, "metadata": {**FOREIGN["metadata"], **metadata}}


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"labels": LABELS, "annotations": {MADE_AT: "2026-05-01T12:00:00Z"}},
        {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "hello", "uid": TRIGGER_UID}]},
        {
            "ownerReferences": [
                {"apiVersion": "hookwright.dev/v1alpha1", "kind": "BuildTrigger", "name": "x", "uid": "y"}
            ]
        },
        {"annotations": {MADE_FOR: "another"}},
    ],
    ids=["plain", "looks like ours", "owned by another kind", "another's", "for another"],
)
def test_secret_of_somebody_else_is_neither_used_nor_changed(metadata):
    """A Secret of that name that is not this BuildTrigger's is left as it is, and it is said what to do."""
    plan = plan_secret(make(request="1"), foreign(**metadata), now=NOON, fresh="fresh")
    assert (plan.create, plan.patch, plan.notices, plan.made_at) == (None, None, (), None)
    finding = plan.finding
    assert (finding.reason, finding.code, finding.heals) == ("SecretNotOwned", "InvalidInputException", True)
    assert "Secret hello-hookwright" in finding.message
    assert "delete it" in finding.message


def test_secret_of_an_earlier_buildtrigger_goes_soon():
    """Kubernetes takes a Secret away after its BuildTrigger: until then it is waited for, not adopted."""
    plan = plan_secret(make(), foreign(ownerReferences=[OWNER]), now=NOON, fresh="fresh")
    assert (plan.create, plan.patch, plan.look_again) == (None, None, SOON)
    assert "earlier BuildTrigger" in plan.finding.message


def test_secret_that_is_being_deleted_is_waited_for(story):
    """What is on its way out is not written any more."""
    story.secret["metadata"]["deletionTimestamp"] = "2026-05-01T12:00:00Z"
    plan = story.step(make(request="1"))
    assert (plan.create, plan.patch, plan.finding.reason) == (None, None, "SecretNotFound")


def test_secret_that_a_user_made_for_it_is_used_and_never_changed():
    """An annotation says that a Secret is meant: it is used as it is."""
    mine = foreign(annotations={MADE_FOR: "hello"})
    plan = plan_secret(make(), mine, now=NOON, fresh="fresh")
    assert (plan.create, plan.patch, plan.finding, plan.made_at) == (None, None, None, None)
    for trigger, what in ((make(request="1"), ROTATE), (make(rotation={"every": "24h"}), "spec.secretRotation")):
        plan = plan_secret(trigger, mine, now=NOON, fresh="fresh")
        assert (plan.create, plan.patch, plan.finding.reason) == (None, None, "SecretNotOwned")
        assert what in plan.finding.message


@pytest.mark.parametrize(("data", "reason"), [({}, "SecretKeyMissing"), ({"secret": "IA=="}, "SecretEmpty")])
def test_secret_of_a_user_that_lacks_the_secret_is_said(data, reason):
    """Of a Secret that the user keeps, what is missing is the user's to put there."""
    mine = {**foreign(annotations={MADE_FOR: "hello"}), "data": data}
    plan = plan_secret(make(), mine, now=NOON, fresh="fresh")
    assert (plan.finding.reason, plan.finding.code) == (reason, "ResourceNotFoundException")


def test_secret_of_a_user_that_the_provider_cannot_send_is_said():
    """It is the user's to put right."""
    mine = {**foreign(annotations={MADE_FOR: "hello"}), "data": {"secret": base64.b64encode(b"mine\n").decode()}}
    trigger = make_buildtrigger(source={"provider": "GitLab", "repository": "team/app"})
    plan = plan_secret(trigger, mine, now=NOON, fresh="fresh")
    assert (plan.create, plan.patch, plan.finding.reason) == (None, None, "SecretMalformed")


@pytest.mark.parametrize(
    ("again", "late", "over"),
    [
        (3600, -1, True),
        (3600, 0, False),
        (3600, 3599, False),
        (3600, 3600, True),
        (None, -1, True),
        (None, 10**6, False),
    ],
)
def test_what_was_settled_is_so_until_something_is_due(again, late, over):
    """By a clock that was set forward something is due at once; of one that was set back nothing is known."""
    settled = Settled(copy=SecretCopy(data={}), request=None, at=NOON, plan=Plan(look_again=again))
    assert settled.is_over(NOON + timedelta(seconds=late)) is over


# ── refused ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("verb", "right", "known"),
    [
        ("get", "verb get", False),
        ("create", "verbs create and patch", True),
        ("patch", "verbs create and patch", False),
    ],
)
def test_missing_right_is_said_with_who_lacks_it(verb, right, known):
    """What the API server says names the account; the remedy names the right, and the command that prints it."""
    error = ClusterError('secrets is forbidden: User "the-operator" cannot', status=403, reason="Forbidden")
    plan = judge_refusal(make(), error, verb=verb)
    finding = plan.finding
    assert (finding.reason, finding.code, finding.heals) == ("SecretForbidden", "ResourceNotFoundException", True)
    assert plan.known is known
    assert "the-operator" in finding.message
    assert f"{right} on secrets" in finding.message
    assert ("hookwright grant default" in finding.message) == (verb != "get")


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (403, 'secrets "hello-hookwright" is forbidden: exceeded quota: small, requested: count/secrets=1'),
        (403, "admission webhook says no"),
        (422, 'Secret "hello-hookwright" is invalid: data: Forbidden: field is immutable when `immutable` is set'),
    ],
)
def test_refusal_that_is_no_lack_of_a_right_is_not_said_to_be_one(status, message):
    """Quotas, policies and immutable Secrets are mended otherwise than by a Role."""
    finding = judge_refusal(make(), ClusterError(message, status=status), verb="patch").finding
    assert message in finding.message
    assert "mend the quota or the policy" in finding.message
    assert "grant" not in finding.message


# ── whatever happens ──────────────────────────────────────────────────────────────────────────────────────────────────

STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "look", "look", "edit", "empty", "lose"]), st.integers(0, 90_000)), max_size=40
)


@given(steps=STEPS, every=st.sampled_from([None, 24, 30]), overlap=st.integers(0, 24))
def test_no_secret_ends_before_its_time_and_none_stays_after_it(steps, every, overlap):
    """Whatever is asked for, each secret is good until `overlap` after it was replaced, and there is always one to use.

    A look that follows at once writes nothing, and no message holds a secret.
    """
    rotation = None if every is None else {"every": f"{every}h", "overlap": f"{overlap}h"}
    kept = timedelta(hours=overlap) if every is not None else DAY
    story, request, ends = Story(), None, {}
    story.step(make(rotation=rotation))
    for number, (step, seconds) in enumerate(steps):
        if step == "ask":
            request = str(number)
        elif step == "edit":
            ends = {}
            story.secret["data"][SECRET_KEY] = base64.b64encode(f"mine-{number}".encode()).decode()
        elif step == "empty":
            ends = {}
            story.secret["data"][SECRET_KEY] = ""
        elif step == "lose":
            ends, story.secret = {}, None
        before = story.live[:1] if step in ("ask", "look") else []
        trigger = make(request=request, rotation=rotation, status=GIVEN_OUT)
        plan = story.step(trigger, later=timedelta(seconds=seconds))
        if before and story.live[0] != before[0]:
            ends[before[0]] = story.now + kept
        for secret, end in ends.items():
            assert (secret in story.live) == (end > story.now)
        assert 1 <= len(story.live) <= MOST_OLD + 1
        assert len(set(story.live)) == len(story.live)
        said = json.dumps([(notice.reason, notice.message) for notice in plan.notices]) + plan.note + repr(plan)
        assert "number-" not in said
        assert base64.b64encode(b"number-").decode()[:8] not in said
        assert len(story.secret["metadata"]["annotations"].get(HANDLED, "")) < 200
        again = story.step(trigger)
        assert (again.patch, again.create, again.notices) == (None, None, ())
        assert again.look_again is None or 1 <= again.look_again <= LONGEST_WAIT
