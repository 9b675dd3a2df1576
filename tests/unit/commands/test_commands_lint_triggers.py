"""`hookwright lint` of BuildTriggers: every problem of their filters at once, and what should be thought over."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import pytest
from command_line import run, write
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.builds.trigger_filters import find_filter_source, list_filter_groups
from hookwright.cluster.claims import GOOD_STANDING, Standing
from hookwright.cluster.secret_values import MADE_FOR
from hookwright.commands.linting.filter_groups import MOST_PROBLEMS, find_filter_problems
from hookwright.commands.linting.pattern_advice import (
    NEVER_MATCHES,
    UNANCHORED,
    advise,
    advise_branch,
    convert_branch_filter,
)
from hookwright.commands.linting.trigger_mending import find_trigger_problems
from hookwright.errors import InvalidSpec
from hookwright.filters import Budget
from hookwright.filters.groups import FilterType, GroupFilter, Source, compile_filters
from hookwright.filters.patterns import PatternRefusal, compile_search
from hookwright.intake.trigger_route import compile_trigger
from hookwright.providers.catalogue import DIALECTS
from hookwright.scm import EventType, Provider
from support.objects import JOB_SPEC, make_buildtrigger, raw_buildtrigger, raw_secret

INPUT = "InvalidInputException"
HEAD, BASE, ACTOR, TAG = (
    FilterType.HEAD_REF,
    FilterType.BASE_REF,
    FilterType.ACTOR_ACCOUNT_ID,
    FilterType.TAG_NAME,
)


def event(names="PUSH"):
    return {"type": "EVENT", "pattern": names}


def rule(kind, pattern, **more):
    return {"type": kind, "pattern": pattern, **more}


def trigger(*groups, name="hello", provider="GitHub", source=None, **spec):
    """Give a BuildTrigger of a provider with filter groups."""
    where = {"provider": provider} | (source or {"repository": "octo/hello"})
    return raw_buildtrigger(
        metadata={"name": name, "uid": name},
        source=where,
        **{"projectName": name, "filterGroups": list(groups)} | spec,
    )


@pytest.fixture
def lint(capsys, tmp_path):
    """Lint objects; give what was said."""

    def call(*documents, more=()):
        ran = run(capsys, "lint", "-f", write(tmp_path / "all.yaml", *documents), "-o", "json", *more)
        said = ran.json["findings"]
        assert ran.code == (1 if any(one["severity"] == "finding" for one in said) else 0)
        return said

    return call


def places(said, severity="finding"):
    return [one["message"].partition(": ")[0] for one in said if one["severity"] == severity]


# ── findings ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_right_filters_leave_nothing_to_say(lint):
    """Anchored patterns, each group with its EVENT: nothing is said, however strictly one looks."""
    groups = (
        [event(), rule("HEAD_REF", "^refs/heads/main$"), rule("FILE_PATH", "^src/")],
        [event("PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED"), rule("BASE_REF", "^refs/heads/main$")],
        [event("RELEASED"), rule("TAG_NAME", "^v[0-9]")],
        [event(), rule("ACTOR_ACCOUNT_ID", "^(1|2)$"), rule("COMMIT_MESSAGE", "deploy")],
    )
    assert lint(trigger(*groups), more=["--strict"]) == []
    assert lint(raw_buildtrigger(), more=["--strict"]) == []


def test_all_problems_of_filters_are_found(lint):
    """One look finds what is wrong with each filter of each group, with AWS's code and the place."""
    said = lint(
        trigger(
            [rule("HEAD_REF", "^refs/heads/main$")],
            [event("PUSHED, PUSH, PULL"), rule("BASE_REF", "^refs/heads/main$"), rule("FILE_PATH", r"\bx")],
            [event("PUSHED"), rule("BASE_REF", "^refs/heads/main$"), rule("HEAD_REF", "(")],
            [event("PULL_REQUEST_CREATED"), rule("FILE_PATH", "^src/"), rule("TAG_NAME", "^v"), rule("HEAD_REF", "[")],
            [event("PUSH"), event("RELEASED"), rule("HEAD_REF", "^refs/heads/x$")],
            [event(), rule("REPOSITORY_NAME", "^x$")],
            [event(), rule("HEAD_REF", "^refs/heads/main$")],
        )
    )
    assert {one["code"] for one in said} == {INPUT}
    assert sorted(places(said)) == sorted(
        [
            "spec.filterGroups[0]",
            "spec.filterGroups[1][0].pattern",
            "spec.filterGroups[1][0].pattern",
            "spec.filterGroups[1][1].type",
            "spec.filterGroups[1][2].pattern",
            "spec.filterGroups[2][0].pattern",
            "spec.filterGroups[2][2].pattern",
            "spec.filterGroups[3][1].type",
            "spec.filterGroups[3][2].type",
            "spec.filterGroups[3][3].pattern",
            "spec.filterGroups[4][1].pattern",
            "spec.filterGroups[5][1].type",
        ]
    )


