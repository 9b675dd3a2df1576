"""Which filters are refused: AWS's InvalidInputException, with the place, the value and what to do."""

from __future__ import annotations

import pytest
from group_samples import BOTH, EVERY, compile_groups, one, push, source

from hookwright.errors import InvalidSpec
from hookwright.filters import MAX_NODES, Budget
from hookwright.filters.groups import INVALID_INPUT, NO_FACTS, FilterType, Ignore, Start, decide
from hookwright.filters.groups.compiling import MAX_PATTERN
from hookwright.filters.groups.fields import FIELDS
from hookwright.providers.catalogue import DIALECTS
from hookwright.scm import EventType, Fact, Provider, ScmEvent
from support.deliveries import DELIVERIES

PUSH = one("EVENT", "PUSH")
PULL_REQUEST = one("EVENT", "PULL_REQUEST_CREATED")


def refusal_of(*groups, **given):
    with pytest.raises(InvalidSpec) as refused:
        compile_groups(*groups, **given)
    assert refused.value.code == INVALID_INPUT == "InvalidInputException"
    assert refused.value.message.startswith(f"{refused.value.field}: ")
    return refused.value.field, refused.value.message.removeprefix(f"{refused.value.field}: ")


# ── EVENT ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("group", [[], [one("HEAD_REF", "x")], [one("FILE_PATH", "x"), one("BASE_REF", "y")]])
def test_every_group_needs_an_event(group):
    """CreateWebhook, filterGroups: at least one filter of a group must be EVENT; UpdateWebhook says it of each."""
    field, message = refusal_of([PUSH], group)
    assert field == "spec.filterGroups[1]"
    assert "add one, with the pattern PUSH" in message


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("PUSHED", "PUSHED is no event; write PUSH; the names are PUSH, PULL_REQUEST_CREATED, "),
        ("push", "push is no event; write PUSH"),
        ("PUSH, PULL_REQUEST_OPENED", "PULL_REQUEST_OPENED is no event; write PULL_REQUEST_CREATED"),
        ("pull_request_synchronize", "pull_request_synchronize is no event; write PULL_REQUEST_UPDATED"),
        ("PULL_REQUEST", "PULL_REQUEST is no event; write PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED; the names"),
        ("merge_request", "merge_request is no event; write PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED; the names"),
        ("MERGE_REQUEST_MERGED", "MERGE_REQUEST_MERGED is no event; write PULL_REQUEST_MERGED; the names"),
        ("PULL_REQUEST_REJECTED", "PULL_REQUEST_REJECTED is no event; write PULL_REQUEST_CLOSED; the names"),
        ("PULL_REQUEST_FULFILLED", "PULL_REQUEST_FULFILLED is no event; write PULL_REQUEST_MERGED; the names"),
        ("PULL_REQUEST_.*", "is no event; write PULL_REQUEST_"),
        ("xyz", "xyz is no event; the names are"),
        ("PUSH PULL_REQUEST_CREATED", "is no event; write PUSH, PULL_REQUEST_CREATED, with commas between; the names"),
        ("PUSH|PULL_REQUEST_CREATED", "is no event; write PUSH, PULL_REQUEST_CREATED, with commas between; the names"),
        ("(?:push|released)", "is no event; write PUSH, RELEASED, with commas between; the names"),
        ("PULL_REQUEST_OPENED; MERGE_REQUEST", "write PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED, with commas"),
        ("^PUSH$", "is no event; write PUSH; the names"),
        ("a\nb", "'a\\nb' is no event"),
        ("", "the name of an event is missing"),
        ("PUSH,", "the name of an event is missing"),
        (",PUSH", "the name of an event is missing"),
        ("PUSH,,RELEASED", "the name of an event is missing"),
        ("x" * 100_000, "is no event"),
    ],
)
def test_unknown_events_are_refused(pattern, why):
    """An EVENT pattern has nothing but names of events; one that is nearly right is named."""
    field, message = refusal_of([PUSH], [one("HEAD_REF", "x"), one("EVENT", pattern)])
    assert field == "spec.filterGroups[1][1].pattern"
    assert why in message
    assert len(message) < 1_000


