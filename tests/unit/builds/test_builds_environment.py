"""The variables of an event: AWS's names, the commit where it is known, and nothing that could be taken for more."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.builds.environment import MAX_LENGTH, describe_event
from hookwright.builds.targets import render
from hookwright.builds.wanted import MAX_VALUE_LENGTH, WantedBuild
from hookwright.providers.catalogue import DIALECTS
from hookwright.scm import EventType, Provider, Repository, ScmEvent
from support.deliveries import DELIVERIES
from support.objects import JOB_SPEC, make_buildtrigger, make_wanted

SHA, BEFORE, MERGED = "a" * 40, "b" * 40, "c" * 40
HERE = Repository(owner="octo", name="hello", clone_url="https://git.example/octo/hello.git")
FORK = Repository(owner="cat", name="hello", clone_url="https://git.example/cat/hello.git")
ABSENT = None


def make_event(event=EventType.PUSH, **fields):
    known = {"index": 0, "repository": HERE, "head_ref": "refs/heads/main", "sha": SHA}
    return ScmEvent(**({"event": event} | known | fields))


def make_pull_request(**fields):
    known = {"base_ref": "refs/heads/main", "head_ref": "refs/heads/topic", "pull_request": 12}
    return make_event(**({"event": EventType.PULL_REQUEST_CREATED} | known | fields))


def describe(provider=Provider.GITHUB, **fields):
    return describe_event(make_event(**fields), provider)


def test_push():
    """A push to a branch: every variable that it has, and no other."""
    event = make_event(actor="583231", before=BEFORE, message="$(id)", files=("a; id",), organisation="octo")
    assert describe_event(event, Provider.GITHUB) == {
        "HOOKWRIGHT_WEBHOOK_TRIGGER": "branch/main",
        "HOOKWRIGHT_WEBHOOK_EVENT": "PUSH",
        "HOOKWRIGHT_WEBHOOK_HEAD_REF": "refs/heads/main",
        "HOOKWRIGHT_WEBHOOK_ACTOR_ACCOUNT_ID": "583231",
        "HOOKWRIGHT_WEBHOOK_PREV_COMMIT": BEFORE,
        "HOOKWRIGHT_SOURCE_VERSION": SHA,
        "HOOKWRIGHT_SOURCE_REF": "refs/heads/main",
        "HOOKWRIGHT_SOURCE_REPO_URL": "https://git.example/octo/hello.git",
        "HOOKWRIGHT_SOURCE_REPOSITORY": "octo/hello",
        "HOOKWRIGHT_SOURCE_ORGANIZATION": "octo",
    }


@pytest.mark.parametrize(
    ("fields", "trigger"),
    [
        ({"head_ref": "refs/heads/feature/x"}, "branch/feature/x"),
        ({"head_ref": "refs/tags/v1"}, "tag/v1"),
        ({"event": EventType.RELEASED, "head_ref": "refs/tags/v1", "tag": "v1", "sha": None}, "tag/v1"),
        ({"event": EventType.PULL_REQUEST_CREATED, "pull_request": 12}, "pr/12"),
        ({"event": EventType.WORKFLOW_JOB_QUEUED}, "branch/main"),
        ({"event": EventType.WORKFLOW_JOB_QUEUED, "head_ref": None}, ABSENT),
    ],
)
def test_trigger(fields, trigger):
    """What started the build is said in AWS's form; a job of which no branch is known has none."""
    assert describe(**fields).get("HOOKWRIGHT_WEBHOOK_TRIGGER") == trigger


@pytest.mark.parametrize(
    ("provider", "ref"),
    [
        (Provider.GITHUB, "refs/pull/12/head"),
        (Provider.GITHUB_ENTERPRISE, "refs/pull/12/head"),
        (Provider.GITEA, "refs/pull/12/head"),
        (Provider.GITLAB, "refs/merge-requests/12/head"),
        (Provider.BITBUCKET_DATA_CENTER, "refs/pull-requests/12/from"),
        (Provider.BITBUCKET_CLOUD, "refs/heads/topic"),
    ],
)
def test_ref_of_a_pull_request(provider, ref):
    """A pull request is fetched where the provider keeps it; the commit is its head, not pr/N as at AWS."""
    given = describe_event(make_pull_request(), provider)
    assert given["HOOKWRIGHT_SOURCE_REF"] == ref
    assert given["HOOKWRIGHT_SOURCE_VERSION"] == SHA
    assert (given["HOOKWRIGHT_WEBHOOK_HEAD_REF"], given["HOOKWRIGHT_WEBHOOK_BASE_REF"]) == (
        "refs/heads/topic",
        "refs/heads/main",
    )