def test_branch_filter_is_checked(lint):
    """What is wrong with branchFilter is found, and that it stands beside filterGroups."""
    said = lint(trigger(branchFilter="("))
    assert (places(said), said[0]["code"]) == (["spec.branchFilter"], INPUT)
    both = lint(trigger([event(), rule("HEAD_REF", "(")], branchFilter="^main$"))
    assert sorted(places(both)) == ["spec.branchFilter", "spec.filterGroups[0][1].pattern"]


def test_rewrite_of_a_refused_pattern_is_said(lint):
    """A pattern that Hookwright does not take is refused with the one to write."""
    (said,) = lint(trigger([event(), rule("HEAD_REF", r"^refs/heads/\bmain")]))
    assert "at character 13" in said["message"]
    assert r"; write ^refs/heads/(?:(?<!\w)(?=\w)|(?<=\w)(?!\w))main" in said["message"]


def test_events_that_the_provider_does_not_send_are_found(lint):
    """Bitbucket Cloud has no releases: such an EVENT is refused, and the rest of its group is still judged."""
    (said,) = lint(trigger([event("PUSH, RELEASED"), rule("HEAD_REF", "^refs/heads/x$")], provider="BitbucketCloud"))
    assert "RELEASED is not read from BitbucketCloud" in said["message"]


def test_scoped_types_need_a_scope(lint):
    """REPOSITORY_NAME is right where the source is an organisation or a group."""
    group = [event(), rule("REPOSITORY_NAME", "^hello$")]
    assert lint(trigger(group, source={"organization": "octo"})) == []
    assert lint(trigger(group, provider="GitLab", source={"group": "octo/team"})) == []
    assert places(lint(trigger(group))) == ["spec.filterGroups[0][1].type"]


def test_problems_of_filters_are_not_hidden_by_shape(lint):
    """Where the schema refuses an object too, what else is wrong with its filters is said in the same look."""
    said = lint(
        trigger(
            [event("PUSHED"), rule("HEAD_REF", "(")],
            [],
            [rule("EVNT", "PUSH"), rule("BASE_REF", "^refs/heads/main$"), rule("HEAD_REF", "[")],
            [event(), rule("HEAD_REF", 5)],
            projectName="x",
        ),
        trigger(5, [event(), rule("HEAD_REF", "(")], name="other", branchFilter=5),
        trigger([event(), rule("HEAD_REF", "(")], name="third", source={"repository": 5}),
    )
    assert {one["code"] for one in said} == {INPUT}
    found = {name: sorted(places([one for one in said if one["name"] == name])) for name in ("hello", "other", "third")}
    assert found == {
        "hello": [
            "spec.filterGroups[0][0].pattern",
            "spec.filterGroups[0][1].pattern",
            "spec.filterGroups[1]",
            "spec.filterGroups[2][0].type",
            "spec.filterGroups[2][2].pattern",
            "spec.filterGroups[3][1].pattern",
            "spec.projectName",
        ],
        "other": ["spec.branchFilter", "spec.filterGroups[0]", "spec.filterGroups[1][1].pattern"],
        "third": ["spec.source.repository"],
    }


def test_all_problems_of_a_spec_are_found(lint):
    """One look finds what is wrong beside the filters too, each of the right item of a list."""
    build = {"jobTemplate": {"spec": {**JOB_SPEC, "ttlSecondsAfterFinished": 60}}}
    said = lint(
        trigger([event()], name="hello"),
        trigger(
            [event("PUSHED"), rule("HEAD_REF", "(")],
            name="other",
            projectName="hello",
            source={"group": "octo"},
            parameters=[{"name": "A", "value": ""}, {"name": "A", "value": ""}, {"name": "HOOKWRIGHT_X", "value": ""}],
            tags=[{"key": "a", "value": ""}, {"key": "aws:x", "value": ""}],
            duplicateWindow="5m",
            secretRotation={"every": "1h"},
            build=build,
        ),
    )
    assert {one["name"] for one in said} == {"other"}
    assert sorted(places(said)) == sorted(
        [
            "spec.projectName",
            "spec.source.group",
            "spec.parameters[1].name",
            "spec.parameters[2].name",
            "spec.tags[1]",
            "spec.duplicateWindow",
            "spec.secretRotation.every",
            "spec.filterGroups[0][0].pattern",
            "spec.filterGroups[0][1].pattern",
            "spec.build.jobTemplate.spec.ttlSecondsAfterFinished",
        ]
    )


