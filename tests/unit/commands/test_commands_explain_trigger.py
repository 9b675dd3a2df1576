"""`hookwright explain` for BuildTriggers, offline: the receiver's own verdict, and what each group made of it."""

from __future__ import annotations

import base64
import json
import re

import pytest
from command_line import run, write
from pydantic.alias_generators import to_camel

from hookwright.commands.explaining.sample import Sample
from hookwright.commands.explaining.trigger_deliveries import explain_trigger_delivery
from hookwright.commands.explaining.trigger_rendering import find_nearest, render_trigger
from hookwright.commands.explaining.trigger_subject import TriggerSubject
from hookwright.intake.schemes.providers import PROVIDER_SCHEMES
from hookwright.providers.catalogue import DIALECTS
from hookwright.providers.sample import Happening
from hookwright.providers.samples import SAMPLES
from hookwright.scm import EventType, Provider, ScmEvent
from support.deliveries import DELIVERIES
from support.objects import NOON, SECRET, make_buildtrigger, raw_buildtrigger, raw_webhook

TOP = [
    *("outcome", "reason", "message", "remedy", "authenticityChecked"),
    *("event", "branchFilter", "groups", "changes", "builds"),
]
CHANGE = ["index", "outcome", "reason", "message", "event", "told", "branchFilter", "groups"]
FILTER = ["type", "pattern", "exclude", "value", "matched"]


def one(type_, pattern, exclude=None):
    more = {} if exclude is None else {"excludeMatchedPattern": exclude}
    return {"type": type_, "pattern": pattern, **more}


def judged(*values):
    return dict(zip(FILTER, values, strict=True))


def trigger(provider="GitLab", name="hello", **spec):
    source = {"provider": str(provider), "repository": "team/app", "branch": "main"}
    return raw_buildtrigger(metadata={"name": name}, source=source, **spec)


class Folder:
    """Files for one call of explain: a BuildTrigger with its Secret, a delivery of its provider."""

    def __init__(self, path, capsys):
        self.path, self.capsys = path, capsys
        data = {"secret": base64.b64encode(SECRET).decode()}
        metadata = {"name": "hello-hookwright", "namespace": "default"}
        self.secret_object = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
        self.manifests = [self.secret_object, trigger()]
        self.provider = Provider.GITLAB
        self.secret = SECRET
        self.deliver(EventType.PUSH)

    def deliver(self, event, **happening):
        sent = SAMPLES[self.provider].make(event, Happening(repository="team/app", **happening))
        self.name, self.payload = sent.name, json.dumps(sent.payload).encode()

    def run(self, *more, without=()):
        make = SAMPLES[self.provider].make_headers
        headers = make(name=self.name, delivery_id="d-1", body=self.payload, secret=self.secret)
        given = {
            "-f": write(self.path / "all.yaml", *self.manifests),
            "--payload": write(self.path / "payload", self.payload),
            "--headers": write(self.path / "headers.json", headers),
        }
        arguments = [each for name, value in given.items() if name not in without for each in (name, value)]
        return run(self.capsys, "explain", *arguments, *more)

    def json(self, *more, **given):
        return self.run(*more, "-o", "json", **given).json


@pytest.fixture
def folder(tmp_path, capsys):
    return Folder(tmp_path, capsys)


