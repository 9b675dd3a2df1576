"""Starts by hand: what annotations ask for, and what the build is told of it."""

from __future__ import annotations

import subprocess

import pytest

from hookwright import reasons
from hookwright.builds.by_hand import (
    MAX_REF,
    MAX_REQUEST,
    REF,
    REQUESTED_AT,
    Refusal,
    Request,
    check_found,
    check_ref,
    find_value,
    read_request,
    want_build,
)
from hookwright.builds.environment import describe_request
from hookwright.builds.names import name_wanted
from hookwright.builds.state import read_job
from hookwright.builds.targets import render
from hookwright.kinds import MAX_SOURCE_VERSION
from hookwright.kinds.source import BuildSource
from support.jobs import raw_job
from support.objects import NOON, TRIGGER_UID, make_buildtrigger

COMMIT = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c"


def make(value="1", *, ref=None, metadata=None, **spec):
    """Give a BuildTrigger of which a build is asked for."""
    annotations = {REQUESTED_AT: value} | ({REF: ref} if ref is not None else {})
    return make_buildtrigger(metadata={"annotations": annotations, **(metadata or {})}, **spec)


# ── what is asked for ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_annotation_says_what_to_build():
    """The ref of the annotation goes before spec.source.branch, which is built where there is none."""
    assert read_request(make(ref="feature/x")) == Request(value="1", ref="feature/x")
    assert read_request(make()) == Request(value="1", ref="main")
    assert read_request(make(ref="")) == Request(value="1", ref="main")


def test_without_an_annotation_nothing_is_asked_for():
    """No annotation, or an empty one, is no request; a ref alone is none either."""
    assert find_value(make_buildtrigger().metadata) == ""
    assert find_value(make("").metadata) == ""
    assert find_value(make_buildtrigger(metadata={"annotations": {REF: "main"}}).metadata) == ""


def test_nothing_that_says_what_to_build_is_refused():
    """Without ref and branch the refusal names both places."""
    refusal = read_request(make(source={"repository": "octo/hello"}))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reasons.START_REF_MISSING
    assert REF in refusal.message
    assert "spec.source.branch" in refusal.message


@pytest.mark.parametrize(
    "source",
    [
        {"provider": "GitHub", "organization": "octo", "branch": "main"},
        {"provider": "GitLab", "group": "octo/lab", "branch": "main"},
    ],
)
def test_one_of_many_repositories_is_not_guessed(source):
    """Of an organization or a group nothing says which repository to build, whatever the ref is: it is refused."""
    refusal = read_request(make(source=source, ref=COMMIT))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reasons.START_REPOSITORY_MISSING
    assert refusal.message.startswith(f"spec.source: {source.get('organization') or source['group']} ")


def test_build_of_no_repository_is_taken():
    """What Webhooks start may say in its template where the source is; so it is started by hand, too."""
    assert read_request(make(source={"branch": "main"})) == Request(value="1", ref="main")


@pytest.mark.parametrize("value", ["x" * (MAX_REQUEST + 1), "line\nbreak", "bell\a"])
def test_value_that_cannot_be_said_again_is_refused(value):
    """A value that is too long for status, or cannot be printed, is refused; what names it fits into status."""
    refusal = read_request(make(value))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reasons.START_REQUEST_INVALID
    assert len(refusal.value) <= MAX_REQUEST
    assert isinstance(read_request(make("x" * MAX_REQUEST)), Request)


def test_branch_of_the_spec_is_checked_too():
    """A spec.source.branch that is none in git is refused, by its own name."""
    refusal = read_request(make(source={"repository": "octo/hello", "branch": "a..b"}))
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.message.partition(":")[0]) == (reasons.START_REF_INVALID, "spec.source.branch")


# ── refs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

GOOD = [
    "main",
    "feature/x",
    "v1.0",
    "refs/heads/main",
    "refs/tags/v1",
    "refs/pull/7/head",
    COMMIT,
    "größe",
    "a@b",
    "a-b",
]
BAD = [
    *("-x", "--upload-pack=x", "a..b", "a b", "a\tb", "a\nb", "a\0b", "a\x7fb", "a~1", "a^", "a:b", "a?", "a*", "a[b"),
    *("a\\b", "a@{1}", ".a", "a/.b", "a.lock", "a.lock/b", "a.", "a/", "/a", "a//b", "@", "HEAD", "refs/", "refs/x"),
    *("refs/heads/", "refs/heads/a..b", "a\u00a0b", "a\u2028b", "x" * (MAX_REF + 1)),
]


@pytest.mark.parametrize("ref", GOOD)
def test_ref_that_git_takes_is_taken(ref):
    """Branches, full refs and commits are taken, also git's own git check-ref-format agrees."""
    assert check_ref(ref) is None
    full = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
    assert subprocess.run(["git", "check-ref-format", full], check=False).returncode == 0