OWN = {MADE_FOR: "hello"}
OWN_SECRETS = {
    "nobody's": ({}, {"key": "secret"}, INPUT, "Secret hello-hookwright is there"),
    "strange": (
        {"annotations": 5, "ownerReferences": "x"},
        {"key": "secret"},
        INPUT,
        "Secret hello-hookwright is there",
    ),
    "no key": ({"annotations": OWN}, {"key": "other"}, "ResourceNotFoundException", "has no key secret"),
    "an empty key": (
        {"annotations": OWN},
        {"key": "secret", "value": b""},
        "ResourceNotFoundException",
        "has nothing at key secret",
    ),
}


@pytest.mark.parametrize(("metadata", "more", "code", "words"), OWN_SECRETS.values(), ids=OWN_SECRETS)
def test_secret_in_the_way_is_found(lint, metadata, more, code, words):
    """A Secret in the files under the name of the one that is made is judged as the operator would."""
    secret = raw_secret(name="hello-hookwright", **more)
    secret["metadata"] |= metadata
    (said,) = lint(trigger([event()]), secret)
    assert (said["severity"], said["code"], words in said["message"]) == ("finding", code, True)
    assert lint(raw_buildtrigger(), secret) == []


def test_secret_that_is_meant_is_right(lint):
    """A Secret that says for whom it is, and has the key, is no finding."""
    secret = raw_secret(name="hello-hookwright", key="secret")
    secret["metadata"] |= {"annotations": OWN}
    assert lint(trigger([event()]), secret) == []


SOURCES_REFUSED = {
    "two": ({"provider": "GitHub", "repository": "a/b", "organization": "a"}, ["spec.source"]),
    "three": ({"provider": "GitLab", "repository": "a/b", "organization": "a", "group": "b"}, ["spec.source"]),
    "none": ({"provider": "GitHub"}, ["spec.source"]),
    "two owners": ({"provider": "GitLab", "organization": "a", "group": "b"}, ["spec.source"]),
    "no provider": ({"provider": None, "organization": "a"}, ["spec.source.provider"]),
    "too deep": ({"provider": "GitHub", "repository": "a/b/c"}, ["spec.source.repository"]),
    "an owner too deep": ({"provider": "Gitea", "organization": "a/b"}, ["spec.source.organization"]),
    "a deep group at GitHub": ({"provider": "GitHub", "group": "a/b"}, ["spec.source.group"]),
    "no group at GitHub": ({"provider": "GitHub", "group": "a"}, ["spec.source.group"]),
    "no organization at GitLab": ({"provider": "GitLab", "organization": "a"}, ["spec.source.organization"]),
}


@pytest.mark.parametrize(("source", "fields"), SOURCES_REFUSED.values(), ids=SOURCES_REFUSED)
def test_sources_that_are_none_are_found(lint, source, fields):
    """What is wrong with spec.source hides nothing else, and is said once."""
    known = {name: value for name, value in source.items() if value is not None}
    said = lint(raw_buildtrigger(source=known, filterGroups=[[event()]], duplicateWindow="5m"))
    assert places(said) == [*fields, "spec.duplicateWindow"]


def test_project_name_that_is_there_twice_is_found(lint):
    """Of BuildTriggers with one projectName in a namespace all but the first are refused."""
    other = trigger([event()], name="d", projectName="one")
    other["metadata"]["namespace"] = "elsewhere"
    said = lint(*(trigger([event()], name=name, projectName="one") for name in "bac"), other)
    assert [(one["name"], one["code"]) for one in said] == [
        ("a", "ResourceAlreadyExistsException"),
        ("c", "ResourceAlreadyExistsException"),
    ]
    assert "BuildTrigger b is older" in said[0]["message"]


