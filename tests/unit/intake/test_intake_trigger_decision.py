"""What a BuildTrigger decides: one build for each change that counts, and else the reason that says most."""

from __future__ import annotations

import copy
import json

import pytest

from hookwright import reasons
from hookwright.builds.by_hand import identify_request
from hookwright.builds.names import name_wanted
from hookwright.intake.judge import judge
from hookwright.intake.receiver import answer
from hookwright.intake.request import Request
from hookwright.intake.trigger_decision import MAX_BUILDS
from hookwright.intake.trigger_route import compile_trigger
from hookwright.providers.dialect import MAX_CHANGES
from hookwright.scm import Provider
from support.deliveries import DELIVERIES
from support.objects import JOB_SPEC, NEW_ID, NOON, TRIGGER_UID, make_buildtrigger
from support.payloads import NEW, OLD, ZEROS, bitbucket_data_center
from support.triggers import REPOSITORIES, SECRET, make_delivery, prove

CLOUD, CENTER, GITHUB, GITLAB, GITEA = (
    Provider.BITBUCKET_CLOUD,
    Provider.BITBUCKET_DATA_CENTER,
    Provider.GITHUB,
    Provider.GITLAB,
    Provider.GITEA,
)
LIVE = (SECRET.encode(),)
RELEASES = [[{"type": "EVENT", "pattern": "RELEASED"}]]


def make_route(provider=GITHUB, *, source=None, **spec):
    given = source if source is not None else {"repository": REPOSITORIES[provider]}
    return compile_trigger(make_buildtrigger(source={"provider": str(provider), **given}, **spec))


def make_request(provider=GITHUB, what="push", *, without=(), more=None, **given):
    body, headers = make_delivery(provider, what, **given)
    kept = {name: [value] for name, value in (headers | (more or {})).items() if name not in without}
    return Request(method="POST", path="/hooks/token", headers=kept, body=body, received_at=NOON)


def give_verdict(request=None, route=None, secrets=LIVE):
    return judge(request or make_request(), route or make_route(), secrets, new_id=lambda: NEW_ID)


def decide(provider, what, *, payload=None, **of_route):
    return give_verdict(make_request(provider, what, payload=payload), make_route(provider, **of_route))


def change(provider, what, **members):
    return copy.deepcopy(DELIVERIES[provider, what].payload) | members


# ── what starts ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("provider", Provider)
def test_push_is_wanted_as_its_trigger_makes_it(provider):
    """A push makes one wanted build: of the BuildTrigger itself, under the provider's id, with what happened."""
    verdict = give_verdict(make_request(provider), make_route(provider, duplicateWindow="2h"))
    assert (verdict.reason, verdict.delivery_id) == (reasons.ACCEPTED, "d-1")
    (wanted,) = verdict.wanted
    assert (wanted.owner_kind, wanted.owner_name, wanted.owner_uid) == ("BuildTrigger", "hello", TRIGGER_UID)
    assert (wanted.target.kind, wanted.target.name, wanted.service_account) == ("BuildTrigger", "hello", None)
    assert (wanted.index, wanted.accepted_at, wanted.keep_seconds) == (0, NOON, 7200)
    assert wanted.parameters["HOOKWRIGHT_WEBHOOK_HEAD_REF"] == "refs/heads/main"
    assert not wanted.one_of_several
    assert wanted.event


@pytest.mark.parametrize("provider", [CLOUD, CENTER])
def test_each_change_of_a_push_has_its_build(provider):
    """A push of several refs starts a build for each, with the index of the change; a deleted ref starts none."""
    verdict = decide(provider, "push_of_four")
    changes = DELIVERIES[provider, "push_of_four"].read()
    kept = [event.index for event in changes if not event.deleted]
    assert [wanted.index for wanted in verdict.wanted] == kept
    assert all(wanted.one_of_several for wanted in verdict.wanted)
    assert 1 < len(kept) < len(changes)
    assert f"{len(kept)} of its {len(changes)} changes start a build" in verdict.message
    assert len({name_wanted(wanted) for wanted in verdict.wanted}) == len(kept)


