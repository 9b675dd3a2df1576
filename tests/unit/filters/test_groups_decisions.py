"""Which events start a build: AWS CodeBuild's rules, each with its source.

"CreateWebhook" is the API reference of AWS CodeBuild, "best practices" and "troubleshooting" are pages of its guide.
"""

from __future__ import annotations

import pytest
from group_samples import (
    BOTH,
    CHANGES,
    EVERY,
    PULL_REQUESTS,
    RELEASES,
    compile_groups,
    happen,
    one,
    push,
    source,
)

from hookwright import reasons
from hookwright.filters import Budget, EvaluationError
from hookwright.filters.groups import Facts, FilterType, Ignore, Need, Start, decide
from hookwright.scm import EventType, Fact, Provider, Repository

FILES = frozenset({Fact.FILES})


def starts(filters, event, facts=None):
    """Tell whether an event starts a build; it is decided."""
    decision = decide(filters, event, facts or Facts(files=(), message=""))
    assert not isinstance(decision, Need)
    return isinstance(decision, Start)


def passes(event, *filters):
    """Tell whether a group of these filters and EVENT passes."""
    everything = one("EVENT", ", ".join(CHANGES) if filters[0].type != "BASE_REF" else ", ".join(PULL_REQUESTS))
    return starts(compile_groups([everything, *filters], where=source(scoped=True)), event)


def reason_of(filters, event, facts=None):
    decision = decide(filters, event, facts or Facts())
    assert isinstance(decision, Ignore)
    return decision.reason


# ── EVENT ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("event", EventType)
def test_event_names_what_starts(event):
    """CreateWebhook, EVENT: it starts a build if the pattern names it, and only then."""
    assert starts(compile_groups([one("EVENT", event)]), happen(event))
    others = ",".join(other for other in EventType if other is not event)
    assert reason_of(compile_groups([one("EVENT", others)]), happen(event)) is reasons.NO_GROUP_PASSED


@pytest.mark.parametrize(
    "pattern", ["PUSH, PULL_REQUEST_CREATED", "PUSH,PULL_REQUEST_CREATED", " PULL_REQUEST_CREATED\n, PUSH "]
)
def test_event_is_a_list(pattern):
    """CreateWebhook, EVENT: the pattern is a comma-separated string; blanks around names are none of them."""
    filters = compile_groups([one("EVENT", pattern)])
    assert starts(filters, push())
    assert starts(filters, happen("PULL_REQUEST_CREATED"))
    assert not starts(filters, happen("PULL_REQUEST_UPDATED"))


def test_event_is_excluded():
    """CreateWebhook, excludeMatchedPattern: an event that is not in the pattern starts a build."""
    filters = compile_groups([one("EVENT", "PUSH, RELEASED", exclude=True)])
    started = {event for event in EventType if starts(filters, happen(event))}
    assert started == set(EventType) - {EventType.PUSH, EventType.RELEASED}


def test_several_event_filters_must_all_pass():
    """CreateWebhook, filterGroups: each filter of a group must pass, EVENT too."""
    filters = compile_groups([one("EVENT", "PUSH, RELEASED"), one("EVENT", "PUSH", exclude=True)])
    assert {event for event in EventType if starts(filters, happen(event))} == {EventType.RELEASED}


# ── groups ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_group_is_enough_and_each_of_its_filters_must_pass():
    """CreateWebhook, filterGroups: at least one group must pass; for it to pass, each of its filters must."""
    filters = compile_groups(
        [one("EVENT", "PUSH"), one("HEAD_REF", "^refs/heads/main$"), one("ACTOR_ACCOUNT_ID", "^12345$")],
        [one("EVENT", "PUSH"), one("HEAD_REF", "^refs/tags/")],
    )
    assert decide(filters, push()) == Start(group=0)
    assert decide(filters, push("refs/tags/v1")) == Start(group=1)
    assert not starts(filters, push(actor="99"))
    assert not starts(filters, push("refs/heads/other"))


def test_the_first_group_that_passes_starts_one_build():
    """However many groups pass, there is one Start, and it names the first of them."""
    group = [one("EVENT", "PUSH")]
    assert decide(compile_groups([one("EVENT", "RELEASED")], group, group), push()) == Start(group=1)