# ── recommendations ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_filter_groups_are_recommended_instead_of_branch_filter(lint):
    """A branchFilter works: it is a warning, with the filter group that does the same, an empty one too."""
    (said,) = lint(trigger(branchFilter="^main$"))
    assert (said["severity"], said["code"]) == ("warning", "BranchFilter")
    assert said["message"].endswith("HEAD_REF ^refs/heads/main$")
    (empty,) = lint(trigger(branchFilter=""))
    assert (empty["code"], empty["message"].partition("HEAD_REF ")[2]) == ("BranchFilter", "^refs/heads/.*")
    assert lint(trigger([event()], branchFilter="")) == []
    assert lint(trigger(branchFilter="^main$"), more=["--strict"])[0]["severity"] == "finding"


def test_patterns_are_thought_over(lint):
    """Patterns that find too much, or nothing, are warnings with the place, and with what was surely meant."""
    said = lint(
        trigger(
            [event(), rule("HEAD_REF", "main")],
            [event(), rule("HEAD_REF", "^main$", excludeMatchedPattern=True)],
            [event(), rule("ACTOR_ACCOUNT_ID", "12345")],
        )
    )
    assert [(one["severity"], one["code"]) for one in said] == [
        ("warning", UNANCHORED),
        ("warning", NEVER_MATCHES),
        ("warning", UNANCHORED),
    ]
    assert [one["message"].partition(": ")[0] for one in said] == [
        f"spec.filterGroups[{n}][1].pattern" for n in range(3)
    ]
    assert "write ^refs/heads/main$ unless that is meant" in said[0]["message"]
    assert "write ^refs/heads/main$" in said[1]["message"]
    assert "9123456" in said[2]["message"]


def test_group_within_another_is_redundant(lint):
    """A group that asks for more than another one with its events is a warning; of equal ones the first is none."""
    wide = [event("PUSH, PULL_REQUEST_CREATED")]
    narrow = [event("PUSH"), rule("HEAD_REF", "^refs/heads/main$")]
    other = [event("RELEASED"), rule("TAG_NAME", "^v")]
    said = lint(trigger(narrow, wide, other, [*other]))
    assert [(one["severity"], one["code"], one["message"].split(": ")[0]) for one in said] == [
        ("warning", "Redundant", "spec.filterGroups[0]"),
        ("warning", "Redundant", "spec.filterGroups[3]"),
    ]
    assert "spec.filterGroups[1] too" in said[0]["message"]
    excluded = [event("PUSH"), rule("HEAD_REF", "^refs/heads/main$", excludeMatchedPattern=True)]
    assert lint(trigger(narrow, excluded)) == []


def test_event_that_never_passes_its_group_is_a_warning(lint):
    """Of a list of events those are named, each once, that have not what a filter of the group looks at."""
    said = lint(
        trigger(
            [event("PUSH, RELEASED"), rule("HEAD_REF", "^refs/heads/main$"), rule("COMMIT_MESSAGE", "x")],
            [event("PULL_REQUEST_MERGED"), rule("BASE_REF", "^refs/heads/main$")],
            [event("PUSH, PULL_REQUEST_MERGED, RELEASED"), rule("ACTOR_ACCOUNT_ID", "^1$"), rule("TAG_NAME", "^v")],
        )
    )
    assert [(one["severity"], one["code"], one["message"].split(": ")[0]) for one in said] == [
        ("warning", "NeverPasses", "spec.filterGroups[0][1].type"),
        ("warning", "NeverPasses", "spec.filterGroups[2][2].type"),
    ]
    assert "HEAD_REF: RELEASED never passes this group, as it has none; remove the filter, or " in said[0]["message"]
    assert "TAG_NAME: PUSH, PULL_REQUEST_MERGED never pass this group, as they have none; " in said[1]["message"]


def test_events_that_are_only_left_over_are_no_warning(lint):
    """Where EVENT only excludes, nobody has named the events that never pass."""
    others = event("PUSH") | {"excludeMatchedPattern": True}
    group = [others, rule("BASE_REF", "^refs/heads/main$")]
    assert [one["code"] for one in lint(trigger(group)) if one["code"] != "AnybodysCode"] == []


