"""Properties of filter groups on arbitrary filters and events."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from group_samples import BOTH, compile_groups, happen, one, source
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.errors import InvalidSpec
from hookwright.filters.groups import Facts, FilterType, Ignore, Need, Start, compile_filters, decide, explain
from hookwright.filters.groups.fields import FIELDS
from hookwright.scm import EventType, Fact, Provider

TEXTS = st.text("abz\n\U0001f600", max_size=4)
PATTERNS = st.sampled_from(["a", "^a", "b$", "", "^$", "a|z", "[^a]", "(?s)a.b", "(?!a)", "z"])
NO_EVENT = [kind for kind in FilterType if kind is not FilterType.EVENT]
EVENTS = st.sets(st.sampled_from(EventType), min_size=1)
WHERE = source(scoped=True)


@st.composite
def groups(draw):
    """Give a group that compiles: its filters all apply to one of its events, and it has no PUSH if it has BASE_REF."""
    events = draw(EVENTS)
    passing = draw(st.sampled_from(sorted(events)))
    kinds = [
        kind
        for kind in NO_EVENT
        if passing in FIELDS[kind].events and not (kind is FilterType.BASE_REF and EventType.PUSH in events)
    ]
    others = draw(st.lists(st.tuples(st.sampled_from(kinds), PATTERNS, st.booleans()), max_size=4))
    return [one("EVENT", ",".join(events)), *(one(kind, pattern, exclude=exclude) for kind, pattern, exclude in others)]


GROUPS = st.lists(groups(), min_size=1, max_size=4)
MAYBE = st.none() | TEXTS
FILES = st.lists(TEXTS, max_size=3).map(tuple)


@st.composite
def happenings(draw):
    """Give an event with some of the values that it may have; its ref may be gone."""
    fields = {
        "actor": draw(MAYBE),
        "organisation": draw(MAYBE),
        "head_ref": draw(st.none() | TEXTS.map(lambda name: f"refs/heads/{name}")),
        "deleted": draw(st.sampled_from([False, False, False, True])),
        "fork": draw(st.sampled_from([False, False, False, True])),
        "files": draw(st.none() | FILES),
        "message": draw(MAYBE),
        "base_ref": draw(MAYBE),
        "tag": draw(MAYBE),
        "release": draw(MAYBE),
        "workflow": draw(MAYBE),
    }
    return replace(happen(draw(st.sampled_from(EventType))), **fields)


FACTS = st.builds(Facts, files=st.none() | FILES, message=MAYBE)
ALL_FACTS = st.builds(Facts, files=FILES, message=TEXTS)


@settings(deadline=None)
@given(GROUPS, groups(), st.integers(0, 4), happenings(), FACTS)
def test_another_group_never_keeps_a_build_from_starting(written, more, at, event, facts):
    """Groups are an OR: what starts with some of them starts with one more, wherever it stands."""
    before = decide(compile_groups(*written, where=WHERE), event, facts)
    after = decide(compile_groups(*written[:at], more, *written[at:], where=WHERE), event, facts)
    if isinstance(before, Start):
        assert isinstance(after, Start)


@settings(deadline=None)
@given(groups(), st.sampled_from(NO_EVENT), PATTERNS, happenings(), FACTS)
def test_another_filter_never_makes_a_build_start(written, kind, pattern, event, facts):
    """Filters of a group are an AND: what is ignored with some of them is ignored with one more."""
    with suppress(InvalidSpec):  # it may not apply to the group's events
        longer = compile_groups([*written, one(kind, pattern)], where=WHERE)
        if isinstance(decide(compile_groups(written, where=WHERE), event, facts), Ignore):
            assert isinstance(decide(longer, event, facts), Ignore)


@settings(deadline=None)
@given(st.sampled_from(NO_EVENT), PATTERNS, happenings(), FACTS)
def test_an_exclusion_is_the_opposite_where_there_is_a_value(kind, pattern, event, facts):
    """With a value exactly one of a filter and its exclusion passes; without one neither, or both are open."""
    group = [one("EVENT", ",".join(FIELDS[kind].events))]
    included, excluded = (
        explain(compile_groups([*group, one(kind, pattern, exclude=exclude)], where=WHERE), event, facts)
        for exclude in (False, True)
    )
    mine, other = included.groups[0].filters[1], excluded.groups[0].filters[1]
    assert mine.value == other.value
    if mine.value is not None:
        assert {mine.matched, other.matched} == {True, False}
    else:
        assert mine.matched is other.matched is not True


@settings(deadline=None)
@given(GROUPS, happenings(), ALL_FACTS)
def test_with_all_facts_nothing_is_needed(written, event, facts):
    """Whoever has asked for everything gets an answer."""
    assert not isinstance(decide(compile_groups(*written, where=WHERE), event, facts), Need)


@settings(deadline=None)
@given(GROUPS, happenings(), FACTS, ALL_FACTS)
def test_what_is_decided_stays_decided(written, event, facts, more):
    """A fact that comes later changes no Start and no Ignore, and only what was needed matters."""
    filters = compile_groups(*written, where=WHERE)
    early = decide(filters, event, facts)
    full = Facts(
        files=facts.files if facts.files is not None else more.files,
        message=facts.message if facts.message is not None else more.message,
    )
    late = decide(filters, event, full)
    if isinstance(early, Need):
        asked = Facts(
            files=full.files if Fact.FILES in early.facts else facts.files,
            message=full.message if Fact.MESSAGE in early.facts else facts.message,
        )
        assert type(decide(filters, event, asked)) is type(late)
    else:
        assert type(early) is type(late)


# Each filter looks for a letter of its own, so that there are files and messages with which all of them pass.
LETTERS = "abcdefgh"


@st.composite
def open_groups(draw):
    """Give groups whose filters of files and messages do not contradict each other."""
    letters = iter(LETTERS)
    written = []
    for _ in range(draw(st.integers(1, 3))):
        kinds = draw(st.lists(st.sampled_from(["FILE_PATH", "COMMIT_MESSAGE", "HEAD_REF"]), max_size=2))
        others = [
            one(kind, "top" if kind == "HEAD_REF" else next(letters), exclude=draw(st.booleans())) for kind in kinds
        ]
        written.append([one("EVENT", "PULL_REQUEST_CREATED"), *others])
    return written


def letters_of(written, kind):
    return [each.pattern for group in written for each in group if each.type is kind]


def subsets_of(letters):
    return ["".join(letter for at, letter in enumerate(letters) if n >> at & 1) for n in range(1 << len(letters))]


@settings(deadline=None)
@given(open_groups())
def test_what_is_needed_can_change_the_answer(written):
    """Need means that some facts start a build and others do not, and that each fact it names takes part in that."""
    filters = compile_groups(*written)
    event = happen("PULL_REQUEST_CREATED")
    decision = decide(filters, event)
    answers = {
        (files, message): isinstance(decide(filters, event, Facts(files=tuple(files), message=message)), Start)
        for files in subsets_of(letters_of(written, FilterType.FILE_PATH))
        for message in subsets_of(letters_of(written, FilterType.COMMIT_MESSAGE))
    }
    assert (len(set(answers.values())) == 2) is isinstance(decision, Need)
    if isinstance(decision, Need):
        by_files = any(answers[files, message] != answers["", message] for files, message in answers)
        by_message = any(answers[files, message] != answers[files, ""] for files, message in answers)
        assert decision.facts == {fact for fact, used in ((Fact.FILES, by_files), (Fact.MESSAGE, by_message)) if used}


@settings(deadline=None)
@given(GROUPS, happenings(), FACTS)
def test_what_is_explained_is_what_is_decided(written, event, facts):
    """An explanation has the decision, and its groups say the same, but for what is ignored before them."""
    filters = compile_groups(*written, where=WHERE)
    explanation = explain(filters, event, facts)
    assert explanation.decision == decide(filters, event, facts)
    matched = [group.matched for group in explanation.groups]
    if event.deleted or event.fork:
        assert isinstance(explanation.decision, Ignore)
    elif True in matched:
        assert explanation.decision == Start(group=matched.index(True))
    else:
        assert isinstance(explanation.decision, Need) is (None in matched)


@settings(deadline=None)
@given(happenings(), FACTS, st.none() | PATTERNS, GROUPS | st.just([]))
def test_a_ref_that_is_gone_never_starts(event, facts, branch, written):
    """Whatever the filters are, nothing starts for a deleted ref, nor is anything asked for."""
    filters = compile_groups(*written, branch=None if written else branch, where=WHERE, forks=True)
    assert isinstance(decide(filters, replace(event, deleted=True), facts), Ignore)


@settings(deadline=None)
@given(
    st.none() | st.text(max_size=8),
    st.lists(
        st.lists(
            st.builds(
                one,
                st.sampled_from(FilterType),
                st.text(max_size=8) | PATTERNS | st.sampled_from(EventType),
                exclude=st.booleans(),
            ),
            max_size=3,
        ),
        max_size=3,
    ),
    st.sampled_from(Provider),
    st.booleans(),
    st.sampled_from([frozenset(), BOTH]),
)
def test_any_filters_are_compiled_or_refused(branch, written, provider, scoped, api):
    """Whatever stands in a spec is compiled, or refused with its place; nothing else is raised."""
    with suppress(InvalidSpec):
        compile_filters(branch, written, source(provider, scoped=scoped, api=api))
