"""Events that were left open: the provider is asked, and the filters as they are now decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from hookwright import reasons
from hookwright.builds import facts as asking
from hookwright.builds.facts import NoFacts, decide_open
from hookwright.builds.starter import Starter
from hookwright.builds.wanted import TargetRef, WantedBuild
from hookwright.errors import ProviderError
from hookwright.filters.groups import Facts
from hookwright.kinds import BuildTrigger, read
from hookwright.scm import CommitId, EventType, Fact, Provider, Ref, Repository, ScmEvent
from support.facts import FakeFacts
from support.fakecluster import FakeCluster
from support.objects import NOON
from support.running import make_buildtrigger
from support.triggers import make_trigger

PULL_REQUEST = ScmEvent(
    event=EventType.PULL_REQUEST_CREATED,
    index=0,
    repository=Repository(owner="octo", name="hello"),
    head_ref=Ref("refs/heads/topic"),
    base_ref=Ref("refs/heads/main"),
    sha=CommitId("a" * 40),
    pull_request=7,
)
FILES = [{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"}, {"type": "FILE_PATH", "pattern": "^docs/"}]
MESSAGES = [{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"}, {"type": "COMMIT_MESSAGE", "pattern": "build"}]


def trigger_with(*groups, **spec):
    """Give a BuildTrigger with these filter groups."""
    return read(BuildTrigger, make_trigger(filterGroups=list(groups), **spec))


def want(event=PULL_REQUEST):
    """Give what is wanted for an event that was left open."""
    return WantedBuild(
        namespace="default",
        owner_kind="BuildTrigger",
        owner_name="hello",
        owner_uid="u",
        delivery_id="d",
        accepted_at=datetime(2026, 1, 1, tzinfo=UTC),
        target=TargetRef(api_version="hookwright.dev/v1alpha1", kind="BuildTrigger", name="hello"),
        service_account=None,
        open_event=event,
    )


async def decide(source, *groups, event=PULL_REQUEST, **spec):
    """Give the reason for which an open event starts nothing; None if it starts its build."""
    unstarted = await decide_open(want(event), trigger_with(*groups, **spec), source)
    return None if unstarted is None else unstarted.reason


async def test_what_the_provider_says_decides():
    """A file that the filter looks for starts the build, another does not; only that fact was asked for."""
    source = FakeFacts(Facts(files=("docs/a.md",)))
    assert await decide(source, FILES) is None
    assert source.asked == [(7, frozenset({Fact.FILES}))]
    assert await decide(FakeFacts(Facts(files=("src/a.py",))), FILES) is reasons.NO_GROUP_PASSED


async def test_nobody_is_asked_for_what_makes_no_difference():
    """Where another group passes by now, the build starts without a question."""
    source = FakeFacts(Facts())
    assert await decide(source, FILES, [{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"}]) is None
    assert source.asked == []


async def test_message_that_is_asked_for_may_ask_to_be_skipped():
    """What the payload did not say is heeded too: [skip ci]; unless nobody cares."""
    source = FakeFacts(Facts(message="build it [skip ci]"))
    assert await decide(source, MESSAGES) is reasons.SKIPPED_BY_MESSAGE
    assert await decide(source, MESSAGES, skipCI=False) is None


async def test_provider_that_is_away_is_asked_again():
    """An absence puts the decision off, a refusal ends it, and so does an answer that lacks what was asked for."""
    away, refusing = (FakeFacts(error=ProviderError("no", transient=how)) for how in (True, False))
    assert await decide(away, FILES) is reasons.FACTS_DELAYED
    assert await decide(refusing, FILES) is reasons.FACTS_UNKNOWN
    assert await decide(FakeFacts(Facts(message="x")), FILES) is reasons.FACTS_UNKNOWN


async def test_provider_that_hangs_is_left(monkeypatch):
    """Nobody waits for an answer for ever."""
    monkeypatch.setattr(asking, "ASK_SECONDS", 0.01)
    assert await decide(FakeFacts(hangs=True), FILES) is reasons.FACTS_DELAYED


async def test_filters_that_have_become_invalid_end_it():
    """The filters as they are now decide: where they are refused, nothing is asked or started."""
    source = FakeFacts(Facts(files=("docs/a.md",)))
    broken = [*FILES, {"type": "HEAD_REF", "pattern": "("}]
    assert await decide(source, broken) is reasons.TARGET_INVALID
    assert source.asked == []


@pytest.mark.parametrize("source", [{}, {"provider": "GitHub", "repository": "octo/other"}])
async def test_source_that_was_changed_meanwhile_counts(source):
    """What happened elsewhere than the BuildTrigger looks at by now starts nothing, and nobody is asked."""
    asked = FakeFacts(Facts(files=("docs/a.md",)))
    groups = [FILES] if source else None
    trigger = read(BuildTrigger, make_buildtrigger(source=source, filterGroups=groups))
    unstarted = await decide_open(want(), trigger, asked)
    assert (unstarted.reason, asked.asked) == (reasons.OTHER_REPOSITORY, [])


@pytest.mark.parametrize(
    ("uid", "reason", "asks"), [("u", reasons.BUILD_CREATED, 1), ("v", reasons.TARGET_REPLACED, 0)]
)
async def test_nobody_is_asked_for_a_trigger_that_was_replaced(uid, reason, asks):
    """What was open for a BuildTrigger that is gone is not decided by another that has its name."""
    source, there = FakeFacts(Facts(files=("docs/a.md",))), trigger_with(FILES)
    there = there.model_copy(update={"metadata": there.metadata.model_copy(update={"uid": uid})})
    targets = SimpleNamespace(target=lambda _namespace, _ref: there)
    starter = Starter(cluster=FakeCluster(), targets=targets, clock=lambda: NOON, patience=timedelta(0), facts=source)
    conclusion = await starter.start(want())
    assert (conclusion.reason, len(source.asked)) == (reason, asks)


async def test_event_that_was_decided_is_left_alone():
    """What was not left open is not looked at again."""
    assert await decide(FakeFacts(Facts()), FILES, event=None) is None


async def test_without_a_source_nobody_is_asked():
    """As long as no provider is asked, none knows anything, and its filters are refused."""
    assert {NoFacts().knows(provider) for provider in Provider} == {frozenset()}
    with pytest.raises(ProviderError) as refused:
        await NoFacts().find(trigger_with(), PULL_REQUEST, frozenset({Fact.FILES, Fact.MESSAGE}))
    assert not refused.value.transient


async def test_open_event_survives_the_journal():
    """What is written to the journal is read again as it was."""
    wanted = want(replace(PULL_REQUEST, files=("a", "b"), actor="42", fork=True))
    assert WantedBuild.from_json(wanted.to_json()) == wanted