@pytest.mark.parametrize("written", ["octo/hello.git", "octo/hello.GIT"])
def test_address_in_place_of_a_name_is_a_warning(lint, written):
    """Deliveries about octo/hello.git never come: what stands behind the dot belongs to the address to clone from."""
    (said,) = lint(trigger([event()], source={"repository": written}))
    assert (said["severity"], said["code"]) == ("warning", "NeverMatches")
    assert said["message"].startswith("spec.source.repository: ")
    assert said["message"].endswith("write octo/hello")
    assert lint(trigger([event()], source={"repository": "octo/hello.github"})) == []
    (said,) = lint(trigger([event()], source={"repository": f"octo/a/{written}"}))
    assert said["severity"] == "finding"


def test_jobs_of_github_may_be_of_anybodys_code(lint):
    """Its payload does not tell whether a job's commit is from a fork; each group that such a job passes is named."""
    jobs, others = [event("WORKFLOW_JOB_QUEUED")], event("PUSH") | {"excludeMatchedPattern": True}
    for provider in ("GitHub", "GitHubEnterprise"):
        said = lint(trigger(jobs, [event()], [others], provider=provider))
        warned = [one for one in said if one["code"] == "AnybodysCode"]
        assert places(warned, severity="warning") == ["spec.filterGroups[0]", "spec.filterGroups[2]"]
    assert lint(trigger(jobs, provider="GitLab", source={"repository": "team/app"})) == []


def test_renames_pass_exclusions_of_paths_on_gitlab(lint):
    """GitLab hides the old path of a rename: a filter that keeps out changes of a folder does not see it go."""
    excluded = rule("FILE_PATH", "^infra/", excludeMatchedPattern=True)
    groups = ([event(), rule("FILE_PATH", "^src/")], [event(), rule("HEAD_REF", "^refs/heads/main$"), excluded])
    (said,) = lint(trigger(*groups, provider="GitLab"))
    assert (said["severity"], said["code"]) == ("warning", "RenamesPass")
    assert said["message"].startswith("spec.filterGroups[1][2]: ^infra/: GitLab ")
    assert lint(trigger(*groups)) == lint(trigger(*groups, provider="Gitea")) == []


MEANT = {
    (HEAD, "main"): (UNANCHORED, "^refs/heads/main$"),
    (HEAD, "refs/heads/main"): (UNANCHORED, "^refs/heads/main$"),
    (HEAD, "^refs/heads/main"): (UNANCHORED, "^refs/heads/main$"),
    (HEAD, "main$"): (UNANCHORED, "^refs/heads/main$"),
    (HEAD, "main|develop"): (UNANCHORED, "^refs/heads/(?:main|develop)$"),
    (HEAD, "^refs/heads/(main|develop)"): (UNANCHORED, "^refs/heads/(main|develop)$"),
    (HEAD, "^refs/heads/a1|^refs/heads/b1"): (UNANCHORED, "(?:^refs/heads/a1|^refs/heads/b1)$"),
    (HEAD, "feature/"): (UNANCHORED, "^refs/heads/feature/"),
    (HEAD, "main|feature/"): (UNANCHORED, None),
    (HEAD, "^refs/heads/main|dev"): (UNANCHORED, None),
    (HEAD, "(?<=refs/heads/)main"): (UNANCHORED, "(?<=refs/heads/)main$"),
    (HEAD, "m(?<=/m)ain"): (UNANCHORED, None),
    (HEAD, "(?=m)main"): (UNANCHORED, "(?=m)main$"),
    (HEAD, "[mM]ain"): (UNANCHORED, "[mM]ain$"),
    (HEAD, "/main"): (UNANCHORED, "/main$"),
    (HEAD, "refs/.*main"): (UNANCHORED, "^refs/.*main$"),
    (HEAD, "heads/main"): (UNANCHORED, None),
    (HEAD, "refs/main"): (UNANCHORED, None),
    (HEAD, "^main$"): (NEVER_MATCHES, "^refs/heads/main$"),
    (HEAD, "^(main|develop)$"): (NEVER_MATCHES, "^refs/heads/(main|develop)$"),
    (HEAD, "^refs/head/main$"): (NEVER_MATCHES, None),
    (HEAD, "^refs/heads/main$|^main$"): (NEVER_MATCHES, None),
    (BASE, "^refs/tags/v1$"): (NEVER_MATCHES, None),
    (BASE, "main"): (UNANCHORED, "^refs/heads/main$"),
    (TAG, "^refs/tags/v1$"): (NEVER_MATCHES, "^v1$"),
    (FilterType.FILE_PATH, "^/src/"): (NEVER_MATCHES, "^src/"),
    (FilterType.FILE_PATH, r"^\./src/"): (NEVER_MATCHES, "^src/"),
    (FilterType.FILE_PATH, "^/a|^/b"): (NEVER_MATCHES, None),
    (FilterType.REPOSITORY_NAME, "^octo/hello$"): (NEVER_MATCHES, None),
    (ACTOR, "12345"): (UNANCHORED, "^12345$"),
    (ACTOR, "1|2"): (UNANCHORED, "^(?:1|2)$"),
    (ACTOR, "^12345"): (UNANCHORED, None),
    (ACTOR, "octocat"): (NEVER_MATCHES, None),
}