@pytest.mark.parametrize("provider", Provider)
def test_an_event_must_be_one_that_is_read_from_the_provider(provider):
    """What the provider's dialect cannot give is refused by name; everything else is taken."""
    sends = DIALECTS[provider].events
    for event in EventType:
        group = [one("EVENT", f"PUSH, {event}")]
        if event in sends:
            compile_groups(group, where=source(provider, sends=sends))
        else:
            field, message = refusal_of(group, where=source(provider, sends=sends))
            assert field == "spec.filterGroups[0][0].pattern"
            assert f"{event} is not read from {provider}; remove it" in message


def test_an_excluded_event_must_be_one_too():
    """A name that is misspelt would exclude nothing, so it is refused there as well."""
    field, _ = refusal_of([PUSH, one("EVENT", "PULL", exclude=True)])
    assert field == "spec.filterGroups[0][1].pattern"


def test_a_group_that_no_event_passes_is_refused():
    """EVENT filters that contradict each other are a mistake."""
    field, message = refusal_of([PUSH, one("EVENT", "RELEASED")])
    assert (field, message[:8]) == ("spec.filterGroups[0][1].pattern", "RELEASED")
    refusal_of([one("EVENT", EVERY, exclude=True)])
    bitbucket = source(Provider.BITBUCKET_CLOUD, sends=[EventType.PUSH])
    refusal_of([one("EVENT", "PUSH", exclude=True)], where=bitbucket)


# ── types ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_base_ref_does_not_go_with_push():
    """AWS CDK: a base reference condition cannot be added to a group with PUSH, not even beside other events."""
    for event in (PUSH, one("EVENT", "PUSH, PULL_REQUEST_CREATED"), one("EVENT", "RELEASED", exclude=True)):
        for exclude in (False, True):
            field, message = refusal_of([event, one("BASE_REF", "main", exclude=exclude)])
            assert field == "spec.filterGroups[0][1].type"
            assert "a push has no base ref; put PUSH into a group of its own" in message
    compile_groups([PULL_REQUEST, one("BASE_REF", "main")], [PUSH])


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("TAG_NAME", "PUSH"),
        ("RELEASE_NAME", "PULL_REQUEST_MERGED"),
        ("WORKFLOW_NAME", "RELEASED"),
        ("HEAD_REF", "PRERELEASED"),
        ("BASE_REF", "WORKFLOW_JOB_QUEUED"),
        ("FILE_PATH", "RELEASED"),
        ("COMMIT_MESSAGE", "WORKFLOW_JOB_QUEUED"),
    ],
)
def test_a_filter_must_apply_to_an_event_of_its_group(kind, event):
    """A filter that none of the group's events has a value for would keep the group from ever passing."""
    field, message = refusal_of([one("EVENT", event), one(kind, "x")])
    assert field == "spec.filterGroups[0][1].type"
    assert message.startswith(f"{kind}: applies to ")
    compile_groups([one("EVENT", WITHOUT_PUSH), one(kind, "x")])


WITHOUT_PUSH = ", ".join(event for event in EventType if event is not EventType.PUSH)


def test_an_event_must_have_what_all_filters_of_its_group_look_at():
    """Filters of which each applies to another event keep the group from ever passing: the second is refused."""
    group = [one("EVENT", "PUSH, RELEASED"), one("HEAD_REF", "x"), one("ACTOR_ACCOUNT_ID", "1"), one("TAG_NAME", "y")]
    field, message = refusal_of(group)
    assert field == "spec.filterGroups[0][3].type"
    assert message.startswith("TAG_NAME: applies to RELEASED only, which the filters before it do not let pass")
    for at in (1, 3):
        compile_groups(group[:at] + group[at + 1 :])