def test_same_change_twice_is_built_once():
    """Of an array with one push several times, and another one, two builds are made."""
    push = change(GITHUB, "push")
    other = push | {"ref": "refs/heads/other"}
    verdict = decide(GITHUB, "push", payload=[push, push, other, push])
    assert [wanted.index for wanted in verdict.wanted] == [0, 2]
    assert verdict.message == reasons.ACCEPTED.sentence


def test_same_tag_in_another_repository_is_another_change():
    """Releases name no commit: those of one tag in two repositories of an organisation are two builds."""
    release = change(GITHUB, "release")
    other = copy.deepcopy(release)
    other["repository"]["full_name"] = "octo/other"
    verdict = decide(
        GITHUB,
        "release",
        payload=[release, other, release],
        source={"organization": "octo"},
        filterGroups=RELEASES,
    )
    assert [wanted.parameters["HOOKWRIGHT_SOURCE_REPOSITORY"] for wanted in verdict.wanted] == [
        release["repository"]["full_name"],
        "octo/other",
    ]


def test_each_pull_request_of_a_branch_is_a_change():
    """One branch may be brought by several pull requests, each into another branch."""
    first = change(GITHUB, "opened")
    second = copy.deepcopy(first) | {"number": 2}
    assert [one.index for one in decide(GITHUB, "opened", payload=[first, second, first]).wanted] == [0, 1]


def test_release_without_a_commit_builds_its_tag():
    """A release's payload need not name the commit: then its tag is what is built."""
    (wanted,) = decide(GITHUB, "release", filterGroups=RELEASES).wanted
    assert wanted.parameters["HOOKWRIGHT_SOURCE_VERSION"].startswith("refs/tags/")


def test_form_of_github_is_read():
    """GitHub's other content type carries the same."""
    body = b"payload=" + json.dumps(DELIVERIES[GITHUB, "push"].payload).encode().hex(" ").replace(
        " ", "%"
    ).encode().join([b"%", b""])
    more = {"content-type": "application/x-www-form-urlencoded"} | prove(GITHUB, body, SECRET)
    request = make_request(more=more)
    request = Request(method="POST", path="/", headers=request.headers, body=body, received_at=NOON)
    assert give_verdict(request).reason is reasons.ACCEPTED


@pytest.mark.parametrize("pattern", ["^src/", "^nowhere/"])
def test_files_are_looked_at_where_a_filter_wants_them(pattern):
    """The files of a push are listed for filters of them, and for nobody else."""
    push = change(GITHUB, "push")
    push["commits"] = [push["commits"][0] | {"added": ["src/a.py"], "modified": [], "removed": []}]
    groups = [[{"type": "EVENT", "pattern": "PUSH"}, {"type": "FILE_PATH", "pattern": pattern}]]
    assert make_route(filterGroups=groups).wants_files
    assert not make_route().wants_files
    expected = reasons.ACCEPTED if pattern == "^src/" else reasons.NO_GROUP_PASSED
    assert decide(GITHUB, "push", payload=push, filterGroups=groups).reason is expected


# ── what does not ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("provider", Provider)
def test_deleted_ref_is_never_built(provider):
    """What is gone cannot be built, whatever the filters."""
    groups = [[{"type": "EVENT", "pattern": "PUSH"}]]
    verdict = decide(provider, "branch_deleted", filterGroups=groups)
    assert (verdict.reason, verdict.wanted) == (reasons.REF_DELETED, ())


@pytest.mark.parametrize("provider", Provider)
def test_fork_is_not_built(provider):
    """The code of whoever forks a repository is not run."""
    assert decide(provider, "from_fork").reason is reasons.FORK_NOT_BUILT


def test_job_that_may_be_of_a_fork_is_not_built():
    """A job of GitLab in a merge request's pipeline does not tell whose code it is of."""
    groups = [[{"type": "EVENT", "pattern": "WORKFLOW_JOB_QUEUED"}]]
    assert decide(Provider.GITLAB, "job_of_merge_request", filterGroups=groups).reason is reasons.FORK_NOT_BUILT
    assert decide(Provider.GITLAB, "job", filterGroups=groups).reason is reasons.ACCEPTED


