"""Payloads that nobody sends in good faith: whatever the JSON is, the reading is whole and holds what it promises."""

from __future__ import annotations

import copy
import functools
import re
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.providers import fields
from hookwright.providers.catalogue import DIALECTS
from hookwright.providers.dialect import MAX_CHANGES
from hookwright.reasons import EVENT_UNREADABLE, TOO_MANY_CHANGES, Outcome
from hookwright.scm import EventType, NoEvent, Provider, Reading, Repository, ScmEvent
from support.deliveries import DELIVERIES
from support.payloads import NEW, ZEROS, bitbucket_cloud, bitbucket_data_center, github, gitlab, put

NAMES = sorted(
    {value for d in DELIVERIES.values() for key, value in d.headers.items() if key.endswith(("event", "key"))}
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
)
# What could be taken for something else.
LIES = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1, 12, 1e300, 10**400, "", "0", "12", "true", "null", " ", "0" * 40, "a" * 40),
        *("refs/heads/main", "refs/heads/../x", "../..", "a\nb", "$(id)", "x" * 250, "🚀", "\x00"),
        *([], {}, [[]], [None], [{}], {"id": {}}),
    ]
)
JSON = st.recursive(
    SCALARS | LIES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
# Deeper than Python's own functions follow it: comparing it, or writing it, raises.
DEEP, ALSO_DEEP = (functools.reduce(lambda inner, _: [inner], range(100_000), []) for _ in range(2))
each_provider = pytest.mark.parametrize("provider", Provider)


def check(provider: Provider, reading: Reading) -> None:
    """Say that a reading is what a reading promises to be."""
    assert reading
    assert [each.index for each in reading] == list(range(len(reading)))
    for each in reading:
        if isinstance(each, NoEvent):
            assert each.reason.outcome in {Outcome.IGNORED, Outcome.PING, Outcome.REFUSED}
            assert re.fullmatch(r"[A-Za-z0-9_:.\-? ]{1,100}", each.told)
        else:
            check_event(provider, each)


def check_event(provider: Provider, event: ScmEvent) -> None:
    assert event.event in DIALECTS[provider].events
    assert type(event.fork) is type(event.deleted) is bool
    for text in (event.actor, event.message, event.tag, event.release, event.workflow, event.organisation):
        assert text is None or type(text) is str
    for ref in (event.head_ref, event.base_ref):
        assert ref is None or re.fullmatch(r"refs/(heads|tags)/[^\s~^:?*\[\\]{1,990}", ref)
    for commit in (event.sha, event.before, event.merge_commit):
        assert commit is None or re.fullmatch(r"[0-9a-f]{7,64}", commit)
    for repository in (event.repository, event.head_repository):
        if repository is not None:
            assert re.fullmatch(r"[^\s/]+(/[^\s/]+)+", repository.full_name)
            assert ".." not in repository.full_name.split("/")
            for url in (repository.clone_url, repository.web_url):
                assert url is None or re.match(r"https?://", url)
    assert event.files is None or all(type(path) is str for path in event.files)
    if event.event is EventType.PUSH:
        assert event.head_ref is not None
        assert (event.sha is None) is event.deleted
    if event.event.is_pull_request:
        assert event.sha is not None
        assert type(event.pull_request) is int
        assert event.fork or event.head_repository is None


@each_provider
@settings(deadline=None)
@given(name=st.sampled_from(NAMES) | st.text(max_size=80) | st.none(), payload=JSON)
def test_any_json_is_read(provider, name, payload):
    """Any JSON under any event name gives a whole reading, and nothing raises."""
    check(provider, DIALECTS[provider].read(lambda _: name, payload))


def places_in(value, way=()):
    """Give the way to every value in a payload."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*way, key)
        yield from places_in(each, (*way, key))


PLACES = {key: sorted(places_in(delivery.payload), key=str) for key, delivery in DELIVERIES.items()}


@settings(deadline=None)
@given(data=st.data(), key=st.sampled_from(sorted(DELIVERIES)))
def test_any_lie_in_a_payload_is_read(data, key):
    """A true payload in which some values are others, or missing, gives a whole reading, and nothing raises."""
    delivery = DELIVERIES[key]
    payload = copy.deepcopy(delivery.payload)
    for _ in range(data.draw(st.integers(1, 4))):
        *way, last = data.draw(st.sampled_from(PLACES[key]))
        place = payload
        try:
            for step in way:
                place = place[step]
            if data.draw(st.booleans()):
                place[last] = data.draw(LIES | JSON)
            else:
                del place[last]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier lie took the place away
    check(delivery.provider, DIALECTS[delivery.provider].read(delivery.headers.get, payload))


@pytest.mark.parametrize("key", sorted(DELIVERIES), ids=": ".join)
def test_each_lie_at_each_place_is_read(key):
    """Null, any number, array or object, or nothing, at any one place of a true payload gives a whole reading."""
    delivery = DELIVERIES[key]
    payload = copy.deepcopy(delivery.payload)
    check(delivery.provider, delivery.read())
    for *way, last in PLACES[key]:
        place = payload
        for step in way:
            place = place[step]
        true = place[last]
        for lie in (None, 7, "7", [], {}, 10**5000, DEEP):
            place[last] = lie
            check(delivery.provider, DIALECTS[delivery.provider].read(delivery.headers.get, payload))
        del place[last]
        check(delivery.provider, DIALECTS[delivery.provider].read(delivery.headers.get, payload))
        place.insert(last, true) if isinstance(place, list) else place.update({last: true})


@each_provider
def test_deep_payload_is_read(provider):
    """A payload may be as deep as it likes."""
    keys = ("pull_request", "push", "changes", "commits", "repository", "object_kind", "eventKey", "ref", "action")
    for payload in (DEEP, dict.fromkeys(keys, DEEP) | {"before": DEEP, "after": ALSO_DEEP}):
        for name in NAMES:
            check(provider, DIALECTS[provider].read(lambda _, name=name: name, payload))


@pytest.mark.parametrize(
    ("provider", "payload"),
    [(Provider.GITLAB, gitlab.PUSH), (Provider.GITEA, github.PUSH)],
)
def test_files_are_bounded(provider, payload):
    """Of a push with absurdly many files none are listed: they are unknown, as those of a push that is cut."""
    headers = {"x-gitlab-event": "Push Hook", "x-gitea-event": "push"}
    for count, known in ((fields.MAX_FILES, True), (fields.MAX_FILES + 1, False)):
        commit = github.make_commit(NEW, added=[f"{n}" for n in range(count)])
        counts = {"total_commits_count": 1} if provider is Provider.GITLAB else {}
        (event,) = DIALECTS[provider].read(headers.get, put(payload, {"commits": [commit], **counts}))
        assert (event.files is not None) is known
        assert event.sha == NEW


def test_megabytes_of_commits_are_read():
    """Five megabytes of small commits are one event."""
    commits = [{"id": NEW, "message": "", "added": ["a"], "removed": [], "modified": []}] * 80_000
    (event,) = DIALECTS[Provider.GITLAB].read(
        {"x-gitlab-event": "Push Hook"}.get, gitlab.PUSH | {"commits": commits, "total_commits_count": len(commits)}
    )
    assert event.files == ("a",)


@pytest.mark.parametrize(("count", "refused"), [(MAX_CHANGES, False), (MAX_CHANGES + 1, True), (10**6, True)])
def test_changes_are_bounded(count, refused):
    """A push of more refs than that is refused as a whole: which of them were built would be chance."""
    payload = bitbucket_cloud.make_push() | {"push": {"changes": [bitbucket_cloud.UPDATE] * count}}
    reading = DIALECTS[Provider.BITBUCKET_CLOUD].read({"x-event-key": "repo:push"}.get, payload)
    if refused:
        assert reading == (NoEvent(index=0, reason=TOO_MANY_CHANGES, told="more than 1,000 changes"),)
        assert f"{MAX_CHANGES:,} " in TOO_MANY_CHANGES.sentence
    else:
        assert len(reading) == count


def test_many_changes_are_not_looked_for_among_many_commits():
    """Of a push of a thousand refs and five megabytes of commits the newest commits alone are searched, each time."""
    commits = [bitbucket_data_center.make_commit(f"{n:040x}", "x") for n in range(1, 20_000)]
    changes = [bitbucket_data_center.make_change(f"refs/heads/b{n}", ZEROS, f"{n:040x}") for n in range(1, 1_001)]
    payload = bitbucket_data_center.make_push(*changes) | {"commits": commits, "toCommit": commits[-1]}
    reading = DIALECTS[Provider.BITBUCKET_DATA_CENTER].read({"x-event-key": "repo:refs_changed"}.get, payload)
    assert [event.message for event in reading] == ["x"] * 500 + [None] * 500


def test_changes_beyond_the_bound_are_not_looked_for():
    """One change more than there may be is enough to refuse a push: the rest of it is not taken apart."""
    parts = iter(range(10 * MAX_CHANGES))
    dialect = replace(DIALECTS[Provider.GITHUB], split=lambda _name, _payload: parts)
    (refused,) = dialect.read({"x-github-event": "push"}.get, {})
    assert isinstance(refused, NoEvent)
    assert (refused.reason, next(parts)) == (TOO_MANY_CHANGES, MAX_CHANGES + 1)


@each_provider
@pytest.mark.parametrize("payload", [{}, None, {"push": {"changes": []}, "changes": []}])
def test_payloads_are_bounded(provider, payload):
    """So is an array of more payloads than that, whether there is a change in them or not: millions cost nothing."""
    push = DELIVERIES[provider, "push"]
    refused = (NoEvent(index=0, reason=TOO_MANY_CHANGES, told="more than 1,000 changes"),)
    for count in (MAX_CHANGES + 1, 10**7):
        assert DIALECTS[provider].read(push.headers.get, [payload] * count) == refused
    assert DIALECTS[provider].read(push.headers.get, [payload] * MAX_CHANGES) != refused


@each_provider
def test_array_of_payloads_is_read_one_after_the_other(provider):
    """Changes are numbered through all payloads of an array; an array in it is no payload."""
    push = DELIVERIES[provider, "push"]
    reading = DIALECTS[provider].read(push.headers.get, [push.payload, [push.payload], push.payload])
    events = [each for each in reading if isinstance(each, ScmEvent)]
    assert [event.head_ref for event in events] == [push.read_one().head_ref] * 2
    check(provider, reading)


@each_provider
@pytest.mark.parametrize("payload", [[], None, "", 0, False, {}])
def test_nothing_says_nothing(provider, payload):
    """An empty payload is unreadable."""
    push = DELIVERIES[provider, "push"]
    (nothing,) = DIALECTS[provider].read(push.headers.get, payload)
    assert nothing.reason.outcome is Outcome.IGNORED


@pytest.mark.parametrize(
    "branch", ["feature/x", "a" * 244, "$(id)", "a;b|c&d", "-rf", "`id`", "ü", "🚀", "'\"", "#1", "a@b", "%2e%2e"]
)
def test_name_that_git_takes_is_taken_as_it_is(branch):
    """A branch's name is data: whatever git takes is a ref, letter by letter."""
    (event,) = DIALECTS[Provider.GITHUB].read(
        {"x-github-event": "push"}.get, github.PUSH | {"ref": f"refs/heads/{branch}"}
    )
    assert event.head_ref == f"refs/heads/{branch}"


@pytest.mark.parametrize(
    "name",
    [
        *("", "/", "a/", "/a", "a//b", ".", "..", "a..b", "a/../b", "a/.b", ".a", "a.", "a.lock", "a.lock/b", "a b"),
        *("a\nb", "a\n", "a\tb", "a\x00b", "a\x7f", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a@{b", "a" * 1000),
    ],
)
def test_name_that_git_refuses_is_none(name):
    """What git takes for no branch is in no repository, and reaches no build."""
    (nothing,) = DIALECTS[Provider.GITHUB].read(
        {"x-github-event": "push"}.get, github.PUSH | {"ref": f"refs/heads/{name}"}
    )
    assert nothing == NoEvent(index=0, reason=EVENT_UNREADABLE, told="push: ref")


@pytest.mark.parametrize("ref", ["main", "refs/notes/x", "refs/pull/1/head", "refs/headsx", "HEAD", "refs/heads/"])
def test_ref_that_is_no_branch_and_no_tag_is_none(ref):
    """Only branches and tags are built."""
    assert fields.ref(ref) is None


@pytest.mark.parametrize("sha", ["--upload-pack=x", "HEAD", "a" * 6, "a" * 65, "A" * 40, "a" * 39 + "\n", "0" * 40, 5])
def test_commit_is_hexadecimal(sha):
    """What git could take for an option, or for another name, is no commit."""
    assert fields.commit(sha) is None


@pytest.mark.parametrize("length", [7, 40, 64])
def test_zeros_are_no_commit(length):
    """Zeros alone stand for none, however many they are; one other digit, wherever it stands, makes a commit."""
    assert fields.commit("0" * length) is None
    assert all(fields.commit(sha) == sha for sha in ("0" * (length - 1) + "1", "1" + "0" * (length - 1)))


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c id", "file:///etc", "/etc", "ssh://git@host/x", "git@host:x", "https://a b", "https://a\nb", "", 5],
)
def test_only_http_urls_are_cloned_from(url):
    """A URL that git would read as another transport is left out."""
    assert fields.url(url) is None


@pytest.mark.parametrize(
    "name", ["octo", "octo/", "/hello", "a/../b", "./a", "a/b c", "a/b\n", "a/b\x00", "a" * 256, 5]
)
def test_repository_has_an_owner_and_a_name(name):
    """What is no full name, or leads elsewhere in a path, is no repository."""
    assert fields.repository(name, clone_url=None, web_url=None) is None


def test_nothing_long_is_kept():
    """Repositories and refs are remembered, but no long text with them."""
    long = "https://git.example/" + "x" * 1_000_000
    before = sys.getrefcount(long)
    assert fields.repository("octo/hello", clone_url=long, web_url=long) == Repository(owner="octo", name="hello")
    assert fields.repository(long, clone_url=None, web_url=None) is None
    assert fields.ref(long) is fields.url(long) is None
    assert sys.getrefcount(long) == before


@pytest.mark.parametrize("key", sorted(DELIVERIES), ids=": ".join)
def test_files_that_nobody_wants_are_not_there(key):
    """Without them an event is the same in all else."""
    delivery = DELIVERIES[key]
    without = DIALECTS[delivery.provider].read(delivery.headers.get, delivery.payload, wants_files=False)
    bare = [replace(one, files=None) if isinstance(one, ScmEvent) else one for one in delivery.read()]
    assert list(without) == bare
