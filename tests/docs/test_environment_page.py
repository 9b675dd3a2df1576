"""operator/docs/environment.md: every cell of its tables is what builds are told of true payloads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hookwright.builds.environment import MAX_LENGTH, describe_event, describe_request
from hookwright.builds.targets import render
from hookwright.kinds.source import BuildSource
from hookwright.scm import EventType, Provider, ScmEvent
from support.deliveries import DELIVERIES
from support.objects import make_buildtrigger, make_wanted

PAGE = (Path(__file__).parents[2] / "operator" / "docs" / "environment.md").read_text(encoding="utf-8")
# Which events a column speaks of.
KINDS = {
    "push": lambda event: event.event is EventType.PUSH and event.head_ref.startswith("refs/heads/"),
    "tag": lambda event: event.event is EventType.PUSH and event.head_ref.startswith("refs/tags/"),
    "pull request": lambda event: event.event.is_pull_request,
    "release": lambda event: event.event in {EventType.RELEASED, EventType.PRERELEASED},
    "job": lambda event: event.event is EventType.WORKFLOW_JOB_QUEUED,
}
CONDITIONS = {
    "": lambda event: True,
    "if it was merged": lambda event: event.event is EventType.PULL_REQUEST_MERGED,
    "if it was updated": lambda event: event.event is EventType.PULL_REQUEST_UPDATED,
    "if it is from one": lambda event: event.head_repository is not None,
    "if it is not new": lambda event: event.before is not None,
    "if it has one": lambda event: bool(event.release),
}
BY_PROVIDER, NEVER = "*by provider*", "no such event"


def find_words(event):
    """Give what the words in capitals stand for, of one event."""
    return {
        "NAME": (event.head_ref or "").split("/", 2)[-1],
        "BASE": (event.base_ref or "").split("/", 2)[-1],
        "N": event.pull_request,
        "HOW": event.event.removeprefix("PULL_REQUEST_"),
        "ACTOR": event.actor,
        "BEFORE": event.before,
        "MERGED": event.merge_commit,
        "RELEASE": event.release,
        "WORKFLOW": event.workflow,
        "COMMIT": event.sha,
        "URL": event.repository.clone_url,
        "FORK": event.head_repository and event.head_repository.clone_url,
        "OWNER": event.repository.owner,
        "REPO": event.repository.name,
        "ORGANIZATION": event.organisation,
    }


def expect(cell, event):
    """Give the value that a cell promises for an event; None: not set."""
    found = re.fullmatch(r"`([^`]+)`(?:, (if .+))?", cell)
    if cell == "-" or not CONDITIONS[found[2] or ""](event):
        return None
    words = find_words(event)
    parts = re.split(r"([A-Z]+)(?![A-Z_])", found[1]) if found[1] not in EventType.__members__ else [found[1]]
    values = [words.get(part, part) for part in parts]
    assert None not in values
    return "".join(map(str, values))


def split_row(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def read_tables(title):
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    for block in re.findall(r"(?:^\|.*\n)+", section, flags=re.MULTILINE):
        head, _, *rows = block.splitlines()
        yield split_row(head), [split_row(row) for row in rows]


def read_cells():
    """Give every cell by variable, kind and provider."""
    ((_, *kinds), rows), ((_, _, *columns), exceptions) = read_tables("Which event has which")
    by_provider = {
        (variable.strip("`"), kind, Provider(name)): cell
        for variable, kind, *cells in exceptions
        for names, cell in zip(columns, cells, strict=True)
        for name in names.split(", ")
    }
    cells = {
        (variable.strip("`"), kind, provider): by_provider.pop((variable.strip("`"), kind, provider))
        if cell == BY_PROVIDER
        else cell
        for variable, *row in rows
        for kind, cell in zip(kinds, row, strict=True)
        for provider in Provider
    }
    assert not by_provider  # nothing stands in the second table that the first one does not send there
    return cells


CELLS = read_cells()
# Of these the payload hides what a cell promises; they count as forks and start nothing.
NO_BUILDS = {"from_fork_that_is_gone", "job_of_merge_request"}


def list_events(provider, kind):
    for (of, what), delivery in sorted(DELIVERIES.items()):
        for event in delivery.read() if of is provider else ():
            if isinstance(event, ScmEvent) and not event.deleted and KINDS[kind](event):
                yield what, event


@pytest.mark.parametrize(("variable", "kind", "provider"), sorted(CELLS), ids=str)
def test_cell_is_what_builds_are_told(variable, kind, provider):
    """What a cell says is what the variable has for each true payload of its kind, or that it is not set."""
    cell = CELLS[variable, kind, provider]
    events = list(list_events(provider, kind))
    if cell == NEVER:
        assert not events
        return
    expected = {what: expect(cell, event) for what, event in events if what not in NO_BUILDS}
    told = {what: describe_event(event, provider).get(variable) for what, event in events if what in expected}
    assert told == expected
    if events and cell != "-":
        assert set(expected.values()) != {None}


def test_every_variable_has_its_row():
    """The tables have every variable that any build is told of its event, and no other."""
    told = {
        name
        for (provider, _), delivery in DELIVERIES.items()
        for event in delivery.read()
        if isinstance(event, ScmEvent)
        for name in describe_event(event, provider)
    }
    assert {variable for variable, _, _ in CELLS} == told
    ((_, rows),) = read_tables("The variables")
    job = render(make_wanted(), make_buildtrigger())
    environment = job["spec"]["template"]["spec"]["containers"][0]["env"]
    own = {each["name"] for each in environment if each["name"].startswith("HOOKWRIGHT_")}
    assert [row[0].strip("`") for row in rows] == [
        *("HOOKWRIGHT_BUILD_ID", "HOOKWRIGHT_PROJECT_NAME", "HOOKWRIGHT_DELIVERY_ID"),
        *dict.fromkeys(variable for variable, _, _ in CELLS),
    ]
    assert {row[0].strip("`") for row in rows} == own | told


def test_names_at_aws_are_the_same():
    """What is said to be the same as at AWS has one of the names that AWS CodeBuild documents."""
    at_aws = {
        *("WEBHOOK_ACTOR_ACCOUNT_ID", "WEBHOOK_BASE_REF", "WEBHOOK_EVENT", "WEBHOOK_HEAD_REF", "WEBHOOK_MERGE_COMMIT"),
        *("WEBHOOK_PREV_COMMIT", "WEBHOOK_TRIGGER", "SOURCE_REPO_URL", "SOURCE_VERSION", "BUILD_ID"),
    }
    ((_, rows),) = read_tables("The variables")
    for variable, _, aws in rows:
        name = variable.strip("`").removeprefix("HOOKWRIGHT_")
        assert (name in at_aws) is (aws != "-" and name != "PROJECT_NAME")


@pytest.mark.parametrize("provider", Provider)
@pytest.mark.parametrize("ref", ["main", "refs/tags/v1", "a" * 40])
def test_builds_by_hand(provider, ref):
    """A build that is started by hand has the variables that the page names for it."""
    (line,) = re.findall(r"- A build that is \[started by hand\](?:.|\n)*?(?=\n- )", PAGE)
    names = re.findall(r"HOOKWRIGHT_\w+", line)
    told = describe_request(ref, BuildSource(provider=provider, repository="octo/hello"))
    assert "on GitHub and BitbucketCloud" in line
    unset = set()
    if len(ref) == 40:
        unset.add("HOOKWRIGHT_SOURCE_REF")
    if provider not in {Provider.GITHUB, Provider.BITBUCKET_CLOUD}:
        unset.add("HOOKWRIGHT_SOURCE_REPO_URL")
    assert set(told) == set(names) - unset


def test_limit_is_that_of_the_code():
    """The number on the page is the one that is kept."""
    assert f"{MAX_LENGTH:,} characters" in PAGE
