"""A wanted build survives the journal as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.builds.wanted import MAX_VALUE_LENGTH, TargetRef, Undecided, WantedBuild, clean_value, format_time
from hookwright.kinds import BuildTrigger
from hookwright.scm import ActorId, CommitId, EventType, Ref, Repository, ScmEvent
from support.objects import make_wanted

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
WANTED = st.builds(
    WantedBuild,
    namespace=TEXT,
    owner_kind=TEXT,
    owner_name=TEXT,
    owner_uid=TEXT,
    delivery_id=TEXT,
    index=st.integers(0, 10_000),
    accepted_at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    target=st.builds(TargetRef, api_version=TEXT, kind=TEXT, name=TEXT),
    service_account=st.none() | TEXT,
    values=st.dictionaries(TEXT, TEXT, max_size=3),
    parameters=st.dictionaries(TEXT, TEXT, max_size=3),
    undecided=st.lists(
        st.builds(Undecided, match_equals=TEXT, found=st.lists(TEXT, max_size=3).map(tuple)), max_size=2
    ).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(WANTED)
def test_journal_form_gives_the_same_build(wanted):
    """Written as JSON and read again, a wanted build equals itself, whatever its texts and to the microsecond."""
    assert WantedBuild.from_json(wanted.to_json()) == wanted


# Rows as the journal had them when this was written; a later version adds its own, and changes none.
ROW_OF_WEBHOOK = b"""\
{"namespace":"default","owner_kind":"Webhook","owner_name":"hello",\
"owner_uid":"3b1e9f0a-5d0e-4f58-9f6d-0b9e7a0c1d11","delivery_id":"72d3162e-cc78-11e3-81ab-4c9367dc0958","index":0,\
"accepted_at":"2026-05-01T12:00:00Z",\
"target":{"api_version":"hookwright.dev/v1alpha1","kind":"BuildTrigger","name":"hello"},"service_account":null,\
"values":{"Branch":"main"},"parameters":{"COMMIT":"9f8e7d6c"},\
"undecided":[{"match_equals":"refs/heads/{Branch}","found":["refs/heads/main"]}],"open_event":null,\
"event":"push","client":"192.0.2.1","one_of_several":false,"keep_seconds":7200}"""
ROW_OF_TRIGGER = b"""\
{"namespace":"default","owner_kind":"BuildTrigger","owner_name":"hello",\
"owner_uid":"3b1e9f0a-5d0e-4f58-9f6d-0b9e7a0c1d11","delivery_id":"72d3162e-cc78-11e3-81ab-4c9367dc0958","index":1,\
"accepted_at":"2026-05-01T12:00:00Z",\
"target":{"api_version":"hookwright.dev/v1alpha1","kind":"BuildTrigger","name":"hello"},"service_account":"builder",\
"values":{},"parameters":{"HOOKWRIGHT_WEBHOOK_TRIGGER":"pr/7"},"undecided":[],\
"open_event":{"event":"PULL_REQUEST_CREATED","index":1,\
"repository":{"owner":"octo","name":"hello","clone_url":"https://git.example/octo/hello.git","web_url":null},\
"actor":"42","head_ref":"refs/heads/topic","base_ref":"refs/heads/main","sha":"9f8e7d6c","before":null,\
"message":null,"files":null,"tag":null,"release":null,"workflow":null,"organisation":"octo","pull_request":7,\
"merge_commit":null,"head_repository":null,"fork":false,"deleted":false},\
"event":"pull_request","client":"","one_of_several":true,"keep_seconds":3600}"""


def test_rows_of_earlier_versions_can_be_started():
    """What an earlier version has accepted is read after an upgrade, with all that the build receives."""
    assert WantedBuild.from_json(ROW_OF_WEBHOOK) == make_wanted(
        values={"Branch": "main"},
        parameters={"COMMIT": "9f8e7d6c"},
        undecided=[Undecided(match_equals="refs/heads/{Branch}", found=("refs/heads/main",))],
        event="push",
        client="192.0.2.1",
        keep_seconds=7200,
    )
    assert WantedBuild.from_json(ROW_OF_TRIGGER) == make_wanted(
        owner_kind=BuildTrigger.KIND,
        index=1,
        service_account="builder",
        parameters={"HOOKWRIGHT_WEBHOOK_TRIGGER": "pr/7"},
        open_event=ScmEvent(
            event=EventType.PULL_REQUEST_CREATED,
            index=1,
            repository=Repository(owner="octo", name="hello", clone_url="https://git.example/octo/hello.git"),
            actor=ActorId("42"),
            head_ref=Ref("refs/heads/topic"),
            base_ref=Ref("refs/heads/main"),
            sha=CommitId("9f8e7d6c"),
            organisation="octo",
            pull_request=7,
        ),
        event="pull_request",
        one_of_several=True,
    )


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"null", b'{"namespace": 5}', b"\xff"])
def test_other_texts_are_no_wanted_build(text):
    """What the journal holds and is no wanted build is a ValueError."""
    with pytest.raises(ValueError, match="not a wanted build"):
        WantedBuild.from_json(text)


def test_error_does_not_repeat_what_the_journal_holds():
    """What is said of a row that cannot be read holds none of its values: they are a payload's."""
    text = make_wanted(parameters={"P": "hush"}, service_account="hush").to_json()
    for broken in (text[:-1], text.replace(b'"P":"hush"', b'"P":["hush"]')):
        with pytest.raises(ValueError, match="not a wanted build") as refused:
            WantedBuild.from_json(broken)
        assert "hush" not in str(refused.value)


def test_members_of_later_versions_are_no_hindrance():
    """A row with members that this version does not know can still be started."""
    text = make_wanted().to_json()[:-1] + b', "later": 1}'
    assert WantedBuild.from_json(text) == make_wanted()


def test_row_that_only_a_later_version_can_start_is_not_read():
    """What an older version must not pass over, a later one marks: no build that its filters might have refused."""
    text = make_wanted().to_json()
    assert b'"form":1' in text
    with pytest.raises(ValueError, match="not a wanted build: form"):
        WantedBuild.from_json(text.replace(b'"form":1', b'"form":2'))


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (datetime(2026, 5, 1, 12, 0, 0, 999_999, tzinfo=UTC), "2026-05-01T12:00:00Z"),
        (datetime(2026, 5, 1, 14, 0, tzinfo=timezone(timedelta(hours=2))), "2026-05-01T12:00:00Z"),
    ],
)
def test_times_are_written_as_kubernetes_does(time, text):
    """RFC 3339, in UTC, in whole seconds that have passed."""
    assert format_time(time) == text


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.integers(1, 2000))
def test_cleaned_value_fits_an_environment_variable(text, times):
    """A cleaned value has no NUL and no more bytes than Linux takes, and is else what it was."""
    cleaned = clean_value(text * times)
    assert "\0" not in cleaned
    assert len(cleaned.encode()) <= 128 * 1024 - 130
    assert cleaned == (text * times).replace("\0", "\N{REPLACEMENT CHARACTER}")[:MAX_VALUE_LENGTH]