@pytest.mark.parametrize("kind", ["REPOSITORY_NAME", "ORGANIZATION_NAME"])
def test_names_are_filtered_for_organisations_only(kind):
    """REPOSITORY_NAME and ORGANIZATION_NAME work with webhooks of an organisation or group, as at AWS."""
    field, message = refusal_of([PUSH, one(kind, "x")])
    assert field == "spec.filterGroups[0][1].type"
    assert "organisation or a group" in message
    compile_groups([PUSH, one(kind, "x")], where=source(scoped=True))


# ── values that no payload has ────────────────────────────────────────────────────────────────────────────────────


def said():
    """Tell of each provider, event and type whether a payload says what such a filter looks at."""
    found = {}
    for delivery in DELIVERIES.values():
        for event in (each for each in delivery.read() if isinstance(each, ScmEvent) and not each.deleted):
            for kind in FilterType:
                if event.event in FIELDS[kind].events:
                    cell = (delivery.provider, event.event, kind)
                    found[cell] = found.get(cell, False) or FIELDS[kind].read(event, NO_FACTS) is not None
    # GitHub's prereleases in the samples have no name, but a release may have one.
    return found | {cell: True for cell in found if cell[2] is FilterType.RELEASE_NAME}


SAID = said()


def test_every_event_that_a_provider_sends_is_among_the_samples():
    """The table has all events of all dialects."""
    assert {cell[:2] for cell in SAID} == {(name, event) for name in Provider for event in DIALECTS[name].events}


@pytest.mark.parametrize("provider", Provider)
def test_a_filter_is_refused_where_no_payload_says_what_it_looks_at(provider):
    """Files and messages that no payload of an event has need the API; without it they alone are refused."""
    for (name, event, kind), is_said in SAID.items():
        if name is not provider:
            continue
        group = [one("EVENT", event), one(kind, "x")] if kind != "EVENT" else [one("EVENT", event)]
        asked, alone = (source(provider, scoped=True, api=api) for api in (BOTH, ()))
        if is_said or FIELDS[kind].fact:
            compile_groups(group, where=asked)
        if is_said:
            compile_groups(group, where=alone)
        else:
            field, message = refusal_of(group, where=alone)
            assert field == "spec.filterGroups[0][1].type"
            assert f"{provider} does not say it with {event}, and is not asked; remove" in message


def test_nobody_can_be_asked_for_an_actor():
    """GitLab does not say who made a release, so that a filter for it is refused, API or not."""
    group = [one("EVENT", "RELEASED"), one("ACTOR_ACCOUNT_ID", "1")]
    field, _ = refusal_of(group, where=source(Provider.GITLAB, api=BOTH))
    assert field == "spec.filterGroups[0][1].type"


def test_a_filter_that_needs_the_api_for_some_events_is_refused_too():
    """A group that would never pass for one of its events says so when it is written, and names the event."""
    where = source(api=())
    _, message = refusal_of([one("EVENT", "PUSH, PULL_REQUEST_CREATED"), one("FILE_PATH", "x")], where=where)
    assert "GitHub does not say it with PULL_REQUEST_CREATED, and" in message
    compile_groups([PUSH, one("FILE_PATH", "x")], [PULL_REQUEST], where=where)
    refusal_of([PULL_REQUEST, one("COMMIT_MESSAGE", "x")], where=source(api=[Fact.FILES]))


# ── patterns ──────────────────────────────────────────────────────────────────────────────────────────────────────