def test_ignored_says_which_filters_it_was():
    """Ignore names group, filter and pattern, of three groups at most, and nothing of the payload."""
    group = [one("EVENT", "PUSH"), one("HEAD_REF", "^refs/heads/release/")]
    last = [one("EVENT", "PUSH"), one("ACTOR_ACCOUNT_ID", "^12345$", exclude=True)]
    decision = decide(compile_groups([one("EVENT", "RELEASED")], group, last, group, group), push())
    assert decision.reason is reasons.NO_GROUP_PASSED
    assert decision.message == (
        "spec.filterGroups[0]: EVENT does not let PUSH pass; "
        "spec.filterGroups[1][1]: HEAD_REF does not match ^refs/heads/release/; "
        "spec.filterGroups[2][1]: ACTOR_ACCOUNT_ID matches ^12345$, or there is none; and 2 groups more"
    )


# ── patterns ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "pattern", "event", "matched"),
    [
        # CreateWebhook, pattern: "^refs/heads/ triggers a build when the head reference is a branch".
        ("HEAD_REF", "^refs/heads/", push(), True),
        ("HEAD_REF", "^refs/heads/main$", push(), True),
        ("HEAD_REF", "main", push("refs/heads/maintenance"), True),
        ("HEAD_REF", "^main", push(), False),
        ("HEAD_REF", "^refs/heads/(main|release/.+)$", push("refs/heads/release/1"), True),
        ("HEAD_REF", "^refs/heads/(?!main$)", push(), False),
        ("HEAD_REF", "^REFS", push(), False),
        ("HEAD_REF", "(?i)^REFS", push(), True),
        # CreateWebhook, HEAD_REF: refs/tags/tag-name.
        ("HEAD_REF", "^refs/tags/v", push("refs/tags/v1"), True),
        ("HEAD_REF", "topic$", happen("PULL_REQUEST_CREATED"), True),
        ("BASE_REF", "^refs/heads/main$", happen("PULL_REQUEST_CREATED"), True),
        ("BASE_REF", "topic", happen("PULL_REQUEST_CREATED"), False),
        # The guide's example 12345 finds it in a longer id too.
        ("ACTOR_ACCOUNT_ID", "12345", push(actor="9123456"), True),
        ("ACTOR_ACCOUNT_ID", "^12345$", push(actor="9123456"), False),
        ("ACTOR_ACCOUNT_ID", "^12345$|^77$", push(actor="77"), True),
        # The guide's example \[CodeBuild\].
        ("COMMIT_MESSAGE", r"\[CodeBuild\]", push(message="Fix it [CodeBuild]\n\nbody"), True),
        ("COMMIT_MESSAGE", r"\[CodeBuild\]", push(message="CodeBuild"), False),
        ("COMMIT_MESSAGE", r"(?m)^Signed-off-by: ", push(message="a\n\nSigned-off-by: b"), True),
        ("COMMIT_MESSAGE", "^$", push(message=""), True),
        ("COMMIT_MESSAGE", "", push(message="x"), True),
        ("FILE_PATH", "READ_ME", push(files=("docs/READ_ME.txt",)), True),
        ("FILE_PATH", "^docs/", push(files=("src/docs/a",)), False),
        ("REPOSITORY_NAME", "^hello$", push(), True),
        ("REPOSITORY_NAME", "octo", push(), False),
        ("ORGANIZATION_NAME", "^octo$", push(organisation="octo"), True),
        ("ORGANIZATION_NAME", "^group/sub", push(organisation="group/sub"), True),
    ],
)
def test_a_pattern_is_looked_for_in_the_value(kind, pattern, event, matched):
    """Patterns search, case counts, and ^ and $ hold them to the ends; an exclusion is the opposite."""
    assert passes(event, one(kind, pattern)) is matched
    assert passes(event, one(kind, pattern, exclude=True)) is not matched


@pytest.mark.parametrize(
    "name",
    ["a\nb", "x\n", "\U0001f600", "ü" * 125, "b" * 250, "$(id)`;'\"", "../../etc", "a\u2028b", "a\ud800b", "\x00"],
)
def test_any_name_is_compared_as_it_is(name):
    """A name with new lines, emoji, shell characters or 250 letters is neither cut nor refused."""
    for kind, event in [
        ("HEAD_REF", push(f"refs/heads/{name}")),
        ("COMMIT_MESSAGE", push(message=name)),
        ("FILE_PATH", push(files=(name,))),
    ]:
        assert passes(event, one(kind, "(?s)."))
        assert not passes(event, one(kind, "absent"))
        assert passes(event, one(kind, "absent", exclude=True))