@pytest.mark.parametrize(("kind", "pattern"), MEANT)
def test_what_is_surely_meant_is_recommended(kind, pattern):
    """Of the mistakes that people make, each gets its code and, where it is clear, the pattern that was meant."""
    found = advise(kind, pattern, Provider.GITHUB)
    assert (found.code, found.instead) == MEANT[kind, pattern]
    if found.instead is not None:
        assert advise(kind, found.instead, Provider.GITHUB) is None


HALF_DEAD = {
    (HEAD, "^(main|refs/heads/main)$"): "refs/heads/main",
    (FilterType.FILE_PATH, "^(/src|src)/"): "src/a.py",
    (FilterType.FILE_PATH, r"^(\./|)docs/"): "docs/x",
    (ACTOR, "^(octocat|583231)$"): "583231",
    (FilterType.REPOSITORY_NAME, "^(octo/hello|hello)$"): "hello",
    (TAG, "^(refs/tags/v|v)"): "v1",
}


@pytest.mark.parametrize(("kind", "pattern"), HALF_DEAD)
def test_pattern_that_finds_something_is_not_said_to_find_nothing(kind, pattern):
    """Where only some alternatives are found nowhere, it is said of those alone, and nothing is recommended."""
    found = advise(kind, pattern, Provider.GITHUB)
    assert (found.code, found.instead) == (NEVER_MATCHES, None)
    assert found.why.startswith("has alternatives that are found in no ")
    assert compile_search(pattern).finds(HALF_DEAD[kind, pattern], Budget().spend)


@pytest.mark.parametrize(
    ("kind", "pattern"), [*(one for one, (code, _) in MEANT.items() if code == NEVER_MATCHES), (ACTOR, "octocat|x9")]
)
def test_pattern_whose_every_alternative_is_dead_finds_nothing(kind, pattern):
    """Only where all alternatives are found nowhere, the pattern is."""
    dead = advise(kind, pattern, Provider.GITHUB).why.startswith("is found in no ")
    assert dead != (pattern == "^refs/heads/main$|^main$")


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        *[
            (HEAD, pattern)
            for pattern in (
                "^refs/heads/main$",
                "^refs/heads/",
                "^refs/heads/release-",
                "^refs/heads/release/",
                "^refs/heads/main.*",
                "^refs/tags/v",
                "^refs/tags/v[0-9]+",
                "refs/heads/release/.*",
                "/main$",
                ".*",
                "",
                "^",
                "(?i)main",
                "^(?!refs/heads/main$)",
                "^refs/(heads|tags)/v1$",
            )
        ],
        (TAG, "^v1"),
        (ACTOR, "^12345$"),
        (ACTOR, r"\d+"),
        (ACTOR, "."),
        (FilterType.FILE_PATH, "src"),
        (FilterType.FILE_PATH, "/src/"),
        (FilterType.FILE_PATH, "^./src/"),
        (FilterType.REPOSITORY_NAME, "^hello$"),
        (FilterType.ORGANIZATION_NAME, "^group/team$"),
        (FilterType.COMMIT_MESSAGE, "fix"),
    ],
)
def test_what_may_be_meant_is_left_alone(kind, pattern):
    """Beginnings of names, and patterns that say how they go on, are nothing to think over."""
    assert advise(kind, pattern, Provider.GITHUB) is None


def test_ids_of_bitbucket_cloud_are_no_numbers():
    """There an account's id has letters in it, and is too long to be within another."""
    for pattern in ("557058:c0b72ad0", "12345"):
        assert advise(ACTOR, pattern, Provider.BITBUCKET_CLOUD) is None
        assert advise(ACTOR, pattern, Provider.GITLAB) is not None