def test_answer_has_always_the_same_members(folder):
    """A delivery that counts: verdict, event, groups with every filter, changes and builds."""
    groups = [[one("EVENT", "PUSH"), one("HEAD_REF", "^refs/heads/main$"), one("FILE_PATH", "^docs/", exclude=True)]]
    folder.manifests[1] = trigger(filterGroups=groups)
    ran = folder.run("--trigger", "hello", "-o", "json")
    told = ran.json
    assert (ran.code, list(told)) == (0, TOP)
    assert (told["outcome"], told["reason"], told["authenticityChecked"]) == ("started", "Accepted", True)
    filters = [
        judged("EVENT", "PUSH", False, "PUSH", True),
        judged("HEAD_REF", "^refs/heads/main$", False, "refs/heads/main", True),
        judged("FILE_PATH", "^docs/", True, ["README.md", "src/hello.py"], True),
    ]
    assert told["groups"] == [{"filters": filters, "matched": True}]
    (change,) = told["changes"]
    assert list(change) == CHANGE
    assert (change["event"], change["groups"]) == (told["event"], told["groups"])
    assert set(told["event"]) == {to_camel(name) for name in ScmEvent.__slots__}
    assert (told["event"]["event"], told["event"]["headRef"]) == ("PUSH", "refs/heads/main")
    assert set(told["event"]["repository"]) == {"fullName", "owner", "name", "cloneUrl", "webUrl"}
    assert told["event"]["repository"]["fullName"] == "team/app"
    (build,) = told["builds"]
    assert (build["kind"], build["namespace"], build["serviceAccountName"]) == ("Job", "default", "default")
    assert build["parameters"]["HOOKWRIGHT_WEBHOOK_HEAD_REF"] == "refs/heads/main"


def test_why_it_did_not_start(folder):
    """Each filter of each group shows what it looked at; exit code 1; the text names the group that came nearest."""
    groups = [
        [one("EVENT", "PULL_REQUEST_CREATED"), one("BASE_REF", "main")],
        [one("EVENT", "PUSH"), one("HEAD_REF", "^refs/heads/release/"), one("COMMIT_MESSAGE", "urgent")],
        [one("EVENT", "PUSH"), one("HEAD_REF", "^refs/heads/main$", exclude=True)],
    ]
    folder.manifests[1] = trigger(filterGroups=groups)
    ran = folder.run("-o", "json")
    assert (ran.code, ran.json["outcome"], ran.json["reason"], ran.json["builds"]) == (
        1,
        "ignored",
        "NoGroupPassed",
        [],
    )
    assert [[f["matched"] for f in group["filters"]] for group in ran.json["groups"]] == [
        [False, False],
        [True, False, False],
        [True, False],
    ]
    assert [group["matched"] for group in ran.json["groups"]] == [False, False, False]
    assert ran.json["groups"][0]["filters"][1]["value"] is None
    text = folder.run().out
    assert "spec.filterGroups[2] fails, and is the nearest" in text
    assert "  [1] HEAD_REF not ^refs/heads/main$ fails: refs/heads/main" in text
    assert "nearest: spec.filterGroups[2], in which only HEAD_REF does not pass" in text
    assert "[1] BASE_REF main fails: PUSH has none" in text


def test_nearest_is_none_where_no_event_passes():
    """A group whose EVENT does not pass is not near, however little else it asks for."""
    event, other = {"type": "EVENT", "matched": False}, {"type": "HEAD_REF", "matched": True}
    assert find_nearest([{"filters": [event, other]}]) is None
    assert find_nearest([]) is None


def test_open_filters_are_told(folder):
    """What the payload does not say is open: neither passed nor failed."""
    folder.manifests[1] = trigger(filterGroups=[[one("EVENT", "PUSH"), one("FILE_PATH", "^src/")]])
    payload = json.loads(folder.payload)
    folder.payload = json.dumps(payload | {"total_commits_count": 30}).encode()
    told = folder.json()
    assert (told["reason"], told["groups"][0]["matched"]) == ("FactsUnknown", None)
    assert told["groups"][0]["filters"][1] == judged("FILE_PATH", "^src/", False, None, None)
    assert "[1] FILE_PATH ^src/ is open: the payload does not say" in folder.run().out