def test_a_branch_that_ends_in_a_new_line_is_told_by_z():
    r"""As in Java, `$` also matches before a new line at the end; `\z` does not."""
    assert passes(push("refs/heads/main\n"), one("HEAD_REF", "^refs/heads/main$"))
    assert not passes(push("refs/heads/main\n"), one("HEAD_REF", r"^refs/heads/main\z"))


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("files", "included", "excluded"),
    [
        (("buildspec.yml",), True, False),
        (("src/a.py", "buildspec.yml"), True, False),  # best practices: "deny changes to buildspec.yml": not(any)
        (("src/a.py", "src/b.py"), False, True),
        ((), False, True),  # nothing is known to have changed: a tag, a branch at an old commit
    ],
)
def test_of_several_files_one_is_enough(files, included, excluded):
    """CreateWebhook, FILE_PATH: "the path of a changed file" matches; excluded is what touches such a file at all."""
    event = push(files=files)
    assert passes(event, one("FILE_PATH", r"^buildspec\.yml$")) is included
    assert passes(event, one("FILE_PATH", r"^buildspec\.yml$", exclude=True)) is excluded


# ── what an event does not have ───────────────────────────────────────────────────────────────────────────────────

HAS = {
    "EVENT": set(EventType),
    "ACTOR_ACCOUNT_ID": set(EventType),
    "HEAD_REF": set(CHANGES),  # "push, pull request"
    "BASE_REF": set(PULL_REQUESTS),  # "Works with pull request events only."
    "FILE_PATH": set(CHANGES),
    "COMMIT_MESSAGE": set(CHANGES),
    "TAG_NAME": set(RELEASES),  # "Works with RELEASED and PRERELEASED events only."
    "RELEASE_NAME": set(RELEASES),
    "REPOSITORY_NAME": set(EventType),
    "ORGANIZATION_NAME": set(EventType),
    "WORKFLOW_NAME": {EventType.WORKFLOW_JOB_QUEUED},
}
WITHOUT_PUSH = ", ".join(event for event in EventType if event is not EventType.PUSH)


def test_every_type_is_in_the_table():
    """There are eleven types of filters, and the table has each."""
    assert set(HAS) == {str(kind) for kind in FilterType}
    assert len(HAS) == 11


@pytest.mark.parametrize("event", EventType)
@pytest.mark.parametrize("kind", [kind for kind in HAS if kind != "EVENT"])
def test_a_filter_passes_only_for_events_that_have_its_value(kind, event):
    """CreateWebhook, type: where an event has no such thing, neither the filter nor its exclusion passes."""
    group = [one("EVENT", WITHOUT_PUSH if kind == "BASE_REF" else EVERY)]
    where = source(scoped=True)
    happened = happen(event)
    facts = Facts(files=("a",), message="m")
    included = starts(compile_groups([*group, one(kind, "(?s).")], where=where), happened, facts)
    excluded = starts(compile_groups([*group, one(kind, "absent", exclude=True)], where=where), happened, facts)
    assert included is excluded is (event in HAS[kind])


@pytest.mark.parametrize(
    ("kind", "event", "field"),
    [
        ("ACTOR_ACCOUNT_ID", "PUSH", "actor"),
        ("BASE_REF", "PULL_REQUEST_CREATED", "base_ref"),
        ("TAG_NAME", "RELEASED", "tag"),
        ("RELEASE_NAME", "PRERELEASED", "release"),
        ("WORKFLOW_NAME", "WORKFLOW_JOB_QUEUED", "workflow"),
        ("ORGANIZATION_NAME", "RELEASED", "organisation"),
    ],
)
def test_a_value_that_the_payload_lacks_passes_nothing(kind, event, field):
    """What is null or missing is not the empty text: neither a filter nor its exclusion passes."""
    for exclude in (False, True):
        filters = compile_groups([one("EVENT", event), one(kind, "x*", exclude=exclude)], where=source(scoped=True))
        assert not starts(filters, happen(event, **{field: None}))
    assert starts(
        compile_groups([one("EVENT", event), one(kind, "x*")], where=source(scoped=True)), happen(event, **{field: ""})
    )


@pytest.mark.parametrize(
    ("pattern", "included"), [("nightly", False), (".+", False), (".*", True), ("^$", True), ("x*", True)]
)
def test_a_release_without_a_name_has_an_empty_one(pattern, included):
    """CreateWebhook, excludeMatchedPattern: what does not match the pattern triggers a build, a name or not."""
    for exclude in (False, True):
        filters = compile_groups([one("EVENT", "RELEASED"), one("RELEASE_NAME", pattern, exclude=exclude)])
        assert starts(filters, happen("RELEASED", release="")) is (included is not exclude)