def test_branch_filter_looks_at_short_names():
    """What is meant for full refs finds no branch; the rest is as for refs."""
    assert advise_branch("^refs/heads/main$").instead == "^main$"
    assert advise_branch("^refs/heads/main$").code == NEVER_MATCHES
    assert advise_branch("main|dev").instead == "^(?:main|dev)$"
    assert advise_branch("(?<=x/)main").instead == "(?<=x/)main$"
    assert advise_branch("main|/dev").instead is None
    assert [one for one in ("^main$", "^release/", ".*", "^feature-") if advise_branch(one) is not None] == []


# ── whatever is written ───────────────────────────────────────────────────────────────────────────────────────────────

PIECES = st.sampled_from(
    [
        "^",
        "$",
        "refs/heads/",
        "refs/tags/",
        "main",
        "dev",
        "(",
        "(?:",
        ")",
        "|",
        ".*",
        "[0-9]",
        "+",
        "7",
        "\\",
        "/",
        "x",
    ]
)
PATTERNS = st.lists(PIECES, max_size=8).map("".join)
NAMES = st.sampled_from([*EventType, "PUSHED", "", " PUSH"])
FILTERS = st.builds(
    GroupFilter,
    type=st.sampled_from(FilterType),
    pattern=PATTERNS,
    exclude=st.booleans(),
) | st.builds(GroupFilter, type=st.just(FilterType.EVENT), pattern=st.lists(NAMES, max_size=3).map(",".join))
GROUPS = st.lists(st.lists(FILTERS, max_size=4), max_size=4)
SOURCES = st.builds(
    lambda provider, scoped: Source(provider=provider, sends=DIALECTS[provider].events, scoped=scoped),
    st.sampled_from(Provider),
    st.booleans(),
)


def refuse(branch, groups, source):
    """Give what the operator says of filters, if it refuses them."""
    try:
        compile_filters(branch, groups, source)
    except InvalidSpec as refused:
        return [str(refused)]
    return []


@settings(max_examples=300, deadline=None)
@given(branch=st.none() | PATTERNS, groups=GROUPS, source=SOURCES)
def test_problems_are_found_exactly_if_filters_are_refused(branch, groups, source):
    """Of any filters, the first problem is the one that the operator says; none is left, and none is said twice."""
    problems, filters = find_filter_problems(branch, groups, source)
    assert [str(one) for one in problems[:1]] == refuse(branch, groups, source)
    assert len(problems) < MOST_PROBLEMS
    assert (filters is None) == bool(problems)
    # Each filter that is refused for itself alone is among them.
    for (index, at), one in {(i, j): one for i, group in enumerate(groups) for j, one in enumerate(group)}.items():
        if one.type not in {FilterType.EVENT, FilterType.REPOSITORY_NAME, FilterType.ORGANIZATION_NAME}:
            try:
                compile_search(one.pattern)
            except PatternRefusal:
                assert f"spec.filterGroups[{index}][{at}].pattern" in {problem.field for problem in problems}


def test_branch_filter_has_a_head_ref_that_finds_the_same():
    """Of a branchFilter the pattern for refs in full finds the same branches, or there is none."""
    assert convert_branch_filter("^main$") == "^refs/heads/main$"
    assert convert_branch_filter("^(main|dev)$") == "^refs/heads/(main|dev)$"
    assert convert_branch_filter("main|dev") == "^refs/heads/.*(?:main|dev)"
    assert [one for one in ("^main|^dev", "(^main)", "(?<!x)main", "a^b") if convert_branch_filter(one)] == []
    names = ["main", "dev", "x", "7", "xmain", "main/dev", "mainx", "dev7", "refs/heads/main", "7/x"]
    converted = Counter()

    @settings(max_examples=300, deadline=None)
    @given(pattern=PATTERNS)
    def check(pattern):
        try:
            short = compile_search(pattern)
        except PatternRefusal:
            return
        head = convert_branch_filter(pattern)
        converted[head is not None] += 1
        if head is not None:
            full = compile_search(head)
            for name in names:
                assert short.finds(name, Budget().spend) == full.finds(f"refs/heads/{name}", Budget().spend)
            assert not full.finds("refs/tags/main", Budget().spend)

    check()
    assert converted[True] > 10