@pytest.mark.parametrize("provider", Provider)
def test_every_provider_is_judged_as_the_receiver_does(folder, provider):
    """Each event of each provider, signed as it signs: authentic, read as that event, and built or told why not."""
    folder.provider = provider
    folder.manifests[1] = trigger(provider)
    for event in EventType:
        if event in DIALECTS[provider].events:
            folder.deliver(event)
            told = folder.json()
            built = event in (EventType.PUSH, EventType.PULL_REQUEST_CREATED, EventType.PULL_REQUEST_UPDATED)
            assert (told["event"]["event"], told["authenticityChecked"]) == (event, True)
            assert told["reason"] == ("Accepted" if built else "EventNotBuilt")
            assert told["groups"] == []
            assert len(told["builds"]) == built


def test_pull_request_without_a_branch_is_told(folder):
    """A pull request of Gitea that was pushed to refs/for/main has no branch, and is a stranger's."""
    folder.provider = Provider.GITEA
    folder.manifests[1] = trigger(Provider.GITEA)
    folder.deliver(EventType.PULL_REQUEST_CREATED)
    payload = json.loads(folder.payload)
    payload["pull_request"]["head"] |= {"ref": "refs/pull/1/head", "label": ""}
    folder.payload = json.dumps(payload).encode()
    told = folder.run().out
    assert "ForkNotBuilt" in told
    assert "PULL_REQUEST_CREATED 1 from a fork, no branch into refs/heads/main" in told


def test_changes_of_one_delivery_have_an_entry_each(folder):
    """A push of four refs to Bitbucket: what each is, and starts; the top shows the one that the reason is of."""
    folder.provider = Provider.BITBUCKET_CLOUD
    delivery = DELIVERIES[Provider.BITBUCKET_CLOUD, "push_of_four"]
    folder.name, folder.payload = "repo:push", json.dumps(delivery.payload).encode()
    groups = [[one("EVENT", "PUSH"), one("HEAD_REF", "^refs/tags/")]]
    source = {"provider": "BitbucketCloud", "repository": "octo/hello"}
    folder.manifests[1] = raw_buildtrigger(source=source, filterGroups=groups)
    told = folder.json()
    assert [(change["index"], change["reason"]) for change in told["changes"]] == [
        (0, "NoGroupPassed"),
        (1, "RefDeleted"),
        (2, "NoGroupPassed"),
        (3, "Accepted"),
    ]
    assert told["event"]["index"] == 3
    assert len(told["builds"]) == 1
    text = folder.run().out
    assert "change 1: ignored (RefDeleted)" in text
    assert "refs/heads/old (deleted)" in text
    folder.manifests[1]["spec"]["filterGroups"] = [[one("EVENT", "PUSH"), one("HEAD_REF", "^refs/tags/v9")]]
    assert (folder.json()["reason"], folder.json()["event"]["index"]) == ("NoGroupPassed", 0)


def test_what_is_no_event_says_what_it_is(folder):
    """A delivery that tells of something else has no event and no groups, but the provider's word for it."""
    folder.manifests[1] = trigger(filterGroups=[[one("EVENT", "PUSH")]])
    folder.name, folder.payload = "Note Hook", json.dumps(DELIVERIES[Provider.GITLAB, "note"].payload).encode()
    told = folder.json()
    assert (told["reason"], told["event"], told["groups"]) == ("NotAnEvent", None, [])
    assert told["changes"][0]["told"] == "Note Hook"
    assert "no event: Note Hook" in folder.run().out


def test_branch_filter_is_shown(folder):
    """spec.branchFilter shows the branch that it looked at; a tag has none."""
    folder.manifests[1] = trigger(branchFilter="^release-")
    told = folder.json()
    assert told["reason"] == "BranchFilteredOut"
    assert told["branchFilter"] == {"pattern": "^release-", "value": "main", "matched": False}
    folder.deliver(EventType.PUSH, tag="v1")
    assert folder.json()["branchFilter"]["value"] is None
    assert "spec.branchFilter ^release- fails: no branch" in folder.run().out
    folder.manifests[1] = trigger(branchFilter="")
    assert "spec.branchFilter '' fails: no branch" in folder.run().out