@pytest.mark.parametrize(
    ("provider", "what"), [(GITHUB, "ping"), (CENTER, "ping"), (GITEA, "test")], ids=["GitHub", "Center", "Gitea"]
)
def test_trial_is_a_ping(provider, what):
    """What only tries the URL says that it works."""
    assert decide(provider, what).reason is reasons.PING


@pytest.mark.parametrize(
    ("provider", "what", "told"),
    [(GITLAB, "note", "Note Hook"), (GITLAB, "member", "Member Hook"), (CLOUD, "comment", "pullrequest:comment")],
)
def test_what_is_no_event_is_told(provider, what, told):
    """What the provider calls it stands in the message."""
    verdict = decide(provider, what)
    assert verdict.reason is reasons.NOT_AN_EVENT
    assert told in verdict.message


@pytest.mark.parametrize("filters", [{"branchFilter": "^release/"}, {"filterGroups": RELEASES}])
def test_filters_say_which_one_it_was(filters):
    """A push that no filter lets pass is told with the filter, and without what the payload holds."""
    verdict = decide(GITHUB, "push", **filters)
    assert verdict.reason in (reasons.BRANCH_FILTERED_OUT, reasons.NO_GROUP_PASSED)
    assert verdict.message.startswith("spec.")


@pytest.mark.parametrize(
    ("provider", "source", "covers"),
    [
        (GITHUB, {"repository": "Octo/HELLO"}, True),
        (GITHUB, {"repository": "octo/hello-world"}, False),
        (GITHUB, {"organization": "OCTO"}, True),
        (GITHUB, {"organization": "oct"}, False),
        (GITLAB, {"repository": "group/sub/hello"}, True),
        (GITLAB, {"repository": "sub/hello"}, False),
        (GITLAB, {"group": "group"}, True),
        (GITLAB, {"group": "Group/sub"}, True),
        (GITLAB, {"group": "gro"}, False),
        (GITLAB, {"group": "group/su"}, False),
        (GITLAB, {"group": "sub"}, False),
        (CLOUD, {"organization": "octo"}, True),
        (CENTER, {"repository": "octo/hello"}, True),
        (CENTER, {"organization": "octo"}, True),
        (GITEA, {"organization": "lab"}, True),
    ],
)
def test_source_says_which_repositories_count(provider, source, covers):
    """A repository by its full name, an organisation by its owner, a group with its subgroups; capitals don't count."""
    verdict = decide(provider, "push", source=source)
    assert verdict.reason is (reasons.ACCEPTED if covers else reasons.OTHER_REPOSITORY)


@pytest.mark.parametrize(
    ("provider", "source", "told"),
    [
        (GITHUB, {"repository": "Octo/other"}, "repository Octo/other"),
        (GITHUB, {"organization": "elsewhere"}, "organization elsewhere"),
        (GITLAB, {"group": "group/other"}, "group group/other"),
    ],
)
def test_owner_is_told_where_it_should_have_happened(provider, source, told):
    """What spec.source names stands in status, and not in the sender's answer."""
    verdict = decide(provider, "push", source=source)
    assert told in verdict.message
    assert told not in json.loads(answer(verdict, "BuildTrigger").body)["message"]


