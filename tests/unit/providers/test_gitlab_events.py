"""What GitLab's payloads say happened."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hookwright.reasons import EVENT_UNREADABLE, NOT_AN_EVENT
from hookwright.scm import EventType, Fact, NoEvent, Provider, Repository, ScmEvent
from support.deliveries import DELIVERIES, Delivery, read_one
from support.payloads import MERGED, NEW, OLD, TAG, drop, gitlab, gitlab_others, put

HELLO = Repository(
    owner="group/sub",
    name="hello",
    clone_url="https://gitlab.example/group/sub/hello.git",
    web_url="https://gitlab.example/group/sub/hello",
)
PUSH = ScmEvent(
    event=EventType.PUSH,
    index=0,
    repository=HELLO,
    actor="4",
    head_ref="refs/heads/main",
    sha=NEW,
    before=OLD,
    message="Say hello\n\nto all",
    files=("src/hello.py", "old.txt", "README.md"),
    organisation="group/sub",
)
MERGE_REQUEST = ScmEvent(
    event=EventType.PULL_REQUEST_CREATED,
    index=0,
    repository=HELLO,
    actor="4",
    head_ref="refs/heads/feature/kind",
    base_ref="refs/heads/main",
    sha=NEW,
    message="Be kind\n",
    organisation="group/sub",
    pull_request=12,
)


def see(what):
    return read_one(Provider.GITLAB, what)


def read(payload, event="Push Hook"):
    return Delivery(provider=Provider.GITLAB, what="", headers={"x-gitlab-event": event}, payload=payload).read_one()


def test_push_to_a_branch():
    """A push has its ref, head, files and the message of the newest commit, which comes last."""
    assert see("push") == PUSH


def test_push_that_asks_for_no_pipeline():
    """What is asked of GitLab's own pipelines (`git push -o ci.skip`) makes no other event."""
    assert read(put(gitlab.PUSH, {"push_options": {"ci": {"skip": True}}})) == PUSH


def test_push_of_more_than_20_commits_does_not_name_all_files():
    """GitLab lists 20 commits and says how many there were."""
    many = see("push_of_many")
    assert many == replace(PUSH, files=None)
    assert many.lacks() == {Fact.FILES}


def test_new_branch_has_no_files():
    """A branch made at an old commit changes nothing; its message only the API knows."""
    new = see("new_branch")
    assert new == replace(PUSH, head_ref="refs/heads/new", before=None, message=None, files=())
    assert new.lacks() == {Fact.MESSAGE}


def test_renamed_file_has_its_new_path_only():
    """GitLab lists a file that was renamed as added, under its new path; the list counts as whole all the same.

    Source: GitLab, app/models/commit.rb, repo_changes.
    """
    moved = read(put(gitlab.PUSH, {"commits.0": gitlab.make_commit("6" * 40, "Move", added=["docs/main.tf"])}))
    assert moved.files == ("docs/main.tf", "src/hello.py", "README.md")
    assert moved.lacks() == frozenset()


def test_files_of_what_was_set_back_are_unknown():
    """A branch or tag that was there and brings no commit has lost some: an exclusion must not pass."""
    back = see("rewound")
    assert back == replace(PUSH, message=None, files=None)
    assert back.lacks() == {Fact.FILES, Fact.MESSAGE}
    assert read(put(gitlab.ANNOTATED_TAG, {"before": OLD})).files is None
    assert read(drop(gitlab.NEW_BRANCH, "before")).files is None


def test_annotated_tag_is_built_at_its_commit():
    """`after` is the tag object, `checkout_sha` the commit; the tag's own message is none of a commit."""
    assert see("tag") == replace(PUSH, head_ref="refs/tags/v1.0", before=None, message=None, files=())


def test_deleted_refs_are_marked():
    """What is gone has no commit to build."""
    gone = replace(PUSH, sha=None, message=None, files=None, deleted=True)
    assert see("branch_deleted") == gone
    assert see("tag_deleted") == replace(gone, head_ref="refs/tags/v1.0", before=TAG)


def test_merge_request_is_opened():
    """A merge request has both refs in full and its head's message; its files only the API knows."""
    opened = see("opened")
    assert opened == MERGE_REQUEST
    assert opened.lacks() == {Fact.FILES}


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("updated", {"event": EventType.PULL_REQUEST_UPDATED, "before": OLD}),
        ("reopened", {"event": EventType.PULL_REQUEST_REOPENED}),
        ("closed", {"event": EventType.PULL_REQUEST_CLOSED}),
        ("merged", {"event": EventType.PULL_REQUEST_MERGED, "merge_commit": MERGED}),
        ("squashed", {"event": EventType.PULL_REQUEST_MERGED, "merge_commit": "8" * 40}),
    ],
)
def test_merge_request_goes_on(what, fields):
    """Each action is one event."""
    assert see(what) == replace(MERGE_REQUEST, **fields)