@pytest.mark.parametrize(
    ("spec", "happening", "reason"),
    [
        ({}, {"message": "x [skip ci]"}, "SkippedByMessage"),
        ({"suspend": True}, {}, "Suspended"),
        ({"source": {"provider": "GitLab", "repository": "other/app"}}, {}, "OtherRepository"),
        ({"projectName": "x!"}, {}, "SpecInvalid"),
        ({"filterGroups": [[one("EVENT", "PRERELEASED")]]}, {}, "SpecInvalid"),
    ],
)
def test_all_else_that_starts_nothing_is_told(folder, spec, happening, reason):
    """Marks in messages, suspension, another repository and an invalid spec are told as the receiver would."""
    folder.deliver(EventType.PUSH, **happening)
    folder.manifests[1] = raw_buildtrigger(**{"source": {"provider": "GitLab", "repository": "team/app"}, **spec})
    ran = folder.run("-o", "json")
    assert (ran.code, ran.json["reason"], ran.json["builds"]) == (1, reason, [])
    if reason == "SpecInvalid":
        assert "InvalidInputException" in ran.json["message"]
        assert (ran.json["changes"], ran.json["authenticityChecked"]) == ([], False)


def test_project_of_another_is_told(folder):
    """Of two BuildTriggers with one projectName the first in the files has it, as for the operator."""
    folder.manifests.append(trigger(name="second"))
    assert folder.json("--trigger", "second")["message"].startswith("ResourceAlreadyExistsException: spec.projectName")
    assert folder.json("--trigger", "hello")["reason"] == "Accepted"


def test_authenticity_is_checked_where_it_can_be(folder):
    """With the Secret it is checked, else said to be open; a secret in a file stands in for it."""
    folder.secret = b"another"
    assert folder.json()["reason"] == "TokenMismatch"
    folder.manifests.remove(folder.secret_object)
    told = folder.json()
    assert (told["reason"], told["authenticityChecked"]) == ("Accepted", False)
    assert (
        "it needs Secret hello-hookwright, which could not be found in the files, or --secret-file" in told["message"]
    )
    secret = write(folder.path / "secret", b"another")
    assert folder.json("--secret-file", secret)["authenticityChecked"]
    assert "--headers FILE" in folder.json(without=["--headers"])["message"]


def test_which_object_is_meant(folder):
    """A name alone is the Webhook's; bt/NAME and --trigger the BuildTrigger's; one that takes deliveries is found."""
    assert "event" in folder.json()
    assert "event" in folder.json("hello")
    folder.manifests.append(raw_webhook())
    assert "filters" in folder.json("hello")
    assert "filters" in folder.json()
    assert "event" in folder.json("bt/hello")
    assert "event" in folder.json("bt/hello", "--trigger", "hello")
    for wrong in (("wh/hello", "--trigger", "hello"), ("--webhook", "hello", "--trigger", "hello")):
        ran = folder.run(*wrong)
        assert (ran.code, "choose one" in ran.err) == (2, True)
    folder.manifests.append(trigger(name="other", projectName="other"))
    ran = folder.run("--trigger", "nobody")
    assert (ran.code, "no BuildTrigger nobody; there is: hello, other" in ran.err) == (2, True)
    folder.manifests = [trigger(), trigger(name="other", projectName="other")]
    ran = folder.run()
    assert (ran.code, "choose one with --trigger: hello, other" in ran.err) == (2, True)
    folder.manifests = [trigger(), trigger()]
    folder.manifests[1]["metadata"]["namespace"] = "b"
    ran = folder.run()
    assert (ran.code, "BuildTrigger hello in several namespaces: choose one with -n: b, default" in ran.err) == (
        2,
        True,
    )


def test_trigger_that_takes_no_deliveries_is_said(folder):
    """Without a provider only Webhooks start it: a usage error that says so."""
    folder.manifests = [raw_buildtrigger()]
    ran = folder.run("--trigger", "hello")
    assert (ran.code, "has no spec.source.provider" in ran.err) == (2, True)
    assert folder.run().code == 2


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"7", b'{"object_kind": 7}', b"{" * 300, b"\xff"])
def test_strange_bodies_are_told(folder, body):
    """Whatever the payload is, there is an answer with the same members, and text for it."""
    folder.payload = body
    ran = folder.run("-o", "json")
    assert (ran.code, list(ran.json)) == (1, TOP)
    assert folder.run().code == 1