# ── deletions, tags, forks ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "filters",
    [
        compile_groups(),
        compile_groups(branch=".*"),
        compile_groups([one("EVENT", "PUSH")]),
        compile_groups([one("EVENT", "PUSH"), one("FILE_PATH", "x", exclude=True)]),
    ],
)
@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/tags/v1"])
def test_a_deleted_ref_never_starts(filters, ref):
    """Of a branch or tag that was deleted there is nothing to build, and nothing is asked for."""
    assert reason_of(filters, push(ref, deleted=True, sha=None, files=None, message=None)) is reasons.REF_DELETED


def test_a_tag_is_a_push_that_can_be_excluded():
    """A tag starts as any push does; HEAD_REF ^refs/tags/.* with excludeMatchedPattern keeps it out."""
    tag = push("refs/tags/v1", files=())
    assert starts(compile_groups([one("EVENT", "PUSH")]), tag)
    filters = compile_groups([one("EVENT", "PUSH"), one("HEAD_REF", "^refs/tags/.*", exclude=True)])
    assert not starts(filters, tag)
    assert starts(filters, push())


@pytest.mark.parametrize("event", PULL_REQUESTS)
def test_a_fork_starts_nothing_unless_it_is_let_in(event):
    """A pull request from a fork is ignored before anything is asked for, whatever the filters say."""
    group = [one("EVENT", EVERY), one("FILE_PATH", ".")]
    fork = happen(event, fork=True, head_repository=Repository(owner="stranger", name="hello"))
    assert reason_of(compile_groups(group), fork) is reasons.FORK_NOT_BUILT
    assert decide(compile_groups(group, forks=True), fork) == Need(facts=FILES)


# ── without groups ────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_filters_pushes_and_pull_requests_start():
    """AWS CDK: without filters every push, of a tag too, and every pull request, created or updated."""
    filters = compile_groups()
    started = {event for event in EventType if starts(filters, happen(event))}
    assert started == {EventType.PUSH, EventType.PULL_REQUEST_CREATED, EventType.PULL_REQUEST_UPDATED}
    assert starts(filters, push("refs/tags/v1"))
    assert decide(filters, push()) == Start(group=None)
    assert reason_of(filters, happen("PULL_REQUEST_MERGED")) is reasons.EVENT_NOT_BUILT


@pytest.mark.parametrize(
    ("pattern", "event", "matched"),
    [
        ("^main$", push(), True),  # troubleshooting: ^branchName$ is HEAD_REF ^refs/heads/branchName$
        ("^main$", push("refs/heads/feature/main"), False),
        ("main", push("refs/heads/maintenance"), True),
        ("refs/heads", push(), False),
        ("^topic$", happen("PULL_REQUEST_UPDATED"), True),  # the head's branch, as HEAD_REF is
        ("^main$", happen("PULL_REQUEST_UPDATED"), False),
        *((pattern, push("refs/tags/v1"), False) for pattern in (".*", "")),  # a tag is no branch
        *((pattern, happen("PULL_REQUEST_MERGED"), False) for pattern in (".*", "")),
        # CreateWebhook has it so: if branchFilter is empty, then all branches are built.
        *(("", push(f"refs/heads/{name}"), True) for name in ("main", "feature/x")),
        ("", happen("PULL_REQUEST_UPDATED"), True),
    ],
)
def test_branch_filter_is_for_the_short_name_of_the_branch(pattern, event, matched):
    """CreateWebhook, branchFilter: a branch whose name matches is built; it is looked for, as all patterns are."""
    assert starts(compile_groups(branch=pattern), event) is matched


def test_branch_filter_says_why():
    """What branchFilter keeps out is told from a tag, which is no branch."""
    branch = decide(compile_groups(branch="^dev$"), push())
    assert branch.reason is reasons.BRANCH_FILTERED_OUT
    assert branch.message == "spec.branchFilter: ^dev$: the branch does not match"
    tag = decide(compile_groups(branch="^dev$"), push("refs/tags/v1"))
    assert tag.message == "spec.branchFilter: ^dev$: what was pushed is no branch"


# ── facts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

PULL_REQUEST = happen("PULL_REQUEST_CREATED")


