"""operator/docs/explain.md: what `explain` and `lint` say, as users and pipelines read it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from hookwright.commands.explaining.builds import Fate
from hookwright.commands.explaining.gathering import Glance, Scene
from hookwright.commands.explaining.liveness import Operator
from hookwright.commands.explaining.report import report
from hookwright.commands.explaining.sample import Sample
from hookwright.commands.explaining.subject import Subject
from hookwright.commands.explaining.trigger_deliveries import explain_trigger_delivery
from hookwright.commands.explaining.trigger_rendering import render_trigger
from hookwright.commands.explaining.trigger_report import report_trigger
from hookwright.commands.explaining.trigger_scene import TriggerScene
from hookwright.commands.explaining.trigger_subject import TriggerSubject
from hookwright.commands.linting import documents, hidden, objects, pattern_advice, triggers
from hookwright.providers.sample import Happening
from hookwright.providers.samples import SAMPLES
from hookwright.reconcile import checks, doubling
from hookwright.scm import EventType, Provider
from support.objects import NOON, make_buildtrigger, make_webhook, raw_webhook

TEXT = (Path(__file__).parents[2] / "operator" / "docs" / "explain.md").read_text(encoding="utf-8")


def one(type_, pattern):
    return {"type": type_, "pattern": pattern}


def words_of(row: str) -> list[str]:
    """Give the words in code font of a row of a table."""
    return re.findall(r"`([^`]+)`", row)


def find_row(name: str) -> str:
    """Give the row of a table that is about `name`."""
    (row,) = re.findall(rf"^\| `{name}` \|.*$", TEXT, flags=re.MULTILINE)
    return str(row)


def list_members(table):
    """Give the words in the first column of a table."""
    return [word for row in table.splitlines()[2:] for word in words_of(row.split("|")[1])]


def test_members_are_those_of_the_reports():
    """The table of members has each member of `explain NAME -o json`, of Webhooks and BuildTriggers, and no other."""
    nothing = Glance()
    seen = {"names_known": True, "build": None, "lease": nothing, "events": (), "hidden": ()}
    subject = Subject(webhook=make_webhook(), raw=raw_webhook(), target=None, place="")
    told = report(Scene(subject=subject, target_known=True, **seen), hookwright_namespace="x", now=NOON)
    of_trigger = TriggerScene(subject=TriggerSubject(trigger=make_buildtrigger(), place=""), **seen)
    told_of_trigger = report_trigger(of_trigger, hookwright_namespace="x", now=NOON)
    written = list_members(TEXT.partition("| member |")[2].partition("\n\n")[0])
    assert [name for name in written if name in told] == list(told)
    assert sorted(written) == sorted({*told, *told_of_trigger})
    assert set(words_of(find_row("target"))) == set(told) - set(told_of_trigger)
    (row,) = re.findall(r"^\| `provider`.*$", TEXT, flags=re.MULTILINE)
    assert set(words_of(row)) == set(told_of_trigger) - set(told)


def test_members_of_a_judged_delivery_are_those_of_the_page():
    """The second table has what `explain` says of a delivery to a BuildTrigger, member by member."""
    section = TEXT.partition("### To a BuildTrigger")[2].partition("\n## ")[0]
    group = [{"type": "EVENT", "pattern": "PUSH"}]
    trigger = make_buildtrigger(source={"provider": "GitLab", "repository": "octo/hello"}, filterGroups=[group])
    sent = SAMPLES[Provider.GITLAB].make(EventType.PUSH, Happening())
    sample = Sample(body=json.dumps(sent.payload).encode(), headers={"x-gitlab-event": [sent.name]})
    told = explain_trigger_delivery(TriggerSubject(trigger=trigger, place=""), sample)
    assert told["reason"] != "Accepted"  # it has no secret
    written = list_members(section.partition("| member |")[2].partition("\n\n")[0])
    assert [name for name in written if name != "filters"] == list(told)
    rows = {row.split("`")[1]: words_of(row)[1:] for row in section.splitlines() if row.startswith("| `")}
    (change,) = told["changes"]
    assert rows["changes"] == list(change)
    assert rows["groups"] == list(change["groups"][0])
    assert rows["filters"] == list(change["groups"][0]["filters"][0])
    known = replace(sample, secret=b"x", headers={**sample.headers, "x-gitlab-token": ["x"]})
    (build,) = explain_trigger_delivery(TriggerSubject(trigger=trigger, place=""), known)["builds"]
    assert rows["builds"] == list(build)


def test_text_on_the_page_is_what_is_printed():
    """The example is what `explain` prints for these groups and GitLab's push."""
    example = TEXT.partition("### To a BuildTrigger")[2].partition("```\n")[2].partition("```")[0]
    groups = [
        [one("EVENT", "PUSH"), one("HEAD_REF", "^refs/heads/release/")],
        [one("EVENT", "PULL_REQUEST_CREATED"), one("BASE_REF", "^refs/heads/main$")],
    ]
    trigger = make_buildtrigger(source={"provider": "GitLab", "repository": "team/app"}, filterGroups=groups)
    sent = SAMPLES[Provider.GITLAB].make(EventType.PUSH, Happening(repository="team/app"))
    headers = {"x-gitlab-event": [sent.name], "x-gitlab-token": ["x"]}
    sample = Sample(body=json.dumps(sent.payload).encode(), headers=headers, secret=b"x")
    assert render_trigger(explain_trigger_delivery(TriggerSubject(trigger=trigger, place=""), sample)) + "\n" == example


def test_states_are_those_that_there_are():
    """Every state of a build and of the operator is named."""
    assert words_of(find_row("lastDelivery"))[2:] == [str(fate) for fate in Fate]
    assert words_of(find_row("operator"))[1:] == [str(state) for state in Operator]


def test_codes_are_those_that_are_given():
    """The table of codes has each code that is not AWS's, and no other."""
    table = TEXT.partition("| code |")[2]
    written = [word for row in table.splitlines()[2:] for word in words_of(row.split("|")[1])]
    given = [documents.UNKNOWN_KIND, documents.NO_OBJECT, documents.NOTHING_TO_CHECK]
    given += [doubling.BUILDS_TWICE]
    given += [objects.INLINE_SECRET, objects.UNFILTERED, objects.REPEATED]
    given += [triggers.BRANCH_FILTER, triggers.REDUNDANT, triggers.NEVER_PASSES]
    given += [hidden.ANYBODYS_CODE, hidden.RENAMES]
    given += [pattern_advice.UNANCHORED, pattern_advice.NEVER_MATCHES]
    assert sorted(written) == sorted([*given, checks.SECRET_NOT_FOUND, checks.TARGET_NOT_FOUND])