def test_what_is_added_is_a_sentence_of_its_own(folder):
    """What a parser says of a body has no full stop; what could not be checked is said behind one."""
    folder.payload = b""
    folder.manifests = [trigger()]
    assert re.search(r"line 1 column 0\. Authenticity was not checked: [^.]+\.$", folder.json()["message"])


def test_text_and_json_speak_to_no_terminal(folder):
    """What a payload holds cannot move a terminal's cursor, nor begin a line of its own."""
    folder.manifests[1] = trigger(filterGroups=[[one("EVENT", "PUSH"), one("COMMIT_MESSAGE", "never")]])
    folder.deliver(EventType.PUSH, message="a\x1b[2J\x9b\u202eb\nc")
    for ran in (folder.run(), folder.run("-o", "json")):
        assert ran.code == 1
        assert [each for line in ran.out.splitlines() for each in line if not each.isprintable()] == []
    assert folder.json()["event"]["message"] == "a\x1b[2J\x9b\u202eb\nc"


def test_long_values_are_cut_for_people(folder):
    """Of a long value and of many files the text shows the beginning; JSON has all."""
    folder.manifests[1] = trigger(filterGroups=[[one("EVENT", "PUSH"), one("FILE_PATH", "never")]])
    files = tuple(f"{'x' * 300}{n}" for n in range(30))
    folder.deliver(EventType.PUSH, files=files)
    text = folder.run().out
    assert "x…, and 20 more" in text
    assert max(len(line) for line in text.splitlines()) < 3000
    assert folder.json()["groups"][0]["filters"][1]["value"] == list(files)


GROUPS = {
    "none": {},
    "branch": {"branchFilter": "^(main|feature/)"},
    "groups": {"filterGroups": [[one("EVENT", "PUSH"), one("HEAD_REF", "/(main|v1)")], [one("EVENT", "RELEASED")]]},
}


@pytest.mark.parametrize("filters", GROUPS)
@pytest.mark.parametrize("key", sorted(DELIVERIES), ids=": ".join)
def test_entries_agree_with_the_verdict(key, filters):
    """Of every delivery: builds are started if an entry says so; else the verdict is the reason of an entry."""
    delivery = DELIVERIES[key]
    repository = next((each.repository for each in delivery.read() if isinstance(each, ScmEvent)), None)
    source = {"provider": str(delivery.provider), "repository": getattr(repository, "full_name", "octo/hello")}
    if delivery.provider is Provider.GITLAB and filters == "groups":
        source = {"provider": "GitLab", "group": source["repository"].partition("/")[0]}
    spec = GROUPS[filters]
    if "RELEASED" not in DIALECTS[delivery.provider].events and "filterGroups" in spec:
        spec = {"filterGroups": spec["filterGroups"][:1]}
    subject = TriggerSubject(trigger=make_buildtrigger(source=source, **spec), place="here")
    body = json.dumps(delivery.payload).encode()
    proof = PROVIDER_SCHEMES[delivery.provider].prove(body, SECRET, delivery_id="id", now=NOON)
    headers = {name.lower(): [value] for name, value in (delivery.headers | proof).items()}
    told = explain_trigger_delivery(subject, Sample(body=body, headers=headers, secret=SECRET))
    reasons = [change["reason"] for change in told["changes"]]
    assert told["authenticityChecked"]
    assert told["reason"] in reasons
    assert (told["reason"] == "Accepted") is ("Accepted" in reasons) is bool(told["builds"])
    assert len(told["builds"]) <= reasons.count("Accepted")
    assert render_trigger(told).startswith(f"{told['outcome']} ({told['reason']})")