@pytest.mark.parametrize("provider", Provider)
def test_pull_request_from_a_fork(provider):
    """The fork's address is given too; there alone is the branch, where the provider keeps no ref for pull requests."""
    given = describe_event(make_pull_request(fork=True, head_repository=FORK), provider)
    assert given["HOOKWRIGHT_SOURCE_REPO_URL"] == HERE.clone_url
    assert given["HOOKWRIGHT_SOURCE_HEAD_REPO_URL"] == FORK.clone_url
    gone = describe_event(make_pull_request(fork=True), provider)
    assert "HOOKWRIGHT_SOURCE_HEAD_REPO_URL" not in gone
    kept = DIALECTS[provider].pull_request_ref is not None
    assert ("HOOKWRIGHT_SOURCE_REF" in gone) is kept


def test_version_of_a_release_is_its_tag_if_the_commit_is_unknown():
    """Without a commit the ref stands for it, which is how the build can tell the two apart: a commit has no slash."""
    fields = {"event": EventType.RELEASED, "head_ref": "refs/tags/v1", "tag": "v1", "release": "One"}
    given = describe(**fields, sha=None)
    assert given["HOOKWRIGHT_SOURCE_VERSION"] == given["HOOKWRIGHT_SOURCE_REF"] == "refs/tags/v1"
    assert given["HOOKWRIGHT_WEBHOOK_TAG_NAME"] == "v1"
    assert given["HOOKWRIGHT_WEBHOOK_RELEASE_NAME"] == "One"
    assert describe(**fields)["HOOKWRIGHT_SOURCE_VERSION"] == SHA


def test_what_is_gone_has_no_source():
    """Of a branch that was deleted there is nothing to fetch."""
    given = describe(deleted=True, sha=None, before=BEFORE)
    assert given["HOOKWRIGHT_WEBHOOK_TRIGGER"] == "branch/main"
    assert not {"HOOKWRIGHT_SOURCE_VERSION", "HOOKWRIGHT_SOURCE_REF"} & set(given)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://git.example/o/r.git", "https://git.example/o/r.git"),
        ("http://gitea.git.svc:3000/o/r.git", "http://gitea.git.svc:3000/o/r.git"),
        ("https://[2001:db8::1]:8443/o/r", "https://[2001:db8::1]:8443/o/r"),
        ("https://git.example/o@p/r.git", "https://git.example/o@p/r.git"),
        ("https://admin@git.example/scm/r.git", "https://git.example/scm/r.git"),
        ("https://user:pass@git.example/r.git", "https://git.example/r.git"),
        ("https://a@b@git.example/r.git", "https://git.example/r.git"),
        ("https://user:pass@/r.git", ABSENT),
        ("https://git.example", ABSENT),
        ("https://git.example?x=/r.git", ABSENT),
        ("https://git.example\\@other.example/r.git", ABSENT),
        ("ssh://git@git.example/o/r.git", ABSENT),
        ("git@git.example:o/r.git", ABSENT),
        ("ext::sh -c id", ABSENT),
        ("file:///etc", ABSENT),
        ("/etc", ABSENT),
        ("--upload-pack=id", ABSENT),
        ("https://git.example/o/r.git\n--upload-pack=id", ABSENT),
        ("https://git.example/o/r.git --upload-pack=id", ABSENT),
        ("https://git.example/" + "x" * MAX_LENGTH, ABSENT),
        ("https://" + "x" * MAX_LENGTH + "@git.example/o/r.git", ABSENT),
        (None, ABSENT),
    ],
)
def test_address(written, url):
    """The address is one of HTTPS or HTTP, without user and password; anything else is left out, of a fork too."""
    repository = Repository(owner="octo", name="hello", clone_url=written)
    given = describe(repository=repository, head_repository=repository, fork=True)
    assert given.get("HOOKWRIGHT_SOURCE_REPO_URL") == url
    assert given.get("HOOKWRIGHT_SOURCE_HEAD_REPO_URL") == url