@pytest.mark.parametrize(
    ("message", "skips"),
    [
        ("Fix [skip ci]", True),
        ("[CI SKIP] fix", True),
        ("fix\n\n[no ci]", True),
        ("[skip actions]", True),
        ("[actions skip]", True),
        ("***NO_CI***", True),
        ("***no_ci***", True),
        ("chore [skip-ci]", True),
        ("[CI_skip] chore", True),
        ("[no-ci]", True),
        ("bump\n\n\nskip-checks: true", True),
        ("bump\r\n\r\nmore\r\n\r\n\r\nSkip-Checks:true\r\n", True),
        ("bump\n\n\nSigned-off-by: Ada <ada@example.invalid>\nskip-checks: true\n", True),
        ("bump\n\nskip-checks: true", False),
        ("bump\n\n\nskip-checks: true\nSigned-off-by: Ada <ada@example.invalid>", False),
        ("bump\n\n\nso that\nskip-checks: true", False),
        ("bump\n\n\nskip-checks: true is gone", False),
        ("bump\n\n\nskip-checks: false", False),
        ("\n\n\n" + "a: b\n" * 100_000 + "\n" * 100_000 + "c: true", False),
        ("skip ci", False),
        ("[skip  ci]", False),
        ("[\u017fkip ci]", False),
        ("", False),
    ],
)
def test_message_may_ask_for_no_build(message, skips):
    """A mark in the newest commit's message, or a trailer, starts nothing, unless the BuildTrigger does not care."""
    payload = change(GITHUB, "push")
    for commit in (payload["head_commit"], *payload["commits"]):
        commit["message"] = message
    expected = reasons.SKIPPED_BY_MESSAGE if skips else reasons.ACCEPTED
    assert decide(GITHUB, "push", payload=payload).reason is expected
    assert decide(GITHUB, "push", payload=payload, skipCI=False).reason is reasons.ACCEPTED


def test_delivery_to_an_invalid_trigger_is_not_taken():
    """What status calls an invalid spec starts nothing: here a Job that would go too soon."""
    build = {"jobTemplate": {"spec": {**JOB_SPEC, "ttlSecondsAfterFinished": 60}}}
    verdict = decide(GITHUB, "push", build=build)
    assert (verdict.reason, verdict.wanted) == (reasons.SPEC_INVALID, ())


def test_suspended_trigger_starts_nothing():
    """An authentic delivery to a BuildTrigger that is suspended is answered, and starts nothing."""
    assert decide(GITHUB, "push", suspend=True).reason is reasons.SUSPENDED


def test_most_telling_reason_is_given():
    """Of several changes that start nothing, the one that came nearest is told, and how many others there are."""
    push = change(GITHUB, "push")
    gone = push | {"ref": "refs/heads/gone", "after": ZEROS, "deleted": True}
    verdict = decide(GITHUB, "push", payload=[gone, push, 7], branchFilter="^release")
    assert verdict.reason is reasons.BRANCH_FILTERED_OUT
    assert "none of the other 2 changes starts a build either" in verdict.message


def test_too_many_changes_are_refused_as_a_whole():
    """Which of them were built would be chance; the sender has proved itself all the same."""
    changes = [bitbucket_data_center.make_change(f"refs/heads/b{n}", OLD, NEW) for n in range(101)]
    for count, reason in ((MAX_BUILDS, reasons.ACCEPTED), (MAX_BUILDS + 1, reasons.TOO_MANY_CHANGES)):
        verdict = decide(CENTER, "push", payload=change(CENTER, "push", changes=changes[:count]))
        assert (verdict.reason, verdict.authentic) == (reason, True)
        assert len(verdict.wanted) == (count if reason is reasons.ACCEPTED else 0)
    assert f"{MAX_BUILDS} " in reasons.TOO_MANY_CHANGES.sentence


def test_changes_that_start_nothing_do_not_count_against_builds():
    """Who deletes hundreds of branches with a push of main has main built; so it is with what filters pass over."""
    gone = [bitbucket_data_center.make_change(f"refs/heads/b{n}", OLD, ZEROS, "DELETE") for n in range(500)]
    others = [bitbucket_data_center.make_change(f"refs/heads/c{n}", OLD, NEW) for n in range(MAX_CHANGES - 501)]
    payload = change(CENTER, "push", changes=[*gone, *others, bitbucket_data_center.UPDATE])
    verdict = decide(CENTER, "push", payload=payload, branchFilter="^main$")
    assert [one.index for one in verdict.wanted] == [MAX_CHANGES - 1]
    payload["changes"].append(bitbucket_data_center.UPDATE)
    assert decide(CENTER, "push", payload=payload, branchFilter="^main$").reason is reasons.TOO_MANY_CHANGES


