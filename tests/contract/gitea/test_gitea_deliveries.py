"""What Gitea's deliveries say happened: as they were recorded, and what is made of them by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hookwright.providers.gitea.dialect import DIALECT
from hookwright.reasons import NOT_AN_EVENT, PING
from hookwright.scm import EventType, Fact, NoEvent, Provider, Repository, ScmEvent
from support.deliveries import read_one
from support.payloads import OLD, ZEROS, gitea, put

LAB = Repository(
    owner="lab",
    name="e2e1795376427",
    clone_url="http://127.0.0.1:3911/lab/e2e1795376427.git",
    web_url="http://127.0.0.1:3911/lab/e2e1795376427",
)
PUSH = ScmEvent(
    event=EventType.PUSH,
    index=0,
    repository=LAB,
    actor="1",
    head_ref="refs/heads/main",
    sha="266b24f4b580de240be2cb78b1e0acbbad6ce803",
    before="63905b080287e2bc42f5ca7c733cb2cfd3fb88f5",
    message="feat: first app\n\nwith a body, ünïcode and 🚀\n",
    files=("docs/über uns.md", "src/app.py"),
    organisation="lab",
)
LOGIN = ScmEvent(
    event=EventType.PULL_REQUEST_CREATED,
    index=0,
    repository=LAB,
    actor="1",
    head_ref="refs/heads/feature/login",
    base_ref="refs/heads/main",
    sha="06dcad862bd41c41dde963d029fc4efd58e26a5d",
    organisation="lab",
    pull_request=1,
)
MOVED = "3b9e82782cad1b07f59230e2f56d277ac44af0ae"
RELEASE = ScmEvent(
    event=EventType.RELEASED,
    index=0,
    repository=LAB,
    actor="1",
    head_ref="refs/tags/v0.2.0",
    tag="v0.2.0",
    release="Two",
    organisation="lab",
)
NOTHING = NoEvent(index=0, reason=NOT_AN_EVENT, told="")

RECORDED = {
    "0001-push-x": PUSH,
    # Twelve commits, of which five are told.
    "0003-push-x": replace(
        PUSH,
        sha="80b620c799c984d70a25609ac5656be8e43e3860",
        before="a3dda60992f2a6daeb338d47318612128956771d",
        message="many 11\n",
        files=None,
    ),
    "0006-create-branch": replace(NOTHING, told="create"),
    "0008-pull_request-opened": LOGIN,
    "0010-pull_request-synchronized": replace(LOGIN, event=EventType.PULL_REQUEST_UPDATED, sha=MOVED),
    "0014-pull_request-closed": replace(
        LOGIN,
        event=EventType.PULL_REQUEST_MERGED,
        sha=MOVED,
        merge_commit="fb1b18169d3ae6c94c64aa1d37ced715bb33c3f6",
    ),
    "0020-pull_request-reopened": replace(
        LOGIN,
        event=EventType.PULL_REQUEST_REOPENED,
        head_ref="refs/heads/wip",
        sha="2cfd76e84b77b792f742ae0cc5e658a39138e6f6",
        pull_request=2,
    ),
    "0024-delete-branch": ScmEvent(
        event=EventType.PUSH,
        index=0,
        repository=LAB,
        actor="1",
        head_ref="refs/heads/wip",
        organisation="lab",
        deleted=True,
    ),
    "0031-create-tag": replace(NOTHING, told="create"),
    "0034-release-published": RELEASE,
    "0042-release-deleted": replace(NOTHING, told="release: deleted"),
    "0044-delete-tag": replace(NOTHING, told="delete: tag"),
    "0049-status-x": replace(NOTHING, told="status"),
    "0051-pull_request-opened": replace(
        LOGIN,
        actor="2",
        head_ref="refs/heads/main",
        sha="cd194dd8c9c51f5b659eba5773aede941f2e3add",
        pull_request=4,
        fork=True,
        head_repository=Repository(
            owner="mallory",
            name="e2e1795376427",
            clone_url="http://127.0.0.1:3911/mallory/e2e1795376427.git",
            web_url="http://127.0.0.1:3911/mallory/e2e1795376427",
        ),
    ),
}


def see(what):
    return read_one(Provider.GITEA, what)


@pytest.mark.parametrize("name", gitea.list_deliveries())
def test_recorded_delivery(name):
    """Each recorded delivery is the event that was made to happen, or none."""
    headers, payload = gitea.load(name)
    assert DIALECT.read(headers.get, payload) == (RECORDED[name],)


def test_delivery_looks_like_githubs_too():
    """Gitea sends GitHub's and Gogs' headers along, with one id in all of them."""
    headers, _ = gitea.load("0001-push-x")
    assert headers["x-github-event"] == headers["x-gogs-event"] == "push"
    ids = {headers[f"x-{name}-delivery"] for name in ("gitea", "github", "gogs")}
    assert ids == {DIALECT.find_delivery_id(headers.get)}


@pytest.mark.parametrize("name", ["Gitea", "Forgejo", "Gogs"])
def test_each_of_the_three_has_headers_of_its_own(name):
    """Forgejo and Gogs name event and delivery in headers of their own."""
    headers = {f"x-{name.lower()}-event": "push", f"x-{name.lower()}-delivery": "id"}
    (event,) = DIALECT.read(headers.get, gitea.PUSH)
    assert replace(event, files=PUSH.files) == PUSH
    assert DIALECT.find_delivery_id(headers.get) == "id"


def test_files_of_a_long_push_are_unknown():
    """Gitea tells of the five newest commits, and how many there were."""
    assert see("push_of_many").lacks() == {Fact.FILES}


def test_new_branch_and_tag_have_the_files_of_their_head():
    """What is made at an old commit has no commits of its own; an annotated tag is built at its commit."""
    new = replace(PUSH, head_ref="refs/heads/new", before=None)
    assert see("new_branch") == new
    assert see("tag") == replace(new, head_ref="refs/tags/v1.0")


def test_files_of_what_was_set_back_are_unknown():
    """A branch or tag that was there and brings no commit has lost some: those of its head are not all."""
    assert see("rewound") == replace(PUSH, files=None)
    assert see("rewound").lacks() == {Fact.FILES}
    assert see("moved_tag").lacks() == {Fact.FILES}
    assert see("tag_of_changes").files == ("new.txt", "README.md", "old.txt")


def test_deleted_tag_is_marked():
    """A tag that is gone has a push."""
    gone = replace(PUSH, head_ref="refs/tags/v1.0", before=OLD, sha=None, message=None, files=None, deleted=True)
    assert see("tag_deleted") == gone


def test_test_delivery_is_a_ping():
    """The button "Test Delivery" sends a push that changes nothing: it must not start a build."""
    ping = NoEvent(index=0, reason=PING, told="push")
    assert see("test") == ping
    empty = put(gitea.PUSH, {"before": ZEROS, "after": ZEROS})  # of a repository without commits
    assert DIALECT.read({"x-gitea-event": "push"}.get, empty) == (ping,)


def test_push_of_an_old_version():
    """One that does not say which commit is the head: it is found among the commits. An empty list may be null."""
    assert DIALECT.read({"x-gitea-event": "push"}.get, gitea.OLD_PUSH) == (PUSH,)


@pytest.mark.parametrize(("commits", "known"), [(4, True), (5, False)])
def test_without_a_total_five_commits_may_be_more(commits, known):
    """Where nobody says how many commits there were, as many as are told at most may not be all."""
    payload = gitea.OLD_PUSH | {"commits": gitea.OLD_PUSH["commits"] * commits}
    (event,) = DIALECT.read({"x-gitea-event": "push"}.get, payload)
    assert (event.files is not None) is known


def test_pull_request_is_closed():
    """`closed` without `merged` is no merge."""
    closed = replace(LOGIN, event=EventType.PULL_REQUEST_CLOSED, sha=MOVED)
    assert see("closed") == closed


def open_from(**head):
    headers, payload = gitea.load("0008-pull_request-opened")
    changed = put(payload, {f"pull_request.head.{key}": value for key, value in head.items()})
    (event,) = DIALECT.read(headers.get, changed)
    return event


@pytest.mark.parametrize("label", ["", None, 7])
def test_pull_request_without_a_branch_is_a_strangers(label):
    """AGit (git push origin HEAD:refs/for/main) takes no right to write, and says that the head is in the repository.

    Source: Gitea, services/convert/pull.go: `head.ref` is refs/pull/N/head then, and `head.label` is empty.
    """
    assert open_from(ref="refs/pull/1/head", label=label) == replace(LOGIN, head_ref=None, fork=True)


def test_branch_that_is_gone_keeps_its_name():
    """A pull request is closed when its branch is deleted: then only `head.label` has the branch's name."""
    assert open_from(ref="refs/pull/1/head") == LOGIN
    fork = open_from(ref="refs/pull/1/head", repo=None)
    assert fork == replace(LOGIN, fork=True)


def test_prerelease_and_draft():
    """`prerelease` tells the two apart; a draft is not out."""
    assert see("prerelease") == replace(RELEASE, event=EventType.PRERELEASED)
    assert see("draft") == replace(NOTHING, told="release: published")
