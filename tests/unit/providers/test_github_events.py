"""What GitHub's payloads say happened."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hookwright.reasons import EVENT_UNREADABLE, NOT_AN_EVENT, PING
from hookwright.scm import EventType, Fact, NoEvent, Provider, Repository, ScmEvent
from support.deliveries import DELIVERIES, Delivery, read_one
from support.payloads import MERGED, NEW, OLD, drop, github, put

HELLO = Repository(
    owner="octo", name="hello", clone_url="https://github.com/octo/hello.git", web_url="https://github.com/octo/hello"
)
PUSH = ScmEvent(
    event=EventType.PUSH,
    index=0,
    repository=HELLO,
    actor="583231",
    head_ref="refs/heads/main",
    sha=NEW,
    before=OLD,
    message="Say hello\n\nto all",
    files=("src/hello.py", "old.txt", "README.md"),
    organisation="octo",
)
PULL_REQUEST = ScmEvent(
    event=EventType.PULL_REQUEST_CREATED,
    index=0,
    repository=HELLO,
    actor="583231",
    head_ref="refs/heads/feature/kind",
    base_ref="refs/heads/main",
    sha=NEW,
    organisation="octo",
    pull_request=12,
)

each_github = pytest.mark.parametrize("provider", [Provider.GITHUB, Provider.GITHUB_ENTERPRISE])


def read(payload, event="push"):
    delivery = Delivery(provider=Provider.GITHUB, what="", headers={"x-github-event": event}, payload=payload)
    return delivery.read_one()


@each_github
def test_push_to_a_branch(provider):
    """A push has its ref, head, message and all files of its commits, each once."""
    assert read_one(provider, "push") == PUSH


def test_push_of_many_commits_names_all_files():
    """GitHub's limit of 20 commits is not one of webhooks: of 24 commits the files are all known."""
    files = tuple(f"{n}.txt" for n in range(1, 25))
    assert read_one(Provider.GITHUB, "push_of_many") == replace(PUSH, files=files)


def test_files_of_a_push_that_is_cut_are_unknown():
    """A push with the most commits that GitHub sends may have more."""
    commits = [github.make_commit(NEW, added=["a"])] * 2048
    assert read(put(github.PUSH, {"commits": commits[1:]})).files == ("a",)
    cut = read(put(github.PUSH, {"commits": commits}))
    assert cut.files is None
    assert cut.lacks() == {Fact.FILES}


@pytest.mark.parametrize("where", ["commits", "head_commit"])
def test_files_of_a_commit_that_is_cut_are_unknown(where):
    """A commit with the most files that GitHub names may have more, of whatever kind: an exclusion must not pass."""
    for many, known in ((2998, True), (2999, False)):
        lists = {"added": ["a"], "modified": [f"{n}" for n in range(many)]}
        commit = github.make_commit(NEW, **lists)
        happened = read(
            put(github.PUSH, {"commits": [commit]})
            if where == "commits"
            else put(github.NEW_BRANCH, {"head_commit": commit})
        )
        assert (happened.files is not None) is known
        assert happened.lacks() == (set() if known else {Fact.FILES})


@pytest.mark.parametrize("value", [True, "true", 1, {}])
def test_files_of_a_forced_push_are_unknown(value):
    """What a forced push has taken away is in no payload: an exclusion must not pass. So it is if `forced` lies."""
    assert read_one(Provider.GITHUB, "forced") == replace(PUSH, files=None)
    assert read(put(github.PUSH, {"forced": value})).lacks() == {Fact.FILES}
    assert read(put(github.PUSH, {"forced": None})) == read(drop(github.PUSH, "forced")) == PUSH