def test_labels_are_no_update():
    """`update` without an `oldrev` brought no commits."""
    assert see("labelled") == NoEvent(index=0, reason=NOT_AN_EVENT, told="merge_request: update")


def test_merge_request_from_a_fork():
    """The head of a merge request from a fork is in another project."""
    mallory = Repository(
        owner="mallory",
        name="hello",
        clone_url="https://gitlab.example/mallory/hello.git",
        web_url="https://gitlab.example/mallory/hello",
    )
    assert see("from_fork") == replace(MERGE_REQUEST, fork=True, head_repository=mallory)


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("value", [None, [], "hello", 0, -15, True])
def test_who_hides_where_the_head_is_counts_as_fork(side, value):
    """A head whose project cannot be compared is not trusted."""
    assert read(put(gitlab.MERGE_REQUEST, {f"object_attributes.{side}_project_id": value})).fork


def test_release_has_its_commit():
    """A release is built at its tag, and names its commit but nobody who made it."""
    released = ScmEvent(
        event=EventType.RELEASED,
        index=0,
        repository=HELLO,
        head_ref="refs/tags/v1.0",
        sha=NEW,
        tag="v1.0",
        release="The first",
        organisation="group/sub",
    )
    assert see("release") == released
    assert read(put(gitlab.RELEASE, {"action": "update"})) == released
    assert read(put(gitlab.RELEASE, {"name": None})) == replace(released, release="")
    assert read(put(gitlab.RELEASE, {"action": "delete"})).reason is NOT_AN_EVENT


def test_created_job_is_queued():
    """A job is queued once, when it is created; one of a tag has the tag's ref."""
    job = ScmEvent(
        event=EventType.WORKFLOW_JOB_QUEUED,
        index=0,
        repository=HELLO,
        actor="4",
        head_ref="refs/heads/main",
        sha=NEW,
        workflow="test",
        organisation="group/sub",
    )
    assert see("job") == job
    assert read(put(gitlab.JOB, {"tag": True, "ref": "v1.0"})) == replace(job, head_ref="refs/tags/v1.0")
    assert see("job_of_merge_request") == replace(job, head_ref=None, fork=True)
    assert read(put(gitlab.JOB, {"build_status": "pending"})) == NoEvent(
        index=0, reason=NOT_AN_EVENT, told="build: pending"
    )


@pytest.mark.parametrize(
    "ref", ["refs/merge-requests/12/merge", "refs/merge-requests/12/train", "refs/x", "", "a..b", None, 7, ["main"]]
)
def test_job_without_a_branch_counts_as_one_of_a_fork(ref):
    """Of a merge request from a fork a member can start the pipeline in this project: the ref alone tells it apart."""
    found = read(put(gitlab.JOB, {"ref": ref}))
    assert (found.head_ref, found.fork, found.sha) == (None, True, NEW)


def test_job_of_an_old_version_has_its_project_in_its_urls():
    """Jobs had no project once; the path in the URL to clone from is the project's."""
    assert read(drop(gitlab.JOB, "project")).repository == HELLO
    lying = read(put(drop(gitlab.JOB, "project"), {"repository.git_http_url": "ext::sh -c true"}))
    assert lying == NoEvent(index=0, reason=EVENT_UNREADABLE, told="build: project.path_with_namespace")


def test_the_body_says_what_happened():
    """`object_kind` counts, since system hooks have one header for all events; the header where that says nothing."""
    assert read(gitlab.PUSH, "System Hook") == PUSH
    assert read(gitlab_others.ISSUE, "System Hook") == NoEvent(index=0, reason=NOT_AN_EVENT, told="System Hook")
    assert read({"object_kind": ["push"]}, "push").reason is EVENT_UNREADABLE


# "Webhook events" of GitLab 18 has all of these, beside those that are read.
OTHERS = {
    *("Issue", "Confidential Issue", "Note", "Confidential Note", "Wiki Page", "Pipeline", "Deployment"),
    *("Feature Flag", "Milestone", "Emoji", "Resource Access Token", "Vulnerability", "Member", "Project", "Subgroup"),
}
READ = {"Push", "Tag Push", "Merge Request", "Release", "Job"}
HOOKS = [one for (provider, _), one in DELIVERIES.items() if provider is Provider.GITLAB]


def test_every_hook_is_among_the_samples():
    """There is a payload of each kind of hook that GitLab has."""
    assert {one.headers["x-gitlab-event"] for one in HOOKS} == {f"{name} Hook" for name in OTHERS | READ}


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_other_hooks_start_nothing(name):
    """Whatever commits and refs they name, they are no event, and the reason has the name of the hook."""
    payloads = [one.payload for one in HOOKS if one.headers["x-gitlab-event"] == f"{name} Hook"]
    assert payloads
    for payload in payloads:
        assert read(payload, f"{name} Hook") == NoEvent(index=0, reason=NOT_AN_EVENT, told=f"{name} Hook")