EDGE = r"(?:(?<!\w)(?=\w)|(?<=\w)(?!\w))"


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(main", "at character 1, there is a ( without its ); write \\(main"),
        ("*.py", "at character 1, there is nothing to repeat before this; write \\*.py"),
        ("[a", "without its ]"),
        (r"\bWIP\b", rf"write {EDGE}WIP{EDGE}"),
        (r"{a}\b(", rf"write \{{a}}{EDGE}\("),
        (r"\b(a)\1", rf"write {EDGE}(a)\1"),  # as far as there is a rewrite
        (r"(a)\1", "back-references"),
        ("(?:a{1000}){1000}", "repeats too much"),
        ("(" * 500 + ")" * 500, "within each other"),
        ("a\n(", "'a\\n(': at character 3"),
        ("x" * (MAX_PATTERN + 1), f"{MAX_PATTERN + 1} characters; at most {MAX_PATTERN}"),
    ],
)
def test_a_pattern_that_does_not_compile_is_refused(pattern, why):
    """A pattern that is no expression, or not Java's in each release, is refused at its place with a rewrite."""
    field, message = refusal_of([PUSH, one("HEAD_REF", pattern)])
    assert field == "spec.filterGroups[0][1].pattern"
    assert why in message
    assert len(message) < 1_000
    assert refusal_of(branch=pattern)[0] == "spec.branchFilter"


def test_patterns_are_bounded_together():
    """All patterns together have at most 20,000 characters, of which one that stands there twice counts once."""
    long = [one("HEAD_REF", f"{n}".rjust(1_900, "x")) for n in range(11)]
    assert compile_groups([PUSH, *long[:10]], [PUSH, *long[:10]]).groups
    field, message = refusal_of([PUSH, *long[:6]], [PUSH, *long[5:]])
    assert field == "spec.filterGroups[1][6].pattern"
    assert "20,900 characters; at most 20,000" in message


def test_repetitions_are_bounded_together():
    """What patterns repeat counts as if it were written out: else few characters would keep a receiver for seconds."""
    repeating = [one("HEAD_REF", f"^{n}(a|b){{600}}$") for n in range(30)]
    assert compile_groups([PUSH, *repeating[:15]], [PUSH, *repeating[:15]]).groups
    field, message = refusal_of([PUSH, *repeating[:15]], [PUSH, *repeating[15:]])
    assert field == "spec.filterGroups[1][7].pattern"
    assert "at most 40,000" in message


def test_long_and_deep_patterns_are_taken():
    """An alternative of many folders compiles, and groups may stand in each other a hundred times."""
    folders = "|".join(f"services/{number}" for number in range(100))
    for pattern in (f"^(?:{folders})/", "(" * 100 + "main" + ")" * 100):
        filters = compile_groups([PUSH, one("HEAD_REF", f"^refs/heads/|{pattern}")])
        assert isinstance(decide(filters, push()), Start)


@pytest.mark.parametrize(("pattern", "shared"), [("^refs/heads/once$", True), ("x" * 129, False)])
def test_patterns_are_compiled_once(pattern, shared):
    """A pattern that stands in many triggers is one expression; a long one is so in its trigger, with which it goes."""
    group = [PUSH, one("HEAD_REF", pattern)]
    (first, again), (second, _) = (compile_groups(group, group).groups for _ in range(2))
    assert first.others[0].search is again.others[0].search
    assert (first.others[0].search is second.others[0].search) is shared


def test_twenty_large_patterns_are_within_a_budget():
    """The making of automata is spent too, and that of as many large ones as are likely leaves most of a budget."""
    groups = [
        [PUSH, *(one("COMMIT_MESSAGE", f"(?:a|b){{600}}|(?i:say{' hello' * at})", exclude=True) for at in range(20))]
    ]
    budget = Budget()
    assert isinstance(decide(compile_groups(*groups), push(), budget=budget), Ignore)
    assert budget.left > MAX_NODES / 2


# ── branchFilter ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_branch_filter_and_groups_exclude_each_other():
    """Both cannot be given, as in Terraform's provider; beside groups an empty branchFilter is none."""
    field, message = refusal_of([PUSH], branch="main")
    assert (field, message) == ("spec.branchFilter", "main: filterGroups are given too; keep one of the two")
    beside = compile_groups([PUSH], branch="")
    assert (len(beside.groups), beside.branch) == (1, None)