def test_files_of_what_was_set_back_are_unknown():
    """A branch that was there and brings no commit has lost some; so may have a tag that was moved."""
    assert read_one(Provider.GITHUB, "rewound") == replace(PUSH, files=None)
    assert read(put(github.REWOUND, {"forced": False})).lacks() == {Fact.FILES}
    assert read(put(github.NEW_BRANCH, {"before": None})).lacks() == {Fact.FILES}
    assert read_one(Provider.GITHUB, "moved_tag").lacks() == {Fact.FILES}


def test_new_branch_has_the_files_of_its_head():
    """A branch made at an old commit has no commits of its own, and nothing before it."""
    files = ("src/hello.py", "README.md")
    assert read_one(Provider.GITHUB, "new_branch") == replace(PUSH, head_ref="refs/heads/new", before=None, files=files)


@each_github
def test_annotated_tag_is_built_at_its_commit(provider):
    """`after` is the tag object; what is built is the commit."""
    tag = replace(PUSH, head_ref="refs/tags/v1.0", before=None, files=("src/hello.py", "README.md"))
    assert read_one(provider, "tag") == tag


@each_github
def test_deleted_branch_is_marked(provider):
    """What is gone has no commit to build, and lacks nothing."""
    gone = replace(PUSH, sha=None, message=None, files=None, deleted=True)
    assert read_one(provider, "branch_deleted") == gone
    assert gone.lacks() == frozenset()


@pytest.mark.parametrize("change", [{"deleted": True}, {"after": "0" * 40}, {"after": "0" * 64}])
def test_either_mark_says_deleted(change):
    """The flag or the zeros alone say that a ref is gone."""
    assert read(put(github.PUSH, change)).deleted


def test_pull_request_is_opened():
    """A pull request has both refs in full; its message and files only the API knows; a test merge is no merge."""
    opened = read_one(Provider.GITHUB, "opened")
    assert opened == PULL_REQUEST
    assert opened.lacks() == {Fact.FILES, Fact.MESSAGE}


@each_github
@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("updated", {"event": EventType.PULL_REQUEST_UPDATED, "before": OLD}),
        ("reopened", {"event": EventType.PULL_REQUEST_REOPENED}),
        ("closed", {"event": EventType.PULL_REQUEST_CLOSED}),
        ("merged", {"event": EventType.PULL_REQUEST_MERGED, "merge_commit": MERGED}),
    ],
)
def test_pull_request_goes_on(provider, what, fields):
    """Each action is one event; `closed` is two, told apart by `merged`."""
    assert read_one(provider, what) == replace(PULL_REQUEST, **fields)


def test_pull_request_from_a_fork():
    """The head of a pull request from a fork is in another repository."""
    mallory = Repository(
        owner="mallory",
        name="hello",
        clone_url="https://github.com/mallory/hello.git",
        web_url="https://github.com/mallory/hello",
    )
    expected = replace(PULL_REQUEST, head_ref="refs/heads/main", fork=True, head_repository=mallory)
    assert read_one(Provider.GITHUB, "from_fork") == expected
    assert read_one(Provider.GITHUB, "from_fork_that_is_gone") == replace(expected, head_repository=None)


@pytest.mark.parametrize("value", [None, [], "octo/hello", {}, {"full_name": None}, {"full_name": 5}])
def test_who_hides_where_the_head_is_counts_as_fork(value):
    """A head whose repository cannot be read is not trusted."""
    assert read(put(github.PULL_REQUEST, {"pull_request.head.repo": value}), "pull_request").fork


@pytest.mark.parametrize("value", [None, "true", 1, []])
def test_closed_but_not_how(value):
    """Whether a pull request was merged is not guessed."""
    reading = read(put(github.CLOSED, {"pull_request.merged": value}), "pull_request")
    assert reading == NoEvent(index=0, reason=EVENT_UNREADABLE, told="pull_request: pull_request.merged")