@pytest.mark.parametrize("bad", ["x" * MAX_LENGTH, "a\nb", "a\0b", "a\x85b", "a\ud800b"])
def test_half_a_name_is_none(bad):
    """What names something is whole or absent; what is for people is cut and cleaned."""
    refs = {"head_ref": f"refs/heads/{bad}", "base_ref": f"refs/heads/{bad}"}
    given = describe(**refs, tag=bad + "x", release=bad + "x", workflow=bad + "x", sha=None)
    names = ("HEAD_REF", "BASE_REF", "TAG_NAME", "TRIGGER")
    assert not {f"HOOKWRIGHT_WEBHOOK_{name}" for name in names} & set(given)
    assert not {"HOOKWRIGHT_SOURCE_REF", "HOOKWRIGHT_SOURCE_VERSION"} & set(given)
    for name in ("RELEASE_NAME", "WORKFLOW_NAME"):
        assert given[f"HOOKWRIGHT_WEBHOOK_{name}"][:3] in {"xxx", "a\N{REPLACEMENT CHARACTER}b"}
        assert len(given[f"HOOKWRIGHT_WEBHOOK_{name}"]) <= MAX_LENGTH


def test_characters_of_a_name():
    """A name may hold each character but controls, ends of lines and halves of characters; blanks of all kinds too."""
    halves = range(0xD800, 0xE000)
    refused = {
        code for code in (*range(0x3001), *halves) if "HOOKWRIGHT_WEBHOOK_TAG_NAME" not in describe(tag=chr(code))
    }
    assert refused == {*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *halves}


@pytest.mark.parametrize("key", sorted(DELIVERIES), ids=": ".join)
def test_every_delivery_can_be_described(key):
    """Whatever a Git host sends: the version is a commit or a tag's ref, and there is an address."""
    for event in DELIVERIES[key].read():
        if isinstance(event, ScmEvent):
            given = describe_event(event, key[0])
            version = given.get("HOOKWRIGHT_SOURCE_VERSION")
            assert event.deleted is (version is None)
            assert event.deleted or re.fullmatch(r"[0-9a-f]{7,64}|refs/tags/.+", version)
            assert given["HOOKWRIGHT_SOURCE_REPO_URL"].startswith(("https://", "http://127.0.0.1"))


# ── whatever an event holds ───────────────────────────────────────────────────────────────────────────────────────────

TEXTS = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["$(HOOKWRIGHT_BUILD_ID)", "$$", "`id`", "; id", "-x", "\0", "\n", "x" * 250, "x" * 40_000, "🚀", "\ud83d", ""]
)
MAYBE = st.none() | TEXTS
REPOSITORIES = st.builds(
    Repository, owner=TEXTS, name=TEXTS, clone_url=MAYBE | TEXTS.map("https://h/{}".format), web_url=MAYBE
)
EVENTS = st.builds(
    ScmEvent,
    event=st.sampled_from(EventType),
    index=st.just(0),
    repository=REPOSITORIES,
    head_repository=st.none() | REPOSITORIES,
    head_ref=MAYBE | TEXTS.map("refs/heads/{}".format),
    pull_request=st.none() | st.integers(1, 10**18),
    **dict.fromkeys(("actor", "base_ref", "sha", "before", "message"), MAYBE),
    **dict.fromkeys(("tag", "release", "workflow", "organisation", "merge_commit"), MAYBE),
)


@given(EVENTS, st.sampled_from(Provider))
def test_environment_is_legal_and_distinct(event, provider):
    """Every event can be journaled and rendered: names each once, values whole, of UTF-8, without NUL, not expanded."""
    given = describe_event(event, provider)
    wanted = WantedBuild.from_json(make_wanted(parameters=given).to_json())
    job = render(wanted, make_buildtrigger(build={"jobTemplate": {"spec": JOB_SPEC}}))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    assert len(environment) == len(container["env"])
    assert environment.keys() >= given.keys()
    json.dumps(job, ensure_ascii=False).encode()
    for name, value in given.items():
        assert re.fullmatch(r"HOOKWRIGHT_(WEBHOOK|SOURCE)_[A-Z_]+", name)
        assert 0 < len(value) <= MAX_LENGTH < MAX_VALUE_LENGTH
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", value)
        assert environment[name] == value.replace("$", "$$")