@pytest.mark.parametrize(
    ("groups", "decision"),
    [
        ([["FILE_PATH"]], Need(facts=FILES)),
        ([["COMMIT_MESSAGE"]], Need(facts=frozenset({Fact.MESSAGE}))),
        ([["FILE_PATH", "COMMIT_MESSAGE"]], Need(facts=BOTH)),
        ([["FILE_PATH"], ["COMMIT_MESSAGE"]], Need(facts=BOTH)),
        ([["FILE_PATH"], ["ACTOR_ACCOUNT_ID"]], Start(group=1)),
        ([["FILE_PATH", "HEAD_REF"]], None),
        ([["FILE_PATH", "HEAD_REF"], ["COMMIT_MESSAGE"]], Need(facts=frozenset({Fact.MESSAGE}))),
    ],
)
def test_a_fact_is_needed_only_if_it_can_change_the_answer(groups, decision):
    """A group that passes, or a filter that fails, makes the facts of that group, or of all groups, needless."""
    filters = compile_groups(
        *(
            [one("EVENT", EVERY), *(one(kind, "absent" if kind == "HEAD_REF" else "1") for kind in kinds)]
            for kinds in groups
        )
    )
    found = decide(filters, PULL_REQUEST)
    assert found == decision if decision else found.reason is reasons.NO_GROUP_PASSED


def test_facts_fill_what_the_payload_lacks():
    """With the facts it is decided; what the payload says is not replaced by them."""
    filters = compile_groups([one("EVENT", EVERY), one("FILE_PATH", "^a$"), one("COMMIT_MESSAGE", "^b$")])
    assert starts(filters, PULL_REQUEST, Facts(files=("x", "a"), message="b"))
    assert not starts(filters, PULL_REQUEST, Facts(files=("x",), message="b"))
    assert decide(filters, PULL_REQUEST, Facts(files=("a",))) == Need(facts=frozenset({Fact.MESSAGE}))
    assert not starts(filters, push(files=("x",), message="b"), Facts(files=("a",), message="b"))
    assert starts(filters, push(files=None, message="b"), Facts(files=("a",), message="c"))


def test_what_nobody_can_be_asked_for_starts_nothing():
    """Where the provider is not asked, a push that does not name its files is ignored, and it is said why."""
    where = source(Provider.GITLAB, api=())
    group = [one("EVENT", "PUSH"), one("FILE_PATH", "a")]
    for exclude in (False, True):
        filters = compile_groups([one("EVENT", "PUSH"), one("FILE_PATH", "a", exclude=exclude)], where=where)
        decision = decide(filters, push(files=None))
        assert decision.reason is reasons.FACTS_UNKNOWN
        assert decision.message.startswith("spec.filterGroups[0]: the payload does not say the FILE_PATH")
    assert decide(compile_groups(group, [one("EVENT", "PUSH")], where=where), push(files=None)) == Start(group=1)


# ── budget ────────────────────────────────────────────────────────────────────────────────────────────────────────

EXPLODING = ["(a+)+$", "(a|aa)+$", "(a|a?)+b", "(.*a){9}b", "^(([a-z])+.)+[A-Z]([a-z])+$"]


@pytest.mark.parametrize("pattern", EXPLODING)
def test_no_message_makes_a_pattern_explode(pattern):
    """What takes for ever elsewhere is found out in one pass over a message of 100,000 letters."""
    budget = Budget()
    filters = compile_groups([one("EVENT", "PUSH"), one("COMMIT_MESSAGE", pattern)])
    decide(filters, push(message="a" * 100_000 + "!"), budget=budget)
    assert not budget.spent
    assert Budget().left - budget.left < 100_000 // 16 * 2 + 3_000


def test_all_events_of_a_delivery_share_one_budget():
    """What is too much together ends as an error, not as a decision."""
    filters = compile_groups([one("EVENT", "PUSH"), one("COMMIT_MESSAGE", "(a|b)+[!?]")])
    budget = Budget()
    event = push(message="ab" * 500_000)
    for _ in range(3):
        assert isinstance(decide(filters, event, budget=budget), Ignore)
    with pytest.raises(EvaluationError):
        decide(filters, event, budget=budget)
    assert budget.spent
    with pytest.raises(EvaluationError):
        decide(filters, push(), budget=budget)


def test_files_that_are_plainly_others_cost_little():
    """Ten thousand files, each with 200 letters, are within the budget of a delivery for four plain patterns."""
    files = tuple(f"{'d' * 200}/{number}" for number in range(10_000))
    patterns = [r"^docs/", r"^src/.*\.py$", r"^buildspec\.yml$", r"\.md$"]
    groups = [[one("EVENT", "PUSH"), one("FILE_PATH", pattern)] for pattern in patterns]
    budget = Budget()
    assert isinstance(decide(compile_groups(*groups), push(files=files), budget=budget), Ignore)
    assert Budget().left - budget.left < 50_000