def test_all_changes_share_one_budget():
    """What is too much together is refused as a whole: what was left undecided must not look like no match."""
    push = change(GITHUB, "push")
    for commit in (push["head_commit"], *push["commits"]):
        commit["message"] = "ab" * 250_000
    groups = [[{"type": "EVENT", "pattern": "PUSH"}, {"type": "COMMIT_MESSAGE", "pattern": "(a|b)+[!?]"}]]
    assert decide(GITHUB, "push", payload=push, filterGroups=groups).reason is reasons.NO_GROUP_PASSED
    verdict = decide(GITHUB, "push", payload=[push] * 8, filterGroups=groups)
    assert (verdict.reason, verdict.wanted) == (reasons.PAYLOAD_TOO_COMPLEX, ())


# ── who sends ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("provider", Provider)
def test_every_live_secret_counts(provider):
    """While a secret is replaced the old one is good too."""
    verdict = give_verdict(make_request(provider), make_route(provider), (b"6f" * 32, SECRET.encode()))
    assert verdict.reason is reasons.ACCEPTED


@pytest.mark.parametrize("provider", Provider)
def test_another_secret_does_not_count(provider):
    """What was proved with another secret, or not at all, is not authentic."""
    mismatch = reasons.TOKEN_MISMATCH if provider is GITLAB else reasons.SIGNATURE_MISMATCH
    missing = reasons.TOKEN_MISSING if provider is GITLAB else reasons.SIGNATURE_MISSING
    route = make_route(provider)
    assert give_verdict(make_request(provider, secret="6f" * 32), route).reason is mismatch
    assert give_verdict(make_request(provider, without=tuple(prove(provider, b"", ""))), route).reason is missing


def test_trial_that_is_not_signed_is_refused():
    """Some versions of Bitbucket Data Center do not sign "Test connection": what is not signed is not believed."""
    trial = make_request(CENTER, "ping", without=tuple(prove(CENTER, b"", "")))
    verdict = give_verdict(trial, make_route(CENTER))
    assert (verdict.reason, verdict.reason.status) == (reasons.SIGNATURE_MISSING, 401)


def test_signature_of_another_host_does_not_count():
    """Each provider has its own header: what another one signs with proves nothing."""
    body, _ = make_delivery(GITHUB)
    for provider in (CLOUD, GITEA, GITLAB):
        request = make_request(GITHUB, without=("x-hub-signature-256",), more=prove(provider, body, SECRET))
        assert give_verdict(request).reason is reasons.SIGNATURE_MISSING


@pytest.mark.parametrize("header", ["x-forgejo-signature", "x-gogs-signature"])
def test_forgejo_and_gogs_sign_in_headers_of_their_own(header):
    """Their signature counts where Gitea's is not there; beside it Gitea's decides."""
    body, _ = make_delivery(GITEA)
    own = {header: prove(GITEA, body, SECRET)["x-gitea-signature"]}
    route = make_route(GITEA)
    alone = make_request(GITEA, without=("x-gitea-signature",), more=own)
    assert give_verdict(alone, route).reason is reasons.ACCEPTED
    both = make_request(GITEA, more=own | {"x-gitea-signature": "0" * 64})
    assert give_verdict(both, route).reason is reasons.SIGNATURE_MISMATCH


def test_form_of_gitea_is_refused():
    """Gitea signs the JSON, not the form that it sends."""
    more = {"content-type": "application/x-www-form-urlencoded"}
    assert give_verdict(make_request(GITEA, more=more), make_route(GITEA)).reason is reasons.CONTENT_TYPE_UNSUPPORTED


@pytest.mark.parametrize("provider", Provider)
def test_id_of_another_host_is_none(provider):
    """An id in another's header, none that is one word, or a start by hand's, leaves the delivery one of its own."""
    headers = {"x-github-delivery", "x-gitea-delivery", "idempotency-key", "x-request-uuid", "x-request-id"}
    own = {name for name in headers if name in make_delivery(provider)[1]}
    others = dict.fromkeys(headers - own, "other")
    route = make_route(provider)
    assert give_verdict(make_request(provider, without=own, more=others), route).delivery_id == NEW_ID
    for odd in ("", "two words", "x" * 129, "\u00e9", identify_request("4711")):
        assert give_verdict(make_request(provider, delivery_id=odd), route).delivery_id == NEW_ID