@settings(max_examples=500, deadline=None)
@given(kind=st.sampled_from(FilterType), pattern=PATTERNS, provider=st.sampled_from(Provider))
def test_advice_holds(kind, pattern, provider):
    """What is said never to match is found in no ref; what is recommended is taken, and finds no more than before."""
    try:
        search = compile_search(pattern)
    except PatternRefusal:
        return
    if kind is FilterType.EVENT:
        return
    for found in filter(None, (advise(kind, pattern, provider), advise_branch(pattern))):
        if found.instead is not None:
            compile_search(found.instead)
    found = advise(kind, pattern, provider)
    if kind not in {HEAD, BASE} or found is None:
        return
    prefixes = ["refs/heads/"] + ["refs/tags/"] * (kind is HEAD)
    refs = [
        one + name for one in prefixes for name in ("main", "dev", "x", "7", "refs/heads/main", "main/dev", "xmain")
    ]
    matched = {ref for ref in refs if search.finds(ref, Budget().spend)}
    if found.code == NEVER_MATCHES:
        assert not found.why.startswith("is ") or matched == set()
    elif found.instead is not None:
        meant = compile_search(found.instead)
        assert {ref for ref in refs if meant.finds(ref, Budget().spend)} <= matched


SPECS = st.fixed_dictionaries(
    {
        "source": st.sampled_from(
            [{}, {"provider": "GitHub", "repository": "a/b"}, {"provider": "GitLab", "group": "a"}]
        )
        | st.fixed_dictionaries(
            {},
            optional={
                "provider": st.sampled_from([*map(str, Provider)]),
                "repository": st.just("a/b"),
                "organization": st.just("a"),
                "group": st.just("a"),
            },
        )
    },
    optional={
        "branchFilter": PATTERNS,
        "filterGroups": st.lists(
            st.lists(FILTERS, min_size=1, max_size=3).map(
                lambda group: [
                    {"type": str(one.type), "pattern": one.pattern or "x", "excludeMatchedPattern": one.exclude}
                    for one in group
                ]
            ),
            max_size=3,
        ),
        "parameters": st.lists(
            st.fixed_dictionaries({"name": st.sampled_from(["A", "B", "HOOKWRIGHT_X"]), "value": st.just("")}),
            max_size=3,
        ),
        "tags": st.lists(
            st.fixed_dictionaries({"key": st.sampled_from(["a", "b", "aws:x", "é;"]), "value": st.just("")}), max_size=3
        )
        | st.just([{"key": f"k{number}", "value": ""} for number in range(60)]),
        "duplicateWindow": st.sampled_from(["1h", "5m", "73h"]),
        "secretRotation": st.sampled_from([{"every": "1h"}, {"every": "48h"}, {"every": "24h", "overlap": "25h"}]),
        "build": st.sampled_from([60, 3600, "60"]).map(
            lambda seconds: {"jobTemplate": {"spec": {**JOB_SPEC, "ttlSecondsAfterFinished": seconds}}}
        ),
    },
)


def test_lint_finds_something_exactly_if_the_operator_refuses():
    """Lint has findings if and only if the route has a problem, the same first; all mended, it has none."""
    seen = Counter()

    @settings(max_examples=300, deadline=None)
    @given(spec=SPECS, held=st.booleans())
    def check(spec, held):
        standing = Standing(name_holder="other") if held else GOOD_STANDING
        typed = make_buildtrigger(**spec)
        refused = compile_trigger(typed, standing).problem
        problems, mended = find_trigger_problems(typed, standing)
        assert [str(one) for one in problems[:1]] == ([] if refused is None else [str(refused)])
        assert len(problems) < MOST_PROBLEMS
        assert compile_trigger(mended).problem is None
        seen[refused is None] += 1

    check()
    assert min(seen[True], seen[False]) > 10


def test_groups_of_a_trigger_are_read_as_they_are_written():
    """A trigger's source and groups are what the filters are told; without a provider there is nothing to tell."""
    typed = make_buildtrigger(
        source={"provider": "GitLab", "group": "octo"},
        filterGroups=[[event(), rule("HEAD_REF", "x", excludeMatchedPattern=True)]],
    )
    assert find_filter_source(typed.spec.source) == Source(
        provider=Provider.GITLAB, sends=DIALECTS[Provider.GITLAB].events, scoped=True
    )
    assert list(chain(*list_filter_groups(typed))) == [
        GroupFilter(type=FilterType.EVENT, pattern="PUSH"),
        GroupFilter(type=HEAD, pattern="x", exclude=True),
    ]
    assert find_filter_source(make_buildtrigger().spec.source) is None