@pytest.mark.parametrize("ref", BAD, ids=repr)
def test_ref_that_git_refuses_is_refused(ref):
    """What is no ref, or reads as an option, is refused in one printable line that is not too long."""
    wrong = check_ref(ref)
    assert wrong is not None
    assert wrong.isprintable()
    assert len(wrong) < 300


# ── the build ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_value_decides_the_name():
    """One BuildTrigger and one value are one build, whatever the ref is by then; another of either is another."""
    one = want_build(Request(value="1", ref="main"), make(), now=NOON)
    assert name_wanted(one) == name_wanted(want_build(Request(value="1", ref="other"), make(), now=NOON))
    assert name_wanted(one) != name_wanted(want_build(Request(value="2", ref="main"), make(), now=NOON))
    other = make(metadata={"uid": "another", "annotations": {REQUESTED_AT: "1"}})
    assert name_wanted(one) != name_wanted(want_build(Request(value="1", ref="main"), other, now=NOON))
    assert (one.owner_uid, one.delivery_id) == (TRIGGER_UID, "manual:1")


@pytest.mark.parametrize(
    ("ref", "version", "refused"),
    [
        ("main", "refs/heads/main", False),
        ("refs/tags/v1", "refs/heads/v1", True),
        ("main", COMMIT, True),
        (COMMIT.upper(), COMMIT, False),
        ("x" * MAX_REF, ("refs/heads/" + "x" * MAX_REF)[:MAX_SOURCE_VERSION], False),
        ("main", None, False),
    ],
)
def test_build_that_has_the_value_is_of_what_is_asked_for(ref, version, refused):
    """A value whose build is of something else is refused; of a build that does not say of what, it is not."""
    request = Request(value="1", ref=ref)
    found = read_job(raw_job(name="hello-1", version=version))
    refusal = check_found(request, found, want_build(request, make(), now=NOON))
    assert (refusal is not None) == refused
    if refusal is not None:
        assert (refusal.value, refusal.reason) == ("1", reasons.START_VALUE_USED)
        assert f"hello-1 is of {version}" in refusal.message


def test_build_is_kept_for_the_duplicate_window():
    """spec.duplicateWindow is the floor for how long the Job stays, as for those of deliveries."""
    assert want_build(Request(value="1", ref="main"), make(duplicateWindow="2h"), now=NOON).keep_seconds == 7200


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("main", "refs/heads/main"),
        ("v1", "refs/heads/v1"),
        ("refs/heads/main", "refs/heads/main"),
        ("refs/tags/v1", "refs/tags/v1"),
        ("refs/pull/7/head", "refs/pull/7/head"),
        (COMMIT, None),
        (COMMIT.upper(), None),
        ("ab" * 32, None),
        (COMMIT[:12], f"refs/heads/{COMMIT[:12]}"),
    ],
)
def test_build_is_told_what_to_build(ref, told):
    """A name is a branch unless it says otherwise, a commit has no ref and small letters; there is no event."""
    described = describe_request(ref, BuildSource(branch="main"))
    if told is None:
        assert described == {"HOOKWRIGHT_SOURCE_VERSION": ref.lower()}
    else:
        assert described == {"HOOKWRIGHT_SOURCE_VERSION": told, "HOOKWRIGHT_SOURCE_REF": told}


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ({"provider": "GitHub", "repository": "octo/hello"}, "https://github.com/octo/hello.git"),
        ({"provider": "BitbucketCloud", "repository": "octo/hello"}, "https://bitbucket.org/octo/hello.git"),
        ({"provider": "GitLab", "repository": "octo/hello"}, None),
        ({"provider": "GitHubEnterprise", "repository": "octo/hello"}, None),
        ({"provider": "GitHub", "organization": "octo"}, None),
        ({"repository": "octo/hello"}, None),
    ],
)
def test_address_is_told_where_it_is_certain(source, url):
    """The clone URL is there only where the provider has one host: of a GitLab nobody knows whose it is."""
    described = describe_request("main", BuildSource.model_validate(source))
    assert described.get("HOOKWRIGHT_SOURCE_REPO_URL") == url
    assert described.get("HOOKWRIGHT_SOURCE_REPOSITORY") == source.get("repository")


def test_template_may_say_where_to_clone_from():
    """Where Hookwright does not know the address, a container's own variable of that name counts."""
    url = {"name": "HOOKWRIGHT_SOURCE_REPO_URL", "value": "https://git.example/octo/hello.git"}
    container = {"name": "build", "image": "busybox:1.37", "env": [url]}
    build = {"jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}}}
    for provider, address in (("GitLab", url["value"]), ("GitHub", "https://github.com/octo/hello.git")):
        trigger = make(build=build, source={"provider": provider, "repository": "octo/hello"})
        job = render(want_build(Request(value="1", ref="main"), trigger, now=NOON), trigger)
        (given,) = job["spec"]["template"]["spec"]["containers"]
        assert [one["value"] for one in given["env"] if one["name"] == url["name"]] == [address]