def test_releases():
    """A release is built at its tag; a name that is null or empty is an empty one, and what is no name is none."""
    release = ScmEvent(
        event=EventType.RELEASED,
        index=0,
        repository=HELLO,
        actor="583231",
        head_ref="refs/tags/v1.0",
        tag="v1.0",
        release="The first",
        organisation="octo",
    )
    assert read_one(Provider.GITHUB, "release") == release
    early = replace(release, event=EventType.PRERELEASED, release="")
    assert read_one(Provider.GITHUB, "prerelease") == early
    assert read(put(github.PRERELEASE, {"release.name": ""}), "release") == early
    for unknown in (drop(github.PRERELEASE, "release.name"), put(github.PRERELEASE, {"release.name": False})):
        assert read(unknown, "release") == replace(early, release=None)


def test_queued_job():
    """A queued job has the workflow's name and its commit; its branch may be a tag, or in somebody's fork."""
    assert read_one(Provider.GITHUB, "job") == ScmEvent(
        event=EventType.WORKFLOW_JOB_QUEUED,
        index=0,
        repository=HELLO,
        actor="583231",
        sha=NEW,
        workflow="CI",
        organisation="octo",
    )
    bare = drop(github.JOB, "workflow_job.workflow_name", "workflow_job.head_branch")
    assert read(bare, "workflow_job").workflow is None


def test_ping_is_a_ping():
    """GitHub's first delivery only tries the URL."""
    assert read_one(Provider.GITHUB, "ping") == NoEvent(index=0, reason=PING, told="ping")


@pytest.mark.parametrize(
    ("event", "payload", "told"),
    [
        ("create", {"ref": "v1", "ref_type": "tag"}, "create"),
        ("delete", {"ref": "v1", "ref_type": "tag"}, "delete"),
        ("pull_request", {**github.PULL_REQUEST, "action": "edited"}, "pull_request: edited"),
        ("release", {**github.RELEASE, "action": "published"}, "release: published"),
        ("workflow_job", {**github.JOB, "action": "completed"}, "workflow_job: completed"),
        ("issues", {"action": "opened"}, "issues: opened"),
        ("issues", {"action": "a secret,\nor two"}, "issues: ?"),
        ("issues", {"action": {"opened": True}}, "issues"),
        ("x" * 1000, {}, "?"),
    ],
)
def test_all_else_is_no_event(event, payload, told):
    """What is none of the events says what it is, in the provider's words if they are words."""
    assert read(payload, event) == NoEvent(index=0, reason=NOT_AN_EVENT, told=told)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("ref", "push: ref"),
        ("repository", "push: repository.full_name"),
        ("repository.full_name", "push: repository.full_name"),
    ],
)
def test_push_needs_these(path, told):
    """A push without what every push has names what it lacks."""
    assert read(drop(github.PUSH, path)) == NoEvent(index=0, reason=EVENT_UNREADABLE, told=told)


def test_push_needs_none_of_these():
    """A push that has the least of all still is one; what is missing is unknown."""
    bare = {"ref": "refs/heads/main", "after": NEW, "repository": {"full_name": "octo/hello"}}
    expected = ScmEvent(
        event=EventType.PUSH,
        index=0,
        repository=Repository(owner="octo", name="hello"),
        head_ref="refs/heads/main",
        sha=NEW,
        organisation="octo",
    )
    assert read(bare) == expected
    assert expected.lacks() == {Fact.FILES, Fact.MESSAGE}


def test_payload_of_another_delivery_is_none_of_this():
    """A delivery without GitHub's header, or with it twice, says nothing."""
    reading = Delivery(provider=Provider.GITHUB, what="", headers={}, payload=github.PUSH).read_one()
    assert reading == NoEvent(index=0, reason=EVENT_UNREADABLE, told="no x-github-event")


def test_deliveries_are_of_both_githubs():
    """GitHub Enterprise Server speaks as GitHub does: every delivery reads the same."""
    for (provider, what), delivery in DELIVERIES.items():
        if provider is Provider.GITHUB:
            assert delivery.read() == DELIVERIES[Provider.GITHUB_ENTERPRISE, what].read()
